"""The remote configuration: downloaded, checked, and given to those who want it."""

import asyncio
from collections.abc import Callable
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..alink.device import Device
from ..alink.errors import AlinkError
from ..alink.foreign import logger_of
from ..alink.messages import JsonValue, decode_document
from ..alink.remote_config import RemoteConfig, get_config
from .fetching import fetch_bytes

_LOGGER = logger_of(__name__)

DOWNLOAD_TIME: Final = 60.0
"""Seconds."""

type Content = dict[str, JsonValue]
type Received = Callable[[str, Content], None]
"""Takes the id and the content of a configuration."""


class ConfigDownloads:
    """Gets the remote configuration of one device, when it is asked for or pushed."""

    def __init__(self, hass: HomeAssistant, device: Device, on_received: Received) -> None:
        """`on_received` is called with each configuration that was pushed."""
        self._hass = hass
        self._device = device
        self._on_received = on_received
        self._task: asyncio.Task[None] | None = None

    async def get(self) -> tuple[str, Content]:
        """Return the id and the content of the present configuration; raises what `get_config` raises, and FetchFailed."""
        return await self._download(await get_config(self._device))

    @callback
    def pushed(self, config: RemoteConfig) -> None:
        """Download a configuration that was pushed; the newest replaces one that is still under way."""
        self.stop()
        name = f"Aliyun remote configuration {self._device.topics.device_name}"
        self._task = self._hass.async_create_background_task(self._take(config), name)

    @callback
    def stop(self) -> None:
        """Give up a download."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def _take(self, config: RemoteConfig) -> None:
        try:
            config_id, content = await self._download(config)
        except AlinkError as err:
            _LOGGER.warning("The remote configuration of %s is not used: %s", self._device.topics.device_name, err)
        else:
            self._on_received(config_id, content)

    async def _download(self, config: RemoteConfig) -> tuple[str, Content]:
        content = await fetch_bytes(self._hass, config.file, self._device.endpoint, DOWNLOAD_TIME)
        return config.id, await self._hass.async_add_executor_job(decode_document, content)
