"""The sensors of the meters."""

from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import DOMAIN, QUANTITIES, Sensor


class MeterSensor(SensorEntity):
    """One quantity of a meter; it never changes."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, sensor: Sensor) -> None:
        """Belong to the device of the meter."""
        self.entity_id = sensor.entity_id
        self._attr_name = sensor.quantity
        self._attr_unique_id = sensor.unique_id
        self._attr_native_value = sensor.value
        self._attr_native_unit_of_measurement = QUANTITIES[sensor.quantity]
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, sensor.meter)}, name=sensor.meter)


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add them."""
    async_add_entities(MeterSensor(Sensor(number)) for number in range(entry.data["sensors"]))
