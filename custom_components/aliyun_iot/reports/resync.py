"""What a lost connection leaves behind, and the order in which it is made good.

First the present: one snapshot, so that the cloud shows what is. Then what the cloud wanted meanwhile. Last the past, and
whatever happens during all that goes before it.
"""

import asyncio
import logging

from homeassistant.core import HomeAssistant, callback

from ..alink.samples import utc_milliseconds
from .desired_values import DesiredValues
from .reporter import Reporter
from .snapshot import Snapshot
from .store import UnsentStore

_LOGGER = logging.getLogger(__name__)

SNAPSHOT_TIMEOUT = 10.0
"""Seconds; a value that its binding holds back is no reason to wait longer."""


class CatchingUp:
    """Follows the connection of one device on behalf of those who have something to keep for the cloud."""

    def __init__(self, hass: HomeAssistant, reporter: Reporter, desired: DesiredValues, store: UnsentStore) -> None:
        """Nothing is sent before `start`."""
        self._hass = hass
        self._reporter = reporter
        self._desired = desired
        self._store = store
        self._started = False
        self._connected = False
        self._task: asyncio.Task[None] | None = None
        reporter.on_offline_change = store.write_soon

    async def load(self) -> None:
        """Bring back what the last run could not send; called once it is known what is bound."""
        self._reporter.restore(await self._store.load())

    @callback
    def start(self) -> None:
        """Begin to keep what happens, and to send it as long as there is a connection; once is enough.

        Called once Home Assistant has started.
        """
        if self._started:
            return
        self._started = True
        self._reporter.start()
        if self._connected:
            self._begin()

    @callback
    def connected(self) -> None:
        """Take note of a connection."""
        self._connected = True
        if self._started:
            self._begin()

    @callback
    def disconnected(self) -> None:
        """Take note that there is no connection; to hear so again changes nothing."""
        if not self._connected:
            return
        self._connected = False
        self._end()
        if self._store.offline_since is None:  # else nobody knows yet what was desired during the last absence
            self._store.offline_since = utc_milliseconds()
        self._reporter.disconnected()

    async def stop(self) -> None:
        """Keep on disk what is unsent; called when nothing happens any more."""
        self._end()
        await self._store.stop()

    def _begin(self) -> None:
        self._end()
        snapshot = self._reporter.connected()
        self._task = self._hass.async_create_background_task(self._catch_up(snapshot), "Aliyun catching up")

    def _end(self) -> None:
        self._desired.pause()
        if self._task:
            self._task.cancel()
            self._task = None

    async def _catch_up(self, snapshot: Snapshot) -> None:
        await snapshot.wait(SNAPSHOT_TIMEOUT)
        try:
            await self._desired.catch_up()
        except Exception:  # whatever may be wrong there, the past is to be sent
            _LOGGER.exception("Looking for desired values failed unexpectedly")
        self._reporter.sender.allow_past(allowed=True)
