"""Commands of the cloud and their answers: by which topics they come and go, and how they are written.

Sources: `docs/protocol.md` §3 to §9 and §12 for the topics, §6 for the content.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from .codes import Code
from .errors import MessageError
from .foreign import logger_of
from .messages import MAX_PAYLOAD, JsonValue, decode_request, encode_reply
from .topics import LONG_RRPC, REPLY_SUFFIX, Topics

_LOGGER = logger_of(__name__)

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
class Route:
    """The meaning of an incoming topic.

    `kind` is None for an RRPC in its short form, whose content says what it is. `identifier` is the service called, or the
    part of a user topic after `user/`. `reply_to` is the topic for the answer, and `message_id` the id that a synchronous
    call has in its topic. Each is None where the kind has none.
    """

    kind: CommandKind | None
    identifier: str | None = None
    reply_to: str | None = None
    message_id: str | None = None


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


def route(topics: Topics, topic: str) -> Route | None:
    """Return the route of a message on `topic`, None when it is not a downlink to this device."""
    if topic.startswith(LONG_RRPC):
        message_id, slash, called = topic.removeprefix(LONG_RRPC).partition("/")
        return _long_rrpc(topics, topic, message_id, slash + called) if message_id else None
    if topic.startswith(topics.users):
        suffix = topic.removeprefix(topics.users)
        return Route(CommandKind.MESSAGE, suffix) if suffix else None
    if not topic.startswith(topics.system):
        return None
    match topic.removeprefix(topics.system).split("/"):
        case ["thing", "service", "property", "set"]:
            return Route(CommandKind.PROPERTY_SET, reply_to=topic + REPLY_SUFFIX)
        case ["thing", "service", "property", "get"]:
            return Route(CommandKind.PROPERTY_GET, reply_to=topic + REPLY_SUFFIX)
        case ["thing", "service", identifier] if _is_service(identifier):
            return Route(CommandKind.SERVICE, identifier, topic + REPLY_SUFFIX)
        case ["thing", "model", "down_raw"]:
            return Route(CommandKind.RAW, reply_to=topics.raw_down_reply)
        case ["rrpc", "request", message_id] if message_id:
            return Route(None, reply_to=f"{topics.system}rrpc/response/{message_id}", message_id=message_id)
    return None


def decode_command(where: Route, topic: str, payload: bytes) -> Command:
    """Return the command in a payload; raises MessageError, with the id if the sender can be answered."""
    kind, identifier, sync = where.kind, where.identifier, where.message_id is not None
    if kind in (CommandKind.RAW, CommandKind.MESSAGE):
        return Command(kind, where.message_id or "", identifier, None, sync, topic, payload)
    try:
        request = decode_request(payload)
    except MessageError as err:
        if kind is None and err.id is None:  # RRPC carries any payload, not only Alink (§6.5)
            return Command(CommandKind.MESSAGE, where.message_id or "", None, None, sync, topic, payload)
        raise
    if kind is None:
        method = request.method or ""
        if not method.startswith(SERVICE_METHOD):
            raise MessageError(request.id, "an RRPC request needs a method thing.service.…", Code.PARAMETER_ERROR)
        kind, identifier = _by_name(method.removeprefix(SERVICE_METHOD))
        if not identifier and kind is CommandKind.SERVICE:
            raise MessageError(request.id, "the method names no service", Code.PARAMETER_ERROR)
    params = request.params
    if params is None and kind is CommandKind.SERVICE:  # a service may have no input
        params = {}
    if problem := _problem(kind, params):
        raise MessageError(request.id, problem, Code.PARAMETER_ERROR)
    return Command(kind, request.id, identifier, params, sync, topic, payload)


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


def _problem(kind: CommandKind, params: JsonValue) -> str:
    """Return what is wrong with the params of a request, nothing if they are valid."""
    is_get = kind is CommandKind.PROPERTY_GET
    if params is None:
        return "the request has no params"
    if not isinstance(params, list if is_get else dict):
        return f"params must be {'an array of identifiers' if is_get else 'an object'}"
    if not params and kind is not CommandKind.SERVICE:
        return "params name no property"
    return f"more than {MAX_PARAMS} params at once" if len(params) > MAX_PARAMS else ""


def _long_rrpc(topics: Topics, topic: str, message_id: str, called: str) -> Route | None:
    """Route a call on the topic `called` of this device; the answer goes to the topic of the request."""
    services = f"{topics.system}thing/service/"
    if called == topics.raw_down:
        return Route(CommandKind.RAW, None, topic, message_id)
    if called.startswith(topics.users) and called != topics.users:
        return Route(CommandKind.MESSAGE, called.removeprefix(topics.users), topic, message_id)
    if called.startswith(services):
        kind, identifier = _by_name(called.removeprefix(services))
        if identifier is None or _is_service(identifier):
            return Route(kind, identifier, topic, message_id)
    return None


def _by_name(name: str) -> tuple[CommandKind, str | None]:
    """Classify a synchronous call by the name of its service."""
    match name:
        case "property.set" | "property/set":
            return CommandKind.PROPERTY_SET, None
        case "property.get" | "property/get":
            return CommandKind.PROPERTY_GET, None
        case _:
            return CommandKind.SERVICE, name


def _is_service(level: str) -> bool:
    """Return whether a level names a service and not the device's own answer.

    A plain MQTT broker returns an answer to the device, since `thing/service/+` matches it as well. Answering it would never
    end.
    """
    return bool(level) and "/" not in level and not level.endswith(REPLY_SUFFIX)
