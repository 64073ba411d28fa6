"""The integration's actions: what an automation can send to the cloud by itself."""

import base64
from collections.abc import Awaitable, Callable, Mapping
import time
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
import voluptuous as vol

from .alink.codes import describe
from .alink.datatypes import Field
from .alink.errors import InvalidValue, MessageError, NotConnected, RequestTimeout
from .alink.link import REPLY_TIMEOUT, Sample
from .alink.messages import JsonValue, Reply
from .alink.thing_model import Property
from .const import DOMAIN
from .runtime import AliyunConfigEntry, Runtime

ATTR_CONFIG_ENTRY_ID = "config_entry_id"
ATTR_PROPERTIES = "properties"
ATTR_IDENTIFIER = "identifier"
ATTR_OUTPUT = "output"
ATTR_DATA = "data"
ATTR_FORMAT = "format"

_DECODERS: dict[str, Callable[[str], bytes]] = {
    "hex": bytes.fromhex,
    "base64": lambda text: base64.b64decode(text, validate=True),
    "text": str.encode,
}

_ENTRY = {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string}

POST_PROPERTIES_SCHEMA = vol.Schema(
    {**_ENTRY, vol.Required(ATTR_PROPERTIES): vol.All({cv.string: object}, vol.Length(min=1))}
)
POST_EVENT_SCHEMA = vol.Schema(
    {**_ENTRY, vol.Required(ATTR_IDENTIFIER): cv.string, vol.Optional(ATTR_OUTPUT, default=dict): {cv.string: object}}
)
SEND_RAW_SCHEMA = vol.Schema(
    {**_ENTRY, vol.Required(ATTR_DATA): cv.string, vol.Optional(ATTR_FORMAT, default="hex"): vol.In(_DECODERS)}
)


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Register all actions."""
    hass.services.async_register(
        DOMAIN,
        "post_properties",
        _post_properties,
        POST_PROPERTIES_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN, "post_event", _post_event, POST_EVENT_SCHEMA, supports_response=SupportsResponse.OPTIONAL
    )
    hass.services.async_register(DOMAIN, "send_raw", _send_raw, SEND_RAW_SCHEMA)


async def _post_properties(call: ServiceCall) -> ServiceResponse:
    """Post property values and wait for what the cloud says to each of them."""
    runtime = _runtime(call)
    model = runtime.model.properties if runtime.model else None
    now = _now()
    samples = {
        identifier: Sample(_encode(identifier, value, model, "unknown_property"), now)
        for identifier, value in call.data[ATTR_PROPERTIES].items()
    }
    reply = await _accepted(runtime.link.post_properties(samples, REPLY_TIMEOUT))
    if reply.rejected:
        reasons = "; ".join(f"{identifier}: {reason}" for identifier, reason in reply.rejected.items())
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="property_rejected",
            translation_placeholders={"reasons": reasons},
        )
    return {"code": reply.code, "message": reply.message}


async def _post_event(call: ServiceCall) -> ServiceResponse:
    """Post an event and wait for the cloud's reply."""
    runtime = _runtime(call)
    identifier: str = call.data[ATTR_IDENTIFIER]
    fields: Mapping[str, Field] | None = None
    if runtime.model:
        if identifier not in runtime.model.events:
            raise _invalid("unknown_event", identifier=identifier)
        fields = runtime.model.events[identifier].output
    output = {name: _encode(name, value, fields, "unknown_parameter") for name, value in call.data[ATTR_OUTPUT].items()}
    reply = await _accepted(runtime.link.post_event(identifier, output, _now(), REPLY_TIMEOUT))
    return {"code": reply.code, "message": reply.message}


async def _send_raw(call: ServiceCall) -> None:
    """Send a raw frame; the platform has no reply that would tell what became of it."""
    try:
        frame = _DECODERS[call.data[ATTR_FORMAT]](call.data[ATTR_DATA])
    except ValueError as err:
        raise _invalid("invalid_raw", format=call.data[ATTR_FORMAT]) from err
    try:
        await _runtime(call).link.send_raw(frame)
    except NotConnected as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_connected") from err


def _runtime(call: ServiceCall) -> Runtime:
    entry: AliyunConfigEntry = async_get_config_entry(call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID])
    return entry.runtime_data


def _encode(
    identifier: str, value: Any, fields: Mapping[str, Property] | Mapping[str, Field] | None, unknown: str
) -> JsonValue:
    """Return a value for the wire, as the thing model wants it; without one, as it is."""
    if fields is None:
        return int(value) if isinstance(value, bool) else value
    if identifier not in fields:
        raise _invalid(unknown, identifier=identifier)
    data_type = fields[identifier].data_type
    try:
        # Templates give numbers as text, so what came over no wire is read as if it had.
        return data_type.encode(data_type.decode(value, identifier), identifier)
    except InvalidValue as err:
        raise _invalid("invalid_value", path=err.path, wanted=err.wanted) from err


async def _accepted(request: Awaitable[Reply]) -> Reply:
    """Return the reply to a request; everything but success raises."""
    try:
        reply = await request
    except NotConnected as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_connected") from err
    except RequestTimeout as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="request_timeout") from err
    except (MessageError, ValueError) as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="not_sendable", translation_placeholders={"reason": str(err)}
        ) from err
    if not reply.ok:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="rejected",
            translation_placeholders={
                "code": str(reply.code),
                "message": reply.message,
                "meaning": describe(reply.code, "en"),
            },
        )
    return reply


def _invalid(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)


def _now() -> int:
    return int(time.time() * 1000)
