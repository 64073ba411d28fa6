"""Alink messages, read tolerantly and written exactly (`docs/protocol.md` §0.3 and §0.4)."""

from dataclasses import dataclass
import json
import math
import re
from typing import Final

from .codes import Code
from .errors import MessageError
from .foreign import safe
from .model.numeric import to_whole

type JsonValue = bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None

MAX_PAYLOAD: Final = 256 * 1024
"""Bytes that the platform accepts in one message; it silently drops anything larger."""


_SHORT: Final = 32 * 1024
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A text in JSON, also one without an end, or it would be looked for again and again. One of the longest length, 10 KB, may
itself be JSON with many values."""


@dataclass(frozen=True, slots=True)
class _Limits:
    """How many values, and how many objects and arrays a message may have, so that it is handled in some milliseconds."""

    values: int
    containers: int

    def exceeded_by(self, payload: bytes) -> bool:
        """Return whether a payload has more, which is counted without reading it; of a short one the texts don't count."""
        return self._exceeded_by(payload) and (len(payload) > _SHORT or self._exceeded_by(_TEXT.sub(b"", payload)))

    def _exceeded_by(self, content: bytes) -> bool:
        return content.count(b",") >= self.values or content.count(b"{") + content.count(b"[") > self.containers


_COMMAND_LIMITS: Final = _Limits(5200, 320)
"""A command has 200 params at most. Python's garbage collector would stop everything for larger ones, if many of them came."""

_REPLY_LIMITS: Final = _Limits(12_288, 12_288)
"""A reply may contain a thing model, or thousands of desired values."""

_MAX_DEPTH: Final = 32
"""Levels of nesting that are accepted; no Alink message has a third of them, and deeper ones could exhaust the stack."""

_MAX_ID_LENGTH: Final = 256
"""Characters of an id; no Alink id has a tenth of them, and a very long one would not fit into the answer."""

_MAX_INT: Final = 2**63 - 1
"""The largest number that every JSON library can write; no data type of a thing model needs more."""

_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Reply:
    """The cloud's reply to a request; `message` is as it came, `rejected` is safe to show."""

    id: str
    code: int
    message: str
    data: JsonValue

    @property
    def ok(self) -> bool:
        """Whether the request as a whole was accepted; single properties may still be in `rejected`."""
        return self.code == Code.SUCCESS

    @property
    def rejected(self) -> dict[str, str]:
        """The properties that the reply to a property post names as refused, each with the reason.

        The cloud replies 200 even when it drops every value (`docs/protocol.md` §4.1).
        """
        if not isinstance(self.data, dict):
            return {}
        return {
            safe(identifier): safe(reason if isinstance(reason, str) else json.dumps(reason, ensure_ascii=False))
            for identifier, reason in self.data.items()
        }


@dataclass(frozen=True, slots=True)
class Request:
    """A request from the cloud; `method` is optional on the wire, so the kind of a request never depends on it."""

    id: str
    method: str | None
    params: JsonValue


def encode_request(message_id: str, method: str, params: JsonValue) -> bytes:
    """Return the payload of a request.

    It asks for a reply by `sys.ack`: some hosts reply only then, the platform does so without it (`docs/protocol.md` §0.3).
    Raises `MessageError` when `params` can't be written as JSON or are too large.
    """
    return _write(
        message_id,
        {"id": message_id, "version": _VERSION, "sys": {"ack": 1}, "params": params, "method": method},
    )


def encode_reply(message_id: str, code: int, data: JsonValue, message: str = "success") -> bytes:
    """Return the payload of the device's answer to a request.

    Raises `MessageError` when `data` can't be written as JSON or are too large.
    """
    return _write(message_id, {"id": message_id, "code": code, "data": data, "message": message})


def decode_reply(payload: bytes) -> Reply:
    """Read a reply of the cloud: only `id` and `code` are required, and a code may be text.

    Raises `MessageError`.
    """
    document, message_id, problem = _read(payload, _REPLY_LIMITS)
    if problem:
        raise _unreadable(message_id, problem)
    if message_id is None:
        raise _unreadable(None, "the reply has no id")
    code = _code(document.get("code"))
    if code is None:
        raise _unreadable(message_id, "the reply has no code")
    message = document.get("message")
    return Reply(message_id, code, message if isinstance(message, str) else "", document.get("data", {}))


def decode_request(payload: bytes) -> Request:
    """Read a request from the cloud: only `id` is required; absent `params` are None.

    Raises `MessageError` for anything else: with the id if the sender can be answered, without one for garbage and for a
    reply instead of a request (a plain broker returns the device's own answer to an RRPC).
    """
    document, message_id, problem = _read(payload, _COMMAND_LIMITS)
    if problem:
        raise _unreadable(message_id, problem)
    if message_id is None:
        raise _unreadable(None, "the request has no id")
    if "code" in document and not document.keys() & {"method", "params"}:
        raise _unreadable(None, "this is a reply, not a request")
    method = document.get("method")
    return Request(message_id, method if isinstance(method, str) else None, document.get("params"))


def decode_document(content: bytes) -> dict[str, JsonValue]:
    """Read a JSON object that is not an Alink message, such as a shadow or a remote configuration.

    The bounds are those of a reply. Raises `MessageError`.
    """
    document, _, problem = _read(content, _REPLY_LIMITS)
    if problem:
        raise _unreadable(None, problem)
    return document


def encode_document(document: dict[str, JsonValue]) -> bytes:
    """Return a JSON object that is not an Alink message; raises `MessageError` when it can't be written or is too large."""
    return _write("", document)


def _write(message_id: str, envelope: dict[str, JsonValue]) -> bytes:
    try:
        payload = json.dumps(envelope, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as err:
        raise _unreadable(message_id, f"the message can't be written as JSON: {err}") from err
    if len(payload) > MAX_PAYLOAD:
        raise _unreadable(message_id, f"the message has {len(payload)} bytes, more than the {MAX_PAYLOAD} allowed")
    return payload


def _read(payload: bytes, limits: _Limits) -> tuple[dict[str, JsonValue], str | None, str]:
    """Return the object in `payload`, its id if it has a valid one, and what is wrong with it ("" if nothing).

    Defects inside an otherwise well-formed object don't end the reading, so that its id can be found.
    """
    if len(payload) > MAX_PAYLOAD:
        return {}, None, f"the message has {len(payload)} bytes, more than the {MAX_PAYLOAD} allowed"
    if limits.exceeded_by(payload):
        return {}, None, "the message has too many values"
    reader = _StrictReader()
    try:
        document: JsonValue = reader.read(payload.decode())
    except RecursionError:
        return {}, None, "the message is nested too deeply"
    except ValueError as err:
        return {}, None, f"the message is not JSON: {err}"
    if not isinstance(document, dict):
        return {}, None, "the message is not a JSON object"
    return document, _message_id(document.get("id")), reader.problem


class _StrictReader:
    """Reads JSON, and records what Python's reader accepts although it is not JSON or is ambiguous."""

    def __init__(self) -> None:
        self.problem = ""
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._int,
        )

    def read(self, text: str) -> JsonValue:
        document: JsonValue = self._decoder.decode(text)
        if _is_deeper(document, _MAX_DEPTH):
            self.problem = "the message is nested too deeply"
        elif "\\ud" in text.lower() and not is_unicode(json.dumps(document, ensure_ascii=False)):
            self.problem = "the message holds half a character"
        return document

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        members = dict(pairs)
        if len(members) < len(pairs):
            self.problem = "the message names a key twice"
        return members

    def _constant(self, token: str) -> None:
        self.problem = f"{token} is not a JSON number"

    def _float(self, token: str) -> float | None:
        number = float(token)
        if math.isfinite(number):
            return number
        self.problem = "a number is too large"
        return None

    def _int(self, token: str) -> int | None:
        try:
            number = int(token)
        except ValueError:  # Python converts at most some thousand digits
            number = _MAX_INT + 1
        if abs(number) <= _MAX_INT:
            return number
        self.problem = "a number is too large"
        return None


def _is_deeper(document: JsonValue, limit: int) -> bool:
    level = [document]
    containers = (dict, list)  # a union of types takes twice as long
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, containers)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, containers)
        ]
        if not level:
            return False
    return True


def byte_length(text: str) -> int:
    """Return the length of a text as the platform measures it: bytes in UTF-8, three for a Chinese character."""
    return len(text.encode())


def is_unicode(text: str) -> bool:
    """Return whether `text` can be written as UTF-8; half of a surrogate pair, which JSON can contain, can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _message_id(raw: JsonValue) -> str | None:
    """Return an id as text, by which ids are compared, or None for a value that can't be an id."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    text = str(raw)
    return text if 0 < len(text) <= _MAX_ID_LENGTH and (text.isascii() or is_unicode(text)) else None


def _code(raw: JsonValue) -> int | None:
    return to_whole(raw)


def _unreadable(message_id: str | None, problem: str) -> MessageError:
    return MessageError(message_id, problem, Code.PARAMETER_ERROR)
