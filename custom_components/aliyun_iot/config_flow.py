"""Config flow: add a device of the platform, enter its secret again, and change how it connects."""

from collections.abc import Iterable, Mapping
from math import ceil
import re
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    FlowType,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import TextSelector
import voluptuous as vol

from .alink.auth import DeviceTriple
from .alink.errors import CertificateInvalid, ConnectError, CredentialsRefused, TripleInvalid
from .alink.foreign import logger_of
from .alink.mqtt.connecting import LinkConfig, probe
from .alink.mqtt.sockets import tls_context
from .const import (
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_PORT,
    CONF_PRODUCT_KEY,
    DOMAIN,
    ENTRY_MINOR_VERSION,
    ENTRY_VERSION,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
    SUBENTRY_RULE,
    SUBENTRY_SERVICE,
    SUBENTRY_SUB_DEVICE,
)
from .flows.account_pages import AccountPages
from .flows.binding_fields import InputRefused
from .flows.connection_fields import (
    ADVANCED_FIELDS,
    SECTION_ADVANCED,
    connection_schema,
    entered_connection,
    triple_error,
)
from .flows.event_flow import EventFlow
from .flows.options_flow import AliyunOptionsFlow, begin_options
from .flows.register_pages import RegisterPages
from .flows.rule_flow import RuleFlow
from .flows.secret_field import SECRET_SELECTOR
from .flows.sub_device_flow import SubDeviceFlow
from .flows.subentry_flow import ExposureFlow, ServiceFlow
from .link_config import EndpointInvalid, link_config
from .registered import async_registered_secrets
from .runtime import AliyunConfigEntry, Runtime

_LOGGER = logger_of(__name__)

_SECRET_FIELD = {vol.Optional(CONF_DEVICE_SECRET): SECRET_SELECTOR}
# None of these is required, because all three can be pasted into one field. A missing value is an error of its field.
_TRIPLE_FIELDS = {
    vol.Optional(CONF_PRODUCT_KEY): TextSelector(),
    vol.Optional(CONF_DEVICE_NAME): TextSelector(),
    **_SECRET_FIELD,
}
_ADVANCED = vol.Schema(ADVANCED_FIELDS)

_PASTED = re.compile(r'"(ProductKey|DeviceName|DeviceSecret)"\s*:\s*"([^"]*)"', re.IGNORECASE)
"""The device triple as the console copies it: a JSON object with three strings."""


class AliyunConfigFlow(RegisterPages, AccountPages, ConfigFlow, domain=DOMAIN):
    """Get the device triple and the endpoint, and test the connection before an entry is created."""

    VERSION = ENTRY_VERSION
    MINOR_VERSION = ENTRY_MINOR_VERSION

    def __init__(self) -> None:
        """Start without input."""
        # A secret is never sent back to the browser. After an error, an empty field means the secret entered before.
        self._secret = ""
        self._placeholders: dict[str, str] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> AliyunOptionsFlow:
        """Return the flow for bindings, the thing model and settings."""
        return AliyunOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flows for exposed devices, rules, bound services, bound events and sub-devices."""
        return {
            SUBENTRY_EXPOSURE: ExposureFlow,
            SUBENTRY_RULE: RuleFlow,
            SUBENTRY_SERVICE: ServiceFlow,
            SUBENTRY_EVENT: EventFlow,
            SUBENTRY_SUB_DEVICE: SubDeviceFlow,
        }

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the device triple comes from."""
        return self.async_show_menu(step_id="user", menu_options=["triple", "register", "account"])

    async def async_step_triple(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the device triple and how to connect."""
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = {**user_input, **_entered_triple(user_input)}
            self._secret = user_input[CONF_DEVICE_SECRET] or self._secret
            try:
                triple = DeviceTriple.parse(user_input[CONF_PRODUCT_KEY], user_input[CONF_DEVICE_NAME], self._secret)
                await self.claim(triple.product_key, triple.device_name)
                return await self.add_device(
                    {
                        CONF_PRODUCT_KEY: triple.product_key,
                        CONF_DEVICE_NAME: triple.device_name,
                        CONF_DEVICE_SECRET: triple.device_secret,
                        **entered_connection(user_input),
                    }
                )
            except TripleInvalid as err:
                errors = triple_error(err)
            except InputRefused as refused:
                errors, self._placeholders = refused.errors, refused.placeholders

        return self.async_show_form(
            step_id="triple",
            data_schema=self._form(_TRIPLE_FIELDS, user_input or {}, errors),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    @override
    async def claim(self, product_key: str, device_name: str) -> None:
        """Make the device that of the flow; raises AbortFlow if it has an entry.

        Called before connecting, because a second login would disconnect the existing entry.
        """
        await self.async_set_unique_id(f"{product_key}.{device_name}", raise_on_progress=False)
        self._abort_if_unique_id_configured(reload_on_update=False)

    @override
    async def add_device(
        self,
        data: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        subentries: Iterable[ConfigSubentryData] = (),
    ) -> ConfigFlowResult:
        """Test the connection and create the entry; raises InputRefused."""
        if errors := await self._test_connection(data):
            raise InputRefused(errors, self._placeholders)
        return self.async_create_entry(title=data[CONF_DEVICE_NAME], data=data, options=options, subentries=subentries)

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Continue with the thing model and the bindings, because a device without bindings does nothing."""
        data = result["result"].data
        (await async_registered_secrets(self.hass)).forget(data[CONF_PRODUCT_KEY], data[CONF_DEVICE_NAME])
        # Home Assistant sends the result to the browser: without the data of the entry, but with those of its subentries.
        result["subentries"] = ()
        result["next_flow"] = (FlowType.OPTIONS_FLOW, await begin_options(self.hass, result["result"]))
        return result

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start after the cloud refused the device."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the DeviceSecret; an empty field tries the stored one again, in case the device was only disabled."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {**entry.data, CONF_DEVICE_SECRET: _secret(user_input, entry)}
            errors = await self._test_connection(data, entry)
            if not errors:
                return self._update(entry, data)
            if errors == {"base": CredentialsRefused.key}:
                errors = {"base": "still_refused"}
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema(_SECRET_FIELD),
            errors=errors,
            description_placeholders={**self._placeholders, **_identity(entry)},
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to connect; ProductKey and DeviceName can't be changed."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {
                **_identity(entry),
                CONF_DEVICE_SECRET: _secret(user_input, entry),
                **entered_connection(user_input),
            }
            errors = await self._test_connection(data, entry)
            if not errors:
                return self._update(entry, data)
        current = {CONF_ENDPOINT: entry.data.get(CONF_ENDPOINT), SECTION_ADVANCED: dict(entry.data)}
        return self.async_show_form(
            data_schema=self._form(_SECRET_FIELD, user_input or current, errors),
            errors=errors,
            description_placeholders={**self._placeholders, **_identity(entry)},
        )

    async def _test_connection(self, data: Mapping[str, Any], entry: AliyunConfigEntry | None = None) -> dict[str, str]:
        """Connect once, in place of the running entry if there is one; return the errors by field, empty on success."""
        try:
            config = await self.validated_config(data, entry.options if entry else {})
        except InputRefused as refused:
            self._placeholders = refused.placeholders
            return refused.errors
        return await (self._probe_in_place_of(entry, config) if entry else self._probe(config))

    @override
    async def validated_config(self, data: Mapping[str, Any], options: Mapping[str, Any]) -> LinkConfig:
        """Return the link configuration; raises InputRefused for errors that show without connecting."""
        if not 0 < data.get(CONF_PORT, 1) < 65536:
            raise InputRefused({SECTION_ADVANCED: "invalid_port"})
        try:
            config = link_config(self.hass, data, options)
        except TripleInvalid as err:
            raise InputRefused(triple_error(err)) from err
        except EndpointInvalid as err:
            raise InputRefused({CONF_ENDPOINT: err.key}) from err
        if certificate_authority := config.endpoint.ca:
            try:
                await self.hass.async_add_executor_job(tls_context, certificate_authority)
            except CertificateInvalid as err:
                raise InputRefused({SECTION_ADVANCED: "invalid_ca"}) from err
        if delay := config.pacer.delay():
            raise InputRefused({"base": "too_many_attempts"}, {"seconds": str(ceil(delay))})
        return config

    async def _probe_in_place_of(self, entry: AliyunConfigEntry, config: LinkConfig) -> dict[str, str]:
        """Probe while the running link is suspended, because two logins would disconnect each other."""
        if (runtime := _loaded_runtime(entry)) is None:
            return await self._probe(config)
        await runtime.suspend()
        replaced = False
        try:
            errors = await self._probe(config)
            # The same connection may be written differently; then the update listener keeps the link.
            replaced = not errors and config != runtime.link.config
        finally:
            # After a successful change the update listener reloads the entry, which creates a new link.
            if not replaced and _loaded_runtime(entry) is runtime:
                runtime.resume()
        return errors

    async def _probe(self, config: LinkConfig) -> dict[str, str]:
        """Connect once; return the errors, empty on success."""
        try:
            await probe(config)
        except ConnectError as err:
            _LOGGER.debug("The test connection failed: %s", err)
            return {"base": err.key}
        except Exception:
            _LOGGER.exception("Unexpected exception")
            return {"base": "unknown"}
        return {}

    def _update(self, entry: AliyunConfigEntry, data: Mapping[str, Any]) -> ConfigFlowResult:
        """Store tested data and finish."""
        if _loaded_runtime(entry):
            return self.async_update_and_abort(entry, data=data)
        # An entry that is not set up has no update listener, so it is reloaded here.
        return self.async_update_reload_and_abort(entry, data=data)

    def _form(self, fields: Mapping[Any, Any], values: Mapping[str, Any], errors: Mapping[str, str]) -> vol.Schema:
        """Return the fields and those for the connection, filled with `values` except for the secret."""
        visible = {key: value for key, value in values.items() if key != CONF_DEVICE_SECRET}
        return self.add_suggested_values_to_schema(connection_schema(fields, _ADVANCED, visible, errors), visible)


def _entered_triple(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the three strings, empty if missing; values from JSON pasted into any field take precedence."""
    entered = {key: user_input.get(key, "").strip() for key in (CONF_PRODUCT_KEY, CONF_DEVICE_NAME, CONF_DEVICE_SECRET)}
    pasted = {name.lower(): value for name, value in _PASTED.findall(" ".join(entered.values()))}
    return {key: pasted.get(key.replace("_", ""), value) for key, value in entered.items()}


def _secret(user_input: Mapping[str, Any], entry: ConfigEntry) -> str:
    """Return the entered secret, or the stored one if the field is empty."""
    secret: str = user_input.get(CONF_DEVICE_SECRET, "").strip() or entry.data[CONF_DEVICE_SECRET]
    return secret


def _identity(entry: ConfigEntry) -> dict[str, str]:
    return {key: entry.data[key] for key in (CONF_PRODUCT_KEY, CONF_DEVICE_NAME)}


def _loaded_runtime(entry: AliyunConfigEntry) -> Runtime | None:
    return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
