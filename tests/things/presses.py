"""Button, update and event entity."""

from typing import Any, ClassVar

from homeassistant.components.button import ButtonEntity
from homeassistant.components.event import EventEntity
from homeassistant.components.update import UpdateEntity, UpdateEntityFeature


class Bell(ButtonEntity):
    """A button that counts presses."""

    _attr_name = "thing"
    rung = 0

    async def async_press(self) -> None:
        """Count a press."""
        self.rung += 1


class Firmware(UpdateEntity):
    """A device that installs an update immediately."""

    _attr_name = "thing"
    _attr_supported_features = UpdateEntityFeature.INSTALL
    _attr_installed_version = "1.0"
    _attr_latest_version = "1.1"

    async def async_install(self, version: str | None, backup: bool, **fields: Any) -> None:
        """Install the update."""
        self._attr_installed_version = self._attr_latest_version


class Doorbell(EventEntity):
    """A doorbell."""

    _attr_name = "thing"
    _attr_event_types: ClassVar = ["ring", "hold"]

    def happen(self, event: str) -> None:
        """Fire an event."""
        self._trigger_event(event)
        self.async_write_ha_state()
