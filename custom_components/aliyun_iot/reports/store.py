"""What the cloud does not have yet, kept on disk over restarts and power cuts.

Writing wears an SD card out, so nothing is written while the device is connected, and otherwise once a minute what is new:
samples are in segments, of which only those that have changed are written again.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..alink.messages import JsonValue
from ..alink.samples import Sample
from ..const import DOMAIN
from .event_queue import EventQueue, PendingEvent
from .history import History, Kept
from .outbox import Outbox
from .store_files import async_numbers, async_read, async_remove, async_remove_all, async_write

SEGMENT = 500
"""Samples in a segment of about 20 kB: one a second for eight minutes, each written four times on average."""

WRITE_DELAY = 60.0
"""Seconds that a power cut may cost."""


class UnsentStore:
    """The files of one device."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, outbox: Outbox, history: History, events: EventQueue
    ) -> None:
        """Nothing is read before `load`, and nothing is written without need."""
        self.desired: dict[str, JsonValue] = {}
        """What is remembered of desired values (`desired_values.py`)."""
        self.offline_since: int | None = None
        """Since when the desired values are unknown (UTC milliseconds); None while they are known, or the time is not."""
        self.resynced = False
        """Whether the cloud has the present values: what waits then is on its way, and not worth a write."""
        self._hass = hass
        self._key = _key(entry_id)
        self._outbox = outbox
        self._history = history
        self._events = events
        self._segments: set[int] = set()
        self._changed: set[int] = set()
        self._index: dict[str, Any] = self._as_index()
        self._timer: CALLBACK_TYPE | None = None
        self._loaded = False
        self._stopped = False
        self._in_turn = asyncio.Lock()

    async def load(self) -> dict[str, Sample]:
        """Restore what an earlier run has left, and return the values of properties that waited then.

        What cannot be read is set aside, and only that is lost.
        """
        index = await async_read(self._hass, self._key) or {}
        self.desired = _object(index.get("desired"))
        since = index.get("offline_since")
        self.offline_since = since if isinstance(since, int) else None
        self._events.restore(_pending(index.get("events")))
        # A damaged index, or one from before a power cut, does not list all of them.
        self._segments = {*_listed(index), *await async_numbers(self._hass, self._key)}
        for segment in sorted(self._segments):
            rows = await async_read(self._hass, f"{self._key}.{segment}")
            self._history.restore(_numbered(rows.get("samples") if rows else None, segment))
        latest = _samples(index.get("latest"))
        self._index = self._as_index() | {"latest": _latest(latest)}
        self._changed.clear()
        self._loaded = True
        return latest

    @callback
    def write_soon(self) -> None:
        """Write what has changed, within a minute."""
        if self._timer is None and not self._stopped:
            self._timer = async_call_later(self._hass, WRITE_DELAY, self._write_now)

    async def stop(self) -> None:
        """Write what has not been written, for the last time."""
        self._stopped = True
        if self._timer:
            self._timer()
            self._timer = None
        await self._write()

    @callback
    def past_changed(self, numbers: Iterable[int]) -> None:
        """Write the segments of these samples soon: past samples were added or removed."""
        if self._loaded:
            self._changed.update(number // SEGMENT for number in numbers)
            self.write_soon()

    async def _write_now(self, _now: object) -> None:
        self._timer = None
        await self._write()

    async def _write(self) -> None:
        """Write what has changed; one write after the other, as a disk may be slow."""
        if self._loaded:  # otherwise it would overwrite what was never read
            async with self._in_turn:
                await self._write_changed()

    async def _write_changed(self) -> None:
        """Write segments first, then their index, and remove the empty ones last, so that a power cut loses nothing.

        What could not be written is tried again in a minute.
        """
        changed, self._changed = self._changed, set()
        empty: list[int] = []
        for segment in sorted(changed):
            kept = self._history.at(range(segment * SEGMENT, (segment + 1) * SEGMENT))
            if kept:
                self._segments.add(segment)
                if not await async_write(self._hass, f"{self._key}.{segment}", {"samples": _rows(kept)}):
                    self.past_changed((segment * SEGMENT,))
            elif segment in self._segments:
                self._segments.discard(segment)
                empty.append(segment)
        index = self._as_index()
        if index != self._index:
            if await async_write(self._hass, self._key, index):
                self._index = index
            else:
                self.write_soon()
        for segment in empty:
            await async_remove(self._hass, f"{self._key}.{segment}")

    def _as_index(self) -> dict[str, Any]:
        return {
            "segments": sorted(self._segments),
            "latest": {} if self.resynced else _latest(self._outbox.unsent),
            "desired": dict(self.desired),
            "offline_since": self.offline_since,
            "events": [[event.identifier, event.time, dict(event.output)] for event in self._events.waiting.values()],
        }


async def async_remove_unsent(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the files of a device that was removed."""
    key = _key(entry_id)
    for segment in _listed(await async_read(hass, key) or {}):
        await async_remove(hass, f"{key}.{segment}")
    await async_remove(hass, key)
    await async_remove_all(hass, key)


def _key(entry_id: str) -> str:
    return f"{DOMAIN}.{entry_id}.unsent"


def _listed(index: Mapping[str, Any]) -> list[int]:
    listed = index.get("segments")
    return [one for one in listed if isinstance(one, int)] if isinstance(listed, list) else []


def _rows(kept: Mapping[int, Kept]) -> list[list[JsonValue]]:
    return [[number, identifier, one.time, one.value] for number, (identifier, one) in kept.items()]


def _numbered(rows: object, segment: int) -> Iterable[tuple[int, str, Sample]]:
    """Read the rows of a segment; one that is not valid is left out."""
    last = segment * SEGMENT - 1
    for row in rows if isinstance(rows, list) else ():
        match row:
            case [int(number), str(identifier), int(time), value] if last < number < (segment + 1) * SEGMENT:
                last = number
                yield number, identifier, Sample(value, time)


def _latest(samples: Mapping[str, Sample]) -> dict[str, JsonValue]:
    return {key: [sample.time, sample.value] for key, sample in samples.items()}


def _samples(stored: object) -> dict[str, Sample]:
    rows = stored.items() if isinstance(stored, dict) else ()
    samples: dict[str, Sample] = {}
    for key, row in rows:
        match row:
            case [int(time), value]:
                samples[key] = Sample(value, time)
    return samples


def _pending(stored: object) -> Iterable[PendingEvent]:
    for row in stored if isinstance(stored, list) else ():
        match row:
            case [str(identifier), int(time), dict(output)]:
                yield PendingEvent(identifier, output, time)


def _object(stored: object) -> dict[str, JsonValue]:
    return stored if isinstance(stored, dict) else {}
