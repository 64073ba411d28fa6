"""Binary sensor: whether the device is connected, and why it is not."""

from typing import Final, override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alink.link import LinkState
from .entity import CloudEntity
from .health.subscription_watch import missing_subscriptions
from .reasons import reason_of
from .runtime import AliyunConfigEntry, link_signal

PARALLEL_UPDATES = 0

SUBSCRIPTIONS_REFUSED: Final = "subscriptions_refused"
"""The value of `reason` for a connection on which the device receives nothing."""


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensor."""
    async_add_entities([ConnectedSensor(entry, "connected")])


class ConnectedSensor(CloudEntity, BinarySensorEntity):
    """On while the link is online. It is always available, so that it can show a lost connection."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "connected"

    @override
    async def async_added_to_hass(self) -> None:
        """Update with every state of the link."""
        self.async_on_remove(
            async_dispatcher_connect(self.hass, link_signal(self._entry.entry_id), self.async_write_ha_state)
        )

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the link is online."""
        return self._entry.runtime_data.link.state is LinkState.ONLINE

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str]:
        """Return why the device is not connected, or why it does not work although it is; otherwise nothing."""
        link = self._entry.runtime_data.link
        if link.state is LinkState.ONLINE and missing_subscriptions(link, self._entry):
            return {"reason": SUBSCRIPTIONS_REFUSED}
        error = link.last_error
        return {"reason": reason_of(error)} if error else {}
