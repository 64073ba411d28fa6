"""The recent commands of the cloud, which may be delivered again, and what they were answered."""

from dataclasses import dataclass
import time
from typing import Final

from .answers import OVERHEAD
from .command import Answer, encode_outcome

REMEMBERED_FOR: Final = 300.0
"""Seconds for which a second delivery is recognised."""

REMEMBERED_BYTES: Final = 8 * 1024 * 1024
"""Bytes that are kept for that. Beyond them long answers are dropped first, and only then whole commands."""

LONG_ANSWER: Final = 4096
"""Bytes of an answer that counts as long."""

UNMARKED_FOR: Final = 10.0
"""Seconds for which it is recognised without MQTT's DUP flag, since some hosts use one id for all commands."""

_NOT_KEPT = "this is a second delivery of a command that was answered before, and its output data are no longer kept"

type Key = tuple[str, str, bytes]
"""Topic, id (empty for data) and digest of the payload."""


@dataclass(slots=True)
class RecentCommand:
    """A command that was delivered, at a monotonic time, and its answer: the code, and the payload if there is one.

    The code is None while the command runs; then `deliveries` wait for the answer and share everything else.
    """

    at: float
    size: int
    deliveries: int = 1
    code: int | None = None
    payload: bytes | None = None

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self.size + len(self.payload or b"")


class RecentCommands:
    """The recent commands and their outcomes, by time and within a number of bytes."""

    def __init__(self) -> None:
        """Start without any."""
        self._seen: dict[Key, RecentCommand] = {}
        self._newest: dict[tuple[str, str], bytes] = {}
        self._bytes = 0

    def find(self, key: Key, *, again: bool) -> RecentCommand | None:
        """Return a command that was delivered before, None for a new one.

        Without MQTT's DUP flag (`again`) only the newest command with an id can be delivered again, and only soon.
        """
        outcome = self._seen.get(key)
        if outcome is None or not (again or self._newest.get(key[:2]) == key[2]):
            return None
        valid = REMEMBERED_FOR if again or outcome.code is None else UNMARKED_FOR
        return outcome if time.monotonic() - outcome.at <= valid else None

    def keep(self, key: Key) -> RecentCommand:
        """Remember a command as the newest."""
        self.forget(key)
        outcome = self._seen[key] = RecentCommand(time.monotonic(), OVERHEAD + len(key[0]) + 2 * len(key[1]))
        self._newest[key[:2]] = key[2]
        self._bytes += outcome.bytes
        self._make_room()
        return outcome

    def settle(self, key: Key, outcome: RecentCommand, code: int, payload: bytes | None) -> None:
        """Remember the answer to a command, unless it was forgotten meanwhile."""
        outcome.code = code
        if self._seen.get(key) is outcome:
            outcome.payload = payload
            self._bytes += len(payload or b"")
            self._make_room()

    def forget(self, key: Key) -> None:
        """Forget a command, so that it is carried out when it is delivered again."""
        if outcome := self._seen.pop(key, None):
            self._bytes -= outcome.bytes
            if self._newest.get(key[:2]) == key[2]:
                del self._newest[key[:2]]

    def _make_room(self) -> None:
        """Forget what is too old and, beyond the bytes, the oldest; never a command that runs."""
        now = time.monotonic()
        while (first := next(iter(self._seen.items()), None)) and now - first[1].at > REMEMBERED_FOR:
            if first[1].code is None:
                break
            self.forget(first[0])
        if self._bytes <= REMEMBERED_BYTES:
            return
        for key, outcome in list(self._seen.items()):
            if outcome.payload is not None and outcome.code is not None and len(outcome.payload) > LONG_ANSWER:
                self._bytes -= len(outcome.payload)
                outcome.payload = encode_outcome(key[1], Answer(outcome.code, message=_NOT_KEPT)) if key[1] else None
                self._bytes += len(outcome.payload or b"")
                if self._bytes <= REMEMBERED_BYTES:
                    return
        for key, outcome in list(self._seen.items()):
            if outcome.code is not None:
                self.forget(key)
                if self._bytes <= REMEMBERED_BYTES:
                    return
