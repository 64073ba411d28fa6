"""Commands of the cloud: decoded, handed on, and answered exactly once per delivery.

The platform delivers at least once. A command that is delivered again is answered again with the first outcome, and
not carried out again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
import logging
import time

from .codes import Code
from .errors import MessageError, NotConnected
from .messages import JsonValue, Request, decode_request, encode_reply
from .requests import Publish
from .topics import Route, RouteKind

_LOGGER = logging.getLogger(__name__)

MAX_RUNNING = 100
MAX_PARAMS = 200
"""The platform's own limit for a message (docs/protocol.md §14)."""

REMEMBERED = 256
REMEMBERED_FOR = 300.0

SERVICE_METHOD = "thing.service."


class CommandKind(StrEnum):
    """What the cloud wants."""

    PROPERTY_SET = "property_set"
    PROPERTY_GET = "property_get"
    SERVICE = "service"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    `identifier` names the service, `params` are as they came (an object, for property get an array), `sync` tells
    that the caller in the cloud is waiting, and a raw command has only its `payload`.
    """

    kind: CommandKind
    id: str
    identifier: str | None
    params: JsonValue
    sync: bool
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command. `raw` is the answer to a raw command, or nothing."""

    code: int = Code.SUCCESS
    data: dict[str, JsonValue] = field(default_factory=dict)
    message: str = "success"
    raw: bytes | None = None


type CommandHandler = Callable[[Command], Awaitable[Answer]]


@dataclass(slots=True)
class _Remembered:
    task: asyncio.Task[Answer]
    at: float


class Commands:
    """Receives the commands of one connection and sends the answers."""

    def __init__(self, handler: CommandHandler, publish: Publish) -> None:
        """Let `handler` carry commands out; `publish` takes topic, payload and QoS."""
        self._handler = handler
        self._publish = publish
        self._remembered: OrderedDict[tuple[str, bytes], _Remembered] = OrderedDict()
        self._running: set[asyncio.Task[Answer]] = set()
        self._answering: set[asyncio.Task[None]] = set()

    def received(self, route: Route, topic: str, payload: bytes) -> None:
        """Take one delivery; never raises."""
        task = asyncio.get_running_loop().create_task(self._take(route, topic, payload))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def stop(self) -> None:
        """Give up what is still running."""
        under_way = [*self._answering, *self._running]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._remembered.clear()

    async def _take(self, route: Route, topic: str, payload: bytes) -> None:
        if route.kind is RouteKind.RAW_DOWN:
            await self._take_raw(route, topic, payload)
            return
        try:
            command = _decode(route, topic, payload)
        except MessageError as err:
            _LOGGER.debug("Cannot read the command on %s: %s", topic, err)
            if err.id is not None:
                self._reply(route, err.id, Answer(err.code, message=str(err)))
            return
        self._reply(route, command.id, await self._outcome(command))

    async def _take_raw(self, route: Route, topic: str, payload: bytes) -> None:
        answer = await self._run(Command(CommandKind.RAW, "", None, None, False, topic, payload))  # noqa: FBT003
        if answer.raw is not None and route.reply_to is not None:
            self._send(route.reply_to, answer.raw)

    async def _outcome(self, command: Command) -> Answer:
        """Return the answer to a command, running it only if this very delivery has not been seen."""
        now = time.monotonic()
        key = (command.topic, hashlib.sha256(command.payload).digest())
        seen = self._remembered.get(key)
        if seen is None or now - seen.at > REMEMBERED_FOR:
            if len(self._running) >= MAX_RUNNING:
                return Answer(Code.TOO_BUSY, message="too many commands at once")
            seen = _Remembered(self._start(command), now)
            self._remembered[key] = seen
            self._remembered.move_to_end(key)
            self._forget(now)
        return await asyncio.shield(seen.task)

    def _forget(self, now: float) -> None:
        """Drop what is too old or too much, the oldest first."""
        while self._remembered:
            oldest = next(iter(self._remembered.values()))
            wanted = len(self._remembered) <= REMEMBERED and now - oldest.at <= REMEMBERED_FOR
            if wanted or not oldest.task.done():
                return
            self._remembered.popitem(last=False)

    def _start(self, command: Command) -> asyncio.Task[Answer]:
        task = asyncio.create_task(self._run(command))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _run(self, command: Command) -> Answer:
        try:
            return await self._handler(command)
        except Exception:
            _LOGGER.exception("Command %s on %s failed unexpectedly", command.id, command.topic)
            return Answer(Code.INTERNAL_ERROR, message="internal error of the device")

    def _reply(self, route: Route, command_id: str, answer: Answer) -> None:
        if route.reply_to is None:
            return
        try:
            payload = encode_reply(command_id, answer.code, answer.data, answer.message)
        except MessageError as err:
            code = Code.INTERNAL_ERROR if answer.code == Code.SUCCESS else answer.code
            payload = encode_reply(command_id, code, {}, f"the answer cannot be sent: {err.problem}")
        self._send(route.reply_to, payload)

    def _send(self, topic: str, payload: bytes) -> None:
        try:
            # QoS 0: RRPC demands it (docs/protocol.md §6.4), and three times as many replies a second are allowed.
            self._publish(topic, payload, 0)
        except NotConnected:
            _LOGGER.debug("The connection went before the answer on %s", topic)


def _decode(route: Route, topic: str, payload: bytes) -> Command:
    """Make a command of a delivery; raises MessageError."""
    request = decode_request(payload)
    kind, identifier, sync = _classify(route, request)
    is_get = kind is CommandKind.PROPERTY_GET
    if not isinstance(request.params, list if is_get else dict):
        shape = "an array" if is_get else "an object"
        raise MessageError(request.id, f"params must be {shape}", Code.PARAMETER_ERROR)
    if len(request.params) > MAX_PARAMS:
        raise MessageError(request.id, f"more than {MAX_PARAMS} params at once", Code.PARAMETER_ERROR)
    return Command(kind, request.id, identifier, request.params, sync, topic, payload)


def _classify(route: Route, request: Request) -> tuple[CommandKind, str | None, bool]:
    match route.kind:
        case RouteKind.PROPERTY_SET:
            return CommandKind.PROPERTY_SET, None, False
        case RouteKind.PROPERTY_GET:
            return CommandKind.PROPERTY_GET, None, False
        case RouteKind.SERVICE:
            return CommandKind.SERVICE, route.identifier, False
        case RouteKind.SYNC_SERVICE:
            return _named_by(route.identifier)
        case _:  # RRPC in its short form names the service in the body only
            method = request.method or ""
            if not method.startswith(SERVICE_METHOD):
                raise MessageError(request.id, "an RRPC request needs a method thing.service.…", Code.PARAMETER_ERROR)
            return _named_by(method.removeprefix(SERVICE_METHOD))


def _named_by(name: str | None) -> tuple[CommandKind, str | None, bool]:
    """Return what a synchronous call with this name is."""
    match name:
        case "property.set" | "property/set":
            return CommandKind.PROPERTY_SET, None, True
        case "property.get" | "property/get":
            return CommandKind.PROPERTY_GET, None, True
        case _:
            return CommandKind.SERVICE, name, True
