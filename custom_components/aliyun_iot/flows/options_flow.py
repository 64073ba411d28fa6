"""Options flow: many bindings at once, the thing model, export and import, and settings.

The running entry applies every change without a reconnect, except for a changed keep-alive.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import UnknownFlow, section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from ..const import (
    CONF_COMMAND_CONDITION,
    CONF_COMMANDS_PER_MINUTE,
    CONF_DESIRED_HOURS,
    CONF_DRY_RUN,
    CONF_KEEP_ALIVE,
    CONF_MONTHLY_QUOTA,
    CONF_OFFLINE_DELAY,
    CONF_UPLINK_RATE,
    CONF_WINDOW,
    DEFAULT_COMMANDS_PER_MINUTE,
    DEFAULT_DESIRED_HOURS,
    DEFAULT_KEEP_ALIVE,
    DEFAULT_OFFLINE_DELAY,
    DEFAULT_UPLINK_RATE,
    DEFAULT_WINDOW,
    DOMAIN,
)
from ..settings import RANGES
from ..stored_device import sub_devices_of
from .cloud_pages import CloudPages
from .condition_field import CONDITION_FIELD, InvalidCondition, read_conditions
from .generate_pages import GeneratePages
from .management_fields import MANAGEMENT_FIELDS, SECTION_MANAGEMENT, read_management
from .thing_model_pages import GUIDED
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
    CONF_OFFLINE_DELAY: _duration("s"),
    CONF_COMMANDS_PER_MINUTE: _COUNT,
}
"""The fields of numbers that are settings."""

_GUIDES: HassKey[dict[str, str]] = HassKey(f"{DOMAIN}_guides")
"""The guided options flows that nobody has opened, by entry."""


async def begin_options(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Start the options flow of a new entry and return its id; it guides to the first values, unless something is bound."""
    guide = None if entry.subentries else GUIDED
    flow_id = (await hass.config_entries.options.async_init(entry.entry_id, data=guide))["flow_id"]
    if guide:
        hass.data.setdefault(_GUIDES, {})[entry.entry_id] = flow_id
    return flow_id


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

GATEWAY_FIELDS: Final = {
    vol.Required(CONF_OFFLINE_DELAY, default=DEFAULT_OFFLINE_DELAY): SETTINGS_FIELDS[CONF_OFFLINE_DELAY]
}
"""The settings of an entry with sub-devices."""


class AliyunOptionsFlow(CloudPages, GeneratePages, TransferPages):
    """A menu with all pages of the options."""

    @override
    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to do; right after the first connection, begin with the thing model."""
        if user_input == GUIDED or self._takes_over():
            return await self.async_step_guide()
        return await super().async_step_init()

    def _takes_over(self) -> bool:
        """Return whether this flow is to replace the guided one, which ends then.

        The frontend starts a new options flow instead of continuing the one that a config flow has named as the next.
        """
        manager = self.hass.config_entries.options
        flow_id = self.hass.data.get(_GUIDES, {}).pop(self.config_entry.entry_id, None)
        if flow_id is None or flow_id == self.flow_id:
            return False
        with suppress(UnknownFlow):
            manager.async_abort(flow_id)
            return True
        return False

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the settings."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                if not (errors := _out_of_range(user_input)):
                    return await self.done("settings", await self._read_settings(user_input))
            except InvalidCondition as err:
                errors, placeholders = {SECTION_COMMANDS: "invalid_condition"}, {"problem": str(err)}
        options = self.config_entry.options
        schema = SETTINGS_SCHEMA.extend(GATEWAY_FIELDS) if sub_devices_of(self.config_entry) else SETTINGS_SCHEMA
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or {**options, SECTION_COMMANDS: options, SECTION_MANAGEMENT: options}
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
            **{field: int(user_input[field]) for field in (CONF_OFFLINE_DELAY,) if field in user_input},
            **read_management(user_input),
        }


def _out_of_range(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the errors of numbers by field; a form can show an error in a section only at the section."""
    commands = user_input[SECTION_COMMANDS]
    entered = {**user_input, **commands}
    return {
        SECTION_COMMANDS if field in commands else field: f"{field}_range"
        for field, (minimum, maximum) in RANGES.items()
        if field in entered and not minimum <= entered[field] <= maximum
    }
