"""Subentry flow for sub-devices: add many, change the bindings or the identity of one."""

from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.helpers.selector import BooleanSelector, EntitySelectorConfig, TextSelector
import voluptuous as vol

from ..alink.auth import DeviceTriple, Identity
from ..alink.errors import TripleInvalid
from ..alink.sub_device import SubDevice
from ..const import CONF_DEVICE_NAME, CONF_DEVICE_SECRET, CONF_PRODUCT_KEY
from ..exposures import entity_reference, exposure_key, put_binding, stands_for
from ..mapping.binding import Binding
from ..stored_device import StoredDevice
from ..sub_device_row import SubDeviceRow, identities_of, store_row, sub_device_row
from ..words.fault_texts import row_reason, unreadable_row
from ..words.labels import Labels
from ..words.markdown import Markdown
from ..words.model_texts import bullets
from .binding_pages import BindingPages
from .secret_field import SECRET_SELECTOR
from .sub_device_pages import SubDevicePages

CONF_REGISTER: Final = "register"

IDENTITY_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_PRODUCT_KEY): TextSelector(),
        vol.Required(CONF_DEVICE_NAME): TextSelector(),
        vol.Optional(CONF_DEVICE_SECRET): SECRET_SELECTOR,
        vol.Required(CONF_REGISTER, default=False): BooleanSelector(),
    }
)


class SubDeviceFlow(BindingPages[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], SubDevicePages):
    """Add sub-devices, and change one."""

    _done: Markdown | str = ""
    """What the last page has done."""

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say how the sub-device is doing and what is bound, and ask what to do."""
        labels = await Labels.load(self.hass)
        subentry = self._get_reconfigure_subentry()
        row = sub_device_row(subentry)
        if not isinstance(row, SubDeviceRow):
            reason = row_reason(labels, row)
            return self.async_abort(reason="unreadable", description_placeholders={"reason": reason})
        model = StoredDevice(self.entry, self.owner()).read_thing_model()[0]
        bound = [
            labels.binding(each, model) if isinstance(each, Binding) else unreadable_row(labels, each)
            for each in self.removable().values()
        ]
        existing = ["edit", "remove"] if bound else []
        retry = ["retry"] if self._is_refused() else []
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=[*retry, "add_one", "custom", *existing, "identity"],
            description_placeholders={
                "device": subentry.title,
                "status": self._status(labels),
                "done": self._done,
                "bindings": bullets(labels, bound),
            },
        )

    async def async_step_identity(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the names and the secret; a stored secret is never shown."""
        subentry = self._get_reconfigure_subentry()
        row = sub_device_row(subentry)
        assert isinstance(row, SubDeviceRow)  # noqa: S101 - the menu is not shown for another one
        errors: dict[str, str] = {}
        if user_input is not None:
            entered = user_input.get(CONF_DEVICE_SECRET, "").strip()
            secret = None if user_input[CONF_REGISTER] else entered or row.device_secret
            try:
                triple = DeviceTriple.parse(user_input[CONF_PRODUCT_KEY], user_input[CONF_DEVICE_NAME], secret or "-")
            except TripleInvalid as err:
                errors = {err.field: f"invalid_{err.field}"}
            else:
                identity = Identity(triple.product_key, triple.device_name)
                own = Identity(self.entry.data[CONF_PRODUCT_KEY], self.entry.data[CONF_DEVICE_NAME])
                if (
                    identities_of(self.entry).get(identity, subentry.subentry_id) != subentry.subentry_id
                    or identity == own
                ):
                    errors = {CONF_DEVICE_NAME: "identity_taken"}
                else:
                    changed = replace(row, product_key=identity.product_key, device_name=identity.device_name)
                    product_secret = row.product_secret if secret is None else None
                    changed = replace(changed, device_secret=secret, product_secret=product_secret)
                    store_row(self.hass, self.entry, subentry, changed)
                    self._retry()
                    return self.async_abort(reason="reconfigure_successful")
        values = user_input or {CONF_PRODUCT_KEY: row.product_key, CONF_DEVICE_NAME: row.device_name}
        return self.async_show_form(
            step_id="identity",
            data_schema=self.add_suggested_values_to_schema(
                IDENTITY_SCHEMA, {key: value for key, value in values.items() if key != CONF_DEVICE_SECRET}
            ),
            errors=errors,
            description_placeholders={"device": subentry.title},
        )

    async def async_step_retry(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Log in again now."""
        self._retry()
        return self.async_abort(reason="retried")

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return the gateway."""
        return self.entry

    @override
    def owner(self) -> str:
        """Return the sub-device."""
        return self._reconfigure_subentry_id

    @override
    def exposures(self) -> list[ConfigSubentry]:
        """Return the subentry of the sub-device, unless it was removed meanwhile."""
        subentry = self.entry.subentries.get(self.owner())
        return [subentry] if subentry else []

    @override
    def selectable(self) -> EntitySelectorConfig:
        """Return the entities of the device that the sub-device stands for, all if there are none."""
        key = stands_for(self._get_reconfigure_subentry())
        own = [
            state.entity_id
            for state in self.hass.states.async_all()
            if exposure_key(self.hass, entity_reference(self.hass, state.entity_id)).unique_id == key
        ]
        return EntitySelectorConfig(include_entities=own) if own else EntitySelectorConfig()

    @override
    async def finish_with(self, binding: Binding, replaced: Binding | None) -> SubentryFlowResult:
        """Store a binding and return to the menu."""
        put_binding(self.hass, self.entry, replace(binding, rule=""), replaced, self.owner())
        return await self._return("saved", identifier=binding.identifier)

    @override
    async def finish_after_removal(self, count: int) -> SubentryFlowResult:
        """Return to the menu."""
        return await self._return("removed", count=str(count))

    async def _return(self, key: str, **placeholders: str) -> SubentryFlowResult:
        labels = await Labels.load(self.hass)
        self._done = labels.markdown(f"common.done_{key}", **placeholders)
        return await self.async_step_reconfigure()

    def _status(self, labels: Labels) -> str:
        state = self._state()
        if state is None:
            return labels.text("common.sub_device_offline")
        return labels.text(f"common.sub_device_{state.error.key if state.error else state.state}")

    def _is_refused(self) -> bool:
        state = self._state()
        return state is not None and state.error is not None

    def _state(self) -> SubDevice | None:
        loaded = self.entry.state is ConfigEntryState.LOADED
        return self.entry.runtime_data.sub_devices.state(self.owner()) if loaded else None

    def _retry(self) -> None:
        if state := self._state():
            self.entry.runtime_data.sub_devices.gateway.retry(state.identity)
