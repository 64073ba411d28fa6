"""Home Assistant → cloud: event entities and triggers become events of the thing model, which wait until the cloud has them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..alink.foreign import logger_of
from ..alink.messages import JsonValue
from ..alink.model.thing_model import ThingModel
from ..exposures import Absence, absence, resolve_entity
from ..ha_internals import attach_triggers, validated_triggers
from ..mapping.attributes import moment
from ..mapping.event_binding import EventBinding
from ..mapping.event_output import EventOutput
from ..mapping.unreportable import Unreportable
from ..stored_device import StoredDevice

_LOGGER = logger_of(__name__)

CAPACITY: Final = 1000
"""Events that wait at most; at nine messages a second they are sent within two minutes."""

RESOLUTION: Final = timedelta(milliseconds=1)
"""The resolution of the time in the state of an event entity."""

NEVER: Final = datetime.min.replace(tzinfo=UTC)

type Triggers = list[dict[str, Any]]
type EventCallback = Callable[[Mapping[str, Any], datetime], None]
"""Called with the variables for templates, and with the time."""


@dataclass(slots=True)
class EventCounters:
    """Events of one device: accepted by the cloud, refused by it, and dropped because too many waited."""

    posted: int = 0
    refused: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that happened at `time` (UTC milliseconds)."""

    identifier: str
    output: Mapping[str, JsonValue]
    time: int


class EventQueue:
    """The events of one device, oldest first."""

    def __init__(self, *, on_added: Callable[[], None], on_dropped: Callable[[int], None]) -> None:
        """`on_added` is called for each event; `on_dropped` with the number of events dropped so far, when it grows."""
        self.counters = EventCounters()
        self._on_added = on_added
        self._on_dropped = on_dropped
        self.waiting: dict[int, PendingEvent] = {}
        """Events by number, oldest first; they stay until `remove`."""
        self._next = 0

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self.waiting)

    @callback
    def add(self, event: PendingEvent) -> None:
        """Queue an event; when too many wait, the oldest is dropped."""
        self._append(event)
        self._on_added()

    @callback
    def restore(self, events: Iterable[PendingEvent]) -> None:
        """Queue what an earlier run has left, before what has happened since."""
        happened, self.waiting = self.waiting, {}
        for event in (*events, *happened.values()):
            self._append(event)

    @callback
    def remove(self, numbers: Iterable[int]) -> None:
        """Drop events that the cloud has, or will never have."""
        for number in numbers:
            self.waiting.pop(number, None)

    def _append(self, event: PendingEvent) -> None:
        if len(self.waiting) >= CAPACITY:
            del self.waiting[next(iter(self.waiting))]
            self.counters.dropped += 1
            if self.counters.dropped == 1:
                _LOGGER.warning("More than %d events wait for the cloud; the oldest are dropped", CAPACITY)
            self._on_dropped(self.counters.dropped)
        self.waiting[self._next] = event
        self._next += 1


@dataclass(frozen=True, slots=True)
class _Source:
    """A binding that is followed; `entity_id` is that of its entity when that began."""

    binding: EventBinding
    entity_id: str | None
    output: EventOutput
    end: CALLBACK_TYPE


class EventReporter:
    """Queues the events of one device; the sender posts them."""

    def __init__(
        self,
        hass: HomeAssistant,
        device: StoredDevice,
        queue: EventQueue,
        *,
        on_unreportable_changed: Callable[[], None],
    ) -> None:
        """Nothing is followed before `start`.

        `on_unreportable_changed` is called when other output parameters are left out than before, or for other reasons.
        """
        self.problems: dict[str, str] = {}
        self.left_out: dict[str, Mapping[str, Unreportable]] = {}
        """For each event why output parameters were left out when it happened last."""
        self._on_unreportable_changed = on_unreportable_changed
        self._hass = hass
        self._device = device
        self._queue = queue
        self._model: ThingModel | None = None
        self._sources: dict[str, _Source] = {}
        self._attaching: dict[str, asyncio.Task[None]] = {}
        self._running = False

    @callback
    def start(self, model: ThingModel | None) -> None:
        """Start to follow what is bound; called once Home Assistant has started."""
        self._running = True
        self.follow(model)

    @callback
    def follow(self, model: ThingModel | None) -> None:
        """Follow what is bound now, by this thing model; an unchanged binding is followed without a gap.

        Each binding has a task of its own, because a trigger of another integration may hang.
        """
        self._model = model
        if not self._running:
            return
        bindings = self._device.events()
        for key, source in list(self._sources.items()):
            if bindings.get(key) != source.binding or self._entity_id(source.binding) != source.entity_id:
                source.end()
                del self._sources[key]
        known = {binding.identifier for binding in bindings.values()}
        self.problems = {key: problem for key, problem in self.problems.items() if key in known}
        for identifier in self.left_out.keys() - known:
            self._leave_out(identifier, {})
        for key, binding in bindings.items():
            if key not in self._sources and key not in self._attaching:
                self._attaching[key] = self._device.entry.async_create_task(
                    self._hass, self._attach(key, binding), "Aliyun event", eager_start=False
                )

    @callback
    def stop(self) -> None:
        """Stop following; a trigger of another integration that hangs does not delay this."""
        self._running = False
        for task in self._attaching.values():
            task.cancel()
        while self._sources:
            self._sources.popitem()[1].end()

    @callback
    def note(self, identifier: str, problem: str) -> None:
        """Keep a problem of an event, and log it the first time."""
        if self.problems.get(identifier) != problem:
            self.problems[identifier] = problem
            _LOGGER.warning("Event %s of %s: %s", identifier, self._device.title, problem)

    async def _attach(self, key: str, binding: EventBinding) -> None:
        """Follow a binding, unless it was changed or everything was stopped meanwhile."""
        known_problem = self.problems.get(binding.identifier)
        try:
            source = await self._source_of(binding)
        finally:
            del self._attaching[key]
        is_current = self._running and self._device.events().get(key) == binding
        if source and is_current:
            self._sources[key] = source
            self._leave_out(binding.identifier, {})
            if self.problems.get(binding.identifier) == known_problem:
                self.problems.pop(binding.identifier, None)
        elif source:
            source.end()
        if not is_current:
            self.follow(self._model)

    def _leave_out(self, identifier: str, left_out: Mapping[str, Unreportable]) -> None:
        before = self.left_out.pop(identifier, {})
        if left_out:
            self.left_out[identifier] = left_out
        if {name: why.reason for name, why in before.items()} != {name: why.reason for name, why in left_out.items()}:
            self._on_unreportable_changed()

    def _entity_id(self, binding: EventBinding) -> str | None:
        """Return the entity of a binding, None without one, or if it is disabled or was removed.

        One that is not registered may come at any time, and nothing but its state says so.
        """
        if not binding.entity or absence(self._hass, binding.entity) is Absence.DISABLED:
            return None
        return resolve_entity(self._hass, binding.entity)

    async def _source_of(self, binding: EventBinding) -> _Source | None:
        """Return the source of a binding, or note why it cannot work and return None."""
        note = partial(self.note, binding.identifier)
        entity_id = self._entity_id(binding)
        try:
            output = EventOutput.of(binding.output)
            happened = partial(self._happened, binding.identifier, output)
            if binding.triggers:
                name = f"{self._device.title} {binding.identifier}"
                end = await follow_triggers(self._hass, binding.triggers, name, happened, note)
            elif entity_id:
                end = follow_event_entity(self._hass, entity_id, happened)
            else:
                note(f"its entity {absence(self._hass, binding.entity)}")
                return None
        except (vol.Invalid, HomeAssistantError) as err:
            note(str(err))
            return None
        return _Source(binding, entity_id, output, end) if end else None

    @callback
    def _happened(self, identifier: str, output: EventOutput, variables: Mapping[str, Any], at: datetime) -> None:
        """Queue an event, unless the thing model does not know it."""
        event = self._model.events.get(identifier) if self._model else None
        if self._model and event is None:
            self.note(identifier, "the thing model has no such event")
            return
        data, left_out = output.render(variables, event.output if event else None)
        self._leave_out(identifier, left_out)
        self._queue.add(PendingEvent(identifier, data, int(at.timestamp() * 1000)))


@callback
def follow_event_entity(hass: HomeAssistant, entity_id: str, on_event: EventCallback) -> CALLBACK_TYPE:
    """Call `on_event` whenever an event entity fires; return a function that ends it.

    The state of an event entity is the time at which it last fired. It has not fired when it becomes available again or is
    restored with an earlier time. A time that follows another one directly may be earlier, as the clock may have been set back.
    """
    last = max(_fired_at(hass.states.get(entity_id)) or NEVER, dt_util.utcnow() - RESOLUTION)

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        nonlocal last
        old, new = event.data["old_state"], event.data["new_state"]
        before, fired = _fired_at(old), _fired_at(new)
        if new is None or fired is None or fired == before or (before is None and fired <= last):
            return
        last = fired
        attributes = dict(new.attributes)
        variables = {
            "attributes": attributes,
            "entity_id": entity_id,
            "event_type": attributes.get(ATTR_EVENT_TYPE),
        }
        on_event(variables, fired)

    return async_track_state_change_event(hass, entity_id, changed)


async def follow_triggers(
    hass: HomeAssistant, triggers: Triggers, name: str, on_event: EventCallback, failed: Callable[[str], None]
) -> CALLBACK_TYPE | None:
    """Call `on_event` whenever one of the triggers fires; return a function that ends it, None if none could be attached.

    `failed` is called with what is wrong with a trigger that could not be attached. Raises vol.Invalid or HomeAssistantError
    for an invalid configuration.
    """

    def triggered(variables: dict[str, Any]) -> None:
        on_event(variables, dt_util.utcnow())

    return await attach_triggers(hass, await valid_triggers(hass, triggers), name, triggered, failed)


async def valid_triggers(hass: HomeAssistant, triggers: Triggers) -> Triggers:
    """Return triggers as Home Assistant runs them; raises vol.Invalid or HomeAssistantError."""
    return await validated_triggers(hass, cv.TRIGGER_SCHEMA(deepcopy(triggers)))


def _fired_at(state: State | None) -> datetime | None:
    return moment(state.state) if state else None
