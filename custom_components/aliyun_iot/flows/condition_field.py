"""The field for conditions under which the cloud may command: shown as automations show it, stored as it was entered."""

from typing import Any, Final, override

from homeassistant.const import CONF_CONDITION, CONF_VALUE_TEMPLATE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import ConditionSelector

from ..commands.policy import ConditionConfig, problem_of


class InvalidCondition(ValueError):  # noqa: N818 - named after what happened
    """What was entered is no condition that Home Assistant can check; the text says why."""


class ConditionField(ConditionSelector):
    """Takes conditions as they are.

    Home Assistant's own would hand out what it compiled of them, which can't be stored. `read_conditions` checks them.
    """

    @override
    def __call__(self, data: Any) -> Any:
        """Return what was entered."""
        return data


CONDITION_FIELD: Final = ConditionField()


async def read_conditions(hass: HomeAssistant, entered: Any) -> ConditionConfig:
    """Return the conditions of a form, none if the field was left empty; raises InvalidCondition."""
    rows = entered if isinstance(entered, list) else [entered] if entered else []
    conditions = [_in_full(row) for row in rows]
    if problem := await problem_of(hass, conditions):
        raise InvalidCondition(problem)
    return conditions


def _in_full(row: Any) -> dict[str, Any]:
    """Return a condition as a block; a template may be written without one."""
    if isinstance(row, str):
        return {CONF_CONDITION: "template", CONF_VALUE_TEMPLATE: row}
    if isinstance(row, dict):
        return row
    raise InvalidCondition(f"{row!r} is no condition")
