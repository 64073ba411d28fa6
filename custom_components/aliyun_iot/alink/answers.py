"""The answers to commands, which wait to be sent at the rate that the platform takes (docs/protocol.md §6.4, §14).

They are sent at QoS 0, as RRPC requires, so nothing confirms their arrival; but if the host acknowledges what was sent after
them on the same connection, it has got them. Of a connection that was lost, the others of the last minute are repeated in the
next one, of a lost session of a sub-device all of the last minute, and again if need be.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
import math
import time
from typing import Final

from .auth import Identity
from .errors import NotConnected
from .foreign import logger_of
from .messages import MAX_PAYLOAD
from .mqtt.pacing import PERIOD, RateLimit

_LOGGER = logger_of(__name__)

ANSWERS_PER_SECOND: Final = 20
"""The platform accepts 30 messages a second at QoS 0 (docs/protocol.md §14); some of them are requests."""

FLOW_PARTS: Final = 4
"""In a part of a second at most this part of the rate is used up for callers who do not wait, so that one who does waits
no longer than that."""

RESERVED: Final = 1
"""Answers a second that are kept for callers who wait."""

URGENT_IN_A_ROW: Final = 4
"""Answers to callers who wait after which another one is sent, or an endless stream of calls would hold those up for ever."""

MAX_QUEUED: Final = 15 * ANSWERS_PER_SECOND
MAX_URGENT: Final = 2 * ANSWERS_PER_SECOND
MAX_BYTES: Final = 4 * 1024 * 1024
"""Answers that wait or will come, in all and for callers who wait, and their bytes, before new commands are refused."""

PATIENCE: Final = 300.0
SYNC_PATIENCE: Final = 5.0
"""Seconds after which an answer is of no use; the caller of a synchronous service waits for five."""

MAX_LESSER: Final = int(PATIENCE) * ANSWERS_PER_SECOND
"""Refusals and answers to second deliveries that wait: as many as can be sent before they are of no use."""

REPEATED_FOR: Final = 60.0
"""Seconds before the loss of a connection in which an answer may have been lost with it."""

MAX_REPEATS: Final = 3
"""How often an answer is repeated at most: the connections in which it is may be lost one after the other."""

MAX_SENT_BYTES: Final = 2 * 1024 * 1024
"""Bytes of the answers that are kept for that, and of those held for sub-devices; the oldest are not."""

OVERHEAD: Final = 700
"""Bytes that a command or an answer takes besides its texts."""


@dataclass(frozen=True, slots=True)
class _Queued:
    """An answer to be sent; `expires` is in monotonic seconds.

    `identity` is that of the device whose command it answers, None if it can be sent whether or not the device has a session.
    `repeats` counts how often it was sent before, and may have been lost.
    """

    topic: str
    payload: bytes
    expires: float
    identity: Identity | None = None
    repeats: int = 0


class Answers:
    """The queue of answers, which outlives connections and sends at the platform's rate.

    Those of a sub-device wait until it is logged in. Answers that a caller waits for are sent first. Then come those of
    commands that were carried out, those that an earlier connection may have lost, and at last refusals and answers to second
    deliveries.
    """

    def __init__(self) -> None:
        """Start with an empty queue."""
        self._limit = RateLimit(ANSWERS_PER_SECOND)
        self._flow = RateLimit(ANSWERS_PER_SECOND / FLOW_PARTS, PERIOD / FLOW_PARTS)
        self._urgent: deque[_Queued] = deque()
        self._others: deque[_Queued] = deque()
        self._repeats: deque[_Queued] = deque()
        self._lesser: deque[_Queued] = deque()
        self._waiting_bytes = 0
        self._in_a_row = 0
        self._sent: deque[tuple[float, _Queued]] = deque()
        self._sent_bytes = 0
        self._held: deque[_Queued] = deque()
        self._held_bytes = 0
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """Return how many answers wait."""
        return len(self._urgent) + len(self._others) + len(self._repeats) + len(self._lesser)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self._limit.messages

    @rate.setter
    def rate(self, messages: float) -> None:
        self._limit.messages = messages
        self._flow.messages = messages / FLOW_PARTS

    def has_room(self, expected: int, *, urgent: bool) -> bool:
        """Return whether the answer to one more command could be sent in time; `expected` others are yet to come."""
        queue, most = (self._urgent, MAX_URGENT) if urgent else (self._others, MAX_QUEUED)
        return len(queue) + expected < most and self.has_bytes(MAX_PAYLOAD)

    def has_bytes(self, number: int) -> bool:
        """Return whether there is room for an answer of so many bytes."""
        return self._waiting_bytes + number <= MAX_BYTES

    def put(
        self,
        topic: str,
        payload: bytes,
        *,
        urgent: bool,
        lesser: bool = False,
        identity: Identity | None = None,
    ) -> None:
        """Queue an answer: `urgent` when a caller waits for it, `lesser` when nothing was done for it.

        With an `identity` it is only sent while that device has a session.
        """
        now = time.monotonic()
        if urgent and not (lesser and len(self._urgent) >= ANSWERS_PER_SECOND):
            queue, answer = self._urgent, _Queued(topic, payload, now + SYNC_PATIENCE, identity)
        else:
            queue, answer = self._lesser if lesser else self._others, _Queued(topic, payload, now + PATIENCE, identity)
        if queue is self._lesser and len(queue) >= MAX_LESSER:
            _LOGGER.debug("Too many answers wait: the one on %s is not sent", topic)
            return
        queue.append(answer)
        self._waiting_bytes += len(payload)
        self._empty.clear()
        self._changed.set()

    async def pump(
        self, send: Callable[[str, bytes], None], has_session: Callable[[Identity], bool] = lambda _identity: True
    ) -> None:
        """Send queued answers as fast as the rate allows, until `send` (topic, payload) raises NotConnected.

        Those of devices without a session are held until `release`.
        """
        self._forget_sent()  # the answers of an earlier connection that was closed in order have arrived
        while True:
            if not len(self):
                self._empty.set()
                await self._wait(None)
            elif (delay := self._delay()) > 0:
                await self._wait(delay)
            elif not self._send_next(send, has_session):
                return

    async def flush(self, timeout: float) -> None:
        """Wait until the queue is empty, but no longer than `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._empty.wait()
        except TimeoutError:
            _LOGGER.debug("%d answers are left for the next connection", len(self))

    def release(self, identities: Collection[Identity]) -> None:
        """Queue what was held for these devices, which are logged in now."""
        released = [answer for answer in self._held if answer.identity in identities]
        if released:
            self._drop_held(identities)
            for answer in released:
                (self._repeats if answer.repeats else self._others).append(answer)
            self._waiting_bytes += sum(len(answer.payload) for answer in released)
            self._empty.clear()
            self._changed.set()

    def forget(self, identity: Identity) -> None:
        """Forget what was held for a device that is no longer on the link."""
        self._drop_held((identity,))

    def may_be_lost(self, proven_until: float) -> bool:
        """Return whether answers were sent so lately, and after this monotonic time, that they may not have arrived."""
        return bool(self._lately_sent(proven_until))

    def connection_lost(self, proven_until: float = -math.inf) -> None:
        """Queue the answers that may have been lost with the connection: those since `proven_until`, in monotonic seconds."""
        lost = self._lately_sent(proven_until)
        self._repeats.extend(lost)
        self._waiting_bytes += sum(len(answer.payload) for answer in lost)
        self._forget_sent()
        if lost:
            self._empty.clear()

    def session_lost(self, identity: Identity) -> None:
        """Hold the answers of a device that may have been lost with its session for `release`."""
        for answer in self._lately_sent():
            if answer.identity == identity:
                self._hold(answer)
        kept = [(at, answer) for at, answer in self._sent if answer.identity != identity]
        self._forget_sent()
        for at, answer in kept:
            self._keep_sent(at, answer)

    def _lately_sent(self, proven_until: float = -math.inf) -> list[_Queued]:
        """Return the answers that may be lost if a connection or a session is now, as they are to be sent again."""
        since = max(time.monotonic() - REPEATED_FOR, proven_until)
        return [replace(answer, repeats=answer.repeats + 1) for at, answer in self._sent if at >= since]

    def _delay(self) -> float:
        """Return the seconds until the next answer may be sent."""
        return self._limit.delay() if self._urgent else max(self._limit.delay(RESERVED), self._flow.delay())

    async def _wait(self, timeout: float | None) -> None:
        """Wait until an answer is queued, or until the time-out."""
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return

    def _send_next(self, send: Callable[[str, bytes], None], has_session: Callable[[Identity], bool]) -> bool:
        """Send the next answer unless it has expired; return False when there is no connection."""
        others = self._others or self._repeats or self._lesser
        queue = others if not self._urgent or (others and self._in_a_row >= URGENT_IN_A_ROW) else self._urgent
        answer = queue.popleft()
        now = time.monotonic()
        if now > answer.expires:
            if queue is self._urgent:  # its caller has given up, but it is still answered, after those that are in time
                self._others.append(replace(answer, expires=answer.expires - SYNC_PATIENCE + PATIENCE))
            else:
                self._waiting_bytes -= len(answer.payload)
            return True
        if answer.identity and not has_session(answer.identity):
            self._waiting_bytes -= len(answer.payload)
            self._hold(answer)
            return True
        try:
            send(answer.topic, answer.payload)
        except NotConnected:
            queue.appendleft(answer)
            return False
        self._waiting_bytes -= len(answer.payload)
        self._limit.count()
        if queue is self._urgent:
            self._in_a_row += 1
        else:
            self._in_a_row = 0
            self._flow.count()
        if answer.repeats < MAX_REPEATS:
            self._keep_sent(now, answer)
        return True

    def _keep_sent(self, now: float, answer: _Queued) -> None:
        self._sent.append((now, answer))
        self._sent_bytes += OVERHEAD + len(answer.payload)
        while self._sent_bytes > MAX_SENT_BYTES or now - self._sent[0][0] > REPEATED_FOR:
            self._sent_bytes -= OVERHEAD + len(self._sent.popleft()[1].payload)

    def _hold(self, answer: _Queued) -> None:
        self._held.append(answer)
        self._held_bytes += OVERHEAD + len(answer.payload)
        while self._held_bytes > MAX_SENT_BYTES:
            self._held_bytes -= OVERHEAD + len(self._held.popleft().payload)

    def _drop_held(self, identities: Collection[Identity]) -> None:
        self._held = deque(answer for answer in self._held if answer.identity not in identities)
        self._held_bytes = sum(OVERHEAD + len(answer.payload) for answer in self._held)

    def _forget_sent(self) -> None:
        self._sent.clear()
        self._sent_bytes = 0
