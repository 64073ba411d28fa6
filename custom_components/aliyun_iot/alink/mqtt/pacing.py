"""Limits and pauses: when the next connection may be tried, and when the next message may be sent.

The platform refuses a sixth CONNECT within a minute (docs/protocol.md §1.4). Start, reload, reconnect and the test in a
configuration dialogue all count, so they share one `ConnectPacer` per device.

The platform silently drops messages above its rate (docs/protocol.md §14), so a `RateLimit` stays below it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import random
import time

from ..errors import (
    CloudSilent,
    ConnectError,
    ConnectionClosed,
    ConnectionRefused,
    ConnectTimeout,
    CredentialsRefused,
    HostNotFound,
    HostUnreachable,
    KickedOut,
    PacketRefused,
)

CONNECTS_PER_WINDOW = 5
WINDOW = 60.0

MESSAGE_RATE = 9.0
"""Messages in any second: the platform accepts ten of QoS 1 (docs/protocol.md §14)."""

PERIOD = 1.05
"""Seconds; a little more than one, because messages sent a second apart may arrive closer together."""

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
REFUSED_DELAY = 15 * 60.0
"""Refused credentials stay wrong, but a disabled device may be enabled again; a host that is not the platform may be
replaced."""

SHORT_LIVED = 60.0
"""Seconds online after which a connection counts as good: the back-off starts again from its first delay.

A second client with the same identity that reconnects by itself does so sooner, after a minute at the latest.
"""

KICKS_BEFORE_PAUSE = 3
"""A restart of the cloud, or a router that drops all connections, closes one or two in a row."""

KICKED_DELAY = 5 * 60.0
LONGEST_KICKED_DELAY = 30 * 60.0
"""Each connection disconnects the other client, so the pause grows: 5, 10, 20, then 30 minutes."""


_REFUSED = (CredentialsRefused, PacketRefused)
_NOT_REACHED = (ConnectionRefused, ConnectTimeout, HostNotFound, HostUnreachable)


@dataclass(slots=True)
class ConnectPacer:
    """Counts the connects of one device; times are monotonic seconds."""

    clock: Callable[[], float] = time.monotonic
    _connects: tuple[float, ...] = ()

    def delay(self) -> float:
        """Return the seconds to wait before a connect is allowed."""
        if len(self._connects) < CONNECTS_PER_WINDOW:
            return 0.0
        return max(0.0, self._connects[0] + WINDOW - self.clock())

    def connected(self) -> None:
        """Count a connect that is about to be made."""
        self._connects = (*self._connects, self.clock())[-CONNECTS_PER_WINDOW:]


@dataclass(slots=True)
class Backoff:
    """The delay after a failure: it doubles, with jitter, and is longer where another attempt is unlikely to help."""

    jitter: Callable[[], float] = random.random
    _failures: int = 0
    _kicks: int = 0

    def after_failure(self, error: ConnectError) -> float:
        """Return the seconds to wait after a connect failed."""
        if isinstance(error, _NOT_REACHED):  # which another client can't cause
            self._kicks = 0
        return self._spread(REFUSED_DELAY) if isinstance(error, _REFUSED) else self._next_delay()

    def after_loss(self, error: ConnectError, online: float) -> tuple[ConnectError, float]:
        """Return the cause of the loss, and the seconds to wait; `online` is how many seconds the connection was online.

        Only a connection that was online for a minute resets the back-off, so a host that accepts every connection and serves
        none is tried less and less often.

        The platform silently closes the older of two connections with one identity (docs/protocol.md §1.4), so several in a
        row that it closes soon mean a second client with the same device triple. A connection that went silent, was reset or
        ended for another reason does not.

        A host that sends what the platform never sends is left alone for long.
        """
        if online >= SHORT_LIVED and not isinstance(error, CloudSilent):
            self._failures = 0
        kicked = isinstance(error, ConnectionClosed) and online < SHORT_LIVED
        self._kicks = self._kicks + 1 if kicked else 0
        if self._kicks < KICKS_BEFORE_PAUSE:
            return error, self.after_failure(error)
        pause = doubled(KICKED_DELAY, self._kicks - KICKS_BEFORE_PAUSE, LONGEST_KICKED_DELAY)
        return KickedOut("another client seems to use the same device triple"), self._spread(pause)

    def _next_delay(self) -> float:
        delay = doubled(FIRST_DELAY, self._failures, LONGEST_DELAY)
        self._failures += 1
        return self._spread(delay)

    def _spread(self, delay: float) -> float:
        return delay * (0.75 + 0.5 * self.jitter())


def doubled(first: float, times: int, longest: float) -> float:
    """Double a delay; after an outage of days an unlimited one would overflow."""
    return min(first * 2.0 ** min(times, 32), longest)


@dataclass(slots=True)
class Turns:
    """Lets at most `places` in at once, and those that wait by turns of their owners.

    However much one owner (a device) has to send, each of the others has to wait for one message of it only. Messages of one
    owner keep their order.
    """

    places: int = 1
    _taken: int = 0
    _waiting: dict[Hashable, deque[asyncio.Future[None]]] = field(default_factory=dict)

    @asynccontextmanager
    async def of(self, owner: Hashable, *, first: bool = False) -> AsyncGenerator[None]:
        """Have a place; `first` means the next that becomes free."""
        if self._taken < self.places:
            self._taken += 1
        else:
            await self._wait(owner, first=first)  # the place is passed on without becoming free
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, owner: Hashable, *, first: bool) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if first:
            self._waiting = {(owner, mine): deque([mine]), **self._waiting}
        else:
            self._waiting.setdefault(owner, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():  # it had been given the place
                self._leave()
            raise

    def _leave(self) -> None:
        while self._waiting:
            owner = next(iter(self._waiting))
            queue = self._waiting.pop(owner)
            first = queue.popleft()
            if queue:
                self._waiting[owner] = queue  # behind the others
            if not first.done():
                first.set_result(None)
                return
        self._taken -= 1


@dataclass(slots=True)
class RateLimit:
    """Lets at most `messages` pass in any `period` (seconds), as densely as they come; times are monotonic seconds."""

    messages: float = MESSAGE_RATE
    period: float = PERIOD
    clock: Callable[[], float] = time.monotonic
    under_way: int = 0
    """Messages that were sent and may pass at any moment: a line that stalls delivers all of them at once."""
    _passed: deque[float] = field(default_factory=deque)
    _turns: Turns = field(default_factory=Turns)

    def delay(self, spare: int = 0) -> float:
        """Return the seconds to wait until one message may pass and `spare` more would still be allowed."""
        now = self.clock()
        while self._passed and now - self._passed[0] >= self.period:
            self._passed.popleft()
        surplus = len(self._passed) + self.under_way + spare - max(1 + spare, int(self.messages))
        if surplus < 0:
            return 0.0
        return (self._passed[surplus] if surplus < len(self._passed) else now) + self.period - now

    def count(self) -> None:
        """Count a message that passes now."""
        self._passed.append(self.clock())

    async def wait(self, owner: Hashable = None, *, first: bool = False) -> None:
        """Wait until a message may pass, by turns of the owners, and for one owner in the order of the calls.

        One that is to be `first` passes before all that wait.

        The caller sends and counts the message before it awaits anything else; one that can't be sent is not counted. While
        its arrival can still be awaited it is `under_way`, and counted after that.
        """
        async with self._turns.of(owner, first=first):
            while (delay := self.delay()) > 0:  # a timer may end early  # noqa: ASYNC110
                await asyncio.sleep(delay)
