"""Presses: aspects that start something and have no lasting state, like a doorbell button.

The property is always false, even if the entity was never pressed. Setting it to true presses; the state then becomes
the time of the press, so false is reported again. Setting it to false does nothing and succeeds, because applications
reset momentary properties by themselves.
"""

from collections.abc import Mapping
from functools import partial

from homeassistant.core import State

from .aspect import ActionCall, Aspect, Domain, FromAttributes, Kind, Plan, Value, WholeState
from .attributes import moment
from .says import PRESSED

PRESS = "press"

press_aspect = partial(
    Aspect, key=PRESS, kind=Kind.BOOL, source=FromAttributes(lambda _: False), writable=True, says=PRESSED
)
"""The aspect that presses; as the main one of its entity it needs no standard identifier."""

last_aspect = partial(Aspect, kind=Kind.DATE, source=WholeState(lambda state: moment(state.state)))
"""The time of the last press, for entities whose state is that time."""


def press_plan(domain: str, action: str, key: str = PRESS) -> Plan:
    """Return a plan that runs an action for a press."""

    def plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
        return [ActionCall(domain, action)] if values.get(key) is True else []

    return plan


def button_domain(name: str, action: str) -> Domain:
    """Return a domain of buttons; `button` and `input_button` differ only in their name."""
    return Domain(
        name=name,
        aspects=(
            press_aspect(name_en="Press", name_zh="按下"),
            last_aspect(
                key="last_pressed",
                name_en="Last pressed",
                name_zh="上次按下时间",
                identifiers=("LastPressed",),
            ),
        ),
        plan=press_plan(name, action),
    )
