"""Export of the mapping of a device as a document, and import of a document into the stored subentries.

An import is computed first (`plan_import`), shown to the user or checked, and then stored at once (`carry_out`), which the
running entry takes over without disconnecting.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)

from .const import OWN, SUBENTRY_EVENT, SUBENTRY_RULE, SUBENTRY_SERVICE
from .exposures import (
    change_bindings,
    entity_reference,
    event_bindings,
    event_title,
    exposed_bindings,
    exposures_of,
    keyed_rows,
    remove_rows,
    resolve_entity,
    service_bindings,
)
from .ha_internals import removed_entity_id
from .mapping.binding import Binding, ServiceBinding
from .mapping.document.difference import Difference, Events, ItemChange, Mode, difference
from .mapping.document.document import Document
from .mapping.document.rules import PARTS_WITH_NAMES, DocumentedRule, Names
from .mapping.rule import Rule
from .mapping.stored import Unreadable
from .rules import rules_of

MAPPING_DOWNLOAD: Final = "mapping"
ENTITY_PART: Final = "entity_id"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """An import that could be stored, with its changes.

    `missing` is what it refers to and doesn't exist here: entities, and the devices, areas, floors and labels of rules, by name
    or id. `replaced` are the identifiers of stored rows that can't be read, and are replaced.
    """

    difference: Difference
    missing: tuple[str, ...]
    replaced: tuple[str, ...] = ()


@callback
def mapping_document(hass: HomeAssistant, entry: ConfigEntry) -> Document:
    """Return the mapping of an entry in a form that other installations can import, without anything specific to it."""
    titles = _rule_titles(entry)

    def portable(binding: Binding) -> Binding:
        return replace(binding, entity=_entity_id(hass, binding.entity), rule=titles.get(binding.rule, ""))

    names = _names(hass)
    rules = {titles[rule_id]: _portable_rule(hass, rule, names) for rule_id, rule in rules_of(entry).items()}
    return Document.of(
        map(portable, exposed_bindings(entry)),
        (_with_script_id(hass, service) for service in service_bindings(entry).values()),
        rules,
        (replace(event, entity=_entity_id(hass, event.entity)) for event in event_bindings(entry).values()),
    )


@callback
def plan_import(hass: HomeAssistant, entry: ConfigEntry, document: Document, mode: Mode) -> ImportPlan:
    """Return the changes that an import of a document would make; nothing is stored."""
    names = _names(hass)
    local = Document.of(
        (replace(binding, entity=_entity_id(hass, binding.entity)) for binding in document.bindings.values()),
        (replace(_with_script_id(hass, service), owner=OWN) for service in document.services.values()),
        {name: _local_rule(hass, rule, names) for name, rule in document.rules.items()},
        (
            replace(event, entity=_entity_id(hass, event.entity), owner=OWN)
            for events in document.events.values()
            for event in events
        ),
    )
    planned = difference(mapping_document(hass, entry), local, mode)
    new = {change.name for change in (*planned.bindings, *planned.services) if change.before is None}
    replaced = {row.name for row in _unreadable(entry).values()} & new
    return ImportPlan(planned, tuple(sorted(set(_missing(hass, planned, names)))), tuple(sorted(replaced)))


@callback
def carry_out(hass: HomeAssistant, entry: ConfigEntry, planned: Difference) -> None:
    """Store an import. Unchanged items are not written; the entry takes over all changes at once."""
    rule_ids = _store_rules(hass, entry, planned.rules)
    removed: set[str] = set()
    replaced: dict[str, Binding] = {}
    added: list[Binding] = []
    for change in planned.bindings:
        if change.after is None:
            removed.add(change.name)
            continue
        reference = entity_reference(hass, change.after.entity)
        binding = replace(change.after, entity=reference, rule=rule_ids.get(change.after.rule, ""))
        if change.before and change.before.entity == change.after.entity:
            replaced[change.name] = binding
        else:
            # The other entity may belong to another device, so the binding moves to another subentry.
            removed.add(change.name)
            added.append(binding)
    identifiers = {binding.identifier for binding in added}
    unreadable = [key for key, row in _unreadable(entry).items() if row.name in identifiers]
    remove_rows(hass, entry, exposures_of(entry), unreadable)
    change_bindings(hass, entry, removed=removed, replaced=replaced, added=added)
    _store_services(hass, entry, planned.services)
    _store_events(hass, entry, planned.events)


def _unreadable(entry: ConfigEntry) -> dict[str, Unreadable]:
    """Return the rows of bindings and services that can't be read: those of bindings by the keys of `keyed_rows`."""
    rows: list[tuple[str, object]] = [row for subentry in exposures_of(entry) for row in keyed_rows(subentry)]
    rows += [
        (subentry.subentry_id, ServiceBinding.from_stored(subentry.data))
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_SERVICE
    ]
    return {key: row for key, row in rows if isinstance(row, Unreadable)}


def _store_rules(
    hass: HomeAssistant, entry: ConfigEntry, changes: Iterable[ItemChange[DocumentedRule]]
) -> Mapping[str, str]:
    """Store changed rules; return the ids of all rules by name."""
    ids = {title: rule_id for rule_id, title in _rule_titles(entry).items()}
    stored = rules_of(entry)
    for change in changes:
        rule_id = ids.get(change.name)
        if change.after is None:
            if rule_id:
                hass.config_entries.async_remove_subentry(entry, rule_id)
            continue
        own = change.after.renamed(lambda part, id_, _: entity_reference(hass, id_) if part == ENTITY_PART else id_)
        if rule_id:
            # The rule keeps `bound` and `made`, so that an import doesn't bind again what the user has removed.
            rule = replace(stored[rule_id], selection=own.selection, left_out=own.left_out, product_key=own.product_key)
            hass.config_entries.async_update_subentry(entry, entry.subentries[rule_id], data=rule.as_dict())
        else:
            data = MappingProxyType(Rule(own.selection, own.left_out, product_key=own.product_key).as_dict())
            subentry = ConfigSubentry(data=data, subentry_type=SUBENTRY_RULE, title=change.name, unique_id=None)
            hass.config_entries.async_add_subentry(entry, subentry)
            ids[change.name] = subentry.subentry_id
    return ids


def _store_services(hass: HomeAssistant, entry: ConfigEntry, changes: Iterable[ItemChange[ServiceBinding]]) -> None:
    stored = {
        row.name
        if isinstance(row := ServiceBinding.from_stored(subentry.data), Unreadable)
        else row.identifier: subentry
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_SERVICE
    }
    for change in changes:
        subentry = stored.get(change.name)
        if change.after is None:
            if subentry:
                hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
            continue
        script = entity_reference(hass, change.after.script) if change.after.script else None
        data = replace(change.after, script=script).as_dict()
        if subentry:
            hass.config_entries.async_update_subentry(entry, subentry, data=data)
        else:
            hass.config_entries.async_add_subentry(
                entry,
                ConfigSubentry(
                    data=MappingProxyType(data),
                    subentry_type=SUBENTRY_SERVICE,
                    title=change.name,
                    unique_id=f"{SUBENTRY_SERVICE}:{change.name}",
                ),
            )


def _store_events(hass: HomeAssistant, entry: ConfigEntry, changes: Iterable[ItemChange[Events]]) -> None:
    for change in changes:
        wanted = [replace(event, entity=entity_reference(hass, event.entity)) for event in change.after or ()]
        for subentry_id, binding in event_bindings(entry).items():
            if binding in wanted:
                wanted.remove(binding)
            elif binding.identifier == change.name:
                hass.config_entries.async_remove_subentry(entry, subentry_id)
        for binding in wanted:
            hass.config_entries.async_add_subentry(
                entry,
                ConfigSubentry(
                    data=MappingProxyType(binding.as_dict()),
                    subentry_type=SUBENTRY_EVENT,
                    title=event_title(hass, binding),
                    unique_id=None,
                ),
            )


def _entity_id(hass: HomeAssistant, reference: str) -> str:
    """Return the entity id for a reference, also of a removed entity; the reference itself if it is unknown."""
    if entity_id := resolve_entity(hass, reference):
        return entity_id
    return removed_entity_id(hass, reference) or reference


def _with_script_id(hass: HomeAssistant, service: ServiceBinding) -> ServiceBinding:
    return replace(service, script=_entity_id(hass, service.script)) if service.script else service


def _rule_titles(entry: ConfigEntry) -> dict[str, str]:
    """Return the names of the rules by id, with a number appended to duplicates."""
    titles: dict[str, str] = {}
    for rule_id in rules_of(entry):
        title = name = entry.subentries[rule_id].title
        number = 1
        while name in titles.values():
            number += 1
            name = f"{title} ({number})"
        titles[rule_id] = name
    return titles


def _names(hass: HomeAssistant) -> Names:
    """Return the names of areas, floors, labels and devices by id."""
    devices = dr.async_get(hass)
    owned = (
        device
        for owner in hass.config_entries.async_entries()
        for device in dr.async_entries_for_config_entry(devices, owner.entry_id)
    )
    return {
        "area_id": {area.id: area.name for area in ar.async_get(hass).async_list_areas()},
        "floor_id": {floor.floor_id: floor.name for floor in fr.async_get(hass).async_list_floors()},
        "label_id": {label.label_id: label.name for label in lr.async_get(hass).async_list_labels()},
        "device_id": {device.id: device.name_by_user or device.name or device.id for device in owned},
    }


def _portable_rule(hass: HomeAssistant, rule: Rule, names: Names) -> DocumentedRule:
    portable = DocumentedRule.of(rule, names)
    return portable.renamed(lambda part, id_, _: _entity_id(hass, id_) if part == ENTITY_PART else id_)


def _local_rule(hass: HomeAssistant, rule: DocumentedRule, names: Names) -> DocumentedRule:
    """Return a rule with ids of this installation: an id that exists here, else the id of the only thing of that name."""

    def local(part: str, id_: str, name: str | None) -> str:
        if part == ENTITY_PART:
            return _entity_id(hass, id_)
        known = names.get(part, {})
        same = [own for own, own_name in known.items() if own_name == (name or id_)]
        return same[0] if id_ not in known and len(same) == 1 else id_

    return rule.renamed(local)


def _missing(hass: HomeAssistant, planned: Difference, names: Names) -> Iterable[str]:
    """Yield what the new items of a mapping refer to and this installation doesn't have."""
    registry = er.async_get(hass)
    entities = {change.after.entity for change in planned.bindings if change.after}
    entities |= {change.after.script for change in planned.services if change.after and change.after.script}
    entities |= {event.entity for change in planned.events for event in change.after or ()}
    for change in planned.rules:
        if change.after:
            selection = change.after.selection
            for target in (selection.include, selection.exclude):
                entities.update(target.entity_id)
                for part in PARTS_WITH_NAMES:
                    own = change.after.names.get(part, {})
                    yield from (own.get(id_, id_) for id_ in getattr(target, part) if id_ not in names[part])
    yield from (id_ for id_ in entities if id_ and not registry.async_get(id_) and not hass.states.get(id_))
