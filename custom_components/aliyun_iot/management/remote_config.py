"""The remote configuration: downloaded, checked, and given to those who want it."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..alink.device import Device
from ..alink.errors import AlinkError, NotConnected, Rejected, RequestTimeout
from ..alink.foreign import logger_of
from ..alink.messages import JsonValue, decode_document
from ..alink.remote_config import RemoteConfig, get_config
from .fetching import fetch_bytes

_LOGGER = logger_of(__name__)

DOWNLOAD_TIME: Final = 60.0
"""Seconds."""

_NONE: Final = frozenset({6710, 6713})
"""Codes for a product that has none, or does not use them (docs/protocol.md §12.2)."""

type Content = dict[str, JsonValue]
type Received = Callable[[RemoteConfig, Content], Awaitable[None]]
"""Takes a configuration and its content."""


class ConfigDownloads:
    """Gets the remote configuration of one device, when it is asked for or pushed."""

    def __init__(self, hass: HomeAssistant, device: Device) -> None:
        """Start without one."""
        self._hass = hass
        self._device = device
        self._task: asyncio.Task[None] | None = None

    async def get(self) -> tuple[str, Content]:
        """Return the id and the content of the present configuration; raises what `get_config` raises, and FetchFailed."""
        config = await get_config(self._device)
        return config.id, await self._download(config)

    @callback
    def begin(self, config: RemoteConfig | None, on_received: Received) -> None:
        """Download a configuration that was pushed, or for None the present one, instead of one that is still under way."""
        self.stop()
        name = f"Aliyun remote configuration {self._device.topics.device_name}"
        self._task = self._hass.async_create_background_task(self._take(config, on_received), name)

    @callback
    def stop(self) -> None:
        """Give up a download."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def _take(self, config: RemoteConfig | None, on_received: Received) -> None:
        try:
            config = config or await get_config(self._device)
            content = await self._download(config)
        except (NotConnected, RequestTimeout) as err:
            _LOGGER.debug("The cloud does not send a remote configuration: %s", err)
        except AlinkError as err:
            there_is_none = isinstance(err, Rejected) and err.code in _NONE
            _LOGGER.log(
                logging.DEBUG if there_is_none else logging.WARNING,
                "The remote configuration of %s is not used: %s",
                self._device.topics.device_name,
                err,
            )
        else:
            await on_received(config, content)

    async def _download(self, config: RemoteConfig) -> Content:
        content = await fetch_bytes(self._hass, config.file, self._device.endpoint, DOWNLOAD_TIME)
        return await self._hass.async_add_executor_job(decode_document, content)
