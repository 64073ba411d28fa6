"""The flow that opens the showroom; it asks nothing."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult

from . import DOMAIN


class ShowroomFlow(ConfigFlow, domain=DOMAIN):
    """Create the entry."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Create the entry at once."""
        return self.async_create_entry(title="Showroom", data={})
