"""The transcript: everything sent and received, in order.

Every PUBLISH in either direction is recorded, including those that had no effect, whose `note` says why. Connects,
subscriptions and disconnects are recorded with the direction `link`. A record never has a device secret or a password: those
that registration hands out are replaced by `***`.
"""

import base64
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
import re
import time

from .jsontext import JsonValue

MESSAGES_KEPT = 10_000
SECRETS = re.compile(rb'("device(?:Secret|Token)":)"[^"]*"')


class Direction(StrEnum):
    """The sender: the device (up) or the cloud (down); `link` stands for the connection itself."""

    UP = "up"
    DOWN = "down"
    LINK = "link"


class Note(StrEnum):
    """Why a PUBLISH had no effect; the note of any other PUBLISH is empty."""

    IGNORED = "ignored"
    """Up: the platform does not answer on this topic."""
    IN_FLIGHT_FULL = "in_flight_full"
    """Down: too many messages are unacknowledged."""
    LATE = "late"
    """Up: a reply that is not awaited, or not any more."""
    LOST = "lost"
    """Down: thrown away by the fault `lose_replies`."""
    NO_EXT = "no_ext"
    """Down: a call on /ext/rrpc/… to a device whose client id does not declare `ext` bit 0."""
    NOT_ALLOWED = "not_allowed"
    """Up: the topic belongs to another device."""
    NO_SESSION = "no_session"
    """Up: a gateway publishes for a sub-device that is not logged in."""
    OFFLINE = "offline"
    """Down: the device has no connection."""
    ONLY_QOS_0 = "only_qos_0"
    """Up: the platform takes this topic with QoS 0 only."""
    QUEUED = "queued"
    """Down: kept until the device, which is offline, connects again; then it is recorded once more."""
    RATE_LIMITED = "rate_limited"
    """Up: beyond the number of messages a second that the platform accepts."""
    MALFORMED = "malformed"
    """Up: the content is not what belongs on this topic, which has no error reply."""
    TOPIC_TOO_LONG = "topic_too_long"
    """Up: the topic has more than 128 bytes, or more than seven slashes if it is one of the user's own."""
    TOO_LARGE = "too_large"
    """Up: the payload is longer than 256 KB."""
    UNDELIVERED = "undelivered"
    """Down: no subscription of the device matches the topic."""


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One message; `at` is in Unix seconds, `device` is `ProductKey/DeviceName`, `number` counts from 1."""

    number: int
    at: float
    direction: Direction
    device: str
    topic: str
    qos: int
    payload: bytes
    note: str

    def as_json(self) -> dict[str, JsonValue]:
        """Return the message as a JSON object; a payload that is not UTF-8 becomes `payload_base64`."""
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


class Transcript:
    """The newest messages, and an optional listener that is called with each message."""

    def __init__(self, listener: Callable[[WireMessage], None] | None = None) -> None:
        """Start empty."""
        self.messages: deque[WireMessage] = deque(maxlen=MESSAGES_KEPT)
        self._listener = listener
        self._count = 0

    def record(
        self, direction: Direction, device: str, *, topic: str = "", qos: int = 0, payload: bytes = b"", note: str = ""
    ) -> None:
        """Add a message and call the listener."""
        self._count += 1
        shown = SECRETS.sub(rb'\1"***"', payload)
        message = WireMessage(self._count, time.time(), direction, device, topic, qos, shown, note)
        self.messages.append(message)
        if self._listener is not None:
            self._listener(message)

    def since(self, number: int) -> list[WireMessage]:
        """Return the messages after the one with this number, oldest first."""
        return [message for message in self.messages if message.number > number]
