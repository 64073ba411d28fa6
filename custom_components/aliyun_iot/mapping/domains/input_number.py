"""Number helpers: as numbers, with a command that steps up or down.

The constants of Home Assistant's actions are in the module of the domain, which would be a dependency.
"""

from collections.abc import Mapping
from dataclasses import replace

from homeassistant.core import State

from ..aspect import ActionCall, Reason, Refused, Value
from ..momentary import COMMAND, Command, CommandSet
from .number import VALUE, number_domain, set_value

NAME = "input_number"

STEPS = CommandSet(NAME, {"increment": Command("increment"), "decrement": Command("decrement")})


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if COMMAND not in values:
        return set_value(NAME, values)
    if VALUE in values:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a number or a step, not both at once")
    return [STEPS.call(values[COMMAND])]


_NUMBER = number_domain(NAME)

DOMAIN = replace(
    _NUMBER,
    aspects=(
        *_NUMBER.aspects,
        replace(STEPS.aspect("NumberStep", name_en="Step", name_zh="加减"), alternative=True),
    ),
    plan=_plan,
)
