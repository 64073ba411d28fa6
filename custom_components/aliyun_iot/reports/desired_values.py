"""Desired values: values that an application in the cloud set while the device was offline (`docs/protocol.md` §9).

They are fetched after each connect, carried out like any property set, with the same checks, and cleared with the version that
they had. The cloud does not say how old they are; they are not older than the time without a connection, which ends when the
cloud has answered. Its beginning is stored; after a power cut it is the time that was stored last while connected. A value
that can't be set at the moment is tried again until it is stale. Values that can never be set, and stale ones, are cleared.

A value is stored as carried out before its actions start: if the connection is lost meanwhile, they continue and their result
cannot be sent.

While the device is connected, the cloud sends a desired value as an ordinary set, but keeps it as desired. So it is cleared
after the set was carried out; otherwise an old value would be set again after the next connect. A set that is not settled
when the connection ends is stored, as Home Assistant may be restarted before the next one.

An answer of the cloud may be older than a set that has come meanwhile. Such a set is what is wanted now, so what was desired
before is not carried out after it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import timedelta
from itertools import batched

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ..alink.codes import RETRY_CODES, Code
from ..alink.command import MAX_PARAMS, Answer, Command, CommandHandler, CommandKind
from ..alink.desired import Desired
from ..alink.device import Device
from ..alink.errors import AlinkError, Rejected
from ..alink.foreign import logger_of
from ..alink.messages import JsonValue
from ..alink.samples import utc_milliseconds
from ..bound import BoundProperties
from .store import UnsentStore

_LOGGER = logger_of(__name__)

RETRY_INTERVAL = 60.0
MAX_INTERVAL = 3600.0
"""Seconds until a value that could not be set is tried again, doubled each time: an entity may be unavailable after a start."""

SETTLE_DELAY = 5.0
"""Seconds after a set until its values are cleared, together with those of later sets; doubled as long as there is no
answer."""

HOUR_MS = 3_600_000

MINUTE_MS = 60_000

NOTE_INTERVAL = timedelta(minutes=15)
"""How often the time is stored while the desired values are known: after a power cut, nothing else says how long ago it was."""

PERMANENT = frozenset({Code.PARAMETER_ERROR, Code.READ_ONLY, Code.UNKNOWN, Code.TYPE_WRONG, Code.OUT_OF_RANGE})
"""Codes of failures that would be the same at the next try."""

KIND = "desired"


class DesiredValues:
    """The desired values of one device."""

    def __init__(
        self,
        hass: HomeAssistant,
        device: Device,
        store: UnsentStore,
        *,
        carry_out: CommandHandler,
        sets_answered: Callable[[], Awaitable[None]],
        note: Callable[[str, Iterable[str], int, str], None],
    ) -> None:
        """Do nothing before `catch_up`.

        `carry_out` carries a property set out as if the cloud had sent it. `sets_answered` waits until the sets that the cloud
        has sent so far are answered. `note` adds a row to the journal: its kind, identifiers, code and message.
        """
        self.hours = 0.0
        """Hours after which a desired value is stale; 0 for never."""
        self._hass = hass
        self._device = device
        self._store = store
        self._carry_out_command = carry_out
        self._sets_answered = sets_answered
        self._note = note
        self._bound = BoundProperties()
        self._unsettled: dict[str, Mapping[str, JsonValue]] = {}
        """For each property its last set that was carried out, until it is known whether the cloud keeps it as desired."""
        self._set_since: set[str] = set()
        """The properties of the sets that have come since the cloud was asked for what to carry out."""
        self._one_round = asyncio.Lock()
        """Held from a request until its answer is dealt with, as another round may clear what is in the answer."""
        self._enabled = False
        """False without a connection, and where the platform does not support desired values."""
        self._settling: asyncio.Task[None] | None = None
        self._retrying: asyncio.Task[None] | None = None
        self._end_noting: CALLBACK_TYPE | None = None

    @callback
    def follow(self, bound: BoundProperties, hours: float) -> None:
        """Use these bindings from now on; desired values are fetched for the properties that the cloud may set."""
        self._bound = bound
        self.hours = hours
        self._note_regularly()

    async def catch_up(self) -> None:
        """Fetch the desired values and carry them out; those that fail are tried again later."""
        self.pause()
        self._enabled = True
        self._note_regularly()
        if await self._carry_out_all():
            self._retrying = self._hass.async_create_background_task(self._retry(), "Aliyun desired values")

    @callback
    def command_received(self, command: Command) -> None:
        """Record the properties of a set of the cloud that is about to be carried out."""
        if command.kind is CommandKind.PROPERTY_SET and isinstance(command.params, dict):
            self._set_since |= command.params.keys() & self._bound.by_identifier.keys()

    @callback
    def command_answered(self, command: Command, answer: Answer) -> None:
        """Record the properties that a set of the cloud has set; those that the cloud keeps as desired are cleared soon."""
        if command.kind is not CommandKind.PROPERTY_SET:
            return
        if isinstance(command.params, dict):
            self._unsettled |= dict.fromkeys(_done(command.params, answer), command.params)
        if self._unsettled and self._enabled and (self._settling is None or self._settling.done()):
            self._settling = self._hass.async_create_background_task(self._settle(), "Aliyun desired values")

    @callback
    def set_given_up(self, command: Command, begun: Collection[str]) -> None:
        """Record the properties of a set that is given up while its actions run, as they may yet be done.

        The connection has ended, and the next one must not do them again.
        """
        if isinstance(command.params, dict):
            given_up = dict.fromkeys(begun, command.params)
            self._unsettled |= given_up
            self._store_sets(given_up)

    @callback
    def pause(self) -> None:
        """Stop until the next `catch_up`."""
        self._enabled = False
        self._note_regularly()
        for task in (self._retrying, self._settling):
            if task:
                task.cancel()
        self._retrying = self._settling = None
        self._store_sets(self._unsettled)

    @property
    def _settable(self) -> list[str]:
        return [key for key, one in self._bound.by_identifier.items() if one.binding.access.controls and one.writable]

    @property
    def _may_become_stale(self) -> bool:
        return bool(self.hours and self._settable)

    @callback
    def _note_regularly(self) -> None:
        """Note from time to time that it is online, if that matters."""
        if not (self._enabled and self._may_become_stale):
            if self._end_noting:
                self._end_noting()
                self._end_noting = None
        elif self._end_noting is None:
            self._end_noting = async_track_time_interval(self._hass, self._note_online, NOTE_INTERVAL)

    @callback
    def _note_online(self, _now: object = None) -> None:
        """Store the time, as nothing that is desired from now on can be older, unless no desired value could become stale."""
        if self._store.offline_since is None and self._may_become_stale:
            self._store.online_at = utc_milliseconds()
            self._store.write_soon()

    async def _retry(self) -> None:
        interval = RETRY_INTERVAL
        while True:
            await asyncio.sleep(interval)
            interval = min(2 * interval, MAX_INTERVAL)
            if not await self._carry_out_all():
                return

    async def _settle(self) -> None:
        interval = SETTLE_DELAY
        while self._unsettled and self._enabled:
            await asyncio.sleep(interval)
            interval = min(2 * interval, MAX_INTERVAL)
            async with self._one_round:
                asked = dict(self._unsettled)
                desired = await self._get(asked)
                if desired is not None:
                    await self._settle_sets(desired, asked)
                    interval = SETTLE_DELAY

    async def _settle_sets(
        self, desired: Mapping[str, Desired], asked: Mapping[str, Mapping[str, JsonValue]]
    ) -> dict[str, Desired]:
        """Clear the values that were carried out as sets, and return the others.

        `asked` are the unsettled sets at the time of the request; they are settled now. The answer may not include later ones.
        """
        done = {
            identifier: value
            for identifier, value in desired.items()
            if identifier in self._unsettled and self._unsettled[identifier][identifier] == value.value
        }
        self._unsettled = {key: values for key, values in self._unsettled.items() if asked.get(key) is not values}
        self._store_versions(done, carried_out=True)  # they must not be set again if they can't be cleared now
        await self._clear(done, "done when it was set")
        return _without(desired, done)

    async def _carry_out_all(self) -> bool:
        """Carry out everything that is desired; return whether something has to be tried again."""
        async with self._one_round:
            return await self._carry_out_round()

    async def _carry_out_round(self) -> bool:
        asked = dict(self._unsettled)
        self._set_since.clear()
        desired = await self._get(self._settable)
        if desired is None:
            return self._enabled
        await self._sets_answered()  # the cloud may have sent a desired value as a set as well
        self._store.desired = {key: row for key, row in self._store.desired.items() if key in desired}
        desired = await self._settle_sets(desired, asked)
        known = {key: value for key, value in desired.items() if self._is_carried_out(key, value)}
        await self._clear(known, "done before")
        new = _without(desired, known)
        all_stale = self._is_stale(self._store.offline_since)
        stale = {
            key: value for key, value in new.items() if all_stale or self._is_stale(self._found_at(key, value.version))
        }
        cleared = await self._clear(stale, "not done, because it may be too old")
        if cleared:  # otherwise they would look new at the next try
            self._store.offline_since = None
            self._note_online()
            self._store.write_soon()
        retry = [await self._carry_out(part, asked) for part in self._parts(_without(new, stale))]
        return any(retry) or not cleared

    def _parts(self, desired: Mapping[str, Desired]) -> Iterable[dict[str, Desired]]:
        """Divide desired values into commands of the size that the cloud may send, which keep those of an entity together."""
        by_entity: defaultdict[str, dict[str, Desired]] = defaultdict(dict)
        for key, value in desired.items():
            bound = self._bound.by_identifier.get(key)
            by_entity[bound.entity_id if bound and bound.entity_id else key][key] = value
        part: dict[str, Desired] = {}
        for values in by_entity.values():
            for some in batched(values.items(), MAX_PARAMS, strict=False):
                if len(part) + len(some) > MAX_PARAMS:
                    yield part
                    part = {}
                part |= dict(some)
        if part:
            yield part

    async def _carry_out(self, found: Mapping[str, Desired], asked: Mapping[str, Mapping[str, JsonValue]]) -> bool:
        """Carry out and clear the values that are still wanted; return whether something has to be tried again.

        `asked` is as for `_settle_sets`. Nothing is awaited between the last look at what was set and the first action.
        """
        await self._sets_answered()
        replaced = {
            key: value
            for key, value in found.items()
            if key in self._unsettled and self._unsettled[key] is not asked.get(key)
        }
        desired = {key: value for key, value in _without(found, replaced).items() if key not in self._set_since}
        again = bool(desired) and await self._carry_out_now(desired)
        await self._clear(replaced, "not done, because another value was set meanwhile")
        return again or len(desired) + len(replaced) < len(found)

    async def _carry_out_now(self, desired: Mapping[str, Desired]) -> bool:
        values = {key: value.value for key, value in desired.items()}
        self._store_versions(desired, carried_out=True)
        answer = await self._carry_out_command(
            Command(CommandKind.PROPERTY_SET, KIND, None, values, sync=False, topic="", payload=b"")
        )
        done = {key: desired[key] for key in _done(values, answer)}
        failed = _without(desired, done)
        self._store_versions(failed, carried_out=False)
        # The code is that of the first failure; those of the others become known at the next tries.
        hopeless = dict(list(failed.items())[:1]) if answer.code in PERMANENT else {}
        await self._clear(done, "done")
        await self._clear(hopeless, "not done, because it can't be")
        return len(failed) > len(hopeless)

    async def _get(self, identifiers: Iterable[str]) -> dict[str, Desired] | None:
        """Return the desired values of these properties, None without an answer."""
        asked = list(identifiers)
        try:
            found = await self._device.get_desired(asked) if asked else {}
        except AlinkError as err:
            _LOGGER.debug("Cannot get desired values: %s", err)
            if isinstance(err, Rejected) and err.code not in RETRY_CODES:  # not every platform supports desired values
                self._enabled = False
            return None
        if found:
            self._note(KIND, found, Code.SUCCESS, _versioned("found", _versions(found)))
        return found

    async def _clear(self, desired: Mapping[str, Desired], reason: str) -> bool:
        """Clear desired values in the cloud; return whether it has confirmed that."""
        versions = _versions(desired)
        if not versions:
            return True
        try:
            await self._device.delete_desired(versions)
        except AlinkError as err:
            _LOGGER.debug("Cannot clear desired values: %s", err)
            self._note(KIND, versions, Code.TIMED_OUT, f"{reason}, but not cleared: {err}")
            return False
        for key in versions:
            self._store.desired.pop(key, None)
        self._store.write_soon()
        self._note(KIND, versions, Code.SUCCESS, _versioned(f"cleared: {reason}", versions))
        return True

    def _store_sets(self, sets: Mapping[str, Mapping[str, JsonValue]]) -> None:
        for identifier, values in sets.items():
            row = _object(self._store.desired.get(identifier))
            self._store.desired[identifier] = {**row, "set": values[identifier]}

    def _store_versions(self, desired: Mapping[str, Desired], *, carried_out: bool) -> None:
        for key, value in desired.items():
            since = self._found_at(key, value.version) or utc_milliseconds()
            self._store.desired[key] = {"version": value.version, "since": since, "done": carried_out}
        self._store.write_soon()

    def _is_carried_out(self, identifier: str, value: Desired) -> bool:
        """Return whether a version is stored as carried out, or a set with its value from before the connection ended."""
        row = _object(self._store.desired.get(identifier))
        is_done = row.get("version") == value.version and bool(row.get("done"))
        return is_done or ("set" in row and row["set"] == value.value)

    def _found_at(self, identifier: str, version: int) -> int | None:
        """Return when a version was found for the first time (UTC milliseconds), None if that is not stored."""
        match self._store.desired.get(identifier):
            case {"version": known, "since": int(since)} if known == version:
                return since
        return None

    def _is_stale(self, since: int | None) -> bool:
        """Return whether something is as old as the limit; a time in the future says nothing, as the clock was set."""
        if not self.hours or since is None:
            return False
        age = utc_milliseconds() - since
        return age > self.hours * HOUR_MS or age < -MINUTE_MS


def _done(values: Mapping[str, JsonValue], answer: Answer) -> list[str]:
    """Return the identifiers that a set has set; an answer that names no property applies to all of them."""
    if answer.code != Code.SUCCESS and not answer.data:
        return []
    return [key for key in values if key not in answer.data]


def _object(stored: JsonValue) -> Mapping[str, JsonValue]:
    return stored if isinstance(stored, dict) else {}


def _without(desired: Mapping[str, Desired], others: Mapping[str, Desired]) -> dict[str, Desired]:
    return {key: value for key, value in desired.items() if key not in others}


def _versions(desired: Mapping[str, Desired]) -> dict[str, int]:
    return {key: value.version for key, value in desired.items()}


def _versioned(step: str, versions: Mapping[str, int]) -> str:
    return f"{step} ({', '.join(f'{key} version {version}' for key, version in versions.items())})"
