"""The pages that make a device with the AccessKey of an account: from the key to the entry.

The AccessKey is in the memory of the flow only. What is being made is in a journal on disk, so an interrupted run can be resumed
or undone by entering the key again.
"""

from abc import abstractmethod
import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentryData,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util.ulid import ulid_now
import voluptuous as vol
from yarl import URL

from ..account.client import Account, ProductInfo, is_product_name, policy
from ..account.errors import ApiError
from ..account.plan import Plan
from ..account.run import Run
from ..account.signing import AccessKey
from ..alink.auth import DeviceTriple
from ..alink.errors import ConnectError, ThingModelError, TripleInvalid
from ..alink.foreign import logger_of
from ..alink.model.thing_model import ThingModel
from ..alink.mqtt.endpoint import DEFAULT_REGION, REGIONS, region_of
from ..alink.mqtt.sockets import tls_context
from ..const import CONF_CA, CONF_ENDPOINT
from ..generated_model import GeneratedModel
from ..link_config import EndpointInvalid
from ..mapping.rule import Rule
from ..mapping.selection import Selection
from ..mapping.slices import in_slices
from ..provisioning import (
    Choice,
    Runs,
    async_runs,
    draft_entry,
    free_name,
    new_entry,
    plan_device,
    plan_gateway,
    sub_products,
)
from ..rules import Changes
from ..sub_device_plan import candidates, suggested_bindings
from ..web import request, web_address
from ..words.account_texts import made_in_words, plan_in_words, step_in_words
from ..words.labels import Labels
from ..words.markdown import Markdown
from .binding_fields import InputRefused
from .connection_fields import ADVANCED_FIELDS, SECTION_ADVANCED, entered_connection
from .selection_pages import Draft, SelectionPages

_LOGGER = logger_of(__name__)

CONF_ACCESS_KEY_ID: Final = "access_key_id"
CONF_ACCESS_KEY_SECRET: Final = "access_key_secret"  # noqa: S105 - the name of a field
CONF_REGION: Final = "region"
CONF_INSTANCE: Final = "instance"
CONF_API_HOST: Final = "api_host"
CONF_PRODUCT: Final = "product"
CONF_PRODUCT_NAME: Final = "product_name"
CONF_NODE_TYPE: Final = "node_type"
CONF_NEW_DEVICE: Final = "new_device"
CONF_SUB_DEVICES: Final = "sub_devices"

NEW: Final = "new"
DEVICE, GATEWAY = "device", "gateway"
PRODUCT_NAME: Final = "HomeAssistant"
DEVICE_NAME: Final = "home-assistant"

_REGION = SelectSelector(
    SelectSelectorConfig(
        options=[
            SelectOptionDict(value=region, label=f"{chinese} {english} · {region}")
            for region, (chinese, english) in REGIONS.items()
        ],
        custom_value=True,
        mode=SelectSelectorMode.DROPDOWN,
    )
)
_ADVANCED = vol.Schema(
    {
        vol.Optional(CONF_API_HOST): TextSelector(),
        vol.Optional(CONF_ENDPOINT): TextSelector(),
        **ADVANCED_FIELDS,
    }
)
_ACCOUNT_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_ACCESS_KEY_ID): TextSelector(TextSelectorConfig(autocomplete="off")),
        vol.Optional(CONF_ACCESS_KEY_SECRET): TextSelector(
            TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password")
        ),
        vol.Required(CONF_REGION, default=DEFAULT_REGION): _REGION,
        vol.Optional(CONF_INSTANCE): TextSelector(),
        vol.Required(SECTION_ADVANCED): section(_ADVANCED, {"collapsed": True}),
    }
)


class AccountPages(SelectionPages[ConfigFlowContext, ConfigFlowResult, str], ConfigFlow):
    """Make a product and a device, and add the device."""

    _access_key: AccessKey | None = None
    _account: Account
    _address = ""
    _connection: dict[str, str | int]
    _products: list[ProductInfo]
    _choice: Choice
    _generated: GeneratedModel | None = None
    _run: Run
    _work: asyncio.Task[None] | None = None
    _failure: BaseException | None = None
    _runs: Runs

    @abstractmethod
    async def add_device(
        self,
        data: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        subentries: Iterable[ConfigSubentryData] = (),
    ) -> ConfigFlowResult:
        """Test the connection and create the entry; raises InputRefused."""

    @abstractmethod
    async def claim(self, product_key: str, device_name: str) -> None:
        """Make the device that of the flow; raises AbortFlow if it has an entry."""

    # The account

    async def async_step_account(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the AccessKey, and where the products are."""
        errors: dict[str, str] = {}
        found: dict[str, str] = {}
        if user_input is not None:
            try:
                await self._log_in(user_input)
            except InputRefused as refused:
                errors, found = refused.errors, refused.placeholders
            else:
                if self._runs.find(self._address):
                    return await self.async_step_account_unfinished()
                return await self.async_step_account_product()
        shown = {key: value for key, value in (user_input or {}).items() if key != CONF_ACCESS_KEY_SECRET}
        return self.async_show_form(
            step_id="account",
            data_schema=self.add_suggested_values_to_schema(_ACCOUNT_SCHEMA, shown),
            errors=errors,
            description_placeholders={"policy": Markdown(f"```json\n{policy()}\n```"), **found},
            last_step=False,
        )

    async def _log_in(self, user_input: Mapping[str, Any]) -> None:
        """Ask the account for its products; raises InputRefused."""
        advanced = user_input[SECTION_ADVANCED]
        present = self._access_key or AccessKey("", "")
        self._access_key = key = AccessKey(
            user_input.get(CONF_ACCESS_KEY_ID, "").strip(),
            user_input.get(CONF_ACCESS_KEY_SECRET, "").strip() or present.secret,
        )
        if not key.id:
            raise InputRefused({CONF_ACCESS_KEY_ID: "access_key_missing"})
        if not key.secret:
            raise InputRefused({CONF_ACCESS_KEY_SECRET: "access_key_missing"})
        entered, instance = user_input[CONF_REGION].strip(), user_input.get(CONF_INSTANCE, "").strip()
        region = region_of(entered) or entered
        try:
            url = web_address(advanced.get(CONF_API_HOST) or f"iot.{region}.aliyuncs.com")
        except EndpointInvalid as err:
            raise InputRefused({SECTION_ADVANCED if advanced.get(CONF_API_HOST) else CONF_REGION: err.key}) from None
        endpoint = advanced.get(CONF_ENDPOINT, "").strip() or instance or region
        self._connection = entered_connection({CONF_ENDPOINT: endpoint, SECTION_ADVANCED: advanced})
        ca = self._connection.get(CONF_CA)
        self._account = Account(self._sender(url, str(ca) if ca else None), key, url.authority, instance)
        self._runs = await async_runs(self.hass)
        address = f"{url.authority} {instance}"
        if address in self._runs.active - {self._address}:
            raise InputRefused({"base": "account_busy"})
        try:
            if ca:
                await self.hass.async_add_executor_job(tls_context, str(ca))
            self._products = await self._account.products()
        except (ApiError, ConnectError) as err:
            raise self._refused(err) from None
        self._runs.active.discard(self._address)
        self._runs.active.add(address)
        self._address = address

    def _sender(self, url: URL, ca: str | None) -> Callable[[str, Mapping[str, str]], Coroutine[Any, Any, bytes]]:
        async def send(query: str, headers: Mapping[str, str]) -> bytes:
            return await request(self.hass, "POST", URL(f"{url}?{query}", encoded=True), headers=headers, ca=ca)

        return send

    def _refused(self, err: ApiError | ConnectError) -> InputRefused:
        _LOGGER.debug("The account refused: %s", err)
        return InputRefused({"base": err.key}, err.placeholders if isinstance(err, ApiError) else {})

    @callback
    @override
    def async_remove(self) -> None:
        """Let other flows work with the account."""
        if self._address:
            self._runs.active.discard(self._address)

    # The product and the device

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
        taken = {product.name for product in self._products}
        return self.async_show_form(
            step_id="account_product",
            data_schema=self.add_suggested_values_to_schema(
                self._product_schema(labels),
                user_input or {CONF_PRODUCT_NAME: free_name(PRODUCT_NAME, taken), CONF_NEW_DEVICE: DEVICE_NAME},
            ),
            errors=errors,
            description_placeholders={"count": str(len(self._products)), **found},
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
            for product in sorted(self._products, key=lambda product: product.name.casefold())
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
            if name in {product.name for product in self._products}:
                raise InputRefused({CONF_PRODUCT_NAME: "product_name_taken"})
            return Choice(name, device, user_input[CONF_NODE_TYPE] == GATEWAY)
        product = next(one for one in self._products if one.key == user_input[CONF_PRODUCT])
        await self.claim(product.key, device)
        try:
            documents = await self._account.thing_model(product.key, published=True)
            model = ThingModel.parse(documents) if documents else None
            locked = (await self._account.product(product.key)).locked
        except (ApiError, ConnectError) as err:
            raise self._refused(err) from None
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
        plan, self._generated = plan_device(self.hass, self._choice, bindings, self._connection)
        self._run = self._new_run(plan)
        return await self.async_step_account_plan()

    async def _keep(self, run: Run) -> None:
        await self._runs.keep(self._address, run)

    @override
    async def async_step_suggestions(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer the bindings of a device, or the sub-devices of a gateway."""
        if self._choice.gateway:
            return await self.async_step_account_sub_devices()
        return await super().async_step_suggestions(user_input)

    async def async_step_account_sub_devices(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the devices that would become sub-devices, to select from."""
        selection = self._drafted().rule.selection
        found = {
            candidate.key: (candidate, bindings)
            for candidate in candidates(self.hass, self.bound_entry(), selection)
            if (bindings := suggested_bindings(self.hass, candidate, None))
        }
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = [found[key] for key in user_input[CONF_SUB_DEVICES] if key in found]
            if chosen:
                taken = {self._choice.product, *(product.name for product in self._products)}
                products = sub_products(self.hass, chosen, taken)
                self._generated = None
                self._run = self._new_run(plan_gateway(self._choice, products, self._connection))
                return await self.async_step_account_plan()
            errors = {CONF_SUB_DEVICES: "nothing_selected"}
        labels = await Labels.load(self.hass)
        choice = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(
                        value=key,
                        label=labels.text(
                            "common.account_candidate",
                            name=candidate.title,
                            kind=candidate.kind,
                            count=str(len(bindings)),
                        ),
                    )
                    for key, (candidate, bindings) in found.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
        return self.async_show_form(
            step_id="account_sub_devices",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_SUB_DEVICES): choice}), user_input or {CONF_SUB_DEVICES: list(found)}
            ),
            errors=errors,
            description_placeholders={
                "count": str(len(found)),
                "kinds": str(len({candidate.kind for candidate, _ in found.values()})),
            },
            last_step=False,
        )

    def _new_run(self, plan: Plan) -> Run:
        return Run(self._account, plan, self._keep)

    # The run

    async def async_step_account_plan(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show everything that would be made, and begin."""
        if user_input is not None:
            return await self.async_step_account_progress()
        return self.async_show_form(
            step_id="account_plan",
            data_schema=vol.Schema({}),
            description_placeholders={
                "plan": plan_in_words(await Labels.load(self.hass), self._run.plan, self._generated)
            },
            last_step=False,
        )

    async def async_step_account_progress(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Carry out one step after the other."""
        self._failure = None
        return await self._advance("account_progress", "account_made", lambda: self._run.next, self._run.go_on)

    async def async_step_account_undo(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Undo one step after the other."""
        self._failure = None
        return await self._advance("account_undo", "account_undone", lambda: self._run.last, self._run.undo)

    async def _advance(
        self,
        step_id: str,
        then: str,
        following: Callable[[], Any],
        work: Callable[[], Coroutine[Any, Any, None]],
    ) -> ConfigFlowResult:
        """Show the step that is being worked on; when all are done, or one fails, continue with another page."""
        if self._work and self._work.done():
            self._failure = self._work.exception()
            self._work = None
            if self._failure:
                return self.async_show_progress_done(next_step_id="account_failed")
        if not self._work:
            if following() is None:
                return self.async_show_progress_done(next_step_id=then)
            # The page stays for the steps after the first one.
            begins = self.cur_step is None or self.cur_step["type"] is not FlowResultType.SHOW_PROGRESS
            self._work = (
                self.work_on(work, "Aliyun account")
                if begins
                else self.hass.async_create_task(work(), "Aliyun account", eager_start=False)
            )
        labels = await Labels.load(self.hass)
        return self.async_show_progress(
            step_id=step_id,
            progress_action=step_id,
            description_placeholders={
                "number": str(self._run.done + (step_id == "account_progress")),
                "of": str(len(self._run.plan.steps)),
                "what": step_in_words(labels, following()),
            },
            progress_task=self._work,
        )

    async def async_step_account_failed(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what failed and what was made, and ask whether to go on, to undo or to leave it."""
        labels = await Labels.load(self.hass)
        return self._choose("account_failed", labels, self._reason(labels, self._failure))

    async def async_step_account_unfinished(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what an earlier run has made, and ask the same."""
        stored = self._runs.find(self._address)
        assert stored is not None  # noqa: S101 - the previous page has looked
        self._run = Run.from_dict(self._account, stored, self._keep)
        return self._choose("account_unfinished", await Labels.load(self.hass), "")

    def _choose(self, step_id: str, labels: Labels, reason: str) -> ConfigFlowResult:
        undoing = ["account_undo"] if self._run.journal else []
        return self.async_show_menu(
            step_id=step_id,
            menu_options=["account_progress", *undoing, "account_leave"],
            description_placeholders={
                "reason": reason,
                "done": str(self._run.done),
                "of": str(len(self._run.plan.steps)),
                "made": made_in_words(labels, self._run),
            },
        )

    async def async_step_account_leave(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """End, and leave in the cloud what is there."""
        self._runs.forget(self._address)
        made = made_in_words(await Labels.load(self.hass), self._run)
        return self.async_abort(reason="account_left", description_placeholders={"made": made})

    async def async_step_account_undone(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """End after everything was undone."""
        return self.async_abort(reason="account_undone")

    async def async_step_account_made(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what was made, and ask whether to add it."""
        return await self._made("")

    async def _made(self, problem: str) -> ConfigFlowResult:
        labels = await Labels.load(self.hass)
        return self.async_show_menu(
            step_id="account_made",
            menu_options=["account_finish", "account_undo"],
            description_placeholders={
                "made": made_in_words(labels, self._run),
                "problem": Markdown(f"**{problem}**") if problem else "",
            },
        )

    async def async_step_account_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Connect as the device, and create the entry with its bindings."""
        purpose = self._run.plan.purpose
        key, name = self._run.key(purpose["product"]), purpose["device"]
        await self.claim(key, name)
        labels = await Labels.load(self.hass)
        try:
            entry = new_entry(self._run, await self._run.secrets())
            result = await self.add_device(entry.data, entry.options, entry.subentries)
        except (ApiError, ConnectError) as err:
            return await self._made(self._reason(labels, err))
        except InputRefused as refused:
            (error,) = refused.errors.values()
            return await self._made(labels.text(f"config.error.{error}", **refused.placeholders))
        self._runs.forget(self._address)
        return result

    def _reason(self, labels: Labels, err: BaseException | None) -> str:
        if isinstance(err, ApiError):
            return labels.text(f"config.error.{err.key}", **err.placeholders)
        if isinstance(err, ConnectError):
            return labels.text(f"config.error.{err.key}")
        if err:
            _LOGGER.error("Unexpected exception", exc_info=err)
        return labels.text("config.error.unknown")
