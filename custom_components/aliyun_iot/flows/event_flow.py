"""Subentry flow for an event of the thing model: its source and its output parameters."""

from dataclasses import replace
from typing import Any, Final

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
    TemplateSelector,
    TriggerSelector,
)
import voluptuous as vol

from ..alink.model.thing_model import Event
from ..exposures import entity_reference, event_bindings, event_title, resolve_entity
from ..mapping.event_binding import EventBinding
from ..mapping.event_output import EventOutput
from ..mapping.validators import valid_identifier
from ..reports.events import Triggers, valid_triggers
from ..words.fault_texts import row_reason
from ..words.labels import Labels
from ..words.markdown import code, joined
from .binding_fields import CONF_ENTITY, CONF_IDENTIFIER, choice
from .device_choice import DeviceChoice

CONF_TRIGGERS: Final = "triggers"
CONF_OUTPUT: Final = "output"

_ENTITY_SCHEMA = vol.Schema(
    {vol.Required(CONF_ENTITY): EntitySelector(EntitySelectorConfig(filter={"domain": EVENT_DOMAIN}))}
)
_TRIGGER_SCHEMA = vol.Schema({vol.Required(CONF_TRIGGERS): TriggerSelector()})


class EventFlow(DeviceChoice):
    """Bind an event of the thing model to an event entity or to triggers."""

    def __init__(self) -> None:
        """Start without an event."""
        self._binding = EventBinding("")

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the event."""
        if self.asks_for_device():
            return await self.async_step_device()
        model = self.model
        if model and not model.events:
            return self.async_abort(reason="no_event")
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                self._binding = EventBinding(valid_identifier(user_input[CONF_IDENTIFIER].strip()), owner=self.owner)
            except vol.Invalid:
                errors = {CONF_IDENTIFIER: "invalid_identifier"}
            else:
                return await self.async_step_source()
        labels = await Labels.load(self.hass)
        known = model.events.values() if model else ()
        events = choice(((event.identifier, labels.event(event)) for event in known), custom_value=model is None)
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_IDENTIFIER): events}), user_input
            ),
            errors=errors,
            last_step=False,
        )

    async def async_step_source(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the kind of source."""
        return self.async_show_menu(step_id="source", menu_options=["entity", "trigger"])

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to change."""
        binding = EventBinding.from_stored(self._get_reconfigure_subentry().data)
        if not isinstance(binding, EventBinding):
            reason = row_reason(await Labels.load(self.hass), binding)
            return self.async_abort(reason="unreadable", description_placeholders={"reason": reason})
        self._binding, self._owner = binding, binding.owner
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=["output", "entity", "trigger"],
            description_placeholders={"event": self._get_reconfigure_subentry().title},
        )

    async def async_step_entity(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the event entity."""
        if user_input is not None:
            reference = entity_reference(self.hass, user_input[CONF_ENTITY])
            self._binding = replace(self._binding, entity=reference, triggers=[])
            return await self.async_step_output()
        entity_id = resolve_entity(self.hass, self._binding.entity) if self._binding.entity else None
        return self.async_show_form(
            step_id="entity",
            data_schema=self.add_suggested_values_to_schema(_ENTITY_SCHEMA, {CONF_ENTITY: entity_id}),
            last_step=False,
        )

    async def async_step_trigger(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the triggers."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        values = {CONF_TRIGGERS: self._binding.triggers}
        if user_input is not None:
            triggers = _as_written(user_input[CONF_TRIGGERS])
            values = {CONF_TRIGGERS: triggers}
            try:
                valid = await valid_triggers(self.hass, triggers)
            except (vol.Invalid, HomeAssistantError) as err:
                errors, placeholders = {CONF_TRIGGERS: "invalid_triggers"}, {"problem": str(err)}
            else:
                if valid:
                    self._binding = replace(self._binding, entity="", triggers=triggers)
                    return await self.async_step_output()
                errors = {CONF_TRIGGERS: "triggers_missing"}
        return self.async_show_form(
            step_id="trigger",
            data_schema=self.add_suggested_values_to_schema(_TRIGGER_SCHEMA, values),
            errors=errors,
            description_placeholders=placeholders,
            last_step=False,
        )

    async def async_step_output(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the output parameters of the event."""
        labels = await Labels.load(self.hass)
        model = self.model
        event = model.events.get(self._binding.identifier) if model else None
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        values: dict[str, Any] = {CONF_OUTPUT: self._binding.output}
        if user_input is not None:
            values = user_input
            try:
                return self._finish(_output(user_input.get(CONF_OUTPUT) or {}, event))
            except vol.Invalid as err:
                errors, placeholders = {CONF_OUTPUT: "invalid_output"}, {"problem": str(err)}
        variables = ["trigger"] if self._binding.triggers else ["event_type", "attributes", "entity_id"]
        known = labels.parameters(event.output) or labels.text("common.no_parameters") if event else None
        return self.async_show_form(
            step_id="output",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Optional(CONF_OUTPUT): _output_selector(labels, event)}), values
            ),
            errors=errors,
            description_placeholders={
                "event": labels.event(event) if event else self._binding.identifier,
                "variables": joined(map(code, variables), labels.comma),
                "output": known or labels.text("common.unknown_parameters"),
                **placeholders,
            },
        )

    def _finish(self, output: dict[str, Any]) -> SubentryFlowResult:
        binding = replace(self._binding, output=output)
        changed = self._get_reconfigure_subentry() if self.source == SOURCE_RECONFIGURE else None
        others = event_bindings(self._get_entry(), self.owner)
        if changed:
            others.pop(changed.subentry_id, None)
        if binding in others.values():
            return self.async_abort(reason="already_configured")
        title = event_title(self.hass, binding)
        if changed:
            return self.async_update_and_abort(self._get_entry(), changed, title=title, data=binding.as_dict())
        return self.async_create_entry(title=title, data=binding.as_dict())


def _as_written(triggers: Triggers) -> Triggers:
    """Return triggers as automations store them; the selector returns the older key `platform`."""
    return [
        {"trigger": trigger["platform"], **{key: value for key, value in trigger.items() if key != "platform"}}
        if "platform" in trigger
        else trigger
        for trigger in triggers
    ]


def _output(entered: object, event: Event | None) -> dict[str, Any]:
    """Return the entered output parameters without empty ones; raises vol.Invalid."""
    if not isinstance(entered, dict):
        raise vol.Invalid("expected parameters with their values")
    output = {
        str(name): value
        for name, value in entered.items()
        if value not in (None, "") and (event is None or name in event.output)
    }
    EventOutput.of(output)
    return output


def _output_selector(labels: Labels, event: Event | None) -> ObjectSelector:
    """Return the field for the output: a template for each parameter, or any object without a thing model."""
    if event is None or not event.output:
        return ObjectSelector()
    return ObjectSelector(
        ObjectSelectorConfig(
            fields={
                name: ObjectSelectorField(label=labels.parameter(field), selector=TemplateSelector())
                for name, field in event.output.items()
            }
        )
    )
