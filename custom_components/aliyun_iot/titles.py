"""The titles of subentries follow the names of what they are about.

A title is stored, so it has to be stored again when a device, an entity, an area, a floor or a label gets another name. That of
a rule may come from a document instead: it only follows while it is the one that is made from the names.
"""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.helpers.debounce import Debouncer

from .alink.foreign import logger_of
from .const import DOMAIN, SUBENTRY_EXPOSURE, SUBENTRY_SUB_DEVICE
from .exposures import event_bindings, event_title, exposure_name, exposure_title, resolve_entity, rows_of
from .rules import rules_of
from .stored_device import StoredDevice
from .words.labels import Labels
from .words.rule_title import rule_title

_LOGGER = logger_of(__name__)

COOLDOWN: Final = 1.0
"""Seconds to wait for related changes: the states of the entities of a renamed device change after it."""

_NAMES: Final = frozenset({"entity_id", "name", "name_by_user", "original_name"})
"""The fields of a device or an entity that its name depends on."""


class Titles:
    """The titles of the subentries of one entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Nothing is listened to before `start`."""
        self._hass = hass
        self._entry = entry
        self._made: dict[str, str] = {}
        """The titles of rules as they were made from names, by the id of the subentry."""
        self._unlisten: list[CALLBACK_TYPE] = []
        self._debouncer = Debouncer(hass, _LOGGER, cooldown=COOLDOWN, immediate=False, function=self._refresh_soon)

    @callback
    def start(self) -> None:
        """Start to follow; called once Home Assistant has started and its entities have names."""
        listen = self._hass.bus.async_listen
        self._unlisten = [
            listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._renamed, event_filter=_is_name),
            listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._renamed, event_filter=_is_name),
            *(
                listen(registry, self._renamed, event_filter=_is_update)
                for registry in (
                    ar.EVENT_AREA_REGISTRY_UPDATED,
                    fr.EVENT_FLOOR_REGISTRY_UPDATED,
                    lr.EVENT_LABEL_REGISTRY_UPDATED,
                )
            ),
        ]
        self._refresh_soon()

    @callback
    def stop(self) -> None:
        """Stop following."""
        while self._unlisten:
            self._unlisten.pop()()
        self._debouncer.async_shutdown()

    @callback
    def updated(self) -> None:
        """Handle added or changed subentries: their titles are made from the present names."""
        if self._unlisten:
            self._debouncer.async_schedule_call()

    @callback
    def _refresh_soon(self) -> None:
        """Refresh in a task: a debouncer that waited for it would drop what happens meanwhile."""
        self._entry.async_create_task(self._hass, self.refresh(), "Aliyun titles")

    async def refresh(self) -> None:
        """Store the titles that have changed."""
        for subentry in list(self._entry.subentries.values()):
            if subentry.subentry_type == SUBENTRY_EXPOSURE:
                self._store(subentry, exposure_title(exposure_name(self._hass, subentry), rows_of(subentry)))
            elif subentry.subentry_type == SUBENTRY_SUB_DEVICE:
                self._store_name(subentry, exposure_name(self._hass, subentry))
        for subentry_id, binding in event_bindings(self._entry).items():
            entity_id = resolve_entity(self._hass, binding.entity) if binding.entity else None
            if entity_id and self._hass.states.get(entity_id):  # otherwise its name is not known
                self._store(self._entry.subentries[subentry_id], event_title(self._hass, binding))
        labels = await Labels.load(self._hass)
        for rule_id, rule in rules_of(self._entry).items():
            title = await rule_title(labels, rule.selection.include)
            stored = self._entry.subentries.get(rule_id)
            if stored and stored.title == self._made.get(rule_id):
                self._store(stored, title)
            self._made[rule_id] = title

    def _store(self, subentry: ConfigSubentry, title: str) -> None:
        if title != subentry.title:
            self._hass.config_entries.async_update_subentry(self._entry, subentry, title=title)

    def _store_name(self, subentry: ConfigSubentry, name: str) -> None:
        """Store the name of a sub-device, which its device in the registry has as well."""
        self._store(subentry, name)
        devices = dr.async_get(self._hass)
        identifier = (DOMAIN, StoredDevice(self._entry, subentry.subentry_id).key)
        device = devices.async_get_device_by_identifier(identifier, self._entry.entry_id)
        if device and device.name != name:
            devices.async_update_device(device.id, name=name)

    @callback
    def _renamed(self, _event: Event[Any]) -> None:
        self._debouncer.async_schedule_call()


@callback
def _is_name(data: Any) -> bool:
    return data["action"] == "update" and not _NAMES.isdisjoint(data["changes"])


@callback
def _is_update(data: Any) -> bool:
    return bool(data["action"] == "update")
