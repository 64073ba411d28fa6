"""Pages that fetch, paste or upload a thing model, show what changes, and store it."""

from abc import abstractmethod
import asyncio
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import FileSelector, FileSelectorConfig, TextSelector, TextSelectorConfig
import voluptuous as vol

from ..alink.codes import describe
from ..alink.errors import NotConnected, RequestTimeout, ThingModelError
from ..alink.model.changes import model_changes
from ..alink.model.file import MAX_FILE, parse_file
from ..alink.model.thing_model import ThingModel
from ..const import CONF_PRODUCT_KEY, CONF_THING_MODEL, OWN
from ..exposures import exposed_bindings, service_bindings
from ..log_text import first_of
from ..runtime import AliyunConfigEntry
from ..stored_device import StoredDevice, model_document, options_with_model, read_thing_model
from ..words.labels import Labels
from ..words.markdown import paragraphs
from ..words.misfits import misfits, new_warnings
from ..words.model_texts import bullets, changes_in_words
from ..words.status import connection_status
from .binding_fields import InputRefused
from .options_pages import OptionsPages
from .uploads import take_upload

FETCH_TIMEOUT = 10.0
"""Seconds to wait for the cloud's reply."""

GUIDED: Final = {"guided": True}
"""The input of the first step right after the first connection."""

MAX_NAMED: Final = 10
"""Properties of a thing model that are named where it is offered."""

WAYS_IN: Final = ("thing_model_fetch", "thing_model_upload", "thing_model_paste")

CONF_FILE = "file"

PASTE_SCHEMA = vol.Schema({vol.Required(CONF_THING_MODEL): TextSelector(TextSelectorConfig(multiline=True))})
UPLOAD_SCHEMA = vol.Schema({vol.Required(CONF_FILE): FileSelector(FileSelectorConfig(accept=".json,.txt,.zip"))})


class ThingModelPages(OptionsPages):
    """Store a thing model, or remove the stored one."""

    def __init__(self) -> None:
        """Start without a thing model."""
        super().__init__()
        self.without_model = False
        """Whether the user wants to bind without a thing model."""
        self._model: ThingModel | None = None
        self._fetching: asyncio.Task[ThingModel | str] | None = None
        self._reason = ""
        self._binds_next = False

    @abstractmethod
    async def async_step_select(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the entities to bind."""

    async def async_step_guide(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin right after the first connection: fetch the thing model, use it, and bind."""
        self._binds_next = True
        if model_document(self.config_entry):
            return await self.async_step_init()
        return await self.async_step_thing_model_fetch()

    async def async_step_thing_model(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to get a thing model, or whether to generate or remove one."""
        something_bound = exposed_bindings(self.config_entry) or service_bindings(self.config_entry)
        # A generated thing model has the definitions of the present one, so all of them have to be known.
        complete = not read_thing_model(self.config_entry)[1]
        generate = ["thing_model_generate"] if something_bound and complete else []
        forget = ["thing_model_forget"] if model_document(self.config_entry) else []
        return self.async_show_menu(
            step_id="thing_model",
            menu_options=[*WAYS_IN, *generate, *forget, "overview"],
            description_placeholders=self.state(await Labels.load(self.hass)),
        )

    async def async_step_overview(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Return to the first menu."""
        self._binds_next = False
        return await self.done()

    async def async_step_unmodelled(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what binding without a thing model means, and offer to get one first."""
        self._binds_next = True
        return self.async_show_menu(step_id="unmodelled", menu_options=[*WAYS_IN, "select_anyway", "overview"])

    async def async_step_select_anyway(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Bind without a thing model."""
        self.without_model = True
        return await self.async_step_select()

    async def async_step_thing_model_fetch(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Fetch the thing model from the cloud."""
        if self._fetching is None:
            self._fetching = self.work_on(self._fetch, "Aliyun thing model")
        if self._fetching.done():
            return self.async_show_progress_done(next_step_id="thing_model_fetched")
        return self.async_show_progress(
            step_id="thing_model_fetch",
            progress_action="thing_model_fetch",
            progress_task=self._fetching,
            description_placeholders={"device": self.config_entry.title},
        )

    async def async_step_thing_model_fetched(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the thing model, or why there is none and the other ways to get it."""
        assert self._fetching is not None  # noqa: S101 - set by the previous page
        fetched, self._fetching = self._fetching.result(), None
        if isinstance(fetched, ThingModel):
            return await self.confirm_model(fetched)
        self._reason = fetched
        return await self.async_step_thing_model_unavailable()

    async def async_step_thing_model_unavailable(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show why there is no thing model, and the other ways to get it."""
        anyway = ["select_anyway"] if self._binds_next else []
        return self.async_show_menu(
            step_id="thing_model_unavailable",
            menu_options=["thing_model_upload", "thing_model_paste", "thing_model_fetch", *anyway, "overview"],
            description_placeholders={"reason": self._reason},
        )

    async def async_step_thing_model_offer(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether to use the thing model that the cloud has."""
        assert self._model is not None  # noqa: S101 - set by the previous page
        labels = await Labels.load(self.hass)
        names = [prop.name for prop in self._model.properties.values()]
        named = labels.listed(first_of(names, MAX_NAMED, labels.language))
        return self.async_show_menu(
            step_id="thing_model_offer",
            menu_options=["thing_model_use", "thing_model_upload", "thing_model_paste", "overview"],
            description_placeholders={
                "device": self.config_entry.title,
                "status": connection_status(labels, self.config_entry),
                "defined": labels.counted("common.offer_properties", len(names), names=named)
                if names
                else labels.text("common.offer_nothing"),
            },
        )

    async def async_step_thing_model_use(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Use the offered thing model."""
        return await self.async_step_thing_model_confirm()

    async def async_step_thing_model_paste(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the thing model as text."""
        if user_input is None:
            return self._model_form("thing_model_paste", PASTE_SCHEMA)
        try:
            return await self.confirm_model(
                await acceptable(self.hass, self.config_entry.data[CONF_PRODUCT_KEY], user_input[CONF_THING_MODEL])
            )
        except InputRefused as refused:
            return self._model_form("thing_model_paste", PASTE_SCHEMA, refused, user_input)

    async def async_step_thing_model_upload(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the thing model as a file; after an error it has to be chosen again, because it can be read once."""
        if user_input is None:
            return self._model_form("thing_model_upload", UPLOAD_SCHEMA)
        try:
            content = await self.hass.async_add_executor_job(take_upload, self.hass, user_input[CONF_FILE], MAX_FILE)
            return await self.confirm_model(
                await acceptable(self.hass, self.config_entry.data[CONF_PRODUCT_KEY], content)
            )
        except FileNotFoundError:
            return self._model_form("thing_model_upload", UPLOAD_SCHEMA, InputRefused({CONF_FILE: "file_gone"}))
        except InputRefused as refused:
            return self._model_form("thing_model_upload", UPLOAD_SCHEMA, refused)

    async def async_step_thing_model_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Store the thing model after its contents were shown."""
        assert self._model is not None  # noqa: S101 - set by the previous page
        properties = len(self._model.properties)
        changed = options_with_model(self.config_entry, self._model.to_tsl())
        if self._binds_next and properties:
            self._binds_next = False
            self.store(changed)
            return await self.async_step_select()
        return await self.done("model", changed, count=str(properties))

    async def async_step_thing_model_forget(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Remove the stored thing model after the consequences were explained."""
        if user_input is None:
            return self.async_show_form(step_id="thing_model_forget", data_schema=vol.Schema({}))
        return await self.done("model_forgotten", options_with_model(self.config_entry, None))

    async def confirm_model(self, model: ThingModel) -> ConfigFlowResult:
        """Show the contents of a thing model, the changes from the present one, and the consequences for bindings."""
        self._model = model
        if self._binds_next and not exposed_bindings(self.config_entry):
            return await self.async_step_thing_model_offer()
        labels = await Labels.load(self.hass)
        return self.async_show_form(
            step_id="thing_model_confirm",
            data_schema=vol.Schema({}),
            description_placeholders=model_placeholders(labels, self.config_entry, model),
        )

    async def _fetch(self) -> ThingModel | str:
        """Return the thing model that the cloud has, or the text that says why there is none.

        It raises nothing, because nobody is there to take an exception when the dialog has been closed.
        """
        try:
            return await fetch_thing_model(self.hass, self.config_entry)
        except InputRefused as refused:
            labels = await Labels.load(self.hass)
            return labels.text(f"options.error.{refused.errors['base']}", **refused.placeholders)

    def _model_form(
        self,
        step_id: str,
        schema: vol.Schema,
        refused: InputRefused | None = None,
        values: dict[str, Any] | None = None,
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=refused.errors if refused else {},
            description_placeholders=refused.placeholders if refused else {},
            last_step=False,
        )


async def fetch_thing_model(hass: HomeAssistant, entry: AliyunConfigEntry, owner: str = OWN) -> ThingModel:
    """Return the thing model that the cloud has of a device of an entry; raises InputRefused."""
    device = entry.runtime_data.cloud_device(owner) if entry.state is ConfigEntryState.LOADED else None
    if device is None:
        raise InputRefused({"base": "not_connected"})
    try:
        reply = await device.device.fetch_thing_model(FETCH_TIMEOUT)
    except NotConnected as err:
        raise InputRefused({"base": "not_connected"}) from err
    except RequestTimeout as err:
        raise InputRefused({"base": "no_answer"}) from err
    if not reply.ok:
        meaning = describe(reply.code, hass.config.language)
        raise InputRefused({"base": "fetch_refused"}, {"code": str(reply.code), "meaning": meaning})
    return await acceptable(hass, device.stored.product_key, reply.data)


def model_placeholders(labels: Labels, entry: ConfigEntry, model: ThingModel, owner: str = OWN) -> dict[str, str]:
    """Return the contents of a thing model, the changes from the present one, and the consequences for bindings."""
    present = StoredDevice(entry, owner).read_thing_model()[0]
    lost = misfits(labels, entry, model, owner)
    differing = new_warnings(labels, entry, present, model, owner)
    missing = bullets(labels, model.missing_modules)
    parts = (
        labels.markdown("common.missing_modules", list=missing) if missing else "",
        changes_in_words(labels, model_changes(present, model)) if present else "",
        labels.markdown("common.misfits", list=bullets(labels, lost)) if lost else "",
        labels.markdown("common.model_warnings", list=bullets(labels, differing)) if differing else "",
    )
    return {
        "properties": str(len(model.properties)),
        "events": str(len(model.events)),
        "services": str(len(model.services)),
        "consequences": paragraphs(parts),
    }


async def acceptable(hass: HomeAssistant, product_key: str, document: object) -> ThingModel:
    """Return the thing model of a document or of the content of a file.

    Raises InputRefused if it is invalid or belongs to another product.
    """
    try:
        model = await hass.async_add_executor_job(_parse, document)
    except ThingModelError as err:
        error = "invalid_thing_model" if err.path else "not_a_thing_model"
        problem = err.describe(hass.config.language)
        raise InputRefused({"base": error}, {"path": err.path, "problem": problem}) from err
    if model.product_key not in (None, product_key):
        raise InputRefused({"base": "other_product"}, {"found": str(model.product_key), "wanted": product_key})
    return model


def _parse(document: object) -> ThingModel:
    return parse_file(document) if isinstance(document, bytes) else ThingModel.parse(document)
