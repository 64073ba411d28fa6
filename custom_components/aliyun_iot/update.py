"""Update: what the cloud offers for Home Assistant and for this integration, which only a script of the user installs."""

from typing import Any, Final, override

from homeassistant.components.update import UpdateDeviceClass, UpdateEntity, UpdateEntityFeature
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.start import async_at_started

from .actions.call import failure
from .alink.foreign import safe
from .const import DOMAIN, NAME
from .entity import CloudEntity
from .management.manager import upgrades_signal
from .management.upgrades import HOME_ASSISTANT, INTEGRATION, NotInstalled, Upgrades
from .runtime import AliyunConfigEntry
from .settings import read_settings

PARALLEL_UPDATES = 1

_TITLES: Final = {HOME_ASSISTANT: "Home Assistant", INTEGRATION: NAME}
_KEYS: Final = {HOME_ASSISTANT: "homeassistant", INTEGRATION: "integration"}
"""The translation keys, by module."""


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities while the setting is on, and remove them when it is off."""
    shown: list[ModuleUpdate] = []

    @callback
    def follow() -> None:
        if read_settings(entry.options)[0].upgrades:
            if not shown:
                shown.extend(ModuleUpdate(entry, module) for module in _TITLES)
                async_add_entities(shown)
            return
        shown.clear()
        registry = er.async_get(hass)
        for module in _TITLES:
            if entity_id := registry.async_get_entity_id("update", DOMAIN, ModuleUpdate(entry, module).unique_id or ""):
                registry.async_remove(entity_id)

    async def updated(_hass: HomeAssistant, _entry: AliyunConfigEntry) -> None:
        follow()

    follow()
    entry.async_on_unload(entry.add_update_listener(updated))


class ModuleUpdate(CloudEntity, UpdateEntity):
    """One module; it can be installed only if the user has bound a script to upgrades."""

    _attr_device_class = UpdateDeviceClass.FIRMWARE

    def __init__(self, entry: AliyunConfigEntry, module: str) -> None:
        """Show this module."""
        super().__init__(entry, f"upgrade_{module}")
        self._module = module
        self._attr_title = _TITLES[module]
        self._attr_translation_key = _KEYS[module]

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what is offered and installed."""
        self._read()
        self.async_on_remove(async_at_started(self.hass, self._started))  # the script may be set up later
        self.async_on_remove(async_dispatcher_connect(self.hass, upgrades_signal(self._entry.entry_id), self._changed))

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Return whether the cloud offers another version, which may be an earlier one."""
        return latest_version != installed_version

    @override
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        """Download the file and run the script with it; raises HomeAssistantError."""
        try:
            await self._upgrades.install(self._module)
        except NotInstalled as err:
            raise failure("not_installed", reason=err.reason) from err

    @property
    @override
    def supported_features(self) -> UpdateEntityFeature:
        """Return whether the bound script can be run now."""
        bound = UpdateEntityFeature.INSTALL if self._upgrades.action else UpdateEntityFeature(0)
        return UpdateEntityFeature.PROGRESS | bound

    @property
    def _upgrades(self) -> Upgrades:
        return self._entry.runtime_data.device.management.upgrades

    @callback
    def _started(self, _hass: HomeAssistant) -> None:
        self._changed()

    @callback
    def _changed(self) -> None:
        self._read()
        self.async_write_ha_state()

    @callback
    def _read(self) -> None:
        upgrades = self._upgrades
        offer = upgrades.offers.get(self._module)
        percent = upgrades.progress.get(self._module)
        self._attr_installed_version = upgrades.versions[self._module]
        self._attr_latest_version = safe(offer.version) if offer else self._attr_installed_version
        self._attr_in_progress = percent is not None
        self._attr_update_percentage = percent
