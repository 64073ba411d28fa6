"""The bindings of an entry as they are stored in its subentries.

A subentry of the type exposure holds the bindings of one device, or of one entity without a device, as rows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import CONF_BINDINGS, SUBENTRY_EVENT, SUBENTRY_EXPOSURE, SUBENTRY_SERVICE
from .mapping.binding import Binding, ServiceBinding
from .mapping.event_binding import EventBinding


class ExposureKey(NamedTuple):
    """The device or entity of one subentry."""

    unique_id: str
    title: str


CUSTOM_EXPOSURE: Final = ExposureKey("custom", "Templates and actions · 模板与动作")
"""The exposure of bindings without an entity. A title is stored, so it is the same in all languages."""


@callback
def entity_reference(hass: HomeAssistant, entity_id: str) -> str:
    """Return the reference that a binding stores for an entity: its registry id, which survives renames, if it has one."""
    registered = er.async_get(hass).async_get(entity_id)
    return registered.id if registered else entity_id


@callback
def resolve_entity(hass: HomeAssistant, reference: str) -> str | None:
    """Return the present entity id for a stored reference, None if the entity was removed."""
    if "." in reference:
        return reference
    registered = er.async_get(hass).async_get(reference)
    return registered.entity_id if registered else None


@callback
def exposure_key(hass: HomeAssistant, reference: str) -> ExposureKey:
    """Return the exposure for bindings of an entity, or for bindings without one if the reference is empty."""
    if not reference:
        return CUSTOM_EXPOSURE
    entity_id = resolve_entity(hass, reference)
    registered = er.async_get(hass).async_get(entity_id) if entity_id else None
    if registered and registered.device_id and (device := dr.async_get(hass).async_get(registered.device_id)):
        return ExposureKey(f"device:{device.id}", device.name_by_user or device.name or device.id)
    state = hass.states.get(entity_id) if entity_id else None
    return ExposureKey(f"entity:{reference}", state.name if state else entity_id or reference)


def exposed_bindings(entry: ConfigEntry) -> list[Binding]:
    """Return every binding of an entry."""
    return [
        binding
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_EXPOSURE
        for binding in bindings_of(subentry)
    ]


def bindings_of(subentry: ConfigSubentry) -> list[Binding]:
    """Return the bindings of one exposure."""
    return [Binding.from_dict(row) for row in subentry.data[CONF_BINDINGS]]


def service_bindings(entry: ConfigEntry) -> Mapping[str, ServiceBinding]:
    """Return the bound services of an entry by identifier."""
    bindings = (
        ServiceBinding.from_dict(subentry.data)
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_SERVICE
    )
    return {binding.identifier: binding for binding in bindings}


def event_bindings(entry: ConfigEntry) -> dict[str, EventBinding]:
    """Return the bound events of an entry by the id of their subentry; one event may have several sources."""
    return {
        subentry_id: EventBinding.from_dict(subentry.data)
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_EVENT
    }


@callback
def event_title(hass: HomeAssistant, binding: EventBinding) -> str:
    """Return the title for a bound event: its identifier and the name of its entity, if it has one."""
    if not binding.entity:
        return binding.identifier
    entity_id = resolve_entity(hass, binding.entity)
    state = hass.states.get(entity_id) if entity_id else None
    return f"{binding.identifier} · {state.name if state else entity_id or binding.entity}"


@callback
def add_bindings(hass: HomeAssistant, entry: ConfigEntry, bindings: Iterable[Binding]) -> None:
    """Store bindings, each in the subentry of its device; the caller makes sure that identifiers are unique."""
    change_bindings(hass, entry, added=bindings)


@callback
def put_binding(hass: HomeAssistant, entry: ConfigEntry, binding: Binding, replaced: Binding | None) -> None:
    """Store a binding in place of another one, or as a new one if that was removed in the meantime."""
    if replaced and replaced.identifier in {binding.identifier for binding in exposed_bindings(entry)}:
        change_bindings(hass, entry, replaced={replaced.identifier: binding})
    else:
        change_bindings(hass, entry, added=[binding])


@callback
def change_bindings(
    hass: HomeAssistant,
    entry: ConfigEntry,
    *,
    removed: Collection[str] = (),
    replaced: Mapping[str, Binding] = MappingProxyType({}),
    added: Iterable[Binding] = (),
) -> None:
    """Remove and replace bindings, by identifier, and add others; each subentry is written at most once."""
    grouped: dict[ExposureKey, list[Binding]] = defaultdict(list)
    for binding in added:
        grouped[exposure_key(hass, binding.entity)].append(binding)
    by_exposure = {key.unique_id: rows for key, rows in grouped.items()}
    exposed = {each.unique_id: each for each in entry.subentries.values() if each.subentry_type == SUBENTRY_EXPOSURE}
    for unique_id, subentry in exposed.items():
        rows = bindings_of(subentry)
        kept = [replaced.get(row.identifier, row) for row in rows if row.identifier not in removed]
        changed = kept + (by_exposure.get(unique_id, []) if unique_id else [])
        if changed != rows:
            store_bindings(hass, entry, subentry, changed)
    for key, rows in grouped.items():
        if key.unique_id not in exposed:
            hass.config_entries.async_add_subentry(
                entry,
                ConfigSubentry(
                    data=MappingProxyType(exposure_data(rows)),
                    subentry_type=SUBENTRY_EXPOSURE,
                    title=key.title,
                    unique_id=key.unique_id,
                ),
            )


@callback
def store_bindings(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, bindings: Iterable[Binding]
) -> None:
    """Replace the bindings of an exposure; an exposure without any is removed."""
    rows = list(bindings)
    if rows:
        hass.config_entries.async_update_subentry(entry, subentry, data=exposure_data(rows))
    else:
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)


def exposure_data(bindings: Iterable[Binding]) -> dict[str, object]:
    """Return the data of an exposure's subentry."""
    return {CONF_BINDINGS: [binding.as_dict() for binding in bindings]}
