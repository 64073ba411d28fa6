"""What the platform keeps of a device that connects with clean session 0 (docs/protocol.md §1.4)."""

from collections import deque
from dataclasses import dataclass, field
from itertools import cycle
import time

from .topics import Subscriptions

IN_FLIGHT = 100
KEPT_SECONDS = 7 * 24 * 3600.0
MESSAGES_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with QoS 1 that waits to be sent or acknowledged; `at` is in Unix seconds."""

    topic: str
    payload: bytes
    at: float


@dataclass(slots=True)
class MqttSession:
    """Subscriptions, and messages with QoS 1. Only a persistent session outlives its connection."""

    subscriptions: Subscriptions
    persistent: bool
    unacknowledged: dict[int, Outgoing] = field(default_factory=dict)
    _queued: deque[Outgoing] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))
    _packet_ids: cycle[int] = field(default_factory=lambda: cycle(range(1, 65536)))

    @property
    def is_full(self) -> bool:
        """Whether as many messages are unacknowledged as the platform allows."""
        return len(self.unacknowledged) >= IN_FLIGHT

    def take_packet_id(self, topic: str, payload: bytes) -> int:
        """Return a free packet id for a message, which is unacknowledged from now on."""
        packet_id = next(number for number in self._packet_ids if number not in self.unacknowledged)
        self.unacknowledged[packet_id] = Outgoing(topic, payload, time.time())
        return packet_id

    def queue(self, topic: str, payload: bytes) -> None:
        """Keep a message until the device is connected."""
        self._queued.append(Outgoing(topic, payload, time.time()))

    def take_queued(self) -> Outgoing | None:
        """Return the oldest message that was queued and is not too old, None if there is none."""
        while self._queued:
            message = self._queued.popleft()
            if time.time() - message.at < KEPT_SECONDS:
                return message
        return None
