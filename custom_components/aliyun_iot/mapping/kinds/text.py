"""Text, and what everything else looks like as text."""

from ...alink.model.datatypes import DataType, TextType, Value as CloudValue
from ..aspect import Reason, Refused


def misfit(value: object, data_type: DataType) -> Refused:
    """Return the error for a value that this type of property has no way to say."""
    return Refused(Reason.WRONG_TYPE, f"the property takes {data_type.describe()}, which can't say {value!r}")


def text_to_cloud(value: str, data_type: DataType) -> str:
    """Return text that fits a property of text; any other property can't say it."""
    if not isinstance(data_type, TextType):
        raise misfit(value, data_type)
    if data_type.length is not None and len(value) > data_type.length:
        raise Refused(Reason.OUT_OF_RANGE, f"the property takes {data_type.describe()}, this has {len(value)}")
    return value


def text_to_ha(value: CloudValue, data_type: DataType) -> str:
    """Return what a property of text says."""
    if isinstance(data_type, TextType) and isinstance(value, str):
        return value
    raise misfit(value, data_type)


def plain(value: float) -> str:
    """Return a number as people write it: no decimal where none is needed."""
    return str(int(value)) if float(value).is_integer() else repr(value)
