"""A steady stream of state changes, and its cost for the process that makes them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import gc
import time

from homeassistant.core import Event, EventStateChangedData, callback

TICK = 0.005
"""Shortest sleep in seconds between changes, and the interval at which the loop is checked for blocks."""

MOST_AT_ONCE = 50
"""Changes without a sleep, if they are late; then other tasks run."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of the whole process, the longest block of its loop in milliseconds, and the times of the changes.

    Changes are numbered from `first`; times are UTC milliseconds.
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
    """Measures the longest block of the event loop.

    On a busy machine, a loop is also late because another process has the processor. So the length of a block is limited to
    the processor time that the thread of the loop has used during the block.
    """

    def __init__(self) -> None:
        """Nothing is measured before `start`."""
        self.longest = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> float:
        """Stop measuring, and return the longest block in milliseconds."""
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
    """Make `rate` changes a second for `seconds`, numbered from `first`."""
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


@callback
def ignore_change(_event: Event[EventStateChangedData]) -> None:
    """Do nothing with a state change: a listener that costs as little as possible."""
