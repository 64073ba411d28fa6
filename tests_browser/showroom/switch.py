"""Plugs."""

from homeassistant.components.switch import SwitchDeviceClass, SwitchEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import Thing, devices


class Plug(Thing, SwitchEntity):
    """A plug."""

    _attr_name = None
    _attr_device_class = SwitchDeviceClass.OUTLET
    _attr_is_on = False


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add them."""
    async_add_entities(Plug(*each) for each in devices("插座", "P1"))
