"""Thermometers with a hygrometer."""

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import PERCENTAGE, UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import Thing, devices


class Temperature(Thing, SensorEntity):
    """A temperature."""

    _attr_device_class = SensorDeviceClass.TEMPERATURE
    _attr_native_value = 21.5
    _attr_native_unit_of_measurement = UnitOfTemperature.CELSIUS


class Humidity(Thing, SensorEntity):
    """A humidity."""

    _attr_device_class = SensorDeviceClass.HUMIDITY
    _attr_native_value = 48
    _attr_native_unit_of_measurement = PERCENTAGE


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add them."""
    for unique_id, info in devices("温湿度计", "C1"):
        async_add_entities([Temperature(f"{unique_id}-t", info), Humidity(f"{unique_id}-h", info)])
