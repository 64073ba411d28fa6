"""The resources of this process: tasks, listeners, file descriptors, threads and memory."""

import asyncio
from collections import Counter
from dataclasses import dataclass
import os
import threading
from typing import Self

from homeassistant.core import HomeAssistant

MOST_GROWTH = 0.05
WARM_UP = 0.2
"""Part of the run."""
LONG_ENOUGH = 120.0
"""Seconds; memory is not checked in a shorter run."""


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources at one moment: tasks and listeners by name, numbers of descriptors and threads."""

    tasks: dict[str, int]
    listeners: dict[str, int]
    descriptors: int
    threads: int

    @classmethod
    def now(cls, hass: HomeAssistant) -> Self:
        """Return the resources of this process."""
        return cls(
            Counter(_name(task) for task in asyncio.all_tasks() if not task.done()),
            {str(event): count for event, count in hass.bus.async_listeners().items()},
            len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - only the number matters
            threading.active_count(),
        )

    def more_than(self, before: Self) -> list[str]:
        """Return the resources that have grown; threads are left out, because a grown pool is not a leak."""
        found = [f"task {name}" for name, count in self.tasks.items() if count > before.tasks.get(name, 0)]
        found += [
            f"{count - before.listeners.get(event, 0)} listener(s) of {event}"
            for event, count in self.listeners.items()
            if count > before.listeners.get(event, 0)
        ]
        if self.descriptors > before.descriptors:
            found.append(f"{self.descriptors - before.descriptors} file descriptor(s)")
        return found


def growth(samples: list[float]) -> float:
    """Return the relative growth after the warm-up, of the median of the last tenth over that of the first."""
    warm = samples[int(len(samples) * WARM_UP) :]
    part = max(1, len(warm) // 10)
    first, last = sorted(warm[:part]), sorted(warm[-part:])
    return last[len(last) // 2] / first[len(first) // 2] - 1


def _name(task: asyncio.Task[object]) -> str:
    name = task.get_name()
    return repr(task.get_coro()).partition(" at ")[0] if name.startswith("Task-") else name
