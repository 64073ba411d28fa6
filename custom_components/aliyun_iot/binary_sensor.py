"""Binary sensors: whether the device is connected, or a sub-device logged in, and why it is not."""

import asyncio
from itertools import batched
from typing import Final, override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alink.link import LinkState
from .alink.sub_device import SubDeviceState
from .entity import CloudEntity, sub_device_info
from .health.subscription_watch import missing_subscriptions
from .mapping.slices import SLICE
from .reasons import reason_of
from .runtime import AliyunConfigEntry, link_signal
from .stored_device import sub_devices_of
from .sub_device_row import SubDeviceRow, sub_device_row
from .sub_devices import sub_device_signal

PARALLEL_UPDATES = 0

SUBSCRIPTIONS_REFUSED: Final = "subscriptions_refused"
"""The value of `reason` for a connection on which the device receives nothing."""


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensor of the entry's own device, and one for each sub-device, also for those that are added later."""
    async_add_entities([ConnectedSensor(entry, "connected")])
    known: set[str] = set()

    async def add_sub_devices() -> None:
        # Each of a thousand that are added is an update of the entry, so only new ones are looked at.
        present = {device.owner for device in sub_devices_of(entry)}
        new = [owner for owner in present - known if _is_known(entry, owner)]
        known.intersection_update(present)
        known.update(new)
        for some in batched(new, SLICE, strict=False):
            for owner in entry.subentries.keys() & some:
                async_add_entities([SubDeviceSensor(entry, owner)], config_subentry_id=owner)
            await asyncio.sleep(0)

    async def updated(_hass: HomeAssistant, _entry: AliyunConfigEntry) -> None:
        await add_sub_devices()

    await add_sub_devices()
    entry.async_on_unload(entry.add_update_listener(updated))


def _is_known(entry: AliyunConfigEntry, owner: str) -> bool:
    return isinstance(sub_device_row(entry.subentries[owner]), SubDeviceRow)


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


class SubDeviceSensor(CloudEntity, BinarySensorEntity):
    """On while a sub-device is logged in. It is always available, so that it can say why it is not."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "connected"

    def __init__(self, entry: AliyunConfigEntry, owner: str) -> None:
        """Belong to the subentry of the sub-device, with which the entity and its device are removed."""
        super().__init__(entry, "connected", owner)
        self._owner = owner

    @property
    @override
    def device_info(self) -> DeviceInfo:
        """Return the device registry's data about the sub-device."""
        return sub_device_info(self.hass, self._entry, self._owner)

    @override
    async def async_added_to_hass(self) -> None:
        """Update with every change of the sub-device."""
        signal = sub_device_signal(self._entry.entry_id, self._owner)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self.async_write_ha_state))

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the sub-device is logged in."""
        sub = self._entry.runtime_data.sub_devices.state(self._owner)
        return sub is not None and sub.state is SubDeviceState.ONLINE

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str]:
        """Return why the sub-device is not logged in; otherwise nothing."""
        sub = self._entry.runtime_data.sub_devices.state(self._owner)
        if sub is None or sub.state is SubDeviceState.ONLINE:
            return {}
        return {"reason": sub.error.key if sub.error else sub.state.value}
