"""Export of the mapping of an entry as a document, and import of a document into the stored subentries.

The mapping is that of the entry's own device and of its sub-devices. An import is computed first (`plan_import`), shown to the
user or checked, and then stored (`async_carry_out`), which the running entry takes over without disconnecting.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import batched
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

from .alink.auth import Identity
from .const import (
    CONF_DEVICE_NAME,
    CONF_PRODUCT_KEY,
    OWN,
    SUBENTRY_EVENT,
    SUBENTRY_RULE,
    SUBENTRY_SERVICE,
)
from .exposures import (
    change_bindings,
    entity_reference,
    event_bindings,
    event_title,
    exposed_bindings,
    exposures_of,
    keyed_rows,
    owned_subentries,
    remove_rows,
    resolve_entity,
    service_bindings,
)
from .ha_internals import removed_entity_id
from .mapping.binding import Binding, ServiceBinding
from .mapping.document.difference import Difference, Events, ItemChange, Mode, difference
from .mapping.document.document import Document
from .mapping.document.rules import PARTS_WITH_NAMES, DocumentedRule, Names
from .mapping.document.sub_device import ENTITY_PART, DocumentedSubDevice, StandsFor
from .mapping.rule import Rule
from .mapping.stored import Unreadable
from .rules import rules_of
from .stored_device import sub_devices_of
from .sub_device_row import (
    AT_ONCE,
    NewSubDevice,
    SubDeviceRow,
    add_sub_devices,
    identities_of,
    remove_sub_device,
    store_row,
    sub_device_row,
)

MAPPING_DOWNLOAD: Final = "mapping"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """An import that could be stored, with its changes.

    `missing` is what it refers to and doesn't exist here: entities, and the devices, areas, floors and labels of rules, by
    name or id. `replaced` are the identifiers of stored rows that can't be read, and are replaced. `itself` is the name of
    the entry's own device if the document has that as a sub-device, which is left out.
    """

    difference: Difference
    missing: tuple[str, ...]
    replaced: tuple[str, ...] = ()
    itself: str = ""


@callback
def mapping_document(hass: HomeAssistant, entry: ConfigEntry) -> Document:
    """Return the mapping of an entry in a form that other installations can import, without anything specific to it."""
    titles = _rule_titles(entry)
    names = _names(hass)
    sub_devices: dict[str, DocumentedSubDevice] = {}
    mappings: dict[str, Document] = {}
    for stored in sub_devices_of(entry):
        row = sub_device_row(entry.subentries[stored.owner])
        if isinstance(row, SubDeviceRow):
            sub_device = _portable_sub_device(hass, row, stored.title, names)
            sub_devices[sub_device.name] = sub_device
            mappings[sub_device.name] = _portable(hass, entry, stored.owner, titles)
    return replace(
        _portable(hass, entry, OWN, titles),
        rules={titles[rule_id]: _portable_rule(hass, rule, names) for rule_id, rule in rules_of(entry).items()},
        sub_devices=sub_devices or None,
        mappings=mappings,
    )


@callback
def plan_import(hass: HomeAssistant, entry: ConfigEntry, document: Document, mode: Mode) -> ImportPlan:
    """Return the changes that an import of a document would make; nothing is stored."""
    names = _names(hass)
    current = mapping_document(hass, entry)
    there = current.sub_devices or {}
    own = f"{entry.data.get(CONF_PRODUCT_KEY)}.{entry.data.get(CONF_DEVICE_NAME)}"
    named = document.sub_devices or {}
    local = replace(
        _local(hass, document),
        rules={name: _local_rule(hass, rule, names) for name, rule in document.rules.items()},
        sub_devices=None
        if document.sub_devices is None
        else {
            name: _local_sub_device(hass, sub_device, there.get(name), names)
            for name, sub_device in named.items()
            if name != own
        },
        mappings={name: _local(hass, mapping) for name, mapping in document.mappings.items() if name != own},
    )
    planned = difference(current, local, mode)
    missing = {*_missing(hass, planned, names), *_missing_devices(named.values(), names)}
    owners = identities_of(entry)
    replaced = {
        row.name
        for sub_device, part in planned.devices
        if (owner := owners.get(sub_device.identity) if sub_device else OWN) is not None
        for row in _unreadable(entry, owner).values()
        if row.name in {change.name for change in (*part.bindings, *part.services) if change.before is None}
    }
    return ImportPlan(planned, tuple(sorted(missing)), tuple(sorted(replaced)), own if own in named else "")


async def async_carry_out(hass: HomeAssistant, entry: ConfigEntry, planned: Difference) -> None:
    """Store an import. Unchanged items are not written; the entry takes over all changes of its own device at once.

    Sub-devices follow with pauses in which Home Assistant does other things. A new one has no secret: it is registered by its
    name (`sub_device_row.py`). One that is there keeps its secret.
    """
    # A rule that makes sub-devices is stored last, so that it makes none of those that the document has.
    making = [change for change in planned.rules if change.after and change.after.product_key]
    later = {change.name for change in making}
    stored = _store_rules(hass, entry, [change for change in planned.rules if change not in making])
    rule_ids = {name: rule_id for name, rule_id in stored.items() if name not in later}
    _store_bindings(hass, entry, OWN, planned.bindings, rule_ids)
    _store_services(hass, entry, OWN, planned.services)
    _store_events(hass, entry, OWN, planned.events)
    within = {sub_device.identity: part for sub_device, part in planned.within}
    new = {change.after.identity for change in planned.sub_devices if change.before is None and change.after}
    for changes in batched(planned.sub_devices, AT_ONCE, strict=False):
        owners = identities_of(entry)
        for change in changes:
            _store_sub_device(hass, entry, change, owners, within, rule_ids)
        await asyncio.sleep(0)
    for parts in batched(within.items(), AT_ONCE, strict=False):
        owners = identities_of(entry)
        for identity, part in parts:
            # It may have been removed in one of the pauses.
            if owner := owners.get(identity):
                if identity not in new:
                    _store_bindings(hass, entry, owner, part.bindings, rule_ids)
                _store_services(hass, entry, owner, part.services)
                _store_events(hass, entry, owner, part.events)
        await asyncio.sleep(0)
    stored = _store_rules(hass, entry, making)
    rule_ids = {name: stored[name] for name in later}
    for parts in batched(within.items() if making else (), AT_ONCE, strict=False):
        owners = identities_of(entry)
        for identity, part in parts:
            if owner := owners.get(identity):
                _join_rules(hass, entry, owner, part, rule_ids)
        await asyncio.sleep(0)


def _join_rules(
    hass: HomeAssistant, entry: ConfigEntry, owner: str, part: Difference, rule_ids: Mapping[str, str]
) -> None:
    """Give the imported bindings of a sub-device to these rules; a rule would remove those of a rule that isn't there yet."""
    rules = {
        change.name: rule_ids[change.after.rule]
        for change in part.bindings
        if change.after and change.after.rule in rule_ids
    }
    bindings = [binding for binding in exposed_bindings(entry, owner) if binding.identifier in rules]
    joined = {binding.identifier: replace(binding, rule=rules[binding.identifier]) for binding in bindings}
    change_bindings(hass, entry, owner, replaced=joined)


def _store_sub_device(
    hass: HomeAssistant,
    entry: ConfigEntry,
    change: ItemChange[DocumentedSubDevice],
    owners: Mapping[Identity, str],
    within: Mapping[Identity, Difference],
    rule_ids: Mapping[str, str],
) -> None:
    """Add, change or remove a sub-device; one that is added comes with its bindings."""
    documented = change.after or change.before
    assert documented is not None  # noqa: S101 - a change has at least one of the two
    subentry = entry.subentries.get(owners.get(documented.identity, ""))
    if change.after is None:
        if subentry:
            remove_sub_device(hass, entry, subentry)
        return
    target = change.after.stands_for
    if target and target.part == ENTITY_PART:
        target = replace(target, id=entity_reference(hass, target.id))
    stands_for = target.key if target else ""
    if subentry:
        row = sub_device_row(subentry)
        if isinstance(row, SubDeviceRow):
            store_row(hass, entry, subentry, replace(row, stands_for=stands_for))
            hass.config_entries.async_update_subentry(entry, subentry, title=change.after.title)
        return
    part = within.get(documented.identity)
    bindings = [
        replace(each.after, entity=entity_reference(hass, each.after.entity), rule=rule_ids.get(each.after.rule, ""))
        for each in (part.bindings if part else ())
        if each.after
    ]
    row = SubDeviceRow(*documented.identity, stands_for=stands_for)
    add_sub_devices(hass, entry, [NewSubDevice(row, change.after.title, tuple(bindings))])


def _store_bindings(
    hass: HomeAssistant,
    entry: ConfigEntry,
    owner: str,
    changes: Iterable[ItemChange[Binding]],
    rule_ids: Mapping[str, str],
) -> None:
    removed: set[str] = set()
    replaced: dict[str, Binding] = {}
    added: list[Binding] = []
    for change in changes:
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
    unreadable = [key for key, row in _unreadable(entry, owner).items() if row.name in identifiers]
    remove_rows(hass, entry, exposures_of(entry, owner), unreadable)
    change_bindings(hass, entry, owner, removed=removed, replaced=replaced, added=added)


def _unreadable(entry: ConfigEntry, owner: str) -> dict[str, Unreadable]:
    """Return the rows of bindings and services that can't be read: those of bindings by the keys of `keyed_rows`."""
    rows: list[tuple[str, object]] = [row for subentry in exposures_of(entry, owner) for row in keyed_rows(subentry)]
    rows += [
        (subentry.subentry_id, ServiceBinding.from_stored(subentry.data))
        for subentry in owned_subentries(entry, SUBENTRY_SERVICE, owner)
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


def _store_services(
    hass: HomeAssistant, entry: ConfigEntry, owner: str, changes: Iterable[ItemChange[ServiceBinding]]
) -> None:
    stored = {
        row.name
        if isinstance(row := ServiceBinding.from_stored(subentry.data), Unreadable)
        else row.identifier: subentry
        for subentry in owned_subentries(entry, SUBENTRY_SERVICE, owner)
    }
    for change in changes:
        subentry = stored.get(change.name)
        if change.after is None:
            if subentry:
                hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
            continue
        script = entity_reference(hass, change.after.script) if change.after.script else None
        data = replace(change.after, script=script, owner=owner).as_dict()
        if subentry:
            hass.config_entries.async_update_subentry(entry, subentry, data=data)
        else:
            hass.config_entries.async_add_subentry(
                entry,
                ConfigSubentry(
                    data=MappingProxyType(data),
                    subentry_type=SUBENTRY_SERVICE,
                    title=change.name,
                    unique_id=":".join(filter(None, (SUBENTRY_SERVICE, owner, change.name))),
                ),
            )


def _store_events(hass: HomeAssistant, entry: ConfigEntry, owner: str, changes: Iterable[ItemChange[Events]]) -> None:
    for change in changes:
        wanted = [
            replace(event, entity=entity_reference(hass, event.entity), owner=owner) for event in change.after or ()
        ]
        for subentry_id, binding in event_bindings(entry, owner).items():
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


def _portable(hass: HomeAssistant, entry: ConfigEntry, owner: str, rule_titles: Mapping[str, str]) -> Document:
    """Return the mapping of one device without rules."""

    def portable(binding: Binding) -> Binding:
        return replace(binding, entity=_entity_id(hass, binding.entity), rule=rule_titles.get(binding.rule, ""))

    events = event_bindings(entry, owner).values()
    return Document.of(
        map(portable, exposed_bindings(entry, owner)),
        (replace(_with_script_id(hass, each), owner=OWN) for each in service_bindings(entry, owner).values()),
        events=(replace(event, entity=_entity_id(hass, event.entity), owner=OWN) for event in events),
    )


def _local(hass: HomeAssistant, document: Document) -> Document:
    """Return the mapping of one device with the entities of this installation, without rules."""
    return Document.of(
        (replace(binding, entity=_entity_id(hass, binding.entity)) for binding in document.bindings.values()),
        (replace(_with_script_id(hass, service), owner=OWN) for service in document.services.values()),
        events=(
            replace(event, entity=_entity_id(hass, event.entity), owner=OWN)
            for events in document.events.values()
            for event in events
        ),
    )


def _portable_sub_device(hass: HomeAssistant, row: SubDeviceRow, title: str, names: Names) -> DocumentedSubDevice:
    target = StandsFor.from_key(row.stands_for)
    if target and target.part == ENTITY_PART:
        target = replace(target, id=_entity_id(hass, target.id))
    elif target:
        target = replace(target, name=names[target.part].get(target.id, ""))
    return DocumentedSubDevice(*row.identity, title, target)


def _local_sub_device(
    hass: HomeAssistant, sub_device: DocumentedSubDevice, present: DocumentedSubDevice | None, names: Names
) -> DocumentedSubDevice:
    """Return a sub-device with what it stands for here; a device that isn't here changes nothing."""
    target = sub_device.stands_for
    if target and target.part == ENTITY_PART:
        target = replace(target, id=_entity_id(hass, target.id))
    elif target:
        target = _local_device(target, names)
    before = present or DocumentedSubDevice(*sub_device.identity, sub_device.device_name)
    return replace(sub_device, title=sub_device.title or before.title, stands_for=target or before.stands_for)


def _local_device(target: StandsFor, names: Names) -> StandsFor | None:
    """Return a device with its id and name here, None if it isn't here."""
    known = names[target.part]
    id_ = _local_id(names, target.part, target.id, target.name)
    return replace(target, id=id_, name=known[id_]) if id_ in known else None


def _missing_devices(sub_devices: Iterable[DocumentedSubDevice], names: Names) -> Iterable[str]:
    """Yield the names of the devices that sub-devices stand for and this installation doesn't have."""
    targets = (sub_device.stands_for for sub_device in sub_devices)
    devices = [target for target in targets if target and target.part != ENTITY_PART]
    yield from (target.name or target.id for target in devices if not _local_device(target, names))


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
        return _local_id(names, part, id_, name)

    return rule.renamed(local)


def _local_id(names: Names, part: str, id_: str, name: str | None) -> str:
    """Return the id itself if it exists here, else the id of the only thing of that name, if there is one."""
    known = names.get(part, {})
    same = [own for own, own_name in known.items() if own_name == (name or id_)]
    return same[0] if id_ not in known and len(same) == 1 else id_


def _missing(hass: HomeAssistant, planned: Difference, names: Names) -> Iterable[str]:
    """Yield what the new items of a mapping refer to and this installation doesn't have."""
    registry = er.async_get(hass)
    entities: set[str] = set()
    for _, part in planned.devices:
        entities |= {change.after.entity for change in part.bindings if change.after}
        entities |= {change.after.script for change in part.services if change.after and change.after.script}
        entities |= {event.entity for change in part.events for event in change.after or ()}
    stood_for = (change.after.stands_for for change in planned.sub_devices if change.after)
    entities |= {each.id for each in stood_for if each and each.part == ENTITY_PART}
    for change in planned.rules:
        if change.after:
            selection = change.after.selection
            for target in (selection.include, selection.exclude):
                entities.update(target.entity_id)
                for kind in PARTS_WITH_NAMES:
                    own = change.after.names.get(kind, {})
                    yield from (own.get(id_, id_) for id_ in getattr(target, kind) if id_ not in names[kind])
    yield from (id_ for id_ in entities if id_ and not registry.async_get(id_) and not hass.states.get(id_))
