"""The shadow: a JSON document that the cloud keeps for a device, independent of the thing model (`docs/protocol.md` §12.6).

Its messages have no id, so one request is under way at a time. Each change needs a version above the stored one; without one
given, the version is read first.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .errors import MessageError, Rejected, RequestTimeout
from .foreign import logger_of
from .messages import decode_document, encode_document
from .model.numeric import to_whole
from .remote_file import invalid

if TYPE_CHECKING:
    from .device import Device
    from .messages import JsonValue

_LOGGER = logger_of(__name__)

MAX_SHADOW: Final = 16 * 1024
MAX_ATTRIBUTES: Final = 128
MAX_LEVELS: Final = 5

VERSION_CONFLICT: Final = 409

REPLY_TIMEOUT: Final = 10.0
"""Seconds."""

DELETED: Final = "null"
"""What stands on the wire for a deleted part."""


@dataclass(frozen=True, slots=True)
class ShadowDocument:
    """The shadow: what the device reported, what applications desire, and its version."""

    reported: Mapping[str, JsonValue]
    desired: Mapping[str, JsonValue]
    version: int


@dataclass(slots=True)
class Shadow:
    """The shadow of one device.

    Every request raises NotConnected, RequestTimeout, MessageError for what can't be sent or read, and Rejected with the codes
    of the shadow.
    """

    device: Device
    on_change: Callable[[ShadowDocument], None]
    """Called when an application changes the shadow."""
    _in_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: asyncio.Future[dict[str, JsonValue]] | None = None

    async def get(self) -> ShadowDocument:
        """Return the shadow."""
        async with self._in_turn:
            return await self._get()

    async def update(
        self, reported: Mapping[str, JsonValue], *, clear_desired: bool = False, version: int | None = None
    ) -> int:
        """Report attributes, which are merged into the shadow, and return its version.

        An attribute that is None is deleted. With `clear_desired`, what applications desire is deleted, after it was carried
        out.
        """
        state: dict[str, JsonValue] = {}
        if reported or not clear_desired:
            _check_size(reported)
            state["reported"] = _with_deleted(reported)
        if clear_desired:
            state["desired"] = DELETED
        return await self._change("update", state, version)

    async def delete(self, keys: Iterable[str] | None, *, version: int | None = None) -> int:
        """Delete reported attributes, all of them for None, and return the version."""
        state: JsonValue = DELETED if keys is None else dict.fromkeys(keys, DELETED)
        return await self._change("delete", {"reported": state}, version)

    def received(self, payload: bytes) -> None:
        """Handle a message on the topic of the shadow."""
        try:
            document = decode_document(payload)
            if document.get("method") == "control":
                self.on_change(_read_document(document))
                return
        except MessageError as err:
            _LOGGER.debug("Cannot read a message about the shadow: %s", err)
            return
        if self._waiting is None or self._waiting.done():
            _LOGGER.debug("No request waits for a reply about the shadow")
        else:
            self._waiting.set_result(document)

    async def _change(self, method: str, state: dict[str, JsonValue], version: int | None) -> int:
        async with self._in_turn:
            if version is not None:
                return await self._send_change(method, state, version)
            try:
                return await self._send_change(method, state, (await self._get()).version + 1)
            except Rejected as err:  # an application was quicker
                if err.code != VERSION_CONFLICT:
                    raise
                return await self._send_change(method, state, (await self._get()).version + 1)

    async def _send_change(self, method: str, state: dict[str, JsonValue], version: int) -> int:
        reply = await self._request({"method": method, "state": state, "version": version})
        return to_whole(_payload(reply).get("version")) or 0

    async def _get(self) -> ShadowDocument:
        return _read_document(await self._request({"method": "get"}))

    async def _request(self, request: dict[str, JsonValue]) -> dict[str, JsonValue]:
        payload = encode_document(request)
        if len(payload) > MAX_SHADOW:
            raise invalid(f"the shadow has {len(payload)} bytes, more than the {MAX_SHADOW} allowed")
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self.device.send(self.device.topics.shadow_update, payload)
            async with asyncio.timeout(REPLY_TIMEOUT):
                reply = await self._waiting
        except TimeoutError as err:
            raise RequestTimeout(f"no reply about the shadow within {REPLY_TIMEOUT:g} s") from err
        finally:
            self._waiting = None
        answer = _payload(reply)
        if answer.get("status") != "success":
            content = answer.get("content")
            content = content if isinstance(content, dict) else {}
            raise Rejected(to_whole(content.get("errorcode")) or 500, str(content.get("errormessage", "")))
        return reply


def _read_document(document: Mapping[str, JsonValue]) -> ShadowDocument:
    state = _payload(document).get("state")
    parts = state if isinstance(state, dict) else {}
    reported, desired = parts.get("reported"), parts.get("desired")
    return ShadowDocument(
        reported if isinstance(reported, dict) else {},
        desired if isinstance(desired, dict) else {},
        to_whole(document.get("version")) or 0,
    )


def _payload(document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    payload = document.get("payload")
    if not isinstance(payload, dict):
        raise invalid("the message about the shadow has no payload")
    return payload


def _with_deleted(state: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        key: DELETED if value is None else _with_deleted(value) if isinstance(value, dict) else value
        for key, value in state.items()
    }


def _check_size(state: Mapping[str, JsonValue]) -> None:
    """Raise MessageError for a state that the platform refuses; it names none of the last two limits in its reply."""
    if not state:
        raise invalid("nothing is reported")
    if _attributes(state) > MAX_ATTRIBUTES:
        raise invalid(f"the shadow takes {MAX_ATTRIBUTES} attributes at most")
    if _levels(state) > MAX_LEVELS:
        raise invalid(f"the shadow takes {MAX_LEVELS} levels at most")


def _attributes(value: JsonValue | Mapping[str, JsonValue]) -> int:
    return sum(map(_attributes, value.values())) if isinstance(value, Mapping) else 1


def _levels(value: JsonValue | Mapping[str, JsonValue]) -> int:
    return 1 + max(map(_levels, value.values()), default=0) if isinstance(value, Mapping) else 0
