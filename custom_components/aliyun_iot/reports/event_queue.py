"""Events that wait for the cloud: for the connection, for the rate limit or for a reply."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import logging
from typing import Final

from homeassistant.core import callback

from ..alink.messages import JsonValue

_LOGGER = logging.getLogger(__name__)

CAPACITY: Final = 1000
"""Events that wait at most; at nine messages a second they are sent within two minutes."""


@dataclass(slots=True)
class EventCounters:
    """Events of one device: accepted by the cloud, refused by it, and dropped because too many waited."""

    posted: int = 0
    refused: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that happened at `time` (UTC milliseconds)."""

    identifier: str
    output: Mapping[str, JsonValue]
    time: int


class EventQueue:
    """The events of one device, oldest first."""

    def __init__(self, *, on_added: Callable[[], None], on_dropped: Callable[[int], None]) -> None:
        """`on_added` is called for each event; `on_dropped` with the number of events dropped so far, when it grows."""
        self.counters = EventCounters()
        self._on_added = on_added
        self._on_dropped = on_dropped
        self.waiting: dict[int, PendingEvent] = {}
        """Events by number, oldest first; they stay until `remove`."""
        self._next = 0

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self.waiting)

    @callback
    def add(self, event: PendingEvent) -> None:
        """Queue an event; when too many wait, the oldest is dropped."""
        self._append(event)
        self._on_added()

    @callback
    def restore(self, events: Iterable[PendingEvent]) -> None:
        """Queue what an earlier run has left, before what has happened since."""
        happened, self.waiting = self.waiting, {}
        for event in (*events, *happened.values()):
            self._append(event)

    @callback
    def remove(self, numbers: Iterable[int]) -> None:
        """Drop events that the cloud has, or will never have."""
        for number in numbers:
            self.waiting.pop(number, None)

    def _append(self, event: PendingEvent) -> None:
        if len(self.waiting) >= CAPACITY:
            del self.waiting[next(iter(self.waiting))]
            self.counters.dropped += 1
            if self.counters.dropped == 1:
                _LOGGER.warning("More than %d events wait for the cloud; the oldest are dropped", CAPACITY)
            self._on_dropped(self.counters.dropped)
        self.waiting[self._next] = event
        self._next += 1
