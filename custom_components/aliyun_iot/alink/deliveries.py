"""Deliveries of commands: each is answered, and no command is carried out twice.

The platform delivers at least once. A command that is delivered again is answered again with the first outcome. Data that
nobody waits for, raw frames and messages on user topics, have no id: the same bytes twice may be meant, so only MQTT's DUP
flag makes a second delivery of them.
"""

import asyncio
from collections.abc import Coroutine
import hashlib
import logging

from .answers import Answers
from .codes import Code
from .command import Answer, Command, CommandHandler, decode_command, encode_answer, encode_outcome
from .errors import MessageError
from .mqtt.transport import Delivery
from .recent import Key, Recent
from .routes import Route

_LOGGER = logging.getLogger(__name__)

MAX_RUNNING = 100

LAST_ANSWERS = 0.25
"""Seconds that the last answers may take before the link is stopped."""

_TOO_MANY = Answer(Code.TOO_BUSY, message="too many commands at once")
_STOPPING = Answer(Code.TOO_BUSY, message="the device is going offline, try again later")
_GIVEN_UP = Answer(
    Code.TOO_BUSY, message="the device is going offline and has given the command up; a part of it may have been done"
)


class Deliveries:
    """Receives the commands of one link, has them carried out and sends the answers."""

    def __init__(self, handler: CommandHandler, answers: Answers) -> None:
        """Let `handler` carry commands out, and give its answers to `answers`."""
        self._handler = handler
        self._answers = answers
        # Apart, or a stream of data would make the device forget its commands.
        self._commands = Recent()
        self._data = Recent()
        self._running: dict[asyncio.Task[None], asyncio.Future[Answer]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._stopping = False

    def received(self, route: Route, delivery: Delivery) -> None:
        """Take one delivery; never raises."""
        self._begin(self._take(route, delivery))

    def connected(self) -> None:
        """Take note of a connection: it carries what the last one may have lost."""
        self._begin(self._answers.connected())

    def resume(self) -> None:
        """Take commands after `give_up` as if none had come before."""
        self._stopping = False
        self._commands.clear()
        self._data.clear()

    async def give_up(self) -> None:
        """Refuse new commands from now on, answer those that run that the device is too busy, and cancel them.

        Meant for the last moment before the connection is closed. It takes LAST_ANSWERS at most, however long a command
        takes to notice that it was cancelled. A caller who waits for the answer to data gets none.
        """
        self._stopping = True
        for outcome in self._running.values():
            if not outcome.done():
                outcome.set_result(_GIVEN_UP)
        if self._answering:
            await asyncio.wait(self._answering, timeout=LAST_ANSWERS)
        # After the answers: one of the commands may be what stops the link, and would take the rest of this with it.
        for task in self._running:
            task.cancel()

    async def stop(self) -> None:
        """Cancel whatever still runs, and wait for its end."""
        under_way = [*self._answering, *self._running]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _take(self, route: Route, delivery: Delivery) -> None:
        try:
            command = decode_command(route, delivery.topic, delivery.payload)
        except MessageError as err:
            _LOGGER.debug("Cannot read the command on %s: %s", delivery.topic, err)
            if err.id is not None:
                await self._send(route, encode_outcome(err.id, Answer(err.code, message=str(err))))
            return
        payload = encode_answer(command, await self._outcome(command, again=delivery.again))
        if payload is None:
            return
        if command.is_data and route.reply_to == command.topic:
            # A plain MQTT broker returns the answer to its author, where it would pass for the next call.
            self._data.keep(_key(command.topic, payload), _no_answer())
        await self._send(route, payload)

    async def _outcome(self, command: Command, *, again: bool) -> Answer:
        """Return the answer to a command, running it only if this very delivery has not been seen."""
        memory = self._data if command.is_data else self._commands
        key = _key(command.topic, command.payload)
        outcome = memory.find(key) if again or command.sync or not command.is_data else None
        if outcome is None:
            if self._stopping:
                return _STOPPING
            if len(self._running) >= MAX_RUNNING:
                _LOGGER.debug("Too many commands at once: the one on %s is not carried out", command.topic)
                return _TOO_MANY
            outcome = self._start(command)
            memory.keep(key, outcome)
        return await asyncio.shield(outcome)

    def _start(self, command: Command) -> asyncio.Future[Answer]:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Answer] = loop.create_future()
        task = loop.create_task(self._run(command, outcome))
        self._running[task] = outcome
        task.add_done_callback(self._running.pop)
        return outcome

    async def _run(self, command: Command, outcome: asyncio.Future[Answer]) -> None:
        try:
            answer = await self._handler(command)
        except asyncio.CancelledError as err:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            answer = _failed(command, err)  # something that the handler waited for was cancelled, not the handler
        except Exception as err:  # noqa: BLE001 - a bug of ours is an answer too
            answer = _failed(command, err)
        if not outcome.done():
            outcome.set_result(answer)

    async def _send(self, route: Route, payload: bytes) -> None:
        if route.reply_to is not None:
            sync = route.message_id is not None
            await self._answers.give(route.reply_to, payload, sync=sync, last=self._stopping)


def _key(topic: str, payload: bytes) -> Key:
    return topic, hashlib.sha256(payload).digest()


def _failed(command: Command, error: BaseException) -> Answer:
    """Log what is nobody else's business, and return what the cloud gets to know of it."""
    _LOGGER.error("Command %s on %s failed unexpectedly", command.id, command.topic, exc_info=error)
    return Answer(Code.INTERNAL_ERROR, message="internal error of the device")


def _no_answer() -> asyncio.Future[Answer]:
    nothing: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    nothing.set_result(Answer())
    return nothing
