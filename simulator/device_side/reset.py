"""A device resets the binding to its user (docs/protocol.md §13)."""

from ..core.jsontext import JsonValue
from .uplink import Uplink


def take_reset(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record the reset; there are no users here."""
    del params
    uplink.device.resets += 1
    return {}
