"""Desired values: what an application in the cloud wanted while the device was away (`docs/protocol.md` §9).

They are fetched after each connect, carried out as any property set is, with all that guards it, and cleared with the
version that they had. The cloud does not say how old they are, only that they are no older than the absence. What can't be
done for the moment is tried again until it is stale; what can never be done, and what is stale, is cleared as well.

The cloud sends a desired value as an ordinary set while the device is connected, and keeps it all the same. So it is
cleared after the set was carried out, or the next connect would bring back a wish of long ago.
"""

import asyncio
from collections.abc import Iterable, Mapping
import logging

from homeassistant.core import HomeAssistant, callback

from ..alink.codes import Code
from ..alink.commands import Answer, Command, CommandKind
from ..alink.desired import Desired
from ..alink.errors import AlinkError
from ..alink.link import Link
from ..alink.messages import JsonValue
from ..bound import BoundProperties
from ..commands.commander import Commander
from .unsent_store import UnsentStore, utc_milliseconds

_LOGGER = logging.getLogger(__name__)

RETRY_INTERVAL = 60.0
LONGEST_INTERVAL = 3600.0
"""Seconds until what could not be done is tried again, doubling: an entity may be unavailable for a moment after a start."""

SETTLE_DELAY = 5.0
"""Seconds after a set; all sets of that time are settled at once."""

HOUR_MS = 3_600_000

FOR_GOOD = frozenset({Code.PARAMETER_ERROR, Code.READ_ONLY, Code.UNKNOWN, Code.TYPE_WRONG, Code.OUT_OF_RANGE})
"""Outcomes that will be the same the next time."""

KIND = "desired"


class DesiredValues:
    """The desired values of one device."""

    def __init__(self, hass: HomeAssistant, link: Link, commander: Commander, store: UnsentStore) -> None:
        """Nothing happens before `catch_up` or `obey`."""
        self.hours = 0.0
        """After how many hours a desired value is stale; 0 for never."""
        self._hass = hass
        self._link = link
        self._commander = commander
        self._store = store
        self._bound = BoundProperties()
        self._obeyed: dict[str, Mapping[str, JsonValue]] = {}
        """The last set that was carried out of each property, as long as nobody knows whether it is kept as desired."""
        self._under_way: set[asyncio.Event] = set()
        self._answered = True
        self._settling: asyncio.Task[None] | None = None
        self._retrying: asyncio.Task[None] | None = None

    @callback
    def follow(self, bound: BoundProperties, hours: float) -> None:
        """Ask for these properties from now on, as far as the cloud may set them."""
        self._bound = bound
        self.hours = hours

    async def catch_up(self, away: int | None) -> None:
        """Fetch and carry out what there is, after an absence of so many milliseconds, if that is known."""
        self.pause()
        self._answered = True
        stale = bool(self.hours and away and away > self.hours * HOUR_MS)
        if await self._carry_out_all(stale=stale):
            self._retrying = self._hass.async_create_background_task(self._retry(), "Aliyun desired values")

    async def obey(self, command: Command) -> Answer:
        """Carry out a property set as the cloud sends it; what of it the cloud keeps as desired is cleared soon."""
        ended = asyncio.Event()
        self._under_way.add(ended)
        try:
            answer = await self._commander.handle(command)
            if isinstance(command.params, dict):
                self._obeyed |= dict.fromkeys(_done(command.params, answer), command.params)
        finally:
            self._under_way.discard(ended)
            ended.set()
        if self._obeyed and self._settling is None and self._answered:
            self._settling = self._hass.async_create_background_task(self._settle(), "Aliyun desired values")
        return answer

    @callback
    def pause(self) -> None:
        """Ask for nothing until the next `catch_up`."""
        for task in (self._retrying, self._settling):
            if task:
                task.cancel()
        self._retrying = self._settling = None

    async def _retry(self) -> None:
        interval = RETRY_INTERVAL
        while True:
            await asyncio.sleep(interval)
            interval = min(2 * interval, LONGEST_INTERVAL)
            if not await self._carry_out_all(stale=False):
                return

    async def _settle(self) -> None:
        await asyncio.sleep(SETTLE_DELAY)
        self._settling = None
        asked = dict(self._obeyed)
        wanted = await self._get(asked)
        if self._answered:
            await self._clear_obeyed(wanted, asked)

    async def _clear_obeyed(
        self, wanted: Mapping[str, Desired], asked: Mapping[str, Mapping[str, JsonValue]]
    ) -> dict[str, Desired]:
        """Clear what was done when it was set, and return the rest.

        Sets that were obeyed when it was `asked` are settled. Of later ones the answer may know nothing yet.
        """
        obeyed = {
            key: one for key, one in wanted.items() if key in self._obeyed and self._obeyed[key][key] == one.value
        }
        self._obeyed = {key: values for key, values in self._obeyed.items() if asked.get(key) is not values}
        for key, one in obeyed.items():  # what can't be cleared now is not to be done again
            self._remember(key, one.version, carried_out=True)
        await self._clear(_versions(obeyed), "done when it was set")
        return {key: one for key, one in wanted.items() if key not in obeyed}

    async def _carry_out_all(self, *, stale: bool) -> bool:
        """Carry out what is desired; return whether something is left to be tried again."""
        asked = dict(self._obeyed)
        wanted = await self._get(
            key for key, one in self._bound.by_identifier.items() if one.binding.access.controls and one.writable
        )
        if not self._answered:
            return False
        for one in list(self._under_way):  # the cloud may have sent as a set what it names as desired
            await one.wait()
        self._store.desired = {key: row for key, row in self._store.desired.items() if key in wanted}
        wanted = await self._clear_obeyed(wanted, asked)
        known = {key: one for key, one in wanted.items() if self._is_carried_out(key, one.version)}
        await self._clear(_versions(known), "done before")
        new = {key: one for key, one in wanted.items() if key not in known}
        old = new if stale else {key: one for key, one in new.items() if self._has_waited_long(key, one.version)}
        await self._clear(_versions(old), "not done, because it may be too old")
        return await self._carry_out({key: one for key, one in new.items() if key not in old})

    async def _carry_out(self, wanted: Mapping[str, Desired]) -> bool:
        """Carry out and clear; return whether something is left to be tried again."""
        if not wanted:
            return False
        values = {key: one.value for key, one in wanted.items()}
        answer = await self._commander.handle(
            Command(CommandKind.PROPERTY_SET, KIND, None, values, sync=False, topic="", payload=b"")
        )
        done = {key: wanted[key] for key in _done(values, answer)}
        failed = [key for key in wanted if key not in done]
        for key, one in done.items():  # what can't be cleared now is not to be done again
            self._remember(key, one.version, carried_out=True)
        # The code is that of the first failure; the others have their turn at the next try.
        hopeless = {key: wanted[key] for key in failed[:1] if answer.code in FOR_GOOD}
        left = {key: one for key, one in wanted.items() if key not in done and key not in hopeless}
        for key, one in left.items():
            self._remember(key, one.version, carried_out=False)
        await self._clear(_versions(done), "done")
        await self._clear(_versions(hopeless), "not done, because it can't be")
        return bool(left)

    async def _get(self, identifiers: Iterable[str]) -> dict[str, Desired]:
        asked = list(identifiers)
        try:
            found = await self._link.get_desired(asked) if asked else {}
        except AlinkError as err:  # not every platform knows desired values
            _LOGGER.debug("Cannot get desired values: %s", err)
            self._answered = False
            return {}
        if found:
            self._commander.journal.note(KIND, found, Code.SUCCESS, _versioned("found", _versions(found)))
        return found

    async def _clear(self, versions: Mapping[str, int], reason: str) -> None:
        if not versions:
            return
        try:
            await self._link.delete_desired(versions)
        except AlinkError as err:
            _LOGGER.debug("Cannot clear desired values: %s", err)
            self._commander.journal.note(KIND, versions, Code.TIMED_OUT, f"{reason}, but not cleared: {err}")
            return
        for key in versions:
            self._store.desired.pop(key, None)
        self._store.write_soon()
        self._commander.journal.note(KIND, versions, Code.SUCCESS, _versioned(f"cleared: {reason}", versions))

    def _remember(self, identifier: str, version: int, *, carried_out: bool) -> None:
        row = self._store.desired.get(identifier)
        since = row["since"] if isinstance(row, dict) and row.get("version") == version else utc_milliseconds()
        self._store.desired[identifier] = {"version": version, "since": since, "done": carried_out}
        self._store.write_soon()

    def _is_carried_out(self, identifier: str, version: int) -> bool:
        row = self._store.desired.get(identifier)
        return isinstance(row, dict) and row.get("version") == version and bool(row.get("done"))

    def _has_waited_long(self, identifier: str, version: int) -> bool:
        match self._store.desired.get(identifier):
            case {"version": int(known), "since": int(since)} if known == version:
                return bool(self.hours) and utc_milliseconds() - since > self.hours * HOUR_MS
        return False


def _done(values: Mapping[str, JsonValue], answer: Answer) -> list[str]:
    """Return what of a set was carried out; an answer without names is about all of it."""
    if answer.code != Code.SUCCESS and not answer.data:
        return []
    return [key for key in values if key not in answer.data]


def _versions(wanted: Mapping[str, Desired]) -> dict[str, int]:
    return {key: one.version for key, one in wanted.items()}


def _versioned(step: str, versions: Mapping[str, int]) -> str:
    return f"{step} ({', '.join(f'{key} version {version}' for key, version in versions.items())})"
