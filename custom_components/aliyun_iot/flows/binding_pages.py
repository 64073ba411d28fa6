"""The steps for single bindings."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.data_entry_flow import FlowContext, FlowResult
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..const import CONF_BINDINGS, OWN
from ..exposures import bindings_of, keyed_rows, remove_rows
from ..mapping.binding import ACTIONS, ATTRIBUTE, TEMPLATE, Binding
from ..mapping.stored import Unreadable
from ..stored_device import StoredDevice
from ..words.fault_texts import unreadable_row
from ..words.labels import Labels
from .binding_fields import CONF_ENTITY, CONF_SOURCE, InputRefused
from .binding_form import BindingForm, EntityUnsuitable
from .custom_form import CustomForm
from .safe_pages import SafePages

CONF_BINDING = "binding"

MAX_SHOWN_AS_LIST = 10
"""More bindings than this are offered in a dropdown."""


class BindingPages[Context: FlowContext, Result: FlowResult[Any, Any], Handler](SafePages[Context, Result, Handler]):
    """Add, edit and remove bindings one at a time; a flow defines which bindings and how they are stored."""

    def __init__(self) -> None:
        """Start without an entity."""
        super().__init__()
        self._entity_form: BindingForm | None = None
        self._custom_form: CustomForm | None = None
        self._entered: dict[str, Any] = {}
        self._warned_about: Binding | None = None

    @abstractmethod
    def bound_entry(self) -> ConfigEntry:
        """Return the entry that the bindings belong to."""

    def owner(self) -> str:
        """Return which device of the entry the bindings belong to, by default its own."""
        return OWN

    @abstractmethod
    def exposures(self) -> list[ConfigSubentry]:
        """Return the exposures whose bindings this flow can change and remove."""

    @abstractmethod
    async def finish_with(self, binding: Binding, replaced: Binding | None) -> Result:
        """Store a binding, in place of `replaced` if given, and say so."""

    @abstractmethod
    async def finish_after_removal(self, count: int) -> Result:
        """Say that so many rows were removed."""

    def editable(self) -> list[Binding]:
        """Return the bindings that can be changed."""
        return [binding for subentry in self.exposures() for binding in bindings_of(subentry)]

    def removable(self) -> dict[str, Binding | Unreadable]:
        """Return the rows that can be removed, by the keys of `keyed_rows`."""
        return {key: row for subentry in self.exposures() for key, row in keyed_rows(subentry)}

    def selectable(self) -> EntitySelectorConfig:
        """Return which entities this flow can bind; by default all, because each has a state and attributes."""
        return EntitySelectorConfig()

    async def async_step_add_one(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask for the entity of a new binding."""
        errors: dict[str, str] = {}
        if user_input is not None:
            problem = await self._open_form(user_input[CONF_ENTITY], None)
            if problem is None:
                return await self.async_step_binding()
            errors = {CONF_ENTITY: problem}
        schema = vol.Schema({vol.Required(CONF_ENTITY): EntitySelector(self.selectable())})
        return self.async_show_form(
            step_id="add_one",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            last_step=False,
        )

    async def async_step_edit(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask for the binding to change, if there are several."""
        errors: dict[str, str] = {}
        editable = {binding.identifier: binding for binding in self.editable()}
        chosen = user_input[CONF_BINDING] if user_input else next(iter(editable)) if len(editable) == 1 else None
        if chosen is not None:
            current = editable.get(chosen)
            if current and current.aspect in (TEMPLATE, ACTIONS):
                self._custom_form = await CustomForm.load(self.hass, self.bound_entry(), current, self.owner())
                return await self.async_step_custom()
            problem = await self._open_form(current.entity, current) if current else "binding_gone"
            if problem is None:
                return await self.async_step_binding()
            errors = {CONF_BINDING: problem}
        return self.async_show_form(
            step_id="edit",
            data_schema=vol.Schema({vol.Required(CONF_BINDING): await self._choice(editable, multiple=False)}),
            errors=errors,
            last_step=False,
        )

    async def async_step_binding(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask for the aspect, the property and how values are converted and reported."""
        assert self._entity_form is not None  # noqa: S101 - set by the previous pages
        if user_input is not None and self._entity_form.asks_for_attribute(user_input):
            self._entered = {**self._entered, **user_input}
            return await self.async_step_attribute()
        return await self._form_page("binding", self._entity_form, user_input)

    async def async_step_attribute(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask for the attribute to bind."""
        assert self._entity_form is not None  # noqa: S101 - set by the previous page
        if user_input is not None:
            self._entered[CONF_SOURCE] = user_input[ATTRIBUTE]
            return await self._form_page("binding", self._entity_form, self._entered)
        # After an error of the form, the attribute is suggested again.
        entered = {ATTRIBUTE: self._entered[CONF_SOURCE]} if CONF_SOURCE in self._entered else None
        return self.async_show_form(
            step_id="attribute",
            data_schema=self.add_suggested_values_to_schema(
                self._entity_form.attribute_schema(), entered or self._entity_form.attribute_values()
            ),
            description_placeholders=self._entity_form.placeholders(),
        )

    async def async_step_custom(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask for a template, actions, or both, and the property to bind them to."""
        if self._custom_form is None:
            self._custom_form = await CustomForm.load(self.hass, self.bound_entry(), None, self.owner())
            if self._custom_form.properties.exhausted:
                return self.async_abort(reason="no_free_property")
        return await self._form_page("custom", self._custom_form, user_input)

    async def async_step_remove(self, user_input: dict[str, Any] | None = None) -> Result:
        """Ask for the bindings to remove."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if chosen := user_input[CONF_BINDINGS]:
                remove_rows(self.hass, self.bound_entry(), self.exposures(), chosen)
                return await self.finish_after_removal(len(chosen))
            errors = {CONF_BINDINGS: "nothing_selected"}
        return self.async_show_form(
            step_id="remove",
            # Without a default the frontend would select the first binding.
            data_schema=vol.Schema(
                {vol.Required(CONF_BINDINGS, default=list): await self._choice(self.removable(), multiple=True)}
            ),
            errors=errors,
        )

    async def _form_page(
        self, step_id: str, form: BindingForm | CustomForm, user_input: Mapping[str, Any] | None
    ) -> Result:
        """Show a form until its input can be saved."""
        refused = form.properties.gone if user_input is None else None
        if user_input is not None:
            try:
                binding, warning = await form.read(user_input)
            except InputRefused as err:
                refused = err
            else:
                # A warning is shown once; submitting the same binding again accepts it.
                if warning is None or binding == self._warned_about:
                    self._entered, self._custom_form, self._warned_about = {}, None, None
                    return await self.finish_with(binding, form.current)
                refused, self._warned_about = warning, binding
        values = user_input or form.values()
        errors = refused.errors if refused else {}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(form.schema(values, errors), values),
            errors=errors,
            description_placeholders={**form.placeholders(), **(refused.placeholders if refused else {})},
        )

    async def _open_form(self, entity: str, current: Binding | None) -> str | None:
        """Load the form for an entity; return the error key if the entity can't be bound."""
        try:
            self._entity_form = await BindingForm.load(
                self.hass, self.bound_entry(), entity, current, owner=self.owner()
            )
        except EntityUnsuitable as err:
            return err.key
        return None

    async def _choice(self, rows: Mapping[str, Binding | Unreadable], *, multiple: bool) -> SelectSelector:
        labels = await Labels.load(self.hass)
        model = StoredDevice(self.bound_entry(), self.owner()).read_thing_model()[0]
        options = [
            SelectOptionDict(
                value=key,
                label=labels.binding(row, model) if isinstance(row, Binding) else unreadable_row(labels, row),
            )
            for key, row in rows.items()
        ]
        mode = SelectSelectorMode.LIST if len(options) <= MAX_SHOWN_AS_LIST else SelectSelectorMode.DROPDOWN
        return SelectSelector(SelectSelectorConfig(options=options, multiple=multiple, mode=mode))
