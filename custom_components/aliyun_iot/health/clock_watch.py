"""A clock that is wrong: noticed by asking the cloud for the time, and told as a repair issue.

Values are reported with the time of Home Assistant, so a wrong clock puts them in the wrong place of every chart in the cloud,
and more than a day ahead the platform refuses them (code 6326). Nothing but the report depends on what the cloud says.
"""

import asyncio
from datetime import datetime, timedelta
import logging
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..alink.errors import NotConnected, RequestTimeout
from ..alink.link import Link, LinkState
from ..alink.ntp import ClockReading
from .issues import Issue, Issues

_LOGGER = logging.getLogger(__name__)

TIME_REFUSED = 6326

TOLERANCE = 60.0
"""Seconds. A machine that sets its clock by the network is off by less than one, charts and rules count in minutes."""

RARELY = 24 * 3600.0
"""Seconds between two questions while all is well; a clock that nobody sets drifts some seconds a day."""

PATIENCE = 10.0
"""Seconds to wait for the answer."""

SOON = 600.0
"""Seconds between two questions while there is a reason to ask, which is also how often it is looked for one."""


class ClockWatch:
    """Compares the clock of this machine with the cloud's, by the link of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, link: Link) -> None:
        """Ask nothing before `start`."""
        self._hass = hass
        self._entry = entry
        self._issues = Issues(hass, entry)
        self._link = link
        self._asked_at: float | None = None
        self._suspicious = False
        self._shift = _shift()
        self._reading: asyncio.Task[None] | None = None
        self._end: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Begin to ask: now, and whenever there is a reason."""
        if self._end is None:
            self._end = async_track_time_interval(self._hass, self._look, timedelta(seconds=SOON))
            self._look()

    async def stop(self) -> None:
        """Ask no more; what is told is withdrawn when the entry is unloaded."""
        if self._end:
            self._end()
            self._end = None
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    @callback
    def connected(self) -> None:
        """Ask if it is time to, now that there is somebody to ask."""
        self._look()

    @callback
    def code_came(self, code: int) -> None:
        """Take note of the code of a reply: one of them casts doubt on the clock."""
        if code == TIME_REFUSED:
            self._suspicious = True
            self._look()

    @callback
    def _look(self, _now: datetime | None = None) -> None:
        if self._end is None or self._link.state is not LinkState.ONLINE:
            return
        if self._is_due() and (self._reading is None or self._reading.done()):
            self._reading = self._entry.async_create_background_task(self._hass, self._read(), "Aliyun clock")

    def _is_due(self) -> bool:
        if self._asked_at is None:
            return True
        was_set = abs(_shift() - self._shift) > TOLERANCE
        return time.monotonic() - self._asked_at >= (SOON if self._suspicious or was_set else RARELY)

    async def _read(self) -> None:
        try:
            reading = await self._link.device.read_clock(PATIENCE)
        except NotConnected:  # asked again as soon as it is connected
            return
        except RequestTimeout as err:  # not every instance has a time service
            _LOGGER.debug("Cannot compare the clocks: %s", err)
            reading = None
        self._asked_at = time.monotonic()
        self._shift = _shift()
        self._suspicious = reading is not None and reading.skew > TOLERANCE
        if self._suspicious and reading is not None:
            self._tell(reading)
        elif reading is not None:
            self._issues.solved(Issue.CLOCK_SKEW)

    def _tell(self, reading: ClockReading) -> None:
        ours = dt_util.utcnow()
        theirs = ours + timedelta(seconds=reading.ahead)
        _LOGGER.warning("%s: the clock here says %s, the cloud's %s", self._entry.title, ours, theirs)
        self._issues.tell(Issue.CLOCK_SKEW, ours=_in_words(ours), theirs=_in_words(theirs))


def _shift() -> float:
    """Return what only changes when somebody sets the clock, or when the machine slept."""
    return time.time() - time.monotonic()


def _in_words(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
