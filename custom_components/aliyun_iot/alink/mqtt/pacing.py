"""When the next connection may be tried, and when the next message may be sent.

The platform refuses a sixth CONNECT within a minute (docs/protocol.md §1.4), whoever asks for it: start, reload,
reconnect or the test in a set-up dialogue. So there is one `ConnectPacer` per device, shared by all of them.

Messages above the platform's rate are dropped without a word (docs/protocol.md §14), so a `TokenBucket` stays below it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
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
)

CONNECTS_PER_WINDOW = 5
WINDOW = 60.0

MESSAGE_RATE = 5.0
MESSAGE_BURST = 4.0
"""In no second more than nine messages: the platform takes ten of QoS 1 (docs/protocol.md §14)."""

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
REFUSED_DELAY = 15 * 60.0
"""Credentials do not get better by themselves, but a disabled device may be enabled again."""

SHORT_LIVED = 60.0
"""Seconds. A rival that comes back by itself does so within moments, at the latest after a pause of a minute or so."""

KICKS_BEFORE_PAUSE = 3
"""A restart of the cloud, or a router that drops all connections, closes one or two in a row."""

KICKED_DELAY = 5 * 60.0
LONGEST_KICKED_DELAY = 30 * 60.0
"""Each return kicks the rival out once, so they become rarer: 5, 10, 20, then 30 minutes."""


_NOT_REACHED = (ConnectionRefused, ConnectTimeout, HostNotFound, HostUnreachable)


@dataclass(slots=True)
class ConnectPacer:
    """Counts the connects of one device; times are monotonic seconds."""

    clock: Callable[[], float] = time.monotonic
    _connects: deque[float] = field(default_factory=lambda: deque(maxlen=CONNECTS_PER_WINDOW))

    def delay(self) -> float:
        """Return the seconds to wait before a connect is allowed."""
        if len(self._connects) < CONNECTS_PER_WINDOW:
            return 0.0
        return max(0.0, self._connects[0] + WINDOW - self.clock())

    def connected(self) -> None:
        """Count a connect that is about to be made."""
        self._connects.append(self.clock())


@dataclass(slots=True)
class Backoff:
    """How long to wait after a failure: doubling with jitter, longer where trying again cannot help."""

    jitter: Callable[[], float] = random.random
    _failures: int = 0
    _kicks: int = 0

    def after_failure(self, error: ConnectError) -> float:
        """Return the seconds to wait after a connect failed."""
        if isinstance(error, _NOT_REACHED):  # which a rival can't bring about
            self._kicks = 0
        if isinstance(error, CredentialsRefused):
            return self._spread(REFUSED_DELAY)
        return self._after_another()

    def after_loss(self, error: ConnectError, lifetime: float) -> tuple[ConnectError, float]:
        """Return what a lost connection means, and the seconds to wait; `lifetime` is its age in seconds.

        The platform closes the older of two connections with one identity without a word (docs/protocol.md §1.4), so
        connections that are accepted and closed young again and again mean a second client with the same device triple.
        One that went silent, or ended for another reason, does not.
        """
        if isinstance(error, CloudSilent):  # it was accepted, which proves nothing about what is behind it
            return error, self._after_another()
        self._failures = 0
        kicked = isinstance(error, ConnectionClosed) and lifetime < SHORT_LIVED
        self._kicks = self._kicks + 1 if kicked else 0
        if self._kicks < KICKS_BEFORE_PAUSE:
            return error, self._after_another()
        pause = _doubled(KICKED_DELAY, self._kicks - KICKS_BEFORE_PAUSE, LONGEST_KICKED_DELAY)
        return KickedOut("another client seems to use the same device triple"), self._spread(pause)

    def _after_another(self) -> float:
        delay = _doubled(FIRST_DELAY, self._failures, LONGEST_DELAY)
        self._failures += 1
        return self._spread(delay)

    def _spread(self, delay: float) -> float:
        return delay * (0.75 + 0.5 * self.jitter())


def _doubled(first: float, times: int, longest: float) -> float:
    """Double a delay; an outage of days would otherwise end in a number that no float can hold."""
    return min(first * 2.0 ** min(times, 32), longest)


@dataclass(slots=True)
class TokenBucket:
    """Lets `rate` messages a second pass, and `burst` at once after a silence."""

    rate: float = MESSAGE_RATE
    burst: float = MESSAGE_BURST
    clock: Callable[[], float] = time.monotonic
    _tokens: float = field(init=False)
    _filled_at: float = field(init=False)
    _in_turn: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Start full."""
        self._tokens = self.burst
        self._filled_at = self.clock()

    def limit_to(self, messages: float) -> None:
        """Let no more than `messages` pass in any second, which are two or more."""
        self.burst = max(1.0, messages * MESSAGE_BURST / (MESSAGE_RATE + MESSAGE_BURST))
        self.rate = messages - self.burst

    async def take(self) -> None:
        """Wait for the permission to send one message; whoever asks first gets it first."""
        async with self._in_turn:
            self._fill()
            if self._tokens < 1:
                await asyncio.sleep((1 - self._tokens) / self.rate)
                self._fill()  # never more than a burst: the loop may have been blocked for long
            self._tokens -= 1

    def _fill(self) -> None:
        now = self.clock()
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
