"""Tags of a device, which applications and the console can search for (`docs/protocol.md` §12.1)."""

from collections.abc import Iterable, Mapping
from itertools import batched
import re
from typing import TYPE_CHECKING, Final

from .errors import Rejected

if TYPE_CHECKING:
    from .device import Device
    from .messages import JsonValue, Reply

TAGS_PER_MESSAGE: Final = 200

MAX_KEY: Final = 64
"""Bytes."""

MAX_VALUE: Final = 128
"""Characters; the platform's page names no limit for a device, its console has this one."""

_ILLEGAL: Final = re.compile(r"[^0-9A-Za-z_.\-\u3400-\u4dbf\u4e00-\u9fff]+")
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def legal_value(text: str) -> str:
    """Return a text with the characters that a tag may have: others become `_`; "" if nothing is left of it."""
    return _ILLEGAL.sub("_", text).strip("_")[:MAX_VALUE]


def is_legal_key(key: str) -> bool:
    """Return whether the platform takes a key."""
    return len(key) <= MAX_KEY and bool(_KEY.fullmatch(key))


async def update_tags(device: Device, tags: Mapping[str, str]) -> None:
    """Add or replace tags; the others stay.

    Raises Rejected for a code other than 200, and what `Device.request` raises.
    """
    for batch in batched(tags.items(), TAGS_PER_MESSAGE, strict=False):
        params: JsonValue = [{"attrKey": key, "attrValue": value} for key, value in batch]
        _check(await device.request(device.topics.tags_update, "thing.deviceinfo.update", params))


async def delete_tags(device: Device, keys: Iterable[str]) -> None:
    """Delete tags; raises as `update_tags`."""
    for batch in batched(keys, TAGS_PER_MESSAGE, strict=False):
        params: JsonValue = [{"attrKey": key} for key in batch]
        _check(await device.request(device.topics.tags_delete, "thing.deviceinfo.delete", params))


def _check(reply: Reply) -> None:
    if not reply.ok:
        raise Rejected(reply.code, reply.message)
