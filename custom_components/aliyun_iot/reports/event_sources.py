"""The sources of events of the thing model: an event entity that fires, or triggers."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.core import CALLBACK_TYPE, Context, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..mapping.attributes import moment

_LOGGER = logging.getLogger(__name__)

RESOLUTION: Final = timedelta(milliseconds=1)
"""The resolution of the time in the state of an event entity."""

type Triggers = list[dict[str, Any]]
type Happened = Callable[[Mapping[str, Any], datetime], None]
"""Called with the variables for templates, and with the time."""


@callback
def follow_event_entity(hass: HomeAssistant, entity_id: str, happened: Happened) -> CALLBACK_TYPE:
    """Call `happened` whenever an event entity fires; return a function that ends it.

    The state of an event entity is the time at which it last fired. It has not fired when it becomes available again or is
    restored with an earlier time.
    """
    last = _fired_at(hass.states.get(entity_id)) or dt_util.utcnow() - RESOLUTION

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        nonlocal last
        old, new = event.data["old_state"], event.data["new_state"]
        fired = _fired_at(new)
        if new is None or fired is None or fired <= (_fired_at(old) or last):
            return
        last = fired
        attributes = dict(new.attributes)
        variables = {
            "attributes": attributes,
            "entity_id": entity_id,
            "event_type": attributes.get(ATTR_EVENT_TYPE),
        }
        happened(variables, fired)

    return async_track_state_change_event(hass, entity_id, changed)


async def attach_triggers(
    hass: HomeAssistant, triggers: Triggers, name: str, happened: Happened, failed: Callable[[str], None]
) -> CALLBACK_TYPE | None:
    """Call `happened` whenever one of the triggers fires; return a function that ends it, None if none could be attached.

    `failed` is called with what is wrong with a trigger that could not be attached. Raises vol.Invalid or HomeAssistantError for
    an invalid configuration.
    """

    @callback
    def triggered(variables: dict[str, Any], context: Context | None = None) -> None:
        happened(variables, dt_util.utcnow())

    def log(level: int, message: str, **_: Any) -> None:
        if level >= logging.ERROR:
            failed(message)
        else:
            _LOGGER.log(level, "%s: %s", name, message)

    valid = await validated_triggers(hass, triggers)
    return await async_initialize_triggers(hass, valid, triggered, DOMAIN, name, log)


async def validated_triggers(hass: HomeAssistant, triggers: Triggers) -> Triggers:
    """Return triggers as Home Assistant runs them; raises vol.Invalid or HomeAssistantError."""
    return await async_validate_trigger_config(hass, cv.TRIGGER_SCHEMA(deepcopy(triggers)))


def _fired_at(state: State | None) -> datetime | None:
    return moment(state.state) if state else None
