"""Text, and numbers as text."""

from ...alink.messages import byte_length, is_unicode
from ...alink.model.datatypes import DataType, TextType, Value as CloudValue
from ..aspect import Reason, Refused, quoted


def misfit(value: object, data_type: DataType) -> Refused:
    """Return the exception for a value that a property of this type can't hold."""
    return Refused(
        Reason.WRONG_TYPE,
        ("the property takes {wanted}, which can't hold {value}", "属性只接受{wanted}，不能表示 {value}"),
        wanted=data_type.describe,
        value=quoted(value),
    )


def text_to_cloud(value: str, data_type: DataType) -> str:
    """Return the text if the property can hold it; raises `Refused` otherwise."""
    if not isinstance(data_type, TextType) or not is_unicode(value):
        raise misfit(value, data_type)
    if data_type.length is not None and (length := byte_length(value)) > data_type.length:
        raise Refused(
            Reason.OUT_OF_RANGE,
            ("the property takes {wanted}, this has {length}", "属性只接受{wanted}，当前文本为 {length} 字节"),
            wanted=data_type.describe,
            length=length,
        )
    return value


def text_to_ha(value: CloudValue, data_type: DataType) -> str:
    """Return the text of a property value; raises `Refused` if it isn't text."""
    if isinstance(data_type, TextType) and isinstance(value, str):
        return value
    raise misfit(value, data_type)


def plain(value: float) -> str:
    """Return a number as people write it, without decimals unless it needs them."""
    return str(int(value)) if float(value).is_integer() else repr(value)
