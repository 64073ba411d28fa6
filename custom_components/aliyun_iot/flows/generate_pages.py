"""Generate a thing model from the bindings, to be imported in the console."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import BooleanSelector, TextSelector, TextSelectorConfig
import voluptuous as vol

from ..const import CONF_THING_MODEL
from ..downloads import THING_MODEL_DOWNLOAD, download_link
from ..generated_model import GeneratedModel, generate, keep_numbers, rename_bindings
from ..mapping.model.modules import document_text
from ..words.labels import Labels
from ..words.markdown import code, joined, paragraphs
from ..words.model_texts import bullets
from .thing_model_pages import ThingModelPages

CONF_USE = "use"

DOCUMENT_FIELD = {vol.Optional(CONF_THING_MODEL): TextSelector(TextSelectorConfig(multiline=True))}
LAST_FIELDS = {vol.Required(CONF_USE, default=True): BooleanSelector()}


class GeneratePages(ThingModelPages):
    """Show the generated thing model, one page for each module."""

    def __init__(self) -> None:
        """Start with nothing generated."""
        super().__init__()
        self._generated: GeneratedModel | None = None
        self._modules: list[str] = []

    async def async_step_thing_model_generate(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Generate the thing model; ask first if bindings have to be renamed for it."""
        self._generated = generate(self.hass, self.config_entry)
        self._modules = list(self._generated.documents())
        if self._generated.renamed:
            return await self.async_step_thing_model_split()
        return await self.async_step_thing_model_module()

    async def async_step_thing_model_split(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show which properties move to modules, and rename their bindings."""
        assert self._generated is not None  # noqa: S101 - set by the previous page
        if user_input is not None:
            rename_bindings(self.hass, self.config_entry, self._generated.renamed)
            return await self.async_step_thing_model_module()
        labels = await Labels.load(self.hass)
        renamed = [joined((code(old), code(new)), " → ") for old, new in self._generated.renamed.items()]
        return self.async_show_form(
            step_id="thing_model_split",
            data_schema=vol.Schema({}),
            description_placeholders={
                "properties": str(len(self._generated.model.properties)),
                "modules": joined((code(module) for module in self._modules if module), labels.comma),
                "renamed": bullets(labels, renamed),
            },
            last_step=False,
        )

    async def async_step_thing_model_module(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the documents of the modules one by one, and store the thing model after the last one if wanted."""
        assert self._generated is not None  # noqa: S101 - set by a previous page
        if user_input is not None:
            self._modules = self._modules[1:]
            if not self._modules:
                return await self._settle(self._generated, use=user_input[CONF_USE])
        return self._module_page(await Labels.load(self.hass), self._generated)

    async def _settle(self, generated: GeneratedModel, *, use: bool) -> ConfigFlowResult:
        """Keep the numbers of options in the bindings, and store the thing model if wanted.

        With the thing model, its labels tell the item of an option, unless they had to be changed.
        """
        relabelled = generated.relabelled()
        numbered = {key: items for key, items in generated.numbered.items() if key in relabelled or not use}
        keep_numbers(self.hass, self.config_entry, numbered)
        return await self.confirm_model(generated.model) if use else await self.done("generated")

    def _module_page(self, labels: Labels, generated: GeneratedModel) -> ConfigFlowResult:
        documents = generated.documents()
        module, *others = self._modules
        fields = DOCUMENT_FIELD if others else DOCUMENT_FIELD | LAST_FIELDS
        left_out = [
            labels.text("common.model_left_out", identifier=binding.identifier) for binding in generated.left_out
        ]
        relabelled = [
            labels.text("common.misfit", identifier=identifier, reason=changes)
            for identifier, changes in generated.relabelled().items()
        ]
        notes = (
            bullets(labels, left_out),
            labels.markdown("common.model_relabelled", list=bullets(labels, relabelled)) if relabelled else "",
        )
        return self.async_show_form(
            step_id="thing_model_module",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields), {CONF_THING_MODEL: document_text(documents[module])}
            ),
            description_placeholders={
                "properties": str(len(generated.model.properties)),
                "events": str(len(generated.model.events)),
                "services": str(len(generated.model.services)),
                "module": labels.markdown("common.model_module", module=module)
                if module
                else labels.text("common.model_default_module"),
                "number": str(len(documents) - len(others)),
                "of": str(len(documents)),
                "download": download_link(labels, self.config_entry, THING_MODEL_DOWNLOAD),
                "notes": paragraphs(notes),
            },
            last_step=False,
        )
