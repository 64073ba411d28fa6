"""Encoding of values from users and templates."""

from datetime import datetime

from ..alink.messages import JsonValue
from ..alink.model.datatypes import DataType, DateType, TextType
from .attributes import moment


def to_wire(data_type: DataType, value: object, path: str) -> JsonValue:
    """Return a value encoded for a data type; raises InvalidValue with `path`.

    Home Assistant's templates turn text that looks like a number into a number and the other way round, so both are
    converted to the data type. A time may be ISO 8601 text.
    """
    if isinstance(data_type, DateType):
        when = (moment(value) or value) if isinstance(value, str) else value
        return data_type.encode(when if isinstance(when, datetime) else data_type.decode(when, path), path)
    if isinstance(data_type, TextType) and isinstance(value, int | float) and not isinstance(value, bool):
        return data_type.encode(str(value), path)
    return data_type.encode(data_type.decode(value, path), path)
