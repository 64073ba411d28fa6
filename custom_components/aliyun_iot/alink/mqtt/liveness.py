"""Whether the other side is still there: when to ask a host that is silent, and when to give it up.

A router that restarts, a modem that redials or a laptop that slept leave a connection that looks alive and carries nothing.
TCP itself takes many minutes to notice, MQTT's keep-alive one to two of its periods. So whoever expects something asks
sooner, by a ping, which costs two bytes; only a ping without an answer ends the connection. A cloud that is slow, that loses
a reply or does not acknowledge what exceeds its rate still answers pings, and therefore keeps its connection.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
import time

OWED_PATIENCE = 10.0
"""Seconds that a message of QoS 1 may stay unacknowledged while the host says nothing at all; then it is asked.

An acknowledgement takes some tens of milliseconds, over a bad mobile line some seconds; ten are as long as a reply of the
cloud is waited for.
"""

PING_PATIENCE = 5.0
"""Seconds that a ping may stay unanswered, when nothing else comes either.

That is what the platform itself allows a late device, and three retransmissions of TCP are over by then.
"""

SLEEP = 5.0
"""A gap of so many seconds between two looks, which are a second apart, means that the process or its host slept."""


def boot_clock() -> Callable[[], float]:
    """Return a monotonic clock in seconds that counts the time in which the host is suspended, where there is one.

    Python's own monotonic clock stands still meanwhile on Linux, so that after a night every timer believes that a moment
    has passed.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if clock is None else partial(time.clock_gettime, clock)


class Finding(Enum):
    """What a look at the connection says."""

    WELL = auto()
    ASK = auto()
    """It is time for a ping."""
    GONE = auto()


@dataclass(slots=True)
class Liveness:
    """The signs of life of one connection.

    Anything that arrives is one, not just what was asked for: if the way to the host were cut, TCP would soon let nothing
    come the other way either.
    """

    clock: Callable[[], float]
    _looked_at: float = field(init=False)
    _owed_since: float | None = None
    _asked_at: float | None = None
    _doubted: bool = False

    def __post_init__(self) -> None:
        """Begin with a host that has just been heard."""
        self._looked_at = self.clock()

    def heard(self) -> None:
        """Take note that something arrived."""
        self._owed_since = self._asked_at = None
        self._doubted = False

    def owed(self) -> None:
        """Take note that something was sent which the host has to acknowledge."""
        if self._owed_since is None:
            self._owed_since = self.clock()

    def asked(self) -> None:
        """Take note of a ping, whoever had the idea."""
        self._doubted = False
        if self._asked_at is None:
            self._asked_at = self.clock()

    def doubt(self) -> None:
        """Have the host asked at the next look, since something did not come or the network has changed."""
        self._doubted = True

    def progress(self) -> None:
        """Take note that what was sent is still leaving: over a slow line a question may have to queue for long.

        That is no sign of life, only a reason to begin to wait later: a router may take everything and pass on nothing.
        """
        now = self.clock()
        if self._owed_since is not None:
            self._owed_since = now
        if self._asked_at is not None:
            self._asked_at = now

    def look(self) -> Finding:
        """Say how the connection is; to be asked every second."""
        now = self.clock()
        slept = now - self._looked_at > SLEEP
        self._looked_at = now
        if slept:  # nobody was there to read an answer, so none is overdue
            self._owed_since = self._asked_at = None
            return Finding.ASK
        if self._asked_at is not None:
            return Finding.GONE if now - self._asked_at > PING_PATIENCE else Finding.WELL
        overdue = self._owed_since is not None and now - self._owed_since > OWED_PATIENCE
        return Finding.ASK if overdue or self._doubted else Finding.WELL
