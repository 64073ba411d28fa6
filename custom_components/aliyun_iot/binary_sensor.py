"""Whether the device is connected."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alink.link import LinkState
from .entity import AliyunEntity
from .runtime import AliyunConfigEntry

PARALLEL_UPDATES = 0

CONNECTED = BinarySensorEntityDescription(
    key="connected",
    translation_key="connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensor."""
    async_add_entities([ConnectedSensor(entry, CONNECTED)])


class ConnectedSensor(AliyunEntity, BinarySensorEntity):
    """On while the cloud is there; always available, since that is what it tells."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the link is online."""
        return self._entry.runtime_data.link.state is LinkState.ONLINE
