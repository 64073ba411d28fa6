"""Fix flows of the repair issues."""

from typing import Any, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .runtime import AliyunConfigEntry


class LoopFixFlow(ConfirmRepairFlow):
    """Let the cloud set a property again after the user has broken the loop."""

    def __init__(self, entry_id: str, identifier: str) -> None:
        """Initialize with the paused property."""
        super().__init__()
        self._entry_id = entry_id
        self._identifier = identifier

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask for confirmation, and resume the property."""
        if user_input is not None:
            entry: AliyunConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
            if entry and entry.state is ConfigEntryState.LOADED:
                entry.runtime_data.device.loops.resume(self._identifier)
        return await super().async_step_confirm(user_input)


class RetryFixFlow(ConfirmRepairFlow):
    """End a long pause between attempts to connect after the user has removed the cause."""

    def __init__(self, entry_id: str) -> None:
        """Initialize with the entry to connect."""
        super().__init__()
        self._entry_id = entry_id

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask for confirmation, and connect."""
        if user_input is not None:
            entry: AliyunConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
            if entry and entry.state is ConfigEntryState.LOADED:
                entry.runtime_data.link.retry()
        return await super().async_step_confirm(user_input)


async def async_create_fix_flow(hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None) -> RepairsFlow:
    """Return the fix flow of an issue."""
    if data is None:  # the issue can only be acknowledged
        return ConfirmRepairFlow()
    if "identifier" not in data:
        return RetryFixFlow(str(data["entry_id"]))
    return LoopFixFlow(str(data["entry_id"]), str(data["identifier"]))
