"""What happens after a connect, in this order: the present, desired values, the past.

First a snapshot, so that the cloud has the present values. Then the desired values that were set meanwhile. Last the samples of
the past, which give way to everything that happens now.
"""

import asyncio

from homeassistant.core import HomeAssistant, callback

from ..alink.foreign import logger_of
from ..alink.samples import utc_milliseconds
from .desired_values import DesiredValues
from .outbox import Snapshot
from .reporter import Reporter
from .store import UnsentStore

_LOGGER = logger_of(__name__)

SNAPSHOT_TIMEOUT = 10.0
"""Seconds; the minimum interval of a binding may hold its value back for longer."""


class Resync:
    """Follows the connection of one device for its reporter, its desired values and its store."""

    def __init__(
        self,
        hass: HomeAssistant,
        reporter: Reporter,
        desired: DesiredValues,
        store: UnsentStore,
        in_turn: asyncio.Semaphore,
    ) -> None:
        """Nothing is sent before `start`; desired values are fetched `in_turn` with other devices."""
        self._hass = hass
        self._reporter = reporter
        self._desired = desired
        self._store = store
        self._in_turn = in_turn
        self._started = False
        self._connected = False
        self._task: asyncio.Task[None] | None = None

    async def load(self, *, anything: bool = True) -> None:
        """Restore what the last run could not send; called once it is known what is bound. `anything` is as for the store."""
        self._reporter.restore(await self._store.load(anything=anything))

    @callback
    def start(self) -> None:
        """Queue what happens from now on, and send it while there is a connection; a second call does nothing.

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
        """Bring the cloud up to date."""
        self._connected = True
        if self._started:
            self._begin()

    @callback
    def disconnected(self) -> None:
        """Keep everything for the next connection; does nothing while there is none."""
        if not self._connected:
            return
        self._connected = False
        self._store.resynced = False
        self.stop()
        if self._store.offline_since is None:  # otherwise the desired values of the last absence are still unknown
            self._store.offline_since = utc_milliseconds()
        self._reporter.disconnected()

    @callback
    def stop(self) -> None:
        """Stop bringing the cloud up to date."""
        self._desired.pause()
        if self._task:
            self._task.cancel()
            self._task = None

    def _begin(self) -> None:
        self.stop()
        snapshot = self._reporter.connected()
        self._task = self._hass.async_create_background_task(self._resync(snapshot), "Aliyun resync")

    async def _resync(self, snapshot: Snapshot) -> None:
        await snapshot.wait(SNAPSHOT_TIMEOUT)
        self._store.resynced = True
        self._store.write_soon()  # after a power cut, what is on disk now would be sent again
        try:
            async with self._in_turn:
                await self._desired.catch_up()
        except Exception:  # the past is to be sent nevertheless
            _LOGGER.exception("Getting the desired values failed unexpectedly")
        self._reporter.sender.allow_past()
        self._task = None
