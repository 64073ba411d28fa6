"""What a process holds: tasks, listeners, timers, sockets, threads and memory."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
import os
from pathlib import Path
import resource
import threading
from typing import Self

from homeassistant.core import HomeAssistant

MOST_GROWTH = 0.05
WARM_UP = 0.2
"""Of the whole time."""
LONG_ENOUGH = 120.0
"""Seconds; memory says nothing about a shorter run."""


@dataclass(frozen=True, slots=True)
class Held:
    """A moment: tasks and listeners by name, how many descriptors and threads."""

    tasks: dict[str, int]
    listeners: dict[str, int]
    descriptors: int
    threads: int

    @classmethod
    def now(cls, hass: HomeAssistant) -> Self:
        """Look at this process."""
        return cls(
            _counted(_name(task) for task in asyncio.all_tasks() if not task.done()),
            {str(event): count for event, count in hass.bus.async_listeners().items()},
            len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - a number is all that is wanted
            threading.active_count(),
        )

    def more_than(self, before: Self) -> list[str]:
        """Return what there is more of than before; threads of a pool that has grown are not a leak."""
        found = [f"task {name}" for name, count in self.tasks.items() if count > before.tasks.get(name, 0)]
        found += [
            f"{count - before.listeners.get(event, 0)} listener(s) of {event}"
            for event, count in self.listeners.items()
            if count > before.listeners.get(event, 0)
        ]
        if self.descriptors > before.descriptors:
            found.append(f"{self.descriptors - before.descriptors} file descriptor(s)")
        return found


def resident_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def growth(samples: list[float]) -> float:
    """Return by which part memory has grown after the warm-up: the median of the last tenth against that of the first."""
    warm = samples[int(len(samples) * WARM_UP) :]
    part = max(1, len(warm) // 10)
    first, last = sorted(warm[:part]), sorted(warm[-part:])
    return last[len(last) // 2] / first[len(first) // 2] - 1


def _name(task: asyncio.Task[object]) -> str:
    name = task.get_name()
    return repr(task.get_coro()).partition(" at ")[0] if name.startswith("Task-") else name


def _counted(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
