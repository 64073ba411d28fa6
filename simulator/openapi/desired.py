"""Desired property values (docs/protocol.md §9)."""

from ..core.clock import now_ms
from ..core.jsontext import JsonValue, dump
from ..core.records import Desired
from ..device_side.desired import clear_desired
from .call import Answer, Call
from .errors import BAD_PARAMETER, SET_FAILED, ApiError, missing

DESIRED_PER_CALL = 10


async def set_desired(call: Call) -> Answer:
    """`Items`: {identifier: value}; `Versions`: {identifier: version to replace}, optional (§9)."""
    device, items = call.device(), call.fields.json_object("Items")
    expected = call.fields.optional_json_object("Versions")
    if not 0 < len(items) <= DESIRED_PER_CALL:
        raise ApiError(BAD_PARAMETER, f"Items has 1 to {DESIRED_PER_CALL} properties.")
    versions: dict[str, JsonValue] = {}
    for identifier in items:
        version = device.desired[identifier].version if identifier in device.desired else 0
        if expected.get(identifier, version) != version:
            raise ApiError(SET_FAILED, f"The version of {identifier} is {version}.")
        if device.thing_model is not None:
            known = device.thing_model.properties.get(identifier)
            if known is None or not known.writable:
                raise ApiError(SET_FAILED, f"{identifier} is not a property that can be set.")
        versions[identifier] = version + 1
    now = now_ms()
    for identifier, value in items.items():
        device.desired[identifier] = Desired(value, int(str(versions[identifier])), now)
    message_id = call.platform.commands.next_message_id()
    if device.online:
        message_id = call.platform.commands.set_properties(device, items).message_id
    return {"Data": {"MessageId": message_id, "Versions": dump(versions)}}


async def clear(call: Call) -> Answer:
    """Clear the desired values of `Identifies.N`, whatever their versions; the versions stay (§9)."""
    device, identifiers = call.device(), call.fields.texts("Identifies")
    if not identifiers:
        raise missing("Identifies")
    if len(identifiers) > DESIRED_PER_CALL:
        raise ApiError(BAD_PARAMETER, f"Identifies has 1 to {DESIRED_PER_CALL} properties.")
    for identifier in device.desired.keys() & set(identifiers):
        clear_desired(device, identifier)
    versions: JsonValue = {
        identifier: device.desired[identifier].version for identifier in identifiers if identifier in device.desired
    }
    return {"Data": {"Versions": dump(versions)}}
