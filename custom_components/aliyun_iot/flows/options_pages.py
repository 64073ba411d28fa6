"""Base class of the pages of the options flow."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowContext, ConfigFlowResult, OptionsFlow

from ..runtime import AliyunConfigEntry
from .safe_pages import SafePages


class OptionsPages(SafePages[ConfigFlowContext, ConfigFlowResult, str], OptionsFlow):
    """Some pages of the options flow; `AliyunOptionsFlow` combines them."""

    config_entry: AliyunConfigEntry

    def finish(self, changed: Mapping[str, Any] | None = None) -> ConfigFlowResult:
        """Store changed options and end the flow."""
        options = {**self.config_entry.options, **(changed or {})}
        if self.config_entry.state is ConfigEntryState.SETUP_ERROR:
            # Only a new set-up shows whether the change has fixed the error.
            self.hass.config_entries.async_update_entry(self.config_entry, options=options)
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        return self.async_create_entry(data=options)
