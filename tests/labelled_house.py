"""Entities with and without a label that a rule follows, registered by a mock integration."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, label_registry as lr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.rules import rules_of

OWNER = "hue"


class LabelledHouse:
    """Registers entities, and adds or removes the label."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Create the label."""
        self.hass = hass
        self.registry = er.async_get(hass)
        self.label = lr.async_get(hass).async_create("Cloud").label_id
        self.owner = MockConfigEntry(domain=OWNER)
        self.owner.add_to_hass(hass)

    def device(self, name: str) -> str:
        """Add a device and return its id."""
        return (
            dr.async_get(self.hass)
            .async_get_or_create(config_entry_id=self.owner.entry_id, identifiers={(OWNER, name)}, name=name)
            .id
        )

    def register(self, entity_id: str, *, labelled: bool = False, **details: Any) -> str:
        """Register an entity, which has no state yet, and return its registry id."""
        domain, _, name = entity_id.partition(".")
        registered = self.registry.async_get_or_create(
            domain,
            OWNER,
            name,
            config_entry=self.owner,
            original_name=f"{name} of the house",
            suggested_object_id=name,
            **details,
        )
        if labelled:
            self.registry.async_update_entity(entity_id, labels={self.label})
        return registered.id

    def add(self, entity_id: str, *, labelled: bool = False, state: str = "on", **details: Any) -> str:
        """Register an entity with a state, and return its registry id."""
        reference = self.register(entity_id, labelled=labelled, **details)
        self.hass.states.async_set(entity_id, state, {"friendly_name": entity_id})
        return reference

    def put_label(self, *entity_ids: str) -> None:
        """Add the label to entities."""
        for entity_id in entity_ids:
            self.registry.async_update_entity(entity_id, labels={self.label})

    def take_label(self, *entity_ids: str) -> None:
        """Remove the label from entities."""
        for entity_id in entity_ids:
            self.registry.async_update_entity(entity_id, labels=set())

    @property
    def rule(self) -> dict[str, Any]:
        """The stored data of a rule that follows the label."""
        return {"selection": {"include": {"label_id": [self.label]}}}


def followed(entry: ConfigEntry) -> dict[str, str]:
    """Return the entities of bindings made by rules, by identifier."""
    registry_ids = {binding.identifier: binding.entity for binding in exposed_bindings(entry) if binding.rule}
    return dict(sorted(registry_ids.items()))


def rule_id(entry: ConfigEntry) -> str:
    """Return the id of the only rule."""
    (found,) = rules_of(entry)
    return found
