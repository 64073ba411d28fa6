"""Home Assistant → cloud, for what happens rather than is: event entities and triggers become events of the thing model."""

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

from ..alink.errors import MessageError, NotConnected, RequestTimeout
from ..alink.link import Link, LinkState
from ..alink.messages import JsonValue
from ..alink.model.thing_model import ThingModel
from ..exposures import event_bindings, resolve_entity
from ..mapping.event_binding import EventBinding
from .event_output import EventOutput
from .event_sources import attach_triggers, follow_event_entity

_LOGGER = logging.getLogger(__name__)

MOST_WAITING = 100
"""Events that wait for their turn or their reply; the platform takes so many a second."""


@dataclass(slots=True)
class Counters:
    """What became of events: taken by the cloud, refused by it or not answered, lost without a connection or in a flood."""

    posted: int = 0
    refused: int = 0
    disconnected: int = 0
    too_many: int = 0


@dataclass(frozen=True, slots=True)
class _Source:
    """A binding that is followed; `entity_id` is what it meant when that began."""

    binding: EventBinding
    entity_id: str | None
    output: EventOutput
    end: CALLBACK_TYPE


class EventsOut:
    """Posts the events of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, link: Link) -> None:
        """Nothing happens before `start`."""
        self.counters = Counters()
        self.problems: dict[str, str] = {}
        self._hass = hass
        self._entry = entry
        self._link = link
        self._model: ThingModel | None = None
        self._sources: dict[str, _Source] = {}
        self._posts: set[asyncio.Task[None]] = set()
        self._running = False
        self._renewing = asyncio.Lock()

    @callback
    def start(self, model: ThingModel | None) -> None:
        """Begin to follow what is bound; called once Home Assistant has started."""
        self._running = True
        self._entry.async_create_task(self._hass, self.follow(model), "Aliyun events")

    async def follow(self, model: ThingModel | None) -> None:
        """Follow what is bound now, by this thing model; what stays as it is goes on without a gap."""
        self._model = model
        async with self._renewing:
            if not self._running:
                return
            bindings = event_bindings(self._entry)
            for key, source in list(self._sources.items()):
                if bindings.get(key) != source.binding or self._entity_id(source.binding) != source.entity_id:
                    source.end()
                    del self._sources[key]
            known = {one.identifier for one in bindings.values()}
            self.problems = {key: problem for key, problem in self.problems.items() if key in known}
            for key, binding in bindings.items():
                if key in self._sources:
                    continue
                known_problem = self.problems.get(binding.identifier)
                if followed := await self._follow_one(binding):
                    self._sources[key] = followed
                    if self.problems.get(binding.identifier) == known_problem:
                        self.problems.pop(binding.identifier, None)

    @callback
    def concerns(self, entity_ids: Collection[object]) -> bool:
        """Tell whether a change of one of these entities in the registry matters here."""
        return any(source.entity_id in entity_ids for source in self._sources.values() if source.entity_id)

    async def stop(self) -> None:
        """Follow nothing, and give up what has not been sent."""
        self._running = False
        async with self._renewing:
            while self._sources:
                self._sources.popitem()[1].end()
        for post in self._posts:
            post.cancel()

    def _entity_id(self, binding: EventBinding) -> str | None:
        return resolve_entity(self._hass, binding.entity) if binding.entity else None

    async def _follow_one(self, binding: EventBinding) -> _Source | None:
        """Return the source of a binding, or None and note why it can't work."""
        note = partial(self._note, binding.identifier)
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
        """Post an event, unless it can't be; nothing that happens in Home Assistant may suffer from it."""
        event = self._model.events.get(identifier) if self._model else None
        if self._model and event is None:
            self._note(identifier, "the thing model has no such event")
            return
        if self._link.state is not LinkState.ONLINE:
            self._lost(identifier)
            return
        if len(self._posts) >= MOST_WAITING:
            self.counters.too_many += 1
            self._note(identifier, "too many at once, some were left out")
            return
        data, problems = output.render(variables, event.output if event else None)
        if problems:
            self._note(identifier, "; ".join(problems))
        post = self._hass.async_create_background_task(
            self._post(identifier, data, int(at.timestamp() * 1000)), f"Aliyun event {identifier}", eager_start=False
        )
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)

    async def _post(self, identifier: str, output: dict[str, JsonValue], at: int) -> None:
        try:
            reply = await self._link.device.post_event(identifier, output, at)
        except NotConnected:
            self._lost(identifier)
            return
        except (MessageError, RequestTimeout, ValueError) as err:
            self.counters.refused += 1
            self._note(identifier, str(err))
            return
        if reply.ok:
            self.counters.posted += 1
        else:
            self.counters.refused += 1
            self._note(identifier, f"the cloud answered with code {reply.code}: {reply.message}")

    def _lost(self, identifier: str) -> None:
        self.counters.disconnected += 1
        _LOGGER.debug("Event %s is not sent, because there is no connection", identifier)

    def _note(self, identifier: str, problem: str) -> None:
        """Keep a problem, and log it the first time."""
        if self.problems.get(identifier) != problem:
            self.problems[identifier] = problem
            _LOGGER.warning("Event %s of %s: %s", identifier, self._entry.title, problem)
