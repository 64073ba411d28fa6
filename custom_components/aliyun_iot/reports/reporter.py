"""Home Assistant → cloud: state changes of bound entities become property values that wait to be sent.

Of most properties only the newest value counts and waits in the outbox; of those whose binding asks for every sample, each
is kept in the history. Only bound entities are listened to; all others cost nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
import time

from homeassistant.core import CALLBACK_TYPE, Context, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..alink.errors import InvalidValue
from ..alink.link import Link, LinkState
from ..alink.messages import JsonValue
from ..alink.samples import Sample
from ..bound import BoundProperties, BoundProperty
from ..mapping.aspect import Refused
from ..mapping.generic import NO_ENTITY_STATE
from ..mapping.templates import value_of
from .counters import Counters
from .history import CAPACITY, History
from .outbox import Outbox
from .rejections import Rejections
from .sender import Sender
from .snapshot import Snapshot
from .template_tracking import TemplateTracking


class Reporter:
    """Reports the values of bound properties."""

    def __init__(
        self,
        hass: HomeAssistant,
        link: Link,
        window: float,
        *,
        on_change: Callable[[str, JsonValue, Context], None],
        rejections: Rejections,
    ) -> None:
        """`window` is the shortest time between two posts of live values, in seconds.

        `on_change` takes a property that changed, its value, and the context in which its entity did.
        """
        self.counters = Counters()
        self.outbox = Outbox(self.counters, self._min_interval)
        self.history = History(self.counters, CAPACITY)
        self.rejections = rejections
        self.sender = Sender(hass, link, self.outbox, self.history, rejections, self.counters, window)
        self.unreportable: dict[str, str] = {}
        self.on_offline_change: Callable[[], None] = _nothing
        """Told of values that came while there is no connection."""
        self._hass = hass
        self._link = link
        self._on_change = on_change
        self._bound = BoundProperties()
        self._changed_at: dict[str, float] = {}
        self._started = False
        self._untrack: CALLBACK_TYPE | None = None
        self._templates = TemplateTracking(hass, self._template_changed)

    @property
    def buffered(self) -> int:
        """How many values and samples wait."""
        return len(self.outbox.unsent) + len(self.history)

    @callback
    def start(self) -> None:
        """Begin to send; called once Home Assistant has started, so that a starting house is not a flood."""
        self._started = True
        self._put_current(self._bound.by_identifier.values())
        self.sender.start()

    async def stop(self) -> None:
        """Stop listening and sending."""
        await self.sender.stop()
        self._templates.stop()
        if self._untrack:
            self._untrack()
            self._untrack = None

    @callback
    def restore(self, latest: Mapping[str, Sample]) -> None:
        """Take over values that waited when Home Assistant was stopped; what an entity says now is newer."""
        self.history.keep_only(self._bound.by_identifier.keys() | self._bound.problems.keys())
        for identifier, sample in latest.items():
            if identifier in self._bound.by_identifier and identifier not in self.outbox.waiting:
                self.outbox.put(identifier, sample)

    @callback
    def connected(self) -> Snapshot:
        """Post everything that there is to say, and return what tells of its arrival."""
        self.history.connected()
        return self.post_everything()

    @callback
    def disconnected(self) -> None:
        """Keep what happens from now on; the past is sent when the cloud is back and asked for."""
        self.history.disconnected()
        self.rejections.forgive()
        self.sender.allow_past(allowed=False)
        self.on_offline_change()

    @callback
    def follow(self, bound: BoundProperties) -> None:
        """Report these properties from now on; those that are new or different are posted at once."""
        before = self._bound.by_identifier
        fresh = [one for key, one in bound.by_identifier.items() if before.get(key) != one]
        if self._untrack:
            self._untrack()
        self._bound = bound
        self.sender.follow(bound)
        self._untrack = async_track_state_change_event(self._hass, list(bound.by_entity), self._state_changed)
        self._templates.follow(bound.by_identifier.values())
        self.outbox.keep_only(bound.by_identifier.keys())
        # A binding that does not work for the moment may do so again, and then its samples are wanted.
        self.history.keep_only(bound.by_identifier.keys() | bound.problems.keys())
        self.rejections.unbound(self.rejections.known.keys() - bound.by_identifier.keys())
        self.rejections.unbound([one.identifier for one in fresh])
        for one in fresh:  # what waits may have come from another entity, unless that was only renamed
            if (old := before.get(one.identifier)) is None or _meaning(old) != _meaning(one):
                self.outbox.forget(one.identifier)
                self.history.begin_anew(one.identifier)
        self._put_current(fresh)

    @callback
    def post_everything(self) -> Snapshot:
        """Post the present value of every property, and return what tells of its arrival."""
        self.rejections.forgive()
        self._put_current(self._bound.by_identifier.values())
        self.sender.wake()  # for the last word of an entity that has none now
        return self.outbox.snapshot()

    @callback
    def confirm(self, identifiers: Iterable[str], since: float) -> None:
        """Post the present values after a command that began at `since` (monotonic seconds).

        The cloud takes only a post for the new state. What has changed since then is on its way already.
        """
        properties = (self._bound.by_identifier.get(identifier) for identifier in identifiers)
        self._put_current(one for one in properties if one and self._changed_at.get(one.identifier, 0.0) < since)

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
                self._put_change(one, sample)

    @callback
    def _template_changed(self, one: BoundProperty, result: object, at: datetime, context: Context | None) -> None:
        try:
            sample = one.sample_of(value_of(result), self._state_of(one) or NO_ENTITY_STATE, at)
        except (Refused, InvalidValue) as err:
            self.unreportable[one.identifier] = str(err)
            return
        self.unreportable.pop(one.identifier, None)
        if sample and self._is_news(one, sample):
            if context:
                self._on_change(one.identifier, sample.value, context)
            self._put_change(one, sample)

    def _state_of(self, one: BoundProperty) -> State | None:
        """Return the present state of the entity; a template has something to say without one."""
        state = self._hass.states.get(one.entity_id) if one.entity_id else None
        return NO_ENTITY_STATE if state is None and one.templates.source else state

    def _sample(self, one: BoundProperty, state: State, at: datetime) -> Sample | None:
        """Return what to post for a state, or nothing: one bad entity never stops the others."""
        try:
            sample = one.sample(state, at)
        except (Refused, InvalidValue) as err:
            self.unreportable[one.identifier] = str(err)
            return None
        self.unreportable.pop(one.identifier, None)
        return sample

    def _put_current(self, properties: Iterable[BoundProperty]) -> None:
        """Let the present value of each of these wait."""
        now = dt_util.utcnow()
        for one in properties:
            if one.binding.access.reports:
                state = self._state_of(one)
                if one.binding.every_sample:
                    sample = self._present_sample(one, state, now)
                else:
                    sample = self._sample(one, state, now) if state else None
                if sample:
                    self._put(one.identifier, sample)

    def _present_sample(self, one: BoundProperty, state: State | None, now: datetime) -> Sample | None:
        """Return which sample to post as the present value, so that the cloud gets none under two times.

        That is the last one there was. What the history is going to post by itself needs no other post.
        """
        if not self._started:
            return None
        at = now if state is None or one.templates.source else state.last_updated
        sample = self._sample(one, state, at) if state else None
        last = self.history.last(one.identifier)
        if sample and (last is None or last.value != sample.value):
            self._put_sample(one.identifier, sample)
            last = self.history.last(one.identifier)
        if self.history.is_live(one.identifier):
            return None
        return last if sample else self.history.newest_past(one.identifier)

    def _is_news(self, one: BoundProperty, sample: Sample) -> bool:
        """Tell whether a value differs enough from the one that the cloud has, or is about to have."""
        if one.binding.every_sample:
            last = self.history.last(one.identifier)
            known = last.value if last else None
        else:
            known = self.outbox.known(one.identifier)
        if sample.value == known or self.rejections.repeats(one.identifier, sample.value):
            return False
        dead_band = one.binding.dead_band
        if dead_band and isinstance(known, int | float) and isinstance(sample.value, int | float):
            # 20.2 - 20.1 is a little less than 0.1
            return abs(sample.value - known) >= dead_band * (1 - 1e-9)
        return True

    def _put_change(self, one: BoundProperty, sample: Sample) -> None:
        if not one.binding.every_sample:
            self._put(one.identifier, sample)
        elif self._started and not self.rejections.rests(one.identifier):
            self._put_sample(one.identifier, sample)

    def _put(self, identifier: str, sample: Sample) -> None:
        if self.rejections.rests(identifier):
            return
        self._changed_at[identifier] = time.monotonic()
        self.outbox.put(identifier, sample)
        self.sender.wake()
        if self._link.state is not LinkState.ONLINE:
            self.on_offline_change()

    def _put_sample(self, identifier: str, sample: Sample) -> None:
        live = self._link.state is LinkState.ONLINE
        self._changed_at[identifier] = time.monotonic()
        self.history.add(identifier, sample, live=live)
        if live:  # what waits is older, and must not arrive later
            self.outbox.supersede(identifier)
            self.sender.wake()

    def _min_interval(self, identifier: str) -> float:
        return self._bound.by_identifier[identifier].binding.min_interval


def _meaning(one: BoundProperty) -> tuple[object, ...]:
    """Return what the values of a property depend on."""
    binding = one.binding
    return binding.entity, binding.aspect, binding.source, binding.conversion, binding.every_sample, one.model


def _nothing() -> None:
    """Nobody is interested in what happens offline."""
