"""The settings of device management, a section of the page Settings."""

from typing import Final

from homeassistant.helpers.selector import BooleanSelector
import voluptuous as vol

from ..const import CONF_CLOUD_LOG, CONF_CONFIG_MAPPING, CONF_SYNC_TAGS

SECTION_MANAGEMENT: Final = "management"

MANAGEMENT_FIELDS: Final = vol.Schema(
    {
        vol.Required(CONF_SYNC_TAGS, default=False): BooleanSelector(),
        vol.Required(CONF_CONFIG_MAPPING, default=False): BooleanSelector(),
        vol.Required(CONF_CLOUD_LOG, default=False): BooleanSelector(),
    }
)
