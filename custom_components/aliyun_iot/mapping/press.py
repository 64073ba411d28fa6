"""Presses: what a touch sets off and what nothing stays of, like the ring of a bell.

The property is no at all times, also of what has never been pressed yet. Yes presses; Home Assistant's answer is the new
time of the last press, and the reporter says no again. To set no asks for what is so anyway: nothing is done, and that is
a success, since applications put a momentary property back of their own accord.
"""

from collections.abc import Mapping
from functools import partial

from homeassistant.core import State

from .aspect import ActionCall, Aspect, Domain, Kind, Plan, Value
from .attributes import moment

PRESS = "press"

press_aspect = partial(Aspect, key=PRESS, kind=Kind.BOOL, source=lambda _: False, writable=True, always_known=True)
"""The aspect that presses; the main one of its entity, so that it can do without a standard identifier."""

last_aspect = partial(Aspect, kind=Kind.DATE, source=lambda state: moment(state.state))
"""The aspect that tells when it was, for entities whose state is that time."""


def press_plan(domain: str, action: str, key: str = PRESS) -> Plan:
    """Return a plan that runs an action for a press."""

    def plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
        return [ActionCall(domain, action)] if values.get(key) is True else []

    return plan


def button_domain(name: str, action: str) -> Domain:
    """Return a domain of things to press; `button` and `input_button` differ in their name."""
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
