"""What all pages of the options have in common."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from ..runtime import AliyunConfigEntry


class OptionsPages(OptionsFlow):
    """Some pages of the options flow; all of them together are `AliyunOptionsFlow`."""

    config_entry: AliyunConfigEntry

    def finish(self, changed: Mapping[str, Any] | None = None) -> ConfigFlowResult:
        """End the flow and store changed options."""
        return self.async_create_entry(data={**self.config_entry.options, **(changed or {})})
