"""The newest value of each property that the cloud does not have yet.

Newest wins: one value per property waits, whatever happened before. A value is waiting, then on its way, then accepted or
refused; what got lost on its way waits again, unless something newer does. Who sends is another matter (`sender.py`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
import time

from homeassistant.core import callback

from ..alink.messages import JsonValue
from ..alink.samples import Sample
from .counters import Counters
from .snapshot import Snapshot


class Outbox:
    """What waits, and what of it the cloud has."""

    def __init__(self, counters: Counters, min_interval: Callable[[str], float]) -> None:
        """`min_interval` returns the shortest time between two posts of a property, in seconds."""
        self.waiting: dict[str, Sample] = {}
        self._counters = counters
        self._min_interval = min_interval
        self._sending: Mapping[str, Sample] = {}
        self._accepted: dict[str, JsonValue] = {}
        self._posted_at: dict[str, float] = {}
        self._snapshots: list[Snapshot] = []

    @property
    def unsent(self) -> dict[str, Sample]:
        """What the cloud is not known to have, by property."""
        return {**self._sending, **self.waiting}

    def known(self, identifier: str) -> JsonValue:
        """Return the value that the cloud has or is about to have; None if there is none."""
        pending = self.waiting.get(identifier) or self._sending.get(identifier)
        return pending.value if pending else self._accepted.get(identifier)

    @callback
    def put(self, identifier: str, sample: Sample) -> None:
        """Let a value wait, instead of an older one."""
        if identifier in self.waiting:
            self._counters.merged += 1
        self.waiting[identifier] = sample

    @callback
    def keep_only(self, bound: Collection[str]) -> None:
        """Forget what is bound no more."""
        for gone in self.waiting.keys() - bound:
            del self.waiting[gone]
        for snapshot in self._snapshots:
            snapshot.dropped(snapshot.waiting - set(bound))

    @callback
    def forget(self, identifier: str) -> None:
        """Let nothing wait for a property: what waits is no longer what it is about."""
        if self.waiting.pop(identifier, None):
            for snapshot in self._snapshots:
                snapshot.dropped([identifier])

    @callback
    def supersede(self, identifier: str) -> None:
        """Let nothing wait for a property, because something newer of it is sent another way."""
        if identifier in self.waiting:
            self._counters.merged += 1
            self.forget(identifier)

    @callback
    def snapshot(self) -> Snapshot:
        """Return what follows everything that waits now until it has arrived."""
        snapshot = Snapshot(self.waiting)
        self._snapshots = [one for one in (*self._snapshots, snapshot) if not one.over]
        return snapshot

    def due(self) -> list[str]:
        """Return the properties that may be posted now, in the order in which they began to wait."""
        now = time.monotonic()
        return [identifier for identifier in self.waiting if self._due_at(identifier) <= now]

    def next_due(self) -> float:
        """Return the seconds until the first of the held values is due."""
        return max(0.0, min(map(self._due_at, self.waiting)) - time.monotonic())

    @callback
    def take(self, identifiers: Iterable[str]) -> dict[str, Sample]:
        """Return the values to send now, as far as they still wait; they are on their way until one of the next three."""
        batch = {key: sample for key in identifiers if (sample := self.waiting.pop(key, None))}
        self._posted_at.update(dict.fromkeys(batch, time.monotonic()))
        self._sending = batch
        return batch

    @callback
    def accepted(self, batch: Mapping[str, Sample]) -> None:
        """Take note of values that the cloud took."""
        for identifier, sample in batch.items():
            self._accepted[identifier] = sample.value
        for snapshot in self._snapshots:
            snapshot.accepted(batch)
        self._arrived(batch)

    @callback
    def refused(self, batch: Mapping[str, Sample], reasons: Mapping[str, str]) -> None:
        """Take note of values that the cloud did not take; what it has of them now is unknown."""
        for identifier in batch:
            self._accepted.pop(identifier, None)
        for snapshot in self._snapshots:
            snapshot.refused({identifier: reasons[identifier] for identifier in batch})
        self._arrived(batch)

    @callback
    def put_back(self, batch: Mapping[str, Sample], bound: Collection[str]) -> None:
        """Let a batch wait again, except where something newer waits already or nothing is bound any more."""
        self.waiting = {key: sample for key, sample in batch.items() if key in bound} | self.waiting
        for identifier in batch:  # it was not posted, as far as anybody knows
            self._posted_at.pop(identifier, None)
        self._arrived(batch)

    def _due_at(self, identifier: str) -> float:
        """Return when a property may be posted again, in monotonic seconds."""
        pause = self._min_interval(identifier)
        return self._posted_at.get(identifier, -pause) + pause  # monotonic time may have begun a moment ago

    def _arrived(self, batch: Mapping[str, Sample]) -> None:
        self._sending = {key: sample for key, sample in self._sending.items() if key not in batch}
