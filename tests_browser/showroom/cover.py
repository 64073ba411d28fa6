"""Blinds with a position."""

from homeassistant.components.cover import CoverDeviceClass, CoverEntity, CoverEntityFeature
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import Thing, devices


class Blind(Thing, CoverEntity):
    """A blind."""

    _attr_name = None
    _attr_device_class = CoverDeviceClass.CURTAIN
    _attr_is_closed = False
    _attr_current_cover_position = 60
    _attr_supported_features = CoverEntityFeature.OPEN | CoverEntityFeature.CLOSE | CoverEntityFeature.SET_POSITION


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add them."""
    async_add_entities(Blind(*each) for each in devices("窗帘", "B1"))
