"""Entities with one value, and a remote control."""

from collections.abc import Iterable
from typing import Any, ClassVar

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.number import NumberEntity
from homeassistant.components.remote import RemoteEntity, RemoteEntityFeature
from homeassistant.components.select import SelectEntity
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.components.switch import SwitchEntity


class Level(NumberEntity):
    """A number."""

    _attr_name = "thing"
    _attr_native_value = 1.0

    async def async_set_native_value(self, value: float) -> None:
        """Set the number."""
        self._attr_native_value = value


class Program(SelectEntity):
    """A select entity."""

    _attr_name = "thing"
    _attr_options: ClassVar = ["eco", "fast"]
    _attr_current_option = "eco"

    async def async_select_option(self, option: str) -> None:
        """Select an option."""
        self._attr_current_option = option


class Plug(SwitchEntity):
    """A socket."""

    _attr_name = "thing"
    _attr_is_on = False

    async def async_turn_on(self, **fields: Any) -> None:
        """Turn on."""
        self._attr_is_on = True

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._attr_is_on = False


class Thermometer(SensorEntity):
    """A thermometer."""

    _attr_name = "thing"
    _attr_device_class = SensorDeviceClass.TEMPERATURE
    _attr_native_unit_of_measurement = "°C"
    _attr_native_value = 21.5


class WashingMachine(SensorEntity):
    """A washing machine with an enum state."""

    _attr_name = "thing"
    _attr_device_class = SensorDeviceClass.ENUM
    _attr_options: ClassVar = ["washing", "spinning"]
    _attr_native_value = "washing"


class Contact(BinarySensorEntity):
    """A door contact."""

    _attr_name = "thing"
    _attr_is_on = False


class Handset(RemoteEntity):
    """A remote control that records the commands."""

    _attr_name = "thing"
    _attr_supported_features = RemoteEntityFeature.ACTIVITY
    _attr_activity_list: ClassVar = ["tv", "music"]
    _attr_current_activity = None
    _attr_is_on = False
    sent: ClassVar[list[str]] = []

    async def async_turn_on(self, activity: str | None = None, **fields: Any) -> None:
        """Turn on, with an activity if one is given."""
        self._attr_is_on = True
        self._attr_current_activity = activity or "tv"

    async def async_turn_off(self, activity: str | None = None, **fields: Any) -> None:
        """Turn off."""
        self._attr_is_on = False
        self._attr_current_activity = None

    async def async_send_command(self, command: Iterable[str], **fields: Any) -> None:
        """Record the commands, with the device that they are for, if there is one."""
        self.sent.extend(f"{fields['device']}: {name}" if "device" in fields else name for name in command)
