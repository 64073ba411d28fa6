"""Sixty devices of five kinds, for the test that makes them sub-devices; they keep their states and do nothing."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

DOMAIN = "showroom"
PLATFORMS = [Platform.BINARY_SENSOR, Platform.COVER, Platform.LIGHT, Platform.SENSOR, Platform.SWITCH]
OF_EACH_KIND = 12
ROOMS = ("客厅", "卧室", "厨房", "书房", "阳台", "走廊")


def devices(kind: str, model: str) -> list[tuple[str, DeviceInfo]]:
    """Return the unique ids and the device information of all devices of a kind."""
    return [
        (
            f"{model}-{number}",
            DeviceInfo(
                identifiers={(DOMAIN, f"{model}-{number}")},
                manufacturer="Acme",
                model=model,
                name=f"{ROOMS[number % len(ROOMS)]}{kind} {number // len(ROOMS) + 1}",
            ),
        )
        for number in range(OF_EACH_KIND)
    ]


class Thing(Entity):
    """What all of them are."""

    _attr_has_entity_name = True

    def __init__(self, unique_id: str, info: DeviceInfo) -> None:
        """Belong to a device."""
        self._attr_unique_id = unique_id
        self._attr_device_info = info


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Create the devices."""
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True
