"""What of the stored bindings would have no effect with another thing model."""

from homeassistant.config_entries import ConfigEntry

from .alink.thing_model import ThingModel
from .exposures import exposed_bindings, resolve_entity, service_bindings
from .labels import Labels
from .mapping.binding import Binding
from .mapping.check import check
from .mapping.domains import aspect_of


def misfits(labels: Labels, entry: ConfigEntry, model: ThingModel) -> list[str]:
    """Return a line for each reason why a binding does not fit the thing model, in the user's language."""
    unbound = [
        labels.text("common.unknown_service", identifier=identifier)
        for identifier in service_bindings(entry)
        if identifier not in model.services
    ]
    return [reason for binding in exposed_bindings(entry) for reason in _reasons(labels, binding, model)] + unbound


def _reasons(labels: Labels, binding: Binding, model: ThingModel) -> list[str]:
    definition = model.properties.get(binding.identifier)
    if definition is None:
        return [labels.text("common.unknown_property", identifier=binding.identifier)]
    entity_id = resolve_entity(labels.hass, binding.entity)
    state = labels.hass.states.get(entity_id) if entity_id else None
    aspect = aspect_of(entity_id or "", binding.aspect)
    if state is None or aspect is None:
        # The entity is gone, which no thing model can change.
        return []
    return [
        labels.text(
            "common.misfit",
            identifier=binding.identifier,
            reason=labels.text(f"options.error.{problem.key}", **labels.problem(problem, aspect, definition)),
        )
        for problem in check(binding, aspect, definition, state)
        if problem.blocking
    ]
