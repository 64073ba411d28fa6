"""The page that registers a device with the secret of its product."""

from abc import abstractmethod
import asyncio
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowContext, ConfigFlowResult
from homeassistant.helpers.selector import TextSelector
import voluptuous as vol

from ..alink.auth import DeviceTriple
from ..alink.errors import ConnectError, CredentialsRefused, TripleInvalid
from ..alink.foreign import logger_of
from ..alink.mqtt.connecting import LinkConfig
from ..alink.mqtt.endpoint import Transport
from ..alink.registration import PATH, Applicant, RegistrationError, register_over_https, register_over_mqtt
from ..const import (
    CONF_CA,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_PRODUCT_KEY,
    CONF_PRODUCT_SECRET,
    CONF_TRANSPORT,
)
from ..link_config import EndpointInvalid
from ..registered import async_registered_secrets
from ..web import request, web_address
from .binding_fields import InputRefused
from .connection_fields import ADVANCED_FIELDS, SECTION_ADVANCED, connection_schema, entered_connection, triple_error
from .new_device_pages import NewDevicePages
from .safe_pages import SafePages
from .secret_field import SECRET_SELECTOR

_LOGGER = logger_of(__name__)

CONF_REGISTRATION_HOST = "registration_host"

_FIELDS = {
    vol.Optional(CONF_PRODUCT_KEY): TextSelector(),
    vol.Optional(CONF_DEVICE_NAME): TextSelector(),
    vol.Optional(CONF_PRODUCT_SECRET): SECRET_SELECTOR,
}
_ADVANCED = vol.Schema({vol.Optional(CONF_REGISTRATION_HOST): TextSelector(), **ADVANCED_FIELDS})


class RegisterPages(NewDevicePages, SafePages[ConfigFlowContext, ConfigFlowResult, str], ConfigFlow):
    """Register a device, and add it.

    The product secret is kept in memory until the flow ends, so that it need not be entered again after an error.
    """

    _product_secret = ""

    @abstractmethod
    async def validated_config(self, data: Mapping[str, Any], options: Mapping[str, Any]) -> LinkConfig:
        """Return the link configuration; raises InputRefused for errors that show without connecting."""

    async def async_step_register(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for ProductKey, DeviceName and ProductSecret, and how to connect."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            self._product_secret = user_input.get(CONF_PRODUCT_SECRET, "").strip() or self._product_secret
            try:
                return await self._register(user_input)
            except InputRefused as refused:
                errors, placeholders = refused.errors, refused.placeholders
        shown = {key: value for key, value in (user_input or {}).items() if key != CONF_PRODUCT_SECRET}
        return self.async_show_form(
            step_id="register",
            data_schema=self.add_suggested_values_to_schema(
                connection_schema(_FIELDS, _ADVANCED, shown, errors), shown
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _register(self, user_input: Mapping[str, Any]) -> ConfigFlowResult:
        """Add the device with the secret that is kept for it, otherwise with a new one; raises InputRefused."""
        try:
            applicant = Applicant.parse(
                user_input.get(CONF_PRODUCT_KEY, ""), user_input.get(CONF_DEVICE_NAME, ""), self._product_secret
            )
        except TripleInvalid as err:
            raise InputRefused(triple_error(err)) from None
        await self.claim(applicant.product_key, applicant.device_name)
        data = {
            CONF_PRODUCT_KEY: applicant.product_key,
            CONF_DEVICE_NAME: applicant.device_name,
            **entered_connection(user_input),
        }
        kept = (await async_registered_secrets(self.hass)).find(applicant.product_key, applicant.device_name)
        if kept:
            try:
                return await self.add_device({**data, CONF_DEVICE_SECRET: kept})
            except InputRefused as refused:
                # The device may have been deleted and created again meanwhile.
                if refused.errors != {"base": CredentialsRefused.key}:
                    raise
        host = user_input[SECTION_ADVANCED].get(CONF_REGISTRATION_HOST, "").strip()
        registering = self.hass.async_create_task(self._registered(applicant, data, host), "aliyun_iot registration")
        # What the cloud says only once is kept, even if this request ends.
        triple = await asyncio.shield(registering)
        return await self.add_device({**data, CONF_DEVICE_SECRET: triple.device_secret})

    async def _registered(self, applicant: Applicant, data: Mapping[str, Any], host: str) -> DeviceTriple:
        """Register the device and keep its secret; raises InputRefused."""
        # The answer is a secret, so this connection is encrypted whatever the other ones are.
        config = await self.validated_config(
            {**data, CONF_TRANSPORT: Transport.TLS.value, CONF_DEVICE_SECRET: applicant.product_secret}, {}
        )
        try:
            if host:
                url = web_address(host).with_path(PATH)
                triple = await register_over_https(
                    applicant, lambda form: request(self.hass, "POST", url, form=form, ca=data.get(CONF_CA))
                )
            else:
                triple = await register_over_mqtt(applicant, config.endpoint, config.pacer.connected)
        except EndpointInvalid as err:
            raise InputRefused({SECTION_ADVANCED: err.key}) from None
        except (RegistrationError, ConnectError) as err:
            _LOGGER.debug("The registration failed: %s", err)
            raise InputRefused({"base": err.key}, {"reason": str(err)}) from None
        await (await async_registered_secrets(self.hass)).keep(triple)
        return triple
