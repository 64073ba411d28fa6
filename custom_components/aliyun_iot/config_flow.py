"""Adding a device of the platform to Home Assistant, and changing later how it is reached."""

from collections.abc import Mapping
import logging
from math import ceil
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .alink.auth import DeviceTriple
from .alink.connecting import LinkConfig, probe
from .alink.endpoint import REGIONS, Transport
from .alink.errors import CertificateInvalid, ConnectError, TripleInvalid
from .alink.sockets import tls_context
from .connection import EndpointInvalid, link_config
from .const import (
    CONF_CA,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_PORT,
    CONF_PRODUCT_KEY,
    CONF_TRANSPORT,
    DOMAIN,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
    SUBENTRY_RULE,
    SUBENTRY_SERVICE,
)
from .flows.binding_fields import InputRefused
from .flows.event_flow import EventFlow
from .flows.options_flow import AliyunOptionsFlow
from .flows.rule_flow import RuleFlow
from .flows.subentry_flow import ExposureFlow, ServiceFlow
from .runtime import AliyunConfigEntry, Runtime

_LOGGER = logging.getLogger(__name__)

SECTION_ADVANCED = "advanced"

# A browser that is told "new-password" neither fills in nor stores the user's password for Home Assistant.
_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password"))

_IDENTITY = {
    vol.Required(CONF_PRODUCT_KEY): TextSelector(),
    vol.Required(CONF_DEVICE_NAME): TextSelector(),
}
_WAY = {
    # No list of regions: most accounts have an instance ID, and a list is slow to type into.
    vol.Required(CONF_ENDPOINT, default=REGIONS[0]): TextSelector(),
    vol.Required(SECTION_ADVANCED): section(
        vol.Schema(
            {
                vol.Required(CONF_TRANSPORT, default=Transport.TLS.value): SelectSelector(
                    SelectSelectorConfig(
                        options=[transport.value for transport in Transport], translation_key=CONF_TRANSPORT
                    )
                ),
                vol.Optional(CONF_PORT): NumberSelector(
                    NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
                ),
                vol.Optional(CONF_CA): TextSelector(TextSelectorConfig(multiline=True)),
            }
        ),
        {"collapsed": True},
    ),
}

USER_SCHEMA = vol.Schema({**_IDENTITY, vol.Required(CONF_DEVICE_SECRET): _SECRET, **_WAY})
RETRY_SCHEMA = vol.Schema({**_IDENTITY, vol.Optional(CONF_DEVICE_SECRET): _SECRET, **_WAY})
REAUTH_SCHEMA = vol.Schema({vol.Required(CONF_DEVICE_SECRET): _SECRET})
RECONFIGURE_SCHEMA = vol.Schema({vol.Optional(CONF_DEVICE_SECRET): _SECRET, **_WAY})


class AliyunConfigFlow(ConfigFlow, domain=DOMAIN):
    """Ask for what the console shows about a device, and try it."""

    def __init__(self) -> None:
        """Start without knowing anything."""
        # A secret is never sent back to the browser; after an error an empty field means the one entered before.
        self._secret: str | None = None
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
        """Return the flows for exposed devices, rules, bound services and bound events."""
        return {
            SUBENTRY_EXPOSURE: ExposureFlow,
            SUBENTRY_RULE: RuleFlow,
            SUBENTRY_SERVICE: ServiceFlow,
            SUBENTRY_EVENT: EventFlow,
        }

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the device triple and where to connect."""
        errors: dict[str, str] = {}
        if user_input is not None:
            secret = user_input.get(CONF_DEVICE_SECRET) or self._secret or ""
            try:
                triple = DeviceTriple.parse(user_input[CONF_PRODUCT_KEY], user_input[CONF_DEVICE_NAME], secret)
            except TripleInvalid as err:
                errors = _triple_error(err)
            else:
                self._secret = triple.device_secret
                # Before connecting: a second login would kick out the entry that is already there.
                await self.async_set_unique_id(f"{triple.product_key}.{triple.device_name}", raise_on_progress=False)
                self._abort_if_unique_id_configured(reload_on_update=False)
                data = {
                    CONF_PRODUCT_KEY: triple.product_key,
                    CONF_DEVICE_NAME: triple.device_name,
                    CONF_DEVICE_SECRET: triple.device_secret,
                    **_entered_way(user_input),
                }
                errors = await self._try(data)
                if not errors:
                    return self.async_create_entry(title=triple.device_name, data=data)

        return self.async_show_form(
            data_schema=self._with_suggestions(RETRY_SCHEMA if self._secret else USER_SCHEMA, user_input),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to ask for another secret, after the cloud refused the known one."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the DeviceSecret."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {**entry.data, CONF_DEVICE_SECRET: user_input[CONF_DEVICE_SECRET].strip()}
            errors = await self._try(data, entry)
            if not errors:
                return self._update(entry, data)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=REAUTH_SCHEMA,
            errors=errors,
            description_placeholders={**self._placeholders, **_identity(entry)},
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where and how to connect; who the device is stays as it is."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {
                **_identity(entry),
                CONF_DEVICE_SECRET: user_input.get(CONF_DEVICE_SECRET, "").strip() or entry.data[CONF_DEVICE_SECRET],
                **_entered_way(user_input),
            }
            errors = await self._try(data, entry)
            if not errors:
                return self._update(entry, data)
        current = {CONF_ENDPOINT: entry.data[CONF_ENDPOINT], SECTION_ADVANCED: dict(entry.data)}
        return self.async_show_form(
            data_schema=self._with_suggestions(RECONFIGURE_SCHEMA, user_input or current),
            errors=errors,
            description_placeholders={**self._placeholders, **_identity(entry)},
        )

    async def _try(self, data: Mapping[str, Any], entry: AliyunConfigEntry | None = None) -> dict[str, str]:
        """Connect once, in place of the entry if there is one; return what went wrong by field, nothing if it worked."""
        try:
            config = await self._checked(data, entry.options if entry else {})
        except InputRefused as refused:
            self._placeholders = refused.placeholders
            return refused.errors
        return await (self._probe_in_place_of(entry, config) if entry else self._probe(config))

    async def _checked(self, data: Mapping[str, Any], options: Mapping[str, Any]) -> LinkConfig:
        """Return how to connect; raises InputRefused for what can be told without connecting."""
        try:
            config = link_config(self.hass, data, options)
        except TripleInvalid as err:
            raise InputRefused(_triple_error(err)) from err
        except EndpointInvalid as err:
            raise InputRefused({CONF_ENDPOINT: "invalid_endpoint"}) from err
        if certificate_authority := config.endpoint.ca:
            try:
                await self.hass.async_add_executor_job(tls_context, certificate_authority)
            except CertificateInvalid as err:
                raise InputRefused({SECTION_ADVANCED: "invalid_ca"}) from err
        if delay := config.pacer.delay():
            raise InputRefused({"base": "too_many_attempts"}, {"seconds": str(ceil(delay))})
        return config

    async def _probe_in_place_of(self, entry: AliyunConfigEntry, config: LinkConfig) -> dict[str, str]:
        """Probe with the running link out of the way; two logins would kick each other out."""
        if (runtime := _running(entry)) is None:
            return await self._probe(config)
        await runtime.suspend()
        replaced = False
        try:
            errors = await self._probe(config)
            # Other words for the same way change the data, but the update listener keeps the link.
            replaced = not errors and config != runtime.link.config
        finally:
            # A change that works makes the update listener reload the entry, with a new link.
            if not replaced and _running(entry) is runtime:
                runtime.resume()
        return errors

    async def _probe(self, config: LinkConfig) -> dict[str, str]:
        """Connect once; return what went wrong, nothing if it worked."""
        try:
            await probe(config)
        except ConnectError as err:
            _LOGGER.debug("Trying to connect failed: %s", err)
            return {"base": err.key}
        except Exception:
            _LOGGER.exception("Unexpected exception")
            return {"base": "unknown"}
        return {}

    def _update(self, entry: AliyunConfigEntry, data: Mapping[str, Any]) -> ConfigFlowResult:
        """Store what works."""
        if _running(entry):
            return self.async_update_and_abort(entry, data=data)
        # An entry that is not set up has no update listener that could do it.
        return self.async_update_reload_and_abort(entry, data=data)

    def _with_suggestions(self, schema: vol.Schema, values: Mapping[str, Any] | None) -> vol.Schema:
        """Return the schema with values to start from, never with a secret."""
        visible = {key: value for key, value in (values or {}).items() if key != CONF_DEVICE_SECRET}
        return self.add_suggested_values_to_schema(schema, visible)


def _triple_error(err: TripleInvalid) -> dict[str, str]:
    return {err.field: f"invalid_{err.field}"}


def _identity(entry: ConfigEntry) -> dict[str, str]:
    return {key: entry.data[key] for key in (CONF_PRODUCT_KEY, CONF_DEVICE_NAME)}


def _running(entry: AliyunConfigEntry) -> Runtime | None:
    return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None


def _entered_way(user_input: Mapping[str, Any]) -> dict[str, str | int]:
    """Return the part of an entry's data that says where and how to connect; what was left empty is left out."""
    advanced = user_input[SECTION_ADVANCED]
    way: dict[str, str | int] = {
        CONF_ENDPOINT: user_input[CONF_ENDPOINT].strip(),
        CONF_TRANSPORT: advanced[CONF_TRANSPORT],
    }
    if port := advanced.get(CONF_PORT):
        way[CONF_PORT] = int(port)
    if certificate_authority := advanced.get(CONF_CA, "").strip():
        way[CONF_CA] = certificate_authority
    return way
