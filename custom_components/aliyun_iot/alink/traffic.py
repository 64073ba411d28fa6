"""The messages on a link: how many of each kind in each hour, and copies for those who watch.

The platform bills messages in both directions, replies included (docs/protocol.md §14), so all of them are counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
import time
from typing import Final

from .topics import LONG_RRPC, is_reply, is_time

HOURS_KEPT: Final = 62 * 24
"""Hours that are remembered: the present month and the one before it."""

HOUR: Final = 3600


class MessageKind(StrEnum):
    """What a message is for. The order is that of the counts in an hour."""

    PROPERTIES = "properties"
    EVENTS = "events"
    ANSWERS = "answers"
    OTHER = "other"
    COMMANDS = "commands"
    REPLIES = "replies"


_POSITION: Final = {kind: position for position, kind in enumerate(MessageKind)}


@dataclass(frozen=True, slots=True)
class WireMessage:
    """A message that was sent (`up`) or received; `at` is in seconds since the epoch."""

    at: float
    topic: str
    payload: bytes
    up: bool


class Traffic:
    """Counts the messages of a link. It outlives connections."""

    def __init__(self) -> None:
        """Start without a message."""
        self.hours: dict[int, list[int]] = {}
        """The number of messages by hour since the epoch (UTC), in the order of `MessageKind`."""
        self._observers: set[Callable[[WireMessage], None]] = set()

    def sent(self, topic: str, payload: bytes) -> None:
        """Count a message that was published."""
        self._count(kind_of(topic, up=True))
        if self._observers:
            self._show(WireMessage(time.time(), topic, payload, up=True))

    def received(self, topic: str, payload: bytes) -> None:
        """Count a message that was delivered."""
        self._count(kind_of(topic, up=False))
        if self._observers:
            self._show(WireMessage(time.time(), topic, payload, up=False))

    def observe(self, observer: Callable[[WireMessage], None]) -> Callable[[], None]:
        """Call `observer` with every message from now on, until the returned function is called."""
        self._observers.add(observer)
        return lambda: self._observers.discard(observer)

    def total(self, first: int, last: int) -> int:
        """Return the number of messages in the hours from `first` up to, but not including, `last`."""
        return sum(sum(counts) for hour, counts in self.hours.items() if first <= hour < last)

    def _count(self, kind: MessageKind) -> None:
        hour = int(time.time()) // HOUR
        counts = self.hours.get(hour)
        if counts is None:
            counts = self.hours[hour] = [0] * len(MessageKind)
            for old in [each for each in self.hours if each <= hour - HOURS_KEPT]:
                del self.hours[old]
        counts[_POSITION[kind]] += 1

    def _show(self, message: WireMessage) -> None:
        for observer in tuple(self._observers):
            observer(message)


@lru_cache(maxsize=256)
def kind_of(topic: str, *, up: bool) -> MessageKind:
    """Return the kind of a message from its topic (docs/protocol.md §16)."""
    if not up:
        return MessageKind.REPLIES if is_reply(topic) or is_time(topic) else MessageKind.COMMANDS
    if is_reply(topic) or topic.startswith(LONG_RRPC) or "/rrpc/response/" in topic:
        return MessageKind.ANSWERS
    match topic.split("/", 8):
        case ["", "sys", _, _, "thing", "event", "property", *_]:
            return MessageKind.PROPERTIES
        case ["", "sys", _, _, "thing", "event", *_]:
            return MessageKind.EVENTS
    return MessageKind.OTHER
