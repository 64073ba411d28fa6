"""Pages that export the mapping, and import one from a text or a file."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..downloads import download_link
from ..mapping.document.difference import Mode
from ..mapping.document.document import Document
from ..mapping.document.fault import DocumentError
from ..mapping.document.text import MAX_SIZE, read_text, write_text
from ..stored_device import thing_model_of
from ..transfer import MAPPING_DOWNLOAD, ImportPlan, async_carry_out, mapping_document, plan_import
from ..words.labels import Labels
from ..words.transfer_texts import Models, changes_text, faults_text, warnings, warnings_text
from .options_pages import OptionsPages
from .uploads import take_upload

CONF_MAPPING = "mapping"
CONF_FILE = "file"
CONF_MODE = "mode"
CONF_CONFIRMED = "confirmed"

MODE_FIELD = {
    vol.Required(CONF_MODE, default=Mode.MERGE.value): SelectSelector(
        SelectSelectorConfig(
            options=[mode.value for mode in Mode], translation_key="import_mode", mode=SelectSelectorMode.LIST
        )
    )
}

IMPORT_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_MAPPING): TextSelector(TextSelectorConfig(multiline=True)),
        vol.Optional(CONF_FILE): FileSelector(FileSelectorConfig(accept=".yaml,.yml,.json,.txt")),
        **MODE_FIELD,
    }
)


def preview_schema(plan: ImportPlan) -> vol.Schema:
    """Return the fields of the page that shows what an import changes: the consent, if it is risky."""
    return vol.Schema({vol.Required(CONF_CONFIRMED, default=False): bool} if plan.difference.risky else {})


def preview_placeholders(labels: Labels, plan: ImportPlan, models: Models) -> dict[str, str]:
    """Return what the page says."""
    changes = plan.difference.all
    return {
        "added": str(sum(change.before is None for change in changes)),
        "changed": str(sum(change.before is not None and change.after is not None for change in changes)),
        "removed": str(sum(change.after is None for change in changes)),
        "unchanged": str(plan.difference.unchanged),
        "changes": changes_text(labels, plan.difference, models),
        "warnings": warnings_text(labels, warnings(labels, plan, models)),
    }


def preview_errors(plan: ImportPlan, shown: ImportPlan | None, user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return why an import cannot be stored: it is not the one that was shown, or the user has not consented."""
    if plan != shown:
        return {"base": "mapping_changed"}
    if plan.difference.risky and not user_input.get(CONF_CONFIRMED):
        return {CONF_CONFIRMED: "import_not_confirmed"}
    return {}


class TransferPages(OptionsPages):
    """Export and import the mapping."""

    def __init__(self) -> None:
        """Start without a document."""
        super().__init__()
        self._imported: Document | None = None
        self._import_mode = Mode.MERGE
        self._planned_import: ImportPlan | None = None

    async def async_step_transfer(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether to export or to import."""
        return self.async_show_menu(
            step_id="transfer",
            menu_options=["export_mapping", "import_mapping", "overview"],
            description_placeholders=self.state(await Labels.load(self.hass)),
        )

    async def async_step_export_mapping(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the mapping to copy or download."""
        if user_input is not None:
            return await self.done()
        document = mapping_document(self.hass, self.config_entry).as_dict()
        text = await self.hass.async_add_executor_job(write_text, document)
        schema = vol.Schema({vol.Optional(CONF_MAPPING): TextSelector(TextSelectorConfig(multiline=True))})
        labels = await Labels.load(self.hass)
        return self.async_show_form(
            step_id="export_mapping",
            data_schema=self.add_suggested_values_to_schema(schema, {CONF_MAPPING: text}),
            description_placeholders={"download": download_link(labels, self.config_entry, MAPPING_DOWNLOAD)},
        )

    async def async_step_import_mapping(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a mapping as text or as a file."""
        errors: dict[str, str] = {}
        faults: str = ""
        if user_input is not None:
            text, file_id = user_input.get(CONF_MAPPING, "").strip(), user_input.get(CONF_FILE)
            if bool(text) == bool(file_id):
                errors = {"base": "text_or_file"}
            else:
                try:
                    content = (
                        await self.hass.async_add_executor_job(take_upload, self.hass, file_id, MAX_SIZE)
                        if file_id
                        else text
                    )
                    data = await self.hass.async_add_executor_job(read_text, content)
                    self._imported = await self.hass.async_add_executor_job(Document.parse, data)
                except DocumentError as err:
                    errors = {CONF_FILE if file_id else CONF_MAPPING: "invalid_mapping"}
                    labels = await Labels.load(self.hass)
                    # The error of a field is one line of plain text, so the list goes into the description.
                    faults = labels.markdown("common.import_faults", list=faults_text(labels, err))
                except FileNotFoundError:
                    errors = {CONF_FILE: "file_gone"}
                else:
                    self._import_mode = Mode(user_input[CONF_MODE])
                    if self._plan_import(self._imported).difference.all:
                        return await self.async_step_import_preview()
                    errors = {"base": "nothing_changes"}
        # An uploaded file can be read once, so it has to be chosen again.
        values = {key: value for key, value in (user_input or {}).items() if key != CONF_FILE}
        return self.async_show_form(
            step_id="import_mapping",
            data_schema=self.add_suggested_values_to_schema(IMPORT_SCHEMA, values),
            errors=errors,
            description_placeholders={"faults": faults},
            last_step=False,
        )

    async def async_step_import_preview(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what the import changes, and store it."""
        assert self._imported is not None  # noqa: S101 - set by the previous page
        plan = self._plan_import(self._imported)
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = preview_errors(plan, self._planned_import, user_input)
            if not errors:
                await async_carry_out(self.hass, self.config_entry, plan.difference)
                return await self.done("imported", count=str(len(plan.difference.all)))
        self._planned_import = plan
        return self.async_show_form(
            step_id="import_preview",
            data_schema=preview_schema(plan),
            errors=errors,
            description_placeholders=preview_placeholders(
                await Labels.load(self.hass), plan, partial(thing_model_of, self.config_entry)
            ),
        )

    def _plan_import(self, document: Document) -> ImportPlan:
        return plan_import(self.hass, self.config_entry, document, self._import_mode)
