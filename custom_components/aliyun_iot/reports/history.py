"""The samples of properties whose binding wants each of them, kept until the cloud has them.

What happens while the device is connected is *live*; it becomes *past* when the connection is lost, as does everything after
that until the next connection. The two are posted in different messages (`lanes.py`). A number gives the order of the samples,
so a clock that is set back does no harm.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from homeassistant.core import callback

from ..alink.foreign import logger_of
from ..alink.samples import Sample
from .outbox import Counters, Queued

_LOGGER = logger_of(__name__)

SAME_MOMENT = 1_000
"""Milliseconds by which a sample may be older than the one before without the clock having been set."""


class Kept(NamedTuple):
    """A sample of a property."""

    identifier: str
    sample: Sample


@dataclass(slots=True)
class _Numbers:
    """The numbers of the samples of one property, oldest first; all past ones are older than the live ones."""

    past: deque[int] = field(default_factory=deque)
    live: deque[int] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self.past) + len(self.live)


class History:
    """The samples of one device, oldest first."""

    def __init__(
        self,
        counters: Counters,
        capacity: int,
        *,
        on_past: Callable[[Iterable[int]], None],
        on_overflow: Callable[[int], None],
    ) -> None:
        """Keep no more than `capacity` samples.

        `on_past` is called with the numbers of past samples that were added or removed, `on_overflow` with the capacity, once
        in every outage in which samples are dropped.
        """
        self.capacity = capacity
        self._counters = counters
        self._on_past = on_past
        self._on_overflow = on_overflow
        self.live: dict[int, Kept] = {}
        self.past: dict[int, Kept] = {}
        """Samples by their numbers, oldest first; they stay until `remove`."""
        self._numbers: dict[str, _Numbers] = {}
        self._last: dict[str, Sample] = {}
        self._next = 0
        self._overflowed = False

    def __len__(self) -> int:
        """Return how many samples there are."""
        return len(self.live) + len(self.past)

    def last(self, identifier: str) -> Queued | None:
        """Return the newest sample of a property, with its number as long as it is to be sent."""
        sample = self._last.get(identifier)
        if sample is None:
            return None
        newest = self._newest(identifier)
        return newest if newest and newest.sample == sample else Queued(identifier, sample)

    def last_sample(self, identifier: str) -> Sample | None:
        """Return the newest sample of a property, whether it is still to be sent or not."""
        return self._last.get(identifier)

    def is_live(self, identifier: str) -> bool:
        """Return whether a live sample of a property is still to be sent."""
        return bool((numbers := self._numbers.get(identifier)) and numbers.live)

    def newest_past(self, identifier: str) -> Queued | None:
        """Return the newest sample of a property if it is past and still to be sent."""
        return None if self.is_live(identifier) else self._newest(identifier)

    def has_several_live(self) -> bool:
        """Return whether more than one live sample of some property is to be sent."""
        return any(len(numbers.live) > 1 for numbers in self._numbers.values())

    @callback
    def add(self, identifier: str, sample: Sample, *, live: bool) -> None:
        """Keep a sample; a full buffer drops the oldest sample of the property that has most of them.

        The cloud tells samples apart by their time, so the second of two in one millisecond gets the next one.
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
        """Turn all samples into past ones, and report the next overflow again."""
        self.disconnected()
        self._overflowed = False

    @callback
    def disconnected(self) -> None:
        """Turn live samples into past ones."""
        moved, self.live = self.live, {}
        if not moved:
            return
        self.past |= moved
        for numbers in self._numbers.values():
            numbers.past += numbers.live
            numbers.live.clear()
        self._on_past(moved)

    def at(self, numbers: Iterable[int]) -> dict[int, Kept]:
        """Return the samples with these numbers, as far as they are still here."""
        return {one: kept for one in numbers if (kept := self.past.get(one) or self.live.get(one))}

    @callback
    def remove(self, numbers: Iterable[int]) -> None:
        """Drop samples that the cloud has, or will never have."""
        gone: list[int] = []
        for number in numbers:
            if live := self.live.pop(number, None):
                self._forget_number(live[0], self._numbers[live[0]].live, number)
            elif past := self.past.pop(number, None):
                self._forget_number(past[0], self._numbers[past[0]].past, number)
                gone.append(number)
        if gone:
            self._on_past(gone)

    @callback
    def keep_only(self, identifiers: Collection[str]) -> None:
        """Drop the samples of all other properties."""
        for identifier in self._numbers.keys() - identifiers:
            self.remove([*self._numbers[identifier].past, *self._numbers[identifier].live])
        for identifier in self._last.keys() - identifiers:
            del self._last[identifier]

    @callback
    def forget_last(self, identifier: str) -> None:
        """Keep the next sample whatever its value: the property stands for something else now."""
        self._last.pop(identifier, None)

    @callback
    def correct(self, wrong: Queued, right: Sample) -> None:
        """Replace a sample whose time is wrong wherever it is kept."""
        if self._last.get(wrong.identifier) == wrong.sample:
            self._last[wrong.identifier] = right
        if wrong.number in self.live:
            self.live[wrong.number] = Kept(wrong.identifier, right)
        elif wrong.number in self.past:
            self.past[wrong.number] = Kept(wrong.identifier, right)
            self._on_past((wrong.number,))

    @callback
    def restore(self, samples: Iterable[tuple[int, str, Sample]]) -> None:
        """Add what an earlier run has left, before anything else: numbers, properties and samples in order."""
        for number, identifier, sample in samples:
            if len(self) >= self.capacity:
                self._make_room()
            self._keep(number, identifier, sample, live=False)
            self._last[identifier] = sample
            self._next = number + 1

    def _keep(self, number: int, identifier: str, sample: Sample, *, live: bool) -> None:
        if (numbers := self._numbers.get(identifier)) is None:
            numbers = self._numbers[identifier] = _Numbers()
        if live:
            self.live[number] = Kept(identifier, sample)
            numbers.live.append(number)
        else:
            self.past[number] = Kept(identifier, sample)
            numbers.past.append(number)
            self._on_past((number,))

    def _newest(self, identifier: str) -> Queued | None:
        """Return the newest sample of a property that is still to be sent."""
        if (numbers := self._numbers.get(identifier)) is None:
            return None
        number = (numbers.live or numbers.past)[-1]
        return Queued(*(self.live if numbers.live else self.past)[number], number)

    def _make_room(self) -> None:
        """Drop one sample; a busy property never costs another one its samples."""
        longest = max(self._numbers, key=lambda identifier: len(self._numbers[identifier]))
        self.remove([(self._numbers[longest].past or self._numbers[longest].live)[0]])
        self._counters.dropped += 1
        if not self._overflowed:
            self._overflowed = True
            _LOGGER.warning(
                "The buffer for samples is full with %d of them; the oldest ones of %s are dropped",
                self.capacity,
                longest,
            )
            self._on_overflow(self.capacity)

    def _forget_number(self, identifier: str, numbers: deque[int], number: int) -> None:
        """Drop a number, which is nearly always at one of the ends."""
        if numbers[0] == number:
            numbers.popleft()
        elif numbers[-1] == number:
            numbers.pop()
        else:
            numbers.remove(number)
        if not self._numbers[identifier]:
            del self._numbers[identifier]
