"""The clock of the house, which can be set. The cloud has a clock of its own that is right (`time.time_ns`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
import time
from unittest.mock import patch

from homeassistant.util import dt as dt_util

JUMPS = (3600.0, -3600.0, 30 * 3600.0, -30 * 3600.0)
"""Seconds by which the clock of the house is set; the platform refuses what is more than a day ahead."""


class HouseClock:
    """The wall clock of Home Assistant; `ahead` are the seconds by which it is wrong, negative if it is behind."""

    def __init__(self) -> None:
        """Start with the right time."""
        self.ahead = 0.0

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let Home Assistant use this clock for the duration of the context."""
        right = time.time

        def shown() -> float:
            return right() + self.ahead

        def utcnow() -> datetime:
            return datetime.now(UTC) + timedelta(seconds=self.ahead)

        with patch.object(time, "time", shown), patch.object(dt_util, "utcnow", utcnow):
            yield
