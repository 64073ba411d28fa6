"""Taking the mapping of a device out as a document and in again: between stored subentries and portable documents.

An import is worked out first (`plan_import`), shown to somebody or checked, and then stored in one go (`carry_out`),
which the running entry takes over without disconnecting.
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

from .const import SUBENTRY_EVENT, SUBENTRY_RULE, SUBENTRY_SERVICE
from .exposures import (
    change_bindings,
    entity_reference,
    event_bindings,
    event_title,
    exposed_bindings,
    resolve_entity,
    service_bindings,
)
from .mapping.binding import Binding, ServiceBinding
from .mapping.document.difference import Difference, Events, ItemChange, Mode, difference
from .mapping.document.document import Document
from .mapping.document.rules import PARTS_WITH_NAMES, DocumentedRule, Names
from .mapping.rule import Rule
from .rules import rules_of

MAPPING_DOWNLOAD: Final = "mapping"
ENTITY_PART: Final = "entity_id"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """An import that could be stored. What it does is `difference`; `strangers` are the things it names and nobody has.

    Those are entities, and by their name or id the devices, areas, floors and labels of rules.
    """

    difference: Difference
    strangers: tuple[str, ...]


@callback
def mapping_document(hass: HomeAssistant, entry: ConfigEntry) -> Document:
    """Return the mapping of an entry as another installation can read it, without anything that is the device's own."""
    titles = _rule_titles(entry)

    def portable(binding: Binding) -> Binding:
        return replace(binding, entity=_entity_id(hass, binding.entity), rule=titles.get(binding.rule, ""))

    def portable_service(service: ServiceBinding) -> ServiceBinding:
        return replace(service, script=_entity_id(hass, service.script)) if service.script else service

    names = _names(hass)
    rules = {titles[rule_id]: _portable_rule(hass, rule, names) for rule_id, rule in rules_of(entry).items()}
    return Document.of(
        map(portable, exposed_bindings(entry)),
        map(portable_service, service_bindings(entry).values()),
        rules,
        (replace(one, entity=_entity_id(hass, one.entity)) for one in event_bindings(entry).values()),
    )


@callback
def plan_import(hass: HomeAssistant, entry: ConfigEntry, document: Document, mode: Mode) -> ImportPlan:
    """Return what importing a document would change; nothing is stored."""
    names = _names(hass)
    local = Document.of(
        (replace(one, entity=_entity_id(hass, one.entity)) for one in document.bindings.values()),
        (
            replace(one, script=_entity_id(hass, one.script)) if one.script else one
            for one in document.services.values()
        ),
        {name: _local_rule(hass, rule, names) for name, rule in document.rules.items()},
        (replace(one, entity=_entity_id(hass, one.entity)) for sources in document.events.values() for one in sources),
    )
    planned = difference(mapping_document(hass, entry), local, mode)
    return ImportPlan(planned, tuple(sorted(set(_strangers(hass, planned, names)))))


@callback
def carry_out(hass: HomeAssistant, entry: ConfigEntry, planned: Difference) -> None:
    """Store an import. Nothing is written for what stays as it is; the entry takes over the whole, never a half."""
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
            # Another entity may be of another device, so the binding moves.
            removed.add(change.name)
            added.append(binding)
    change_bindings(hass, entry, removed=removed, replaced=replaced, added=added)
    _store_services(hass, entry, planned.services)
    _store_events(hass, entry, planned.events)


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
        own = change.after.renamed(lambda part, one, _: entity_reference(hass, one) if part == ENTITY_PART else one)
        if rule_id:
            # What the rule remembers stays with it: what was removed by hand does not come back by an import.
            rule = Rule(own.selection, own.left_out, stored[rule_id].bound)
            hass.config_entries.async_update_subentry(entry, entry.subentries[rule_id], data=rule.as_dict())
        else:
            data = MappingProxyType(Rule(own.selection, own.left_out).as_dict())
            subentry = ConfigSubentry(data=data, subentry_type=SUBENTRY_RULE, title=change.name, unique_id=None)
            hass.config_entries.async_add_subentry(entry, subentry)
            ids[change.name] = subentry.subentry_id
    return ids


def _store_services(hass: HomeAssistant, entry: ConfigEntry, changes: Iterable[ItemChange[ServiceBinding]]) -> None:
    stored = {
        ServiceBinding.from_dict(one.data).identifier: one
        for one in entry.subentries.values()
        if one.subentry_type == SUBENTRY_SERVICE
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
        wanted = [replace(one, entity=entity_reference(hass, one.entity)) for one in change.after or ()]
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
    """Return the entity id of a reference, also of an entity that was removed; the reference where nobody knows it."""
    if entity_id := resolve_entity(hass, reference):
        return entity_id
    removed = er.async_get(hass).deleted_entities.values()
    return next((one.entity_id for one in removed if one.id == reference), reference)


def _rule_titles(entry: ConfigEntry) -> dict[str, str]:
    """Return the names of the rules by id, with a number where two have the same."""
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
    """Return what areas, floors, labels and devices are called, by id."""
    devices = dr.async_get(hass)
    owned = (
        device
        for owner in hass.config_entries.async_entries()
        for device in dr.async_entries_for_config_entry(devices, owner.entry_id)
    )
    return {
        "area_id": {one.id: one.name for one in ar.async_get(hass).async_list_areas()},
        "floor_id": {one.floor_id: one.name for one in fr.async_get(hass).async_list_floors()},
        "label_id": {one.label_id: one.name for one in lr.async_get(hass).async_list_labels()},
        "device_id": {one.id: one.name_by_user or one.name or one.id for one in owned},
    }


def _portable_rule(hass: HomeAssistant, rule: Rule, names: Names) -> DocumentedRule:
    portable = DocumentedRule.of(rule, names)
    return portable.renamed(lambda part, one, _: _entity_id(hass, one) if part == ENTITY_PART else one)


def _local_rule(hass: HomeAssistant, rule: DocumentedRule, names: Names) -> DocumentedRule:
    """Return a rule with the ids of this installation: those it knows, else those of what alone has the same name."""

    def local(part: str, one: str, name: str | None) -> str:
        if part == ENTITY_PART:
            return _entity_id(hass, one)
        known = names.get(part, {})
        same = [own for own, called in known.items() if called == (name or one)]
        return same[0] if one not in known and len(same) == 1 else one

    return rule.renamed(local)


def _strangers(hass: HomeAssistant, planned: Difference, names: Names) -> Iterable[str]:
    """Yield what the new parts of a mapping name and this installation doesn't have."""
    registry = er.async_get(hass)
    entities = {one.after.entity for one in planned.bindings if one.after}
    entities |= {one.after.script for one in planned.services if one.after and one.after.script}
    entities |= {event.entity for one in planned.events for event in one.after or ()}
    for change in planned.rules:
        if change.after:
            selection = change.after.selection
            for target in (selection.include, selection.exclude):
                entities.update(target.entity_id)
                for part in PARTS_WITH_NAMES:
                    called = change.after.names.get(part, {})
                    yield from (called.get(one, one) for one in getattr(target, part) if one not in names[part])
    yield from (one for one in entities if one and not registry.async_get(one) and not hass.states.get(one))
