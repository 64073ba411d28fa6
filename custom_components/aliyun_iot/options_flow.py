"""What a device stands for, and how it behaves: bindings, the thing model, settings.

Everything is taken over by the running entry; nothing here reconnects, but for a changed keep-alive.
"""

from collections.abc import Collection
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentry,
)
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from .alink.link import KEEP_ALIVE_RANGE
from .binding_pages import BindingPages
from .const import (
    CONF_KEEP_ALIVE,
    CONF_WINDOW,
    DEFAULT_KEEP_ALIVE,
    DEFAULT_WINDOW,
    SUBENTRY_EXPOSURE,
)
from .exposures import add_bindings, bindings_of, exposed_bindings, store_bindings
from .mapping.binding import Binding
from .selection_pages import SelectionPages
from .thing_model_pages import ThingModelPages

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


class AliyunOptionsFlow(BindingPages[ConfigFlowContext, ConfigFlowResult, str], SelectionPages, ThingModelPages):
    """A menu of everything that can be changed without connecting anew."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to do; there is no editing before there is a binding."""
        existing = ["edit", "remove"] if self.editable() else []
        return self.async_show_menu(
            step_id="init",
            menu_options=["add", "add_one", *existing, "thing_model_fetch", "thing_model_paste", "settings"],
        )

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to behave."""
        if user_input is not None:
            return self.finish({**user_input, CONF_KEEP_ALIVE: int(user_input[CONF_KEEP_ALIVE])})
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
                return self.finish()
        add_bindings(self.hass, self.config_entry, [binding])
        return self.finish()

    @override
    def finish_without(self, identifiers: Collection[str]) -> ConfigFlowResult:
        """Remove bindings, whichever exposures they are in."""
        for subentry in _exposures(self.config_entry):
            rows = bindings_of(subentry)
            kept = [row for row in rows if row.identifier not in identifiers]
            if kept != rows:
                store_bindings(self.hass, self.config_entry, subentry, kept)
        return self.finish()


def _exposures(entry: ConfigEntry) -> list[ConfigSubentry]:
    return [subentry for subentry in entry.subentries.values() if subentry.subentry_type == SUBENTRY_EXPOSURE]
