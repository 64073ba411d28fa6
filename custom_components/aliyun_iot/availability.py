"""Whether the devices of Home Assistant behind sub-devices are available.

A device is available while one of its bound entities is, and always if no entity is bound. A short outage does not count: a
restart of its integration makes every entity unavailable for a moment.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from itertools import batched
from typing import Protocol

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers.event import async_call_later, async_track_state_change_event

from .mapping.slices import SLICE


class AvailabilityHandler(Protocol):
    """Takes the owner of a sub-device and whether its device is available."""

    def __call__(self, owner: str, *, available: bool) -> None:
        """Handle a change."""


class Availability:
    """Watches the entities of all sub-devices of an entry with one listener."""

    def __init__(self, hass: HomeAssistant, delay: Callable[[], float], on_changed: AvailabilityHandler) -> None:
        """`on_changed` is called with the owner and whether it is available; with False only after `delay` seconds."""
        self._hass = hass
        self._delay = delay
        self._on_changed = on_changed
        self._entities: dict[str, frozenset[str]] = {}
        self._owners: dict[str, list[str]] = {}
        self._available: dict[str, bool] = {}
        self._ends: dict[str, CALLBACK_TYPE] = {}
        self._untrack: CALLBACK_TYPE | None = None
        self._started = False

    async def start(self) -> None:
        """Say which are available; called once Home Assistant has started, since many entities have no state before."""
        self._started = True
        for some in batched(list(self._entities), SLICE, strict=False):
            for owner in some:
                if owner in self._entities:  # it may have been removed meanwhile
                    self._examine(owner)
            await asyncio.sleep(0)

    @callback
    def stop(self) -> None:
        """Stop watching."""
        self._started = False
        self.follow({})

    @callback
    def follow(self, entities: dict[str, frozenset[str]]) -> None:
        """Watch these entity ids, by owner, from now on."""
        if entities == self._entities:
            return
        for owner in self._available.keys() - entities.keys():
            self._end_timer(owner)
            del self._available[owner]
        before, self._entities = self._entities, entities
        owners: defaultdict[str, list[str]] = defaultdict(list)
        for owner, entity_ids in entities.items():
            for entity_id in entity_ids:
                owners[entity_id].append(owner)
        if owners.keys() != self._owners.keys() or self._untrack is None:
            if self._untrack:
                self._untrack()
            self._untrack = (
                async_track_state_change_event(self._hass, list(owners), self._state_changed) if owners else None
            )
        self._owners = dict(owners)
        for owner, entity_ids in entities.items():
            if before.get(owner) != entity_ids:
                self._examine(owner)

    @callback
    def is_available(self, owner: str) -> bool:
        """Return whether a device is available, a short outage not counted."""
        return self._available.get(owner, False)

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        if _is_there(event.data["old_state"]) is not _is_there(event.data["new_state"]):
            for owner in self._owners.get(event.data["entity_id"], ()):
                self._examine(owner)

    def _examine(self, owner: str) -> None:
        if not self._started:
            return
        known = self._available.get(owner)
        if self._now(self._entities[owner]):
            self._end_timer(owner)
            self._settle(owner, available=True)
        elif known is None:  # it was not available when it was looked at first, so nothing has to be waited for
            self._settle(owner, available=False)
        elif known and owner not in self._ends:
            self._ends[owner] = async_call_later(self._hass, self._delay(), partial(self._is_over, owner))

    def _now(self, entity_ids: Collection[str]) -> bool:
        return not entity_ids or any(_is_there(self._hass.states.get(entity_id)) for entity_id in entity_ids)

    @callback
    def _is_over(self, owner: str, _now: object) -> None:
        self._ends.pop(owner, None)
        self._settle(owner, available=self._now(self._entities[owner]))

    def _settle(self, owner: str, *, available: bool) -> None:
        if self._available.get(owner) is not available:
            self._available[owner] = available
            self._on_changed(owner, available=available)

    def _end_timer(self, owner: str) -> None:
        if end := self._ends.pop(owner, None):
            end()


def _is_there(state: State | None) -> bool:
    return state is not None and state.state != STATE_UNAVAILABLE
