"""Encoding of values from users and templates.

    type            accepts
    bool            true, false, 1, 0 · a label · on, off and the other words of Home Assistant's flags, by the labels
    int, float …    a number, also as text
    enum            a key, also as text · a label
    text            text · a number
    date            ISO 8601 time · seconds or milliseconds since 1970 (`attributes.any_moment`)
    struct, array   a mapping, a list; each member by these rules

Home Assistant's templates turn text that looks like a number into a number, and users the other way round. Nothing is rounded
or cut: a value that does not fit is refused.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..alink.errors import InvalidValue
from ..alink.i18n import Words, is_chinese
from ..alink.messages import JsonValue
from ..alink.model.datatypes import ArrayType, BoolType, DataType, DateType, EnumType, StructType, TextType
from .attributes import any_moment
from .kinds.items import labelled_item
from .suggest.pairing import no_and_yes

_LITERALS: Final = ("true", "false", "1", "0")
"""What a boolean is on the wire, whatever its labels say."""

_TIMES: Final[Words] = (
    "time in ISO 8601, or a number since 1970: milliseconds (13 digits) or seconds (10 digits)",
    "ISO 8601 时间，或自 1970 年起的毫秒数（13 位）或秒数（10 位）",
)


def to_wire(data_type: DataType, value: object, path: str) -> JsonValue:
    """Return a value encoded for a data type; raises InvalidValue with the path of the value at fault, below `path`."""
    return data_type.encode(_typed(data_type, value, path), path)


def untyped_to_wire(value: object) -> JsonValue:
    """Return a value encoded without a data type: booleans as 0 and 1, times as milliseconds, at any depth.

    Anything else stays as it is, also what JSON cannot hold; writing the message fails then.
    """
    match value:
        case bool():
            return int(value)
        case datetime():
            return DateType().encode(dt_util.as_utc(value))
        case Mapping():
            return {str(key): untyped_to_wire(item) for key, item in value.items()}
        case list() | tuple():
            return [untyped_to_wire(item) for item in value]
        case _:
            return value  # type: ignore[return-value]


def _typed(data_type: DataType, value: object, path: str) -> object:
    """Return a value in the form that `data_type` encodes; a structure or a list may still lack members or have too many."""
    match data_type, value:
        case StructType(), Mapping():
            members = data_type.members
            return {
                key: _typed(members[key].data_type, item, f"{path}.{key}") if key in members else item
                for key, item in value.items()
            }
        case ArrayType(), list() | tuple():
            return [_typed(data_type.item, item, f"{path}[{index}]") for index, item in enumerate(value)]
        case DateType(), _:
            return _moment(value, data_type, path)
        case BoolType(), str() if (truth := _truth(value, data_type)) is not None:
            return truth
        case EnumType(), str() if (item := labelled_item(value, data_type.items)) is not None:
            return item
        case TextType(), int() | float() if not isinstance(value, bool):
            return str(value)
        case _:
            return data_type.decode(value, path)


def _truth(word: str, data_type: BoolType) -> bool | None:
    if word.casefold() in _LITERALS:
        return None
    if (labelled := labelled_item(word, data_type.labels)) is not None:
        return bool(labelled)
    try:
        yes = cv.boolean(word)
    except vol.Invalid:
        return None
    items = no_and_yes(("off", "on"), tuple(data_type.labels.items()))
    return bool(items.yes if yes else items.no) if items else None


def _moment(value: object, data_type: DateType, path: str) -> datetime:
    when = any_moment(value.isoformat() if isinstance(value, date) else value)
    if when is None:
        raise InvalidValue(path, lambda language: _TIMES[is_chinese(language)], value, data_type.code)
    return when
