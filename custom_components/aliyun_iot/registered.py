"""Secrets of devices that were registered and belong to no entry yet.

The cloud gives a device its secret once. It is stored before anything else happens, so neither a crash nor a host that can't be
reached loses it; the next attempt to add the device uses it.
"""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .alink.auth import DeviceTriple
from .const import DOMAIN
from .ha_internals import CheckedStore

VERSION: Final = 1

FORGET_DELAY: Final = 30
"""Seconds. Home Assistant writes a new entry after one second; until then a crash would lose the secret."""

_REGISTERED: HassKey[RegisteredSecrets] = HassKey(f"{DOMAIN}_registered")


class RegisteredSecrets:
    """The secrets by identity, in memory and on disk."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `load`."""
        self._store = CheckedStore(hass, VERSION, f"{DOMAIN}.registered", private=True, atomic_writes=True)
        self._secrets: dict[str, str] = {}

    async def load(self) -> None:
        """Read what earlier runs have kept."""
        stored = await self._store.async_load() or {}
        self._secrets = {name: secret for name, secret in stored.items() if isinstance(secret, str)} | self._secrets

    def find(self, product_key: str, device_name: str) -> str | None:
        """Return the secret of a device, None if none is kept."""
        return self._secrets.get(_name(product_key, device_name))

    async def keep(self, *triples: DeviceTriple) -> None:
        """Store secrets at once. One that can't be written is kept in memory."""
        self._secrets |= {_name(one.product_key, one.device_name): one.device_secret for one in triples}
        await self._store.async_save(self._secrets)

    @callback
    def forget(self, product_key: str, device_name: str) -> None:
        """Remove the secret of a device that is in an entry now."""
        if self._secrets.pop(_name(product_key, device_name), None):
            self._store.async_delay_save(lambda: self._secrets, FORGET_DELAY)


async def async_registered_secrets(hass: HomeAssistant) -> RegisteredSecrets:
    """Return the secrets that are kept."""
    if (registered := hass.data.get(_REGISTERED)) is None:
        registered = RegisteredSecrets(hass)
        await registered.load()
        registered = hass.data.setdefault(_REGISTERED, registered)
    return registered


def _name(product_key: str, device_name: str) -> str:
    return f"{product_key}.{device_name}"
