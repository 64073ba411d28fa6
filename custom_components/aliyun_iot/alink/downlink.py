"""Commands of the cloud: decoded once, carried out once, answered once (`docs/protocol.md` §6).

The platform delivers at least once. A command that is delivered again is answered with the first outcome. Raw frames and
messages that no caller waits for have no id and may be meant twice, so only MQTT's DUP flag marks a second delivery.

What is carried out is answered. So a command is refused before anything is done when too many run, or when more answers wait
than the platform takes in time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
import hashlib
from typing import Final

from .answers import Answers
from .codes import Code
from .command import Answer, Command, CommandHandler, Route, decode_command, encode_answer, encode_outcome
from .errors import MessageError
from .foreign import logger_of
from .mqtt.transport import Delivery
from .recent_commands import Key, RecentCommand, RecentCommands
from .topics import identity_of

_LOGGER = logger_of(__name__)

MAX_RUNNING: Final = 100
"""Commands that run at once, and as many raw frames and messages."""

MAX_DELIVERIES: Final = 100
"""Deliveries of one running command that are answered; the answers to more would be the same as well."""

_TOO_MANY = Answer(Code.TOO_BUSY, message="too many commands at once, try again later")
_TOO_MANY_ANSWERS = Answer(Code.TOO_BUSY, message="too many answers wait to be sent, try again later")
_STOPPING = Answer(Code.TOO_BUSY, message="the device is going offline, try again later")
_GIVEN_UP = Answer(
    Code.TOO_BUSY, message="the device is going offline and has given the command up; a part of it may have been done"
)
_TOO_LARGE = "the output data are left out, because too many answers wait to be sent"


@dataclass(slots=True)
class DownlinkMemory:
    """What has to outlive a reload: answers that are not sent yet, and recent commands.

    Raw frames and messages are remembered separately, or a stream of them would displace the commands.
    """

    answers: Answers = field(default_factory=Answers)
    expected: Counter[bool] = field(default_factory=Counter)
    """How many answers are yet to come, of all devices that share the queue, by whether a caller waits for them."""
    commands: RecentCommands = field(default_factory=RecentCommands)
    data: RecentCommands = field(default_factory=RecentCommands)


@dataclass(slots=True)
class _Running:
    """A command that runs, and whether it was answered; one that was given up is answered before its end."""

    command: Command
    route: Route
    key: Key
    outcome: RecentCommand
    answered: bool = False


class Downlink:
    """The commands of one device."""

    def __init__(self, handler: CommandHandler, memory: DownlinkMemory, on_overload: Callable[[], None]) -> None:
        """Commands are carried out by `handler`; `memory` may come from an earlier link of the same device.

        `on_overload` is called with each command that is refused because there are too many.
        """
        self._handler = handler
        self._memory = memory
        self._on_overload = on_overload
        self._running: dict[asyncio.Task[None], _Running] = {}
        self._stopping = False

    def received(self, route: Route, delivery: Delivery) -> None:
        """Handle one delivery: its answer is queued as soon as it is known."""
        try:
            command = decode_command(route, delivery.topic, delivery.payload)
        except MessageError as err:
            _LOGGER.debug("Cannot read the command on %s: %s", delivery.topic, err)
            if err.id is not None:
                self._put(route, encode_outcome(err.id, Answer(err.code, message=str(err))), lesser=True)
            return
        key = _key(command, delivery.payload)
        # Data is delivered again where the host says so or a caller waits, whose topic is unique.
        may_be_again = delivery.again or command.sync or not command.is_data
        again = delivery.again or command.is_data
        if may_be_again and (outcome := self._recent(command).find(key, again=again)):
            if outcome.code is None:
                outcome.deliveries = min(outcome.deliveries + 1, MAX_DELIVERIES)
            else:
                self._put(route, outcome.payload, lesser=True)
        elif refusal := self._refusal(command, route):
            _LOGGER.debug("The command on %s is not carried out: %s", command.topic, refusal.message)
            self._put(route, encode_answer(command, refusal), lesser=True)
        else:
            self._start(command, route, key)

    def acknowledge(self, topic: str, message_id: str) -> None:
        """Queue the answer that a message was received which is no command."""
        self._memory.answers.put(topic, encode_outcome(message_id, Answer()), urgent=False, lesser=True)

    def resume(self) -> None:
        """Accept commands again after `give_up`."""
        self._stopping = False

    def give_up(self) -> None:
        """Refuse new commands from now on, and answer the running ones that they are given up."""
        self._stopping = True
        for running in self._running.values():
            self._give_up(running)

    async def stop(self) -> None:
        """Cancel the commands that still run, except for one that stops the link, and wait for their end."""
        if running := self._running.keys() - {asyncio.current_task()}:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    def _give_up(self, running: _Running) -> None:
        """Answer a command before its end; it may be sent again, and is carried out then."""
        if not running.answered:
            self._recent(running.command).forget(running.key)
            self._answer(running, _GIVEN_UP)

    def _refusal(self, command: Command, route: Route) -> Answer | None:
        if self._stopping:
            return _STOPPING
        if sum(running.command.is_data == command.is_data for running in self._running.values()) >= MAX_RUNNING:
            self._on_overload()
            return _TOO_MANY
        expected = self._memory.expected[command.sync]
        if route.reply_to and not self._memory.answers.has_room(expected, urgent=command.sync):
            self._on_overload()
            return _TOO_MANY_ANSWERS
        return None

    def _start(self, command: Command, route: Route, key: Key) -> None:
        running = _Running(command, route, key, self._recent(command).keep(key))
        task = asyncio.get_running_loop().create_task(self._run(running))
        self._running[task] = running
        self._memory.expected[command.sync] += 1
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        running = self._running.pop(task)
        if not running.answered:  # it was cancelled before it began
            self._memory.expected[running.command.sync] -= 1

    async def _run(self, running: _Running) -> None:
        command = running.command
        try:
            answer = await self._handler(command)
        except asyncio.CancelledError as err:
            if (task := asyncio.current_task()) and task.cancelling():
                self._give_up(running)
                raise
            answer = _failed(command, err)  # not the handler was cancelled, but what it waited for
        except Exception as err:  # noqa: BLE001 - unexpected errors are answered as well
            answer = _failed(command, err)
        if not running.answered:
            self._answer(running, answer)

    def _answer(self, running: _Running, answer: Answer) -> None:
        """Answer each delivery of a command; all but the first may come after the answers to others."""
        running.answered = True
        self._memory.expected[running.command.sync] -= 1
        command, route = running.command, running.route
        payload = encode_answer(command, answer)
        if payload is not None and not self._memory.answers.has_bytes(len(payload)):
            payload = encode_answer(command, Answer(answer.code, message=_TOO_LARGE))
        if payload is not None and command.is_data and route.reply_to == command.topic:
            # A plain MQTT broker returns the answer to the device, which must not handle it as another call.
            returned = _key(command, payload)
            self._memory.data.settle(returned, self._memory.data.keep(returned), Code.SUCCESS, None)
        self._recent(command).settle(running.key, running.outcome, answer.code, payload)
        self._put(route, payload)
        for _ in range(running.outcome.deliveries - 1):
            self._put(route, payload, lesser=True)

    def _recent(self, command: Command) -> RecentCommands:
        return self._memory.data if command.is_data else self._memory.commands

    def _put(self, route: Route, payload: bytes | None, *, lesser: bool = False) -> None:
        if payload is not None and route.reply_to is not None:
            self._memory.answers.put(
                route.reply_to,
                payload,
                urgent=route.message_id is not None,
                lesser=lesser,
                identity=identity_of(route.reply_to),
            )


def _key(command: Command, payload: bytes) -> Key:
    return command.topic, "" if command.is_data else command.id, hashlib.sha256(payload).digest()


def _failed(command: Command, error: BaseException) -> Answer:
    """Log an unexpected error, and return the answer, which has no details."""
    _LOGGER.error("Command %s on %s failed unexpectedly", command.id, command.topic, exc_info=error)
    return Answer(Code.INTERNAL_ERROR, message="internal error of the device")
