"""The delivery loop: one machine that sends what the lanes have (`lanes.py`).

One message is on its way at a time, so a slow cloud slows the sending down instead of piling messages up. What is refused or
too large is split until the value at fault is alone; codes that say "not now" cause a pause; a message without a reply is sent
again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import batched, islice
import time
from typing import Any

from homeassistant.core import HomeAssistant, callback

from ..alink.codes import DEVICE_CODES, RETRY_CODES, describe
from ..alink.errors import MessageError, NotConnected, RequestTimeout, Unanswered
from ..alink.foreign import logger_of, safe
from .events import EventQueue
from .history import History
from .lanes import VALUES_PER_POST, EventLane, Lane, LiveLane, Named, NewestLane, PastLane
from .outbox import Counters, Outbox

_LOGGER = logger_of(__name__)

RETRY_DELAY = 5.0
DEVICE_DELAY = 60.0
"""Seconds after one of the `RETRY_CODES`, and after one of the `DEVICE_CODES`."""

MAX_REFUSED_IN_A_ROW = 20
"""Messages of a lane: finding one bad value among 200 takes nine in a row, so after these the cloud takes none at all."""

MAX_FAILED_IN_A_ROW = 3
"""Unexpected errors of a lane in a row after which a batch is handled like one that was refused: it must not block the rest."""

TOO_LARGE = "too large for a message"


class Sender:
    """Sends the lanes of one device: newest values and live samples in rounds, events between them, the past last."""

    def __init__(
        self,
        hass: HomeAssistant,
        is_online: Callable[[], bool],
        outbox: Outbox,
        history: History,
        events: EventQueue,
        counters: Counters,
        window: float,
        *,
        newest: NewestLane,
        live: LiveLane,
        past: PastLane,
        event: EventLane,
    ) -> None:
        """Nothing is sent while the device is not `is_online`. `window` is the shortest time between two rounds, in seconds."""
        self.window = window
        self._hass = hass
        self._is_online = is_online
        self._outbox = outbox
        self._history = history
        self._events = events
        self._counters = counters
        self._newest = newest
        self._live = live
        self.past = past
        """After each connect it is not `allowed`, as samples of the past wait for the present."""
        self._event = event
        self._opens_at = 0.0
        self._started = False
        self._news = False
        self._task: asyncio.Task[None] | None = None
        self._pause: asyncio.Future[None] | None = None
        self._is_window = False
        """Whether the pause is the window, which only `wake_at_once` ends."""

    @callback
    def start(self) -> None:
        """Start to send."""
        self._started = True
        self.wake()

    async def stop(self) -> None:
        """Stop sending; what is on its way stays unsent."""
        self._started = False
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @callback
    def wake(self) -> None:
        """Check what there is to send, once the window is over."""
        self._news = True
        if self._task is None and self._started:  # a thousand devices that have nothing to send need no task each
            self._task = self._hass.async_create_background_task(self._run(), "Aliyun sender", eager_start=False)
        if not self._is_window:
            self._end_pause()

    @callback
    def wake_at_once(self) -> None:
        """Check what there is to send without waiting for the window."""
        self.wake()
        self._end_pause()

    @callback
    def disconnected(self) -> None:
        """Hold the past back until it is allowed again, and forget what the host refused or did not know."""
        self.past.allowed = False
        self._live.batches = True
        for lane in (self._newest, self._live, self.past, self._event):
            lane.refused_in_a_row = lane.failed_in_a_row = 0

    @callback
    def allow_past(self) -> None:
        """Send samples of the past from now on."""
        self.past.allowed = True
        self.wake_at_once()

    async def _run(self) -> None:
        """Send until nothing waits, or there is no connection."""
        while self._news:
            self._news = False
            try:
                while self._is_online() and await self._send_something():
                    pass
            except NotConnected as err:
                _LOGGER.debug("Waiting for the next connection: %s", err)
            except Exception:  # an unexpected error must not end the loop
                _LOGGER.exception("Sending failed unexpectedly")
                await asyncio.sleep(RETRY_DELAY)
                self._news = True
        self._task = None

    async def _send_something(self) -> bool:
        """Send what comes first, or wait for it; return False when nothing waits."""
        closed = self._opens_at - time.monotonic()
        due = self._outbox.due() if closed <= 0 else ()
        live = bool(self._history.live)
        if due or (live and (closed <= 0 or self._live.is_full())):
            await self._send_round(due)
        elif self._events.waiting:
            await self._deliver(self._event, self._event.take())
        elif self.past.allowed and self._history.past:
            await self._deliver(self.past, self.past.take())
        elif closed > 0 and (live or self._outbox.waiting):
            await self._wait(closed, is_window=True)
        elif self._outbox.waiting:
            await self._wait(self._outbox.next_due())
        else:
            return False
        return True

    async def _wait(self, seconds: float, *, is_window: bool = False) -> None:
        """Wait so many seconds, unless there is something new to send; nothing that is new ends the window."""
        self._pause, self._is_window = asyncio.get_running_loop().create_future(), is_window
        await asyncio.wait([self._pause], timeout=seconds)
        self._pause, self._is_window = None, False

    @callback
    def _end_pause(self) -> None:
        if self._pause and not self._pause.done():
            self._pause.set_result(None)

    async def _send_round(self, due: Sequence[str]) -> None:
        """Send values that are due, live samples and events in turns, so that none of them waits for a flood of another."""
        for identifiers in list(batched(due, VALUES_PER_POST, strict=False)) or [()]:
            if identifiers:
                await self._deliver(self._newest, self._newest.take(identifiers))
            if self._history.live:
                await self._deliver(self._live, self._live.take())
            if self._events.waiting:
                await self._deliver(self._event, self._event.take())
        self._opens_at = time.monotonic() + self.window

    async def _deliver[Key, Item: Named](self, lane: Lane[Key, Item], batch: Mapping[Key, Item]) -> None:
        """Send a batch, in more than one message if need be. Raises NotConnected."""
        batches = [batch] if batch else []
        try:
            while batches:
                if reason := await self._send(lane, batches[-1]):
                    batches[-1:] = reversed(_halves(batches[-1])) if self._searches(lane, batches[-1], reason) else []
                else:
                    batches.pop()
        finally:
            for unsent in batches:
                lane.put_back(unsent)

    async def _send[Key, Item: Named](self, lane: Lane[Key, Item], batch: Mapping[Key, Item]) -> str:
        """Send one message and settle what was in it; return why it was refused as a whole, nothing if it was not."""
        try:
            reply = await lane.post(batch)
        except MessageError:
            return TOO_LARGE
        except Unanswered as err:
            lane.unanswered(batch, str(err))
            return ""
        except RequestTimeout as err:
            _LOGGER.debug("Sending a message again: %s", err)
            self._retry(lane, batch)
            return ""
        except NotConnected:
            self._counters.retried += len(batch)
            raise
        except Exception as err:
            lane.failed_in_a_row += 1
            if lane.failed_in_a_row < MAX_FAILED_IN_A_ROW:
                raise
            _LOGGER.exception("Sending failed unexpectedly")
            lane.refused_in_a_row += 1
            return f"unexpected {type(err).__name__}"
        self._counters.posts += 1
        lane.failed_in_a_row = 0
        if reply.code in RETRY_CODES:
            _LOGGER.debug("The cloud asks to try again: %s", describe(reply.code))
            await asyncio.sleep(DEVICE_DELAY if reply.code in DEVICE_CODES else RETRY_DELAY)
            self._retry(lane, batch)
            return ""
        if not reply.ok:
            lane.refused_in_a_row += 1
            return safe(f"{reply.code} {reply.message}")
        lane.refused_in_a_row = 0
        lane.settle(batch, reply.rejected)
        return ""

    def _searches(self, lane: Lane[Any, Any], batch: Mapping[Any, Any], reason: str) -> bool:
        """Return whether to look for the value at fault in a refused batch; otherwise settle the batch."""
        if lane.refused_in_a_row >= MAX_REFUSED_IN_A_ROW:
            lane.refuses_all(batch, reason)
        elif len(batch) == 1:
            lane.refuse(batch, reason)
        else:
            return True
        return False

    def _retry(self, lane: Lane[Any, Any], batch: Mapping[Any, Any]) -> None:
        self._counters.retried += len(batch)
        lane.put_back(batch)


def _halves[Key, Item: Named](batch: Mapping[Key, Item]) -> list[Mapping[Key, Item]]:
    middle = len(batch) // 2
    return [dict(islice(batch.items(), middle)), dict(islice(batch.items(), middle, None))]
