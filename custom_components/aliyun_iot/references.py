"""Stored entity ids are replaced with ids of the entity registry as soon as the entities are registered.

An entity that is not registered can only be stored by its entity id: it has no unique id, or an import referred to it before it
was there. Once it is registered, its entity id can change and then belong to another entity, which must not be reported or
controlled in its place.
"""

from dataclasses import replace
from itertools import chain
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import SUBENTRY_EVENT, SUBENTRY_RULE, SUBENTRY_SERVICE
from .exposures import entity_reference, exposure_key, exposure_title, exposures_of, rows_of, store_rows
from .mapping.binding import Binding, ServiceBinding
from .mapping.document.rules import DocumentedRule
from .mapping.event_binding import EventBinding
from .mapping.rule import EntityAspect, Rule
from .stored_device import sub_devices_of


@callback
def settle_references(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Replace the entity ids of registered entities in everything that an entry has stored.

    All of it at once, because a rule compares its references with those of the bindings.
    """
    holders = [exposures_of(entry), *(exposures_of(entry, device.owner) for device in sub_devices_of(entry))]
    for subentry in chain.from_iterable(holders):
        _settle_exposure(hass, entry, subentry)
    for subentry in list(entry.subentries.values()):
        read = _READERS.get(subentry.subentry_type)
        row = read(subentry.data) if read else None
        if isinstance(row, ServiceBinding | EventBinding | Rule) and (settled := _settled(hass, row)) != row:
            hass.config_entries.async_update_subentry(entry, subentry, data=settled.as_dict())


_READERS: Final = {
    SUBENTRY_SERVICE: ServiceBinding.from_stored,
    SUBENTRY_EVENT: EventBinding.from_stored,
    SUBENTRY_RULE: Rule.from_stored,
}


def _settle_exposure(hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry) -> None:
    before = rows_of(subentry)
    rows = [_settled_binding(hass, row) if isinstance(row, Binding) else row for row in before]
    if all(row is earlier for row, earlier in zip(rows, before, strict=True)):
        return
    made_for = {f"entity:{row.entity}" for row in before if isinstance(row, Binding)}
    if subentry.unique_id not in made_for:
        store_rows(hass, entry, subentry, rows)
        return
    # All rows belong to the entity that the exposure was made for.
    key = exposure_key(hass, _lasting(hass, subentry.unique_id.removeprefix("entity:")))
    same = next((other for other in exposures_of(entry) if other.unique_id == key.unique_id), None)
    if same:
        store_rows(hass, entry, same, [*rows_of(same), *rows])
        store_rows(hass, entry, subentry, [])
    else:
        title = exposure_title(key.title, rows_of(subentry))
        hass.config_entries.async_update_subentry(entry, subentry, title=title, unique_id=key.unique_id)
        store_rows(hass, entry, subentry, rows)


def _settled_binding(hass: HomeAssistant, row: Binding) -> Binding:
    reference = _lasting(hass, row.entity)
    return row if reference == row.entity else replace(row, entity=reference)


def _settled(hass: HomeAssistant, row: ServiceBinding | EventBinding | Rule) -> ServiceBinding | EventBinding | Rule:
    match row:
        case ServiceBinding():
            return replace(row, script=_lasting(hass, row.script or "") or None)
        case EventBinding():
            return replace(row, entity=_lasting(hass, row.entity))
        case Rule():
            renamed = DocumentedRule.of(row, {}).renamed(
                lambda part, id_, _: _lasting(hass, id_) if part == "entity_id" else id_
            )
            bound = frozenset(EntityAspect(_lasting(hass, entity), aspect) for entity, aspect in row.bound)
            return replace(row, selection=renamed.selection, left_out=renamed.left_out, bound=bound)


def _lasting(hass: HomeAssistant, reference: str) -> str:
    """Return the registry id for an entity id, if it has one; other references stay as they are."""
    return entity_reference(hass, reference) if "." in reference else reference
