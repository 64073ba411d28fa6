"""The bindings of the devices of an entry as they are stored in its subentries.

A subentry of the type exposure holds the bindings of one device of Home Assistant, or of one entity without a device, as
rows; they belong to the entry's own device in the cloud. A subentry of the type sub-device is a device in the cloud by
itself, and holds all its bindings. One of any other type holds one row and says which device it belongs to (`owner`). A row
that cannot be read is left out by everything that reads, and kept by everything that writes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er

from .const import CONF_BINDINGS, OWN, SUBENTRY_EVENT, SUBENTRY_EXPOSURE, SUBENTRY_SERVICE, SUBENTRY_SUB_DEVICE
from .mapping.binding import Binding, ServiceBinding
from .mapping.event_binding import EventBinding
from .mapping.stored import Unchanged, Unreadable


class ExposureKey(NamedTuple):
    """The device or entity of one subentry."""

    unique_id: str
    title: str


TITLE_JOINT: Final = " · "

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


class Absence(StrEnum):
    """Why there is no entity for a reference; the value completes a sentence about the entity."""

    REMOVED = "was removed from Home Assistant"
    DISABLED = "is disabled in Home Assistant"


@callback
def absence(hass: HomeAssistant, reference: str) -> Absence | None:
    """Return why there is no entity for a stored reference, None if there is one or may be one.

    An entity that is not registered is known only by its state, so it is missing only after Home Assistant has started.
    """
    registered = er.async_get(hass).async_get(reference)
    if registered is None:
        may_come = "." in reference and (hass.states.get(reference) or hass.state is not CoreState.running)
        return None if may_come else Absence.REMOVED
    return Absence.DISABLED if registered.disabled_by else None


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


@callback
def exposure_name(hass: HomeAssistant, subentry: ConfigSubentry) -> str:
    """Return the present name of the device or entity of an exposure or a sub-device, that in its title if it is not there."""
    kind, _, reference = stands_for(subentry).partition(":")
    if kind == "device" and (device := dr.async_get(hass).async_get(reference)):
        return device.name_by_user or device.name or device.id
    if kind == "entity" and (entity_id := resolve_entity(hass, reference)) and (state := hass.states.get(entity_id)):
        return state.name
    return name_in_title(subentry)


def name_in_title(subentry: ConfigSubentry) -> str:
    """Return the title of a subentry without the identifiers of its bindings."""
    return subentry.title.removesuffix(exposure_title("", rows_of(subentry)))


def exposure_title(name: str, rows: Iterable[Binding | Unreadable]) -> str:
    """Return the title of an exposure: its name and all identifiers, by which the frontend finds it."""
    return TITLE_JOINT.join([name, *(row.identifier for row in rows if isinstance(row, Binding))])


def stands_for(subentry: ConfigSubentry) -> str:
    """Return the key of what a subentry was made for."""
    stored = subentry.data.get("stands_for") if subentry.subentry_type == SUBENTRY_SUB_DEVICE else subentry.unique_id
    return stored if isinstance(stored, str) else ""


@callback
def area_of(hass: HomeAssistant, key: str) -> str | None:
    """Return the name of the area of the device or entity with the key of an exposure, None if it has none."""
    kind, _, reference = key.partition(":")
    device_id, area_id = reference if kind == "device" else None, None
    if kind == "entity" and (registered := er.async_get(hass).async_get(resolve_entity(hass, reference) or "")):
        device_id, area_id = registered.device_id, registered.area_id
    if area_id is None and device_id and (device := dr.async_get(hass).async_get(device_id)):
        area_id = device.area_id
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    return area.name if area else None


def exposed_bindings(entry: ConfigEntry, owner: str = OWN) -> list[Binding]:
    """Return every binding of a device of an entry that can be read."""
    return [binding for subentry in exposures_of(entry, owner) for binding in bindings_of(subentry)]


def exposures_of(entry: ConfigEntry, owner: str = OWN) -> list[ConfigSubentry]:
    """Return the subentries that hold the bindings of a device of an entry: a sub-device has one, its own."""
    if not owner:
        return list(_subentries(entry, SUBENTRY_EXPOSURE))
    subentry = entry.subentries.get(owner)
    return [subentry] if subentry and subentry.subentry_type == SUBENTRY_SUB_DEVICE else []


def bindings_of(subentry: ConfigSubentry) -> list[Binding]:
    """Return the bindings of one exposure that can be read."""
    return [row for row in rows_of(subentry) if isinstance(row, Binding)]


def rows_of(subentry: ConfigSubentry) -> tuple[Binding | Unreadable, ...]:
    """Return the rows of one exposure in their order."""
    return _rows_of(Unchanged(subentry.data))


def keyed_rows(subentry: ConfigSubentry) -> list[tuple[str, Binding | Unreadable]]:
    """Return the rows of one exposure with their identifiers; one that cannot be read has a key in place of it."""
    return [
        (row.identifier if isinstance(row, Binding) else f"{subentry.subentry_id}.{position}", row)
        for position, row in enumerate(rows_of(subentry))
    ]


@lru_cache(maxsize=4096)
def _rows_of(unchanged: Unchanged) -> tuple[Binding | Unreadable, ...]:
    """Read rows once, because everything that asks for the bindings of an entry asks for all of them."""
    rows = unchanged.data.get(CONF_BINDINGS, [])
    return tuple([Binding.from_stored(row) for row in (rows if isinstance(rows, list) else [rows])])


def service_bindings(entry: ConfigEntry, owner: str = OWN) -> Mapping[str, ServiceBinding]:
    """Return the bound services of a device of an entry by identifier, those that can be read."""
    bindings = (_service(Unchanged(subentry.data)) for subentry in owned_subentries(entry, SUBENTRY_SERVICE, owner))
    return {binding.identifier: binding for binding in bindings if isinstance(binding, ServiceBinding)}


def event_bindings(entry: ConfigEntry, owner: str = OWN) -> dict[str, EventBinding]:
    """Return the bound events of a device of an entry by the id of their subentry; one event may have several sources."""
    bindings = {
        subentry.subentry_id: _event(Unchanged(subentry.data))
        for subentry in owned_subentries(entry, SUBENTRY_EVENT, owner)
    }
    return {key: binding for key, binding in bindings.items() if isinstance(binding, EventBinding)}


@lru_cache(maxsize=1024)
def _service(unchanged: Unchanged) -> ServiceBinding | Unreadable:
    """Read a row once, because each device of an entry asks for all of them."""
    return ServiceBinding.from_stored(unchanged.data)


@lru_cache(maxsize=1024)
def _event(unchanged: Unchanged) -> EventBinding | Unreadable:
    return EventBinding.from_stored(unchanged.data)


def references(entry: ConfigEntry, owner: str = OWN) -> Iterator[tuple[str, str]]:
    """Yield the identifier of each property, service and event of a device that is bound to an entity, and its reference."""
    for binding in exposed_bindings(entry, owner):
        if binding.entity:
            yield binding.identifier, binding.entity
    for service in service_bindings(entry, owner).values():
        if service.script:
            yield service.identifier, service.script
    for event in event_bindings(entry, owner).values():
        if event.entity:
            yield event.identifier, event.entity


def owned_subentries(entry: ConfigEntry, subentry_type: str, owner: str) -> list[ConfigSubentry]:
    """Return the subentries of a type with one row each that belong to a device, also those that can't be read."""
    return [subentry for subentry in subentries_of(entry, owner) if subentry.subentry_type == subentry_type]


def subentries_of(entry: ConfigEntry, owner: str) -> Sequence[ConfigSubentry]:
    """Return the subentries that belong to a device; that of a sub-device belongs to the sub-device itself."""
    return _by_owner(Unchanged(entry.subentries)).get(owner, ())


@lru_cache(maxsize=8)
def _by_owner(unchanged: Unchanged) -> Mapping[object, Sequence[ConfigSubentry]]:
    """Look through the subentries once, because each of a thousand sub-devices asks for its own; an owner never changes."""
    found: defaultdict[object, list[ConfigSubentry]] = defaultdict(list)
    for subentry in unchanged.data.values():
        is_device = subentry.subentry_type == SUBENTRY_SUB_DEVICE
        found[subentry.subentry_id if is_device else subentry.data.get("owner", OWN)].append(subentry)
    return found


def _subentries(entry: ConfigEntry, subentry_type: str) -> Iterator[ConfigSubentry]:
    return (subentry for subentry in entry.subentries.values() if subentry.subentry_type == subentry_type)


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
def put_binding(
    hass: HomeAssistant, entry: ConfigEntry, binding: Binding, replaced: Binding | None, owner: str = OWN
) -> None:
    """Store a binding in place of another one, or as a new one if that was removed in the meantime."""
    if replaced and replaced.identifier in {binding.identifier for binding in exposed_bindings(entry, owner)}:
        change_bindings(hass, entry, owner, replaced={replaced.identifier: binding})
    else:
        change_bindings(hass, entry, owner, added=[binding])


@callback
def change_bindings(
    hass: HomeAssistant,
    entry: ConfigEntry,
    owner: str = OWN,
    *,
    removed: Collection[str] = (),
    replaced: Mapping[str, Binding] = MappingProxyType({}),
    added: Iterable[Binding] = (),
) -> None:
    """Remove and replace bindings of a device, by identifier, and add others; each subentry is written at most once.

    Nothing is added to a sub-device that was removed meanwhile.
    """
    exposed = {subentry.unique_id: subentry for subentry in exposures_of(entry, owner)}
    sub_device = next((ExposureKey(str(key), "") for key in exposed), None) if owner else None
    if owner and sub_device is None:
        return
    grouped: dict[ExposureKey, list[Binding]] = defaultdict(list)
    for binding in added:
        grouped[sub_device or exposure_key(hass, binding.entity)].append(binding)
    by_exposure = {key.unique_id: rows for key, rows in grouped.items()}
    for unique_id, subentry in exposed.items():
        kept: list[Binding | Unreadable] = [
            row if isinstance(row, Unreadable) else replaced.get(row.identifier, row)
            for row in rows_of(subentry)
            if isinstance(row, Unreadable) or row.identifier not in removed
        ]
        changed = (*kept, *(by_exposure.get(unique_id, ()) if unique_id else ()))
        if changed != rows_of(subentry):
            store_rows(hass, entry, subentry, changed)
    for key, rows in grouped.items():
        if key.unique_id not in exposed:
            hass.config_entries.async_add_subentry(
                entry,
                ConfigSubentry(
                    data=MappingProxyType(exposure_data(rows)),
                    subentry_type=SUBENTRY_EXPOSURE,
                    title=exposure_title(key.title, rows),
                    unique_id=key.unique_id,
                ),
            )


@callback
def remove_rows(
    hass: HomeAssistant, entry: ConfigEntry, subentries: Iterable[ConfigSubentry], keys: Collection[str]
) -> None:
    """Remove rows, by the keys of `keyed_rows`, from these exposures."""
    for subentry in subentries:
        rows = keyed_rows(subentry)
        kept = [row for key, row in rows if key not in keys]
        if len(kept) < len(rows):
            store_rows(hass, entry, subentry, kept)


@callback
def store_rows(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, rows: Collection[Binding | Unreadable]
) -> None:
    """Replace the rows of an exposure or a sub-device and keep what else is stored; an exposure without rows is removed."""
    data = {**subentry.data, **exposure_data(rows)}
    if subentry.subentry_type == SUBENTRY_SUB_DEVICE:
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
    elif rows:
        title = exposure_title(exposure_name(hass, subentry), rows)
        hass.config_entries.async_update_subentry(entry, subentry, data=data, title=title)
    else:
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)


def exposure_data(rows: Iterable[Binding | Unreadable]) -> dict[str, object]:
    """Return the data of an exposure's subentry."""
    return {CONF_BINDINGS: [row.raw if isinstance(row, Unreadable) else row.as_dict() for row in rows]}
