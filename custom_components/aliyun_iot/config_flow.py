"""Adding a device of the platform to Home Assistant, and changing later how it is reached."""

from collections.abc import Mapping
import logging
from math import ceil
import re
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
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
from .alink.errors import CertificateInvalid, ConnectError, CredentialsRefused, TripleInvalid
from .alink.mqtt.connecting import LinkConfig, probe
from .alink.mqtt.endpoint import REGIONS, Transport
from .alink.mqtt.sockets import tls_context
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
from .link_config import EndpointInvalid, link_config
from .runtime import AliyunConfigEntry, Runtime

_LOGGER = logging.getLogger(__name__)

SECTION_ADVANCED = "advanced"

_SECRET_FIELD = {
    # A browser that is told "new-password" neither fills in nor stores the user's password for Home Assistant.
    vol.Optional(CONF_DEVICE_SECRET): TextSelector(
        TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password")
    )
}
# None of them is required: all three may be pasted into one. What is missing then is said by field.
_TRIPLE_FIELDS = {
    vol.Optional(CONF_PRODUCT_KEY): TextSelector(),
    vol.Optional(CONF_DEVICE_NAME): TextSelector(),
    **_SECRET_FIELD,
}
_ADVANCED = vol.Schema(
    {
        vol.Required(CONF_TRANSPORT, default=Transport.TLS.value): SelectSelector(
            SelectSelectorConfig(options=[transport.value for transport in Transport], translation_key=CONF_TRANSPORT)
        ),
        # Without limits, which the selector would tell in English.
        vol.Optional(CONF_PORT): NumberSelector(NumberSelectorConfig(mode=NumberSelectorMode.BOX)),
        vol.Optional(CONF_CA): TextSelector(TextSelectorConfig(multiline=True)),
    }
)

_PASTED = re.compile(r'"(ProductKey|DeviceName|DeviceSecret)"\s*:\s*"([^"]*)"', re.IGNORECASE)
"""What the console copies: a JSON object with the three strings."""


class AliyunConfigFlow(ConfigFlow, domain=DOMAIN):
    """Ask for what the console shows about a device, and try it."""

    def __init__(self) -> None:
        """Start without knowing anything."""
        # A secret is never sent back to the browser; after an error an empty field means the one entered before.
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
            user_input = {**user_input, **_entered_triple(user_input)}
            self._secret = user_input[CONF_DEVICE_SECRET] or self._secret
            try:
                triple = DeviceTriple.parse(user_input[CONF_PRODUCT_KEY], user_input[CONF_DEVICE_NAME], self._secret)
            except TripleInvalid as err:
                errors = _triple_error(err)
            else:
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
            data_schema=self._form(_TRIPLE_FIELDS, user_input or {}, errors),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the menu of the options: a device that stands for nothing is not what anybody wanted."""
        menu = await self.hass.config_entries.options.async_init(result["result"].entry_id)
        result["next_flow"] = (FlowType.OPTIONS_FLOW, menu["flow_id"])
        return result

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to ask what to do, after the cloud refused the device."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the DeviceSecret, or to try again with the known one: the device may only have been disabled."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {**entry.data, CONF_DEVICE_SECRET: _secret(user_input, entry)}
            errors = await self._try(data, entry)
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
        """Ask where and how to connect; who the device is stays as it is."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {
                **_identity(entry),
                CONF_DEVICE_SECRET: _secret(user_input, entry),
                **_entered_way(user_input),
            }
            errors = await self._try(data, entry)
            if not errors:
                return self._update(entry, data)
        current = {CONF_ENDPOINT: entry.data[CONF_ENDPOINT], SECTION_ADVANCED: dict(entry.data)}
        return self.async_show_form(
            data_schema=self._form(_SECRET_FIELD, user_input or current, errors),
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
        if not 0 < data.get(CONF_PORT, 1) < 65536:
            raise InputRefused({SECTION_ADVANCED: "invalid_port"})
        try:
            config = link_config(self.hass, data, options)
        except TripleInvalid as err:
            raise InputRefused(_triple_error(err)) from err
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

    def _form(self, fields: Mapping[Any, Any], values: Mapping[str, Any], errors: Mapping[str, str]) -> vol.Schema:
        """Return fields and how to connect, with values to start from, never with a secret.

        The advanced section is open if something is in it, or if connecting failed, which it may have to do with.
        """
        advanced = values.get(SECTION_ADVANCED, {})
        usual = advanced.get(CONF_TRANSPORT, Transport.TLS) == Transport.TLS and not {CONF_PORT, CONF_CA} & set(
            advanced
        )
        schema = vol.Schema(
            {
                **fields,
                # No list of regions: most accounts have an instance ID, and a list is slow to type into.
                vol.Required(CONF_ENDPOINT, default=REGIONS[0]): TextSelector(),
                vol.Required(SECTION_ADVANCED): section(_ADVANCED, {"collapsed": usual and "base" not in errors}),
            }
        )
        visible = {key: value for key, value in values.items() if key != CONF_DEVICE_SECRET}
        return self.add_suggested_values_to_schema(schema, visible)


def _triple_error(err: TripleInvalid) -> dict[str, str]:
    return {err.field: f"invalid_{err.field}"}


def _entered_triple(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the three strings, each empty if it is missing; what was pasted as JSON into any field goes before."""
    entered = {key: user_input.get(key, "").strip() for key in (CONF_PRODUCT_KEY, CONF_DEVICE_NAME, CONF_DEVICE_SECRET)}
    pasted = {name.lower(): value for name, value in _PASTED.findall(" ".join(entered.values()))}
    return {key: pasted.get(key.replace("_", ""), value) for key, value in entered.items()}


def _secret(user_input: Mapping[str, Any], entry: ConfigEntry) -> str:
    """Return the secret that was entered, or the known one if the field was left empty."""
    secret: str = user_input.get(CONF_DEVICE_SECRET, "").strip() or entry.data[CONF_DEVICE_SECRET]
    return secret


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
    if CONF_PORT in advanced:
        way[CONF_PORT] = int(advanced[CONF_PORT])
    if certificate_authority := advanced.get(CONF_CA, "").strip():
        way[CONF_CA] = certificate_authority
    return way
