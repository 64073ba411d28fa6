"""Whether the device is connected."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alink.link import LinkState
from .entity import CloudEntity
from .runtime import AliyunConfigEntry, link_signal

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensor."""
    async_add_entities([ConnectedSensor(entry, "connected")])


class ConnectedSensor(CloudEntity, BinarySensorEntity):
    """On while the cloud is there; always available, since that is what it tells."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "connected"

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the link."""
        self.async_on_remove(
            async_dispatcher_connect(self.hass, link_signal(self._entry.entry_id), self.async_write_ha_state)
        )

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the link is online."""
        return self._entry.runtime_data.link.state is LinkState.ONLINE
