"""Answers to commands, on their way to the cloud: none gets lost with a connection, and none vanishes for coming too fast.

Answers go at QoS 0, as RRPC demands (docs/protocol.md §6.4), so nothing in MQTT tells of their arrival. But a host reads the
packets of a connection in order: a reply to a request proves that whatever was sent before that request has arrived. Answers
that nothing has proved when their connection is lost are sent once more on the next one, be it that of another link.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
import logging
import time
from typing import Final

from .errors import NotConnected
from .mqtt.pacing import TokenBucket
from .requests import Publish

_LOGGER = logging.getLogger(__name__)

ANSWERS_PER_SECOND: Final = 20
"""The platform takes 30 messages a second at QoS 0 (docs/protocol.md §14), and there are some requests among them."""

PATIENCE: Final = 300.0
SYNC_PATIENCE: Final = 5.0
"""Seconds after which nobody is interested in an answer any more; the caller of a synchronous service waits for five."""

MOST: Final = 256
"""Answers that wait, for their turn or for a connection; of a longer flood the platform would not take the answers either."""


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """An answer that may not have arrived, and until when somebody may be interested in it (monotonic seconds)."""

    topic: str
    payload: bytes
    expires: float


class Answers:
    """The answers of one link."""

    def __init__(self, publish: Publish) -> None:
        """`publish` takes topic, payload and QoS, and raises NotConnected."""
        self.limiter = TokenBucket()
        self.limiter.limit_to(ANSWERS_PER_SECOND)
        self._publish = publish
        self._unproved: deque[tuple[float, SentAnswer]] = deque(maxlen=MOST)
        self._lost: deque[SentAnswer] = deque(maxlen=MOST)
        self._waiting = 0

    async def give(self, topic: str, payload: bytes, *, sync: bool, last: bool) -> None:
        """Send an answer as soon as the rate allows it; without a connection it waits for the next one.

        `sync` tells that the caller will not wait for long, `last` that the connection is about to be closed, which no
        answer may miss.
        """
        answer = SentAnswer(topic, payload, time.monotonic() + (SYNC_PATIENCE if sync else PATIENCE))
        if not last:
            if self._waiting >= MOST:
                _LOGGER.debug("Too many answers at once: the one on %s is not sent", topic)
                return
            self._waiting += 1
            try:
                await self.limiter.take()
            finally:
                self._waiting -= 1
        self._send(answer)

    async def connected(self) -> None:
        """Send what may not have arrived by the last connection, as far as somebody may still be interested in it."""
        while self._lost:
            await self.limiter.take()
            if self._lost and not self._send(self._lost.popleft()):
                return

    def connection_lost(self) -> None:
        """Take note that what is not proved to have arrived may be lost."""
        self._lost.extend(answer for _, answer in self._unproved)
        self._unproved.clear()

    def unproved(self) -> list[SentAnswer]:
        """Return what may not have arrived."""
        return [*self._lost, *(answer for _, answer in self._unproved)]

    def restore(self, answers: Iterable[SentAnswer]) -> None:
        """Take over what an earlier link may have lost; it is sent by the next connection."""
        self._lost.extend(answers)

    def arrived(self, before: float) -> None:
        """Take note that everything that was sent before this moment (monotonic seconds) has arrived."""
        while self._unproved and self._unproved[0][0] < before:
            self._unproved.popleft()

    def _send(self, answer: SentAnswer) -> bool:
        """Send an answer, if it is not too late; False when there is no connection."""
        now = time.monotonic()
        if now > answer.expires:
            _LOGGER.debug("Too late for the answer on %s", answer.topic)
            return True
        try:
            self._publish(answer.topic, answer.payload, 0)
        except NotConnected:
            self._lost.append(answer)
            return False
        self._unproved.append((now, answer))
        return True
