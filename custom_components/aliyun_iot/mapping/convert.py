"""Conversion between the values of aspects and the values of properties.

Nothing is guessed: a value without a counterpart raises `Refused`, with the values that are possible. A value that the
cloud sets and the entity takes over is reported as the same value.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from homeassistant.core import State

from ..alink.model.datatypes import (
    ArrayType,
    BoolType,
    DataType,
    DateType,
    DoubleType,
    EnumType,
    FloatType,
    IntType,
    StructType,
    TextType,
    Value as CloudValue,
)
from .aspect import Aspect, Kind, Location, Reason, Refused, Value, quoted
from .attributes import device_class
from .binding import NO_CONVERSION, Conversion
from .color import color_members
from .kinds.color import color_to_cloud, color_to_ha
from .kinds.date import date_to_cloud, date_to_ha
from .kinds.explicit import explicit_to_cloud, explicit_to_ha
from .kinds.items import bool_to_cloud, bool_to_ha, items_for, option_to_cloud, option_to_ha
from .kinds.location import location_members, location_to_cloud, location_to_ha, location_units
from .kinds.number import number_to_cloud, number_to_ha
from .kinds.raw import raw_to_cloud, raw_to_ha
from .kinds.text import misfit, text_to_cloud, text_to_ha
from .scaling import entity_unit, full_scale, has_formula, property_unit, to_entity, to_property
from .units import converter

__all__ = ["Refused", "carries", "clashing_units", "refused_items", "to_cloud", "to_ha", "unmatched_options"]

CARRIERS: Mapping[Kind, tuple[type[DataType], ...]] = {
    Kind.BOOL: (BoolType, EnumType, IntType, TextType),
    Kind.COLOR: (StructType, TextType),
    Kind.DATE: (DateType, TextType),
    Kind.ENUM: (EnumType, TextType),
    Kind.LOCATION: (StructType, TextType),
    Kind.NUMBER: (IntType, FloatType, DoubleType, TextType),
    Kind.RAW: (DataType,),
    Kind.TEXT: (TextType,),
}
"""The data types that can hold each kind of value."""

MAPPED_KINDS = (Kind.BOOL, Kind.ENUM, Kind.NUMBER, Kind.RAW, Kind.TEXT)
MAPPED_CARRIERS = (BoolType, EnumType, IntType, TextType)
"""The kinds of values and the data types that the options of a conversion can map."""


def carries(aspect: Aspect, data_type: DataType, conversion: Conversion) -> bool:
    """Return whether a property of this type can hold values of this aspect."""
    if conversion.options:
        return aspect.kind in MAPPED_KINDS and isinstance(data_type, MAPPED_CARRIERS)
    match aspect.kind, data_type:
        case Kind.COLOR, StructType():
            return color_members(data_type) is not None
        case Kind.LOCATION, StructType():
            return location_members(data_type) is not None
        case Kind.BOOL, BoolType() | EnumType():
            return items_for(aspect, data_type) is not None
        case kind, _:
            return isinstance(data_type, CARRIERS[kind])


def clashing_units(
    aspect: Aspect, data_type: DataType | None, conversion: Conversion, state: State
) -> tuple[str, str] | None:
    """Return the units of the entity and the property if numbers can't be converted between them, None otherwise.

    `data_type` is None without a thing model. Units don't matter where one side has none, where a formula replaces the
    conversion, or if the binding says that they are the same.
    """
    if conversion.same_unit or conversion.options or has_formula(conversion):
        return None
    if data_type and aspect.writable and full_scale(aspect, data_type, conversion, state):
        return None
    pairs = _units(aspect, data_type, conversion, state)
    return next((each for each in pairs if converter(*each, device_class(state)) is None), None)


def _units(
    aspect: Aspect, data_type: DataType | None, conversion: Conversion, state: State
) -> Iterator[tuple[str, str]]:
    """Yield the units of both sides for each number of a property, where both have one."""
    match aspect.kind, data_type:
        case Kind.LOCATION, StructType():
            yield from location_units(data_type)
        case Kind.RAW, StructType(members):
            for member in members.values():
                yield from _units(aspect, member.data_type, NO_CONVERSION, state)
        case Kind.RAW, ArrayType(_, item):
            yield from _units(aspect, item, NO_CONVERSION, state)
        case Kind.NUMBER | Kind.RAW, None | IntType() | FloatType() | DoubleType() | TextType():
            unit, wanted = entity_unit(aspect, state), property_unit(data_type, conversion)
            if unit and wanted:
                yield unit, wanted


def to_cloud(value: Value, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> CloudValue:
    """Return the property value for `data_type.encode`; raises `Refused`."""
    if not aspect.kind.fits(value):
        raise Refused(
            Reason.WRONG_TYPE,
            (
                "{aspect} of {entity} should be a {kind}, not {value}",
                "{entity} 的{aspect}应为 {kind} 类型，实际为 {value}",
            ),
            aspect=(aspect.key, aspect.name_zh),
            entity=state.entity_id,
            kind=aspect.kind,
            value=quoted(value),
        )
    if aspect.kind is Kind.BOOL and conversion.invert:
        value = not value
    if conversion.options:
        return explicit_to_cloud(value, aspect, data_type, conversion.options)
    match aspect.kind, value:
        case Kind.BOOL, bool():
            return bool_to_cloud(aspect, data_type, value=value)
        case Kind.NUMBER, int() | float():
            return number_to_cloud(to_property(value, aspect, data_type, conversion, state), data_type)
        case Kind.ENUM, str():
            return option_to_cloud(value, data_type, aspect.options(state))
        case Kind.TEXT, str():
            return text_to_cloud(value, data_type)
        case Kind.COLOR, (int() | float() as red, int() | float() as green, int() | float() as blue):
            return color_to_cloud((red, green, blue), data_type)
        case Kind.DATE, datetime():
            return date_to_cloud(value, data_type)
        case Kind.LOCATION, Location():
            return location_to_cloud(value, data_type, conversion)
        case Kind.RAW, bool() | int() | float() | str() | list() | dict():
            return raw_to_cloud(value, aspect, data_type, conversion, state)
        case _:
            raise misfit(value, data_type)


def to_ha(value: CloudValue, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> Value:
    """Return the aspect's value for what `data_type.decode` returned; raises `Refused`."""
    result: Value
    if conversion.options:
        result = explicit_to_ha(value, aspect, data_type, conversion.options)
    else:
        match aspect.kind:
            case Kind.BOOL:
                result = bool_to_ha(value, aspect, data_type)
            case Kind.NUMBER:
                result = to_entity(number_to_ha(value, data_type), aspect, data_type, conversion, state)
            case Kind.ENUM:
                result = option_to_ha(value, data_type, aspect.options(state))
            case Kind.COLOR:
                result = color_to_ha(value, data_type)
            case Kind.DATE:
                result = date_to_ha(value, data_type)
            case Kind.LOCATION:
                result = location_to_ha(value, data_type, conversion)
            case Kind.TEXT:
                result = text_to_ha(value, data_type)
            case Kind.RAW if (raw := raw_to_ha(value, aspect, data_type, conversion, state)) is not None:
                result = raw
            case Kind.RAW:
                raise misfit(value, data_type)
    return not result if aspect.kind is Kind.BOOL and conversion.invert else result


def refused_items(aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> tuple[str, ...]:
    """Return the labels of the items, or the items without one, that the entity can't be set to."""

    def refused(item: int) -> bool:
        try:
            value = to_ha(item, aspect, data_type, conversion, state)
        except Refused:
            return True
        return aspect.kind is Kind.ENUM and value not in aspect.options(state)

    if not isinstance(data_type, EnumType) or aspect.kind not in (Kind.BOOL, Kind.ENUM):
        return ()
    return tuple(label or str(item) for item, label in data_type.items.items() if refused(item))


def unmatched_options(aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> tuple[str, ...]:
    """Return the options of the entity that have no property value."""

    def lost(option: str) -> bool:
        try:
            to_cloud(option, aspect, data_type, conversion, state)
        except Refused:
            return True
        return False

    return tuple(option for option in aspect.options(state) if lost(option)) if aspect.kind is Kind.ENUM else ()
