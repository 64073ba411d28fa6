"""A condition for automations: whether the device is connected."""

from typing import Any, cast, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import Condition, ConditionConfig
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .alink.link import LinkState
from .runtime import AliyunConfigEntry

_SCHEMA = vol.Schema({vol.Required(CONF_OPTIONS): {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string}})


class ConnectedCondition(Condition):
    """Is true while the device is connected to its cloud."""

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Keep the options, which were validated."""
        super().__init__(hass, config)
        self._entry_id: str = (config.options or {})[ATTR_CONFIG_ENTRY_ID]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the options of the condition; raises vol.Invalid."""
        return cast("ConfigType", _SCHEMA(config))

    @override
    def _async_check(self, **_: Any) -> bool:
        entry: AliyunConfigEntry | None = self._hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return False
        return entry.runtime_data.link.state is LinkState.ONLINE


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return {"is_connected": ConnectedCondition}
