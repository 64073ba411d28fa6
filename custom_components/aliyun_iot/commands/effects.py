"""Actions that Home Assistant reports as done although nothing, or not everything, was done, as far as that can be seen."""

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..alink.codes import Code
from ..exposures import Absence, absence
from ..ha_internals import entity_integration, passed_on
from ..log_text import some_of
from .outcome import Failure

ATTR_ACTIVE_CHILD = "active_child"
"""The attribute of a universal media player that has the player which its actions are passed on to."""


@callback
def unavailability(hass: HomeAssistant, entity_id: str) -> Failure | None:
    """Return why an entity cannot be controlled at all: Home Assistant leaves it out of an action without an error."""
    state = hass.states.get(entity_id)
    if state is None:
        why = Absence.DISABLED if absence(hass, entity_id) is Absence.DISABLED else "has gone"
        return Failure(Code.UNAVAILABLE, f"{entity_id} {why}")
    if state.state == STATE_UNAVAILABLE:
        return Failure(Code.UNAVAILABLE, f"{entity_id} is unavailable")
    if entity_integration(hass, entity_id) is None:
        return Failure(Code.UNAVAILABLE, f"{entity_id} is a state without an entity")
    return None


@callback
def without_effect(hass: HomeAssistant, entity_id: str, action: str) -> Failure | None:
    """Return why an action would do nothing without an error.

    The entity may have become unavailable by the action before. A universal media player ignores actions for which it has no
    command while none of its players is on.
    """
    if failure := unavailability(hass, entity_id):
        return failure
    state = hass.states.get(entity_id)
    if state is None or entity_integration(hass, entity_id) != "universal" or state.attributes.get(ATTR_ACTIVE_CHILD):
        return None
    found = passed_on(hass, state)
    if found and action in found.overridden:
        return None
    return Failure(Code.UNAVAILABLE, f"{entity_id} has no player now that could do it")


@callback
def require_members(hass: HomeAssistant, entity_id: str) -> None:
    """Raise HomeAssistantError if a scene that was activated has members that it could not reach."""
    state = hass.states.get(entity_id)
    if state is None or state.domain != "scene":
        return
    missing = [
        str(member)
        for member in state.attributes.get(ATTR_ENTITY_ID) or ()
        if (found := hass.states.get(str(member))) is None or found.state == STATE_UNAVAILABLE
    ]
    if missing:
        raise HomeAssistantError(f"activated, but not available: {some_of(missing)}")
