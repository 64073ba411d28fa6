"""The pages of every flow that works with the AccessKey of an account: the key, the plan, its progress, and what failed.

The AccessKey is in the memory of the flow only. What is being made is in a journal on disk, so an interrupted run can be
resumed or undone by entering the key again.
"""

from abc import abstractmethod
import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowContext,
    ConfigFlowResult,
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
)
import voluptuous as vol
from yarl import URL

from ..account.client import Account, ProductInfo, policy
from ..account.errors import ApiError
from ..account.plan import Plan, Step
from ..account.run import Run
from ..account.signing import AccessKey
from ..alink.errors import ConnectError
from ..alink.foreign import logger_of
from ..alink.mqtt.endpoint import DEFAULT_REGION, region_of
from ..alink.mqtt.sockets import tls_context
from ..alink.sub_device import MAX_SUB_DEVICES
from ..const import CONF_CA, CONF_ENDPOINT, CONF_TRANSPORT
from ..generated_model import GeneratedModel
from ..link_config import EndpointInvalid
from ..mapping.binding import Binding
from ..provisioning import (
    Runs,
    async_runs,
)
from ..stored_device import sub_devices_of
from ..sub_device_plan import Candidate, candidates, suggested_bindings
from ..web import request, web_address
from ..words.account_texts import made_in_words, plan_in_words, policy_in_words, step_in_words
from ..words.labels import Labels
from ..words.markdown import Markdown
from .binding_fields import InputRefused
from .connection_fields import ADVANCED_FIELDS, REGION_OR_HOST, SECTION_ADVANCED, entered_connection
from .secret_field import SECRET_SELECTOR
from .selection_pages import SelectionPages

_LOGGER = logger_of(__name__)

type Offered = tuple[Candidate, tuple[Binding, ...]]
"""A device that can become a sub-device, and what would be bound of it."""

CONF_ACCESS_KEY_ID: Final = "access_key_id"
CONF_ACCESS_KEY_SECRET: Final = "access_key_secret"  # noqa: S105 - the name of a field
CONF_REGION: Final = "region"
CONF_INSTANCE: Final = "instance"
CONF_API_HOST: Final = "api_host"
CONF_SUB_DEVICES: Final = "sub_devices"

_ADVANCED = vol.Schema(
    {
        vol.Optional(CONF_API_HOST): TextSelector(),
        vol.Optional(CONF_ENDPOINT): TextSelector(),
        **ADVANCED_FIELDS,
    }
)
ACCOUNT_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_ACCESS_KEY_ID): TextSelector(TextSelectorConfig(autocomplete="off")),
        vol.Optional(CONF_ACCESS_KEY_SECRET): SECRET_SELECTOR,
        vol.Required(CONF_REGION, default=DEFAULT_REGION): REGION_OR_HOST,
        vol.Optional(CONF_INSTANCE): TextSelector(),
        vol.Required(SECTION_ADVANCED): section(_ADVANCED, {"collapsed": True}),
    }
)


class AccountRunPages(SelectionPages[ConfigFlowContext, ConfigFlowResult, str]):
    """Log in to an account, carry out a plan, and resume or undo it."""

    _access_key: AccessKey | None = None
    account: Account
    products: list[ProductInfo]
    connection: dict[str, str | int]
    """How devices connect, as in the data of an entry."""
    run: Run
    generated: GeneratedModel | None = None
    """The thing model of which the plan shows the properties."""
    difference = Markdown("")
    """What changes in thing models, for the page with the plan."""
    account_schema = ACCOUNT_SCHEMA
    _address = ""
    _work: asyncio.Task[None] | None = None
    _shown: Mapping[str, str]
    """What the page with the progress says of the step that is being worked on."""
    _failure: BaseException | None = None
    _runs: Runs

    def suggested_account(self) -> dict[str, Any]:
        """Return what is filled in at first."""
        return {}

    @abstractmethod
    async def logged_in(self) -> ConfigFlowResult:
        """Continue with the account, which has no unfinished run of this flow."""

    @abstractmethod
    async def chosen(self, devices: list[Offered]) -> ConfigFlowResult:
        """Make a plan for sub-devices, and continue with it; raises InputRefused."""

    @abstractmethod
    async def async_step_account_made(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Continue after everything was made."""

    @abstractmethod
    def gateway_entry(self) -> ConfigEntry:
        """Return the entry that the sub-devices are for."""

    @property
    def purpose(self) -> str:
        """What the runs of this flow are for, so that those of another one are not taken for them."""
        return ""

    # The account

    async def async_step_account(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the AccessKey, and where the products are."""
        errors: dict[str, str] = {}
        found: dict[str, str] = {}
        if user_input is not None:
            try:
                await self._log_in(user_input)
                if self._runs.find(self._address):
                    return await self.async_step_account_unfinished()
                return await self.logged_in()
            except (ApiError, ConnectError) as err:
                refused = self.refused(err)
                errors, found = refused.errors, refused.placeholders
            except InputRefused as refusal:
                errors, found = refusal.errors, refusal.placeholders
        shown = {key: value for key, value in (user_input or {}).items() if key != CONF_ACCESS_KEY_SECRET}
        return self.async_show_form(
            step_id="account",
            data_schema=self.add_suggested_values_to_schema(self.account_schema, shown or self.suggested_account()),
            errors=errors,
            description_placeholders={
                "policy": policy_in_words(await Labels.load(self.hass), policy()),
                **found,
            },
            last_step=False,
        )

    async def _log_in(self, user_input: Mapping[str, Any]) -> None:
        """Ask the account for its products; raises InputRefused, an ApiError or a ConnectError."""
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
        if CONF_TRANSPORT in advanced:
            self.connection = entered_connection({CONF_ENDPOINT: endpoint, SECTION_ADVANCED: advanced})
        ca = advanced.get(CONF_CA, "").strip() or None
        self.account = Account(self._sender(url, ca), key, url.authority, instance)
        self._runs = await async_runs(self.hass)
        address = f"{url.authority} {instance}{self.purpose}"
        if ca:
            await self.hass.async_add_executor_job(tls_context, ca)
        self.products = await self.account.products()
        if address in self._runs.active - {self._address}:  # nothing is awaited between this and the claim
            raise InputRefused({"base": "account_busy"})
        self._runs.active.discard(self._address)
        self._runs.active.add(address)
        self._address = address

    def _sender(self, url: URL, ca: str | None) -> Callable[[str, Mapping[str, str]], Coroutine[Any, Any, bytes]]:
        async def send(query: str, headers: Mapping[str, str]) -> bytes:
            return await request(self.hass, "POST", URL(f"{url}?{query}", encoded=True), headers=headers, ca=ca)

        return send

    def refused(self, err: ApiError | ConnectError) -> InputRefused:
        """Return the error of a page for what the account refuses."""
        _LOGGER.debug("The account refused: %s", err)
        return InputRefused({"base": err.key}, err.placeholders if isinstance(err, ApiError) else {})

    @callback
    @override
    def async_remove(self) -> None:
        """Let other flows work with the account."""
        if self._address:
            self._runs.active.discard(self._address)

    async def async_step_account_sub_devices(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the devices that would become sub-devices, to select from."""
        selection = self._drafted().rule.selection
        found = {
            candidate.key: (candidate, bindings)
            for candidate in candidates(self.hass, self.gateway_entry(), selection)
            if (bindings := suggested_bindings(self.hass, candidate, None))
        }
        errors: dict[str, str] = {}
        refusal: dict[str, str] = {}
        if user_input is not None:
            chosen = [found[key] for key in user_input[CONF_SUB_DEVICES] if key in found]
            try:
                if not chosen:
                    errors = {CONF_SUB_DEVICES: "nothing_selected"}
                elif len(chosen) + len(sub_devices_of(self.gateway_entry())) > MAX_SUB_DEVICES:
                    errors, refusal = {CONF_SUB_DEVICES: "too_many_sub_devices"}, {"limit": str(MAX_SUB_DEVICES)}
                else:
                    return await self.chosen(chosen)
            except (ApiError, ConnectError) as err:
                refused = self.refused(err)
                errors, refusal = refused.errors, refused.placeholders
            except InputRefused as refused:
                errors, refusal = refused.errors, refused.placeholders
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
                **refusal,
            },
            last_step=False,
        )

    @callback
    def forget_run(self) -> None:
        """Forget a run that is finished, or left as it is."""
        self._runs.forget(self._address)

    async def _keep(self, run: Run) -> None:
        await self._runs.keep(self._address, run)

    def new_run(self, plan: Plan) -> Run:
        """Return a run of a plan, whose journal is kept."""
        return Run(self.account, plan, self._keep)

    # The run

    async def async_step_account_plan(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show everything that would be made, and begin."""
        if user_input is not None:
            return await self.async_step_account_progress()
        return self.async_show_form(
            step_id="account_plan",
            data_schema=vol.Schema({}),
            description_placeholders={
                "plan": plan_in_words(await Labels.load(self.hass), self.run.plan, self.generated, self.difference)
            },
            last_step=False,
        )

    async def async_step_account_progress(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Carry out one step after the other."""
        self._failure = None
        return await self._advance("account_progress", "account_made", lambda: self.run.next, self.run.go_on)

    async def async_step_account_undo(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Undo one step after the other."""
        self._failure = None
        return await self._advance("account_undo", "account_undone", lambda: self.run.last, self.run.undo)

    async def _advance(
        self,
        step_id: str,
        then: str,
        following: Callable[[], Step | None],
        work: Callable[[], Coroutine[Any, Any, None]],
    ) -> ConfigFlowResult:
        """Show the step that is being worked on; when all are done, or one fails, continue with another page."""
        if self._work and self._work.done():
            self._failure = self._work.exception()
            self._work = None
            if self._failure:
                return self.async_show_progress_done(next_step_id="account_failed")
        if not self._work:
            if (step := following()) is None:
                return self.async_show_progress_done(next_step_id=then)
            # The browser may ask again when the step is done, but has not been shown for long enough.
            self._shown = {
                "number": str(self.run.done + (step_id == "account_progress")),
                "of": str(len(self.run.plan.steps)),
                "what": step_in_words(await Labels.load(self.hass), step),
            }
            # The page stays for the steps after the first one.
            begins = self.cur_step is None or self.cur_step["type"] is not FlowResultType.SHOW_PROGRESS
            self._work = (
                self.work_on(work, "Aliyun account")
                if begins
                else self.hass.async_create_task(work(), "Aliyun account", eager_start=False)
            )
        return self.async_show_progress(
            step_id=step_id,
            progress_action=step_id,
            description_placeholders=self._shown,
            progress_task=self._work,
        )

    async def async_step_account_failed(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what failed and what was made, and ask whether to go on, to undo or to leave it."""
        labels = await Labels.load(self.hass)
        return self._choose("account_failed", labels, self.reason(labels, self._failure))

    async def async_step_account_unfinished(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what an earlier run has made, and ask the same."""
        stored = self._runs.find(self._address)
        assert stored is not None  # noqa: S101 - the previous page has looked
        self.run = Run.from_dict(self.account, stored, self._keep)
        return self._choose("account_unfinished", await Labels.load(self.hass), "")

    def _choose(self, step_id: str, labels: Labels, reason: str) -> ConfigFlowResult:
        undoing = ["account_undo"] if self.run.journal else []
        return self.async_show_menu(
            step_id=step_id,
            menu_options=["account_progress", *undoing, "account_leave"],
            description_placeholders={
                "reason": reason,
                "done": str(self.run.done),
                "of": str(len(self.run.plan.steps)),
                "made": made_in_words(labels, self.run),
            },
        )

    async def async_step_account_leave(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """End, and leave in the cloud what is there."""
        self.forget_run()
        made = made_in_words(await Labels.load(self.hass), self.run)
        return self.async_abort(reason="account_left", description_placeholders={"made": made})

    async def async_step_account_undone(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """End after everything was undone."""
        return self.async_abort(reason="account_undone")

    def reason(self, labels: Labels, err: BaseException | None) -> str:
        """Return why a step failed."""
        if isinstance(err, ApiError):
            return labels.text(f"config.error.{err.key}", **err.placeholders)
        if isinstance(err, ConnectError):
            return labels.text(f"config.error.{err.key}")
        if err:
            _LOGGER.error("Unexpected exception", exc_info=err)
        return labels.text("config.error.unknown")
