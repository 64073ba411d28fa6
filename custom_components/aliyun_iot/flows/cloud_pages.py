"""Pages of the options that change the cloud with an AccessKey: the thing models of the products, and more sub-devices."""

from dataclasses import replace
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig
import voluptuous as vol

from ..account.errors import ApiError
from ..alink.errors import ConnectError, ThingModelError
from ..alink.model.changes import model_changes
from ..alink.model.thing_model import ThingModel
from ..alink.mqtt.endpoint import region_of
from ..const import CONF_BINDINGS, CONF_CA, CONF_DEVICE_NAME, CONF_ENDPOINT, CONF_PRODUCT_KEY, CONF_THING_MODELS
from ..exposures import service_bindings
from ..generated_model import GeneratedModel, generate_for, keep_numbers, rename_bindings
from ..mapping.binding import Binding
from ..provisioning import Choice, SubProduct, draft_entry, model_steps, new_plan, plan_more, sub_products
from ..stored_device import StoredDevice, sub_devices_of
from ..sub_device_plan import generated_for, kinds_of_sub_devices
from ..sub_device_row import NewSubDevice, SubDeviceRow, add_sub_devices
from ..words.labels import Labels
from ..words.markdown import paragraphs
from ..words.model_texts import changes_in_words
from .account_run_pages import ACCOUNT_SCHEMA, CONF_API_HOST, CONF_INSTANCE, CONF_REGION, AccountRunPages, Offered
from .binding_fields import InputRefused
from .bulk_pages import BulkPages
from .connection_fields import SECTION_ADVANCED

_SCHEMA = vol.Schema(
    {
        **{key: value for key, value in ACCOUNT_SCHEMA.schema.items() if key != SECTION_ADVANCED},
        vol.Required(SECTION_ADVANCED): section(
            vol.Schema(
                {
                    vol.Optional(CONF_API_HOST): TextSelector(),
                    vol.Optional(CONF_CA): TextSelector(TextSelectorConfig(multiline=True)),
                }
            ),
            {"collapsed": True},
        ),
    }
)
"""Where the account is; how the device connects is known."""


class CloudPages(AccountRunPages, BulkPages):
    """Update thing models, and create sub-devices that are missing."""

    _more = False
    """Whether sub-devices are created, instead of thing models updated."""

    account_schema = _SCHEMA

    @override
    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Return to the first menu, from which entities are bound again."""
        self._more = False
        return await super().async_step_init(user_input)

    @override
    def suggested_account(self) -> dict[str, Any]:
        """Return the region or the instance that the device connects to."""
        endpoint = str(self.config_entry.data.get(CONF_ENDPOINT, ""))
        if region := region_of(endpoint):
            return {CONF_REGION: region}
        return {CONF_INSTANCE: endpoint} if endpoint.startswith("iot-") else {}

    async def async_step_cloud(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to change."""
        return self.async_show_menu(step_id="cloud", menu_options=["account_models", "account_more", "overview"])

    async def async_step_account_models(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Update the thing models."""
        self._more = False
        return await self.async_step_account()

    async def async_step_account_more(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Create sub-devices."""
        self._more = True
        return await self.async_step_account()

    @property
    @override
    def purpose(self) -> str:
        """The entry, and what is changed."""
        return f" {self.config_entry.entry_id} {'more' if self._more else 'models'}"

    @override
    async def logged_in(self) -> ConfigFlowResult:
        """Look at the products of the entry, and show what would change."""
        names = {product.key: product.name for product in self.products}
        if self.config_entry.data[CONF_PRODUCT_KEY] not in names:
            raise InputRefused({"base": "other_account"})
        if self._more:
            if not next(one for one in self.products if one.key == self.config_entry.data[CONF_PRODUCT_KEY]).gateway:
                raise InputRefused({"base": "not_a_gateway"})
            self._draft, self.without_model = None, True
            return await self.async_step_select()
        return await self._plan_models(names)

    # Thing models

    async def _plan_models(self, names: dict[str, str]) -> ConfigFlowResult:
        """Compare each thing model in the cloud with what is bound."""
        entry, labels = self.config_entry, await Labels.load(self.hass)
        steps, models, differences = [], {}, []
        own = StoredDevice(entry)
        generated_own: GeneratedModel | None = None
        devices = [own, *sub_devices_of(entry)]
        for key in dict.fromkeys(str(device.data.get(CONF_PRODUCT_KEY)) for device in devices):
            if key not in names:
                continue
            present = await self._model_of(key)
            bindings = [
                binding
                for device in devices
                if device.data.get(CONF_PRODUCT_KEY) == key
                for binding in device.bindings()
            ]
            services = service_bindings(entry) if key == own.data[CONF_PRODUCT_KEY] else ()
            generated = generate_for(self.hass, key, present, bindings, services)
            if key == own.data[CONF_PRODUCT_KEY]:
                generated_own = generated
            if not (changes := model_changes(present, generated.model)):
                continue
            if (await self.account.product(key)).locked:
                raise InputRefused({"base": "product_locked"})
            steps += model_steps(names[key], generated)
            models[names[key]] = generated.model.to_tsl()
            differences.append(paragraphs((f"{names[key]}:", changes_in_words(labels, changes))))
        if not steps:
            raise InputRefused({"base": "models_equal"})
        purpose = {
            "models": models,
            "renamed": generated_own.renamed if generated_own else {},
            "numbered": {identifier: generated_own.numbered[identifier] for identifier in generated_own.relabelled()}
            if generated_own
            else {},
            "subentries": [],
            "sub_devices": [],
        }
        known = {name: key for key, name in names.items() if name in models}
        self.run = self.new_run(new_plan(steps, known, purpose))
        self.difference = paragraphs(differences)
        return await self.async_step_account_plan()

    async def _model_of(self, key: str) -> ThingModel:
        """Return the thing model in the cloud, an empty one if there is none yet; raises InputRefused."""
        try:
            documents = await self.account.thing_model(key, published=True)
            return replace(ThingModel.parse(documents), product_key=key) if documents else ThingModel(key)
        except (ApiError, ConnectError) as err:
            raise self.refused(err) from None
        except ThingModelError:
            raise InputRefused({"base": "product_model_unreadable"}) from None

    # Sub-devices

    @override
    def bound_entry(self) -> ConfigEntry:
        """Return the entry; for sub-devices one without bindings, because an entity may be bound in both."""
        entry = self.config_entry
        if not self._more:
            return entry
        return draft_entry(self.hass, Choice("", entry.data[CONF_DEVICE_NAME], gateway=True))

    @override
    def gateway_entry(self) -> ConfigEntry:
        """Return the entry of the options, whose sub-devices are not offered again."""
        return self.config_entry

    @override
    def asks_to_follow(self) -> bool:
        """Return whether bindings can follow the selection; sub-devices do not."""
        return not self._more

    @override
    async def async_step_suggestions(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer bindings, or sub-devices."""
        if self._more:
            return await self.async_step_account_sub_devices()
        return await super().async_step_suggestions(user_input)

    @override
    async def chosen(self, devices: list[Offered]) -> ConfigFlowResult:
        """Make the plan for more sub-devices; a kind that the gateway has keeps its product."""
        entry = self.config_entry
        names = {product.key: product.name for product in self.products}
        kinds = {kind: key for kind, key in kinds_of_sub_devices(self.hass, entry).items() if key in names}
        products = sub_products(self.hass, [each for each in devices if each[0].kind not in kinds], names.values())
        # Several kinds may have one product, which has one thing model, and whose devices have different names.
        of_product: dict[str, list[Offered]] = {}
        for each in devices:
            if key := kinds.get(each[0].kind):
                of_product.setdefault(key, []).append(each)
        for key, members in of_product.items():
            present = await self._model_of(key)
            generated = generated_for(self.hass, key, members, present)
            changed = bool(model_changes(present, generated.model))
            products.append(SubProduct(names[key], members, generated, key, changed))
        taken = {
            product.key: [
                one.device_name for one in await self.account.devices(product.key, [*product.names().values()])
            ]
            for product in products
            if product.key
        }
        gateway = names[entry.data[CONF_PRODUCT_KEY]], entry.data[CONF_PRODUCT_KEY], entry.data[CONF_DEVICE_NAME]
        self.run = self.new_run(plan_more(gateway, products, taken))
        return await self.async_step_account_plan()

    # The end

    @override
    async def async_step_account_made(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Store what was made."""
        entry, purpose = self.config_entry, self.run.plan.purpose
        try:
            secrets = await self.run.secrets()
        except (ApiError, ConnectError) as err:
            self._failure = err
            return await self.async_step_account_failed()
        models = {
            self.run.key(product): replace(ThingModel.parse(document), product_key=self.run.key(product)).to_tsl()
            for product, document in purpose["models"].items()
        }
        self.store({CONF_THING_MODELS: {**entry.options.get(CONF_THING_MODELS, {}), **models}})
        if renamed := purpose.get("renamed"):
            rename_bindings(self.hass, entry, renamed)
        if numbered := purpose.get("numbered"):
            keep_numbers(self.hass, entry, numbered)
        new = []
        for device in purpose["sub_devices"]:
            key, name = self.run.key(device["product"]), device["device"]
            rows = (Binding.from_stored(row) for row in device[CONF_BINDINGS])
            row = SubDeviceRow(key, name, secrets[key, name], None, device["stands_for"])
            new.append(NewSubDevice(row, device["title"], tuple(each for each in rows if isinstance(each, Binding))))
        add_sub_devices(self.hass, entry, new)
        self.forget_run()
        return await self.done("account", products=str(len(models)), devices=str(len(new)))
