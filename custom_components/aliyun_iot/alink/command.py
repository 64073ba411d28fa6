"""Commands of the cloud and their answers, and how both are written on the wire (`docs/protocol.md` §6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
import logging

from .codes import Code
from .errors import MessageError
from .messages import MAX_PAYLOAD, JsonValue, Request, decode_request, encode_reply
from .routes import Route, RouteKind

_LOGGER = logging.getLogger(__name__)

MAX_PARAMS = 200
"""The platform's own limit for a message (docs/protocol.md §14)."""

SERVICE_METHOD = "thing.service."


class CommandKind(StrEnum):
    """The kinds of commands."""

    PROPERTY_SET = "property_set"
    PROPERTY_GET = "property_get"
    SERVICE = "service"
    RAW = "raw"
    MESSAGE = "message"
    """Any bytes, on a user topic or by the `RRpc` call of the cloud's API."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    `identifier` is the service, or the part of a user topic after `user/` (None for a message by `RRpc` without a topic).
    `params` are as received: an object, for property get an array. A raw command and a message have only their `payload`.
    `sync` is true when the caller in the cloud waits for the answer. `id` is the caller's, and empty where there is none.
    """

    kind: CommandKind
    id: str
    identifier: str | None
    params: JsonValue
    sync: bool
    topic: str
    payload: bytes
    is_data: bool = field(init=False)

    def __post_init__(self) -> None:
        """Classify the command."""
        object.__setattr__(self, "is_data", self.kind in (CommandKind.RAW, CommandKind.MESSAGE))


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a command.

    `raw` is the answer to a raw command or a synchronous message. Without it nothing is sent, and the platform tells the
    caller that the device did not answer. It is ignored for a message whose caller does not wait.
    """

    code: int = Code.SUCCESS
    data: dict[str, JsonValue] = field(default_factory=dict)
    message: str = "success"
    raw: bytes | None = None


type CommandHandler = Callable[[Command], Awaitable[Answer]]


def decode_command(route: Route, topic: str, payload: bytes) -> Command:
    """Return the command in a payload; raises MessageError, with the id if the sender can be answered."""
    if route.kind is RouteKind.RAW_DOWN:
        return _data(CommandKind.RAW, route, topic, payload)
    if route.kind is RouteKind.USER:
        return _data(CommandKind.MESSAGE, route, topic, payload)
    try:
        request = decode_request(payload)
    except MessageError as err:
        if route.kind is RouteKind.RRPC and err.id is None:  # RRPC carries any payload, not only Alink (§6.5)
            return _data(CommandKind.MESSAGE, route, topic, payload)
        raise
    kind, identifier, sync = _classify(route, request)
    is_get = kind is CommandKind.PROPERTY_GET
    if not isinstance(request.params, list if is_get else dict):
        shape = "an array" if is_get else "an object"
        raise MessageError(request.id, f"params must be {shape}", Code.PARAMETER_ERROR)
    if len(request.params) > MAX_PARAMS:
        raise MessageError(request.id, f"more than {MAX_PARAMS} params at once", Code.PARAMETER_ERROR)
    return Command(kind, request.id, identifier, request.params, sync, topic, payload)


def encode_answer(command: Command, answer: Answer) -> bytes | None:
    """Return the payload that answers a command, or None to send nothing; an answer that can't be encoded says so."""
    if not command.is_data:
        return encode_outcome(command.id, answer)
    if answer.raw is not None and len(answer.raw) > MAX_PAYLOAD:
        _LOGGER.warning("The answer to %s has %d bytes, more than the platform takes", command.topic, len(answer.raw))
        return None
    return answer.raw


def encode_outcome(command_id: str, answer: Answer) -> bytes:
    """Return the payload that answers an Alink request; one that can't be encoded says so, and keeps the code of a failure."""
    try:
        return encode_reply(command_id, answer.code, answer.data, answer.message)
    except MessageError as err:
        code = Code.INTERNAL_ERROR if answer.code == Code.SUCCESS else answer.code
        return encode_reply(command_id, code, {}, f"the answer cannot be sent: {err.problem}")


def _data(kind: CommandKind, route: Route, topic: str, payload: bytes) -> Command:
    sync = route.message_id is not None
    return Command(kind, route.message_id or "", route.identifier, None, sync, topic, payload)


def _classify(route: Route, request: Request) -> tuple[CommandKind, str | None, bool]:
    match route.kind:
        case RouteKind.PROPERTY_SET:
            return CommandKind.PROPERTY_SET, None, False
        case RouteKind.PROPERTY_GET:
            return CommandKind.PROPERTY_GET, None, False
        case RouteKind.SERVICE:
            return CommandKind.SERVICE, route.identifier, False
        case RouteKind.SYNC_SERVICE:
            return _by_name(route.identifier)
        case _:  # RRPC in its short form has the service in the body only
            method = request.method or ""
            if not method.startswith(SERVICE_METHOD):
                raise MessageError(request.id, "an RRPC request needs a method thing.service.…", Code.PARAMETER_ERROR)
            return _by_name(method.removeprefix(SERVICE_METHOD))


def _by_name(name: str | None) -> tuple[CommandKind, str | None, bool]:
    """Classify a synchronous call by the name of its service."""
    match name:
        case "property.set" | "property/set":
            return CommandKind.PROPERTY_SET, None, True
        case "property.get" | "property/get":
            return CommandKind.PROPERTY_GET, None, True
        case _:
            return CommandKind.SERVICE, name, True
