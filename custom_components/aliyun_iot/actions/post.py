"""Actions that post to the cloud: property values, an event, or all bound properties."""

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..addressed import DEVICE
from ..alink.device import REPLY_TIMEOUT
from ..alink.foreign import Safe, safe
from ..alink.messages import Reply
from ..alink.samples import Sample, utc_milliseconds
from ..words.refusal_texts import refusal_text
from .call import cloud_device_of, failure, listed, misuse, refusal, translated_errors
from .values import wire_values

ATTR_PROPERTIES = "properties"
ATTR_IDENTIFIER = "identifier"
ATTR_OUTPUT = "output"

SYNC_TIMEOUT = 30.0
"""Seconds to wait until a snapshot has been posted."""

POST_PROPERTIES_SCHEMA = vol.Schema(
    {**DEVICE, vol.Required(ATTR_PROPERTIES): vol.All({cv.string: object}, vol.Length(min=1))}
)
POST_EVENT_SCHEMA = vol.Schema(
    {**DEVICE, vol.Required(ATTR_IDENTIFIER): cv.string, vol.Optional(ATTR_OUTPUT, default=dict): {cv.string: object}}
)
REQUEST_SYNC_SCHEMA = vol.Schema(DEVICE)


async def post_properties(call: ServiceCall) -> ServiceResponse:
    """Post property values, wait for the reply, and raise an error that lists the rejected ones."""
    device = cloud_device_of(call)
    model = device.model.properties if device.model else None
    values = wire_values(call, call.data[ATTR_PROPERTIES], model, "unknown_property")
    now = utc_milliseconds()
    samples = {identifier: Sample(value, now) for identifier, value in values.items()}
    with translated_errors(call):
        reply = await device.device.post_properties(samples, REPLY_TIMEOUT)
    response = _accepted(call, reply)
    if reply.rejected:
        language = call.hass.config.language
        reasons = [Safe(f"{key}: {refusal_text(reason, language)}") for key, reason in reply.rejected.items()]
        raise failure("property_rejected", reasons=listed(call, reasons, "; "))
    return response


async def post_event(call: ServiceCall) -> ServiceResponse:
    """Post an event and wait for the cloud's reply."""
    device = cloud_device_of(call)
    identifier: str = call.data[ATTR_IDENTIFIER]
    events = device.model.events if device.model else None
    if events is not None and identifier not in events:
        raise misuse("unknown_event", identifier=identifier, known=listed(call, events))
    output = wire_values(
        call, call.data[ATTR_OUTPUT], events[identifier].output if events else None, "unknown_parameter"
    )
    with translated_errors(call):
        reply = await device.device.post_event(identifier, output, utc_milliseconds(), REPLY_TIMEOUT)
    return _accepted(call, reply)


async def request_sync(call: ServiceCall) -> ServiceResponse:
    """Post the values of all bound properties; return what became of them."""
    device = cloud_device_of(call)
    if not device.online:
        raise failure("not_connected")
    snapshot = device.reporter.post_everything()
    await snapshot.wait(SYNC_TIMEOUT)
    unreportable = device.reporter.outbox.unreportable
    return {
        "posted": snapshot.posted,
        "rejected": dict(snapshot.rejected),
        "waiting": len(snapshot.waiting),
        "unreportable": {key: why.describe(call.hass.config.language) for key, why in unreportable.items()},
    }


def _accepted(call: ServiceCall, reply: Reply) -> ServiceResponse:
    """Return a successful reply as response data; raises HomeAssistantError for any other."""
    if not reply.ok:
        raise refusal(call, reply.code, reply.message)
    return {"code": reply.code, "message": safe(reply.message)}
