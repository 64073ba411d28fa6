"""What of the stored bindings would have no effect, or another one, with another thing model."""

from homeassistant.config_entries import ConfigEntry

from ..alink.model.thing_model import ThingModel
from ..exposures import exposed_bindings, resolve_entity, service_bindings
from ..mapping.binding import Binding
from ..mapping.check import check
from ..mapping.generic import NO_ENTITY_STATE, aspect_for
from .labels import Labels


def misfits(labels: Labels, entry: ConfigEntry, model: ThingModel) -> list[str]:
    """Return a line for each reason why a binding does not fit the thing model, in the user's language."""
    unbound = [
        labels.text("common.unknown_service", identifier=identifier)
        for identifier in service_bindings(entry)
        if identifier not in model.services
    ]
    return [reason for binding in exposed_bindings(entry) for reason in reasons(labels, binding, model)] + unbound


def new_warnings(labels: Labels, entry: ConfigEntry, before: ThingModel | None, after: ThingModel) -> list[str]:
    """Return a line for each thing to know of a binding that works with both thing models, but differently."""
    return [
        warning
        for binding in exposed_bindings(entry)
        for warning in _texts(labels, binding, after, blocking=False)
        if warning not in _texts(labels, binding, before, blocking=False)
    ]


def reasons(labels: Labels, binding: Binding, model: ThingModel | None) -> list[str]:
    """Return a line for each reason why a binding can't work, but for an entity that is gone."""
    return _texts(labels, binding, model, blocking=True)


def _texts(labels: Labels, binding: Binding, model: ThingModel | None, *, blocking: bool) -> list[str]:
    definition = model.properties.get(binding.identifier) if model else None
    if model and definition is None:
        return [labels.text("common.unknown_property", identifier=binding.identifier)] if blocking else []
    entity_id = resolve_entity(labels.hass, binding.entity) if binding.entity else ""
    state = labels.hass.states.get(entity_id) if entity_id else NO_ENTITY_STATE
    aspect = aspect_for(binding, entity_id or "")
    if entity_id is None or state is None or aspect is None:
        # The entity is gone, which no thing model can change.
        return []
    return [
        labels.text(
            "common.misfit",
            identifier=binding.identifier,
            reason=labels.text(f"options.error.{problem.key}", **labels.problem(problem, aspect, definition)),
        )
        for problem in check(binding, aspect, definition, state)
        if problem.blocking is blocking
    ]
