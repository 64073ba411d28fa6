"""Values that users and templates give, on their way to the wire."""

from datetime import datetime

from ..alink.messages import JsonValue
from ..alink.model.datatypes import DataType, DateType, TextType
from .attributes import moment


def to_wire(data_type: DataType, value: object, path: str) -> JsonValue:
    """Return a value as the thing model wants it; raises InvalidValue, which names `path`.

    Templates give numbers as text and text as numbers, just as it looks to Home Assistant, so both are taken for what the
    type says. A time may be written by ISO 8601.
    """
    if isinstance(data_type, DateType):
        when = (moment(value) or value) if isinstance(value, str) else value
        return data_type.encode(when if isinstance(when, datetime) else data_type.decode(when, path), path)
    if isinstance(data_type, TextType) and isinstance(value, int | float) and not isinstance(value, bool):
        return data_type.encode(str(value), path)
    return data_type.encode(data_type.decode(value, path), path)
