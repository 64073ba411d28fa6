"""What went over the wire, in order.

Every PUBLISH in either direction is recorded, also the ones that never arrived; its `note` then says why. Connects,
subscriptions and disconnects are recorded too, with the direction `link`, so that a transcript tells the whole story.
No record ever holds a device secret or a password.
"""

import base64
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
import time

from .jsontext import JsonValue

MESSAGES_KEPT = 10_000


class Direction(StrEnum):
    """Who spoke: the device (up), the cloud (down); `link` is the connection itself."""

    UP = "up"
    DOWN = "down"
    LINK = "link"


class Note(StrEnum):
    """Why a PUBLISH had no effect. An empty note means that it had one."""

    IGNORED = "ignored"
    """Up: nothing in the platform answers this topic."""
    IN_FLIGHT_FULL = "in_flight_full"
    """Down: the device owes too many acknowledgements."""
    LATE = "late"
    """Up: a reply nobody waits for, or no more."""
    LOST = "lost"
    """Down: thrown away by the fault `lose_replies`."""
    NO_EXT = "no_ext"
    """Down: a call on /ext/rrpc/… to a device whose client id does not declare `ext` bit 0."""
    NOT_ALLOWED = "not_allowed"
    """Up: the topic belongs to another device."""
    OFFLINE = "offline"
    """Down: the device has no connection."""
    RATE_LIMITED = "rate_limited"
    """Up: more than the platform takes in a second."""
    TOO_LARGE = "too_large"
    """Up: the payload is longer than 256 KB."""
    UNDELIVERED = "undelivered"
    """Down: no subscription of the device matches the topic."""


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One message: `at` in Unix seconds, `device` as `ProductKey/DeviceName`, `number` counting from 1."""

    number: int
    at: float
    direction: Direction
    device: str
    topic: str
    qos: int
    payload: bytes
    note: str

    def as_json(self) -> dict[str, JsonValue]:
        """Return the message for a JSON line; a payload that is not UTF-8 comes as `payload_base64`."""
        content: dict[str, JsonValue] = {
            "number": self.number,
            "at": round(self.at, 3),
            "direction": self.direction,
            "device": self.device,
            "topic": self.topic,
            "qos": self.qos,
        }
        if self.note:
            content["note"] = self.note
        try:
            content["payload"] = self.payload.decode()
        except UnicodeDecodeError:
            content["payload_base64"] = base64.b64encode(self.payload).decode()
        return content


class WireLog:
    """The newest messages, and at most one listener that sees each as it is recorded."""

    def __init__(self, listener: Callable[[WireMessage], None] | None = None) -> None:
        """Start empty."""
        self.messages: deque[WireMessage] = deque(maxlen=MESSAGES_KEPT)
        self._listener = listener
        self._count = 0

    def record(
        self, direction: Direction, device: str, *, topic: str = "", qos: int = 0, payload: bytes = b"", note: str = ""
    ) -> None:
        """Keep one message and tell the listener."""
        self._count += 1
        message = WireMessage(self._count, time.time(), direction, device, topic, qos, payload, note)
        self.messages.append(message)
        if self._listener is not None:
            self._listener(message)

    def since(self, number: int) -> list[WireMessage]:
        """Return the messages after the one with this number, oldest first."""
        return [message for message in self.messages if message.number > number]
