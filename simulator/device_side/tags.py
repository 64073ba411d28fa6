"""Tags (docs/protocol.md §12.1)."""

from ..core.jsontext import JsonValue
from .uplink import Uplink, read_array, read_object


def update_tags(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Add or replace tags (§12.1)."""
    for tag in map(read_object, read_array(params)):
        uplink.device.tags[str(tag.get("attrKey"))] = str(tag.get("attrValue"))
    return {}


def delete_tags(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Remove tags (§12.1)."""
    for tag in map(read_object, read_array(params)):
        uplink.device.tags.pop(str(tag.get("attrKey")), None)
    return {}
