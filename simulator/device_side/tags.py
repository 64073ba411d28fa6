"""Tags (docs/protocol.md §12.1). Their values are not checked."""

from ..core.jsontext import JsonValue
from ..core.names import is_tag_key
from .uplink import Uplink, read_array, read_object, rejected

ENTRIES = 200
SYSTEM = "SYSTEM"
"""The domain of what SDKs report about themselves."""


def update_tags(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Add or replace tags, all or none."""
    entries = [read_object(entry) for entry in read_array(params, may_be_empty=False, limit=(ENTRIES, 460))]
    named = [(_key(entry), entry) for entry in entries]
    if any("attrValue" not in entry for _, entry in named):
        raise rejected(460)
    device = uplink.device
    for key, entry in named:
        tags = device.system_tags if entry.get("domain") == SYSTEM else device.tags
        tags[key] = str(entry["attrValue"])
    return {}


def delete_tags(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Remove tags; those that do not exist are ignored."""
    for key in [_key(read_object(entry)) for entry in read_array(params, may_be_empty=False, limit=(ENTRIES, 460))]:
        uplink.device.tags.pop(key, None)
    return {}


def get_tags(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return the tags that are asked for, or all; the form of the answer is not documented."""
    wanted = (
        {_key(entry) if isinstance(entry, dict) else entry for entry in params} if isinstance(params, list) else None
    )
    return [
        {"attrKey": key, "attrValue": value} for key, value in uplink.device.tags.items() if not wanted or key in wanted
    ]


def _key(entry: dict[str, JsonValue]) -> str:
    key = entry.get("attrKey")
    if not isinstance(key, str) or not is_tag_key(key):
        raise rejected(460)
    return key
