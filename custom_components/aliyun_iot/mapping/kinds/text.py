"""Text, and numbers as text."""

from ...alink.messages import is_unicode
from ...alink.model.datatypes import DataType, TextType, Value as CloudValue, byte_length
from ..aspect import Reason, Refused


def misfit(value: object, data_type: DataType) -> Refused:
    """Return the exception for a value that a property of this type can't hold."""
    return Refused(Reason.WRONG_TYPE, f"the property takes {data_type.describe()}, which can't hold {value!r}")


def text_to_cloud(value: str, data_type: DataType) -> str:
    """Return the text if the property can hold it; raises `Refused` otherwise."""
    if not isinstance(data_type, TextType) or not is_unicode(value):
        raise misfit(value, data_type)
    if data_type.length is not None and (length := byte_length(value)) > data_type.length:
        raise Refused(Reason.OUT_OF_RANGE, f"the property takes {data_type.describe()}, this has {length}")
    return value


def text_to_ha(value: CloudValue, data_type: DataType) -> str:
    """Return the text of a property value; raises `Refused` if it isn't text."""
    if isinstance(data_type, TextType) and isinstance(value, str):
        return value
    raise misfit(value, data_type)


def plain(value: float) -> str:
    """Return a number as people write it, without decimals unless it needs them."""
    return str(int(value)) if float(value).is_integer() else repr(value)
