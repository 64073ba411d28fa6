"""Entities with a text, a date, a time or a datetime."""

from datetime import UTC, date, datetime, time

from homeassistant.components.date import DateEntity
from homeassistant.components.datetime import DateTimeEntity
from homeassistant.components.text import TextEntity
from homeassistant.components.time import TimeEntity


class Plate(TextEntity):
    """A text of two to five capital letters."""

    _attr_name = "thing"
    _attr_native_min = 2
    _attr_native_max = 5
    _attr_pattern = "[A-Z]+$"
    _attr_native_value = "ABC"

    async def async_set_value(self, value: str) -> None:
        """Set the value."""
        self._attr_native_value = value


class Birthday(DateEntity):
    """A date."""

    _attr_name = "thing"
    _attr_native_value = date(2026, 11, 23)

    async def async_set_value(self, value: date) -> None:
        """Set the value."""
        self._attr_native_value = value


class Alarm(TimeEntity):
    """A time."""

    _attr_name = "thing"
    _attr_native_value = time(6, 30)

    async def async_set_value(self, value: time) -> None:
        """Set the value."""
        self._attr_native_value = value


class Appointment(DateTimeEntity):
    """A date with time."""

    _attr_name = "thing"
    _attr_native_value = datetime(2026, 11, 23, 8, tzinfo=UTC)

    async def async_set_value(self, value: datetime) -> None:
        """Set the value."""
        self._attr_native_value = value
