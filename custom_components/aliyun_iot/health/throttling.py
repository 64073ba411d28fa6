"""Replies that say again and again that too many messages are sent."""

from collections import deque
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..alink.codes import Code
from ..settings import read_settings
from .issues import Issue, Issues

THROTTLED_REPLIES: Final = 5
PERIOD: Final = 600.0
"""So many such replies in so many seconds are an issue; a single one may be caused by another device of the instance."""

SOLVED_AFTER: Final = 1800.0
"""Seconds without such a reply after which the issue is solved."""


class Throttling:
    """Counts such replies to one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues) -> None:
        """Start without any."""
        self._hass = hass
        self._entry = entry
        self._issues = issues
        self._replies: deque[float] = deque(maxlen=THROTTLED_REPLIES)
        self._end: CALLBACK_TYPE | None = None

    @callback
    def code_received(self, code: int) -> None:
        """Handle the code of a reply."""
        if code != Code.TOO_BUSY:
            return
        now = time.monotonic()
        self._replies.append(now)
        if len(self._replies) == THROTTLED_REPLIES and now - self._replies[0] <= PERIOD:
            rate = read_settings(self._entry.options)[0].uplink_rate
            self._issues.create(Issue.RATE_LIMIT, rate=f"{rate:g}")
        self.stop()
        self._end = async_call_later(self._hass, SOLVED_AFTER, self._solved)

    @callback
    def stop(self) -> None:
        """End the timer."""
        if self._end:
            self._end()
            self._end = None

    @callback
    def _solved(self, _now: object) -> None:
        self._end = None
        self._replies.clear()
        self._issues.delete(Issue.RATE_LIMIT)
