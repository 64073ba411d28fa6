"""Minutes in milliseconds: an event loop whose clock jumps to the next timer whenever nothing else is to be done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, override


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own; nothing in it may wait for a socket, a thread or a process."""

    def __init__(self) -> None:
        """Start at an arbitrary time."""
        self._now = 1000.0
        super().__init__()

    @override
    def time(self) -> float:
        """Return the time, in seconds."""
        return self._now

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if not ready:
            if not scheduled:
                raise RuntimeError("everything waits, and there is no timer")
            self._now = max(self._now, scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


def run_virtually[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own, whose time passes as fast as it can."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
