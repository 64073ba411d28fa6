"""Home Assistant → cloud: state changes of bound entities become property values that wait to be sent.

Of most properties only the newest value counts and waits in the outbox; of those whose binding asks for every sample, each
is kept in the history. Only bound entities are listened to.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
import time
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CALLBACK_TYPE, Context, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers.event import (
    TrackTemplate,
    TrackTemplateResult,
    TrackTemplateResultInfo,
    async_track_state_change_event,
    async_track_template_result,
)
from homeassistant.util import dt as dt_util

from ..alink.device import Device
from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.private_names import holds_private
from ..alink.samples import Sample
from ..bound import BoundProperties, BoundProperty
from ..mapping.aspect import Refused
from ..mapping.generic import NO_ENTITY_STATE
from ..mapping.templates import value_of
from ..mapping.unreportable import Unreportable
from .events import EventQueue
from .history import History
from .lanes import EventLane, LiveLane, NewestLane, PastLane, Post
from .losses import Loss, Losses
from .outbox import Counters, Outbox, PropertyStatus, Queued, Refusal, Snapshot
from .sender import Sender

CAPACITY = 86_400
"""Samples that are kept: one a second for a day, 25 MB of memory and 4 MB on disk, sent within a minute."""


class Reporter:
    """Reports the values of bound properties."""

    def __init__(
        self,
        hass: HomeAssistant,
        device: Device,
        is_online: Callable[[], bool],
        window: float,
        events: EventQueue,
        *,
        post: Post | None = None,
        on_change: Callable[[str, JsonValue, Context], None],
        on_unsent: Callable[[], None],
        on_past: Callable[[Iterable[int]], None],
        on_overflow: Callable[[int], None],
        on_refused: Callable[[str, str, JsonValue], None],
        on_refusals_changed: Callable[[Mapping[str, Refusal]], None],
        on_unreportable_changed: Callable[[], None],
        on_losses_changed: Callable[[Mapping[str, Loss]], None],
    ) -> None:
        """Report through `device` while it `is_online`, and send `events` along with the values.

        `window` is the shortest time between two posts of newest values, in seconds. `post` sends newest values, by default
        in a message for the device alone. `on_change` is called with a property that changed, its value, and the context in
        which its entity did; `on_unsent` when a value came that cannot be sent now. `on_past` and `on_overflow` are as for
        `History`, `on_refused`, `on_refusals_changed` and `on_unreportable_changed` as for `Outbox`, `on_losses_changed` as
        for `Losses`.
        """
        self.counters = Counters()
        self.outbox = Outbox(
            self.counters,
            on_refused=on_refused,
            on_refusals_changed=on_refusals_changed,
            on_taken_again=self._taken_again,
            on_unreportable_changed=on_unreportable_changed,
        )
        self.history = History(self.counters, CAPACITY, on_past=on_past, on_overflow=on_overflow)
        self.losses = Losses(on_changed=on_losses_changed)
        self.sender = Sender(
            hass,
            is_online,
            self.outbox,
            self.history,
            events,
            self.counters,
            window,
            newest=NewestLane(
                device,
                self.counters,
                self.outbox,
                self.history,
                self.losses,
                self._is_wanted_again,
                post or device.post_properties,
            ),
            live=LiveLane(device, self.counters, self.outbox, self.history, self.losses),
            past=PastLane(device, self.counters, self.outbox, self.history, self.losses),
            event=EventLane(device, self.counters, self.outbox, events, self.losses),
        )
        self._hass = hass
        self._is_online = is_online
        self._events = events
        self._on_change = on_change
        self._on_unsent = on_unsent
        self._bound = BoundProperties()
        self._started = False
        self._untrack: CALLBACK_TYPE | None = None
        self._templates = _TemplateTracking(hass, self._template_changed)

    @property
    def buffered(self) -> int:
        """How many values, samples and events wait."""
        return len(self.outbox.unsent) + len(self.history) + len(self._events)

    @callback
    def start(self) -> None:
        """Start to send; called once Home Assistant has started, so that a starting house is not a flood."""
        self._started = True
        self._put_current(self._bound.by_identifier.values())
        self.sender.start()

    async def stop(self) -> None:
        """Stop listening and sending."""
        self._templates.stop()
        if self._untrack:
            self._untrack()
            self._untrack = None
        await self.sender.stop()

    @callback
    def restore(self, latest: Mapping[str, Sample]) -> None:
        """Queue values that waited when Home Assistant was stopped; what an entity says now is newer."""
        self.history.keep_only(self._bound.by_identifier.keys() | self._bound.problems.keys())
        for identifier, sample in latest.items():
            if identifier in self._bound.by_identifier and identifier not in self.outbox.waiting:
                self.outbox.put(identifier, sample)

    @callback
    def connected(self) -> Snapshot:
        """Post the present values, and return the snapshot of them."""
        self.history.connected()
        return self.post_everything()

    @callback
    def disconnected(self) -> None:
        """Keep what happens from now on; the past is sent after the next connect, once it is allowed."""
        self.history.disconnected()
        self.outbox.forgive()
        self.sender.disconnected()
        self._on_unsent()

    @callback
    def follow(self, bound: BoundProperties) -> None:
        """Report these properties from now on; those that are new or different are posted at once."""
        before = self._bound.by_identifier
        fresh = [prop for key, prop in bound.by_identifier.items() if before.get(key) != prop]
        if self._untrack:
            self._untrack()
        self._bound = bound
        self.outbox.follow(
            bound.by_identifier.keys(),
            {key: prop.binding.min_interval for key, prop in bound.by_identifier.items() if prop.binding.min_interval},
        )
        # A binding that does not work for the moment may work again, and then its samples are wanted.
        self.history.keep_only(bound.by_identifier.keys() | bound.problems.keys())
        renamed = {prop.identifier for prop in fresh if prop.is_renamed(before.get(prop.identifier))}
        again = {key: last for key in renamed if (last := self._last_refused(key))}
        self.outbox.forgive({prop.identifier for prop in fresh})
        # What waits may have come from another entity, unless that was only renamed.
        changed = [prop.identifier for prop in fresh if _meaning(before.get(prop.identifier)) != _meaning(prop)]
        self.outbox.forget(changed)
        for identifier in changed:
            self.history.forget_last(identifier)
        self._untrack = async_track_state_change_event(self._hass, list(bound.by_entity), self._state_changed)
        self._templates.follow(bound.by_identifier.values())
        # A renamed entity has no state with its new id yet, but perhaps another one has: its value is reported when it has one.
        self._put_current(prop for prop in fresh if prop.identifier not in renamed)
        for identifier, sample in again.items():
            self._put(identifier, sample)

    @callback
    def post_everything(self) -> Snapshot:
        """Post the present value of every property, and return the snapshot of them."""
        self.outbox.forgive()
        self._put_current(self._bound.by_identifier.values())
        self.sender.wake_at_once()  # an entity without a state may have a last value that waits
        return self.outbox.snapshot()

    @callback
    def confirm(self, identifiers: Iterable[str], since: float) -> None:
        """Post the present values after a command that began at `since` (monotonic seconds).

        The cloud takes only a post for the new state. What has changed since then is on its way already.
        """
        properties = (self._bound.by_identifier.get(identifier) for identifier in identifiers)
        self._put_current(
            prop for prop in properties if prop and self.outbox.status[prop.identifier].changed_at < since
        )

    def present(self, identifiers: Iterable[str]) -> dict[str, Sample]:
        """Return the present values of those properties that are reported and have one."""
        now = dt_util.utcnow()
        samples: dict[str, Sample] = {}
        for identifier in identifiers:
            prop = self._bound.by_identifier.get(identifier)
            state = self._state_of(prop) if prop and prop.reports else None
            if prop and state and (sample := self._sample(prop, state, now)):
                samples[identifier] = sample
        return samples

    def status(self, identifier: str) -> tuple[Sample | None, PropertyStatus]:
        """Return the value that Home Assistant has for a property, and what has become of its values."""
        sample = self.present([identifier]).get(identifier)
        return sample, self.outbox.status.get(identifier) or PropertyStatus()

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None:
            return
        for prop in self._bound.by_entity[state.entity_id]:
            if prop.reports and prop.templates.source is None:
                self._changed(prop, self._sample(prop, state, state.last_updated), state.context)

    @callback
    def _template_changed(self, prop: BoundProperty, result: object, at: datetime, context: Context | None) -> None:
        def read(prop: BoundProperty, state: State, at: datetime) -> Sample | None:
            return prop.sample_of(value_of(result), state, at)

        self._changed(prop, self._sample(prop, self._state_of(prop) or NO_ENTITY_STATE, at, read), context)

    def _changed(self, prop: BoundProperty, sample: Sample | None, context: Context | None) -> None:
        """Queue a value that differs enough from the one that the cloud has, or is about to have."""
        if sample is None:
            return
        identifier, every_sample = prop.identifier, prop.binding.every_sample
        known = self.history.last_sample(identifier) if every_sample else self.outbox.known(identifier)
        status = self.outbox.status[identifier]
        if known and _is_same(prop.binding.dead_band, sample.value, known.value):
            return
        refusal = status.refusal
        is_refused = bool(refusal and refusal.count and refusal.value == sample.value)
        if (
            context and context.parent_id and not is_refused
        ):  # only what something else has caused can be part of a loop
            self._on_change(identifier, sample.value, context)
        if not every_sample:
            if not is_refused:
                self._put(identifier, sample)
        elif not self._started:
            return
        elif refusal and (is_refused or status.rests):
            self.losses.add({identifier: 1}, {identifier: refusal.reason})
        else:
            self._put_sample(identifier, sample)

    @callback
    def _taken_again(self, identifiers: Iterable[str]) -> None:
        """Queue the present values of those that were refused, or came while the property rested."""
        for identifier, sample in self.present(identifiers).items():
            prop, accepted = self._bound.by_identifier[identifier], self.outbox.status[identifier].accepted
            if accepted and not _is_same(prop.binding.dead_band, sample.value, accepted.value):
                self._put_current([prop])

    def _last_refused(self, identifier: str) -> Sample | None:
        """Return the newest sample of a property if the cloud has refused it."""
        refusal, last = self.outbox.status[identifier].refusal, self.history.last_sample(identifier)
        return last if refusal and last and refusal.value == last.value else None

    def _state_of(self, prop: BoundProperty) -> State | None:
        """Return the present state of the entity; a template has a value without one."""
        state = self._hass.states.get(prop.entity_id) if prop.entity_id else None
        return NO_ENTITY_STATE if state is None and prop.templates.source else state

    def _sample(
        self,
        prop: BoundProperty,
        state: State,
        at: datetime,
        read: Callable[[BoundProperty, State, datetime], Sample | None] = BoundProperty.sample,
    ) -> Sample | None:
        """Return what to post for a state, or None; a value that cannot be sent is recorded, and does not stop the others."""
        try:
            sample = read(prop, state, at)
        except (Refused, InvalidValue) as err:
            self.outbox.set_unreportable(prop.identifier, Unreportable.of(err, private=self._is_private(prop)))
            return None
        # While the entity has no value, the last one is still the one that the cloud should have.
        if sample or prop.templates.source or state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            self.outbox.set_unreportable(prop.identifier, None)
        return sample

    def _is_private(self, prop: BoundProperty) -> bool:
        """Return whether no text may contain the value of a property."""
        private = self.outbox.private
        named = holds_private(private, prop.model) if prop.model else prop.identifier in private
        return named or prop.aspect.private

    def _put_current(self, properties: Iterable[BoundProperty]) -> None:
        """Queue the present value of each of these."""
        now = dt_util.utcnow()
        for prop in properties:
            if prop.reports:
                state = self._state_of(prop)
                if prop.binding.every_sample:
                    queued = self._present_sample(prop, state, now)
                else:
                    sample = self._sample(prop, state, now) if state else None
                    queued = Queued(prop.identifier, sample) if sample else None
                if queued:
                    self._put(*queued)

    def _present_sample(self, prop: BoundProperty, state: State | None, now: datetime) -> Queued | None:
        """Return which sample to post as the present value, so that the cloud gets none with two times.

        That is the newest sample, unless the history is about to post it anyway.
        """
        if not self._started:
            return None
        at = now if state is None or prop.templates.source else state.last_updated
        sample = self._sample(prop, state, at) if state else None
        last = self.history.last(prop.identifier)
        if sample and (last is None or last.sample.value != sample.value):
            self._put_sample(prop.identifier, sample)
            last = self.history.last(prop.identifier)
        if self.history.is_live(prop.identifier):
            return None
        return last if sample else self.history.newest_past(prop.identifier)

    def _put(self, identifier: str, sample: Sample, number: int | None = None) -> None:
        status = self.outbox.status[identifier]
        if status.rests:
            return
        status.changed_at = time.monotonic()
        self.outbox.put(identifier, sample, number)
        self.sender.wake()
        if not self._is_online():
            self._on_unsent()

    def _put_sample(self, identifier: str, sample: Sample) -> None:
        live = self._is_online()
        self.outbox.status[identifier].changed_at = time.monotonic()
        self.history.add(identifier, sample, live=live)
        if live:  # what waits is older, and must not arrive later
            self.outbox.supersede(identifier)
            self.sender.wake()

    def _is_wanted_again(self, identifier: str) -> bool:
        """Return whether a value that did not arrive is sent again; a live sample would be newer, and must not be followed."""
        return identifier in self._bound.by_identifier and not self.history.is_live(identifier)


def _is_same(dead_band: float, value: JsonValue, known: JsonValue) -> bool:
    """Return whether a value is the known one, or differs from it by less than a dead-band."""
    if not dead_band or not isinstance(known, int | float) or not isinstance(value, int | float):
        return value == known
    return abs(value - known) < dead_band * (1 - 1e-9)  # 20.2 - 20.1 is a little less than 0.1


def _meaning(prop: BoundProperty | None) -> tuple[object, ...]:
    """Return what the values of a property depend on."""
    if prop is None:
        return ()
    binding = prop.binding
    return binding.entity, binding.aspect, binding.source, binding.conversion, binding.every_sample, prop.model


class _TemplateTracking:
    """Tracks the templates of properties, each by itself, so that one that fails or is busy does not stop the others.

    Home Assistant limits how often it renders a template that uses all states.
    """

    def __init__(
        self, hass: HomeAssistant, on_result: Callable[[BoundProperty, Any, datetime, Context | None], None]
    ) -> None:
        """`on_result` gets a property, the result or the error of its template, and time and context of the change."""
        self._hass = hass
        self._on_result = on_result
        self._tracked: dict[str, tuple[BoundProperty, TrackTemplateResultInfo]] = {}

    @callback
    def follow(self, properties: Iterable[BoundProperty]) -> None:
        """Track the templates of these properties from now on, and no others."""
        wanted = {prop.identifier: prop for prop in properties if prop.templates.source and prop.reports}
        for identifier, (prop, tracker) in list(self._tracked.items()):
            if wanted.get(identifier) != prop:
                tracker.async_remove()
                del self._tracked[identifier]
        for identifier, prop in wanted.items():
            if identifier not in self._tracked:
                self._tracked[identifier] = (prop, self._track(prop))

    @callback
    def stop(self) -> None:
        """Stop tracking."""
        self.follow(())

    def _track(self, prop: BoundProperty) -> TrackTemplateResultInfo:
        @callback
        def rendered(event: Event[EventStateChangedData] | None, updates: list[TrackTemplateResult]) -> None:
            state = event.data["new_state"] if event else None
            at = state.last_updated if state else event.time_fired if event else dt_util.utcnow()
            for update in updates:
                self._on_result(prop, update.result, at, event.context if event else None)

        assert prop.templates.source  # noqa: S101 - `follow` takes no others
        template = TrackTemplate(prop.templates.source, prop.source_variables())
        return async_track_template_result(self._hass, [template], rendered)
