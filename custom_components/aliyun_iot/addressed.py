"""How automations name a device: by its config entry and, if it is a sub-device, by its device in Home Assistant as well."""

from typing import Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
import voluptuous as vol

from .const import DOMAIN, OWN
from .stored_device import StoredDevice

ATTR_SUB_DEVICE: Final = "sub_device"

ENTRY: Final[dict[vol.Marker, Any]] = {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string}
"""The field that names an entry."""

DEVICE: Final[dict[vol.Marker, Any]] = {**ENTRY, vol.Optional(ATTR_SUB_DEVICE): cv.string}
"""The fields that name a device of the cloud."""


@callback
def device_key(hass: HomeAssistant, options: dict[str, Any]) -> str:
    """Return the key (`StoredDevice.key`) of the device that these fields name.

    Raises vol.Invalid when `sub_device` is no device of the entry. The own device of an entry may be named as well.
    """
    entry_id: str = options[ATTR_CONFIG_ENTRY_ID]
    if (device_id := options.get(ATTR_SUB_DEVICE)) is None:
        return entry_id
    device = dr.async_get(hass).async_get(device_id)
    for domain, key in device.identifiers if device else ():
        if domain == DOMAIN and (key == entry_id or key.startswith(StoredDevice.prefix(entry_id))):
            return key
    raise vol.Invalid("the sub-device does not belong to the device", path=[ATTR_SUB_DEVICE])


def owner_of(options: dict[str, Any], key: str) -> str:
    """Return the owner for a key that `device_key` has returned."""
    entry_id: str = options[ATTR_CONFIG_ENTRY_ID]
    return OWN if key == entry_id else key.removeprefix(StoredDevice.prefix(entry_id))
