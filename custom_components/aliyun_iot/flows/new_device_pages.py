"""What all roads to a new device share: the device is claimed for the flow, and added once its connection was tested."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, ConfigSubentryData


class NewDevicePages:
    """Pages that end with a new device; the config flow adds it."""

    @abstractmethod
    async def add_device(
        self,
        data: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        subentries: Iterable[ConfigSubentryData] = (),
    ) -> ConfigFlowResult:
        """Test the connection and create the entry; raises InputRefused."""

    @abstractmethod
    async def claim(self, product_key: str, device_name: str) -> None:
        """Make the device that of the flow; raises AbortFlow if it has an entry."""
