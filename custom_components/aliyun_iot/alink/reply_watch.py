"""Conclusions from replies and their absence, about the connection, the host and the device."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import time
from typing import Final

from .errors import CredentialsRefused, DeviceDeleted, DeviceDisabled
from .host import MAX_TRIES

DEAF_POSTS: Final = 3
DEAF_SECONDS: Final = 30.0
"""After this many posts without a reply, and this long without any reply, a connection is given up although its host answers
pings: the cloud may have lost its subscriptions. For a cloud that is merely slow, the back-off (`mqtt/pacing.py`) grows."""

VERDICTS: Final[Mapping[int, type[CredentialsRefused]]] = {
    521: DeviceDeleted,
    6100: DeviceDeleted,
    522: DeviceDisabled,
    6204: DeviceDisabled,
}
"""What a refused CONNECT means after such a reply (docs/protocol.md §7.2); CONNACK itself does not say (§1.4)."""


@dataclass(slots=True)
class ReplyWatch:
    """The replies of one connection; times are monotonic seconds.

    `verdict` is the meaning of the next refusal of the credentials. After `tries` requests of one kind without any reply they
    are given up, since some hosts implement only a part of Alink; `silent` are those that an earlier connection has given up.
    """

    clock: Callable[[], float] = time.monotonic
    tries: int = MAX_TRIES
    silent: set[str] = field(default_factory=set)
    verdict: type[CredentialsRefused] = CredentialsRefused
    _answered: set[str] = field(default_factory=set)
    _missed: Counter[str] = field(default_factory=Counter)
    _missed_posts: int = 0
    _replied_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Start as if a reply had just come."""
        self._replied_at = self.clock()

    def replied(self, kind: str, code: int) -> None:
        """Record a reply to a request of this kind."""
        self._answered.add(kind)
        self.silent.discard(kind)
        self._missed_posts = 0
        self._replied_at = self.clock()
        self.verdict = VERDICTS.get(code, self.verdict)

    def missed(self, kind: str, *, basic: bool) -> None:
        """Record that a reply did not come; every host answers `basic` requests."""
        self._missed[kind] += 1
        self._missed_posts += basic or kind in self._answered
        if not basic and self._missed[kind] >= self.tries and kind not in self._answered:
            self.silent.add(kind)

    def is_unknown(self, kind: str) -> bool:
        """Return whether the host seems not to know requests of this kind."""
        return kind in self.silent

    def is_deaf(self) -> bool:
        """Return whether the cloud seems to reply to nothing any more."""
        return self._missed_posts >= DEAF_POSTS and self.clock() - self._replied_at >= DEAF_SECONDS
