"""Find, before a binding is saved, what can't work and what will be lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from homeassistant.core import State

from ..alink.model.datatypes import BoolType, DataType, DoubleType, EnumType, FloatType, IntType, TextType
from ..alink.model.thing_model import Property
from .aspect import Aspect, Kind, Refused
from .attributes import number
from .binding import Binding, Conversion
from .convert import carries, clashing_units, refused_items, to_cloud, unmatched_options
from .domains import Risk, own_risk
from .generic import RENDERED
from .kinds.text import plain
from .scaling import decimals, has_formula, property_unit, to_property
from .suggest.pairing import pair
from .units import same

TOLERATED_LOSS = 0.01
"""The part of a value that a step with decimals may lose without a warning."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem to show to the user; `key` is a translation key.

    One that isn't `blocking` is a warning, which the user confirms, or only a `note`.
    """

    key: str
    placeholders: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """A tuple is a list of names, which is joined in the language of the text."""

    blocking: bool = True
    note: bool = False


def check(
    binding: Binding, aspect: Aspect, definition: Property | None, state: State, risk: Risk = own_risk
) -> list[Problem]:
    """Return the problems of a binding; `definition` is None without a thing model.

    `state` is `NO_ENTITY_STATE` for a binding without an entity. The result of a template is known only when it is
    rendered, so the values of a binding with a template are not checked.
    """
    if not aspect.supported(state):
        return [Problem("aspect_not_supported", {"aspect": aspect.key, "entity_id": state.entity_id})]
    problems = _direction_problems(binding, definition) if definition else []
    problems += control_problems(binding, aspect, state, risk)
    converted = RENDERED if binding.conversion.template else aspect
    data_type = definition.data_type if definition else None
    if binding.conversion.invert and not _invertible(converted, data_type, state):
        problems.append(Problem("not_invertible", {"aspect": aspect.key, "entity_id": state.entity_id}))
    if units := clashing_units(converted, data_type, binding.conversion, state):
        problems.append(Problem("units_clash", dict(zip(("unit", "other"), units, strict=True))))
    if definition:
        problems += _unit_problems(binding, definition) + _value_problems(binding, converted, definition, state)
    return problems


def model_problems(binding: Binding, aspect: Aspect, definition: Property) -> list[Problem]:
    """Return the problems of a binding with the thing model that don't depend on the state of its entity.

    Fast enough for thousands of bindings at once.
    """
    converted = RENDERED if binding.conversion.template else aspect
    return _direction_problems(binding, definition) + _type_problems(binding, converted, definition)


def _direction_problems(binding: Binding, definition: Property) -> list[Problem]:
    problems = []
    if binding.access.reports and not definition.readable:
        problems.append(Problem("write_only_property", {"identifier": definition.identifier}))
    if binding.access.controls and not definition.writable:
        problems.append(Problem("read_only_property", {"identifier": definition.identifier}))
    return problems


def control_problems(binding: Binding, aspect: Aspect, state: State, risk: Risk = own_risk) -> list[Problem]:
    """Return why the entity of a binding cannot be controlled; the thing model may forbid it as well."""
    if not binding.access.controls or binding.actions:
        return []  # own actions don't need the entity, and the user has written them deliberately
    problems = []
    if not aspect.controllable(state):
        problems.append(Problem("entity_not_controllable", {"aspect": aspect.key, "entity_id": state.entity_id}))
    elif binding.conversion.template and not binding.conversion.template_back:
        problems.append(Problem("template_one_way", {"aspect": aspect.key}))
    if risk(state, aspect) and not binding.confirmed:
        problems.append(Problem("risky_not_confirmed", {"entity_id": state.entity_id}))
    return problems


def _invertible(aspect: Aspect, data_type: DataType | None, state: State) -> bool:
    if aspect.kind is Kind.BOOL or (aspect.kind is Kind.RAW and isinstance(data_type, BoolType | None)):
        return True
    limits = aspect.range(state) if aspect.kind in (Kind.NUMBER, Kind.RAW) else None
    return limits is not None and limits.min is not None and limits.max is not None


def _type_problems(binding: Binding, aspect: Aspect, definition: Property) -> list[Problem]:
    data_type = definition.data_type
    if carries(aspect, data_type, binding.conversion):
        return []
    unclear = aspect.kind is Kind.BOOL and isinstance(data_type, BoolType | EnumType)
    wanted = {"identifier": definition.identifier, "wanted": data_type.describe(), "kind": aspect.kind.value}
    return [Problem("labels_unclear" if unclear else "type_mismatch", wanted)]


def _unit_problems(binding: Binding, definition: Property) -> list[Problem]:
    """Return a warning if the unit of the binding is ignored, since the thing model has another one."""
    stated, entered = property_unit(definition.data_type), binding.conversion.unit
    matters = not binding.conversion.same_unit and not has_formula(binding.conversion)
    if not stated or not entered or not matters or same(stated, entered):
        return []
    return [Problem("unit_of_model", {"unit": stated, "other": entered}, blocking=False)]


def _value_problems(binding: Binding, aspect: Aspect, definition: Property, state: State) -> list[Problem]:
    data_type, conversion = definition.data_type, binding.conversion
    if problems := _type_problems(binding, aspect, definition):
        return problems
    if lost := unmatched_options(aspect, data_type, conversion, state):
        all_lost = len(lost) == len(aspect.options(state))
        problems.append(Problem("options_unmatched", {"options": tuple(lost)}, blocking=all_lost))
    if crossed := _crossed_options(aspect, data_type, conversion, state):
        problems.append(Problem("options_crossed", {"options": tuple(crossed)}, blocking=False))
    if _controls_entity(binding) and (refused := refused_items(aspect, data_type, conversion, state)):
        problems.append(Problem("items_refused", {"items": tuple(refused)}, blocking=False, note=True))
    if aspect.kind is Kind.BOOL and isinstance(data_type, TextType) and not conversion.options:
        words: dict[str, str | tuple[str, ...]] = {
            "identifier": definition.identifier,
            "words": tuple(aspect.words),
        }
        problems.append(Problem("sent_as_text", words, blocking=False))
    if binding.access.reports:
        problems += _rounding_problems(aspect, definition, conversion, state)
    return problems


def _controls_entity(binding: Binding) -> bool:
    return binding.access.controls and not binding.actions and not binding.conversion.template


def _crossed_options(aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> list[str]:
    """Return the options that the map of the binding gives another item than the one whose label means them.

    So it is when the thing model is replaced by one with other items.
    """
    if aspect.kind is not Kind.ENUM or not isinstance(data_type, EnumType) or not conversion.options:
        return []
    meant = pair(aspect.options(state), tuple(data_type.items.items()))
    lost = unmatched_options(aspect, data_type, conversion, state)
    return [
        option
        for option, item in meant.items()
        if option not in lost and to_cloud(option, aspect, data_type, conversion, state) != item
    ]


def _rounding_problems(aspect: Aspect, definition: Property, conversion: Conversion, state: State) -> list[Problem]:
    """Return a warning if the current value loses its decimals, unless the binding asks for that.

    A step with decimals is taken as deliberate, and so is what it loses, unless that is a good part of the value.
    """
    data_type = definition.data_type
    value = number(aspect.read(state)) if aspect.kind in (Kind.NUMBER, Kind.RAW) else None
    if value is None or conversion.options or not isinstance(data_type, IntType | FloatType | DoubleType):
        return []
    is_integer = isinstance(data_type, IntType)
    if conversion.digits == 0 or (conversion.digits and not is_integer):
        return []
    try:
        exact = to_property(value, aspect, DoubleType(unit=data_type.unit), conversion, state)
        posted = to_property(value, aspect, data_type, conversion, state)
    except Refused:
        return []
    lost = abs(exact - posted)
    fine = not is_integer and data_type.step is not None and decimals(data_type.step) > 0
    if lost <= (abs(exact) * TOLERATED_LOSS if fine else 0) or (conversion.clamp and lost >= 1):
        return []
    reported = f"{plain(value)} {aspect.unit(state) or ''}".rstrip()
    wanted = {"identifier": definition.identifier, "wanted": data_type.describe(), "kind": aspect.kind.value}
    key = "value_rounded" if is_integer else "value_rounded_to_step"
    return [Problem(key, {**wanted, "value": reported, "posted": plain(posted)}, blocking=False)]
