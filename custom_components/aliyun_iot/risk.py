"""What control of an entity amounts to: its own risk, and that of everything it passes a command on to.

A group switches its members, a template runs the actions that the user wrote, a thermostat switches its heater. What they
contain can be changed at any time, so the risk is found out when a command comes and not only when a property is bound. What
cannot be examined counts as risky.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
    CONF_ACTION,
    CONF_CHOOSE,
    CONF_DEFAULT,
    CONF_ELSE,
    CONF_PARALLEL,
    CONF_REPEAT,
    CONF_SEQUENCE,
    CONF_SERVICE_DATA,
    CONF_SERVICE_DATA_TEMPLATE,
    CONF_TARGET,
    CONF_THEN,
    ENTITY_MATCH_ALL,
    ENTITY_MATCH_NONE,
    STATE_UNKNOWN,
)
from homeassistant.core import DOMAIN as HOMEASSISTANT, HomeAssistant, State, callback, valid_entity_id
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .exposures import resolve_entity
from .ha_internals import HomeAssistantChanged, PassedOn, passed_on, target_members
from .mapping.aspect import Aspect
from .mapping.domains import DOMAINS, Risk, domain_of, own_risk

GROUP_ENTITIES: Final = "group_entities"
"""The attribute of groups whose members belong to one integration; `entity_id` is that of the other groups and of scenes."""

_TARGETS: Final = (ATTR_ENTITY_ID, ATTR_DEVICE_ID, ATTR_AREA_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID)

_HARMLESS: Final = frozenset({"logbook", "notify", "persistent_notification", "system_log", "tts"})
"""Domains of actions that operate nothing."""

_GENERIC: Final = frozenset({"turn_on", "turn_off", "toggle", "update_entity"})
"""Actions of Home Assistant's own domain that operate their targets and nothing else."""

_RISKY_ACTIONS: Final = frozenset({"group.remove", "group.set", "remote.send_command"})
"""Actions that are risky although their target is not, or that have none and change what others operate."""


@callback
def risk_of(hass: HomeAssistant, state: State, aspect: Aspect | None = None) -> str | None:
    """Return because of what control of an entity needs the user's confirmation, None if it does not.

    That is the id of the entity itself or of one that it passes the command on to, or an action.
    """
    return _Search(hass).entity(state, aspect)


def risk_in(hass: HomeAssistant) -> Risk:
    """Return the `Risk` of the entities of a house, each of which is examined only once."""

    @cache
    def behind(entity_id: str) -> bool:
        state = hass.states.get(entity_id)
        return state is not None and _Search(hass).behind(state) is not None

    def risk(state: State, aspect: Aspect | None = None) -> bool:
        return own_risk(state, aspect) or behind(state.entity_id)

    return risk


@callback
def runs_scripts(hass: HomeAssistant, state: State) -> bool:
    """Return whether an entity, or one that it passes a command on to, is operated by scripts, or may be."""
    visited: set[str] = set()
    waiting = [state]
    while waiting:
        each = waiting.pop()
        if each.entity_id in visited:
            continue
        visited.add(each.entity_id)
        found = passed_on(hass, each)
        if found is None or found.steps or each.domain == "script":
            return True
        reached = (hass.states.get(entity_id) for entity_id in _reached(each, found))
        waiting += [one for one in reached if one]
    return False


def _reached(state: State, found: PassedOn) -> tuple[str, ...]:
    """Return the entities that an entity operates."""
    members = {*_texts(state.attributes.get(ATTR_ENTITY_ID)), *_texts(state.attributes.get(GROUP_ENTITIES))}
    return (*found.entity_ids, *sorted(members))


class _Search:
    """Follows a command to everything that it reaches; each entity is visited once, so cycles end."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._visited: set[str] = set()

    def entity(self, state: State, aspect: Aspect | None) -> str | None:
        return state.entity_id if own_risk(state, aspect) else self.behind(state)

    def behind(self, state: State) -> str | None:
        """Return the risk of what an entity passes a command on to."""
        if state.entity_id in self._visited:
            return None
        self._visited.add(state.entity_id)
        found = passed_on(self._hass, state)
        if found is None:
            return state.entity_id
        if culprit := self._members(_reached(state, found)):
            return culprit
        return next((culprit for steps in found.steps if (culprit := self._steps(steps))), None)

    def _members(self, entity_ids: Iterable[str]) -> str | None:
        for entity_id in entity_ids:
            if not valid_entity_id(entity_id):
                return entity_id
            state = self._hass.states.get(entity_id) or State(entity_id, STATE_UNKNOWN)
            domain = domain_of(entity_id)
            if domain and domain.risky(state):
                return entity_id
            if culprit := self.behind(state):
                return culprit
        return None

    def _steps(self, steps: Iterable[Mapping[str, Any]]) -> str | None:
        return next((culprit for step in steps if (culprit := self._step(step))), None)

    def _step(self, step: Mapping[str, Any]) -> str | None:
        try:
            kind = cv.determine_script_action(dict(step))
        except ValueError:
            return "an action of an unknown kind"
        match kind:
            case cv.SCRIPT_ACTION_CALL_SERVICE:
                return self._action(step)
            case cv.SCRIPT_ACTION_DEVICE_AUTOMATION:
                entity_id = resolve_entity(self._hass, str(step.get(ATTR_ENTITY_ID, "")))
                return self._members([entity_id]) if entity_id else f"{step.get('domain')}.{step.get('type')}"
            case cv.SCRIPT_ACTION_ACTIVATE_SCENE:
                return "scene.turn_on"
        nested: list[Any] = [
            *(step.get(key) or () for key in (CONF_DEFAULT, CONF_THEN, CONF_ELSE, CONF_SEQUENCE, CONF_PARALLEL))
        ]
        nested += [option[CONF_SEQUENCE] for option in step.get(CONF_CHOOSE) or ()]
        if kind == cv.SCRIPT_ACTION_REPEAT:
            nested.append(step[CONF_REPEAT][CONF_SEQUENCE])
        return next((culprit for steps in nested if (culprit := self._steps(steps))), None)

    def _action(self, step: Mapping[str, Any]) -> str | None:
        """Return the risk of an action: that of its targets, if it is one that operates them."""
        name = step.get(CONF_ACTION)
        if not isinstance(name, str):
            return "an action with a template as its name"
        domain, _, action = name.partition(".")
        if domain in _HARMLESS:
            return None
        operates = action in _GENERIC if domain == HOMEASSISTANT else domain in DOMAINS and name not in _RISKY_ACTIONS
        if not operates or (domain in DOMAINS and DOMAINS[domain].risky(State(f"{domain}.any", STATE_UNKNOWN))):
            return name
        try:
            targets = _targets(self._hass, step)
            found = target_members(self._hass, expand_groups=True, **targets) if targets else None
        except _Unknown, HomeAssistantChanged, RecursionError:  # the last one if groups contain each other
            return name
        entity_ids = sorted(found.entity_ids) if found else []
        return self._members(each for each in entity_ids if domain in (HOMEASSISTANT, each.partition(".")[0]))


class _Unknown(Exception):  # noqa: N818 - named after what happened
    """The targets of an action are known only when it runs."""


def _targets(hass: HomeAssistant, step: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the ids of the targets of an action by kind; raises _Unknown if some can't be known."""
    targets: dict[str, list[str]] = {}
    parts = [step, *(step.get(key) for key in (CONF_TARGET, CONF_SERVICE_DATA, CONF_SERVICE_DATA_TEMPLATE))]
    for part in parts:
        if part is None:
            continue
        if not isinstance(part, Mapping) or not all(isinstance(key, str) for key in part):
            raise _Unknown
        for kind in _TARGETS:
            for each in _listed(part.get(kind)):
                if not isinstance(each, str):
                    raise _Unknown
                targets.setdefault(kind, []).extend(_entities(hass, each) if kind == ATTR_ENTITY_ID else [each])
    return targets


def _entities(hass: HomeAssistant, text: str) -> list[str]:
    """Return the entity ids that Home Assistant reads in a text, where they may be in any case, several, or registry ids."""
    try:
        references = cv.comp_entity_ids_or_uuids(text)
    except vol.Invalid as err:
        raise _Unknown from err
    if references == ENTITY_MATCH_NONE:
        return []
    if references == ENTITY_MATCH_ALL:
        raise _Unknown
    found = [resolve_entity(hass, reference) for reference in references]
    if None in found:
        raise _Unknown
    return [entity_id for entity_id in found if entity_id]


def _listed(value: Any) -> Iterable[Any]:
    if value is None or value == ENTITY_MATCH_NONE:
        return ()
    return value if isinstance(value, list | tuple | set) else (value,)


def _texts(value: Any) -> Iterable[str]:
    return (each for each in _listed(value) if isinstance(each, str))
