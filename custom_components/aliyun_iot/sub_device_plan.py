"""What devices of Home Assistant become as sub-devices: their kinds, their bindings, and the thing models of their products."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import slugify

from .alink.i18n import is_chinese
from .alink.model.thing_model import ThingModel
from .bound import BoundProperty
from .const import CONF_PRODUCT_KEY, SUBENTRY_SUB_DEVICE
from .exposures import (
    CUSTOM_EXPOSURE,
    ExposureKey,
    bindings_of,
    entity_reference,
    exposure_key,
    resolve_entity,
    stands_for,
)
from .generated_model import GeneratedModel, generate_for
from .mapping.aspect import Aspect
from .mapping.binding import Binding
from .mapping.selection import Selection, select
from .mapping.suggest.suggestions import Suggestion, suggest_all
from .risk import risk_in


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device of Home Assistant, or an entity without one, that can become a sub-device.

    `key` is that of its `ExposureKey`. `names` are the entities with their names within the device, empty for the one that
    has the name of the device.
    """

    key: str
    title: str
    kind: str
    names: Mapping[str, str]


@callback
def candidates(hass: HomeAssistant, entry: ConfigEntry, selection: Selection) -> list[Candidate]:
    """Return what a selection can become, sorted by kind and title, without what is a sub-device of the entry already."""
    there = {
        stands_for(subentry) for subentry in entry.subentries.values() if subentry.subentry_type == SUBENTRY_SUB_DEVICE
    }
    titles: dict[str, str] = {}
    grouped: dict[str, list[str]] = {}
    for entity_id in select(hass, selection):
        key = exposure_key(hass, entity_reference(hass, entity_id))
        if key.unique_id not in there and key != CUSTOM_EXPOSURE:
            titles[key.unique_id] = key.title
            grouped.setdefault(key.unique_id, []).append(entity_id)
    found = [candidate_of(hass, ExposureKey(key, titles[key]), entity_ids) for key, entity_ids in grouped.items()]
    return sorted(found, key=lambda each: (each.kind, each.title, each.key))


@callback
def candidate_of(hass: HomeAssistant, key: ExposureKey, entity_ids: Collection[str]) -> Candidate:
    """Return what a device of Home Assistant can become with these of its entities."""
    return Candidate(key.unique_id, key.title, _kind(hass, key.unique_id, entity_ids), _names(hass, entity_ids))


@callback
def kinds_of_sub_devices(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, str]:
    """Return the ProductKey for each kind of device that is a sub-device of the entry already."""
    kinds: dict[str, str] = {}
    for subentry in entry.subentries.values():
        if subentry.subentry_type == SUBENTRY_SUB_DEVICE:
            bound = {resolve_entity(hass, binding.entity) for binding in bindings_of(subentry)}
            kind = _kind(hass, stands_for(subentry), [entity_id for entity_id in bound if entity_id])
            kinds.setdefault(kind, subentry.data[CONF_PRODUCT_KEY])
    return kinds


@callback
def suggested_bindings(hass: HomeAssistant, candidate: Candidate, model: ThingModel | None) -> tuple[Binding, ...]:
    """Return the bindings to suggest for a device, sorted by identifier.

    Without a thing model the identifiers are those of what the entities are, not of what they are called, so that all devices
    of a kind have the same. With one, its properties are found as for any entity, and otherwise by these identifiers.
    """
    states = {entity_id: state for entity_id in candidate.names if (state := hass.states.get(entity_id))}
    risk = risk_in(hass)
    found = suggest_all(states.values(), model, (), (), risk) if model else []
    taken = {suggestion.identifier for suggestion in found}
    bound = {(suggestion.entity_id, suggestion.aspect) for suggestion in found}
    own = {_local(entity_id, candidate.names[entity_id]): entity_id for entity_id in states}
    local = [_renamed(state, _local(entity_id, candidate.names[entity_id])) for entity_id, state in states.items()]

    def own_risk(state: State, aspect: Aspect | None) -> bool:
        return risk(states[own[state.entity_id]], aspect)

    for suggestion in suggest_all(local, None, taken, (), own_risk):
        entity_id = own[suggestion.entity_id]
        if (entity_id, suggestion.aspect) in bound or (model and suggestion.identifier not in model.properties):
            continue
        found.append(replace(suggestion, entity_id=entity_id))
    return tuple(sorted((_binding(hass, each) for each in found), key=lambda binding: binding.identifier))


@callback
def generated_for(
    hass: HomeAssistant,
    product_key: str,
    devices: Iterable[tuple[Candidate, tuple[Binding, ...]]],
    present: ThingModel | None = None,
) -> GeneratedModel:
    """Return the thing model of a product: the union of what its devices have, always the same for the same devices."""
    ordered = sorted(devices, key=lambda each: each[0].key)
    own = {entity_id: name for candidate, _ in ordered for entity_id, name in candidate.names.items()}

    def names_of(bound: BoundProperty, _state: State, language: str) -> tuple[str, str]:
        aspect = bound.aspect.name_zh if is_chinese(language) else bound.aspect.name_en
        return own.get(bound.entity_id, ""), aspect

    bindings = [binding for _, bindings in ordered for binding in bindings]
    return generate_for(hass, product_key, present or ThingModel(), bindings, names_of=names_of)


def with_numbers(bindings: Iterable[Binding], generated: GeneratedModel) -> tuple[Binding, ...]:
    """Return bindings as they fit a generated thing model: its identifiers, and the options whose labels were changed."""
    relabelled = generated.relabelled()
    fitted: list[Binding] = []
    for binding in bindings:
        identifier = generated.renamed.get(binding.identifier, binding.identifier)
        if identifier not in generated.model.properties:
            continue
        conversion = binding.conversion
        if identifier in relabelled and identifier in generated.numbered and not conversion.options:
            conversion = replace(conversion, options=generated.numbered[identifier])
        fitted.append(replace(binding, identifier=identifier, conversion=conversion))
    return tuple(fitted)


def _kind(hass: HomeAssistant, key: str, entity_ids: Iterable[str]) -> str:
    """Return the name of the kind of a device: manufacturer and model, or else what its entities are."""
    kind, _, reference = key.partition(":")
    device = dr.async_get(hass).async_get(reference) if kind == "device" else None
    if isinstance(device, dr.DeviceEntry) and device.model:
        return " ".join(filter(None, (device.manufacturer, device.model)))
    sorts = Counter(
        f"{entity_id.partition('.')[0]} {state.attributes.get('device_class', '') if state else ''}".strip()
        for entity_id in entity_ids
        for state in [hass.states.get(entity_id)]
    )
    return ", ".join(sort if count == 1 else f"{sort} ({count})" for sort, count in sorted(sorts.items()))


def _names(hass: HomeAssistant, entity_ids: Iterable[str]) -> dict[str, str]:
    """Return the names that entities have within their device, no two equal, in an order that does not depend on their ids."""
    registry = er.async_get(hass)
    found: list[tuple[str, str, str]] = []
    for entity_id in entity_ids:
        registered = registry.async_get(entity_id)
        name = (registered.original_name or "") if registered and registered.device_id else ""
        if registered and registered.has_entity_name is False:
            name = _without_device(hass, registered.device_id, name)
        found.append((name, registered.unique_id if registered else "", entity_id))
    names: dict[str, str] = {}
    used: Counter[tuple[str, str]] = Counter()
    for name, _, entity_id in sorted(found):
        sort = (entity_id.partition(".")[0], name)
        used[sort] += 1
        names[entity_id] = name if used[sort] == 1 else f"{name} {used[sort]}".strip()
    return names


def _without_device(hass: HomeAssistant, device_id: str | None, name: str) -> str:
    """Return the name of an entity without that of its device, which older integrations put in front."""
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    return name.removeprefix(device.name).strip(" -_·") if device and device.name else name


def _local(entity_id: str, name: str) -> str:
    """Return an entity id that says what an entity is in its device."""
    domain = entity_id.partition(".")[0]
    return f"{domain}.{slugify(name) if name else domain}"


def _renamed(state: State, entity_id: str) -> State:
    return State(entity_id, state.state, state.attributes, state.last_changed, last_updated=state.last_updated)


def _binding(hass: HomeAssistant, suggestion: Suggestion) -> Binding:
    return Binding(
        identifier=suggestion.identifier,
        entity=entity_reference(hass, suggestion.entity_id),
        aspect=suggestion.aspect,
        access=suggestion.access,
    )
