"""Numbers, already converted to the scale of the other side by `scaling.py`."""

from ...alink.model.datatypes import DataType, DoubleType, FloatType, IntType, TextType, Value as CloudValue
from ..attributes import number
from .text import misfit, plain, text_to_cloud


def number_to_cloud(value: float, data_type: DataType) -> CloudValue:
    """Return a number in the type of the property; as text it has no decimals unless it needs them."""
    match data_type:
        case IntType():
            return int(value)
        case FloatType() | DoubleType():
            return float(value)
        case _:
            return text_to_cloud(plain(value), data_type)


def number_to_ha(value: CloudValue, data_type: DataType) -> float:
    """Return the number of a property value, also from text."""
    result = number(value) if isinstance(data_type, IntType | FloatType | DoubleType | TextType) else None
    if result is None:
        raise misfit(value, data_type)
    return result
