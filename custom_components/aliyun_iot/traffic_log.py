"""How many messages an entry has exchanged, hour by hour, kept over restarts; the month that they add up to."""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .alink.messages import JsonValue
from .alink.traffic import HOUR, MessageKind, Traffic
from .const import DOMAIN
from .reports.store import async_read, async_remove, async_write

SAVE_INTERVAL: Final = timedelta(hours=1)

MIN_HOURS: Final = 6
"""Hours that have to be counted before a month is projected from them."""


class Month:
    """The messages of the present month, in local time; `projected` is None while too little is known."""

    def __init__(self, traffic: Traffic, now: datetime) -> None:
        """Count from the beginning of the month of `now`."""
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        self.start = first
        begin, end, present = (int(each.timestamp()) // HOUR for each in (first, following, now))
        self.messages = traffic.total(begin, end)
        counted = [hour for hour in traffic.hours if begin <= hour < end]
        # The share of the present hour that has passed counts, or the first minutes would look like a whole hour.
        elapsed = (now.timestamp() / HOUR - min(counted)) if counted else 0.0
        self.projected = (
            round(self.messages + self.messages / elapsed * (end - now.timestamp() / HOUR))
            if elapsed >= MIN_HOURS
            else None
        )
        self.hours_left = end - present

    def as_json(self) -> dict[str, JsonValue]:
        """Return the numbers for the page."""
        return {"messages": self.messages, "projected": self.projected, "since": self.start.isoformat()}


class TrafficLog:
    """Keeps the counts of a link on disk."""

    def __init__(self, hass: HomeAssistant, entry_id: str, traffic: Traffic) -> None:
        """Nothing is read or written before `start`."""
        self._hass = hass
        self._traffic = traffic
        self._key = _key(entry_id)
        self._untrack: CALLBACK_TYPE | None = None

    def month(self) -> Month:
        """Return the numbers of the present month."""
        return Month(self._traffic, dt_util.now())

    async def start(self) -> None:
        """Add what was counted before, and save every hour."""
        for hour, counts in _read(await async_read(self._hass, self._key)):
            present = self._traffic.hours.setdefault(hour, [0] * len(MessageKind))
            for position, number in enumerate(counts):
                present[position] += number
        self._untrack = async_track_time_interval(self._hass, self._save, SAVE_INTERVAL, cancel_on_shutdown=True)

    async def stop(self) -> None:
        """Save, unless nothing was read: what is stored must not be replaced by less."""
        if self._untrack:
            self._untrack()
            self._untrack = None
            await self._save()

    async def _save(self, _now: datetime | None = None) -> None:
        hours = {str(hour): counts for hour, counts in sorted(self._traffic.hours.items())}
        await async_write(self._hass, self._key, {"hours": hours})


async def async_remove_traffic(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored counts of an entry."""
    await async_remove(hass, _key(entry_id))


def _key(entry_id: str) -> str:
    return f"{DOMAIN}.{entry_id}.traffic"


def _read(stored: dict[str, Any] | None) -> list[tuple[int, list[int]]]:
    """Return the stored counts; whatever is not readable is left out."""
    hours = stored.get("hours") if stored else None
    if not isinstance(hours, dict):
        return []
    return [
        (int(hour), counts)
        for hour, counts in hours.items()
        if hour.isdigit()
        and isinstance(counts, list)
        and len(counts) == len(MessageKind)
        and all(isinstance(one, int) for one in counts)
    ]
