"""What of device management one device of the cloud uses, and the parts that do it.

A chapter that neither the settings nor an automation uses costs nothing: no subscription, no message, no listener.
"""

from functools import partial

from homeassistant.core import HomeAssistant, callback

from ..alink.chapters import Chapter
from ..alink.device import Device
from ..settings import Settings
from ..stopping import stop_all
from ..stored_device import StoredDevice
from .tags import TagSync, tags_of


class Management:
    """The device management of one device."""

    def __init__(self, hass: HomeAssistant, stored: StoredDevice, device: Device) -> None:
        """Use nothing before `follow`."""
        self._hass = hass
        self._stored = stored
        self._device = device
        self._tags = TagSync(hass, device, partial(tags_of, hass, stored), self._use_soon)

    async def follow(self, settings: Settings) -> None:
        """Do what the settings say from now on."""
        self._tags.follow(enabled=settings.sync_tags)
        await self._use()

    @callback
    def connected(self) -> None:
        """Bring the cloud up to date."""
        self._tags.connected()

    @callback
    def disconnected(self) -> None:
        """Pause until the device is connected again."""
        self._tags.disconnected()

    async def stop(self) -> None:
        """Stop everything."""
        await stop_all(self._tags.stop)

    @callback
    def _use_soon(self) -> None:
        self._stored.entry.async_create_task(self._hass, self._use(), "Aliyun device management")

    async def _use(self) -> None:
        """Subscribe to what is in use."""
        parts = {Chapter.TAGS: self._tags.in_use}
        await self._device.use(chapter for chapter, in_use in parts.items() if in_use)
