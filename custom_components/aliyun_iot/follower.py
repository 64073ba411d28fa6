"""Applying the rules again after a change in the registries or a new state that may change what matches them."""

from collections.abc import Callable
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.event import async_track_state_added_domain

from .alink.model.thing_model import ThingModel
from .exposures import exposed_bindings
from .mapping.domains import DOMAINS
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
        self._debouncer.async_shutdown()

    @callback
    def refresh(self) -> None:
        """Apply the rules now, for example after they were changed."""
        if not self._started:
            return
        rules = rules_of(self._entry)
        self._listen(wanted=bool(rules))
        if rules or any(binding.rule for binding in exposed_bindings(self._entry)):
            carry_out_rules(self._hass, self._entry, self._model())

    def _listen(self, *, wanted: bool) -> None:
        if wanted and not self._unlisten:
            self._unlisten = [self._hass.bus.async_listen(event, self._changed) for event in REGISTRY_EVENTS]
            self._unlisten.append(async_track_state_added_domain(self._hass, DOMAINS, self._changed))
        elif not wanted:
            while self._unlisten:
                self._unlisten.pop()()

    @callback
    def _changed(self, _event: Event[Any]) -> None:
        self._debouncer.async_schedule_call()
