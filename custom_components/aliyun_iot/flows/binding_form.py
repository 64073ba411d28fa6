"""The form for one binding of an entity: the aspect, the property, and how values are converted.

Options and subentry flows show the same form; `BindingForm` builds it and converts its input to a `Binding`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.selector import AttributeSelector, AttributeSelectorConfig
import voluptuous as vol

from ..const import OWN
from ..exposures import entity_reference, resolve_entity
from ..mapping.aspect import Aspect, Domain
from ..mapping.binding import ATTRIBUTE, Access, Binding
from ..mapping.domains import Risk, domain_of
from ..mapping.generic import STATE_ASPECTS
from ..mapping.suggest.suggestions import allowed_access, suggest
from ..risk import risk_in
from ..stored_device import StoredDevice
from ..words.labels import Labels
from .binding_fields import (
    CONF_ACCESS,
    CONF_ASPECT,
    CONF_CONDITION,
    CONF_CONFIRMED,
    CONF_ENTITY,
    CONF_IDENTIFIER,
    CONF_SOURCE,
    SECTION_ACTIONS,
    SECTION_CONVERSION,
    SECTION_REPORTING,
    SELECTORS,
    InputRefused,
    choice,
    entered_values,
    folded,
    read_binding,
    section_values,
)
from .binding_review import entered_condition, review
from .property_field import PropertyField


class EntityUnsuitable(Exception):  # noqa: N818 - named after what happened
    """An entity can't be bound; `key` is the translation key of the error."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class BindingForm:
    """The form for a binding of one entity; `current` is the binding that is being changed, if any."""

    labels: Labels
    state: State
    domain: Domain | None
    properties: PropertyField
    current: Binding | None

    @classmethod
    async def load(
        cls,
        hass: HomeAssistant,
        entry: ConfigEntry,
        entity: str,
        current: Binding | None,
        labels: Labels | None = None,
        owner: str = OWN,
    ) -> Self:
        """Return the form for an entity, given by its entity id or registry id, by default in the installation's language.

        `owner` is the device of the entry that the binding belongs to.

        Raises EntityUnsuitable.
        """
        entity_id = resolve_entity(hass, entity)
        state = hass.states.get(entity_id) if entity_id else None
        if state is None:
            raise EntityUnsuitable("entity_not_found")
        labels = labels or await Labels.load(hass)
        properties = PropertyField(StoredDevice(entry, owner), labels, current)
        if properties.exhausted:
            raise EntityUnsuitable("no_free_property")
        return cls(labels, state, domain_of(state.entity_id), properties, current)

    @property
    def _risk(self) -> Risk:
        return risk_in(self.labels.hass)

    @property
    def aspects(self) -> list[Aspect]:
        """The aspects of its domain that the entity has."""
        return [aspect for aspect in self.domain.aspects if aspect.supported(self.state)] if self.domain else []

    def schema(self, values: Mapping[str, Any], errors: Collection[str]) -> vol.Schema:
        """Return the fields of the form for its values and the names of the fields and sections with errors."""
        offered = [*self.aspects, *STATE_ASPECTS]
        ideas = [suggestion.identifier for suggestion in suggest(self.state, None, self.properties.taken(), self._risk)]
        fields: dict[vol.Marker, Any] = {
            vol.Required(CONF_ASPECT): choice((aspect.key, self.labels.aspect(aspect)) for aspect in offered),
            self.properties.marker(values): self.properties.selector(self.aspects or STATE_ASPECTS, ideas),
            vol.Required(CONF_ACCESS): SELECTORS[CONF_ACCESS],
        }
        if self._risk(self.state, None):
            fields[vol.Required(CONF_CONFIRMED, default=False)] = SELECTORS[CONF_CONFIRMED]
        return vol.Schema(
            {
                **fields,
                vol.Required(SECTION_CONVERSION): folded(SECTION_CONVERSION, values, errors),
                vol.Required(SECTION_REPORTING): folded(SECTION_REPORTING, values, errors),
                vol.Optional(SECTION_ACTIONS): folded(SECTION_ACTIONS, values, errors),
            }
        )

    def values(self) -> dict[str, Any]:
        """Return the initial values: the current binding, or the best suggestion for a new one."""
        if self.current is None:
            return self._suggestion()
        return {
            CONF_ASPECT: self.current.aspect,
            CONF_IDENTIFIER: self.current.identifier,
            CONF_ACCESS: self.current.access.value,
            CONF_CONFIRMED: self.current.confirmed,
            **{
                name: section_values(name, self.current)
                for name in (SECTION_CONVERSION, SECTION_REPORTING, SECTION_ACTIONS)
            },
        }

    def placeholders(self) -> dict[str, str]:
        """Return the placeholders for the texts of the page."""
        return {
            "entity": self.state.name,
            "state": self.labels.state(self.state),
            "warning": self.properties.warning,
        }

    def asks_for_attribute(self, user_input: Mapping[str, Any]) -> bool:
        """Return whether an attribute is to be bound and the user has yet to pick it."""
        return bool(user_input[CONF_ASPECT] == ATTRIBUTE and not user_input.get(CONF_SOURCE))

    def attribute_schema(self) -> vol.Schema:
        """Return the field for the attribute."""
        selector = AttributeSelector(AttributeSelectorConfig(entity_id=self.state.entity_id))
        return vol.Schema({vol.Required(ATTRIBUTE): selector})

    def attribute_values(self) -> dict[str, str]:
        """Return the initial value of the field for the attribute."""
        return {ATTRIBUTE: self.current.source} if self.current and self.current.aspect == ATTRIBUTE else {}

    async def read(self, user_input: Mapping[str, Any]) -> tuple[Binding, InputRefused | None]:
        """Return the binding that was entered, and the warnings to show once, if any.

        Raises InputRefused if the binding can't work.
        """
        state = self.labels.hass.states.get(self.state.entity_id)
        if state is None:
            raise InputRefused({"base": "entity_not_found"})
        control = user_input.get(SECTION_ACTIONS, {})
        own = {
            CONF_ENTITY: entity_reference(self.labels.hass, self.state.entity_id),
            CONF_ASPECT: user_input[CONF_ASPECT],
            CONF_CONFIRMED: user_input.get(CONF_CONFIRMED, False),
            CONF_SOURCE: user_input.get(CONF_SOURCE, ""),
            **entered_values(SECTION_ACTIONS, control),
            CONF_CONDITION: await entered_condition(self.labels.hass, control, SECTION_ACTIONS),
        }
        binding = read_binding(user_input, own)
        return binding, await review(self.properties, binding, state, SECTION_ACTIONS)

    def _suggestion(self) -> dict[str, Any]:
        if suggestions := suggest(self.state, self.properties.model, self.properties.taken(), self._risk):
            best = suggestions[0]
            return {CONF_ASPECT: best.aspect, CONF_IDENTIFIER: best.identifier, CONF_ACCESS: best.access.value}
        if self.domain is None or not self.aspects:
            return {CONF_ASPECT: STATE_ASPECTS[0].key, CONF_ACCESS: Access.REPORT.value}
        first = self.aspects[0]
        access = allowed_access(self.state, first, None, risky=self._risk(self.state, first))
        return {CONF_ASPECT: first.key, CONF_ACCESS: access.value}
