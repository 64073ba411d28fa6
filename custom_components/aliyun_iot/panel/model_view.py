"""The thing model as the page shows it: what the product defines, and what of it is bound."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er

from ..alink.foreign import safe
from ..alink.model.datatypes import Field
from ..cloud_device import CloudDevice
from ..const import CONF_PRODUCT_KEY, DOMAIN
from ..exposures import entity_reference, exposure_key, resolve_entity, stands_for
from ..mapping.binding import Binding
from ..mapping.domains import aspect_of
from ..mapping.selection import is_supported
from ..mapping.slices import in_slices
from ..mapping.suggest.suggestions import Suggestion, suggest_in_slices
from ..risk import risk_in
from ..stored_device import StoredDevice, sub_devices_of
from ..words.labels import Labels


async def fitting(hass: HomeAssistant, device: CloudDevice) -> dict[str, Suggestion]:
    """Return what would fit the properties of a device that are not bound, by identifier.

    For a sub-device only the entities of what it stands for are taken into account.
    """
    stored = device.stored
    bindings = stored.bindings()
    key = stands_for(stored.entry.subentries[stored.owner]) if stored.owner else ""
    bound = {
        (entity_id, each.aspect) for each in bindings if (entity_id := resolve_entity(hass, each.entity)) is not None
    }
    taken = {each.identifier for each in bindings}
    states = [
        state
        for state in hass.states.async_all()
        if _is_candidate(hass, state)
        and (not key or exposure_key(hass, entity_reference(hass, state.entity_id)).unique_id == key)
    ]
    found = await in_slices(suggest_in_slices(states, device.model, taken, bound, risk_in(hass)))
    return {suggestion.identifier: suggestion for suggestion in found}


@callback
def _is_candidate(hass: HomeAssistant, state: State) -> bool:
    """Return whether an entity can be bound, and is neither hidden nor diagnostic, as for a selection."""
    registered = er.async_get(hass).async_get(state.entity_id)
    if registered and (registered.hidden_by or registered.entity_category or registered.platform == DOMAIN):
        return False
    return is_supported(state)


async def model_view(hass: HomeAssistant, device: CloudDevice, labels: Labels) -> dict[str, Any]:
    """Return the features of the thing model of a device, with what is bound to each, and what would fit."""
    defined, entry = device.model, device.stored.entry
    whose: dict[str, Any] = {
        "product_key": device.stored.data[CONF_PRODUCT_KEY],
        "devices": [
            {"owner": each.owner, "title": each.title} for each in (StoredDevice(entry), *sub_devices_of(entry))
        ],
    }
    if defined is None:
        return whose | {
            "defined": False,
            "properties": [],
            "services": [],
            "events": [],
        }
    fits = await fitting(hass, device)
    bound = {binding.identifier: binding for binding in device.stored.bindings()}
    return whose | {
        "defined": True,
        "properties": [
            {
                "id": prop.identifier,
                "name": safe(prop.name),
                "type": labels.values(prop.data_type),
                "access": labels.text(
                    f"common.model_access_{'r' if prop.readable else ''}{'w' if prop.writable else ''}"
                ),
                "bound": _bound_to(labels, bound.get(prop.identifier)),
                "fits": _suggested(labels, fits.get(prop.identifier)),
            }
            for prop in defined.properties.values()
        ],
        "services": [
            {
                "id": each.identifier,
                "name": safe(each.name),
                "type": labels.text("common.model_sync" if each.sync else "common.model_async"),
                "input": _parameters(labels, each.input),
                "output": _parameters(labels, each.output),
                "bound": each.identifier in device.bound_services,
            }
            for each in defined.services.values()
        ],
        "events": [
            {"id": each.identifier, "name": safe(each.name), "output": _parameters(labels, each.output)}
            for each in defined.events.values()
        ],
    }


def _parameters(labels: Labels, fields: Mapping[str, Field]) -> list[dict[str, str]]:
    return [{"id": name, "type": labels.values(field.data_type)} for name, field in fields.items()]


def _bound_to(labels: Labels, binding: Binding | None) -> str:
    return (labels.entity(binding.entity) if binding.entity else "—") if binding else ""


def _suggested(labels: Labels, suggestion: Suggestion | None) -> dict[str, str] | None:
    aspect = aspect_of(suggestion.entity_id, suggestion.aspect) if suggestion else None
    if suggestion is None or aspect is None:
        return None
    return {
        "entity_id": suggestion.entity_id,
        "entity": labels.entity(suggestion.entity_id),
        "aspect": labels.aspect(aspect),
        "access": labels.access(suggestion.access),
    }
