"""What a device stands for, and how it behaves: bindings, the thing model, settings.

Everything is taken over by the running entry; nothing here reconnects, but for a changed keep-alive.
"""

from collections.abc import Collection, Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowContext, ConfigFlowResult, OptionsFlow
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
from .runtime import AliyunConfigEntry, thing_model_of

CONF_ENTITIES = "entities"
FETCH_TIMEOUT = 10.0
LONGEST_WINDOW = 10


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
