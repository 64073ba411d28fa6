"""A condition for automations: whether the device is connected."""

from typing import Any, cast, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers.condition import Condition, ConditionConfig
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .addressed import DEVICE, device_key, owner_of
from .runtime import AliyunConfigEntry

_SCHEMA = vol.Schema({vol.Required(CONF_OPTIONS): DEVICE})


class ConnectedCondition(Condition):
    """Is true while the device is connected to its cloud."""

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Keep the options, which were validated."""
        super().__init__(hass, config)
        self._options: dict[str, Any] = config.options or {}

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the options of the condition; raises vol.Invalid."""
        validated = cast("ConfigType", _SCHEMA(config))
        device_key(hass, validated[CONF_OPTIONS])
        return validated

    @override
    def _async_check(self, **_: Any) -> bool:
        entry_id: str = self._options[ATTR_CONFIG_ENTRY_ID]
        entry: AliyunConfigEntry | None = self._hass.config_entries.async_get_entry(entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return False
        try:
            owner = owner_of(self._options, device_key(self._hass, self._options))
        except vol.Invalid:  # it was removed
            return False
        device = entry.runtime_data.cloud_device(owner)
        return device is not None and device.online


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return {"is_connected": ConnectedCondition}
