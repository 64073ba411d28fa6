"""The pages that make a device with the AccessKey of an account: from the key to the entry.

The AccessKey is in the memory of the flow only. What is being made is in a journal on disk, so an interrupted run can be
resumed or undone by entering the key again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util.ulid import ulid_now
import voluptuous as vol

from ..account.client import is_product_name
from ..account.errors import ApiError
from ..alink.auth import DeviceTriple
from ..alink.errors import ConnectError, ThingModelError, TripleInvalid
from ..alink.model.thing_model import ThingModel
from ..mapping.rule import Rule
from ..mapping.selection import Selection
from ..mapping.slices import in_slices
from ..provisioning import (
    Choice,
    draft_entry,
    free_name,
    new_entry,
    plan_device,
    plan_gateway,
    sub_products,
)
from ..rules import Changes
from ..words.account_texts import made_in_words
from ..words.labels import Labels
from ..words.markdown import Markdown
from .account_run_pages import AccountRunPages, Offered
from .binding_fields import InputRefused
from .new_device_pages import NewDevicePages
from .selection_pages import Draft

CONF_PRODUCT: Final = "product"
CONF_PRODUCT_NAME: Final = "product_name"
CONF_NODE_TYPE: Final = "node_type"
CONF_NEW_DEVICE: Final = "new_device"

NEW: Final = "new"
DEVICE, GATEWAY = "device", "gateway"
PRODUCT_NAME: Final = "HomeAssistant"
DEVICE_NAME: Final = "home-assistant"


class AccountPages(NewDevicePages, AccountRunPages, ConfigFlow):
    """Make a product and a device, and add the device."""

    _choice: Choice

    # The product and the device

    @override
    async def logged_in(self) -> ConfigFlowResult:
        """Ask for the product."""
        return await self.async_step_account_product()

    async def async_step_account_product(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for an existing product or the name of a new one, and for the name of the device."""
        errors: dict[str, str] = {}
        found: dict[str, str] = {}
        if user_input is not None:
            try:
                self._choice = await self._chosen(user_input)
            except InputRefused as refused:
                errors, found = refused.errors, refused.placeholders
            else:
                return await self.async_step_select()
        labels = await Labels.load(self.hass)
        taken = {product.name for product in self.products}
        return self.async_show_form(
            step_id="account_product",
            data_schema=self.add_suggested_values_to_schema(
                self._product_schema(labels),
                user_input or {CONF_PRODUCT_NAME: free_name(PRODUCT_NAME, taken), CONF_NEW_DEVICE: DEVICE_NAME},
            ),
            errors=errors,
            description_placeholders={"count": str(len(self.products)), **found},
            last_step=False,
        )

    def _product_schema(self, labels: Labels) -> vol.Schema:
        existing = [
            SelectOptionDict(
                value=product.key,
                label=labels.text(
                    "common.account_product_gateway" if product.gateway else "common.account_product_device",
                    name=product.name,
                    product_key=product.key,
                ),
            )
            for product in sorted(self.products, key=lambda product: product.name.casefold())
        ]
        new = SelectOptionDict(value=NEW, label=labels.text("common.account_product_new"))
        return vol.Schema(
            {
                vol.Required(CONF_PRODUCT, default=NEW): SelectSelector(
                    SelectSelectorConfig(options=[new, *existing], mode=SelectSelectorMode.DROPDOWN)
                ),
                vol.Optional(CONF_PRODUCT_NAME): TextSelector(),
                vol.Required(CONF_NODE_TYPE, default=DEVICE): SelectSelector(
                    SelectSelectorConfig(options=[DEVICE, GATEWAY], translation_key=CONF_NODE_TYPE)
                ),
                vol.Required(CONF_NEW_DEVICE): TextSelector(),
            }
        )

    async def _chosen(self, user_input: Mapping[str, Any]) -> Choice:
        """Return the choice; raises InputRefused."""
        device = user_input[CONF_NEW_DEVICE].strip()
        try:
            DeviceTriple.parse("any", device, "any")
        except TripleInvalid:
            raise InputRefused({CONF_NEW_DEVICE: "invalid_device_name"}) from None
        if user_input[CONF_PRODUCT] == NEW:
            name = user_input.get(CONF_PRODUCT_NAME, "").strip()
            if not is_product_name(name):
                raise InputRefused({CONF_PRODUCT_NAME: "invalid_product_name"})
            if name in {product.name for product in self.products}:
                raise InputRefused({CONF_PRODUCT_NAME: "product_name_taken"})
            return Choice(name, device, user_input[CONF_NODE_TYPE] == GATEWAY)
        product = next(one for one in self.products if one.key == user_input[CONF_PRODUCT])
        await self.claim(product.key, device)
        try:
            documents = await self.account.thing_model(product.key, published=True)
            model = ThingModel.parse(documents) if documents else None
            locked = (await self.account.product(product.key)).locked
        except (ApiError, ConnectError) as err:
            raise self.refused(err) from None
        except ThingModelError:
            raise InputRefused({CONF_PRODUCT: "product_model_unreadable"}) from None
        empty = model is None or not model.properties
        if empty and locked:
            raise InputRefused({CONF_PRODUCT: "product_locked"})
        return Choice(product.name, device, product.gateway, product.key, None if empty else model)

    # What is bound

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return a draft of the entry."""
        return draft_entry(self.hass, self._choice)

    @override
    def first_draft(self) -> Draft:
        """Return an empty selection that is bound once."""
        return Draft(ulid_now(), Rule(Selection()), follow=False)

    @override
    def asks_to_follow(self) -> bool:
        """Return False: the device that would follow does not exist yet."""
        return False

    @override
    async def async_step_preview(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Continue with the plan, which shows the bindings as well."""
        draft = self._drafted()
        return await self.finish_draft(draft, await in_slices(self._changes(draft)))

    @override
    async def finish_draft(self, draft: Draft, changes: Changes) -> ConfigFlowResult:
        """Make the plan from what is bound."""
        bindings = [replace(binding, rule="") for binding in changes.added if binding.rule == draft.rule_id]
        plan, self.generated = plan_device(self.hass, self._choice, bindings, self.connection)
        self.run = self.new_run(plan)
        return await self.async_step_account_plan()

    @override
    async def async_step_suggestions(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer the bindings of a device, or the sub-devices of a gateway."""
        if self._choice.gateway:
            return await self.async_step_account_sub_devices()
        return await super().async_step_suggestions(user_input)

    @override
    async def chosen(self, devices: list[Offered]) -> ConfigFlowResult:
        """Make the plan for a gateway with sub-devices."""
        taken = {self._choice.product, *(product.name for product in self.products)}
        products = sub_products(self.hass, devices, taken)
        self.run = self.new_run(plan_gateway(self._choice, products, self.connection))
        return await self.async_step_account_plan()

    @override
    def gateway_entry(self) -> ConfigEntry:
        """Return the draft."""
        return self.bound_entry()

    # The entry

    @override
    async def async_step_account_made(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what was made, and ask whether to add it."""
        return await self._made("")

    async def _made(self, problem: str) -> ConfigFlowResult:
        labels = await Labels.load(self.hass)
        return self.async_show_menu(
            step_id="account_made",
            menu_options=["account_finish", "account_undo"],
            description_placeholders={
                "made": made_in_words(labels, self.run),
                "problem": Markdown(f"**{problem}**") if problem else "",
            },
        )

    async def async_step_account_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Connect as the device, and create the entry with its bindings."""
        purpose = self.run.plan.purpose
        key, name = self.run.key(purpose["product"]), purpose["device"]
        await self.claim(key, name)
        labels = await Labels.load(self.hass)
        try:
            entry = new_entry(self.run, await self.run.secrets())
            result = await self.add_device(entry.data, entry.options, entry.subentries)
        except (ApiError, ConnectError) as err:
            return await self._made(self.reason(labels, err))
        except InputRefused as refused:
            (error,) = refused.errors.values()
            return await self._made(labels.text(f"config.error.{error}", **refused.placeholders))
        self.forget_run()
        return result
