"""Home Assistant → cloud: state changes of bound entities become property posts.

Newest wins: what waits is one value per property, and one post carries all that waits. The first change after a silence
goes at once, the next ones a window later. One post is on its way at a time, so a slow cloud slows the posts down
instead of piling them up. Only bound entities are listened to; all others cost nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
import logging
import time

from homeassistant.core import CALLBACK_TYPE, Context, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .alink.codes import Code, describe
from .alink.errors import InvalidValue, MessageError, NotConnected, RequestTimeout
from .alink.link import REPLY_TIMEOUT, Link, LinkState, Sample
from .alink.messages import JsonValue, Reply
from .bound import BoundProperties, BoundProperty
from .mapping.convert import ConversionError
from .mapping.generic import NO_ENTITY
from .mapping.templates import said
from .snapshot import Snapshot
from .template_tracking import TemplateTracking

_LOGGER = logging.getLogger(__name__)

PROPERTIES_PER_POST = 200
"""What the platform takes in one message (docs/protocol.md §4.1)."""

RETRY_DELAY = 5.0
RETRY_CODES = frozenset({Code.INTERNAL_ERROR, Code.TOO_BUSY, 500, 6313, 6760})
"""Codes that say "not now" rather than "not this" (docs/protocol.md §7.2)."""

NAMED = 5
"""Properties that one line of the log names."""

PATIENCE = 3
"""Rejections in a row after which a property rests until the next connection or change of its binding."""


@dataclass(slots=True)
class Rejection:
    """A property that the cloud refused."""

    reason: str
    value: JsonValue
    count: int


@dataclass(slots=True)
class ReporterCounters:
    """What the reporter has done since it was set up."""

    posts: int = 0
    values: int = 0
    rejected: int = 0
    retried: int = 0


class Reporter:
    """Posts the values of bound properties."""

    def __init__(
        self,
        hass: HomeAssistant,
        link: Link,
        window: float,
        *,
        on_change: Callable[[str, JsonValue, Context], None],
        on_rejection: Callable[[str, str, JsonValue], None],
    ) -> None:
        """`window` is the shortest time between two posts, in seconds.

        `on_change` takes a property that changed, its value, and the context in which its entity did; `on_rejection` takes
        a property that the cloud refused, its reason and the value.
        """
        self.counters = ReporterCounters()
        self.rejections: dict[str, Rejection] = {}
        self.unreportable: dict[str, str] = {}
        self.window = window
        self._hass = hass
        self._link = link
        self._on_change = on_change
        self._on_rejection = on_rejection
        self._bound = BoundProperties()
        self._waiting: dict[str, Sample] = {}
        self._sending: Mapping[str, Sample] = {}
        self._accepted: dict[str, JsonValue] = {}
        self._changed_at: dict[str, float] = {}
        self._posted_at: dict[str, float] = {}
        self._snapshots: list[Snapshot] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._untrack: CALLBACK_TYPE | None = None
        self._templates = TemplateTracking(hass, self._template_changed)

    @callback
    def start(self) -> None:
        """Begin to post; called once Home Assistant has started, so that a starting house is not a flood."""
        self._task = self._hass.async_create_background_task(self._run(), "Aliyun reporter", eager_start=False)
        self.post_everything()

    async def stop(self) -> None:
        """Stop listening and posting."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._templates.stop()
        if self._untrack:
            self._untrack()
            self._untrack = None

    @callback
    def follow(self, bound: BoundProperties) -> None:
        """Report these properties from now on; those that are new or different are posted at once."""
        fresh = [one for key, one in bound.by_identifier.items() if self._bound.by_identifier.get(key) != one]
        if self._untrack:
            self._untrack()
        self._bound = bound
        self._untrack = async_track_state_change_event(self._hass, list(bound.by_entity), self._state_changed)
        self._templates.follow(bound.by_identifier.values())
        for gone in self._waiting.keys() - bound.by_identifier.keys():
            del self._waiting[gone]
        for snapshot in self._snapshots:
            snapshot.dropped(snapshot.waiting - bound.by_identifier.keys())
        for one in fresh:  # what waits or was refused may have come from another entity
            self.rejections.pop(one.identifier, None)
            self._waiting.pop(one.identifier, None)
        self._post_current(fresh)

    @callback
    def post_everything(self) -> Snapshot:
        """Post the present value of every property: after each connect, and whenever asked to."""
        self.rejections.clear()
        self._post_current(self._bound.by_identifier.values())
        self._wake.set()  # for the last word of an entity that has none now
        snapshot = Snapshot(self._waiting)
        self._snapshots = [one for one in (*self._snapshots, snapshot) if not one.over]
        return snapshot

    @callback
    def confirm(self, identifiers: Iterable[str], since: float) -> None:
        """Post the present values after a command that began at `since` (monotonic seconds).

        The cloud takes only a post for the new state. What has changed since then is on its way already.
        """
        properties = (self._bound.by_identifier.get(identifier) for identifier in identifiers)
        self._post_current(one for one in properties if one and self._changed_at.get(one.identifier, 0.0) < since)

    def present(self, identifiers: Iterable[str]) -> dict[str, Sample]:
        """Return the present values of those properties that are reported and have one."""
        now = dt_util.utcnow()
        samples: dict[str, Sample] = {}
        for identifier in identifiers:
            one = self._bound.by_identifier.get(identifier)
            state = self._state_of(one) if one and one.binding.access.reports else None
            if one and state and (sample := self._sample(one, state, now)):
                samples[identifier] = sample
        return samples

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None:
            return
        for one in self._bound.by_entity[state.entity_id]:
            if (
                one.binding.access.reports
                and one.templates.source is None
                and (sample := self._sample(one, state, state.last_updated))
                and self._is_news(one, sample)
            ):
                self._on_change(one.identifier, sample.value, state.context)
                self._enqueue(one, sample)

    @callback
    def _template_changed(self, one: BoundProperty, result: object, at: datetime, context: Context | None) -> None:
        try:
            sample = one.sample_of(said(result), self._state_of(one) or NO_ENTITY, at)
        except (ConversionError, InvalidValue) as err:
            self.unreportable[one.identifier] = str(err)
            return
        self.unreportable.pop(one.identifier, None)
        if sample and self._is_news(one, sample):
            if context:
                self._on_change(one.identifier, sample.value, context)
            self._enqueue(one, sample)

    def _state_of(self, one: BoundProperty) -> State | None:
        """Return the present state of the entity; a template has something to say without one."""
        state = self._hass.states.get(one.entity_id) if one.entity_id else None
        return NO_ENTITY if state is None and one.templates.source else state

    def _sample(self, one: BoundProperty, state: State, at: datetime) -> Sample | None:
        """Return what to post for a state, or nothing: one bad entity never stops the others."""
        try:
            sample = one.sample(state, at)
        except (ConversionError, InvalidValue) as err:
            self.unreportable[one.identifier] = str(err)
            return None
        self.unreportable.pop(one.identifier, None)
        return sample

    def _post_current(self, properties: Iterable[BoundProperty]) -> None:
        by_identifier = {one.identifier: one for one in properties if one.binding.access.reports}
        for identifier, sample in self.present(by_identifier).items():
            self._enqueue(by_identifier[identifier], sample)

    def _is_news(self, one: BoundProperty, sample: Sample) -> bool:
        """Tell whether a value differs enough from the one that the cloud has, or is about to have."""
        pending = self._waiting.get(one.identifier) or self._sending.get(one.identifier)
        known = pending.value if pending else self._accepted.get(one.identifier)
        if sample.value == known:
            return False
        rejection = self.rejections.get(one.identifier)
        if rejection and rejection.value == sample.value:
            return False
        dead_band = one.binding.dead_band
        if dead_band and isinstance(known, int | float) and isinstance(sample.value, int | float):
            return abs(sample.value - known) >= dead_band
        return True

    def _enqueue(self, one: BoundProperty, sample: Sample) -> None:
        if (rejection := self.rejections.get(one.identifier)) and rejection.count >= PATIENCE:
            return
        self._changed_at[one.identifier] = time.monotonic()
        self._waiting[one.identifier] = sample
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._link.state is LinkState.ONLINE and self._waiting:
                if batch := self._take():
                    self._sending = batch
                    await self._post(batch)
                    self._sending = {}
                    await asyncio.sleep(self.window)
                else:
                    await self._wait_for_the_held()

    def _take(self) -> dict[str, Sample]:
        now = time.monotonic()
        due = [identifier for identifier in self._waiting if self._due_at(identifier) <= now][:PROPERTIES_PER_POST]
        self._posted_at.update(dict.fromkeys(due, now))
        return {identifier: self._waiting.pop(identifier) for identifier in due}

    def _due_at(self, identifier: str) -> float:
        """Return when a property may be posted again, in monotonic seconds."""
        pause = self._bound.by_identifier[identifier].binding.min_interval
        return self._posted_at.get(identifier, 0.0) + pause if pause else 0.0

    async def _wait_for_the_held(self) -> None:
        """Sleep until the first of the held values is due, or something new comes."""
        earliest = min(self._due_at(identifier) for identifier in self._waiting)
        try:
            async with asyncio.timeout(max(0.0, earliest - time.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _post(self, batch: Mapping[str, Sample]) -> None:
        try:
            reply = await self._link.post_properties(batch, timeout=REPLY_TIMEOUT)
        except NotConnected:
            self._put_back(batch)  # an entity that is unavailable by the next connect has no newer value
            return
        except RequestTimeout as err:
            _LOGGER.debug("Posting %d properties again: %s", len(batch), err)
            self._put_back(batch)
            return
        except MessageError:
            await self._post_in_halves(batch)
            return
        self.counters.posts += 1
        await self._read_reply(batch, reply)

    async def _post_in_halves(self, batch: Mapping[str, Sample]) -> None:
        """Post what is too large for one message in two; a single value that is too large is rejected."""
        keys = list(batch)
        if len(keys) == 1:
            self._reject(batch, {keys[0]: "too large for a message"})
            return
        middle = len(keys) // 2
        await self._post({key: batch[key] for key in keys[:middle]})
        await self._post({key: batch[key] for key in keys[middle:]})

    async def _read_reply(self, batch: Mapping[str, Sample], reply: Reply) -> None:
        """Take in what became of each value: the cloud answers 200 even when it drops some (docs/protocol.md §4.1)."""
        if reply.code in RETRY_CODES:
            _LOGGER.debug("The cloud asks to try again: %s", describe(reply.code))
            self._put_back(batch)
            await asyncio.sleep(RETRY_DELAY)
            return
        rejected = reply.rejected if reply.ok else dict.fromkeys(batch, f"{reply.code} {reply.message}")
        refused = {identifier: batch[identifier] for identifier in batch if identifier in rejected}
        accepted = batch.keys() - refused.keys()
        for snapshot in self._snapshots:
            snapshot.accepted(accepted)
        for identifier in accepted:
            self._accepted[identifier] = batch[identifier].value
            self.rejections.pop(identifier, None)
            self.counters.values += 1
        self._reject(refused, rejected)

    def _put_back(self, batch: Mapping[str, Sample]) -> None:
        """Let a batch wait again, except where something newer waits already."""
        self.counters.retried += len(batch)
        still_bound = {key: sample for key, sample in batch.items() if key in self._bound.by_identifier}
        self._waiting = still_bound | self._waiting
        self._wake.set()

    def _reject(self, refused: Mapping[str, Sample], reasons: Mapping[str, str]) -> None:
        """Remember what was refused; a property that is refused for the first time is worth a line in the log."""
        news: list[str] = []
        for snapshot in self._snapshots:
            snapshot.refused({identifier: reasons[identifier] for identifier in refused})
        for identifier, sample in refused.items():
            self.counters.rejected += 1
            self._accepted.pop(identifier, None)
            before = self.rejections.get(identifier)
            count = before.count + 1 if before else 1
            self.rejections[identifier] = Rejection(reasons[identifier], sample.value, count)
            self._on_rejection(identifier, reasons[identifier], sample.value)
            if count == 1:
                news.append(f"{identifier} = {sample.value!r} ({reasons[identifier]})")
            if count >= PATIENCE:
                self._waiting.pop(identifier, None)
        if news:
            more = f" and {len(news) - NAMED} more" if len(news) > NAMED else ""
            _LOGGER.warning("The cloud rejected %s%s", ", ".join(news[:NAMED]), more)
