"""Entries between two tries to connect: what happens in the house meanwhile is kept for the cloud.

Home Assistant sets an entry up anew at each try. After a restart in the middle of an outage, it may take hours until one
succeeds, so the runtime of the first try stays, listens, and is taken over by the next one.
"""

import asyncio

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .alink.mqtt.connecting import LinkConfig
from .const import DOMAIN
from .runtime import AliyunConfigEntry, Runtime

_WAITING: HassKey[dict[str, _Waiting]] = HassKey(f"{DOMAIN}_between_tries")

_STATES = (ConfigEntryState.SETUP_RETRY, ConfigEntryState.SETUP_IN_PROGRESS)


@callback
def async_keep(hass: HomeAssistant, entry: AliyunConfigEntry, runtime: Runtime) -> None:
    """Keep a runtime, which could not connect, until the next try of its entry, or until nobody tries any more."""
    hass.data.setdefault(_WAITING, {})[entry.entry_id] = _Waiting(hass, entry, runtime)


async def async_take_over(hass: HomeAssistant, entry: AliyunConfigEntry, config: LinkConfig) -> Runtime | None:
    """Return the runtime that an earlier try has left, unless the entry is to connect in another way now."""
    runtime = await _taken(hass, entry)
    if runtime and runtime.link.config != config:
        await runtime.stop()
        return None
    return runtime


async def async_end(hass: HomeAssistant, entry: AliyunConfigEntry) -> None:
    """Stop the runtime that an earlier try has left, if there is one."""
    if runtime := await _taken(hass, entry):
        await runtime.stop()


async def _taken(hass: HomeAssistant, entry: AliyunConfigEntry) -> Runtime | None:
    waiting = hass.data.get(_WAITING, {}).pop(entry.entry_id, None)
    return await waiting.take() if waiting else None


class _Waiting:
    """A runtime, and the end of the waiting: it is stopped as soon as Home Assistant does not try any more."""

    def __init__(self, hass: HomeAssistant, entry: AliyunConfigEntry, runtime: Runtime) -> None:
        self._hass = hass
        self._entry = entry
        self._runtime = runtime
        self._stopping: asyncio.Task[None] | None = None
        self._ignore = entry.async_on_state_change(self._state_changed)

    async def take(self) -> Runtime | None:
        """Return the runtime, or None when it was stopped; then nothing of it is left."""
        if self._stopping:
            await self._stopping
            return None
        self._ignore()
        return self._runtime

    @callback
    def _state_changed(self) -> None:
        if self._stopping is None and self._entry.state not in _STATES:
            self._stopping = self._hass.async_create_task(self._stop(), "Aliyun end of waiting")

    async def _stop(self) -> None:
        await self._runtime.stop()
        self._ignore()
        self._hass.data[_WAITING].pop(self._entry.entry_id, None)
