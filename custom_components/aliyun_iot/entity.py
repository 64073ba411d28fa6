"""Base class of the entities that this integration provides."""

from typing import override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import CONF_PRODUCT_KEY, DOMAIN, NAME, OWN
from .exposures import area_of, stands_for
from .panel.path import panel_path
from .runtime import AliyunConfigEntry
from .stored_device import StoredDevice


class CloudEntity(Entity):
    """An entity that belongs to a device of a config entry, by default to the entry's own one."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: AliyunConfigEntry, key: str, owner: str = OWN) -> None:
        """`key` is unique among the entities of one device."""
        self._entry = entry
        self._attr_unique_id = f"{StoredDevice(entry, owner).key}_{key}"

    @property
    @override
    def device_info(self) -> DeviceInfo | None:
        """Return the device registry's data about the device; it is asked for once, so it is not kept."""
        return device_info(self._entry)


def device_info(entry: AliyunConfigEntry) -> DeviceInfo:
    """Return the device registry's data about the device of an entry."""
    return DeviceInfo(
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer=NAME,
        model=entry.data[CONF_PRODUCT_KEY],
        name=entry.title,
        configuration_url=f"homeassistant:/{panel_path(entry.entry_id)}",
    )


def sub_device_info(hass: HomeAssistant, entry: AliyunConfigEntry, owner: str) -> DeviceInfo:
    """Return the device registry's data about a sub-device: it is reached via the gateway, and is where its device is."""
    stored = StoredDevice(entry, owner)
    devices = dr.async_get(hass)
    gateway = devices.async_get_device_by_identifier((DOMAIN, entry.entry_id), entry.entry_id)
    gateway = gateway or devices.async_get_or_create(config_entry_id=entry.entry_id, **device_info(entry))
    info = DeviceInfo(
        identifiers={(DOMAIN, stored.key)},
        manufacturer=NAME,
        model=stored.data[CONF_PRODUCT_KEY],
        name=stored.title,
        via_device_id=gateway.id,
        configuration_url=f"homeassistant:/{panel_path(entry.entry_id, owner=owner)}",
    )
    if area := area_of(hass, stands_for(entry.subentries[owner])):
        info["suggested_area"] = area
    return info
