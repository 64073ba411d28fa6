"""The flow that installs the meters: it asks how many sensors there are."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
import voluptuous as vol

from . import DOMAIN


class MetersFlow(ConfigFlow, domain=DOMAIN):
    """Create the entry."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask, and create the entry."""
        if user_input is None:
            return self.async_show_form(step_id="user", data_schema=vol.Schema({vol.Required("sensors"): int}))
        return self.async_create_entry(title="Meters", data=user_input)
