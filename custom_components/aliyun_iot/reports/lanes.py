"""The lanes to the cloud: newest values, live samples, past samples and events.

A lane says how its messages are posted and what becomes of their content. The machine that sends them all is in `sender.py`.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final, Protocol, override

from ..alink.device import REPLY_TIMEOUT, Device
from ..alink.foreign import logger_of
from ..alink.messages import Reply
from ..alink.samples import Sample, utc_milliseconds
from .events import EventQueue, PendingEvent
from .history import History, Kept
from .losses import Losses
from .outbox import Counters, Outbox, Queued

_LOGGER = logger_of(__name__)

VALUES_PER_POST = 200
"""Properties in one message (docs/protocol.md §4.1). For samples no limit is documented; this one is safe (§4.3)."""

FUTURE_MS: Final = 24 * 3_600_000
"""How far ahead a time may be; beyond, the platform refuses the whole message (docs/protocol.md §4.1, 6326)."""

TOO_EARLY: Final = "its time is more than a day ahead: the clock was wrong"


class Named(Protocol):
    """An item of a lane."""

    @property
    def identifier(self) -> str:
        """The property or event that it belongs to."""


type Post = Callable[[Mapping[str, Sample], float], Awaitable[Reply]]
"""Posts newest values and waits so many seconds for the reply; raises what `Device.post_properties` raises."""


class Lane[Key, Item: Named](ABC):
    """One kind of message. A batch holds items by key."""

    def __init__(self, device: Device, counters: Counters) -> None:
        """Post as this device."""
        self.refused_in_a_row = 0
        """Messages that were refused since the last one that was accepted."""
        self.failed_in_a_row = 0
        """Messages that could not be posted, for an unexpected reason, since the last one that could."""
        self._device = device
        self._counters = counters

    @abstractmethod
    async def post(self, batch: Mapping[Key, Item]) -> Reply:
        """Post a batch; raises what requests raise, and MessageError when it is too large."""

    @abstractmethod
    def settle(self, batch: Mapping[Key, Item], reasons: Mapping[str, str]) -> None:
        """Record what was accepted, and for which reasons (by identifier) the rest was refused."""

    def put_back(self, batch: Mapping[Key, Item]) -> None:  # noqa: B027 - most lanes have nothing to do
        """Keep a batch that did not arrive; most lanes never gave it away."""

    def unanswered(self, batch: Mapping[Key, Item], reason: str) -> None:
        """Handle a host that does not reply to this kind of message at all."""
        self.refuse(batch, reason)

    def refuse(self, batch: Mapping[Key, Item], reason: str) -> None:
        """Settle a batch that the cloud will not take."""
        self.settle(batch, {item.identifier: reason for item in batch.values()})

    def refuses_all(self, batch: Mapping[Key, Item], reason: str) -> None:
        """Handle a cloud that has refused many messages in a row."""
        self.refuse(batch, reason)


class NewestLane(Lane[str, Queued]):
    """The newest values."""

    def __init__(
        self,
        device: Device,
        counters: Counters,
        outbox: Outbox,
        history: History,
        losses: Losses,
        wanted: Callable[[str], bool],
        post: Post,
    ) -> None:
        """`post` sends newest values; `wanted` returns whether a value that did not arrive is to be posted again."""
        super().__init__(device, counters)
        self._outbox = outbox
        self._history = history
        self._losses = losses
        self._wanted = wanted
        self._post = post

    def take(self, identifiers: Iterable[str]) -> Mapping[str, Queued]:
        """Return those of these values that still wait.

        A present value is true now at the latest, whatever the clock said before. It keeps the present time, so that it has
        no other one when it is sent again.
        """
        wanted = list(identifiers)
        now = utc_milliseconds()
        for identifier in wanted:
            queued = self._outbox.waiting.get(identifier)
            if queued and queued.sample.time > now + FUTURE_MS:
                right = Sample(queued.sample.value, now)
                self._outbox.waiting[identifier] = queued._replace(sample=right)
                self._history.correct(queued, right)
        return self._outbox.take(wanted)

    @override
    async def post(self, batch: Mapping[str, Queued]) -> Reply:
        return await self._post({key: one.sample for key, one in batch.items()}, REPLY_TIMEOUT)

    @override
    def put_back(self, batch: Mapping[str, Queued]) -> None:
        self._outbox.put_back(batch, self._wanted)

    @override
    def settle(self, batch: Mapping[str, Queued], reasons: Mapping[str, str]) -> None:
        self._outbox.settle({key: one.sample for key, one in batch.items()}, reasons)
        if samples := {key: one.number for key, one in batch.items() if one.number is not None}:
            self._history.remove(samples.values())
            legible = self._outbox.legible(((key, batch[key].sample.value) for key in samples), reasons)
            self._losses.add(_refused(samples, reasons), legible)
        rejected = len(batch.keys() & reasons.keys())
        self._counters.rejected += rejected
        self._counters.sent += len(batch) - rejected


class _SampleLane(Lane[int, Kept]):
    """Samples, which stay in the history until they are settled."""

    past = False

    def __init__(self, device: Device, counters: Counters, outbox: Outbox, history: History, losses: Losses) -> None:
        """Post from this history."""
        super().__init__(device, counters)
        self._outbox = outbox
        self._history = history
        self._losses = losses

    def take(self) -> Mapping[int, Kept]:
        """Return the oldest samples, as many as fit into a message."""
        kept = self._first(VALUES_PER_POST)
        latest = utc_milliseconds() + FUTURE_MS
        if early := {number: one for number, one in kept.items() if one[1].time > latest}:
            self.refuse(early, TOO_EARLY)
            return {number: one for number, one in kept.items() if number not in early}
        return kept

    @abstractmethod
    def _first(self, limit: int) -> dict[int, Kept]:
        """Return the oldest samples."""

    @override
    def settle(self, batch: Mapping[int, Kept], reasons: Mapping[str, str]) -> None:
        # The cloud does not say which samples of a property it refused.
        lost = _refused((identifier for identifier, _ in batch.values()), reasons)
        self._history.remove(batch)
        self._counters.rejected += lost.total()
        self._counters.sent += len(batch) - lost.total()
        self._outbox.settle(dict(batch.values()), reasons, past=self.past)
        values = ((identifier, sample.value) for identifier, sample in batch.values())
        self._losses.add(lost, self._outbox.legible(values, reasons))


class LiveLane(_SampleLane):
    """Samples of the present, several of a property in one message.

    Some hosts do not know that message; they get the samples in ordinary posts, of which each has one of a property.
    """

    batches = True

    def is_full(self) -> bool:
        """Return whether the samples fill a message, or need several."""
        if not self.batches and self._history.has_several_live():
            return True
        return len(self._history.live) >= VALUES_PER_POST

    @override
    def _first(self, limit: int) -> dict[int, Kept]:
        kept = dict(islice(self._history.live.items(), limit))
        if self.batches:
            return kept
        numbers = {identifier: number for number, (identifier, _) in reversed(kept.items())}
        return {number: kept[number] for number in sorted(numbers.values())}

    @override
    async def post(self, batch: Mapping[int, Kept]) -> Reply:
        if self.batches:
            return await self._device.post_batch(batch.values(), REPLY_TIMEOUT)
        return await self._device.post_properties(dict(batch.values()), REPLY_TIMEOUT)

    @override
    def unanswered(self, batch: Mapping[int, Kept], reason: str) -> None:
        self.batches = False


class PastLane(_SampleLane):
    """Samples of the past, which leave the present values alone."""

    past = True
    allowed = False
    """Whether they may be sent: after each connect they wait for the present."""

    @override
    def _first(self, limit: int) -> dict[int, Kept]:
        return dict(islice(self._history.past.items(), limit))

    @override
    async def post(self, batch: Mapping[int, Kept]) -> Reply:
        return await self._device.post_history(batch.values(), REPLY_TIMEOUT)

    @override
    def refuses_all(self, batch: Mapping[int, Kept], reason: str) -> None:
        """Keep everything for the next connection."""
        if self.allowed:
            self.allowed = False
            _LOGGER.warning("The cloud takes no values of the past (%s); they are kept for the next connection", reason)

    @override
    def unanswered(self, batch: Mapping[int, Kept], reason: str) -> None:
        _LOGGER.debug("Values of the past are kept for the next connection: %s", reason)
        self.allowed = False


class EventLane(Lane[int, PendingEvent]):
    """Events, one in a message."""

    def __init__(self, device: Device, counters: Counters, outbox: Outbox, queue: EventQueue, losses: Losses) -> None:
        """Post from this queue."""
        super().__init__(device, counters)
        self._outbox = outbox
        self._queue = queue
        self._losses = losses

    def take(self) -> Mapping[int, PendingEvent]:
        """Return the oldest event.

        One that waits has happened by now, whatever the clock said then. It keeps the present time, so that it has no other
        one when it is sent again.
        """
        [(number, event)] = islice(self._queue.waiting.items(), 1)
        now = utc_milliseconds()
        if event.time > now + FUTURE_MS:
            event = self._queue.waiting[number] = replace(event, time=now)
        return {number: event}

    @override
    async def post(self, batch: Mapping[int, PendingEvent]) -> Reply:
        [event] = batch.values()
        return await self._device.post_event(event.identifier, event.output, event.time, REPLY_TIMEOUT)

    @override
    def settle(self, batch: Mapping[int, PendingEvent], reasons: Mapping[str, str]) -> None:
        self._queue.remove(batch)
        lost = _refused((event.identifier for event in batch.values()), reasons)
        self._queue.counters.refused += lost.total()
        self._queue.counters.posted += len(batch) - lost.total()
        values = ((event.identifier, dict(event.output)) for event in batch.values())
        self._losses.add(lost, self._outbox.legible(values, reasons))


def _refused(identifiers: Iterable[str], reasons: Mapping[str, str]) -> Counter[str]:
    """Return how often each identifier occurs that there is a reason for."""
    return Counter(identifier for identifier in identifiers if identifier in reasons)
