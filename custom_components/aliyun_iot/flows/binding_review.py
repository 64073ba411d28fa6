"""Checks of a binding before it is saved: errors, loss of information, and the value that would be posted now."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util

from ..alink.errors import InvalidValue
from ..bound import bind
from ..commands.conditions import ConditionConfig
from ..commands.running import problem_of
from ..mapping.aspect import Aspect, Refused
from ..mapping.binding import Binding
from ..mapping.check import Problem, check
from ..mapping.generic import aspect_for
from ..risk import risk_in
from .binding_fields import (
    CONF_ACCESS,
    CONF_ASPECT,
    CONF_CONDITION,
    CONF_CONFIRMED,
    CONF_IDENTIFIER,
    SECTION_CONVERSION,
    InputRefused,
)
from .condition_field import InvalidCondition, read_conditions
from .property_field import PropertyField

# A form can't show an error at a field inside a section, only at the section.
FIELD_OF_PROBLEM: Final = {
    "aspect_not_supported": CONF_ASPECT,
    "entity_not_controllable": CONF_ACCESS,
    "items_refused": CONF_ACCESS,
    "labels_unclear": CONF_IDENTIFIER,
    "not_invertible": SECTION_CONVERSION,
    "options_crossed": SECTION_CONVERSION,
    "options_unmatched": SECTION_CONVERSION,
    "read_only_property": CONF_ACCESS,
    "risky_not_confirmed": CONF_CONFIRMED,
    "sent_as_text": CONF_IDENTIFIER,
    "template_one_way": SECTION_CONVERSION,
    "type_mismatch": CONF_IDENTIFIER,
    "unit_of_model": SECTION_CONVERSION,
    "units_clash": SECTION_CONVERSION,
    "value_rounded": CONF_IDENTIFIER,
    "value_rounded_to_step": SECTION_CONVERSION,
    "write_only_property": CONF_ACCESS,
}


async def review(properties: PropertyField, binding: Binding, state: State, actions_field: str) -> InputRefused | None:
    """Return the warnings about a binding as errors of the form, or None; raises InputRefused if it can't work.

    `state` is the state of the entity or `NO_ENTITY_STATE`. `actions_field` is the field or section that shows errors of the
    actions.
    """
    properties.refuse_taken(binding)
    labels = properties.labels
    if binding.actions and (problem := await problem_of(labels.hass, binding.actions)):
        raise InputRefused({actions_field: "invalid_actions"}, {"problem": problem})
    aspect = aspect_for(binding, state.entity_id)
    assert aspect  # noqa: S101 - the form offers known aspects only
    found = check(binding, aspect, properties.definition(binding), state, risk_in(labels.hass))
    problems = [problem for problem in found if not problem.note]
    if blocking := [problem for problem in problems if problem.blocking]:
        raise _refusal(properties, binding, aspect, blocking)
    warning = _refusal(properties, binding, aspect, problems)
    if reason := _unpostable(properties, binding, state):
        warning.errors.setdefault(CONF_IDENTIFIER, "not_postable")
        warning.placeholders["reason"] = reason
    return InputRefused({**warning.errors, "base": "submit_again"}, warning.placeholders) if warning.errors else None


async def entered_condition(hass: HomeAssistant, entered: Mapping[str, Any], field: str) -> ConditionConfig:
    """Return the entered condition; raises InputRefused with the error at `field`, a field or section of the form."""
    try:
        return await read_conditions(hass, entered.get(CONF_CONDITION))
    except InvalidCondition as err:
        raise InputRefused({field: "invalid_condition"}, {"problem": str(err)}) from err


def _refusal(properties: PropertyField, binding: Binding, aspect: Aspect, problems: Iterable[Problem]) -> InputRefused:
    errors: dict[str, str] = {}
    placeholders: dict[str, str] = {}
    for problem in problems:
        errors.setdefault(FIELD_OF_PROBLEM[problem.key], problem.key)
        placeholders |= properties.labels.problem(problem, aspect, properties.definition(binding))
    return InputRefused(errors, placeholders)


def _unpostable(properties: PropertyField, binding: Binding, state: State) -> str | None:
    """Return why the present value can't be posted, or None; raises InputRefused if the template is invalid."""
    bound = bind(properties.labels.hass, [binding], properties.model)
    for broken in bound.problems.values():
        raise InputRefused(
            {SECTION_CONVERSION: "template_broken"}, {"reason": broken.describe(properties.labels.language)}
        )
    if not binding.access.reports:
        return None
    try:
        bound.by_identifier[binding.identifier].sample(state, dt_util.utcnow())
    except (Refused, InvalidValue) as err:
        return properties.labels.reason(err)
    return None
