"""Binding many entities at once: choose them, look at what would stand for what, save."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import CONF_BINDINGS
from .exposures import add_bindings, entity_reference, exposed_bindings, resolve_entity
from .labels import Labels
from .mapping.binding import Binding
from .mapping.domains import DOMAINS
from .mapping.suggest import Suggestion, suggest_all
from .options_pages import OptionsPages
from .runtime import thing_model_of

CONF_ENTITIES = "entities"


class SelectionPages(OptionsPages):
    """Bind several entities."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        super().__init__()
        self._entities: list[str] = []

    async def async_step_add(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for entities to bind all at once."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._entities = user_input[CONF_ENTITIES]
            if not self._entities:
                errors = {CONF_ENTITIES: "nothing_selected"}
            elif not self._suggestions():
                errors = {CONF_ENTITIES: "nothing_fits"}
            else:
                return await self.async_step_suggestions()
        schema = vol.Schema(
            {
                vol.Required(CONF_ENTITIES): EntitySelector(
                    EntitySelectorConfig(filter={"domain": list(DOMAINS)}, multiple=True)
                )
            }
        )
        return self.async_show_form(
            step_id="add",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            last_step=False,
        )

    async def async_step_suggestions(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what would stand for what, and bind what stays ticked."""
        labels = await Labels.load(self.hass)
        model = thing_model_of(self.config_entry)
        suggested = {one.identifier: self._bound(one) for one in self._suggestions()}
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = user_input[CONF_BINDINGS]
            if not chosen:
                errors = {CONF_BINDINGS: "nothing_selected"}
            elif not suggested.keys() >= set(chosen):
                # Somebody else was quicker with one of the identifiers.
                errors = {CONF_BINDINGS: "changed_meanwhile"}
            else:
                add_bindings(self.hass, self.config_entry, [suggested[identifier] for identifier in chosen])
                return self.finish()
        covered = {binding.entity for binding in suggested.values()}
        left_out = [labels.entity(one) for one in self._entities if entity_reference(self.hass, one) not in covered]
        choice = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=identifier, label=labels.binding(binding, model))
                    for identifier, binding in suggested.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
        # Ticked by suggestion and not by default: what is left out must never come back by itself.
        ticked = [one for one in suggested if user_input is None or one in user_input[CONF_BINDINGS]]
        return self.async_show_form(
            step_id="suggestions",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_BINDINGS): choice}), {CONF_BINDINGS: ticked}
            ),
            errors=errors,
            description_placeholders={
                "left_out": labels.text("common.left_out", entities=", ".join(left_out)) if left_out else ""
            },
        )

    def _suggestions(self) -> list[Suggestion]:
        """Return what can be bound of the chosen entities and isn't yet."""
        bindings = exposed_bindings(self.config_entry)
        taken = {binding.identifier for binding in bindings}
        bound = {(resolve_entity(self.hass, binding.entity), binding.aspect) for binding in bindings}
        entity_ids = [resolve_entity(self.hass, entity) for entity in self._entities]
        states = [state for entity_id in entity_ids if entity_id and (state := self.hass.states.get(entity_id))]
        suggested = suggest_all(states, thing_model_of(self.config_entry), taken)
        return [one for one in suggested if (one.entity_id, one.aspect) not in bound]

    def _bound(self, suggestion: Suggestion) -> Binding:
        return Binding(
            identifier=suggestion.identifier,
            entity=entity_reference(self.hass, suggestion.entity_id),
            aspect=suggestion.aspect,
            access=suggestion.access,
        )
