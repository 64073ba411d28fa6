"""Messages with any payload: Pub and RRpc."""

import base64

from ..core.commands import NotOnlineError
from ..core.topics import is_wildcard, parse_topic
from .call import Answer, Call
from .errors import (
    BAD_PARAMETER,
    BAD_TIMEOUT,
    BAD_TOPIC,
    RRPC_HALF_CONNECTED,
    RRPC_OFFLINE,
    TIMED_OUT,
    ApiError,
)

BROADCAST_BYTES = 64 * 1024
RRPC_TIMEOUTS_MS = range(1000, 8001)

MILLISECOND = 0.001
"""Seconds; less in tests of calls that time out."""


async def rrpc(call: Call) -> Answer:
    """Send any payload and wait `Timeout` ms for the response; with a `Topic`, on /ext/rrpc (§6.5)."""
    device, payload = call.device(), call.fields.content("RequestBase64Byte")
    timeout, topic = call.fields.integer("Timeout"), call.fields.optional_text("Topic")
    if timeout not in RRPC_TIMEOUTS_MS:
        raise ApiError(BAD_TIMEOUT, "It must be 1000 to 8000 ms.")
    if topic is not None and (is_wildcard(topic) or not device.topics.owns(topic)):
        raise ApiError(BAD_TOPIC)
    if not call.platform.options.dialect.has_rrpc:
        raise ApiError(TIMED_OUT, RrpcCode="TIMEOUT")
    try:
        message_id, response = await call.platform.commands.rrpc(device, payload, timeout * MILLISECOND, topic)
    except NotOnlineError:
        if device.half_connected:
            raise ApiError(RRPC_HALF_CONNECTED, RrpcCode="HALFCONN") from None
        raise ApiError(RRPC_OFFLINE, RrpcCode="OFFLINE") from None
    except TimeoutError:
        raise ApiError(TIMED_OUT, RrpcCode="TIMEOUT") from None
    return {
        "MessageId": int(message_id),
        "RrpcCode": "SUCCESS",
        "PayloadBase64Byte": base64.b64encode(response).decode(),
    }


async def publish(call: Call) -> Answer:
    """Publish `MessageContent` on `TopicFullName`.

    Unlike on the platform, any topic of a device is possible, so that malformed commands and raw frames can be sent. As
    on the platform, the caller does not learn whether the device receives the message.
    """
    topic = call.fields.text("TopicFullName")
    payload, qos = call.fields.content("MessageContent"), call.fields.integer("Qos", 0)
    if qos not in (0, 1):
        raise ApiError(BAD_PARAMETER, "Qos is 0 or 1.")
    product = call.product()
    address = parse_topic(topic)
    device = None if address is None else call.platform.registry.devices.get((product.key, address.device_name))
    if device is None or is_wildcard(topic) or not device.topics.owns(topic):
        raise ApiError(BAD_TOPIC)
    call.platform.delivery.command(device, topic, payload, qos=qos)
    return {"MessageId": call.platform.commands.next_message_id()}


async def broadcast(call: Call) -> Answer:
    """Publish `MessageContent` to all online devices of a product, or to those that have subscribed to `TopicFullName`.

    Without a topic, devices receive it on `/sys/{pk}/{dn}/broadcast/request/{message id}` without a subscription (§12.7).
    """
    product, payload = call.product(), call.fields.content("MessageContent")
    message_id, topic = call.platform.commands.next_message_id(), call.fields.optional_text("TopicFullName")
    if len(payload) > BROADCAST_BYTES:
        raise ApiError(BAD_PARAMETER, "MessageContent has at most 64 KB.")
    if topic is not None and (is_wildcard(topic) or not topic.startswith(f"/broadcast/{product.key}/")):
        raise ApiError(BAD_TOPIC)
    for device in list(call.platform.registry.of_product(product.key)):
        if device.connection is None:
            continue
        if topic is None:
            own = f"{device.topics.system}broadcast/request/{message_id}"
            call.platform.delivery.command(device, own, payload, subscribed=True)
        elif device.connection.subscriptions.match(topic):
            call.platform.delivery.command(device, topic, payload)
    return {"MessageId": int(message_id)}


async def notify_bootstrap(call: Call) -> Answer:
    """Tell a device that it has to ask for its endpoint again; the platform does so when it moves a device (§13)."""
    notification = call.platform.commands.notify(call.device(), "thing/bootstrap/notify", {"cmd": 0})
    return {"Data": {"MessageId": notification.id}}
