"""The field for the conditions of commands: a condition editor whose value is stored as it was entered."""

from typing import Any, Final, override

from homeassistant.const import CONF_CONDITION, CONF_VALUE_TEMPLATE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import ConditionSelector

from ..commands.conditions import ConditionConfig, problem_of


class InvalidCondition(ValueError):  # noqa: N818 - named after what happened
    """Home Assistant can't check the entered condition; the message says why."""


class ConditionField(ConditionSelector):
    """A condition selector that returns its input unchanged.

    The base class would return the compiled condition, which can't be stored. `read_conditions` validates the input.
    """

    @override
    def __call__(self, data: Any) -> Any:
        """Return the input."""
        return data


CONDITION_FIELD: Final = ConditionField()


async def read_conditions(hass: HomeAssistant, entered: Any) -> ConditionConfig:
    """Return the conditions of a form, an empty list if the field is empty; raises InvalidCondition."""
    rows = entered if isinstance(entered, list) else [entered] if entered else []
    conditions = [_as_block(row) for row in rows]
    if problem := await problem_of(hass, conditions):
        raise InvalidCondition(problem)
    return conditions


def _as_block(row: Any) -> dict[str, Any]:
    """Return a condition as a mapping; a template condition may be entered as a string."""
    if isinstance(row, str):
        return {CONF_CONDITION: "template", CONF_VALUE_TEMPLATE: row}
    if isinstance(row, dict):
        return row
    raise InvalidCondition(f"{row!r} is not a condition")
