"""Home Assistant → cloud: event entities and triggers become events of the thing model."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from ..alink.model.thing_model import ThingModel
from ..exposures import event_bindings, resolve_entity
from ..mapping.event_binding import EventBinding
from ..mapping.event_output import EventOutput
from .event_queue import EventQueue, PendingEvent
from .event_sources import attach_triggers, follow_event_entity

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Source:
    """A binding that is followed; `entity_id` is that of its entity when that began."""

    binding: EventBinding
    entity_id: str | None
    output: EventOutput
    end: CALLBACK_TYPE


class EventReporter:
    """Queues the events of one device; the sender posts them."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, queue: EventQueue) -> None:
        """Nothing is followed before `start`."""
        self.problems: dict[str, str] = {}
        self._hass = hass
        self._entry = entry
        self._queue = queue
        self._model: ThingModel | None = None
        self._sources: dict[str, _Source] = {}
        self._running = False
        self._following: asyncio.Task[None] | None = None
        self._in_turn = asyncio.Lock()

    @callback
    def start(self, model: ThingModel | None) -> None:
        """Start to follow what is bound; called once Home Assistant has started."""
        self._running = True
        self._following = self._entry.async_create_task(self._hass, self.follow(model), "Aliyun events")

    async def follow(self, model: ThingModel | None) -> None:
        """Follow what is bound now, by this thing model; an unchanged binding is followed without a gap."""
        self._model = model
        async with self._in_turn:
            if not self._running:
                return
            bindings = event_bindings(self._entry)
            for key, source in list(self._sources.items()):
                if bindings.get(key) != source.binding or self._entity_id(source.binding) != source.entity_id:
                    source.end()
                    del self._sources[key]
            known = {binding.identifier for binding in bindings.values()}
            self.problems = {key: problem for key, problem in self.problems.items() if key in known}
            for key, binding in bindings.items():
                if key in self._sources:
                    continue
                known_problem = self.problems.get(binding.identifier)
                if followed := await self._follow_one(binding):
                    self._sources[key] = followed
                    if self.problems.get(binding.identifier) == known_problem:
                        self.problems.pop(binding.identifier, None)
            self._end_if_stopped()

    @callback
    def concerns(self, entity_ids: Collection[object]) -> bool:
        """Return whether a change of one of these entities in the registry matters here."""
        return any(source.entity_id in entity_ids for source in self._sources.values() if source.entity_id)

    @callback
    def stop(self) -> None:
        """Follow nothing any more; a trigger of another integration that hangs must not delay this."""
        self._running = False
        if self._following:
            self._following.cancel()
        self._end_if_stopped()

    @callback
    def note(self, identifier: str, problem: str) -> None:
        """Keep a problem of an event, and log it the first time."""
        if self.problems.get(identifier) != problem:
            self.problems[identifier] = problem
            _LOGGER.warning("Event %s of %s: %s", identifier, self._entry.title, problem)

    def _end_if_stopped(self) -> None:
        """End all sources after `stop`, which may come while they are being followed."""
        while self._sources and not self._running:
            self._sources.popitem()[1].end()

    def _entity_id(self, binding: EventBinding) -> str | None:
        return resolve_entity(self._hass, binding.entity) if binding.entity else None

    async def _follow_one(self, binding: EventBinding) -> _Source | None:
        """Return the source of a binding, or note why it cannot work and return None."""
        note = partial(self.note, binding.identifier)
        entity_id = self._entity_id(binding)
        try:
            output = EventOutput.of(binding.output)
            happened = partial(self._happened, binding.identifier, output)
            if binding.triggers:
                name = f"{self._entry.title} {binding.identifier}"
                end = await attach_triggers(self._hass, binding.triggers, name, happened, note)
            elif entity_id:
                end = follow_event_entity(self._hass, entity_id, happened)
            else:
                note("its entity was removed from Home Assistant")
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
        data, problems = output.render(variables, event.output if event else None)
        if problems:
            self.note(identifier, "; ".join(problems))
        self._queue.add(PendingEvent(identifier, data, int(at.timestamp() * 1000)))
