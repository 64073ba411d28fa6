"""Groups of any entities, as `group.all_lamps`: on or off, or what else all of the members can be.

Groups of one kind made in the user interface (a group of lamps is a light) belong to the domain of that kind, not to this one.

A group of covers is open or closed, of people home or away, of locks unlocked or locked, of plants with or without a problem;
any other group is on or off. This follows from the domains of the members, so it is known before the state is.

`homeassistant.turn_on` and `turn_off` set each member, and leave out those that can't be turned on and off without an error. So
a group with such a member is only reported. The risk of a group is that of its members (`risk.py`).
"""

from collections.abc import Iterator, Mapping
from functools import partial

from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_CLOSED,
    STATE_HOME,
    STATE_NOT_HOME,
    STATE_OFF,
    STATE_OK,
    STATE_ON,
    STATE_OPEN,
    STATE_PROBLEM,
)
from homeassistant.core import DOMAIN as HOMEASSISTANT, State, async_get_hass_or_none

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import texts
from ..on_off import POWER, power_aspect, turn
from ..says import AT_HOME, FOUND, LOCKED, OPENED, Says

NAME = "group"

type States = tuple[str, str]
"""The states that mean no and yes."""

ON_OFF: States = (STATE_OFF, STATE_ON)
OPENINGS: States = (STATE_CLOSED, STATE_OPEN)
PEOPLE: States = (STATE_NOT_HOME, STATE_HOME)
LOCKS: States = ("unlocked", "locked")
PLANTS: States = (STATE_OK, STATE_PROBLEM)
STATES_OF_MEMBERS: Mapping[str, States] = {
    "cover": OPENINGS,
    "device_tracker": PEOPLE,
    "lock": LOCKS,
    "person": PEOPLE,
    "plant": PLANTS,
}
"""The states of a group by the domain of all its members (`homeassistant.components.group.registry`)."""

SWITCHABLE = frozenset(
    {
        "automation",
        "climate",
        "fan",
        "humidifier",
        "input_boolean",
        "light",
        "media_player",
        "remote",
        "script",
        "siren",
        "switch",
        "water_heater",
    }
)
"""The domains of members with the actions `turn_on` and `turn_off`."""


def _member_domains(state: State) -> frozenset[str]:
    """Return the domains of the members, with those of the groups among them; a group that has no state now stays a group."""
    return frozenset(member.partition(".")[0] for member in _members(state, {state.entity_id}))


def _members(state: State, seen: set[str]) -> Iterator[str]:
    hass = async_get_hass_or_none()
    for member in texts(state.attributes.get(ATTR_ENTITY_ID)):
        if member in seen:
            continue
        seen.add(member)
        inner = hass.states.get(member) if hass and member.startswith(f"{NAME}.") else None
        yield from _members(inner, seen) if inner else (member,)


def _is_switchable(state: State) -> bool:
    members = _member_domains(state)
    return bool(members) and SWITCHABLE.issuperset(members)


def _states(state: State) -> States:
    """Return the states that a group can have: those of its members, unless its present state shows others."""
    for states in STATES_OF_MEMBERS.values():
        if state.state in states:
            return states
    found = {STATES_OF_MEMBERS.get(domain, ON_OFF) for domain in _member_domains(state)}
    return found.pop() if len(found) == 1 else ON_OFF


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    return [turn(HOMEASSISTANT, on=bool(values[POWER]))]


def _is(states: States, state: State) -> bool:
    return _states(state) == states


def _read(states: States, state: State) -> bool | None:
    return {states[False]: False, states[True]: True}.get(state.state)


def state_of_members(states: States, key: str, name_en: str, name_zh: str, *identifiers: str, says: Says) -> Aspect:
    """Return the aspect of groups that can have these states."""
    return Aspect(
        key=key,
        kind=Kind.BOOL,
        name_en=name_en,
        name_zh=name_zh,
        source=partial(_read, states),
        supported=partial(_is, states),
        words=states,
        says=says,
        identifiers=identifiers,
    )


DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect(supported=partial(_is, ON_OFF), accepts=_is_switchable),
        state_of_members(OPENINGS, "open", "Open", "打开", "OpenState", says=OPENED),
        state_of_members(PEOPLE, "home", "At home", "在家", "AtHome", "PresenceState", says=AT_HOME),
        state_of_members(LOCKS, "locked", "Locked", "上锁", "LockState", "DoorLockState", "Locked", says=LOCKED),
        state_of_members(PLANTS, "problem", "Problem", "异常", "FaultState", "Fault", says=FOUND),
    ),
    plan=_plan,
)
