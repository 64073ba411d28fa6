"""The form for a binding of a template or of own actions, which needs no entity."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import TemplateSelector
import voluptuous as vol

from ..const import OWN
from ..exposures import resolve_entity
from ..mapping.binding import ACTIONS, TEMPLATE, Access, Binding
from ..mapping.generic import NO_ENTITY_STATE, RENDERED
from ..stored_device import StoredDevice
from ..words.labels import Labels
from .binding_fields import (
    CONF_ACCESS,
    CONF_ACTIONS,
    CONF_ASPECT,
    CONF_CONDITION,
    CONF_ENTITY,
    CONF_IDENTIFIER,
    CONF_SOURCE,
    CONF_TEMPLATE,
    SECTION_ACTIONS,
    SECTION_CONVERSION,
    SECTION_REPORTING,
    SELECTORS,
    InputRefused,
    entered_values,
    folded,
    read_binding,
    section_fields,
    section_values,
)
from .binding_review import entered_condition, review
from .property_field import PropertyField


@dataclass(frozen=True, slots=True)
class CustomForm:
    """The form for a binding without an entity; `current` is the binding that is being changed, if any.

    An imported binding that has an entity keeps it.
    """

    properties: PropertyField
    current: Binding | None

    @classmethod
    async def load(cls, hass: HomeAssistant, entry: ConfigEntry, current: Binding | None, owner: str = OWN) -> Self:
        """Return the form; `owner` is the device of the entry that the binding belongs to."""
        return cls(PropertyField(StoredDevice(entry, owner), await Labels.load(hass), current), current)

    def schema(self, values: Mapping[str, Any], errors: Collection[str]) -> vol.Schema:
        """Return the fields of the form for its values and the names of the fields and sections with errors."""
        return vol.Schema(
            {
                self.properties.marker(values): self.properties.selector((RENDERED,), ()),
                vol.Required(CONF_ACCESS, default=Access.REPORT.value): SELECTORS[CONF_ACCESS],
                vol.Optional(CONF_TEMPLATE): TemplateSelector(),
                # Actions come first, as the main purpose of this form.
                vol.Optional(CONF_ACTIONS): SELECTORS[CONF_ACTIONS],
                **section_fields(SECTION_ACTIONS),
                vol.Required(SECTION_CONVERSION): folded(SECTION_CONVERSION, values, errors),
                vol.Required(SECTION_REPORTING): folded(SECTION_REPORTING, values, errors),
            }
        )

    def values(self) -> dict[str, Any]:
        """Return the initial values."""
        if self.current is None:
            return {CONF_ACCESS: Access.REPORT.value}
        return {
            CONF_IDENTIFIER: self.current.identifier,
            CONF_ACCESS: self.current.access.value,
            CONF_TEMPLATE: self.current.source,
            **section_values(SECTION_ACTIONS, self.current),
            SECTION_CONVERSION: section_values(SECTION_CONVERSION, self.current),
            SECTION_REPORTING: section_values(SECTION_REPORTING, self.current),
        }

    def placeholders(self) -> dict[str, str]:
        """Return the placeholders for the texts of the page."""
        return {"warning": self.properties.warning}

    async def read(self, user_input: Mapping[str, Any]) -> tuple[Binding, InputRefused | None]:
        """Return the binding that was entered, and the warnings to show once, if any.

        Raises InputRefused if the binding can't work.
        """
        template = user_input.get(CONF_TEMPLATE, "").strip()
        access = Access(user_input[CONF_ACCESS])
        missing: dict[str, str] = {}
        if access.reports and not template:
            missing[CONF_TEMPLATE] = "template_missing"
        if access.controls and not user_input.get(CONF_ACTIONS):
            missing[CONF_ACTIONS] = "actions_missing"
        if missing:
            raise InputRefused(missing)
        hass = self.properties.labels.hass
        entity = self.current.entity if self.current else ""
        own = {
            CONF_ENTITY: entity,
            CONF_ASPECT: TEMPLATE if template else ACTIONS,
            CONF_SOURCE: template,
            **entered_values(SECTION_ACTIONS, user_input),
            CONF_CONDITION: await entered_condition(hass, user_input, CONF_CONDITION),
        }
        binding = read_binding(user_input, own)
        entity_id = resolve_entity(hass, entity) if entity else None
        state = hass.states.get(entity_id) if entity_id else None
        return binding, await review(self.properties, binding, state or NO_ENTITY_STATE, CONF_ACTIONS)
