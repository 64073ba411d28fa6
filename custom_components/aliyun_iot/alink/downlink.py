"""Commands of the cloud: decoded once, carried out once, answered once (`docs/protocol.md` §6).

The platform delivers at least once. A command that is delivered again is answered with the first outcome. Raw frames and
messages that no caller waits for have no id and may be meant twice, so only MQTT's DUP flag marks a second delivery.

Answers are sent at QoS 0, as RRPC requires (§6.4), so nothing confirms their arrival. Those that were sent within the last
minute of a connection that was lost are repeated once on the next one.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
import hashlib
import logging
import time
from typing import Final

from .codes import Code
from .command import Answer, Command, CommandHandler, Route, decode_command, encode_answer, encode_outcome
from .errors import MessageError, NotConnected
from .mqtt.pacing import RateLimit
from .mqtt.transport import Delivery

_LOGGER = logging.getLogger(__name__)

MAX_RUNNING = 100
"""Commands that run at once."""

MAX_DELIVERIES: Final = 100
"""Deliveries of one running command that are answered; the answers to more would be the same as well."""

MAX_QUEUED = 300
"""Answers that wait before new commands are refused; they take fifteen seconds at the platform's rate."""

MAX_REFUSALS: Final = 300
"""Further answers that wait, which refuse commands; later ones are dropped."""

MAX_BYTES: Final = 4 * 1024 * 1024
"""Bytes of the answers that wait, of those that were sent lately, and of those to repeat; the rest is dropped."""

ANSWERS_PER_SECOND: Final = 20
"""The platform accepts 30 messages a second at QoS 0 (docs/protocol.md §14); some of them are requests."""

RESERVED: Final = 1
"""Answers a second that are kept for callers who wait."""

PATIENCE: Final = 300.0
SYNC_PATIENCE: Final = 5.0
"""Seconds after which an answer is of no use; the caller of a synchronous service waits for five."""

REPEATED_FOR: Final = 60.0
"""Seconds before the loss of a connection in which an answer may have been lost with it."""

MAX_SENT: Final = 60 * ANSWERS_PER_SECOND
"""Answers in that time."""

REMEMBERED = 4096
REMEMBERED_FOR = 300.0
"""Commands, and seconds, for which a second delivery is recognised."""

UNMARKED_FOR = 10.0
"""The same in seconds for a second delivery without MQTT's DUP flag, since some hosts use one id for all commands."""

_TOO_MANY = Answer(Code.TOO_BUSY, message="too many commands at once")
_STOPPING = Answer(Code.TOO_BUSY, message="the device is going offline, try again later")
_GIVEN_UP = Answer(
    Code.TOO_BUSY, message="the device is going offline and has given the command up; a part of it may have been done"
)

type Key = tuple[str, str, bytes]
"""Topic, id (empty for data) and digest of the payload."""


@dataclass(frozen=True, slots=True)
class _Queued:
    """An answer to be sent; `expires` is in monotonic seconds."""

    topic: str
    payload: bytes
    expires: float


class Answers:
    """The queue of answers, which outlives connections and sends at the platform's rate.

    Answers that a caller waits for are sent first, those that an earlier connection may have lost last.
    """

    def __init__(self) -> None:
        """Start with an empty queue."""
        self.limit = RateLimit(ANSWERS_PER_SECOND)
        self._urgent: deque[_Queued] = deque()
        self._others: deque[_Queued] = deque()
        self._repeats: deque[_Queued] = deque()
        self._sent: deque[tuple[float, _Queued]] = deque()
        self._waiting_bytes = self._sent_bytes = 0
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """Return how many answers wait."""
        return len(self._urgent) + len(self._others) + len(self._repeats)

    @property
    def is_full(self) -> bool:
        """Whether so many answers wait that new commands have to be refused."""
        return len(self._urgent) + len(self._others) >= MAX_QUEUED or self._waiting_bytes >= MAX_BYTES

    def put(self, topic: str, payload: bytes, *, urgent: bool) -> None:
        """Queue an answer; `urgent` when a caller waits for it."""
        queue = self._urgent if urgent else self._others
        if len(queue) >= MAX_QUEUED + MAX_REFUSALS or self._waiting_bytes + len(payload) > MAX_BYTES:
            _LOGGER.debug("Too many answers wait: the one on %s is not sent", topic)
            return
        self._waiting_bytes += len(payload)
        queue.append(_Queued(topic, payload, time.monotonic() + (SYNC_PATIENCE if urgent else PATIENCE)))
        self._empty.clear()
        self._changed.set()

    async def pump(self, send: Callable[[str, bytes], None]) -> None:
        """Send queued answers as fast as the rate allows, until `send` (topic, payload) raises NotConnected."""
        self._forget_sent()  # the answers of an earlier connection that was closed in order have arrived
        while True:
            if not (self._urgent or self._others or self._repeats):
                self._empty.set()
                await self._wait(None)
            elif (delay := self.limit.delay(0 if self._urgent else RESERVED)) > 0:
                await self._wait(delay)
            elif not self._send_next(send):
                return

    async def flush(self, timeout: float) -> None:
        """Wait until the queue is empty, but no longer than `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._empty.wait()
        except TimeoutError:
            _LOGGER.debug("%d answers are left for the next connection", len(self))

    def connection_lost(self) -> None:
        """Queue the answers that may have been lost with the connection; each is repeated once."""
        since = time.monotonic() - REPEATED_FOR
        self._repeats.extend(answer for at, answer in self._sent if at >= since)
        self._forget_sent()
        while sum(len(answer.payload) for answer in self._repeats) > MAX_BYTES:
            self._repeats.popleft()
        if self._repeats:
            self._empty.clear()

    async def _wait(self, timeout: float | None) -> None:
        """Wait until an answer is queued, or until the time-out."""
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return

    def _send_next(self, send: Callable[[str, bytes], None]) -> bool:
        """Send the next answer unless it has expired; return False when there is no connection."""
        queue = self._urgent or self._others or self._repeats
        answer = queue[0]
        now = time.monotonic()
        if now <= answer.expires:
            try:
                send(answer.topic, answer.payload)
            except NotConnected:
                return False
            self.limit.count()
            if queue is not self._repeats:
                self._keep_sent(now, answer)
        queue.popleft()
        if queue is not self._repeats:
            self._waiting_bytes -= len(answer.payload)
        return True

    def _keep_sent(self, now: float, answer: _Queued) -> None:
        self._sent.append((now, answer))
        self._sent_bytes += len(answer.payload)
        while len(self._sent) > MAX_SENT or self._sent_bytes > MAX_BYTES:
            self._sent_bytes -= len(self._sent.popleft()[1].payload)

    def _forget_sent(self) -> None:
        self._sent.clear()
        self._sent_bytes = 0


class _Recent:
    """The outcomes of recent commands, as futures, since a command can be delivered again while it still runs."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[asyncio.Future[Answer], float]] = {}
        self._newest: dict[tuple[str, str], bytes] = {}

    def find(self, key: Key, *, again: bool) -> asyncio.Future[Answer] | None:
        """Return the outcome of a command that was delivered before, None for a new one or one that was given up.

        Without MQTT's DUP flag (`again`) only the newest command with an id can be delivered again, and only soon.
        """
        outcome, at = self._seen.get(key, (None, 0.0))
        if outcome is None or outcome.cancelled() or not (again or self._newest.get(key[:2]) == key[2]):
            return None
        valid = REMEMBERED_FOR if again or not outcome.done() else UNMARKED_FOR
        return outcome if time.monotonic() - at <= valid else None

    def keep(self, key: Key, outcome: asyncio.Future[Answer]) -> None:
        """Remember a command as the newest, and forget those that are too old or too many; never one that runs."""
        now = time.monotonic()
        self._seen.pop(key, None)
        self._seen[key] = outcome, now
        self._newest[key[:2]] = key[2]
        forgotten: list[Key] = []
        for old, (answer, at) in self._seen.items():
            if len(self._seen) - len(forgotten) <= REMEMBERED and now - at <= REMEMBERED_FOR:
                break
            if answer.done():
                forgotten.append(old)
        for old in forgotten:
            del self._seen[old]
            if self._newest.get(old[:2]) == old[2]:
                del self._newest[old[:2]]


@dataclass(slots=True)
class DownlinkMemory:
    """What has to outlive a reload: answers that are not sent yet, and recent commands.

    Raw frames and messages are remembered separately, or a stream of them would displace the commands.
    """

    answers: Answers = field(default_factory=Answers)
    commands: _Recent = field(default_factory=_Recent)
    data: _Recent = field(default_factory=_Recent)


class Downlink:
    """The commands of one device."""

    def __init__(self, handler: CommandHandler, memory: DownlinkMemory) -> None:
        """Commands are carried out by `handler`; `memory` may come from an earlier link of the same device."""
        self._handler = handler
        self._memory = memory
        self._running: dict[asyncio.Task[None], asyncio.Future[Answer]] = {}
        self._deliveries: Counter[asyncio.Future[Answer]] = Counter()
        """How many deliveries wait for an outcome; they share everything else."""
        self._stopping = False

    def received(self, route: Route, delivery: Delivery) -> None:
        """Handle one delivery: its answer is queued as soon as it is known."""
        try:
            command = decode_command(route, delivery.topic, delivery.payload)
        except MessageError as err:
            _LOGGER.debug("Cannot read the command on %s: %s", delivery.topic, err)
            if err.id is not None:
                self._put(route, encode_outcome(err.id, Answer(err.code, message=str(err))))
            return
        key = _key(command, delivery.payload)
        recent = self._memory.data if command.is_data else self._memory.commands
        # Data is delivered again where the host says so or a caller waits, whose topic is unique.
        may_be_again = delivery.again or command.sync or not command.is_data
        outcome = recent.find(key, again=delivery.again or command.is_data) if may_be_again else None
        if outcome is None and (refusal := self._refusal()):
            _LOGGER.debug("The command on %s is not carried out: %s", command.topic, refusal.message)
            self._answer(command, route, refusal)
            return
        if outcome is None:
            outcome = self._start(command)
            recent.keep(key, outcome)
        if outcome not in self._deliveries:
            outcome.add_done_callback(partial(self._done, command, route))
        self._deliveries[outcome] = min(self._deliveries[outcome] + 1, MAX_DELIVERIES)

    def resume(self) -> None:
        """Accept commands again after `give_up`."""
        self._stopping = False

    def give_up(self) -> None:
        """Refuse new commands from now on, and answer the running ones that they are given up."""
        self._stopping = True
        for outcome in self._running.values():
            outcome.cancel()

    async def stop(self) -> None:
        """Cancel the commands that still run, except for one that stops the link, and wait for their end."""
        if running := self._running.keys() - {asyncio.current_task()}:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    def _refusal(self) -> Answer | None:
        if self._stopping:
            return _STOPPING
        if len(self._running) >= MAX_RUNNING or self._memory.answers.is_full:
            return _TOO_MANY
        return None

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
                outcome.cancel()
                raise
            answer = _failed(command, err)  # not the handler was cancelled, but what it waited for
        except Exception as err:  # noqa: BLE001 - unexpected errors are answered as well
            answer = _failed(command, err)
        if not outcome.done():
            outcome.set_result(answer)

    def _done(self, command: Command, route: Route, outcome: asyncio.Future[Answer]) -> None:
        deliveries = self._deliveries.pop(outcome)
        self._answer(command, route, _GIVEN_UP if outcome.cancelled() else outcome.result(), deliveries)

    def _answer(self, command: Command, route: Route, answer: Answer, times: int = 1) -> None:
        payload = encode_answer(command, answer)
        if payload is None:
            return
        if command.is_data and route.reply_to == command.topic:
            # A plain MQTT broker returns the answer to the device, which must not handle it as another call.
            done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            done.set_result(Answer())
            self._memory.data.keep(_key(command, payload), done)
        for _ in range(times):
            self._put(route, payload)

    def _put(self, route: Route, payload: bytes) -> None:
        if route.reply_to is not None:
            self._memory.answers.put(route.reply_to, payload, urgent=route.message_id is not None)


def _key(command: Command, payload: bytes) -> Key:
    return command.topic, "" if command.is_data else command.id, hashlib.sha256(payload).digest()


def _failed(command: Command, error: BaseException) -> Answer:
    """Log an unexpected error, and return the answer, which has no details."""
    _LOGGER.error("Command %s on %s failed unexpectedly", command.id, command.topic, exc_info=error)
    return Answer(Code.INTERNAL_ERROR, message="internal error of the device")
