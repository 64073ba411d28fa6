"""Any value of Home Assistant to any data type, and back.

    property        accepts                                                         is converted back to
    bool            a label · the words of TRUTHS · true, false · 1, 0              true, false; else as enum
    int, float …    a number, also as text; int also true and false                 a number
    enum            a label, in English or Chinese · a key · true, false by label   the label if it is unique, else the key
    text            text · a number, plainly · on, off for a bool · JSON of a list  the text
    date            ISO 8601 time · seconds or milliseconds since 1970              ISO 8601 time
    struct, array   a mapping, a list; each member by these rules                   the same

Nothing is guessed: a value without a counterpart is refused.
"""

from collections.abc import Mapping
import json

from homeassistant.core import State

from ...alink.model.datatypes import (
    INT_MAX,
    INT_MIN,
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
from ..aspect import Aspect, Kind, Raw, Reason, Refused, Value
from ..attributes import any_moment, as_raw, number
from ..binding import NO_CONVERSION, SAME_UNITS, Conversion
from ..scaling import has_formula, to_entity, to_property
from .color import color_of, hex_parts
from .items import items_for, labelled_item, no_item
from .location import location_of
from .number import number_to_cloud, number_to_ha
from .text import misfit, plain, text_to_cloud

TRUTHS: Mapping[str, bool] = {
    "on": True,
    "off": False,
    "true": True,
    "false": False,
    "yes": True,
    "no": False,
    "1": True,
    "0": False,
    "home": True,
    "not_home": False,
    "open": True,
    "closed": False,
}
"""The words that mean yes or no everywhere in Home Assistant; the meaning of others depends on the entity."""


def truth(value: Raw) -> bool | None:
    """Return whether a value means yes, None if it means neither yes nor no."""
    match value:
        case bool():
            return value
        case int() | float() if value in (0, 1):
            return value == 1
        case str():
            return TRUTHS.get(value.casefold())
        case _:
            return None


def raw_to_cloud(value: Raw, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> CloudValue:
    """Return the property value for any value; raises `Refused`."""
    match data_type:
        case BoolType():
            return _to_bool(value, aspect, data_type, invert=conversion.invert)
        case EnumType():
            return _to_item(value, aspect, data_type)
        case IntType() if isinstance(value, bool):
            return number_to_cloud(to_property(int(value), aspect, data_type, conversion, state), data_type)
        case IntType() | FloatType() | DoubleType() if (amount := number(value)) is not None:
            return number_to_cloud(to_property(amount, aspect, data_type, conversion, state), data_type)
        case TextType():
            return _to_text(value, aspect, data_type, conversion, state)
        case DateType() if (at := any_moment(value)) is not None:
            return at
        case StructType() if isinstance(value, dict) and value.keys() == data_type.members.keys():
            return {
                key: raw_to_cloud(value[key], aspect, member.data_type, _of_parts(conversion), state)
                for key, member in data_type.members.items()
            }
        case ArrayType() if isinstance(value, list):
            return [raw_to_cloud(item, aspect, data_type.item, _of_parts(conversion), state) for item in value]
        case _:
            raise misfit(value, data_type)


def raw_to_ha(value: CloudValue, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> Raw:
    """Return a property value in a form that templates and actions can use; raises `Refused`."""
    match data_type:
        case BoolType() if isinstance(value, bool):
            if (keys := items_for(aspect, data_type)) is not None:
                return (value == keys[True]) is not conversion.invert
            return _from_item(value is not conversion.invert, data_type.labels)
        case EnumType() if isinstance(value, int):
            return _from_item(value, data_type.items)
        case IntType() | FloatType() | DoubleType():
            amount = to_entity(number_to_ha(value, data_type), aspect, data_type, conversion, state)
            return int(amount) if isinstance(data_type, IntType) and float(amount).is_integer() else amount
        case TextType() if _calculates(conversion):
            return to_entity(number_to_ha(value, data_type), aspect, data_type, conversion, state)
        case StructType() if isinstance(value, dict):
            return {
                key: raw_to_ha(value[key], aspect, member.data_type, _of_parts(conversion), state)
                for key, member in data_type.members.items()
            }
        case ArrayType() if isinstance(value, list):
            return [raw_to_ha(item, aspect, data_type.item, _of_parts(conversion), state) for item in value]
        case _:
            return as_raw(value)


def kind_of_raw(value: Raw, aspect: Aspect) -> Value:
    """Return the result of a template as the kind of value that an aspect takes; raises `Refused`."""
    result = _as_kind(value, aspect)
    if result is None:
        raise Refused(Reason.WRONG_TYPE, f"{aspect.key} is a {aspect.kind}, which {value!r} is not")
    return result


def _as_kind(value: Raw, aspect: Aspect) -> Value | None:
    match aspect.kind, value:
        case Kind.RAW, _:
            return value
        case Kind.BOOL, str() if value in aspect.words:
            return value == aspect.words[True]
        case Kind.BOOL, _:
            return truth(value)
        case Kind.NUMBER, _:
            return number(value)
        case ((Kind.ENUM | Kind.TEXT), (str() | int() | float())):
            return _words(value, aspect)
        case Kind.DATE, _:
            return any_moment(value)
        case Kind.COLOR, str():
            return color_of([*hex_parts(value)])
        case Kind.COLOR, list():
            return color_of([number(part) for part in value])
        case Kind.LOCATION, str():
            return location_of([number(part.strip(" ")) for part in value.split(",")])
        case Kind.LOCATION, list():
            return location_of([number(part) for part in value])
        case _:
            return None


def _to_bool(value: Raw, aspect: Aspect, data_type: BoolType, *, invert: bool) -> bool:
    if isinstance(value, str) and (key := labelled_item(value, data_type.labels)) is not None:
        return bool(key) is not invert
    yes = truth(value)
    keys = items_for(aspect, data_type)
    if keys is None and not isinstance(value, bool | str):  # a number is the item itself
        keys = (0, 1)
    if yes is None or keys is None:
        raise misfit(value, data_type)
    return bool(keys[yes is not invert])


def _to_item(value: Raw, aspect: Aspect, data_type: EnumType) -> int:
    if isinstance(value, bool) and (keys := items_for(aspect, data_type)):
        return keys[value]
    if isinstance(value, str) and (labelled := labelled_item(value, data_type.items)) is not None:
        return labelled
    key = number(value)
    whole = key is not None and key.is_integer() and INT_MIN <= key <= INT_MAX
    if key is None or not whole or (data_type.items and int(key) not in data_type.items):
        raise no_item(value, data_type)
    return int(key)


def _from_item(key: int, labels: Mapping[int, str]) -> str | int:
    label = labels.get(key)
    return label if label and labelled_item(label, labels) == key else int(key)


def _to_text(value: Raw, aspect: Aspect, data_type: TextType, conversion: Conversion, state: State) -> str:
    calculates = not isinstance(value, bool) and (_calculates(conversion) or isinstance(value, int | float))
    if calculates and (amount := number(value)) is not None:
        return text_to_cloud(plain(to_property(amount, aspect, data_type, conversion, state)), data_type)
    match value:
        case bool():
            return text_to_cloud(aspect.words[value is not conversion.invert], data_type)
        case str():
            return text_to_cloud(value, data_type)
        case list() | dict():
            return text_to_cloud(json.dumps(value, ensure_ascii=False), data_type)
        case _:
            raise misfit(value, data_type)


def _of_parts(conversion: Conversion) -> Conversion:
    """Return the conversion of members and elements: only what a binding says about units applies to them, too."""
    return SAME_UNITS if conversion.same_unit else NO_CONVERSION


def _calculates(conversion: Conversion) -> bool:
    """Return whether text has to be a number, because the conversion calculates with it."""
    return has_formula(conversion) or bool(conversion.unit)


def _words(value: str | float, aspect: Aspect) -> str:
    match value:
        case bool():
            return aspect.words[value]
        case int() | float():
            return plain(value)
        case str():
            return value
