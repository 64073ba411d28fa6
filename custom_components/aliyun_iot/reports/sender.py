"""The one who sends: live values first, then live samples, then what an outage has left behind.

One message is on its way at a time, so that a slow cloud slows the sending down instead of piling messages up. All of them
pass the limiter of the link, which events share.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import batched
import logging
import time

from homeassistant.core import HomeAssistant, callback

from ..alink.codes import DEVICE_CODES, RETRY_CODES, describe
from ..alink.errors import MessageError, NotConnected, RequestTimeout
from ..alink.link import REPLY_TIMEOUT, Link, LinkState
from ..alink.messages import Reply
from ..alink.samples import Sample, utc_milliseconds
from ..bound import BoundProperties
from .counters import Counters
from .history import History, Kept
from .outbox import Outbox
from .rejections import Rejections

_LOGGER = logging.getLogger(__name__)

PROPERTIES_PER_POST = 200
"""What the platform takes in one message (docs/protocol.md §4.1)."""

SAMPLES_PER_POST = 200
"""The same for samples: a limit is not documented, and that of a post is safe to assume (docs/protocol.md §4.3)."""

RETRY_DELAY = 5.0
DEVICE_DELAY = 60.0
"""Seconds after one of the `RETRY_CODES`, and after one of the `DEVICE_CODES`."""

REFUSED_IN_A_ROW = 20
"""Messages: to find what is wrong with one value among 200 takes eight, so this means that the cloud takes none at all."""

FUTURE_MS = 24 * 3_600_000
"""How far in the future a time may be; else the platform refuses the whole message (docs/protocol.md §4.1, 6326)."""

TOO_LARGE = "too large for a message"
TOO_EARLY = "its time is more than a day ahead: the clock was wrong"

type PostSamples = Callable[[Iterable[tuple[str, Sample]], float], Awaitable[Reply]]


class Sender:
    """Sends what is in an outbox and a history."""

    def __init__(
        self,
        hass: HomeAssistant,
        link: Link,
        outbox: Outbox,
        history: History,
        rejections: Rejections,
        counters: Counters,
        window: float,
    ) -> None:
        """`window` is the shortest time between two rounds of live values, in seconds."""
        self.window = window
        self._hass = hass
        self._link = link
        self._outbox = outbox
        self._history = history
        self._rejections = rejections
        self._counters = counters
        self._bound = BoundProperties()
        self._opens_at = 0.0
        self.sends_past = False
        """Whether the past has its turn: it waits for the present after each connect."""
        self._refused_posts = 0
        self._refused_in_a_row = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @callback
    def start(self) -> None:
        """Begin to send."""
        self._task = self._hass.async_create_background_task(self._run(), "Aliyun sender", eager_start=False)

    async def stop(self) -> None:
        """Stop sending; what is on its way stays unsent."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @callback
    def follow(self, bound: BoundProperties) -> None:
        """Send values of these properties only."""
        self._bound = bound

    @callback
    def wake(self) -> None:
        """Look at what there is to send."""
        self._wake.set()

    @callback
    def allow_past(self, *, allowed: bool) -> None:
        """Send samples of the past from now on, or not any more."""
        self.sends_past = allowed
        self._refused_in_a_row = 0
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._online and await self._send_something():
                    pass
            except NotConnected as err:
                _LOGGER.debug("Waiting for the next connection: %s", err)
            except Exception:  # what nobody has thought of must not be the end of all sending
                _LOGGER.exception("Sending failed unexpectedly")
                await asyncio.sleep(RETRY_DELAY)
                self._wake.set()

    @property
    def _online(self) -> bool:
        return self._link.state is LinkState.ONLINE

    async def _send_something(self) -> bool:
        """Send what is most urgent; False when there is nothing to send before the next change."""
        closed = self._opens_at - time.monotonic()
        due = self._outbox.due() if closed <= 0 else []
        live = self._history.live(SAMPLES_PER_POST)
        if due or len(live) == SAMPLES_PER_POST or (live and closed <= 0):
            await self._send_round(due)
            self._opens_at = time.monotonic() + self.window
        elif self.sends_past and (past := self._history.past(SAMPLES_PER_POST)):
            await self._send_samples(past, self._link.device.post_history)
        elif closed > 0 and (self._outbox.waiting or live):
            await asyncio.sleep(closed)
        elif self._outbox.waiting:
            await self._wait_for_the_held()
        else:
            return False
        return True

    async def _send_round(self, due: Iterable[str]) -> None:
        """Post the values that are due and live samples in turns, so that none of them waits for a flood of the other."""
        chunks = list(batched(due, PROPERTIES_PER_POST, strict=False)) or [()]
        for chunk in chunks:
            await self._send_values(self._outbox.take(chunk))
            await self._send_samples(self._history.live(SAMPLES_PER_POST), self._link.device.post_batch)

    async def _wait_for_the_held(self) -> None:
        """Sleep until the first of the held values is due, or something new comes."""
        try:
            async with asyncio.timeout(self._outbox.next_due()):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _send_values(self, batch: Mapping[str, Sample]) -> None:
        """Post values; those that may not have arrived wait again. Raises NotConnected."""
        if not batch:
            return
        try:
            reply = await self._link.device.post_properties(_not_ahead(batch), timeout=REPLY_TIMEOUT)
        except MessageError:
            await self._in_halves(batch, TOO_LARGE)
            return
        except (NotConnected, RequestTimeout) as err:
            self._put_back(batch)  # an entity that is unavailable by the next connect has no newer value
            if isinstance(err, NotConnected):
                raise
            _LOGGER.debug("Posting %d properties again: %s", len(batch), err)
            return
        self._counters.posts += 1
        if reply.code in RETRY_CODES:
            self._put_back(batch)
            await self._pause(reply)
            return
        if reply.ok:
            self._refused_posts = 0
            self._settle(batch, reply.rejected)
        else:
            self._refused_posts += 1
            reason = f"{reply.code} {reply.message}"
            if self._refused_posts < REFUSED_IN_A_ROW:
                await self._in_halves(batch, reason)  # one value may be to blame; the others are not to suffer from it
            else:
                self._settle(batch, dict.fromkeys(batch, reason))

    async def _in_halves(self, batch: Mapping[str, Sample], reason: str) -> None:
        """Post in two messages what was refused in one; a single value is refused for this reason."""
        keys = list(batch)
        if len(keys) == 1:
            self._settle(batch, {keys[0]: reason})
            return
        middle = len(keys) // 2
        halves = [{key: batch[key] for key in half} for half in (keys[:middle], keys[middle:])]
        try:
            await self._send_values(halves[0])
        except NotConnected:
            self._put_back(halves[1])
            raise
        await self._send_values(halves[1])

    def _settle(self, batch: Mapping[str, Sample], reasons: Mapping[str, str]) -> None:
        """Take in what became of each value: the cloud answers 200 even when it drops some (docs/protocol.md §4.1)."""
        refused = {identifier: sample for identifier, sample in batch.items() if identifier in reasons}
        accepted = {identifier: sample for identifier, sample in batch.items() if identifier not in reasons}
        self._outbox.accepted(accepted)
        self._rejections.accepted(accepted)
        self._counters.sent += len(accepted)
        for identifier, sample in batch.items():
            self._history.settle(identifier, sample)
        if not refused:
            return
        self._outbox.refused(refused, reasons)
        self._rejections.refused({key: sample.value for key, sample in refused.items()}, reasons)
        self._counters.rejected += len(refused)
        for identifier in refused:
            if self._rejections.rests(identifier):
                self._outbox.forget(identifier)

    def _put_back(self, batch: Mapping[str, Sample]) -> None:
        self._counters.retried += len(batch)
        # A live sample is newer than any value, and must not be followed by an older one.
        bound = {one for one in self._bound.by_identifier if not self._history.is_live(one)}
        self._outbox.put_back(batch, bound)

    async def _send_samples(self, kept: Mapping[int, Kept], post: PostSamples) -> None:
        """Post samples; they are kept until the cloud has answered. Raises NotConnected."""
        latest = utc_milliseconds() + FUTURE_MS
        if early := {number: one for number, one in kept.items() if one[1].time > latest}:
            self._settle_samples(early, {identifier: TOO_EARLY for identifier, _ in early.values()})
            kept = {number: one for number, one in kept.items() if number not in early}
        if not kept or (post == self._link.device.post_history and not self.sends_past):
            return
        try:
            reply = await post(kept.values(), REPLY_TIMEOUT)
        except MessageError:
            await self._search(kept, post, TOO_LARGE)
            return
        except RequestTimeout as err:
            _LOGGER.debug("Posting %d samples again: %s", len(kept), err)
            self._counters.retried += len(kept)
            return
        self._counters.posts += 1
        if reply.code in RETRY_CODES:
            self._counters.retried += len(kept)
            await self._pause(reply)
        elif reply.ok:
            self._refused_in_a_row = 0
            self._settle_samples(kept, reply.rejected)
        else:
            self._refused_in_a_row += 1
            await self._search(kept, post, f"{reply.code} {reply.message}")

    async def _search(self, kept: Mapping[int, Kept], post: PostSamples, reason: str) -> None:
        """Find what is wrong with samples that were refused together: the others are not to suffer from it."""
        if self._refused_in_a_row >= REFUSED_IN_A_ROW:
            self._give_up(kept, post, reason)
        elif len(kept) == 1:
            self._settle_samples(kept, {identifier: reason for identifier, _ in kept.values()})
        else:
            numbers = list(kept)
            middle = len(numbers) // 2
            for half in (numbers[:middle], numbers[middle:]):
                await self._send_samples({number: kept[number] for number in half}, post)

    def _give_up(self, kept: Mapping[int, Kept], post: PostSamples, reason: str) -> None:
        """Search no longer: it is not one sample that the cloud does not like, but all of them."""
        if post == self._link.device.post_batch:
            self._settle_samples(kept, {identifier: reason for identifier, _ in kept.values()})
        elif self.sends_past:
            self.sends_past = False
            _LOGGER.warning("The cloud takes no values of the past (%s); they are kept for the next connection", reason)

    def _settle_samples(self, kept: Mapping[int, Kept], reasons: Mapping[str, str]) -> None:
        """Take in what became of samples; which ones of a property were refused the cloud does not say."""
        refused = {identifier: sample for identifier, sample in kept.values() if identifier in reasons}
        rejected = sum(identifier in reasons for identifier, _ in kept.values())
        self._history.remove(kept)
        self._counters.rejected += rejected
        self._counters.sent += len(kept) - rejected
        self._rejections.accepted({identifier for identifier, _ in kept.values()} - refused.keys())
        if refused:
            self._rejections.refused({key: sample.value for key, sample in refused.items()}, reasons)

    async def _pause(self, reply: Reply) -> None:
        _LOGGER.debug("The cloud asks to try again: %s", describe(reply.code))
        await asyncio.sleep(DEVICE_DELAY if reply.code in DEVICE_CODES else RETRY_DELAY)


def _not_ahead(batch: Mapping[str, Sample]) -> dict[str, Sample]:
    """Return present values with times that the platform takes: what is, is so now at the latest."""
    now = utc_milliseconds()
    return {key: Sample(one.value, now) if one.time > now + FUTURE_MS else one for key, one in batch.items()}
