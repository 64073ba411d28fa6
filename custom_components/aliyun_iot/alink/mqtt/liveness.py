"""Whether the other side is still there: when to ping a silent host, and when to give it up.

A router that restarts, a modem that redials or a laptop that slept leaves a connection that looks alive and carries nothing.
TCP itself takes many minutes to notice, MQTT's keep-alive one to two of its periods. So when something expected does not
come, the host is pinged sooner, which costs two bytes; only a ping without an answer ends the connection. A cloud that is
slow, loses a reply or does not acknowledge messages above its rate still answers pings, and so keeps its connection.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
import time

PUBACK_PATIENCE = 10.0
"""Seconds that a message of QoS 1 may stay unacknowledged while the host sends nothing at all; then the host is pinged.

An acknowledgement takes some tens of milliseconds, over a bad mobile line some seconds; a reply of the cloud is awaited for
ten as well.
"""

PING_PATIENCE = 5.0
"""Seconds that a ping may stay unanswered while nothing else comes either.

The platform allows a late device the same, and three retransmissions of TCP are over by then.
"""

SLEEP = 5.0
"""A gap of so many seconds between two checks, which are a second apart, means that the process or its host slept."""


def boot_clock() -> Callable[[], float]:
    """Return a monotonic clock in seconds that also runs while the host is suspended, where the system has one.

    On Linux Python's own monotonic clock stops meanwhile, so after a night only a moment seems to have passed.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if clock is None else partial(time.clock_gettime, clock)


class Finding(Enum):
    """The result of a check of the connection."""

    ALIVE = auto()
    PING = auto()
    GONE = auto()


@dataclass(slots=True)
class Liveness:
    """The signs of life of one connection.

    Anything that arrives is one: if the route to the host were cut, TCP would soon let nothing come back either.
    """

    clock: Callable[[], float]
    _checked_at: float = field(init=False)
    _unacknowledged_since: float | None = None
    _pinged_at: float | None = None
    _doubted: bool = False

    def __post_init__(self) -> None:
        """Start as if something had just arrived."""
        self._checked_at = self.clock()

    def received(self) -> None:
        """Record that something arrived."""
        self._unacknowledged_since = self._pinged_at = None
        self._doubted = False

    def sent(self) -> None:
        """Record that something was sent which the host has to acknowledge."""
        if self._unacknowledged_since is None:
            self._unacknowledged_since = self.clock()

    def pinged(self) -> None:
        """Record a ping."""
        self._doubted = False
        if self._pinged_at is None:
            self._pinged_at = self.clock()

    def doubt(self) -> None:
        """Ping at the next check, since something did not come or the network has changed."""
        self._doubted = True

    def progress(self) -> None:
        """Record that sent data is still leaving: over a slow line a ping may be queued for long.

        That is no sign of life, only a reason to start waiting later: a router may take everything and pass on nothing.
        """
        now = self.clock()
        if self._unacknowledged_since is not None:
            self._unacknowledged_since = now
        if self._pinged_at is not None:
            self._pinged_at = now

    def check(self) -> Finding:
        """Check the connection; to be called every second."""
        now = self.clock()
        slept = now - self._checked_at > SLEEP
        self._checked_at = now
        if slept:  # no answer could be read meanwhile, so none is overdue
            self._unacknowledged_since = self._pinged_at = None
            return Finding.PING
        if self._pinged_at is not None:
            return Finding.GONE if now - self._pinged_at > PING_PATIENCE else Finding.ALIVE
        overdue = self._unacknowledged_since is not None and now - self._unacknowledged_since > PUBACK_PATIENCE
        return Finding.PING if overdue or self._doubted else Finding.ALIVE
