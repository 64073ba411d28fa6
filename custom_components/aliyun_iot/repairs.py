"""Fix flows of the repair issues: what solves a problem is offered where the problem is told.

A flow shows the problem again, as it is then, until it is solved: only the part that watches it knows when that is.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.selector import SelectOptionDict, SelectSelector, SelectSelectorConfig, SelectSelectorMode
import voluptuous as vol

from .alink.model.thing_model import ThingModel
from .cloud_device import CloudDevice
from .const import (
    CONF_COMMANDS_PER_MINUTE,
    CONF_MONTHLY_QUOTA,
    CONF_UPLINK_RATE,
    CONF_WINDOW,
    DOMAIN,
    OWN,
)
from .exposures import references, resolve_entity
from .flows.binding_fields import InputRefused
from .flows.options_flow import SETTINGS_FIELDS
from .flows.safe_pages import SafePages
from .flows.thing_model_pages import fetch_thing_model, model_placeholders
from .flows.transfer_pages import CONF_MODE, MODE_FIELD, preview_errors, preview_placeholders, preview_schema
from .health.issues import Issue, listed
from .health.sub_device_issues import SUB_DEVICE_ISSUES
from .mapping.document.difference import Mode
from .panel.path import affected_path, panel_path
from .panel.rows import RowState
from .removal import affected_rows, remove_affected
from .runtime import AliyunConfigEntry
from .settings import RANGES, read_settings
from .stored_device import options_with_model, thing_model_of
from .transfer import ImportPlan, async_carry_out, plan_import
from .words.labels import Labels
from .words.markdown import Markdown
from .words.status import device_status

CONF_BINDINGS: Final = "bindings"

PATIENCE = 5.0
"""Seconds to wait until an issue shows the effect of what was done."""

_ACTIONS: Final[Mapping[Issue, tuple[str, ...]]] = {
    Issue.ENTITY_DISABLED: ("enable",),
    Issue.ENTITY_GONE: (),
    Issue.PROPERTY_REJECTED: ("post", "fetch"),
    Issue.PROPERTY_UNREPORTABLE: ("fetch",),
    Issue.ROWS_UNREADABLE: (),
    Issue.THING_MODEL_MISMATCH: ("fetch", "post"),
}
"""What solves an issue about bindings; the bindings that it is about can be removed as well."""

_STATES: Final[Mapping[Issue, tuple[RowState, ...]]] = {
    Issue.ENTITY_DISABLED: (RowState.ENTITY_DISABLED,),
    Issue.ENTITY_GONE: (RowState.ENTITY_GONE,),
    Issue.PROPERTY_REJECTED: (RowState.REJECTED,),
    Issue.PROPERTY_UNREPORTABLE: (RowState.UNREPORTABLE,),
    Issue.ROWS_UNREADABLE: (RowState.BROKEN,),
    Issue.THING_MODEL_MISMATCH: (RowState.NOT_IN_MODEL, RowState.MISFIT, RowState.NOT_SETTABLE, RowState.REJECTED),
}
"""The states that the bindings of an issue have on the page of both sides."""

_SETTINGS: Final[Mapping[Issue, tuple[str, ...]]] = {
    Issue.COMMANDS_REFUSED: (CONF_COMMANDS_PER_MINUTE,),
    Issue.QUOTA: (CONF_MONTHLY_QUOTA,),
    Issue.RATE_LIMIT: (CONF_UPLINK_RATE, CONF_WINDOW),
}
"""The settings that an issue is about."""


class FixFlow(SafePages[Any, RepairsFlowResult, str], RepairsFlow):
    """A fix flow of one device; it ends when the device does not run any more."""

    def __init__(self, entry_id: str, issue: Issue, identifier: str = "", owner: str = OWN) -> None:
        """Be about an issue of a device of an entry, and perhaps of one property."""
        super().__init__()
        self.entry_id = entry_id
        self.owner = owner
        self.issue = issue
        self.identifier = identifier
        self.done = ""

    @property
    def entry(self) -> AliyunConfigEntry | None:
        """The entry, if its device runs."""
        entry: AliyunConfigEntry | None = self.hass.config_entries.async_get_entry(self.entry_id)
        runs = entry and entry.state is ConfigEntryState.LOADED and entry.runtime_data.cloud_device(self.owner)
        return entry if runs else None

    def device_of(self, entry: AliyunConfigEntry) -> CloudDevice:
        """Return the device that the issue is about."""
        return entry.runtime_data.cloud_device(self.owner) or entry.runtime_data.device

    @property
    def told(self) -> Mapping[str, str] | None:
        """The facts of the issue as it is now, which were escaped when it was created; None if it is solved."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return {key: Markdown(text) for key, text in (issue.translation_placeholders or {}).items()} if issue else None

    async def settled(self, act: Callable[[], object]) -> None:
        """Do something, and wait until the issue changes."""
        changed = asyncio.Event()

        @callback
        def registry_updated(event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
            if event.data["issue_id"] == self.issue_id:
                changed.set()

        unsubscribe = self.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, registry_updated)
        try:
            act()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await changed.wait()
        finally:
            unsubscribe()

    def solved(self) -> RepairsFlowResult:
        """End the flow; the issue is deleted if it is still there."""
        return self.async_create_entry(data={})


class ConfirmFlow(FixFlow):
    """Do something after the user has removed the cause; whether it helped is seen later."""

    def act(self, entry: AliyunConfigEntry) -> None:
        """Let the cloud set a property again, subscribe again, or end a long pause between attempts to connect."""
        match self.issue:
            case Issue.LOOP:
                self.device_of(entry).loops.resume(self.identifier)
            case Issue.SUBSCRIPTIONS_REFUSED:
                self.hass.config_entries.async_schedule_reload(self.entry_id)
            case Issue.SUB_DEVICE_WITHOUT_DEVICE:
                entry.runtime_data.sub_devices.remove_orphans()
            case _ if self.issue in SUB_DEVICE_ISSUES:
                entry.runtime_data.sub_devices.retry(self.issue)
            case _:
                entry.runtime_data.link.retry()

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Start."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask for confirmation, and act."""
        if user_input is None:
            return self.async_show_form(
                step_id="confirm", data_schema=vol.Schema({}), description_placeholders=self.told
            )
        if entry := self.entry:
            self.act(entry)
        return self.solved()


class CheckFlow(FixFlow):
    """Check again now what is otherwise checked later."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Start."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Check, and say so if the problem is still there."""
        if user_input is not None and (entry := self.entry):
            await (
                entry.runtime_data.health.compare_clocks()
                if self.issue is Issue.CLOCK_SKEW
                else self.device_of(entry).update()
            )
        if self.told is None or self.entry is None:
            return self.solved()
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors={"base": "still_there"} if user_input is not None else {},
            description_placeholders=self.told,
        )


class SettingsFlow(FixFlow):
    """Change the settings that a problem is about."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Start."""
        return await self.async_step_settings()

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask for the settings."""
        entry, told = self.entry, self.told
        if entry is None or told is None:
            return self.solved()
        fields = _SETTINGS[self.issue]
        errors: dict[str, str] = {}
        if user_input is not None:
            ranges = {field: RANGES[field] for field in fields}
            errors = {
                field: f"{field}_range"
                for field, (minimum, maximum) in ranges.items()
                if not minimum <= user_input[field] <= maximum
            }
            if not errors:
                changed = {field: value if field == CONF_WINDOW else int(value) for field, value in user_input.items()}
                self.hass.config_entries.async_update_entry(entry, options={**entry.options, **changed})
                return self.solved()
        settings = read_settings(entry.options)[0]
        present = {field: getattr(settings, field) for field in fields}
        schema = vol.Schema({vol.Required(field): SETTINGS_FIELDS[field] for field in fields})
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or present),
            errors=errors,
            description_placeholders={**told, "panel": panel_path(self.entry_id, "traffic")},
        )


class BindingsFlow(FixFlow):
    """Solve a problem of many bindings: a menu of what can be done, which shows what is left of the problem."""

    def __init__(self, entry_id: str, issue: Issue, owner: str = OWN) -> None:
        """Start without a thing model."""
        super().__init__(entry_id, issue, owner=owner)
        self._model: ThingModel | None = None

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show what is wrong now, and ask what to do."""
        entry, told = self.entry, self.told
        if entry is None or told is None:
            return self.solved()
        labels = await Labels.load(self.hass)
        rows = affected_rows(self.hass, labels, entry, self.issue, self.owner)
        remove = [*(["remove_all"] if rows else []), *(["remove_some"] if len(rows) > 1 else [])]
        return self.async_show_menu(
            step_id="init",
            menu_options=[*_ACTIONS[self.issue], *remove],
            description_placeholders={
                **told,
                "panel": affected_path(entry, self.owner, ",".join(_STATES[self.issue])),
                "state": f"{self.done} {device_status(labels, entry)}".strip(),
                "removable": str(len(rows)),
            },
        )

    async def async_step_post(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Post everything again, and show what the cloud still refuses."""
        if entry := self.entry:
            device = self.device_of(entry)
            online = device.online
            if online:
                await self.settled(device.reporter.post_everything)
            labels = await Labels.load(self.hass)
            self.done = labels.text("common.repair_posted" if online else "common.repair_offline")
        return await self.async_step_init()

    async def async_step_enable(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Enable the entities that a user or an integration has disabled; the others follow their device."""
        if entry := self.entry:
            registry = er.async_get(self.hass)
            ids = {resolve_entity(self.hass, reference) for _, reference in references(entry, self.owner)}
            found = [registered for entity_id in ids if entity_id and (registered := registry.async_get(entity_id))]
            by_hand = (er.RegistryEntryDisabler.USER, er.RegistryEntryDisabler.INTEGRATION)
            disabled = [each.entity_id for each in found if each.disabled_by in by_hand]

            def enable() -> None:
                for entity_id in disabled:
                    registry.async_update_entity(entity_id, disabled_by=None)

            if disabled:
                await self.settled(enable)
            labels = await Labels.load(self.hass)
            self.done = labels.text("common.repair_enabled", count=str(len(disabled)))
        return await self.async_step_init()

    async def async_step_remove_all(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Remove everything that the issue is about, after it was listed."""
        if (entry := self.entry) is None or self.told is None:
            return self.solved()
        labels = await Labels.load(self.hass)
        rows = affected_rows(self.hass, labels, entry, self.issue, self.owner)
        if user_input is not None:
            return await self._remove(entry, list(rows))
        return self.async_show_form(
            step_id="remove_all",
            data_schema=vol.Schema({}),
            description_placeholders={
                **self.told,
                "removable": str(len(rows)),
                "list": listed(list(rows.values()), labels.language),
            },
        )

    async def async_step_remove_some(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask what to remove."""
        if (entry := self.entry) is None or self.told is None:
            return self.solved()
        labels = await Labels.load(self.hass)
        rows = affected_rows(self.hass, labels, entry, self.issue, self.owner)
        errors: dict[str, str] = {}
        if user_input is not None:
            if chosen := [key for key in user_input[CONF_BINDINGS] if key in rows]:
                return await self._remove(entry, chosen)
            errors = {CONF_BINDINGS: "nothing_selected"}
        options = [SelectOptionDict(value=key, label=label) for key, label in rows.items()]
        selector = SelectSelector(SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST))
        return self.async_show_form(
            step_id="remove_some",
            data_schema=vol.Schema({vol.Required(CONF_BINDINGS, default=list): selector}),
            errors=errors,
            description_placeholders=self.told,
        )

    async def _remove(self, entry: AliyunConfigEntry, keys: list[str]) -> RepairsFlowResult:
        await self.settled(lambda: remove_affected(self.hass, entry, keys, self.owner))
        labels = await Labels.load(self.hass)
        self.done = labels.text("common.panel_removed", count=str(len(keys)))
        return await self.async_step_init()

    async def async_step_fetch(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Fetch the thing model and show what changes; on failure, show the reason."""
        if (entry := self.entry) is None or self.told is None:
            return self.solved()
        labels = await Labels.load(self.hass)
        try:
            self._model = await fetch_thing_model(self.hass, entry, self.owner)
        except InputRefused as refused:
            reason = labels.text(f"options.error.{refused.errors['base']}", **refused.placeholders)
            return self.async_show_menu(
                step_id="fetch", menu_options=["fetch", "init"], description_placeholders={"reason": reason}
            )
        return self.async_show_form(
            step_id="use_model",
            data_schema=vol.Schema({}),
            description_placeholders=model_placeholders(labels, entry, self._model, self.owner),
        )

    async def async_step_use_model(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Store the thing model that was shown."""
        model = self._model
        if (entry := self.entry) and model:
            options = options_with_model(entry, model.to_tsl(), self.device_of(entry).stored.product_key)
            if options != entry.options:
                await self.settled(lambda: self.hass.config_entries.async_update_entry(entry, options=options))
            labels = await Labels.load(self.hass)
            self.done = labels.text("common.repair_model_stored")
        return await self.async_step_init()


class MappingFlow(FixFlow):
    """Import the mapping that the cloud offers, after the same preview and consent as on the page for imports."""

    def __init__(self, entry_id: str, issue: Issue) -> None:
        """Start without a preview."""
        super().__init__(entry_id, issue)
        self._mode = Mode.MERGE
        self._shown: ImportPlan | None = None

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Start."""
        return await self.async_step_mode()

    async def async_step_mode(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask whether the mapping is merged into the present one, or replaces it."""
        if (told := self.told) is None or self._plan() is None:
            return self.solved()
        if user_input is not None:
            self._mode = Mode(user_input[CONF_MODE])
            return await self.async_step_preview()
        return self.async_show_form(
            step_id="mode", data_schema=vol.Schema(MODE_FIELD), description_placeholders=told, last_step=False
        )

    async def async_step_preview(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show what the import changes, and store it."""
        entry, told, plan = self.entry, self.told, self._plan()
        if entry is None or told is None or plan is None:
            return self.solved()
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = preview_errors(plan, self._shown, user_input)
            if not errors:
                await async_carry_out(self.hass, entry, plan.difference)
                return self.solved()
        self._shown = plan
        shown = preview_placeholders(await Labels.load(self.hass), plan, partial(thing_model_of, entry))
        return self.async_show_form(
            step_id="preview",
            data_schema=preview_schema(plan),
            errors=errors,
            description_placeholders={**told, **shown},
        )

    def _plan(self) -> ImportPlan | None:
        """Return what the import would change now, None if nothing is offered any more."""
        document = self.entry.runtime_data.device.management.offered.document if self.entry else None
        return plan_import(self.hass, self.entry, document, self._mode) if self.entry and document else None


async def async_create_fix_flow(hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None) -> RepairsFlow:
    """Return the fix flow of an issue."""
    if data is None:  # the issue can only be acknowledged
        return ConfirmRepairFlow()
    entry_id, issue, owner = str(data["entry_id"]), Issue(str(data["issue"])), str(data.get("owner", OWN))
    if issue in _ACTIONS:
        return BindingsFlow(entry_id, issue, owner)
    if issue in _SETTINGS:
        return SettingsFlow(entry_id, issue)
    if issue is Issue.MAPPING_OFFERED:
        return MappingFlow(entry_id, issue)
    if issue in (Issue.CLOCK_SKEW, Issue.CONDITION_UNUSABLE):
        return CheckFlow(entry_id, issue, owner=owner)
    return ConfirmFlow(entry_id, issue, str(data.get("identifier", "")), owner)
