"""What all pages of the options have in common."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow

from ..runtime import AliyunConfigEntry


class OptionsPages(OptionsFlow):
    """Some pages of the options flow; all of them together are `AliyunOptionsFlow`."""

    config_entry: AliyunConfigEntry

    def finish(self, changed: Mapping[str, Any] | None = None) -> ConfigFlowResult:
        """End the flow and store changed options."""
        options = {**self.config_entry.options, **(changed or {})}
        if self.config_entry.state is ConfigEntryState.SETUP_ERROR:
            # Nobody but a new set-up can find out whether this has mended what was wrong.
            self.hass.config_entries.async_update_entry(self.config_entry, options=options)
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        return self.async_create_entry(data=options)
