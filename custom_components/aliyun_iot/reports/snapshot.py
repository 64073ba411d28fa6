"""What becomes of the values that were posted together because somebody asked for it."""

import asyncio
from collections.abc import Iterable


class Snapshot:
    """One posting of everything: which properties still wait, and how the cloud took the others."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        """All of these wait."""
        self.waiting = set(identifiers)
        self.posted = 0
        self.rejected: dict[str, str] = {}
        self._over = asyncio.Event()
        self._look()

    @property
    def over(self) -> bool:
        """Whether nothing waits any more."""
        return not self.waiting

    def accepted(self, identifiers: Iterable[str]) -> None:
        """Take note of values that the cloud took."""
        done = self.waiting.intersection(identifiers)
        self.posted += len(done)
        self._settle(done)

    def refused(self, reasons: dict[str, str]) -> None:
        """Take note of values that the cloud did not take, and why."""
        done = self.waiting & reasons.keys()
        self.rejected |= {identifier: reasons[identifier] for identifier in sorted(done)}
        self._settle(done)

    def dropped(self, identifiers: Iterable[str]) -> None:
        """Take note of properties that are bound no more."""
        self._settle(self.waiting.intersection(identifiers))

    async def wait(self, timeout: float) -> None:
        """Wait until all is settled, but not longer than `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._over.wait()
        except TimeoutError:
            return

    def _settle(self, done: set[str]) -> None:
        self.waiting -= done
        self._look()

    def _look(self) -> None:
        if self.over:
            self._over.set()
