"""The aspect that most domains have: on or off."""

from collections.abc import Callable, Mapping

from homeassistant.const import SERVICE_TURN_OFF, SERVICE_TURN_ON, STATE_OFF, STATE_ON
from homeassistant.core import State

from .aspect import ActionCall, Aspect, Domain, Kind, Value
from .says import SWITCHED, Says

POWER = "power"


def on_or_off(state: State) -> bool | None:
    """Read `on` and `off`; None for any other state."""
    return {STATE_ON: True, STATE_OFF: False}.get(state.state)


def power_aspect(
    *identifiers: str,
    source: Callable[[State], bool | None] = on_or_off,
    supported: Callable[[State], bool] = lambda _: True,
    accepts: Callable[[State], bool] = lambda _: True,
    says: Says = SWITCHED,
) -> Aspect:
    """Return the aspect `power` with the standard identifiers of its domain."""
    return Aspect(
        key=POWER,
        kind=Kind.BOOL,
        name_en="Power switch",
        name_zh="开关",
        source=source,
        writable=True,
        supported=supported,
        accepts=accepts,
        says=says,
        identifiers=identifiers,
    )


def turn(domain: str, *, on: bool) -> ActionCall:
    """Return the action that turns an entity on or off."""
    return ActionCall(domain, SERVICE_TURN_ON if on else SERVICE_TURN_OFF)


def switched_domain(name: str, *identifiers: str) -> Domain:
    """Return a domain whose entities are only on or off."""

    def plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
        return [turn(name, on=bool(values[POWER]))]

    return Domain(name=name, aspects=(power_aspect(*identifiers),), plan=plan)
