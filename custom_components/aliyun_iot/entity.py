"""The base of this integration's own entities."""

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription

from .const import CONF_PRODUCT_KEY, DOMAIN
from .runtime import AliyunConfigEntry, link_signal


class AliyunEntity(Entity):
    """An entity that tells about the link of one entry."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: AliyunConfigEntry, description: EntityDescription) -> None:
        """Belong to the cloud device of the entry."""
        self.entity_description = description
        self._entry = entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            entry_type=DeviceEntryType.SERVICE,
            manufacturer="Alibaba Cloud",
            model=entry.data[CONF_PRODUCT_KEY],
            name=entry.title,
        )

    async def async_added_to_hass(self) -> None:
        """Follow the link."""
        self.async_on_remove(
            async_dispatcher_connect(self.hass, link_signal(self._entry.entry_id), self.async_write_ha_state)
        )
