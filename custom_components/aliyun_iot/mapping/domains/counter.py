"""Counters: the count, within the entity's limits, and commands to count.

A number and a command at once are refused, because the order matters and is not defined.

The constants of Home Assistant's `counter` are repeated here: importing them would make `counter` a dependency.
"""

from collections.abc import Mapping

from homeassistant.core import State

from ...alink.model.numeric import rounded_whole
from ..aspect import ActionCall, Aspect, Domain, Kind, Range, Reason, Refused, Value, WholeState
from ..attributes import number
from ..momentary import COMMAND, Command, CommandSet

NAME = "counter"
VALUE = "value"

COMMANDS = CommandSet(
    NAME,
    {
        "increment": Command("increment"),
        "decrement": Command("decrement"),
        "reset": Command("reset"),
    },
)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if VALUE in values and COMMAND in values:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a number or a command, not both at once")
    if isinstance(value := values.get(VALUE), int | float):
        return [ActionCall(NAME, "set_value", {"value": rounded_whole(value)})]
    return [COMMANDS.call(values[COMMAND])]


def _limits(state: State) -> Range:
    low, high, step = (number(state.attributes.get(name)) for name in ("minimum", "maximum", "step"))
    return Range(low, high, step or 1.0)


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key=VALUE,
            kind=Kind.NUMBER,
            name_en="Count",
            name_zh="计数",
            source=WholeState(lambda state: number(state.state)),
            writable=True,
            range=_limits,
            identifiers=("Count", "Counter"),
        ),
        COMMANDS.aspect("CountCommand"),
    ),
    plan=_plan,
)
