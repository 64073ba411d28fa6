"""Actions that send bytes, to which the platform does not reply: a raw frame, or a message on a user topic."""

from homeassistant.core import ServiceCall
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..addressed import DEVICE
from ..mapping.validators import whole
from .call import cloud_device_of, translated_errors
from .payload import ATTR_FORMAT, format_field, payload_bytes, payload_text

ATTR_DATA = "data"
ATTR_TOPIC = "topic"
ATTR_PAYLOAD = "payload"
ATTR_QOS = "qos"

SEND_RAW_SCHEMA = vol.Schema({**DEVICE, vol.Required(ATTR_DATA): payload_text, **format_field("hex")})
PUBLISH_SCHEMA = vol.Schema(
    {
        **DEVICE,
        vol.Required(ATTR_TOPIC): cv.string,
        vol.Optional(ATTR_PAYLOAD, default=""): payload_text,
        **format_field("text"),
        vol.Optional(ATTR_QOS, default=0): vol.All(whole, vol.In((0, 1))),
    }
)


async def send_raw(call: ServiceCall) -> None:
    """Send a frame in the product's own format."""
    frame = payload_bytes(call.data[ATTR_DATA], call.data[ATTR_FORMAT])
    with translated_errors(call):
        await cloud_device_of(call).device.send_raw(frame)


async def publish(call: ServiceCall) -> None:
    """Publish a message on a topic below `/user/`."""
    device = cloud_device_of(call).device
    topic = call.data[ATTR_TOPIC].removeprefix(device.topics.users).removeprefix("/").removeprefix("user/")
    payload = payload_bytes(call.data[ATTR_PAYLOAD], call.data[ATTR_FORMAT])
    with translated_errors(call):
        await device.publish(topic, payload, call.data[ATTR_QOS])
