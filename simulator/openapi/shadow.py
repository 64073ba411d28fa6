"""The shadow, as applications use it (docs/protocol.md §12.6)."""

import time

from ..core.jsontext import JsonValue, dump
from ..core.shadow import DELETED, TEXTS, ShadowError, read_state
from ..device_side.shadow import push_control
from .call import Answer, Call
from .errors import BAD_PARAMETER, ApiError


async def get(call: Call) -> Answer:
    """Return the shadow as JSON text."""
    shadow = call.device().shadow
    document: JsonValue = {
        "state": shadow.state,
        "metadata": shadow.times,
        "timestamp": int(time.time()),
        "version": shadow.version,
    }
    return {"ShadowMessage": dump(document)}


async def update(call: Call) -> Answer:
    """Set the desired state, and send the shadow to the device if it is online.

    `ShadowMessage`: {"method": "update", "state": {"desired": …}, "version": …}, with version 0 for no control of versions.
    `DeltaUpdate` true adds to the desired state; otherwise it is replaced.
    """
    device, message = call.device(), call.fields.json_object("ShadowMessage")
    delta, version = call.fields.boolean("DeltaUpdate"), message.get("version")
    try:
        desired = read_state(message).get("desired")
        if message.get("method") != "update" or desired == {} or not isinstance(version, int):
            raise ApiError(BAD_PARAMETER, "ShadowMessage has the method update, a desired state and a version.")
        if desired in DELETED:
            device.shadow.desire({}, version, 0, delta=False)
        elif isinstance(desired, dict):
            device.shadow.desire(desired, version, int(time.time()), delta=delta)
        else:
            raise ApiError(BAD_PARAMETER, "The desired state is an object.")
    except ShadowError as error:
        raise ApiError(BAD_PARAMETER, f"{error.code} {TEXTS[error.code]}.") from None
    if device.online:
        push_control(call.platform, device)
    return {}
