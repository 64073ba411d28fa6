"""Explain, before a binding is saved, what in it can't work and what will be lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from homeassistant.core import State

from ..alink.datatypes import BoolType, EnumType
from ..alink.thing_model import Property
from .aspect import Aspect, Kind
from .binding import Binding
from .convert import carries, unmatched_options
from .domains import domain_of
from .scaling import has_formula, property_unit
from .units import contradict


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to tell the user; `key` is a translation key. What isn't `blocking` is a warning."""

    key: str
    placeholders: Mapping[str, str] = field(default_factory=dict)
    blocking: bool = True


def check(binding: Binding, aspect: Aspect, definition: Property | None, state: State) -> list[Problem]:
    """Return what is wrong with a binding, nothing if it is sound; `definition` is None without a thing model."""
    if not aspect.supported(state):
        return [Problem("aspect_not_supported", {"aspect": aspect.key, "entity_id": state.entity_id})]
    problems = _access_problems(binding, aspect, definition, state)
    if binding.conversion.invert and not _invertible(aspect, state):
        problems.append(Problem("not_invertible", {"aspect": aspect.key, "entity_id": state.entity_id}))
    if definition:
        problems += _value_problems(binding, aspect, definition, state)
    return problems


def _access_problems(binding: Binding, aspect: Aspect, definition: Property | None, state: State) -> list[Problem]:
    problems = []
    if binding.access.reports and definition and not definition.readable:
        problems.append(Problem("write_only_property", {"identifier": definition.identifier}))
    if not binding.access.controls:
        return problems
    if definition and not definition.writable:
        problems.append(Problem("read_only_property", {"identifier": definition.identifier}))
    if not aspect.controllable(state):
        problems.append(Problem("entity_not_controllable", {"aspect": aspect.key, "entity_id": state.entity_id}))
    domain = domain_of(state.entity_id)
    if domain and domain.risky(state) and not binding.confirmed:
        problems.append(Problem("risky_not_confirmed", {"entity_id": state.entity_id}))
    return problems


def _invertible(aspect: Aspect, state: State) -> bool:
    if aspect.kind is Kind.BOOL:
        return True
    limits = aspect.range(state) if aspect.kind is Kind.NUMBER else None
    return limits is not None and limits.min is not None and limits.max is not None


def _value_problems(binding: Binding, aspect: Aspect, definition: Property, state: State) -> list[Problem]:
    data_type, conversion = definition.data_type, binding.conversion
    if not carries(aspect, data_type, conversion):
        unclear = aspect.kind is Kind.BOOL and isinstance(data_type, BoolType | EnumType)
        wanted = {"identifier": definition.identifier, "wanted": data_type.describe(), "kind": aspect.kind.value}
        return [Problem("labels_unclear" if unclear else "type_mismatch", wanted)]
    problems = []
    unit, wanted_unit = aspect.unit(state), property_unit(data_type)
    if unit and wanted_unit and contradict(unit, wanted_unit) and not has_formula(conversion):
        problems.append(Problem("unit_mismatch", {"unit": unit, "wanted": wanted_unit}, blocking=False))
    if lost := unmatched_options(aspect, data_type, conversion, state):
        nothing_left = len(lost) == len(aspect.options(state))
        problems.append(Problem("options_unmatched", {"options": ", ".join(lost)}, blocking=nothing_left))
    return problems
