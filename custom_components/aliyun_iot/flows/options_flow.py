"""Options flow: bindings, the thing model, export and import, and settings.

The running entry applies every change without a reconnect, except for a changed keep-alive.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentry,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
from homeassistant.util.ulid import ulid_now
import voluptuous as vol

from ..const import (
    CONF_COMMAND_CONDITION,
    CONF_COMMANDS_PER_MINUTE,
    CONF_DESIRED_HOURS,
    CONF_DRY_RUN,
    CONF_KEEP_ALIVE,
    CONF_MONTHLY_QUOTA,
    CONF_UPLINK_RATE,
    CONF_WINDOW,
    DEFAULT_COMMANDS_PER_MINUTE,
    DEFAULT_DESIRED_HOURS,
    DEFAULT_KEEP_ALIVE,
    DEFAULT_UPLINK_RATE,
    DEFAULT_WINDOW,
    SUBENTRY_RULE,
)
from ..exposures import add_bindings, exposures_of, put_binding
from ..mapping.binding import Binding
from ..mapping.rule import Rule
from ..mapping.selection import Selection
from ..rules import Changes, carry_out
from ..settings import RANGES
from ..words.labels import Labels
from ..words.rule_title import rule_title
from ..words.status import device_status
from .binding_pages import BindingPages
from .condition_field import CONDITION_FIELD, InvalidCondition, read_conditions
from .generate_pages import GeneratePages
from .management_fields import MANAGEMENT_FIELDS, SECTION_MANAGEMENT
from .selection_pages import Draft, SelectionPages
from .transfer_pages import TransferPages

SECTION_COMMANDS = "commands"


_COUNT = NumberSelector(NumberSelectorConfig(mode=NumberSelectorMode.BOX))


def _duration(unit: str, step: float = 1) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            step=step, unit_of_measurement=unit, translation_key="duration", mode=NumberSelectorMode.BOX
        )
    )


COMMAND_FIELDS = vol.Schema(
    {
        vol.Optional(CONF_COMMAND_CONDITION): CONDITION_FIELD,
        vol.Required(CONF_COMMANDS_PER_MINUTE, default=DEFAULT_COMMANDS_PER_MINUTE): _COUNT,
        vol.Required(CONF_DESIRED_HOURS, default=DEFAULT_DESIRED_HOURS): _duration("h"),
        vol.Required(CONF_DRY_RUN, default=False): BooleanSelector(),
    }
)

# The selectors have no limits, because they report violations in English only.
SETTINGS_FIELDS: Final = {
    CONF_KEEP_ALIVE: _duration("s"),
    CONF_WINDOW: _duration("s", 0.05),
    CONF_UPLINK_RATE: _COUNT,
    CONF_MONTHLY_QUOTA: _COUNT,
    CONF_COMMANDS_PER_MINUTE: _COUNT,
}
"""The fields of numbers that are settings."""

SETTINGS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_KEEP_ALIVE, default=DEFAULT_KEEP_ALIVE): SETTINGS_FIELDS[CONF_KEEP_ALIVE],
        vol.Required(CONF_WINDOW, default=DEFAULT_WINDOW): SETTINGS_FIELDS[CONF_WINDOW],
        vol.Required(CONF_UPLINK_RATE, default=DEFAULT_UPLINK_RATE): SETTINGS_FIELDS[CONF_UPLINK_RATE],
        vol.Required(CONF_MONTHLY_QUOTA, default=0): SETTINGS_FIELDS[CONF_MONTHLY_QUOTA],
        vol.Required(SECTION_COMMANDS): section(COMMAND_FIELDS, {"collapsed": False}),
        vol.Optional(SECTION_MANAGEMENT): section(MANAGEMENT_FIELDS, {"collapsed": True}),
    }
)


class AliyunOptionsFlow(
    BindingPages[ConfigFlowContext, ConfigFlowResult, str],
    SelectionPages[ConfigFlowContext, ConfigFlowResult, str],
    GeneratePages,
    TransferPages,
):
    """A menu with all pages of the options."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to do; bindings can be edited only if there are any."""
        existing = [*(["edit"] if self.editable() else []), *(["remove"] if self.removable() else [])]
        return self.async_show_menu(
            step_id="init",
            menu_options=[
                "select",
                "add_one",
                "custom",
                *existing,
                "thing_model",
                "transfer",
                "settings",
            ],
            description_placeholders={
                "device": self.config_entry.title,
                "status": device_status(await Labels.load(self.hass), self.config_entry),
            },
        )

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the settings."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                if not (errors := _out_of_range(user_input)):
                    return self.finish(await self._read_settings(user_input))
            except InvalidCondition as err:
                errors, placeholders = {SECTION_COMMANDS: "invalid_condition"}, {"problem": str(err)}
        options = self.config_entry.options
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(
                SETTINGS_SCHEMA, user_input or {**options, SECTION_COMMANDS: options, SECTION_MANAGEMENT: options}
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _read_settings(self, user_input: dict[str, Any]) -> dict[str, Any]:
        """Return the entered options; raises InvalidCondition."""
        commands = user_input[SECTION_COMMANDS]
        return {
            CONF_KEEP_ALIVE: int(user_input[CONF_KEEP_ALIVE]),
            CONF_WINDOW: user_input[CONF_WINDOW],
            CONF_UPLINK_RATE: int(user_input[CONF_UPLINK_RATE]),
            CONF_MONTHLY_QUOTA: int(user_input[CONF_MONTHLY_QUOTA]),
            CONF_COMMAND_CONDITION: await read_conditions(self.hass, commands.get(CONF_COMMAND_CONDITION)),
            CONF_COMMANDS_PER_MINUTE: int(commands[CONF_COMMANDS_PER_MINUTE]),
            CONF_DESIRED_HOURS: int(commands[CONF_DESIRED_HOURS]),
            CONF_DRY_RUN: commands[CONF_DRY_RUN],
            **user_input.get(SECTION_MANAGEMENT, {}),
        }

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return the entry of the options."""
        return self.config_entry

    @override
    def exposures(self) -> list[ConfigSubentry]:
        """Return all exposures of the entry."""
        return exposures_of(self.config_entry)

    @override
    def finish_with(self, binding: Binding, replaced: Binding | None) -> ConfigFlowResult:
        """Store a binding in the exposure of its device. No rule removes it any more, because a user edited it."""
        put_binding(self.hass, self.config_entry, replace(binding, rule=""), replaced)
        return self.finish()

    @override
    def finish_after_removal(self) -> ConfigFlowResult:
        """Finish."""
        return self.finish()

    @override
    def first_draft(self) -> Draft:
        """Return an empty selection that is bound once."""
        return Draft(ulid_now(), Rule(Selection()), follow=False)

    @override
    def asks_to_follow(self) -> bool:
        """Return True: the user chooses between binding once and a rule."""
        return True

    @override
    async def finish_draft(self, draft: Draft, changes: Changes) -> ConfigFlowResult:
        """Bind what was previewed, as the user's own bindings or by a new rule."""
        if draft.follow:
            rule = ConfigSubentry(
                data=MappingProxyType(draft.rule.as_dict()),
                subentry_id=draft.rule_id,
                subentry_type=SUBENTRY_RULE,
                title=await rule_title(await Labels.load(self.hass), draft.rule.selection.include),
                unique_id=None,
            )
            self.hass.config_entries.async_add_subentry(self.config_entry, rule)
            carry_out(self.hass, self.config_entry, changes)
        else:
            bound = [replace(binding, rule="") for binding in changes.added if binding.rule == draft.rule_id]
            add_bindings(self.hass, self.config_entry, bound)
        return self.finish()


def _out_of_range(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the errors of numbers by field; a form can show an error in a section only at the section."""
    commands = user_input[SECTION_COMMANDS]
    return {
        SECTION_COMMANDS if field in commands else field: f"{field}_range"
        for field, (minimum, maximum) in RANGES.items()
        if not minimum <= {**user_input, **commands}[field] <= maximum
    }
