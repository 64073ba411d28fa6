"""Base class of the pages of the options flow."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowContext, ConfigFlowResult, OptionsFlow

from ..exposures import exposed_bindings
from ..panel.path import panel_path
from ..runtime import AliyunConfigEntry
from ..stored_device import model_document
from ..words.labels import Labels
from ..words.markdown import Markdown
from ..words.status import device_status
from .safe_pages import SafePages


class OptionsPages(SafePages[ConfigFlowContext, ConfigFlowResult, str], OptionsFlow):
    """Some pages of the options flow; `AliyunOptionsFlow` combines them.

    What a page saves is stored at once. The flow then returns to the menu, which says what was done, and ends when the user
    closes the dialog.
    """

    config_entry: AliyunConfigEntry

    _done: Markdown | str = ""
    """What the last page has done."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what was done and how the device is doing, and ask what to do."""
        labels = await Labels.load(self.hass)
        has_model = bool(model_document(self.config_entry))
        return self.async_show_menu(
            step_id="init",
            # Without a thing model the next thing to do is to get one.
            menu_options=[*sorted(("select", "thing_model"), reverse=not has_model), "transfer", "cloud", "settings"],
            description_placeholders={
                **self.state(labels),
                "done": self._done,
                "advice": self._advice(labels, has_model=has_model),
            },
        )

    def state(self, labels: Labels) -> dict[str, str]:
        """Return the placeholders of a menu for the name of the device and how it is doing."""
        return {"device": self.config_entry.title, "status": device_status(labels, self.config_entry)}

    async def done(
        self, key: str = "", changed: Mapping[str, Any] | None = None, **placeholders: str
    ) -> ConfigFlowResult:
        """Store changed options, and return to the menu, which shows the text `common.done_KEY`, if there is a key."""
        if changed:
            self.store(changed)
        self.say((await Labels.load(self.hass)).markdown(f"common.done_{key}", **placeholders) if key else "")
        return await self.async_step_init()

    def say(self, text: Markdown | str) -> None:
        """Show a text in the menu."""
        self._done = text

    def store(self, changed: Mapping[str, Any]) -> None:
        """Store changed options; the running entry applies them."""
        entry = self.config_entry
        self.hass.config_entries.async_update_entry(entry, options={**entry.options, **changed})
        if entry.state is ConfigEntryState.SETUP_ERROR:
            # Only a new set-up shows whether the change has fixed the error.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)

    def _advice(self, labels: Labels, *, has_model: bool) -> Markdown:
        """Return what to do next."""
        if not has_model:
            return labels.markdown("common.advice_model")
        if not exposed_bindings(self.config_entry):
            return labels.markdown("common.advice_bind")
        return labels.markdown("common.advice_more", panel=panel_path(self.config_entry.entry_id))
