"""Applying the rules again after a change in the registries or a new state that may change what matches them."""

from collections.abc import Callable
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.event import async_track_state_added_domain, async_track_state_change_event

from .alink.model.thing_model import ThingModel
from .exposures import exposed_bindings
from .mapping.domains import DOMAINS
from .mapping.suggest.suggestions import is_incomplete
from .rules import carry_out_rules, rules_of

_LOGGER = logging.getLogger(__name__)

COOLDOWN = 1.0
"""Seconds to wait for related changes: a new device comes with many entities and their states."""

REGISTRY_EVENTS = (
    ar.EVENT_AREA_REGISTRY_UPDATED,
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
    fr.EVENT_FLOOR_REGISTRY_UPDATED,
    lr.EVENT_LABEL_REGISTRY_UPDATED,
)


class Follower:
    """Keeps the bindings of one entry in line with its rules; without rules it listens to no events."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, model: Callable[[], ThingModel | None]) -> None:
        """`model` returns the thing model in use."""
        self._hass = hass
        self._entry = entry
        self._model = model
        self._started = False
        self._unlisten: list[CALLBACK_TYPE] = []
        self._incomplete: frozenset[str] = frozenset()
        self._stop_waiting: CALLBACK_TYPE | None = None
        self._debouncer = Debouncer(hass, _LOGGER, cooldown=COOLDOWN, immediate=False, function=self.refresh)

    @callback
    def start(self) -> None:
        """Start to follow the rules; called once Home Assistant has started and its entities exist."""
        self._started = True
        self.refresh()

    @callback
    def stop(self) -> None:
        """Stop following the rules."""
        self._started = False
        self._listen(wanted=False)
        self._wait_for(frozenset())
        self._debouncer.async_shutdown()

    @callback
    def refresh(self) -> None:
        """Apply the rules now, for example after they were changed."""
        if not self._started:
            return
        rules = rules_of(self._entry)
        self._listen(wanted=bool(rules))
        if rules or any(binding.rule for binding in exposed_bindings(self._entry)):
            self._wait_for(carry_out_rules(self._hass, self._entry, self._model()))

    def _listen(self, *, wanted: bool) -> None:
        if wanted and not self._unlisten:
            self._unlisten = [self._hass.bus.async_listen(event, self._changed) for event in REGISTRY_EVENTS]
            self._unlisten.append(async_track_state_added_domain(self._hass, DOMAINS, self._changed))
        elif not wanted:
            while self._unlisten:
                self._unlisten.pop()()

    def _wait_for(self, incomplete: frozenset[str]) -> None:
        """Look again when the state of one of these entities is known."""
        if incomplete == self._incomplete:
            return
        if self._stop_waiting:
            self._stop_waiting()
        self._incomplete = incomplete
        self._stop_waiting = (
            async_track_state_change_event(self._hass, incomplete, self._state_changed) if incomplete else None
        )

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state and not is_incomplete(state):
            self._debouncer.async_schedule_call()

    @callback
    def _changed(self, _event: Event[Any]) -> None:
        self._debouncer.async_schedule_call()
