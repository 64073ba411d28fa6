"""The messages of the month against the number that the user has bought."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ..settings import read_settings
from ..traffic_log import TrafficLog
from .issues import Issue, Issues, listed

INTERVAL: Final = timedelta(hours=1)

WARN_AT: Final = 0.8
"""Share of the quota at which the user is told."""

BUSIEST: Final = 5
"""Properties in the issue."""


class Quota:
    """Compares the month with the quota once an hour; a quota of 0 means that there is none."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        issues: Issues,
        log: TrafficLog,
        busiest: Callable[[int], Iterable[tuple[str, int]]],
    ) -> None:
        """`busiest` returns so many properties with the numbers of their values that were sent, the most first."""
        self._hass = hass
        self._entry = entry
        self._issues = issues
        self._log = log
        self._busiest = busiest
        self._untrack: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Begin to compare."""
        self.examine()
        self._untrack = async_track_time_interval(self._hass, self.examine, INTERVAL, cancel_on_shutdown=True)

    @callback
    def stop(self) -> None:
        """End the timer."""
        if self._untrack:
            self._untrack()
            self._untrack = None

    @callback
    def examine(self, _now: object = None) -> None:
        """Create or delete the issue."""
        quota = read_settings(self._entry.options)[0].monthly_quota
        month = self._log.month()
        expected = max(month.messages, month.projected or 0)
        if not quota or (month.messages < WARN_AT * quota and expected <= quota):
            self._issues.delete(Issue.QUOTA)
            return
        rows = [f"{identifier}: {count:,}" for identifier, count in self._busiest(BUSIEST)]
        self._issues.create(
            Issue.QUOTA,
            messages=f"{month.messages:,}",
            quota=f"{quota:,}",
            projected=f"{expected:,}",
            properties=listed(rows, self._hass.config.language),
        )
