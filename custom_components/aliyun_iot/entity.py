"""What all entities of a device of the platform share."""

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import CONF_PRODUCT_KEY, DOMAIN
from .runtime import AliyunConfigEntry


class CloudEntity(Entity):
    """An entity of the device that an entry stands for."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: AliyunConfigEntry, key: str) -> None:
        """`key` tells the entities of one entry apart."""
        self._entry = entry
        self._attr_unique_id = f"{entry.entry_id}_{key}"
        self._attr_device_info = cloud_device(entry)


def cloud_device(entry: AliyunConfigEntry) -> DeviceInfo:
    """Return what the device registry is told of the device."""
    return DeviceInfo(
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer="Alibaba Cloud",
        model=entry.data[CONF_PRODUCT_KEY],
        name=entry.title,
    )
