"""The thing model on its way in: fetched from the cloud or pasted, looked through, saved."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig
import voluptuous as vol

from .alink.codes import describe
from .alink.errors import NotConnected, RequestTimeout, ThingModelError
from .alink.messages import Reply
from .alink.thing_model import ThingModel
from .binding_form import InputRefused
from .const import CONF_PRODUCT_KEY, CONF_THING_MODEL
from .labels import Labels
from .misfits import misfits
from .options_pages import OptionsPages

FETCH_TIMEOUT = 10.0


class ThingModelPages(OptionsPages):
    """Take a thing model over."""

    def __init__(self) -> None:
        """Start without a thing model."""
        super().__init__()
        self._model: ThingModel | None = None

    async def async_step_thing_model_fetch(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask the cloud for the thing model; where it has none to give, ask the user."""
        try:
            return await self._confirm_model(self._acceptable((await self._fetch()).data))
        except InputRefused as refused:
            return self._paste_page(refused, "")

    async def async_step_thing_model_paste(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the thing model as the console exports it."""
        if user_input is None:
            return self._paste_page(None, "")
        text = user_input[CONF_THING_MODEL]
        try:
            return await self._confirm_model(self._acceptable(text))
        except InputRefused as refused:
            return self._paste_page(refused, text)

    async def async_step_thing_model_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Save the thing model after its contents were shown."""
        assert self._model is not None  # noqa: S101 - the page before has set it
        return self.finish({CONF_THING_MODEL: self._model.to_tsl()})

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

    async def _confirm_model(self, model: ThingModel) -> ConfigFlowResult:
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
