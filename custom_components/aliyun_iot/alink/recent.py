"""The memory of what was delivered lately: bounded in number and in time."""

import asyncio
import time

from .command import Answer

REMEMBERED = 256
REMEMBERED_FOR = 300.0
"""Seconds."""

type Key = tuple[str, bytes]
"""Topic and digest of the payload."""


class Recent:
    """The answers to recent deliveries, as futures: a delivery may come again while its answer is still being found."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._seen: dict[Key, tuple[asyncio.Future[Answer], float]] = {}

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._seen)

    def find(self, key: Key) -> asyncio.Future[Answer] | None:
        """Return the answer to this delivery, or None when it is new or was forgotten."""
        outcome, at = self._seen.get(key, (None, 0.0))
        return outcome if time.monotonic() - at <= REMEMBERED_FOR else None

    def keep(self, key: Key, outcome: asyncio.Future[Answer]) -> None:
        """Remember a delivery as the newest, and forget the oldest: those that are too old or too many.

        What is not answered yet is never forgotten; how many those are is for the caller to limit.
        """
        now = time.monotonic()
        self._seen.pop(key, None)
        self._seen[key] = outcome, now
        for old, (answer, at) in tuple(self._seen.items()):
            if len(self._seen) <= REMEMBERED and now - at <= REMEMBERED_FOR:
                return
            if answer.done():
                del self._seen[old]

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()
