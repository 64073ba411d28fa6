"""Desired property values (docs/protocol.md §9)."""

from ..core.clock import now_ms
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.records import Desired
from .uplink import Uplink, read_array, read_object
from .values import IDENTIFIERS


def get_desired(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return the requested desired values, as far as they are set (§9)."""
    device = uplink.device
    identifiers = [
        identifier for identifier in read_array(params, limit=(IDENTIFIERS, 6104)) if isinstance(identifier, str)
    ]
    found = {identifier: device.desired[identifier] for identifier in identifiers if identifier in device.desired}
    return {
        identifier: {"value": desired.value, "version": desired.version}
        for identifier, desired in found.items()
        if not desired.cleared
    }


def delete_desired(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Clear desired values, all of them for `{}`; a value is kept if another version is given (§9)."""
    device = uplink.device
    wanted = read_object(params, may_be_empty=True, limit=(IDENTIFIERS, 6104))
    for identifier in wanted or list(device.desired):
        desired = device.desired.get(identifier)
        options = read_object(wanted.get(identifier, {}), may_be_empty=True)
        if desired is not None and options.get("version", desired.version) == desired.version:
            clear_desired(device, identifier)
    return {}


def clear_desired(device: CloudDevice, identifier: str) -> None:
    """Clear a desired value that exists; it keeps its version."""
    device.desired[identifier] = Desired(None, device.desired[identifier].version, now_ms(), cleared=True)
