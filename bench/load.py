"""A steady stream of state changes, and what it costs the process that makes them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import gc
import time

TICK = 0.005
"""Seconds: what is due is done at most so often, and the loop is looked at as often."""

MOST_AT_ONCE = 50
"""Changes: whoever cannot keep the pace still lets others have a turn."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of the whole process, the longest block of its loop in milliseconds, and when each change was.

    Changes have numbers, from `first` on; times are UTC milliseconds.
    """

    processor: float
    block: float
    first: int
    changed_at: list[int]

    @property
    def changes(self) -> range:
        """The numbers of the changes."""
        return range(self.first, self.first + len(self.changed_at))


class LoopWatch:
    """Looks how long the loop does not get to its next task, and how much of that the process itself worked.

    On a machine with other work a loop is also late because somebody else has the processor. So a block counts with no more
    than the processor time that the thread of the loop has taken meanwhile.
    """

    def __init__(self) -> None:
        """Nothing is looked at before `run`."""
        self.longest = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> float:
        """Look no more, and return the longest block in milliseconds."""
        if self._task:
            self._task.cancel()
        return self.longest * 1000

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, worked = loop.time() + TICK, time.thread_time()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, min(loop.time() - due, time.thread_time() - worked))


async def steady(change: Callable[[int], None], rate: float, seconds: float, first: int) -> Cost:
    """Make `rate` changes a second, numbered from `first`, for so many seconds."""
    gc.collect()
    loop, watch = asyncio.get_running_loop(), LoopWatch()
    changed_at: list[int] = []
    watch.start()
    worked, began = time.process_time(), loop.time()
    total = round(rate * seconds)
    for number in range(total):
        changed_at.append(time.time_ns() // 1_000_000)
        change(first + number)
        wait = began + (number + 1) / rate - loop.time()
        if wait > 0:
            await asyncio.sleep(max(wait, TICK))
        elif number % MOST_AT_ONCE == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(max(0.0, began + seconds - loop.time()))
    return Cost(time.process_time() - worked, watch.stop(), first, changed_at)
