"""The page that asks which device of an entry something is for: the entry's own one, or a sub-device."""

from abc import abstractmethod
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowContext, SubentryFlowResult
from homeassistant.helpers.selector import SelectOptionDict, SelectSelector, SelectSelectorConfig, SelectSelectorMode
import voluptuous as vol

from ..alink.model.thing_model import ThingModel
from ..const import OWN
from ..stored_device import StoredDevice, sub_devices_of
from .safe_pages import SafePages

CONF_DEVICE: Final = "device"

_OWN_CHOICE: Final = "own"
"""The value for the entry's own device: an empty one would look as if nothing was chosen."""


class DeviceChoice(SafePages[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow):
    """A flow that begins with the device, if there is a choice."""

    _owner: str | None = None

    @property
    def owner(self) -> str:
        """The owner of what this flow is about."""
        return self._owner or OWN

    @property
    def device(self) -> StoredDevice:
        """The device that this flow is about."""
        return StoredDevice(self._get_entry(), self.owner)

    @property
    def model(self) -> ThingModel | None:
        """The thing model of the device."""
        return self.device.read_thing_model()[0]

    def asks_for_device(self) -> bool:
        """Return whether the device has to be chosen first."""
        return self._owner is None and bool(sub_devices_of(self._get_entry()))

    async def async_step_device(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the device, and begin."""
        if user_input is not None:
            chosen = str(user_input[CONF_DEVICE])
            self._owner = OWN if chosen == _OWN_CHOICE else chosen
            return await self.async_step_user()
        entry = self._get_entry()
        options = [
            SelectOptionDict(value=_OWN_CHOICE, label=entry.title),
            *(SelectOptionDict(value=device.owner, label=device.title) for device in sub_devices_of(entry)),
        ]
        selector = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN))
        return self.async_show_form(
            step_id="device",
            data_schema=vol.Schema({vol.Required(CONF_DEVICE, default=_OWN_CHOICE): selector}),
            last_step=False,
        )

    @abstractmethod
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Begin with the device that was chosen."""
