"""The resources of this process: tasks, timers, listeners, what is kept in memory, file descriptors and threads."""

import asyncio
from collections import Counter
from dataclasses import dataclass
import os
import threading
from typing import Self

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import HomeAssistant

PACKAGE = "custom_components.aliyun_iot"

NEVER_AGAIN = (EVENT_HOMEASSISTANT_STARTED,)
"""Events that have been fired for the last time. Home Assistant forgets a listener to this one if it tries a set-up again
then."""

MOST_GROWTH = 0.05
GROWTH_OF_A_START = 0.0025
"""What each further start of Home Assistant leaves in a process that was not made for more than one."""
WARM_UP = 0.2
"""Part of the run."""
LONG_ENOUGH = 120.0
"""Seconds; memory is not checked in a shorter run."""


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources at one moment: tasks, timers and listeners by name, numbers of descriptors and threads.

    `timers` are those of the integration only.
    """

    tasks: dict[str, int]
    timers: int
    listeners: dict[str, int]
    descriptors: int
    threads: int

    @classmethod
    def now(cls, hass: HomeAssistant) -> Self:
        """Return the resources of this process."""
        return cls(
            Counter(_name(task) for task in asyncio.all_tasks() if not task.done()),
            sum(belongs_to(timer, PACKAGE) for timer in getattr(hass.loop, "_scheduled", ())),
            {str(event): count for event, count in hass.bus.async_listeners().items() if event not in NEVER_AGAIN},
            len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - only the number matters
            threading.active_count(),
        )

    def more_than(self, before: Self) -> list[str]:
        """Return the resources that have grown; threads are left out, because a grown pool is not a leak."""
        found = [f"task {name}" for name, count in self.tasks.items() if count > before.tasks.get(name, 0)]
        if self.timers > before.timers:
            found.append(f"{self.timers - before.timers} timer(s)")
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


def belongs_to(timer: asyncio.TimerHandle, package: str) -> bool:
    """Return whether a timer that is still to fire calls something of a package."""
    called = [getattr(timer, name, None) for name in ("_callback", "_args")]
    return not timer.cancelled() and package in repr(called)


def _name(task: asyncio.Task[object]) -> str:
    name = task.get_name()
    return repr(task.get_coro()).partition(" at ")[0] if name.startswith("Task-") else name
