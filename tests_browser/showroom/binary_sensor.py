"""Motion sensors."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import Thing, devices


class Motion(Thing, BinarySensorEntity):
    """A motion sensor."""

    _attr_name = None
    _attr_device_class = BinarySensorDeviceClass.MOTION
    _attr_is_on = False


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add them."""
    async_add_entities(Motion(*each) for each in devices("人体传感器", "M1"))
