"""Updates of an issue that may be asked for every second, because a value flaps between good and bad."""

from collections.abc import Awaitable, Callable
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

AT_ONCE: Final = 5
INTERVAL: Final = 60.0
"""Updates that are made at once, and the seconds after which one more may be."""


class Paced:
    """Runs an update in a task of its own, once for all requests in one iteration of the event loop."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, update: Callable[[], Awaitable[None]]) -> None:
        """`update` has to look at the present state by itself."""
        self._hass = hass
        self._entry = entry
        self._update = update
        self._at_once = float(AT_ONCE)
        self._counted_at = time.monotonic()
        self._requested = False
        self._end_timer: CALLBACK_TYPE | None = None

    @callback
    def soon(self) -> None:
        """Request an update: at once, unless there were too many."""
        if self._requested or self._end_timer:
            return
        now = time.monotonic()
        self._at_once = min(AT_ONCE, self._at_once + (now - self._counted_at) / INTERVAL)
        self._counted_at = now
        if self._at_once < 1:
            self._end_timer = async_call_later(self._hass, (1 - self._at_once) * INTERVAL, self._later)
            return
        self._at_once -= 1
        self._requested = True
        self._entry.async_create_task(self._hass, self._run(), "Aliyun issue", eager_start=False)

    @callback
    def stop(self) -> None:
        """End the timer."""
        if self._end_timer:
            self._end_timer()
            self._end_timer = None

    @callback
    def _later(self, _now: object) -> None:
        self._end_timer = None
        self.soon()

    async def _run(self) -> None:
        self._requested = False
        await self._update()
