"""What the cloud does not have yet, kept on disk over restarts and power cuts.

Writing wears out an SD card, so nothing is written while the device is connected, except for the time every few minutes if the
cloud may have desired values (`desired_values.py`). Otherwise changes are written once a minute: samples are in segments, of
which only those that have changed are written again.

Nothing here raises because of the disk: a file that can't be read is set aside, and what can't be written is tried again. When
an entry is reloaded meanwhile, the next run takes it over in memory.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import shutil
from typing import Any

from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..alink.foreign import logger_of
from ..alink.messages import JsonValue
from ..alink.samples import Sample
from ..const import DOMAIN, OWN
from ..ha_internals import CheckedStore
from ..stored_device import StoredDevice
from .events import EventQueue, PendingEvent
from .history import History, Kept
from .outbox import Outbox

_LOGGER = logger_of(__name__)

VERSION = 1

SEGMENT = 500
"""Samples in a segment of about 20 kB: one a second for eight minutes, each written four times on average."""

WRITE_DELAY = 60.0
"""Seconds that a power cut may cost."""

LONGEST_DELAY = 900.0
"""The same for a disk that takes nothing; the delay is doubled each time, since Home Assistant logs each failure."""


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """What a run leaves to the next one because the disk does not take it.

    `index` is the one on disk, `segments` are those on disk, and `changed` those that differ from `samples`.
    """

    index: dict[str, Any]
    segments: set[int]
    changed: set[int]
    samples: Mapping[int, Kept]
    latest: Mapping[str, Sample]
    events: Sequence[PendingEvent]
    desired: dict[str, JsonValue]
    offline_since: int | None


_UNWRITTEN: HassKey[dict[str, _Unwritten]] = HassKey(f"{DOMAIN}_unwritten")


class UnsentStore:
    """The files of one device."""

    def __init__(
        self, hass: HomeAssistant, device: StoredDevice, outbox: Outbox, history: History, events: EventQueue
    ) -> None:
        """Nothing is read before `load`, and nothing is written without need."""
        self.desired: dict[str, JsonValue] = {}
        """What is remembered of desired values (`desired_values.py`)."""
        self.offline_since: int | None = int(device.entry.created_at.timestamp() * 1000)
        """Since when the desired values are unknown (UTC milliseconds), at the latest; None while they are known.

        A run that left nothing behind began no earlier than the entry was created.
        """
        self.online_at: int | None = None
        """When the desired values were known for the last time: a power cut leaves nothing else."""
        self.resynced = False
        """Whether the cloud has the present values: what waits then is on its way, and not worth a write."""
        self.unreadable = 0
        """Rows that an earlier run has left and that cannot be read."""
        self._hass = hass
        self._key = _key(device.entry.entry_id, device.owner)
        self._outbox = outbox
        self._history = history
        self._events = events
        self._segments: set[int] = set()
        self._changed: set[int] = set()
        self._index: dict[str, Any] = self._as_index()
        self._timer: CALLBACK_TYPE | None = None
        self._delay = WRITE_DELAY
        self._loaded = False
        self._stopped = False
        self._in_turn = asyncio.Lock()

    async def load(self, *, anything: bool = True) -> dict[str, Sample]:
        """Restore what an earlier run has left, and return the newest values that waited then.

        Without `anything` on disk nothing is read.

        A file that cannot be read is set aside; only what is in it is lost. Of a file with rows that cannot be read, which are
        left out, a copy is set aside.
        """
        if unwritten := self._hass.data.get(_UNWRITTEN, {}).pop(self._key, None):
            return self._take_over(unwritten)
        if not anything:
            self._loaded = True
            return {}
        index = await async_read(self._hass, self._key) or {}
        self.desired = _object(index.get("desired"))
        since = index.get("offline_since")
        stored_since = since if isinstance(since, int) else None
        self.offline_since = self.offline_since if stored_since is None else stored_since
        events, latest = list(_pending(index.get("events"))), _samples(index.get("latest"))
        await self._keep_unread(self._key, _unread(index.get("events"), events) + _unread(index.get("latest"), latest))
        self._events.restore(events)
        # A damaged index, or one written before a power cut, does not list all of them.
        self._segments = {*_listed(index), *await async_numbers(self._hass, self._key)}
        for segment in sorted(self._segments):
            stored = (await async_read(self._hass, f"{self._key}.{segment}") or {}).get("samples")
            samples = list(_numbered(stored, segment))
            await self._keep_unread(f"{self._key}.{segment}", _unread(stored, samples))
            self._history.restore(samples)
        self._index = self._as_index() | {"latest": _latest(latest), "offline_since": stored_since}
        self._changed.clear()
        self._loaded = True
        return latest

    @callback
    def write_soon(self) -> None:
        """Write what has changed: within a minute, or later if the disk took nothing before."""
        if self._timer is None and not self._stopped:
            self._timer = async_call_later(self._hass, self._delay, self._write_now)

    async def stop(self) -> None:
        """Write what has not been written, for the last time; keep in memory what the disk does not take."""
        self._stopped = True
        if self._timer:
            self._timer()
            self._timer = None
        await self._write()
        if self._loaded and (self._changed or self._as_index() != self._index):
            self._hass.data.setdefault(_UNWRITTEN, {})[self._key] = _Unwritten(
                self._index,
                self._segments,
                self._changed,
                self._history.past,
                self._outbox.unsent,
                tuple(self._events.waiting.values()),
                self.desired,
                self._absent_since,
            )

    @callback
    def past_changed(self, numbers: Iterable[int]) -> None:
        """Write the segments of these samples soon: past samples were added or removed."""
        if self._loaded:
            self._changed.update(number // SEGMENT for number in numbers)
            self.write_soon()

    async def _keep_unread(self, key: str, rows: int) -> None:
        """Keep a copy of a file with rows that cannot be read: the file is going to be written without them."""
        if rows:
            self.unreadable += rows
            path = Path(_file(self._hass, key).path)
            await _set_aside(self._hass, path, f"{rows} rows of it cannot be read", copy=True)

    @property
    def _absent_since(self) -> int | None:
        return self.online_at if self.offline_since is None else self.offline_since

    def _take_over(self, unwritten: _Unwritten) -> dict[str, Sample]:
        self.desired = unwritten.desired
        if unwritten.offline_since is not None:
            self.offline_since = unwritten.offline_since
        self._events.restore(unwritten.events)
        self._history.restore((number, *kept) for number, kept in unwritten.samples.items())
        self._index, self._segments, self._changed = unwritten.index, unwritten.segments, unwritten.changed
        self._loaded = True
        self.write_soon()
        return dict(unwritten.latest)

    async def _write_now(self, _now: object) -> None:
        self._timer = None
        await self._write()

    async def _write(self) -> None:
        """Write what has changed; one write after the other, as a disk may be slow."""
        if self._loaded:  # otherwise it would overwrite what was not read yet
            async with self._in_turn:
                if await self._write_changed():
                    self._delay = WRITE_DELAY
                else:
                    self.write_soon()
                    self._delay = min(2 * self._delay, LONGEST_DELAY)

    async def _write_changed(self) -> bool:
        """Write segments first, then their index, and remove the empty ones last, so that a power cut loses nothing.

        Returns False at the first failure: a full disk takes the rest neither.
        """
        undone, self._changed = self._changed, set()
        try:
            for segment in sorted(undone):
                if kept := self._history.at(range(segment * SEGMENT, (segment + 1) * SEGMENT)):
                    if not await async_write(self._hass, f"{self._key}.{segment}", {"samples": _rows(kept)}):
                        return False
                    self._segments.add(segment)
                    undone.discard(segment)
            index = self._as_index() | {"segments": sorted(self._segments - undone)}
            if index != self._index:
                if not await async_write(self._hass, self._key, index):
                    return False
                self._index = index
            for segment in undone & self._segments:
                if not await async_remove(self._hass, f"{self._key}.{segment}"):
                    return False
                self._segments.discard(segment)
            undone.clear()
            return True
        finally:
            self._changed |= undone

    def _as_index(self) -> dict[str, Any]:
        return {
            "segments": sorted(self._segments),
            "latest": {} if self.resynced else _latest(self._outbox.unsent),
            "desired": dict(self.desired),
            "offline_since": self._absent_since,
            "events": [[event.identifier, event.time, dict(event.output)] for event in self._events.waiting.values()],
        }


async def async_unsent_owners(hass: HomeAssistant, entry_id: str) -> frozenset[str]:
    """Return the owners of the devices of an entry that have left something on disk, with one look at the folder."""
    path = Path(_file(hass, _key(entry_id, OWN)).path)

    def owners() -> frozenset[str]:
        names = (one.name.removeprefix(f"{path.name}.") for one in path.parent.glob(f"{path.name}.*"))
        return frozenset(name.partition(".")[0] for name in names)

    return await hass.async_add_executor_job(owners)


async def async_remove_unsent(hass: HomeAssistant, entry_id: str, owner: str = OWN) -> None:
    """Remove the files of a device that was removed; with the entry's own device go those of its sub-devices."""
    key = _key(entry_id, owner)
    unwritten = hass.data.get(_UNWRITTEN, {})
    for kept in [one for one in unwritten if one.startswith(key)]:
        del unwritten[kept]
    for segment in _listed(await async_read(hass, key) or {}):
        await async_remove(hass, f"{key}.{segment}")
    await async_remove(hass, key)
    await async_remove_all(hass, key)


def _key(entry_id: str, owner: str) -> str:
    return ".".join(filter(None, (DOMAIN, entry_id, "unsent", owner)))


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


def _unread(stored: object, read: Sized) -> int:
    """Return how many rows were left out."""
    if stored is None:
        return 0
    return len(stored) - len(read) if isinstance(stored, list | dict) else 1


def _object(stored: object) -> dict[str, JsonValue]:
    return stored if isinstance(stored, dict) else {}


async def async_read(hass: HomeAssistant, key: str) -> dict[str, Any] | None:
    """Return what is stored, None if nothing is; a damaged or foreign file, or one of a later version, is set aside."""
    store = _file(hass, key)
    try:
        data: object = await store.async_load()
    except Exception as err:  # noqa: BLE001 - a foreign file may fail in any way, and must not keep the device from working
        await _set_aside(hass, Path(store.path), f"{type(err).__name__}: {err}")
        return None
    if data is None or isinstance(data, dict):
        return data
    await _set_aside(hass, Path(store.path), "it does not hold what this integration writes")
    return None


async def async_write(hass: HomeAssistant, key: str, data: dict[str, Any]) -> bool:
    """Store data, at once or when Home Assistant stops; return whether no error occurred, such as a full disk."""
    store = _file(hass, key)
    try:
        await store.async_save(data)
    except OSError as err:
        _LOGGER.warning("Cannot write %s: %s", store.path, err)
    # While Home Assistant stops, it writes everything a little later, and nobody can be told whether it could.
    return store.written or hass.state is CoreState.stopping


async def async_remove(hass: HomeAssistant, key: str) -> bool:
    """Remove a file; return whether it has gone."""
    store = _file(hass, key)
    try:
        await store.async_remove()
    except OSError as err:
        _LOGGER.warning("Cannot remove %s: %s", store.path, err)
        return False
    return True


async def async_remove_all(hass: HomeAssistant, key: str) -> None:
    """Remove every file whose name begins with a key, those that were set aside included."""
    await hass.async_add_executor_job(_remove_all, Path(_file(hass, key).path))


async def async_numbers(hass: HomeAssistant, key: str) -> list[int]:
    """Return the numbers that follow a key in the names of files, as in `key.7`."""
    return await hass.async_add_executor_job(_numbers, Path(_file(hass, key).path))


def _file(hass: HomeAssistant, key: str) -> CheckedStore:
    return CheckedStore(hass, VERSION, key, private=True, atomic_writes=True)


async def _set_aside(hass: HomeAssistant, path: Path, reason: str, *, copy: bool = False) -> None:
    aside = path.with_name(f"{path.name}.unreadable.{dt_util.utcnow():%Y%m%dT%H%M%S%f}")
    _LOGGER.warning(
        "Values that were kept for the cloud can't be read from %s (%s). %s is set aside as %s; these values are not sent,"
        " everything else works",
        path,
        reason,
        "A copy" if copy else "The file",
        aside.name,
    )
    try:
        await hass.async_add_executor_job(
            partial(shutil.copyfile, path, aside) if copy else partial(path.rename, aside)
        )
    except OSError as err:
        _LOGGER.debug("Cannot set %s aside: %s", path, err)


def _remove_all(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        try:
            one.unlink(missing_ok=True)
        except OSError as err:
            _LOGGER.warning("Cannot remove %s: %s", one, err)


def _numbers(path: Path) -> list[int]:
    suffixes = (one.name.removeprefix(f"{path.name}.") for one in path.parent.glob(f"{path.name}.*"))
    return sorted(int(suffix) for suffix in suffixes if suffix.isdecimal())
