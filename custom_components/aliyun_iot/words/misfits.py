"""Stored bindings that do not fit a thing model, or that behave differently with it."""

from homeassistant.config_entries import ConfigEntry

from ..alink.model.thing_model import ThingModel
from ..const import OWN
from ..exposures import exposed_bindings, resolve_entity, service_bindings
from ..mapping.binding import Binding
from ..mapping.check import check
from ..mapping.generic import NO_ENTITY_STATE, aspect_for
from ..risk import risk_in
from .labels import Labels


def misfits(labels: Labels, entry: ConfigEntry, model: ThingModel, owner: str = OWN) -> list[str]:
    """Return a line for each reason why a binding of a device does not fit the thing model."""
    unknown_services = [
        labels.text("common.unknown_service", identifier=identifier)
        for identifier in service_bindings(entry, owner)
        if identifier not in model.services
    ]
    bindings = exposed_bindings(entry, owner)
    return [reason for binding in bindings for reason in reasons(labels, binding, model)] + unknown_services


def new_warnings(
    labels: Labels, entry: ConfigEntry, before: ThingModel | None, after: ThingModel, owner: str = OWN
) -> list[str]:
    """Return a line for each warning about a binding that applies to the thing model `after`, but not to `before`."""
    return [
        warning
        for binding in exposed_bindings(entry, owner)
        for warning in _texts(labels, binding, after, blocking=False)
        if warning not in _texts(labels, binding, before, blocking=False)
    ]


def reasons(labels: Labels, binding: Binding, model: ThingModel | None) -> list[str]:
    """Return a line for each reason why a binding can't work, other than a missing entity."""
    return _texts(labels, binding, model, blocking=True)


def _texts(labels: Labels, binding: Binding, model: ThingModel | None, *, blocking: bool) -> list[str]:
    definition = model.properties.get(binding.identifier) if model else None
    if model and definition is None:
        return [labels.text("common.unknown_property", identifier=binding.identifier)] if blocking else []
    entity_id = resolve_entity(labels.hass, binding.entity) if binding.entity else ""
    state = labels.hass.states.get(entity_id) if entity_id else NO_ENTITY_STATE
    aspect = aspect_for(binding, entity_id or "")
    if entity_id is None or state is None or aspect is None:
        # A missing entity does not depend on the thing model.
        return []
    return [
        labels.text(
            "common.misfit",
            identifier=binding.identifier,
            reason=labels.text(f"options.error.{problem.key}", **labels.problem(problem, aspect, definition)),
        )
        for problem in check(binding, aspect, definition, state, risk_in(labels.hass))
        if problem.blocking is blocking
    ]
