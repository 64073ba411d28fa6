"""The newest value of each property: where it is on its way to the cloud, and what the cloud has.

One value per property waits, whatever happened before. It is waiting, then being sent, then accepted or refused. A value that
got lost on the way waits again, unless a newer one does. A property whose values are refused several times in a row rests
until the next connection, or until its binding changes.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
import time
from typing import Final, NamedTuple

from homeassistant.core import callback

from ..alink.foreign import logger_of
from ..alink.messages import JsonValue
from ..alink.privacy import BY_NAME_ALONE, Secrets
from ..alink.samples import Sample
from ..log_text import some_of
from ..mapping.unreportable import Unreportable
from ..words.refusal_texts import refusal_text

_LOGGER = logger_of(__name__)

MAX_REFUSALS: Final = 3
"""Refusals in a row after which a property rests."""


@dataclass(slots=True)
class Counters:
    """Messages and values of one device.

    `merged` counts values that a newer one replaced before they were sent, `retried` values that were sent again because it is
    unknown whether they arrived, and `dropped` samples for which a full buffer had no room.
    """

    posts: int = 0
    sent: int = 0
    merged: int = 0
    rejected: int = 0
    retried: int = 0
    dropped: int = 0


class Queued(NamedTuple):
    """A value that waits; `number` is that of the same sample in the history, if it is there."""

    identifier: str
    sample: Sample
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the cloud refused a property, the value, and how often in a row since counting began anew."""

    reason: str
    value: JsonValue
    count: int


@dataclass(slots=True)
class PropertyStatus:
    """What has become of the values of one property; moments are monotonic seconds, `settled` counts the values sent so far.

    `rests` says that the property was refused so often that it is not sent for now, `unreportable` why the value that Home
    Assistant had last cannot be sent at all.
    """

    changed_at: float = 0.0
    sending: Queued | None = None
    sent: Sample | None = None
    sent_at: float | None = None
    accepted: Sample | None = None
    accepted_at: float | None = None
    settled: int = 0
    refusal: Refusal | None = None
    rests: bool = False
    unreportable: Unreportable | None = None

    def why_not(self, language: str = "en") -> str:
        """Return why the cloud does not have the present value; empty where nothing is known to be wrong."""
        if self.unreportable:
            return self.unreportable.describe(language)
        return refusal_text(self.refusal.reason, language) if self.refusal else ""


class Snapshot:
    """A set of values that were posted together: which still wait, and which the cloud took."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        """All of these wait."""
        self.waiting = set(identifiers)
        self.posted = 0
        self.rejected: dict[str, str] = {}
        self._done = asyncio.Event()
        self.settled((), None)

    @property
    def done(self) -> bool:
        """Whether nothing waits any more."""
        return not self.waiting

    def settled(self, identifiers: Iterable[str], reasons: Mapping[str, str] | None) -> None:
        """Record values as accepted, as refused for these reasons, or (None) as dropped."""
        settled = self.waiting.intersection(identifiers)
        self.waiting -= settled
        if reasons is not None:
            refused = settled & reasons.keys()
            self.rejected |= {identifier: reasons[identifier] for identifier in sorted(refused)}
            self.posted += len(settled) - len(refused)
        if self.done:
            self._done.set()

    async def wait(self, timeout: float) -> None:
        """Wait until nothing waits any more, but no longer than `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._done.wait()
        except TimeoutError:
            return


class Outbox:
    """The values of one device."""

    def __init__(
        self,
        counters: Counters,
        *,
        on_refused: Callable[[str, str, JsonValue], None],
        on_refusals_changed: Callable[[Mapping[str, Refusal]], None],
        on_taken_again: Callable[[Iterable[str]], None],
        on_unreportable_changed: Callable[[], None],
    ) -> None:
        """`on_refused` is called with every refused property, the reason and the value.

        `on_refusals_changed` is called with all refusals when other properties are refused than before, or for other reasons;
        `on_unreportable_changed` when that may be so for values that cannot be sent. `on_taken_again` is called with the
        properties of which the cloud takes a value after a refusal: newer ones may not have been queued meanwhile.
        """
        self.waiting: dict[str, Queued] = {}
        self.status: dict[str, PropertyStatus] = {}
        """One for each bound property."""
        self.accepted_at: float | None = None
        """When the cloud last took a present value, in monotonic seconds."""
        self.private = BY_NAME_ALONE
        """The properties whose values are not repeated in texts."""
        self._counters = counters
        self._min_intervals: Mapping[str, float] = {}
        self._on_refused = on_refused
        self._on_refusals_changed = on_refusals_changed
        self._on_taken_again = on_taken_again
        self._on_unreportable_changed = on_unreportable_changed
        self._reported: dict[str, str] = {}
        self._logged: frozenset[str] = frozenset()
        """Refused properties that were logged since counting began anew; the values of one may be taken and refused in
        turns."""
        self._snapshots: list[Snapshot] = []

    @property
    def unsent(self) -> dict[str, Sample]:
        """What the cloud is not known to have, by property."""
        sending = {key: one.sending.sample for key, one in self.status.items() if one.sending}
        return sending | {key: queued.sample for key, queued in self.waiting.items()}

    @property
    def refusals(self) -> dict[str, Refusal]:
        """What the cloud refused, by property, until it takes a value."""
        return {key: one.refusal for key, one in self.status.items() if one.refusal}

    @property
    def unreportable(self) -> dict[str, Unreportable]:
        """What Home Assistant has and cannot be sent, by property, until there is a value that can be."""
        return {key: one.unreportable for key, one in self.status.items() if one.unreportable}

    @callback
    def set_unreportable(self, identifier: str, why: Unreportable | None) -> None:
        """Record why the present value of a property cannot be sent, or None when it can be."""
        status = self.status[identifier]
        before, status.unreportable = status.unreportable, why
        if (before and before.reason) != (why and why.reason):
            self._on_unreportable_changed()

    def busiest(self, count: int) -> list[tuple[str, int]]:
        """Return so many properties with the numbers of their values that were sent, the most first."""
        sent = ((key, one.settled) for key, one in self.status.items() if one.settled)
        return sorted(sent, key=lambda each: (-each[1], each[0]))[:count]

    def known(self, identifier: str) -> Sample | None:
        """Return the value that the cloud has or is about to have."""
        if queued := self.waiting.get(identifier):
            return queued.sample
        status = self.status[identifier]
        return status.sending.sample if status.sending else status.accepted

    @callback
    def put(self, identifier: str, sample: Sample, number: int | None = None) -> None:
        """Queue a value, replacing an older one; `number` is that of the sample in the history."""
        if identifier in self.waiting:
            self._counters.merged += 1
        self.waiting[identifier] = Queued(identifier, sample, number)

    @callback
    def follow(self, bound: Collection[str], min_intervals: Mapping[str, float]) -> None:
        """Keep values of these properties from now on, and drop everything about others.

        `min_intervals` has the shortest time between two posts of a property, in seconds, where there is one.
        """
        self._min_intervals = min_intervals
        self.status = {identifier: self.status.get(identifier) or PropertyStatus() for identifier in bound}
        self._drop(self.waiting.keys() - bound)
        self._report_refusals()
        self._on_unreportable_changed()

    @callback
    def forget(self, identifiers: Collection[str]) -> None:
        """Drop everything about properties that have another meaning now."""
        self.status |= {identifier: PropertyStatus() for identifier in identifiers}
        self._logged = self._logged.difference(identifiers)
        self._drop(identifiers)
        self._report_refusals()
        self._on_unreportable_changed()

    @callback
    def supersede(self, identifier: str) -> None:
        """Drop the value that waits, because a newer one is sent as a sample."""
        if identifier in self.waiting:
            self._counters.merged += 1
            self._drop([identifier])

    @callback
    def forgive(self, identifiers: Collection[str] | None = None) -> None:
        """Count refusals anew, as the thing model in the cloud may have changed; None for all properties.

        For named properties the refusals are over, because their bindings changed.
        """
        self._logged = frozenset() if identifiers is None else self._logged.difference(identifiers)
        for key, status in self.status.items():
            if status.refusal and identifiers is None:
                status.refusal, status.rests = replace(status.refusal, count=0), False
            elif status.refusal and identifiers and key in identifiers:
                status.refusal, status.rests = None, False
        self._report_refusals()

    @callback
    def snapshot(self, *, with_sending: bool = False) -> Snapshot:
        """Return a snapshot of everything that waits now, and of what is on its way if `with_sending`."""
        snapshot = Snapshot(self.unsent if with_sending else self.waiting)
        self._snapshots.append(snapshot)
        self._settle_snapshots((), None)
        return snapshot

    def due(self) -> list[str]:
        """Return the properties that may be posted now, in the order in which they began to wait."""
        if not self._min_intervals:
            return list(self.waiting)
        now = time.monotonic()
        return [identifier for identifier in self.waiting if self._due_at(identifier) <= now]

    def next_due(self) -> float:
        """Return the seconds until the first of the waiting values is due."""
        return max(0.0, min(map(self._due_at, self.waiting)) - time.monotonic())

    @callback
    def take(self, identifiers: Iterable[str]) -> dict[str, Queued]:
        """Return those of the values that still wait; they are being sent until `put_back` or `settle`."""
        batch = {key: queued for key in identifiers if (queued := self.waiting.pop(key, None))}
        now = time.monotonic()
        for identifier, queued in batch.items():
            status = self.status[identifier]
            status.sending, status.sent, status.sent_at = queued, queued.sample, now
        return batch

    @callback
    def put_back(self, batch: Mapping[str, Queued], wanted: Callable[[str], bool]) -> None:
        """Queue a batch again that did not arrive, except where a newer value waits or none is wanted any more."""
        again: dict[str, Queued] = {}
        for identifier, queued in batch.items():
            status = self.status.get(identifier)
            if status is None or status.sending is not queued:  # unbound, or bound to something else meanwhile
                continue
            status.sending = status.sent_at = None
            if wanted(identifier):
                again[identifier] = queued
        self.waiting = again | self.waiting
        self._drop(batch.keys() - self.waiting.keys())

    @callback
    def settle(self, batch: Mapping[str, Sample], reasons: Mapping[str, str], *, past: bool = False) -> None:
        """Record which values the cloud took, and for which reasons it refused the others.

        Values of the past say nothing about what the cloud has now, nor whether it would take a present value.
        """
        now = time.monotonic()
        news: list[str] = []
        taken_again: list[str] = []
        changed = False
        reasons = self.legible(((key, sample.value) for key, sample in batch.items()), reasons)
        for identifier, sample in batch.items():
            if (status := self.status.get(identifier)) is None:  # no longer bound
                continue
            status.settled += 1
            reason = reasons.get(identifier)
            if reason is not None:
                self._on_refused(identifier, reason, sample.value)
            if past:
                continue
            status.sending = None
            changed |= status.refusal is not None or reason is not None
            if reason is None:
                if status.refusal:
                    taken_again.append(identifier)
                status.refusal, status.rests = None, False
                status.accepted, status.accepted_at = sample, now
                self.accepted_at = now
                continue
            count = status.refusal.count + 1 if status.refusal else 1
            status.refusal, status.rests = Refusal(reason, sample.value, count), count >= MAX_REFUSALS
            status.accepted = None  # what the cloud has now is unknown
            if status.rests:
                self._drop([identifier])
            if identifier not in self._logged:
                self._logged |= {identifier}
                news.append(f"{identifier} = {self.private.masked(identifier, sample.value)!r} ({reason})")
        if self._snapshots:
            self._settle_snapshots(batch, reasons)
        if news:
            _LOGGER.warning("The cloud rejected %s", some_of(news))
        if changed:
            self._report_refusals()
        if taken_again:
            self._on_taken_again(taken_again)

    def legible(self, values: Iterable[tuple[str, JsonValue]], reasons: Mapping[str, str]) -> dict[str, str]:
        """Return reasons without what is private in the refused values; of properties or events, by identifier."""
        private: dict[str, list[object]] = {identifier: [] for identifier in reasons}
        for identifier, value in values:
            if identifier in private:
                private[identifier] += self.private.private_parts(identifier, value)
        return {identifier: Secrets(private[identifier]).withheld(reason) for identifier, reason in reasons.items()}

    def _due_at(self, identifier: str) -> float:
        """Return when a property may be posted again, in monotonic seconds."""
        sent_at = self.status[identifier].sent_at
        return 0.0 if sent_at is None else sent_at + self._min_intervals.get(identifier, 0.0)

    def _settle_snapshots(self, identifiers: Iterable[str], reasons: Mapping[str, str] | None) -> None:
        for snapshot in self._snapshots:
            snapshot.settled(identifiers, reasons)
        self._snapshots = [snapshot for snapshot in self._snapshots if not snapshot.done]

    def _drop(self, identifiers: Collection[str]) -> None:
        for identifier in identifiers:
            self.waiting.pop(identifier, None)
        self._settle_snapshots(identifiers, None)

    def _report_refusals(self) -> None:
        present = {identifier: refusal.reason for identifier, refusal in self.refusals.items()}
        if present != self._reported:
            self._reported = present
            self._on_refusals_changed(self.refusals)
