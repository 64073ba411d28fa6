"""The shadow, as devices use it (docs/protocol.md §12.6)."""

import time

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue, dump
from ..core.platform import Platform
from ..core.shadow import TEXTS, ShadowError, read_request, read_state
from .uplink import Answer, Uplink, answer

GET = "/shadow/get/{pk}/{dn}"


def take_request(uplink: Uplink) -> list[Answer]:
    """Fulfil a request on `/shadow/update`; the answer is on `/shadow/get`."""
    now = int(time.time())
    try:
        return [answer(uplink, GET, _fulfil(uplink, now))]
    except ShadowError as error:
        content: JsonValue = {
            "errorcode": str(error.code),
            "errormessage": TEXTS.get(error.code, "shadow service error"),
        }
        failure: JsonValue = {
            "method": "reply",
            "payload": {"status": "error", "content": content},
            "timestamp": now,
        }
        return [answer(uplink, GET, failure)]


def push_control(platform: Platform, device: CloudDevice) -> None:
    """Send the whole shadow to a device after an application has changed it."""
    topic = device.topics.expand(GET)
    platform.delivery.command(device, topic, dump(_document(device, "control", int(time.time()))).encode())


def _fulfil(uplink: Uplink, now: int) -> JsonValue:
    shadow = uplink.device.shadow
    if (code := uplink.platform.faults.take_answer_code()) is not None:
        raise ShadowError(code)
    request = read_request(uplink.payload)
    if request["method"] == "get":
        return _document(uplink.device, "reply", now)
    state, version = read_state(request), request.get("version")
    if request["method"] == "update":
        shadow.report(state, version, now)
    else:
        shadow.delete(state, version)
    return {"method": "reply", "payload": {"status": "success", "version": shadow.version}, "timestamp": now}


def _document(device: CloudDevice, method: str, now: int) -> JsonValue:
    shadow = device.shadow
    return {
        "method": method,
        "payload": {"status": "success", "state": shadow.state, "metadata": shadow.times},
        "version": shadow.version,
        "timestamp": now,
    }
