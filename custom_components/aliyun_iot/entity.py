"""Base class of the entities that this integration provides."""

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import CONF_PRODUCT_KEY, DOMAIN, NAME
from .runtime import AliyunConfigEntry


class CloudEntity(Entity):
    """An entity that belongs to the device of a config entry."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: AliyunConfigEntry, key: str) -> None:
        """`key` is unique among the entities of one entry."""
        self._entry = entry
        self._attr_unique_id = f"{entry.entry_id}_{key}"
        self._attr_device_info = device_info(entry)


def device_info(entry: AliyunConfigEntry) -> DeviceInfo:
    """Return the device registry's data about the device of an entry."""
    return DeviceInfo(
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer=NAME,
        model=entry.data[CONF_PRODUCT_KEY],
        name=entry.title,
    )
