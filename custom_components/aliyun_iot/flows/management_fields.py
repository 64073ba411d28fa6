"""The settings of device management, a section of the page Settings."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.helpers.selector import BooleanSelector, EntitySelector, EntitySelectorConfig
import voluptuous as vol

from ..const import CONF_CLOUD_LOG, CONF_CONFIG_MAPPING, CONF_SYNC_TAGS, CONF_UPGRADE_SCRIPT, CONF_UPGRADES

SECTION_MANAGEMENT: Final = "management"

MANAGEMENT_FIELDS: Final = vol.Schema(
    {
        vol.Required(CONF_SYNC_TAGS, default=False): BooleanSelector(),
        vol.Required(CONF_CONFIG_MAPPING, default=False): BooleanSelector(),
        vol.Required(CONF_CLOUD_LOG, default=False): BooleanSelector(),
        vol.Required(CONF_UPGRADES, default=False): BooleanSelector(),
        vol.Optional(CONF_UPGRADE_SCRIPT): EntitySelector(EntitySelectorConfig(domain="script")),
    }
)


def read_management(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were entered in the section, if it was shown; a field that was emptied is None."""
    section = user_input.get(SECTION_MANAGEMENT)
    return {} if section is None else {CONF_UPGRADE_SCRIPT: None, **section}
