"""Every sample of those properties whose binding asks for it, until the cloud has it.

What happens while the device is connected is *live*; it becomes *past* when the connection is lost, and so does everything
after that until the next connection. The two go different ways (`sender.py`). A number tells the order of the samples, so
that a clock that is set back disturbs nothing.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from itertools import islice
import logging

from homeassistant.core import callback

from ..alink.samples import Sample
from .counters import Counters

_LOGGER = logging.getLogger(__name__)

CAPACITY = 86_400
"""Samples: a day of one a second, 25 MB of memory and 4 MB on disk, sent in 432 messages within a minute and a half."""

SAME_MOMENT = 1_000
"""Milliseconds by which the clock may go backwards between two samples without having been set."""

type Kept = tuple[str, Sample]
"""A property and its sample."""


class History:
    """The samples of one device, oldest first."""

    def __init__(self, counters: Counters, capacity: int) -> None:
        """Keep no more than `capacity` samples."""
        self.on_past: Callable[[Iterable[int]], None] = _nobody
        """Told of the numbers of past samples that came or went."""
        self.on_overflow: Callable[[], None] = _nothing
        """Told once in every outage that samples are being dropped."""
        self._counters = counters
        self.capacity = capacity
        self._live: dict[int, Kept] = {}
        self._past: dict[int, Kept] = {}
        self._numbers: dict[str, deque[int]] = {}
        self._last: dict[str, Sample] = {}
        self._next = 0
        self._overflowed = False

    def __len__(self) -> int:
        """Return how many samples there are."""
        return len(self._live) + len(self._past)

    def last(self, identifier: str) -> Sample | None:
        """Return the newest sample of a property that was ever added, whether it is still here or not."""
        return self._last.get(identifier)

    def is_live(self, identifier: str) -> bool:
        """Tell whether a live sample of a property is still to be sent."""
        return bool((numbers := self._numbers.get(identifier)) and numbers[-1] in self._live)

    def newest_past(self, identifier: str) -> Sample | None:
        """Return the newest sample of a property if it is past and still to be sent."""
        numbers = self._numbers.get(identifier)
        kept = self._past.get(numbers[-1]) if numbers else None
        return kept[1] if kept else None

    @callback
    def add(self, identifier: str, sample: Sample, *, live: bool) -> None:
        """Keep a sample; a full buffer gives up the oldest sample of the property that has most of them.

        The cloud knows samples by their time, so two of one millisecond are told apart by another one.
        """
        last = self._last.get(identifier)
        if last and 0 <= last.time - sample.time < SAME_MOMENT:
            sample = Sample(sample.value, last.time + 1)
        self._last[identifier] = sample
        if len(self) >= self.capacity:
            self._make_room()
        self._keep(self._next, identifier, sample, live=live)
        self._next += 1

    @callback
    def connected(self) -> None:
        """Take note of a connection: what is here belongs to the past."""
        self.disconnected()
        self._overflowed = False

    @callback
    def disconnected(self) -> None:
        """Take note that the connection is lost: whatever was live is past."""
        moved, self._live = self._live, {}
        self._past |= moved
        if moved:
            self.on_past(moved)

    def live(self, limit: int) -> dict[int, Kept]:
        """Return the oldest live samples by their numbers; they stay until `remove`."""
        return dict(islice(self._live.items(), limit))

    def past(self, limit: int) -> dict[int, Kept]:
        """Return the oldest past samples by their numbers; they stay until `remove`."""
        return dict(islice(self._past.items(), limit))

    def at(self, numbers: Iterable[int]) -> dict[int, Kept]:
        """Return those samples with one of these numbers that are still here."""
        return {one: kept for one in numbers if (kept := self._past.get(one) or self._live.get(one))}

    @callback
    def remove(self, numbers: Iterable[int]) -> None:
        """Forget samples that the cloud has, or never will have."""
        gone: list[int] = []
        for number in numbers:
            live, past = self._live.pop(number, None), self._past.pop(number, None)
            if kept := live or past:
                self._forget_number(kept[0], number)
            if past:
                gone.append(number)
        if gone:
            self.on_past(gone)

    @callback
    def settle(self, identifier: str, sample: Sample) -> None:
        """Forget a sample that was posted as the present value of its property."""
        numbers = reversed(self._numbers.get(identifier, ()))
        found = next((number for number in numbers if self.at([number])[number][1] == sample), None)
        if found is not None:
            self.remove([found])

    @callback
    def keep_only(self, identifiers: Collection[str]) -> None:
        """Forget the samples of all other properties."""
        for identifier in self._numbers.keys() - identifiers:
            self.remove(list(self._numbers[identifier]))
        for identifier in self._last.keys() - identifiers:
            del self._last[identifier]

    @callback
    def begin_anew(self, identifier: str) -> None:
        """Take whatever comes next for news: the property stands for something else now."""
        self._last.pop(identifier, None)

    @callback
    def restore(self, samples: Iterable[tuple[int, str, Sample]]) -> None:
        """Take over what an earlier run has left, before anything else: numbers, properties and samples in order."""
        for number, identifier, sample in samples:
            if len(self) >= self.capacity:
                self._make_room()
            self._keep(number, identifier, sample, live=False)
            self._last[identifier] = sample
            self._next = number + 1

    def _keep(self, number: int, identifier: str, sample: Sample, *, live: bool) -> None:
        (self._live if live else self._past)[number] = (identifier, sample)
        self._numbers.setdefault(identifier, deque()).append(number)
        if not live:
            self.on_past((number,))

    def _make_room(self) -> None:
        """Give up one sample; a property that says much never costs another one its samples."""
        longest = max(self._numbers, key=lambda identifier: len(self._numbers[identifier]))
        self.remove([self._numbers[longest][0]])
        self._counters.dropped += 1
        if not self._overflowed:
            self._overflowed = True
            _LOGGER.warning(
                "The buffer for samples is full with %d of them; the oldest ones of %s are dropped",
                self.capacity,
                longest,
            )
            self.on_overflow()

    def _forget_number(self, identifier: str, number: int) -> None:
        numbers = self._numbers[identifier]
        if numbers[0] == number:
            numbers.popleft()
        elif numbers[-1] == number:
            numbers.pop()
        else:
            numbers.remove(number)
        if not numbers:
            del self._numbers[identifier]


def _nobody(_numbers: Iterable[int]) -> None:
    """Nobody is interested in what is past."""


def _nothing() -> None:
    """Nobody is interested in an overflow."""
