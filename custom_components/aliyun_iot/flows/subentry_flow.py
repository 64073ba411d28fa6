"""Subentry flows for an exposed device and for a service of the thing model."""

from dataclasses import replace
from typing import Any, override

from homeassistant.components.script import DOMAIN as SCRIPT_DOMAIN
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.helpers.selector import (
    ActionSelector,
    EntitySelector,
    EntitySelectorConfig,
)
import voluptuous as vol

from ..commands.running import problem_of
from ..const import SUBENTRY_SERVICE
from ..exposures import (
    CUSTOM_EXPOSURE,
    TITLE_JOINT,
    entity_reference,
    exposure_data,
    exposure_key,
    exposure_name,
    exposure_title,
    put_binding,
    resolve_entity,
    service_bindings,
)
from ..mapping.binding import Binding, ServiceBinding
from ..mapping.stored import Unreadable
from ..mapping.validators import valid_identifier
from ..stored_device import thing_model_of
from ..stored_faults import stored_faults
from ..words.fault_texts import row_reason, unreadable_row
from ..words.labels import Labels
from ..words.markdown import Markdown
from ..words.model_texts import bullets
from .binding_fields import CONF_ACTIONS, CONF_CONDITION, CONF_IDENTIFIER, choice
from .binding_pages import BindingPages
from .condition_field import CONDITION_FIELD, InvalidCondition, read_conditions
from .device_choice import DeviceChoice

CONF_SCRIPT = "script"

RUN_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_SCRIPT): EntitySelector(EntitySelectorConfig(filter={"domain": SCRIPT_DOMAIN})),
        vol.Optional(CONF_ACTIONS): ActionSelector(),
        vol.Optional(CONF_CONDITION): CONDITION_FIELD,
    }
)


class ExposureFlow(BindingPages[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow):
    """Bind entities one at a time, and change the bindings of one device or of an entity without a device."""

    _done: Markdown | str = ""
    """What the last page has done."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask whether to bind an entity, or a template or actions."""
        return self.async_show_menu(step_id="user", menu_options=["add_one", "custom"])

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what was done and what is bound, and ask what to do with the device."""
        labels = await Labels.load(self.hass)
        model = thing_model_of(self.bound_entry())
        bound = [
            labels.binding(row, model) if isinstance(row, Binding) else unreadable_row(labels, row)
            for row in self.removable().values()
        ]
        exposure = self._get_reconfigure_subentry()
        add = ["custom"] if exposure.unique_id == CUSTOM_EXPOSURE.unique_id else []
        add = add or (["add_one"] if self._entities_of_device() else [])
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=[*add, *(["edit"] if self.editable() else []), "remove"],
            description_placeholders={
                "device": exposure_name(self.hass, exposure),
                "done": self._done,
                "bindings": bullets(labels, bound),
            },
        )

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return the entry that the subentry is part of."""
        return self._get_entry()

    @override
    def exposures(self) -> list[ConfigSubentry]:
        """Return the exposure, unless it was removed meanwhile."""
        exposure = self.bound_entry().subentries.get(self._reconfigure_subentry_id)
        return [exposure] if exposure else []

    @override
    def selectable(self) -> EntitySelectorConfig:
        """Return all entities for a new exposure, those of the device for an existing one."""
        if self.source == SOURCE_USER:
            return super().selectable()
        return EntitySelectorConfig(include_entities=self._entities_of_device())

    @override
    async def finish_with(self, binding: Binding, replaced: Binding | None) -> SubentryFlowResult:
        """Create the exposure with its first binding, or store a binding in it; no rule removes it any more."""
        binding = replace(binding, rule="")
        key = exposure_key(self.hass, binding.entity)
        exposed = {subentry.unique_id for subentry in self.bound_entry().subentries.values()}
        if self.source == SOURCE_USER and key.unique_id not in exposed:
            return self.async_create_entry(
                title=exposure_title(key.title, [binding]), data=exposure_data([binding]), unique_id=key.unique_id
            )
        put_binding(self.hass, self.bound_entry(), binding, replaced)
        if self.source == SOURCE_USER:
            return self.async_abort(reason="reconfigure_successful")
        return await self._return("saved", identifier=binding.identifier)

    @override
    async def finish_after_removal(self, count: int) -> SubentryFlowResult:
        """Return to the menu, unless the exposure was removed with its last row."""
        return await self._return("removed", count=str(count))

    async def _return(self, key: str, **placeholders: str) -> SubentryFlowResult:
        """Return to the menu and show the text `common.done_KEY`; the exposure may be gone."""
        if self._reconfigure_subentry_id not in self.bound_entry().subentries:
            return self.async_abort(reason="removed")
        self._done = (await Labels.load(self.hass)).markdown(f"common.done_{key}", **placeholders)
        return await self.async_step_reconfigure()

    def _entities_of_device(self) -> list[str]:
        exposure = self._get_reconfigure_subentry().unique_id
        return [
            state.entity_id
            for state in self.hass.states.async_all()
            if exposure_key(self.hass, entity_reference(self.hass, state.entity_id)).unique_id == exposure
        ]


class ServiceFlow(DeviceChoice):
    """Bind a service of the thing model to a script or a sequence of actions."""

    def __init__(self) -> None:
        """Start without a service."""
        self._identifier = ""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the service."""
        if self.asks_for_device():
            return await self.async_step_device()
        entry, model = self._get_entry(), self.model
        bound = {
            *service_bindings(entry, self.owner),
            *(fault.name for fault in stored_faults(entry, owner=self.owner) if fault.kind == SUBENTRY_SERVICE),
        }
        free = [service for service in model.services.values() if service.identifier not in bound] if model else []
        if model and not free:
            return self.async_abort(reason="no_free_service")
        errors: dict[str, str] = {}
        if user_input is not None:
            self._identifier = user_input[CONF_IDENTIFIER].strip()
            try:
                valid_identifier(self._identifier)
            except vol.Invalid:
                errors = {CONF_IDENTIFIER: "invalid_identifier"}
            else:
                if self._identifier not in bound:
                    return await self.async_step_run()
                errors = {CONF_IDENTIFIER: "identifier_taken"}
        labels = await Labels.load(self.hass)
        services = choice(
            ((service.identifier, labels.service(service)) for service in free), custom_value=model is None
        )
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_IDENTIFIER): services}), user_input
            ),
            errors=errors,
            description_placeholders={CONF_IDENTIFIER: self._identifier},
            last_step=False,
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Continue with what the service runs."""
        if not isinstance(binding := self._stored(), ServiceBinding):
            reason = row_reason(await Labels.load(self.hass), binding)
            return self.async_abort(reason="unreadable", description_placeholders={"reason": reason})
        self._identifier, self._owner = binding.identifier, binding.owner
        return await self.async_step_run()

    async def async_step_run(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the script or the actions."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        values = user_input
        if user_input is not None:
            script = user_input.get(CONF_SCRIPT)
            actions: list[dict[str, Any]] = user_input.get(CONF_ACTIONS) or []
            try:
                condition = await read_conditions(self.hass, user_input.get(CONF_CONDITION))
            except InvalidCondition as err:
                errors, placeholders = {CONF_CONDITION: "invalid_condition"}, {"problem": str(err)}
            else:
                if bool(script) == bool(actions):
                    errors = {"base": "script_or_actions"}
                elif problem := await problem_of(self.hass, actions):
                    errors, placeholders = {CONF_ACTIONS: "invalid_actions"}, {"problem": problem}
                else:
                    reference = entity_reference(self.hass, script) if script else None
                    return self._finish(ServiceBinding(self._identifier, actions, reference, condition, self.owner))
        elif self.source == SOURCE_RECONFIGURE:
            values = self._current_values()
        return self.async_show_form(
            step_id="run",
            data_schema=self.add_suggested_values_to_schema(RUN_SCHEMA, values),
            errors=errors,
            description_placeholders={**await self._description(), **placeholders},
        )

    def _stored(self) -> ServiceBinding | Unreadable:
        return ServiceBinding.from_stored(self._get_reconfigure_subentry().data)

    def _current_values(self) -> dict[str, Any]:
        binding = self._stored()
        if not isinstance(binding, ServiceBinding):  # it was changed meanwhile
            return {}
        script = resolve_entity(self.hass, binding.script) if binding.script else None
        run: dict[str, Any] = {CONF_SCRIPT: script} if script else {CONF_ACTIONS: binding.actions}
        return {**run, CONF_CONDITION: binding.condition} if binding.condition else run

    async def _description(self) -> dict[str, str]:
        """Return the placeholders for the variables of the actions and for their response."""
        labels = await Labels.load(self.hass)
        model = self.model
        service = model.services.get(self._identifier) if model else None
        if service is None:
            unknown = labels.text("common.unknown_parameters")
            return {"service": self._identifier, "input": unknown, "output": unknown}
        return {
            "service": labels.service(service),
            "input": labels.parameters(service.input) or labels.text("common.no_parameters"),
            "output": labels.parameters(service.output) or labels.text("common.no_parameters"),
        }

    def _finish(self, binding: ServiceBinding) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), data=binding.as_dict()
            )
        of_sub_device = (self.device.title,) if self.owner else ()
        return self.async_create_entry(
            title=TITLE_JOINT.join([*of_sub_device, binding.identifier]),
            data=binding.as_dict(),
            unique_id=":".join(filter(None, (SUBENTRY_SERVICE, self.owner, binding.identifier))),
        )
