"""The explicit map of a binding (`Conversion.options`): the property value for each value of Home Assistant."""

from collections.abc import Mapping

from ...alink.i18n import enumerated
from ...alink.model.datatypes import BoolType, DataType, EnumType, IntType, TextType, Value as CloudValue
from ..aspect import Aspect, Kind, Reason, Refused, Value, quoted
from ..attributes import number
from .text import misfit, plain, text_to_cloud


def explicit_to_cloud(
    value: Value, aspect: Aspect, data_type: DataType, options: Mapping[str, int | str]
) -> CloudValue:
    """Return the property value for a value; raises `Refused` if the map doesn't have it."""
    name = _name(value, aspect)
    if name not in options:
        raise Refused(
            Reason.NOT_AN_OPTION,
            ("the binding maps {options}, not {value}", "绑定中的对应关系包含 {options}，没有 {value}"),
            options=enumerated(options),
            value=quoted(name),
        )
    return _typed(options[name], data_type)


def explicit_to_ha(value: CloudValue, aspect: Aspect, data_type: DataType, options: Mapping[str, int | str]) -> Value:
    """Return the first value that the map has for this property value; raises `Refused` if there is none."""
    for name, target in options.items():
        if _typed(target, data_type) == value:
            return _value_of(name, aspect)
    raise Refused(
        Reason.NOT_AN_OPTION,
        ("the binding maps to {targets}, not to {value}", "绑定中的对应关系包含 {targets}，没有 {value}"),
        targets=enumerated(options.values()),
        value=repr(value),
    )


def _name(value: Value, aspect: Aspect) -> str:
    match value:
        case bool():
            return aspect.words[value]
        case int() | float():
            return plain(value)
        case _:
            return str(value)


def _value_of(name: str, aspect: Aspect) -> Value:
    match aspect.kind:
        case Kind.BOOL if name in aspect.words:
            return name == aspect.words[True]
        case Kind.NUMBER if (value := number(name)) is not None:
            return value
        case Kind.ENUM | Kind.TEXT | Kind.RAW:
            return name
        case _:
            raise Refused(Reason.WRONG_TYPE, f"the binding maps {name!r}, which is not a value of {aspect.key}")


def _typed(target: int | str, data_type: DataType) -> CloudValue:
    """Return the right side of the map in the property's type; an item may be given by its label."""
    match data_type:
        case TextType():
            return text_to_cloud(str(target), data_type)
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
    raise misfit(target, data_type)
