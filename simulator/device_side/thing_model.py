"""The thing model that a device asks for (docs/protocol.md §8.4)."""

from ..core.jsontext import JsonValue
from .uplink import Uplink, rejected


def get_thing_model(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return the TSL document (§8.4)."""
    del params
    if uplink.device.thing_model is None:
        raise rejected(6321)
    return uplink.device.thing_model.document
