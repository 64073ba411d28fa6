"""A wrong clock of this machine, found by asking the cloud for the time and reported as a repair issue.

Values are reported with the time of Home Assistant, so with a wrong clock they are in the wrong place in every chart of the
cloud, and more than a day ahead the platform refuses them (code 6326). The time of the cloud is used for the issue only.
"""

import asyncio
from datetime import datetime, timedelta
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..alink.errors import NotConnected, RequestTimeout
from ..alink.foreign import logger_of
from ..alink.link import Link, LinkState
from ..alink.ntp import ClockReading
from .issues import Issue, Issues

_LOGGER = logger_of(__name__)

TIME_REFUSED = 6326

TOLERANCE = 60.0
"""Seconds. A clock that is set by the network is off by less than one; charts and rules count in minutes."""

INTERVAL = 24 * 3600.0
"""Seconds between two requests while all is well; a clock that is never set drifts some seconds a day."""

SHORT_INTERVAL = 600.0
"""Seconds between two requests while there is reason to doubt the clock, and between two checks for such a reason."""

REPLY_TIMEOUT = 10.0
"""Seconds to wait for the reply."""


class ClockWatch:
    """Compares the clock of this machine with the cloud's."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues, link: Link) -> None:
        """Nothing is sent before `start`."""
        self._hass = hass
        self._entry = entry
        self._issues = issues
        self._link = link
        self._asked_at: float | None = None
        self._suspicious = False
        self._shift = _shift()
        self._reading: asyncio.Task[None] | None = None
        self._end: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Ask for the time now, and whenever it is time to."""
        if self._end is None:
            self._end = async_track_time_interval(self._hass, self._check, timedelta(seconds=SHORT_INTERVAL))
            self._check()

    @callback
    def stop(self) -> None:
        """Stop asking."""
        if self._end:
            self._end()
            self._end = None
        if self._reading:
            self._reading.cancel()

    @callback
    def connected(self) -> None:
        """Ask for the time if it is time to."""
        self._check()

    async def compare(self) -> None:
        """Ask for the time now, and wait for the reply."""
        if self._link.state is LinkState.ONLINE:
            await self._read()

    @callback
    def code_received(self, code: int) -> None:
        """Handle the code of a reply: one of them casts doubt on the clock."""
        if code == TIME_REFUSED:
            self._suspicious = True
            self._check()

    @callback
    def _check(self, _now: datetime | None = None) -> None:
        if self._end is None or self._link.state is not LinkState.ONLINE:
            return
        if self._is_due() and (self._reading is None or self._reading.done()):
            self._reading = self._entry.async_create_background_task(self._hass, self._read(), "Aliyun clock")

    def _is_due(self) -> bool:
        if self._asked_at is None:
            return True
        was_set = abs(_shift() - self._shift) > TOLERANCE
        return time.monotonic() - self._asked_at >= (SHORT_INTERVAL if self._suspicious or was_set else INTERVAL)

    async def _read(self) -> None:
        try:
            reading = await self._link.device.read_clock(REPLY_TIMEOUT)
        except NotConnected:  # the next connection asks again
            return
        except RequestTimeout as err:  # not every host has a time service
            _LOGGER.debug("Cannot compare the clocks: %s", err)
            reading = None
        self._asked_at = time.monotonic()
        self._shift = _shift()
        self._suspicious = reading is not None and reading.skew > TOLERANCE
        if self._suspicious and reading is not None:
            self._create_issue(reading)
        elif reading is not None:
            self._issues.delete(Issue.CLOCK_SKEW)

    def _create_issue(self, reading: ClockReading) -> None:
        ours = dt_util.utcnow()
        theirs = ours + timedelta(seconds=reading.ahead)
        _LOGGER.warning("%s: the clock here says %s, the cloud's %s", self._entry.title, ours, theirs)
        self._issues.create(Issue.CLOCK_SKEW, ours=_readable(ours), theirs=_readable(theirs))


def _shift() -> float:
    """Return a difference that only changes when the clock is set, or when the machine slept."""
    return time.time() - time.monotonic()


def _readable(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
