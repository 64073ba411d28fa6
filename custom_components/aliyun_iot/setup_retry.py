"""Entries in setup retry: what happens in the house between two attempts to connect is kept for the cloud.

Home Assistant sets an entry up anew at each attempt, and after a restart in the middle of an outage it may take hours until
one succeeds. So the runtime of the first attempt stays, listens, and is taken over by the next attempt.
"""

import asyncio

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .alink.mqtt.connecting import LinkConfig
from .const import DOMAIN
from .runtime import AliyunConfigEntry, Runtime

_WAITING: HassKey[dict[str, _Waiting]] = HassKey(f"{DOMAIN}_setup_retry")

_RETRY_STATES = (ConfigEntryState.SETUP_RETRY, ConfigEntryState.SETUP_IN_PROGRESS)


@callback
def async_keep(hass: HomeAssistant, entry: AliyunConfigEntry, runtime: Runtime) -> None:
    """Keep a runtime that could not connect until the next attempt; it is stopped when Home Assistant gives the entry up."""
    hass.data.setdefault(_WAITING, {})[entry.entry_id] = _Waiting(hass, entry, runtime)


async def async_take_over(hass: HomeAssistant, entry: AliyunConfigEntry, config: LinkConfig) -> Runtime | None:
    """Return the runtime of an earlier attempt.

    None without one, or when it was made for another configuration of the link; then it has stopped.
    """
    waiting = hass.data.get(_WAITING, {}).get(entry.entry_id)
    return await waiting.take_over(config) if waiting else None


async def async_end(hass: HomeAssistant, entry: AliyunConfigEntry) -> None:
    """Stop the runtime of an earlier attempt, if there is one."""
    if waiting := hass.data.get(_WAITING, {}).get(entry.entry_id):
        await waiting.stop()


class _Waiting:
    """A runtime that waits for the next attempt. It stays known until it is taken over or has stopped."""

    def __init__(self, hass: HomeAssistant, entry: AliyunConfigEntry, runtime: Runtime) -> None:
        self._hass = hass
        self._entry = entry
        self._runtime = runtime
        self._stopping: asyncio.Task[None] | None = None
        self._end = entry.async_on_state_change(self._state_changed)

    async def take_over(self, config: LinkConfig) -> Runtime | None:
        """Return the runtime if it is for this configuration; otherwise stop it and return None."""
        if self._stopping is None and self._runtime.link.config == config:
            self._remove()
            return self._runtime
        await self.stop()
        return None

    async def stop(self) -> None:
        """Stop the runtime; this goes on when a caller is cancelled."""
        await asyncio.shield(self._begin_to_stop())

    @callback
    def _state_changed(self) -> None:
        if self._entry.state not in _RETRY_STATES:
            self._begin_to_stop()

    def _begin_to_stop(self) -> asyncio.Task[None]:
        if self._stopping is None:
            self._stopping = self._hass.async_create_task(self._stop(), "Aliyun stop of a setup retry")
        return self._stopping

    async def _stop(self) -> None:
        await self._runtime.stop()
        self._remove()

    def _remove(self) -> None:
        self._end()
        self._hass.data[_WAITING].pop(self._entry.entry_id, None)
