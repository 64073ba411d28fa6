"""Follows the rules of an entry: binds entities that start to match, as sub-devices if a rule says so, and unbinds the others.

A house has events of its registries all the time, and a rule may select all of it. So only changes that can matter are looked
at, related ones together, and the rules are carried out in slices between which the event loop does other things.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.event import async_track_state_added_domain, async_track_state_change_event

from .alink.foreign import logger_of
from .alink.model.thing_model import ThingModel
from .ha_internals import HomeAssistantChanged
from .mapping.domains import DOMAINS
from .mapping.slices import at_once, in_slices
from .mapping.stored import same_objects
from .mapping.suggest.coverage import is_incomplete
from .rules import carry_out, changes_in_slices, followed_bindings, rules_of
from .sub_device_row import async_add_sub_devices

_LOGGER = logger_of(__name__)

COOLDOWN = 1.0
"""Seconds to wait for related changes: a new device comes with many entities and their states."""

MAX_INTERRUPTIONS: Final = 3
"""Times that a result is dropped because something has changed meanwhile; then the rules are carried out without a pause."""

ENTITY_FIELDS: Final = frozenset(
    {
        *("area_id", "device_id", "entity_category", "entity_id", "hidden_by", "labels"),  # whether it is selected
        *("capabilities", "device_class", "original_device_class", "supported_features", "unit_of_measurement"),
        *("name", "original_name"),  # which property it suits
    }
)
"""Fields of a registered entity that a rule depends on."""

DEVICE_FIELDS: Final = frozenset({"area_id", "labels", "name", "name_by_user", "parent_device_id"})
"""Fields of a device that a rule depends on. Without entities a device is nothing to bind."""


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
        self._areas: dict[str, object] = {}
        """What the rules depend on of each area."""
        self._matching: frozenset[str] | None = None
        """The entities that matched a rule when the rules were carried out, None before that."""
        self._carried_out: list[object] = []
        """What was stored then."""
        self._wanted = False
        self._stale = False
        """Whether a registry has changed since the rules began to be carried out."""
        self._interruptions = 0
        self._beyond = 0
        self._running: asyncio.Task[None] | None = None

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
        if self._running:
            self._running.cancel()

    @callback
    def updated(self) -> None:
        """Apply the rules if something else is stored than they have left: rules, bindings or options."""
        if not same_objects(self._stored(), self._carried_out):
            self.refresh()

    @callback
    def refresh(self) -> None:
        """Apply the rules now."""
        if not self._started:
            return
        rules = rules_of(self._entry)
        self._listen(wanted=bool(rules))
        self._wanted = bool(rules) or any(True for _ in followed_bindings(self._entry))
        if self._wanted and self._running is None:
            task = self._entry.async_create_task(self._hass, self._carry_out(), "Aliyun rules", eager_start=False)
            self._running = task

    async def _carry_out(self) -> None:
        """Carry the rules out, again if something has changed meanwhile."""
        try:
            while self._wanted:
                self._wanted = self._stale = False
                stored = self._stored()
                slices = changes_in_slices(self._hass, self._entry, rules_of(self._entry), self._model())
                is_busy = self._interruptions >= MAX_INTERRUPTIONS
                changes = at_once(slices) if is_busy else await in_slices(slices)
                if self._stale or self._wanted or not same_objects(self._stored(), stored):
                    self._interruptions += 1
                    self._wanted |= not self._stale  # otherwise the debouncer asks for it
                    continue
                self._interruptions = 0
                self._matching = changes.matching
                carry_out(self._hass, self._entry, changes)
                self._carried_out = self._stored()
                self._wait_for(changes.incomplete)
                self._say_beyond(changes.sub_devices.beyond)
                # The rules know a sub-device as theirs once it is stored, so that none counts as removed by the user.
                if await async_add_sub_devices(self._hass, self._entry, changes.sub_devices.made):
                    self._wanted = True
        except HomeAssistantChanged as err:
            _LOGGER.warning("The rules of %s cannot be carried out: %s", self._entry.title, err)
        finally:
            self._running = None

    def _say_beyond(self, count: int) -> None:
        if count and count != self._beyond:
            _LOGGER.warning("%s has no room for sub-devices of %d devices that match a rule", self._entry.title, count)
        self._beyond = count

    def _stored(self) -> list[object]:
        return [self._entry.options, *(subentry.data for subentry in self._entry.subentries.values())]

    def _listen(self, *, wanted: bool) -> None:
        if wanted and not self._unlisten:
            registry = ar.async_get(self._hass)
            self._areas = {area.id: _of_area(area) for area in registry.async_list_areas()}
            listen = self._hass.bus.async_listen
            self._unlisten = [
                listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._changed, event_filter=self._area_matters),
                listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._changed, event_filter=_device_matters),
                listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._changed, event_filter=_entity_matters),
                async_track_state_added_domain(self._hass, DOMAINS, self._state_added),
            ]
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
            self._changed(event)

    @callback
    def _changed(self, _event: Event[Any]) -> None:
        self._stale = True
        self._debouncer.async_schedule_call()

    @callback
    def _state_added(self, event: Event[EventStateChangedData]) -> None:
        """Handle a new state: an entity is bound when it has one. Whether a registered one matches is known already."""
        entity_id = event.data["entity_id"]
        is_known = self._matching is not None and er.async_get(self._hass).async_get(entity_id) is not None
        if not is_known or entity_id in (self._matching or ()):
            self._changed(event)

    @callback
    def _area_matters(self, data: ar.EventAreaRegistryUpdatedData) -> bool:
        """Return whether another floor or other labels of an area may matter: the event does not say what has changed.

        The entities and devices of a removed area have events of their own, and a new area has none.
        """
        area_id = data["area_id"]
        area = ar.async_get(self._hass).async_get_area(area_id) if area_id else None
        if area is None:
            return False
        before = self._areas.get(area.id)
        self._areas[area.id] = _of_area(area)
        return data["action"] == "update" and before != self._areas[area.id]


def _of_area(area: ar.AreaEntry) -> object:
    return area.floor_id, frozenset(area.labels)


@callback
def _device_matters(data: dr.EventDeviceRegistryUpdatedData) -> bool:
    return data["action"] == "update" and not DEVICE_FIELDS.isdisjoint(data["changes"])


@callback
def _entity_matters(data: er.EventEntityRegistryUpdatedData) -> bool:
    return data["action"] != "update" or not ENTITY_FIELDS.isdisjoint(data["changes"])
