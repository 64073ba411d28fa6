"""Values of aspects to values of properties and back.

Nothing is guessed: a value without a counterpart raises `ConversionError`, which says what would have been possible.
A value that the cloud sets, the entity takes over and the reporter converts back is the same value again.
"""

from collections.abc import Mapping
from datetime import datetime
import re

from homeassistant.core import State

from ..alink.datatypes import (
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
from .aspect import Aspect, Color, ConversionError, Kind, Reason, Value
from .attributes import moment, number
from .binding import Conversion
from .options import no_and_yes, pair
from .scaling import to_entity, to_property

__all__ = ["ConversionError", "carries", "to_cloud", "to_ha", "unmatched_options"]

COLOR_MAX = 255
HEX_COLOR = re.compile("#?[0-9A-Fa-f]{6}")

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
"""The data types that hold each kind of value as it is."""

MAPPED_KINDS = (Kind.BOOL, Kind.ENUM, Kind.NUMBER, Kind.TEXT)
MAPPED_CARRIERS = (BoolType, EnumType, IntType, TextType)
"""The kinds of values that an explicit map can name, and the data types it can name them for."""


def carries(aspect: Aspect, data_type: DataType, conversion: Conversion) -> bool:
    """Tell whether a property of this type can hold values of this aspect."""
    if conversion.options:
        return aspect.kind in MAPPED_KINDS and isinstance(data_type, MAPPED_CARRIERS)
    if aspect.kind is Kind.COLOR and isinstance(data_type, StructType):
        return _color_members(data_type) is not None
    if aspect.kind is Kind.BOOL and isinstance(data_type, BoolType | EnumType):
        return _no_and_yes(aspect, data_type) is not None
    return isinstance(data_type, CARRIERS[aspect.kind])


def to_cloud(value: Value, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> CloudValue:
    """Return the property value for `data_type.encode`; raises `ConversionError`."""
    if not aspect.kind.fits(value):
        raise ConversionError(
            Reason.WRONG_TYPE, f"{aspect.key} of {state.entity_id} should be a {aspect.kind}, not {value!r}"
        )
    if aspect.kind is Kind.BOOL and conversion.invert:
        value = not value
    if conversion.options:
        return _named(value, aspect, data_type, conversion.options)
    match aspect.kind, value:
        case Kind.BOOL, bool():
            return _bool_to_cloud(aspect, data_type, value=value)
        case Kind.NUMBER, int() | float():
            converted = to_property(value, aspect, data_type, conversion, state)
            return _number_to_cloud(converted, data_type)
        case Kind.ENUM, str():
            return _option_to_cloud(value, data_type, aspect.options(state))
        case Kind.COLOR, (red, green, blue):
            return _color_to_cloud((red, green, blue), data_type)
        case Kind.DATE, datetime():
            return _date_to_cloud(value, data_type)
        case _:
            return _text(str(value), data_type)


def to_ha(value: CloudValue, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> Value:
    """Return the aspect's value for what `data_type.decode` returned; raises `ConversionError`."""
    if conversion.options:
        result = _unnamed(value, aspect, data_type, conversion.options)
    else:
        match aspect.kind:
            case Kind.BOOL:
                result = _bool_to_ha(value, aspect, data_type)
            case Kind.NUMBER:
                result = to_entity(_number_to_ha(value, data_type), aspect, data_type, conversion, state)
            case Kind.ENUM:
                result = _option_to_ha(value, data_type, aspect.options(state))
            case Kind.COLOR:
                result = _color_to_ha(value, data_type)
            case Kind.DATE:
                result = _date_to_ha(value, data_type)
            case Kind.TEXT:
                result = _text_to_ha(value, data_type)
    return not result if aspect.kind is Kind.BOOL and conversion.invert else result


def unmatched_options(aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> tuple[str, ...]:
    """Return the options of the entity that no property value stands for."""

    def lost(option: str) -> bool:
        try:
            to_cloud(option, aspect, data_type, conversion, state)
        except ConversionError:
            return True
        return False

    return tuple(option for option in aspect.options(state) if lost(option)) if aspect.kind is Kind.ENUM else ()


def _misfit(value: object, data_type: DataType) -> ConversionError:
    return ConversionError(Reason.WRONG_TYPE, f"the property takes {data_type.describe()}, which can't say {value!r}")


def _text(value: str, data_type: DataType) -> str:
    if not isinstance(data_type, TextType):
        raise _misfit(value, data_type)
    if data_type.length is not None and len(value) > data_type.length:
        raise ConversionError(Reason.OUT_OF_RANGE, f"the property takes {data_type.describe()}, this has {len(value)}")
    return value


def _text_to_ha(value: CloudValue, data_type: DataType) -> str:
    if isinstance(data_type, TextType) and isinstance(value, str):
        return value
    raise _misfit(value, data_type)


def _no_and_yes(aspect: Aspect, data_type: BoolType | EnumType) -> tuple[int, int] | None:
    labels = data_type.labels if isinstance(data_type, BoolType) else data_type.items
    return no_and_yes(aspect.words, tuple(labels.items()))


def _bool_to_cloud(aspect: Aspect, data_type: DataType, *, value: bool) -> CloudValue:
    match data_type:
        case BoolType() if keys := _no_and_yes(aspect, data_type):
            return bool(keys[value])
        case EnumType() if keys := _no_and_yes(aspect, data_type):
            return keys[value]
        case IntType():
            return int(value)
        case _:
            return _text(aspect.words[value], data_type)


def _bool_to_ha(value: CloudValue, aspect: Aspect, data_type: DataType) -> bool:
    match data_type:
        case BoolType() | EnumType() if (keys := _no_and_yes(aspect, data_type)) and value in keys:
            return value == keys[True]
        case IntType() if value in (0, 1):
            return value == 1
        case TextType() if isinstance(value, str) and value.casefold() in aspect.words:
            return value.casefold() == aspect.words[True]
        case _:
            raise _misfit(value, data_type)


def _number_to_cloud(value: float, data_type: DataType) -> CloudValue:
    match data_type:
        case IntType():
            return int(value)
        case FloatType() | DoubleType():
            return float(value)
        case _:
            return _text(_plain(value), data_type)


def _number_to_ha(value: CloudValue, data_type: DataType) -> float:
    result = number(value) if isinstance(data_type, CARRIERS[Kind.NUMBER]) else None
    if result is None:
        raise _misfit(value, data_type)
    return result


def _option_to_cloud(value: str, data_type: DataType, options: tuple[str, ...]) -> CloudValue:
    if not isinstance(data_type, EnumType):
        return _text(value, data_type)
    known = options if value in options else (*options, value)
    key = pair(known, tuple(data_type.items.items())).get(value)
    if key is None:
        raise ConversionError(
            Reason.NOT_AN_OPTION, f"the property takes {data_type.describe()}, none of which is {value!r}"
        )
    return key


def _option_to_ha(value: CloudValue, data_type: DataType, options: tuple[str, ...]) -> str:
    if not isinstance(data_type, EnumType):
        return _text_to_ha(value, data_type)
    pairs = pair(options, tuple(data_type.items.items()))
    for option, key in pairs.items():
        if key == value:
            return option
    label = data_type.items.get(value, "") if isinstance(value, int) else ""
    raise ConversionError(
        Reason.NOT_AN_OPTION,
        f"the entity takes {', '.join(options) or 'no option'}, none of which is {value!r} {label}".rstrip(),
    )


def _color_members(data_type: StructType) -> tuple[str, str, str] | None:
    """Return the members for red, green and blue, told by their first letter; None if it is another structure."""
    by_letter = {
        key[:1].casefold(): key
        for key, member in data_type.members.items()
        if isinstance(member.data_type, IntType | FloatType | DoubleType)
    }
    if len(data_type.members) != 3 or by_letter.keys() != {"r", "g", "b"}:
        return None
    return by_letter["r"], by_letter["g"], by_letter["b"]


def _color_to_cloud(color: Color, data_type: DataType) -> CloudValue:
    if not isinstance(data_type, StructType):
        return _text("#{:02X}{:02X}{:02X}".format(*color), data_type)
    members = _color_members(data_type)
    if members is None:
        raise _misfit(color, data_type)
    return dict(zip(members, color, strict=True))


def _color_to_ha(value: CloudValue, data_type: DataType) -> Color:
    parts: list[float | None] = []
    if isinstance(data_type, StructType) and isinstance(value, dict) and (members := _color_members(data_type)):
        parts = [number(value.get(member)) for member in members]
    elif isinstance(data_type, TextType) and isinstance(value, str) and HEX_COLOR.fullmatch(value):
        parts = [*bytes.fromhex(value.removeprefix("#"))]
    match [round(part) for part in parts if part is not None and 0 <= part <= COLOR_MAX]:
        case [red, green, blue]:
            return red, green, blue
        case _:
            raise _misfit(value, data_type)


def _date_to_cloud(value: datetime, data_type: DataType) -> CloudValue:
    return value if isinstance(data_type, DateType) else _text(value.isoformat(), data_type)


def _date_to_ha(value: CloudValue, data_type: DataType) -> datetime:
    if isinstance(data_type, DateType) and isinstance(value, datetime):
        return value
    result = moment(_text_to_ha(value, data_type))
    if result is None:
        raise _misfit(value, data_type)
    return result


def _named(value: Value, aspect: Aspect, data_type: DataType, options: Mapping[str, int | str]) -> CloudValue:
    """Return what the explicit map says for a value."""
    name = _name(value, aspect)
    if name not in options:
        raise ConversionError(Reason.NOT_AN_OPTION, f"the binding maps {', '.join(options)}, not {name!r}")
    return _typed(options[name], data_type)


def _unnamed(value: CloudValue, aspect: Aspect, data_type: DataType, options: Mapping[str, int | str]) -> Value:
    """Return the first value that the explicit map gives this property value."""
    for name, target in options.items():
        if _typed(target, data_type) == value:
            return _value_of(name, aspect)
    targets = ", ".join(str(target) for target in options.values())
    raise ConversionError(Reason.NOT_AN_OPTION, f"the binding maps to {targets}, not to {value!r}")


def _name(value: Value, aspect: Aspect) -> str:
    match value:
        case bool():
            return aspect.words[value]
        case int() | float():
            return _plain(value)
        case _:
            return str(value)


def _value_of(name: str, aspect: Aspect) -> Value:
    match aspect.kind:
        case Kind.BOOL if name in aspect.words:
            return name == aspect.words[True]
        case Kind.NUMBER if (value := number(name)) is not None:
            return value
        case Kind.ENUM | Kind.TEXT:
            return name
        case _:
            raise ConversionError(Reason.WRONG_TYPE, f"the binding maps {name!r}, which is no value of {aspect.key}")


def _typed(target: int | str, data_type: DataType) -> CloudValue:
    """Return the right side of an explicit map in the property's type; an item may be named by its label."""
    match data_type:
        case TextType():
            return _text(str(target), data_type)
        case EnumType():
            by_name = {label: key for key, label in data_type.items.items()} | {
                str(key): key for key in data_type.items
            }
            if str(target) in by_name:
                return by_name[str(target)]
            if not data_type.items and isinstance(target, int):
                return target
        case BoolType() if str(target) in ("0", "1"):
            return str(target) == "1"
        case IntType() if (whole := number(target)) is not None and whole.is_integer():
            return int(whole)
    raise _misfit(target, data_type)


def _plain(value: float) -> str:
    """Return a number as people write it: no decimal where none is needed."""
    return str(int(value)) if float(value).is_integer() else repr(value)
