"""Devices and what they can do: status, properties and services (docs/protocol.md §6).

Values are not checked against the thing model before they are sent, so that a device can be tested with bad values.
"""

from ..core.commands import NotOnlineError
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue, dump
from ..core.records import ServiceCall
from ..gateway import lifecycle
from .call import Answer, Call
from .errors import OFFLINE, SERVICE_FAILED, TIMED_OUT, ApiError

DEVICES_PER_CALL = 100


async def get_status(call: Call) -> Answer:
    """Return the status."""
    device = call.device()
    return {"Data": {"Status": device.status, "Timestamp": device.status_time}}


async def disable(call: Call) -> Answer:
    """Disable a device, which goes offline."""
    lifecycle.disable(call.platform, call.device())
    return {}


async def enable(call: Call) -> Answer:
    """Enable a device again."""
    lifecycle.enable(call.platform, call.device())
    return {}


async def delete(call: Call) -> Answer:
    """Delete a device."""
    lifecycle.delete(call.platform, call.device())
    return {}


async def reset(call: Call) -> Answer:
    """Reset a device: it may be registered dynamically again, and is in no topology. It keeps its secret."""
    lifecycle.reset(call.platform, call.device())
    return {}


async def set_properties(call: Call) -> Answer:
    """`Items`: {identifier: value}. QueryDeviceServiceData returns the outcome, with the identifier `set`."""
    device, items = call.device(), call.fields.json_object("Items")
    try:
        command = call.platform.commands.set_properties(device, items)
    except NotOnlineError:
        raise ApiError(OFFLINE) from None
    return {"Data": {"MessageId": command.message_id}}


async def set_properties_of_many(call: Call) -> Answer:
    """`Items`: {identifier: value}, for `DeviceName.N` of a product; devices that are offline are passed over."""
    devices, items = call.existing_devices(DEVICES_PER_CALL), call.fields.json_object("Items")
    for device in devices:
        if device.online:
            call.platform.commands.set_properties(device, items)
    return {}


async def invoke_service_of_many(call: Call) -> Answer:
    """Invoke an asynchronous service of `DeviceName.N` of a product; devices that are offline are passed over."""
    devices, identifier = call.existing_devices(DEVICES_PER_CALL), call.fields.text("Identifier")
    arguments = call.fields.json_object("Args")
    if any(_is_sync(device, identifier) for device in devices):
        raise ApiError(SERVICE_FAILED, f"{identifier} is synchronous.")
    for device in devices:
        if device.online:
            call.platform.commands.start_service(device, identifier, arguments)
    return {}


async def invoke_service(call: Call) -> Answer:
    """Invoke `Identifier` with `Args`; the thing model defines whether it is synchronous (§6.3, §6.4).

    Without a thing model, every service is asynchronous. `set` and `get` are the generated services: their `Args` are an
    object of values and an array of identifiers.
    """
    device, identifier = call.device(), call.fields.text("Identifier")
    try:
        if identifier == "set":
            command = call.platform.commands.set_properties(device, call.fields.json_object("Args"))
        elif identifier == "get":
            command = call.platform.commands.get_properties(device, call.fields.json("Args"))
        elif call.platform.options.dialect.has_rrpc and _is_sync(device, identifier):
            command = await call.platform.commands.run_service(
                device, identifier, call.fields.json_object("Args"), call.platform.options.service_timeout
            )
            return _outcome(command)
        else:
            command = call.platform.commands.start_service(device, identifier, call.fields.json_object("Args"))
    except NotOnlineError:
        raise ApiError(OFFLINE) from None
    except TimeoutError:
        raise ApiError(TIMED_OUT) from None
    return {"Data": {"MessageId": command.message_id}}


def _is_sync(device: CloudDevice, identifier: str) -> bool:
    if device.thing_model is None:
        return False
    if (service := device.thing_model.services.get(identifier)) is None:
        raise ApiError(SERVICE_FAILED, f"{identifier} is not in the thing model.")
    return service.sync


def _outcome(command: ServiceCall) -> Answer:
    """Return the answer to a synchronous service; a code other than 200 becomes the code of the answer."""
    reply = command.reply
    data: JsonValue = {"MessageId": command.message_id, "Result": dump(reply.data if reply else None)}
    if reply is None or reply.code == 200:
        return {"Data": data}
    return {"Success": False, "Code": str(reply.code), "ErrorMessage": reply.message, "Data": data}
