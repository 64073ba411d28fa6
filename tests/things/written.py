"""Things that hold a text, a day, a time of day or a moment."""

from datetime import UTC, date, datetime, time

from homeassistant.components.date import DateEntity
from homeassistant.components.datetime import DateTimeEntity
from homeassistant.components.text import TextEntity
from homeassistant.components.time import TimeEntity


class Plate(TextEntity):
    """Two to five capital letters."""

    _attr_name = "thing"
    _attr_native_min = 2
    _attr_native_max = 5
    _attr_pattern = "[A-Z]+$"
    _attr_native_value = "ABC"

    async def async_set_value(self, value: str) -> None:
        """Show it."""
        self._attr_native_value = value


class Birthday(DateEntity):
    """A day."""

    _attr_name = "thing"
    _attr_native_value = date(2026, 11, 23)

    async def async_set_value(self, value: date) -> None:
        """Take it."""
        self._attr_native_value = value


class Alarm(TimeEntity):
    """A time of day."""

    _attr_name = "thing"
    _attr_native_value = time(6, 30)

    async def async_set_value(self, value: time) -> None:
        """Take it."""
        self._attr_native_value = value


class Appointment(DateTimeEntity):
    """A moment."""

    _attr_name = "thing"
    _attr_native_value = datetime(2026, 11, 23, 8, tzinfo=UTC)

    async def async_set_value(self, value: datetime) -> None:
        """Take it."""
        self._attr_native_value = value
