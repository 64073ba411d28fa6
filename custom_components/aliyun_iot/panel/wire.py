"""The messages of the connection, for an open page."""

import asyncio
from collections import deque
from collections.abc import Callable
import json
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..alink.auth import Identity
from ..alink.messages import JsonValue
from ..alink.privacy import HIDDEN, PrivateNames, without_credentials
from ..alink.topics import REPLY_SUFFIX
from ..alink.traffic import WireMessage
from ..const import OWN
from ..runtime import Runtime
from .feed import INTERVAL, Send, runtime_of

MAX_WAITING: Final = 500
MAX_WAITING_BYTES: Final = 512 * 1024
"""Messages that wait for the next update of the page, and their bytes; older ones are left out and counted."""

MAX_SHOWN: Final = 16_384
"""Bytes of a payload that are shown."""


SIGNED: Final = frozenset({"session", "topo", "register", "product_register"})
"""Parts of the topics whose messages have signatures of sub-devices, made with their secrets or that of their product."""


class WireTap:
    """Collects messages between two updates of a page."""

    def __init__(self) -> None:
        """Start empty."""
        self._waiting: deque[WireMessage] = deque()
        self._bytes = 0
        self._seen = 0
        self._taken = 0

    def note(self, message: WireMessage) -> None:
        """Add a message; this is called for each one, so it does nothing else."""
        self._waiting.append(message)
        self._bytes += len(message.payload)
        self._seen += 1
        while len(self._waiting) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
            self._bytes -= len(self._waiting.popleft().payload)

    def take(self, runtime: Runtime) -> dict[str, Any] | None:
        """Return what came since the last call, None if nothing did."""
        if not self._waiting:
            return None
        left_out = self._seen - self._taken - len(self._waiting)
        messages = [shown_message(message, *_device(runtime, message.topic)) for message in self._waiting]
        self._taken = self._seen
        self._waiting.clear()
        self._bytes = 0
        return {"messages": messages, "left_out": left_out}


def _device(runtime: Runtime, topic: str) -> tuple[PrivateNames, str]:
    """Return the private names of the device that a topic belongs to, and its title if it is a sub-device."""
    parts = topic.split("/")
    start = 2 if parts[1:2] == ["sys"] else 3 if parts[1:2] == ["ext"] else 1
    names = parts[start : start + 2]
    owner = runtime.sub_devices.owner_of(Identity(*names)) if len(names) == len(Identity._fields) else None
    device = runtime.cloud_device(owner or OWN) or runtime.device
    return device.private, device.stored.title if device.stored.owner else ""


def shown_message(message: WireMessage, private: PrivateNames, device: str) -> dict[str, JsonValue]:
    """Return a message for the page, and what matches a request with its reply.

    Private values are masked, and the keys in addresses of files.
    """
    shown: dict[str, JsonValue] = {"at": round(message.at, 3), "up": message.up, "topic": message.topic}
    shown["device"] = device
    shown["reply"] = message.topic.endswith(REPLY_SUFFIX)
    if len(message.payload) > MAX_SHOWN:
        return shown | {"size": len(message.payload), "text": None}
    try:
        document = json.loads(message.payload)
    except ValueError, RecursionError:
        return shown | {"size": len(message.payload), "text": None, "hex": message.payload[:256].hex(" ")}
    found = document.get("id") if isinstance(document, dict) else None
    return shown | {
        "size": len(message.payload),
        "message_id": str(found) if found is not None else None,
        "text": without_credentials(json.dumps(_masked(message.topic, document, private), ensure_ascii=False)),
    }


def _masked(topic: str, document: JsonValue, private: PrivateNames) -> JsonValue:
    """Return the content of a message without private values; in an Alink envelope only params and data have some."""
    if not SIGNED.isdisjoint(topic.split("/")):
        document = _without_signatures(document)
    if not isinstance(document, dict) or "id" not in document:
        whole: JsonValue = private.masked("", document)
        return whole
    service = topic.removesuffix(REPLY_SUFFIX).rpartition("/")[2]  # what changes a password has one as its input
    return {
        key: private.masked(service, value) if key in ("params", "data") else value for key, value in document.items()
    }


def _without_signatures(document: JsonValue) -> JsonValue:
    match document:
        case dict():
            return {key: HIDDEN if key == "sign" else _without_signatures(inner) for key, inner in document.items()}
        case list():
            return [_without_signatures(inner) for inner in document]
        case _:
            return document


async def feed_wire(hass: HomeAssistant, entry_id: str, send: Send) -> None:
    """Send what goes over the connection for as long as the entry exists; it may be set up again meanwhile."""
    runtime: Runtime | None = None
    tap = WireTap()
    leave: Callable[[], None] | None = None
    try:
        while entry := hass.config_entries.async_get_entry(entry_id):
            if (present := runtime_of(entry)) is not runtime:
                if leave:
                    leave()
                runtime = present
                leave = runtime.link.traffic.observe(tap.note) if runtime else None
            if runtime and (news := tap.take(runtime)):
                send(news)
            await asyncio.sleep(INTERVAL)
    finally:
        if leave:
            leave()
