"""Desired values: what an application in the cloud wanted while the device was away (`docs/protocol.md` §9).

They are fetched after each connect, carried out as any property set is, with all that guards it, and cleared with the
version that they had. The cloud does not say how old they are, only that they are no older than the absence, which lasts
until it has answered. What can't be done for the moment is tried again until it is stale; what can never be done, and what
is stale, is cleared as well.

One is remembered as carried out before its actions start: when the connection is lost meanwhile, they run on, and nobody
learns how they end.

The cloud sends a desired value as an ordinary set while the device is connected, and keeps it all the same. So it is
cleared after the set was carried out, or the next connect would bring back a wish of long ago.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
import logging
from typing import Protocol

from homeassistant.core import HomeAssistant, callback

from ..alink.codes import RETRY_CODES, Code
from ..alink.command import Answer, Command, CommandHandler, CommandKind
from ..alink.desired import Desired
from ..alink.errors import AlinkError, Rejected
from ..alink.link import Link
from ..alink.messages import JsonValue
from ..alink.samples import utc_milliseconds
from ..bound import BoundProperties
from .store import UnsentStore

_LOGGER = logging.getLogger(__name__)

RETRY_INTERVAL = 60.0
LONGEST_INTERVAL = 3600.0
"""Seconds until what could not be done is tried again, doubling: an entity may be unavailable for a moment after a start."""

SETTLE_DELAY = 5.0
"""Seconds after a set; all sets of that time are settled at once. Doubling as long as there is no answer."""

HOUR_MS = 3_600_000

FOR_GOOD = frozenset({Code.PARAMETER_ERROR, Code.READ_ONLY, Code.UNKNOWN, Code.TYPE_WRONG, Code.OUT_OF_RANGE})
"""Outcomes that will be the same the next time."""

KIND = "desired"


class Note(Protocol):
    """Adds a row to the journal of commands."""

    def __call__(self, kind: str, target: Iterable[str], code: int, message: str, /) -> None:
        """Add a row about these identifiers."""


class DesiredValues:
    """The desired values of one device."""

    def __init__(
        self,
        hass: HomeAssistant,
        link: Link,
        store: UnsentStore,
        *,
        carry_out: CommandHandler,
        sets_answered: Callable[[], Awaitable[None]],
        note: Note,
    ) -> None:
        """Do nothing before `catch_up` or `command_answered`.

        `carry_out` carries a property set out as if the cloud had sent it. `sets_answered` waits until the sets that the cloud
        has sent so far are answered.
        """
        self.hours = 0.0
        """After how many hours a desired value is stale; 0 for never."""
        self._hass = hass
        self._link = link
        self._store = store
        self._carry_out_command = carry_out
        self._sets_answered = sets_answered
        self._note = note
        self._bound = BoundProperties()
        self._obeyed: dict[str, Mapping[str, JsonValue]] = {}
        """The last set that was carried out of each property, as long as nobody knows whether it is kept as desired."""
        self._asks = False
        """Whether to ask: not without a connection, and not where the platform does not know desired values."""
        self._settling: asyncio.Task[None] | None = None
        self._retrying: asyncio.Task[None] | None = None

    @callback
    def follow(self, bound: BoundProperties, hours: float) -> None:
        """Ask for these properties from now on, as far as the cloud may set them."""
        self._bound = bound
        self.hours = hours

    async def catch_up(self) -> None:
        """Fetch and carry out what there is, now and, as far as that does not succeed, later."""
        self.pause()
        self._asks = True
        if await self._carry_out_all():
            self._retrying = self._hass.async_create_background_task(self._retry(), "Aliyun desired values")

    @callback
    def command_answered(self, command: Command, answer: Answer) -> None:
        """Record what a property set of the cloud has done: what of it the cloud keeps as desired is cleared soon."""
        if command.kind is not CommandKind.PROPERTY_SET:
            return
        if isinstance(command.params, dict):
            self._obeyed |= dict.fromkeys(_done(command.params, answer), command.params)
        if self._obeyed and self._asks and (self._settling is None or self._settling.done()):
            self._settling = self._hass.async_create_background_task(self._settle(), "Aliyun desired values")

    @callback
    def pause(self) -> None:
        """Ask for nothing until the next `catch_up`."""
        self._asks = False
        for task in (self._retrying, self._settling):
            if task:
                task.cancel()
        self._retrying = self._settling = None

    async def _retry(self) -> None:
        interval = RETRY_INTERVAL
        while True:
            await asyncio.sleep(interval)
            interval = min(2 * interval, LONGEST_INTERVAL)
            if not await self._carry_out_all():
                return

    async def _settle(self) -> None:
        interval = SETTLE_DELAY
        while self._obeyed and self._asks:
            await asyncio.sleep(interval)
            interval = min(2 * interval, LONGEST_INTERVAL)
            asked = dict(self._obeyed)
            wanted = await self._get(asked)
            if wanted is not None:
                await self._clear_obeyed(wanted, asked)
                interval = SETTLE_DELAY

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
        self._remember(obeyed, carried_out=True)  # what can't be cleared now is not to be done again
        await self._clear(obeyed, "done when it was set")
        return {key: one for key, one in wanted.items() if key not in obeyed}

    async def _carry_out_all(self) -> bool:
        """Carry out what is desired; return whether something is left to be tried again."""
        asked = dict(self._obeyed)
        wanted = await self._get(
            key for key, one in self._bound.by_identifier.items() if one.binding.access.controls and one.writable
        )
        if wanted is None:
            return self._asks
        await self._sets_answered()  # the cloud may have sent as a set what it names as desired
        self._store.desired = {key: row for key, row in self._store.desired.items() if key in wanted}
        wanted = await self._clear_obeyed(wanted, asked)
        known = {key: one for key, one in wanted.items() if self._is_carried_out(key, one.version)}
        await self._clear(known, "done before")
        new = {key: one for key, one in wanted.items() if key not in known}
        stale = self._is_long_ago(self._store.offline_since)
        old = {key: one for key, one in new.items() if stale or self._is_long_ago(self._since(key, one.version))}
        cleared = await self._clear(old, "not done, because it may be too old")
        if cleared:  # else it would look fresh the next time
            self._store.offline_since = None
            self._store.write_soon()
        left = await self._carry_out({key: one for key, one in new.items() if key not in old})
        return left or not cleared

    async def _carry_out(self, wanted: Mapping[str, Desired]) -> bool:
        """Carry out and clear; return whether something is left to be tried again."""
        if not wanted:
            return False
        values = {key: one.value for key, one in wanted.items()}
        self._remember(wanted, carried_out=True)
        answer = await self._carry_out_command(
            Command(CommandKind.PROPERTY_SET, KIND, None, values, sync=False, topic="", payload=b"")
        )
        done = {key: wanted[key] for key in _done(values, answer)}
        failed = {key: one for key, one in wanted.items() if key not in done}
        self._remember(failed, carried_out=False)
        # The code is that of the first failure; the others have their turn at the next try.
        hopeless = dict(list(failed.items())[:1]) if answer.code in FOR_GOOD else {}
        await self._clear(done, "done")
        await self._clear(hopeless, "not done, because it can't be")
        return len(failed) > len(hopeless)

    async def _get(self, identifiers: Iterable[str]) -> dict[str, Desired] | None:
        """Ask what is desired; None without an answer."""
        asked = list(identifiers)
        try:
            found = await self._link.device.get_desired(asked) if asked else {}
        except AlinkError as err:
            _LOGGER.debug("Cannot get desired values: %s", err)
            if isinstance(err, Rejected) and err.code not in RETRY_CODES:  # not every platform knows desired values
                self._asks = False
            return None
        if found:
            self._note(KIND, found, Code.SUCCESS, _versioned("found", _versions(found)))
        return found

    async def _clear(self, wanted: Mapping[str, Desired], reason: str) -> bool:
        """Clear desired values; return whether the cloud has confirmed it."""
        versions = _versions(wanted)
        if not versions:
            return True
        try:
            await self._link.device.delete_desired(versions)
        except AlinkError as err:
            _LOGGER.debug("Cannot clear desired values: %s", err)
            self._note(KIND, versions, Code.TIMED_OUT, f"{reason}, but not cleared: {err}")
            return False
        for key in versions:
            self._store.desired.pop(key, None)
        self._store.write_soon()
        self._note(KIND, versions, Code.SUCCESS, _versioned(f"cleared: {reason}", versions))
        return True

    def _remember(self, wanted: Mapping[str, Desired], *, carried_out: bool) -> None:
        for key, one in wanted.items():
            since = self._since(key, one.version) or utc_milliseconds()
            self._store.desired[key] = {"version": one.version, "since": since, "done": carried_out}
        self._store.write_soon()

    def _is_carried_out(self, identifier: str, version: int) -> bool:
        row = self._store.desired.get(identifier)
        return isinstance(row, dict) and row.get("version") == version and bool(row.get("done"))

    def _since(self, identifier: str, version: int) -> int | None:
        """Return when a version was found first (UTC milliseconds), if that is remembered."""
        match self._store.desired.get(identifier):
            case {"version": known, "since": int(since)} if known == version:
                return since
        return None

    def _is_long_ago(self, since: int | None) -> bool:
        return bool(self.hours) and since is not None and utc_milliseconds() - since > self.hours * HOUR_MS


def _done(values: Mapping[str, JsonValue], answer: Answer) -> list[str]:
    """Return what of a set was carried out; an answer without names is about all of it."""
    if answer.code != Code.SUCCESS and not answer.data:
        return []
    return [key for key in values if key not in answer.data]


def _versions(wanted: Mapping[str, Desired]) -> dict[str, int]:
    return {key: one.version for key, one in wanted.items()}


def _versioned(step: str, versions: Mapping[str, int]) -> str:
    return f"{step} ({', '.join(f'{key} version {version}' for key, version in versions.items())})"
