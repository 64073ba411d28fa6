"""Moments: the date type of the thing model, or ISO 8601 text."""

from datetime import datetime

from ...alink.model.datatypes import DataType, DateType, Value as CloudValue
from ..attributes import moment
from .text import misfit, text_to_cloud, text_to_ha


def date_to_cloud(value: datetime, data_type: DataType) -> CloudValue:
    """Return a moment as a value of the property."""
    return value if isinstance(data_type, DateType) else text_to_cloud(value.isoformat(), data_type)


def date_to_ha(value: CloudValue, data_type: DataType) -> datetime:
    """Return the moment of a property value."""
    if isinstance(data_type, DateType) and isinstance(value, datetime):
        return value
    result = moment(text_to_ha(value, data_type))
    if result is None:
        raise misfit(value, data_type)
    return result
