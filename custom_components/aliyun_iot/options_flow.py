"""What a device stands for, and how it behaves: bindings, the thing model, settings.

Everything is taken over by the running entry; nothing here reconnects, but for a changed keep-alive.
"""

from collections.abc import Collection, Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentry,
    OptionsFlow,
)
from homeassistant.helpers.selector import (
    EntitySelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .alink.codes import describe
from .alink.errors import NotConnected, RequestTimeout, ThingModelError
from .alink.link import KEEP_ALIVE_RANGE
from .alink.messages import Reply
from .alink.thing_model import ThingModel
from .binding_form import InputRefused
from .binding_pages import BindingPages
from .const import (
    CONF_BINDINGS,
    CONF_KEEP_ALIVE,
    CONF_PRODUCT_KEY,
    CONF_THING_MODEL,
    CONF_WINDOW,
    DEFAULT_KEEP_ALIVE,
    DEFAULT_WINDOW,
    SUBENTRY_EXPOSURE,
)
from .exposures import add_bindings, bindings_of, entity_reference, exposed_bindings, resolve_entity, store_bindings
from .labels import Labels
from .mapping.binding import Binding
from .mapping.suggest import Suggestion, suggest_all
from .misfits import misfits
from .runtime import AliyunConfigEntry, thing_model_of

CONF_ENTITIES = "entities"
FETCH_TIMEOUT = 10.0
LONGEST_WINDOW = 10

SETTINGS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_KEEP_ALIVE, default=DEFAULT_KEEP_ALIVE): NumberSelector(
            NumberSelectorConfig(
                min=KEEP_ALIVE_RANGE[0],
                max=KEEP_ALIVE_RANGE[-1],
                unit_of_measurement="s",
                mode=NumberSelectorMode.BOX,
            )
        ),
        vol.Required(CONF_WINDOW, default=DEFAULT_WINDOW): NumberSelector(
            NumberSelectorConfig(
                min=0, max=LONGEST_WINDOW, step=0.05, unit_of_measurement="s", mode=NumberSelectorMode.BOX
            )
        ),
    }
)


class AliyunOptionsFlow(BindingPages[ConfigFlowContext, ConfigFlowResult, str], OptionsFlow):
    """A menu of everything that can be changed without connecting anew."""

    config_entry: AliyunConfigEntry

    def __init__(self) -> None:
        """Start with nothing chosen."""
        super().__init__()
        self._entities: list[str] = []
        self._model: ThingModel | None = None

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to do; there is no editing before there is a binding."""
        existing = ["edit", "remove"] if self.editable() else []
        return self.async_show_menu(
            step_id="init",
            menu_options=["add", "add_one", *existing, "thing_model_fetch", "thing_model_paste", "settings"],
        )

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
        schema = vol.Schema({vol.Required(CONF_ENTITIES): EntitySelector({**self.selectable(), "multiple": True})})
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
                return self._finish()
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

    async def async_step_thing_model_fetch(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask the cloud for the thing model; where it has none to give, ask the user."""
        try:
            return await self._confirm(self._acceptable((await self._fetch()).data))
        except InputRefused as refused:
            return self._paste_page(refused, "")

    async def async_step_thing_model_paste(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the thing model as the console exports it."""
        if user_input is None:
            return self._paste_page(None, "")
        text = user_input[CONF_THING_MODEL]
        try:
            return await self._confirm(self._acceptable(text))
        except InputRefused as refused:
            return self._paste_page(refused, text)

    async def async_step_thing_model_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Save the thing model after its contents were shown."""
        assert self._model is not None  # noqa: S101 - the page before has set it
        return self._finish({CONF_THING_MODEL: self._model.to_tsl()})

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to behave."""
        if user_input is not None:
            return self._finish({**user_input, CONF_KEEP_ALIVE: int(user_input[CONF_KEEP_ALIVE])})
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(SETTINGS_SCHEMA, self.config_entry.options),
        )

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return the entry whose options these are."""
        return self.config_entry

    @override
    def editable(self) -> list[Binding]:
        """Return all bindings of the entry."""
        return exposed_bindings(self.config_entry)

    @override
    def finish_with(self, binding: Binding, replaced: Binding | None) -> ConfigFlowResult:
        """Store a binding in the exposure of its device."""
        for subentry in _exposures(self.config_entry):
            rows = bindings_of(subentry)
            if replaced in rows:
                kept = [binding if row == replaced else row for row in rows]
                store_bindings(self.hass, self.config_entry, subentry, kept)
                return self._finish()
        add_bindings(self.hass, self.config_entry, [binding])
        return self._finish()

    @override
    def finish_without(self, identifiers: Collection[str]) -> ConfigFlowResult:
        """Remove bindings, whichever exposures they are in."""
        for subentry in _exposures(self.config_entry):
            rows = bindings_of(subentry)
            kept = [row for row in rows if row.identifier not in identifiers]
            if kept != rows:
                store_bindings(self.hass, self.config_entry, subentry, kept)
        return self._finish()

    def _finish(self, changed: Mapping[str, Any] | None = None) -> ConfigFlowResult:
        return self.async_create_entry(data={**self.config_entry.options, **(changed or {})})

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

    async def _fetch(self) -> Reply:
        """Return the cloud's reply with the thing model in it; raises InputRefused."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            raise InputRefused({"base": "not_connected"})
        try:
            reply = await self.config_entry.runtime_data.link.fetch_thing_model(FETCH_TIMEOUT)
        except NotConnected as err:
            raise InputRefused({"base": "not_connected"}) from err
        except RequestTimeout as err:
            raise InputRefused({"base": "no_answer"}) from err
        if not reply.ok:
            meaning = describe(reply.code, self.hass.config.language)
            raise InputRefused({"base": "fetch_refused"}, {"code": str(reply.code), "meaning": meaning})
        return reply

    def _acceptable(self, document: object) -> ThingModel:
        """Return the thing model that a document describes, if it is one for this product; raises InputRefused."""
        try:
            model = ThingModel.parse(document)
        except ThingModelError as err:
            error = "invalid_thing_model" if err.path else "not_a_thing_model"
            raise InputRefused({"base": error}, {"path": err.path, "problem": err.problem}) from err
        product_key = self.config_entry.data[CONF_PRODUCT_KEY]
        if model.product_key not in (None, product_key):
            raise InputRefused({"base": "other_product"}, {"found": str(model.product_key), "wanted": product_key})
        return model

    def _paste_page(self, refused: InputRefused | None, text: str) -> ConfigFlowResult:
        schema = vol.Schema({vol.Required(CONF_THING_MODEL): TextSelector(TextSelectorConfig(multiline=True))})
        return self.async_show_form(
            step_id="thing_model_paste",
            data_schema=self.add_suggested_values_to_schema(schema, {CONF_THING_MODEL: text}),
            errors=refused.errors if refused else {},
            description_placeholders=refused.placeholders if refused else {},
            last_step=False,
        )

    async def _confirm(self, model: ThingModel) -> ConfigFlowResult:
        """Show what is in a thing model, and what it would break."""
        self._model = model
        labels = await Labels.load(self.hass)
        lost = misfits(labels, self.config_entry, model)
        return self.async_show_form(
            step_id="thing_model_confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "properties": str(len(model.properties)),
                "events": str(len(model.events)),
                "services": str(len(model.services)),
                "misfits": labels.text("common.misfits", list="\n".join(f"- {one}" for one in lost)) if lost else "",
            },
        )


def _exposures(entry: ConfigEntry) -> list[ConfigSubentry]:
    return [subentry for subentry in entry.subentries.values() if subentry.subentry_type == SUBENTRY_EXPOSURE]
