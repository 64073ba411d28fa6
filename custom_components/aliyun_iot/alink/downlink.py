"""Commands of the cloud: decoded once, carried out once, answered once (`docs/protocol.md` §6).

The platform delivers at least once. A command that is delivered again is answered with the first outcome. Raw frames and
messages that no caller waits for have no id and may be meant twice, so only MQTT's DUP flag marks a second delivery.

Answers are sent at QoS 0, as RRPC requires (§6.4), so nothing confirms their arrival. Those that were sent within the last
minute of a connection, or of the session of a sub-device, that was lost are repeated once in the next one.

What is carried out is answered. So a command is refused before anything is done when too many run, or when more answers wait
than the platform takes in time.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
import hashlib
import time
from typing import Final

from .auth import Identity
from .codes import Code
from .command import Answer, Command, CommandHandler, Route, decode_command, encode_answer, encode_outcome
from .errors import MessageError, NotConnected
from .foreign import logger_of
from .messages import MAX_PAYLOAD
from .mqtt.pacing import PERIOD, RateLimit
from .mqtt.transport import Delivery
from .topics import identity_of

_LOGGER = logger_of(__name__)

MAX_RUNNING: Final = 100
"""Commands that run at once, and as many raw frames and messages."""

ANSWERS_PER_SECOND: Final = 20
"""The platform accepts 30 messages a second at QoS 0 (docs/protocol.md §14); some of them are requests."""

FLOW_PARTS: Final = 4
"""In a part of a second at most this part of the rate is used up for callers who do not wait, so that one who does waits
no longer than that."""

RESERVED: Final = 1
"""Answers a second that are kept for callers who wait."""

URGENT_IN_A_ROW: Final = 4
"""Answers to callers who wait after which another one is sent, or an endless stream of calls would hold those up for ever."""

MAX_QUEUED: Final = 15 * ANSWERS_PER_SECOND
MAX_URGENT: Final = 2 * ANSWERS_PER_SECOND
MAX_BYTES: Final = 4 * 1024 * 1024
"""Answers that wait or will come, in all and for callers who wait, and their bytes, before new commands are refused."""

MAX_DELIVERIES: Final = 100
"""Deliveries of one running command that are answered; the answers to more would be the same as well."""

PATIENCE: Final = 300.0
SYNC_PATIENCE: Final = 5.0
"""Seconds after which an answer is of no use; the caller of a synchronous service waits for five."""

MAX_LESSER: Final = int(PATIENCE) * ANSWERS_PER_SECOND
"""Refusals and answers to second deliveries that wait: as many as can be sent before they are of no use."""

REPEATED_FOR: Final = 60.0
"""Seconds before the loss of a connection in which an answer may have been lost with it."""

MAX_SENT_BYTES: Final = 2 * 1024 * 1024
"""Bytes of the answers that are kept for that, and of those held for sub-devices; the oldest are not."""

REMEMBERED_FOR: Final = 300.0
"""Seconds for which a second delivery is recognised."""

REMEMBERED_BYTES: Final = 8 * 1024 * 1024
"""Bytes that are kept for that. Beyond them long answers are dropped first, and only then whole commands."""

LONG_ANSWER: Final = 4096

OVERHEAD: Final = 700
"""Bytes that a command or an answer takes besides its texts."""

UNMARKED_FOR: Final = 10.0
"""Seconds for which it is recognised without MQTT's DUP flag, since some hosts use one id for all commands."""

_TOO_MANY = Answer(Code.TOO_BUSY, message="too many commands at once, try again later")
_TOO_MANY_ANSWERS = Answer(Code.TOO_BUSY, message="too many answers wait to be sent, try again later")
_STOPPING = Answer(Code.TOO_BUSY, message="the device is going offline, try again later")
_GIVEN_UP = Answer(
    Code.TOO_BUSY, message="the device is going offline and has given the command up; a part of it may have been done"
)
_TOO_LARGE = "the output data are left out, because too many answers wait to be sent"
_NOT_KEPT = "this is a second delivery of a command that was answered before, and its output data are no longer kept"

type Key = tuple[str, str, bytes]
"""Topic, id (empty for data) and digest of the payload."""


@dataclass(frozen=True, slots=True)
class _Queued:
    """An answer to be sent; `expires` is in monotonic seconds.

    `identity` is that of the device whose command it answers, None if it can be sent whether or not the device has a session.
    `again` is that it was sent before, and may have been lost.
    """

    topic: str
    payload: bytes
    expires: float
    identity: Identity | None = None
    again: bool = False


class Answers:
    """The queue of answers, which outlives connections and sends at the platform's rate.

    Those of a sub-device wait until it is logged in. Answers that a caller waits for are sent first. Then come those of
    commands that were carried out, those that an earlier connection may have lost, and at last refusals and answers to second
    deliveries.
    """

    def __init__(self) -> None:
        """Start with an empty queue."""
        self._limit = RateLimit(ANSWERS_PER_SECOND)
        self._flow = RateLimit(ANSWERS_PER_SECOND / FLOW_PARTS, PERIOD / FLOW_PARTS)
        self._urgent: deque[_Queued] = deque()
        self._others: deque[_Queued] = deque()
        self._repeats: deque[_Queued] = deque()
        self._lesser: deque[_Queued] = deque()
        self._waiting_bytes = 0
        self._in_a_row = 0
        self._sent: deque[tuple[float, _Queued]] = deque()
        self._sent_bytes = 0
        self._held: deque[_Queued] = deque()
        self._held_bytes = 0
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """Return how many answers wait."""
        return len(self._urgent) + len(self._others) + len(self._repeats) + len(self._lesser)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self._limit.messages

    @rate.setter
    def rate(self, messages: float) -> None:
        self._limit.messages = messages
        self._flow.messages = messages / FLOW_PARTS

    def has_room(self, expected: int, *, urgent: bool) -> bool:
        """Return whether the answer to one more command could be sent in time; `expected` others are yet to come."""
        queue, most = (self._urgent, MAX_URGENT) if urgent else (self._others, MAX_QUEUED)
        return len(queue) + expected < most and self.has_bytes(MAX_PAYLOAD)

    def has_bytes(self, number: int) -> bool:
        """Return whether there is room for an answer of so many bytes."""
        return self._waiting_bytes + number <= MAX_BYTES

    def put(
        self,
        topic: str,
        payload: bytes,
        *,
        urgent: bool,
        lesser: bool = False,
        identity: Identity | None = None,
    ) -> None:
        """Queue an answer: `urgent` when a caller waits for it, `lesser` when nothing was done for it.

        With an `identity` it is only sent while that device has a session.
        """
        now = time.monotonic()
        if urgent and not (lesser and len(self._urgent) >= ANSWERS_PER_SECOND):
            queue, answer = self._urgent, _Queued(topic, payload, now + SYNC_PATIENCE, identity)
        else:
            queue, answer = self._lesser if lesser else self._others, _Queued(topic, payload, now + PATIENCE, identity)
        if queue is self._lesser and len(queue) >= MAX_LESSER:
            _LOGGER.debug("Too many answers wait: the one on %s is not sent", topic)
            return
        queue.append(answer)
        self._waiting_bytes += len(payload)
        self._empty.clear()
        self._changed.set()

    async def pump(
        self, send: Callable[[str, bytes], None], has_session: Callable[[Identity], bool] = lambda _identity: True
    ) -> None:
        """Send queued answers as fast as the rate allows, until `send` (topic, payload) raises NotConnected.

        Those of devices without a session are held until `release`.
        """
        self._forget_sent()  # the answers of an earlier connection that was closed in order have arrived
        while True:
            if not len(self):
                self._empty.set()
                await self._wait(None)
            elif (delay := self._delay()) > 0:
                await self._wait(delay)
            elif not self._send_next(send, has_session):
                return

    async def flush(self, timeout: float) -> None:
        """Wait until the queue is empty, but no longer than `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._empty.wait()
        except TimeoutError:
            _LOGGER.debug("%d answers are left for the next connection", len(self))

    def release(self, identities: Collection[Identity]) -> None:
        """Queue what was held for these devices, which are logged in now."""
        released = [answer for answer in self._held if answer.identity in identities]
        if released:
            self._drop_held(identities)
            for answer in released:
                (self._repeats if answer.again else self._others).append(answer)
            self._waiting_bytes += sum(len(answer.payload) for answer in released)
            self._empty.clear()
            self._changed.set()

    def forget(self, identity: Identity) -> None:
        """Forget what was held for a device that is no longer on the link."""
        self._drop_held((identity,))

    def connection_lost(self) -> None:
        """Queue the answers that may have been lost with the connection; each is repeated once."""
        lost = self._lately_sent()
        self._repeats.extend(lost)
        self._waiting_bytes += sum(len(answer.payload) for answer in lost)
        self._forget_sent()
        if lost:
            self._empty.clear()

    def session_lost(self, identity: Identity) -> None:
        """Hold the answers of a device that may have been lost with its session for `release`; each is repeated once."""
        for answer in self._lately_sent():
            if answer.identity == identity:
                self._hold(answer)
        kept = [(at, answer) for at, answer in self._sent if answer.identity != identity]
        self._forget_sent()
        for at, answer in kept:
            self._keep_sent(at, answer)

    def _lately_sent(self) -> list[_Queued]:
        """Return the answers that may be lost if a connection or a session is now, as they are to be sent again."""
        since = time.monotonic() - REPEATED_FOR
        return [replace(answer, again=True) for at, answer in self._sent if at >= since]

    def _delay(self) -> float:
        """Return the seconds until the next answer may be sent."""
        return self._limit.delay() if self._urgent else max(self._limit.delay(RESERVED), self._flow.delay())

    async def _wait(self, timeout: float | None) -> None:
        """Wait until an answer is queued, or until the time-out."""
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return

    def _send_next(self, send: Callable[[str, bytes], None], has_session: Callable[[Identity], bool]) -> bool:
        """Send the next answer unless it has expired; return False when there is no connection."""
        others = self._others or self._repeats or self._lesser
        queue = others if not self._urgent or (others and self._in_a_row >= URGENT_IN_A_ROW) else self._urgent
        answer = queue.popleft()
        now = time.monotonic()
        if now > answer.expires:
            if queue is self._urgent:  # its caller has given up, but it is still answered, after those that are in time
                self._others.append(replace(answer, expires=answer.expires - SYNC_PATIENCE + PATIENCE))
            else:
                self._waiting_bytes -= len(answer.payload)
            return True
        if answer.identity and not has_session(answer.identity):
            self._waiting_bytes -= len(answer.payload)
            self._hold(answer)
            return True
        try:
            send(answer.topic, answer.payload)
        except NotConnected:
            queue.appendleft(answer)
            return False
        self._waiting_bytes -= len(answer.payload)
        self._limit.count()
        if queue is self._urgent:
            self._in_a_row += 1
        else:
            self._in_a_row = 0
            self._flow.count()
        if not answer.again:
            self._keep_sent(now, answer)
        return True

    def _keep_sent(self, now: float, answer: _Queued) -> None:
        self._sent.append((now, answer))
        self._sent_bytes += OVERHEAD + len(answer.payload)
        while self._sent_bytes > MAX_SENT_BYTES or now - self._sent[0][0] > REPEATED_FOR:
            self._sent_bytes -= OVERHEAD + len(self._sent.popleft()[1].payload)

    def _hold(self, answer: _Queued) -> None:
        self._held.append(answer)
        self._held_bytes += OVERHEAD + len(answer.payload)
        while self._held_bytes > MAX_SENT_BYTES:
            self._held_bytes -= OVERHEAD + len(self._held.popleft().payload)

    def _drop_held(self, identities: Collection[Identity]) -> None:
        self._held = deque(answer for answer in self._held if answer.identity not in identities)
        self._held_bytes = sum(OVERHEAD + len(answer.payload) for answer in self._held)

    def _forget_sent(self) -> None:
        self._sent.clear()
        self._sent_bytes = 0


@dataclass(slots=True)
class _Outcome:
    """A command that was delivered, at a monotonic time, and its answer: the code, and the payload if there is one.

    The code is None while the command runs; then `deliveries` wait for the answer and share everything else.
    """

    at: float
    size: int
    deliveries: int = 1
    code: int | None = None
    payload: bytes | None = None

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self.size + len(self.payload or b"")


class _Recent:
    """The recent commands and their outcomes, by time and within a number of bytes."""

    def __init__(self) -> None:
        self._seen: dict[Key, _Outcome] = {}
        self._newest: dict[tuple[str, str], bytes] = {}
        self._bytes = 0

    def find(self, key: Key, *, again: bool) -> _Outcome | None:
        """Return a command that was delivered before, None for a new one.

        Without MQTT's DUP flag (`again`) only the newest command with an id can be delivered again, and only soon.
        """
        outcome = self._seen.get(key)
        if outcome is None or not (again or self._newest.get(key[:2]) == key[2]):
            return None
        valid = REMEMBERED_FOR if again or outcome.code is None else UNMARKED_FOR
        return outcome if time.monotonic() - outcome.at <= valid else None

    def keep(self, key: Key) -> _Outcome:
        """Remember a command as the newest."""
        self.forget(key)
        outcome = self._seen[key] = _Outcome(time.monotonic(), OVERHEAD + len(key[0]) + 2 * len(key[1]))
        self._newest[key[:2]] = key[2]
        self._bytes += outcome.bytes
        self._make_room()
        return outcome

    def settle(self, key: Key, outcome: _Outcome, code: int, payload: bytes | None) -> None:
        """Remember the answer to a command, unless it was forgotten meanwhile."""
        outcome.code = code
        if self._seen.get(key) is outcome:
            outcome.payload = payload
            self._bytes += len(payload or b"")
            self._make_room()

    def forget(self, key: Key) -> None:
        """Forget a command, so that it is carried out when it is delivered again."""
        if outcome := self._seen.pop(key, None):
            self._bytes -= outcome.bytes
            if self._newest.get(key[:2]) == key[2]:
                del self._newest[key[:2]]

    def _make_room(self) -> None:
        """Forget what is too old and, beyond the bytes, the oldest; never a command that runs."""
        now = time.monotonic()
        while (first := next(iter(self._seen.items()), None)) and now - first[1].at > REMEMBERED_FOR:
            if first[1].code is None:
                break
            self.forget(first[0])
        if self._bytes <= REMEMBERED_BYTES:
            return
        for key, outcome in list(self._seen.items()):
            if outcome.payload is not None and outcome.code is not None and len(outcome.payload) > LONG_ANSWER:
                self._bytes -= len(outcome.payload)
                outcome.payload = encode_outcome(key[1], Answer(outcome.code, message=_NOT_KEPT)) if key[1] else None
                self._bytes += len(outcome.payload or b"")
                if self._bytes <= REMEMBERED_BYTES:
                    return
        for key, outcome in list(self._seen.items()):
            if outcome.code is not None:
                self.forget(key)
                if self._bytes <= REMEMBERED_BYTES:
                    return


@dataclass(slots=True)
class DownlinkMemory:
    """What has to outlive a reload: answers that are not sent yet, and recent commands.

    Raw frames and messages are remembered separately, or a stream of them would displace the commands.
    """

    answers: Answers = field(default_factory=Answers)
    expected: Counter[bool] = field(default_factory=Counter)
    """How many answers are yet to come, of all devices that share the queue, by whether a caller waits for them."""
    commands: _Recent = field(default_factory=_Recent)
    data: _Recent = field(default_factory=_Recent)


@dataclass(slots=True)
class _Running:
    """A command that runs, and whether it was answered; one that was given up is answered before its end."""

    command: Command
    route: Route
    key: Key
    outcome: _Outcome
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
        self._memory.answers.put(topic, encode_outcome(message_id, Answer()), urgent=False)

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

    def _recent(self, command: Command) -> _Recent:
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
