"""The link: the connection of a device and of those that share it, which is restored whenever it is lost.

    disconnected → connecting → online → backing_off → connecting → …
                             └→ auth_failed (a long pause, then another try)

`backing_off` lasts seconds to minutes after a failure (`mqtt/pacing.py`), and many minutes while another client keeps
connecting with the same identity (`KickedOut`); `retry` ends each pause. `mqtt/liveness.py` decides whether a connection is
still alive. Nothing here depends on the wall clock, which may be set.

One task owns the state. What ends with a connection is in its `Session`, what concerns one identity in its `Device`; each
message goes to the device of its topic.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
import contextlib
from enum import StrEnum
import math
import time
from typing import Protocol

from .answers import ANSWERS_PER_SECOND, MAX_QUEUED
from .auth import Identity
from .command import CommandHandler
from .device import Device, NoticeHandler
from .downlink import Downlink, DownlinkMemory
from .errors import ConnectError, ConnectionLost, ConnectTimeout, CredentialsRefused, NotConnected, RequestTimeout
from .foreign import logger_of
from .mqtt.connecting import LinkConfig
from .mqtt.pacing import Backoff, RateLimit
from .mqtt.transport import Delivery
from .reply_watch import ReplyWatch
from .session import Session
from .topics import identity_of
from .traffic import Traffic

_LOGGER = logger_of(__name__)

LAST_PING = 2.0
"""Seconds to wait for the reply to a ping that proves that the last answers have arrived."""

LAST_ANSWERS = 0.25
"""Seconds to send the last answers when the link stops and another one follows, which sends the others."""

FINAL_ANSWERS = MAX_QUEUED / ANSWERS_PER_SECOND + 5.0
"""Seconds to send them when no link follows: as long as a full queue takes."""


class LinkState(StrEnum):
    """The state of the connection."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    ONLINE = "online"
    BACKING_OFF = "backing_off"
    AUTH_FAILED = "auth_failed"


type StateHandler = Callable[[LinkState, ConnectError | None], None]
type CodeHandler = Callable[[int], None]


class LinkListener(Protocol):
    """What else depends on the connection; both methods are called on the loop and must be quick."""

    def link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        """Take note of a change of the link."""

    def link_received(self, delivery: Delivery) -> bool:
        """Take a message if it is meant for the listener, and return whether it was."""


class Link:
    """Keeps a connection for the devices on it."""

    def __init__(
        self,
        config: LinkConfig,
        *,
        on_command: CommandHandler,
        on_state: StateHandler,
        on_code: CodeHandler = lambda _code: None,
        on_overload: Callable[[], None] = lambda: None,
        services: Iterable[str] = (),
        user_topics: Iterable[str] = (),
        memory: DownlinkMemory | None = None,
        on_notice: NoticeHandler = lambda _notice: None,
    ) -> None:
        """`on_command` carries commands out, `on_state` is called with every change, `on_code` with each code but 200.

        `on_overload` is called with each command that is refused because there are too many, `on_notice` as for `Device`.
        `services` and `user_topics` are as for `Device`. `memory` is that of an earlier link of this device.
        """
        self.config = config
        self.state = LinkState.DISCONNECTED
        self.last_error: ConnectError | None = None
        self._on_state = on_state
        self._on_code = on_code
        self.traffic = Traffic()
        self._memory = memory or DownlinkMemory()
        self._answers = self._memory.answers
        self._limit = RateLimit()
        """Applies to every message except answers to commands; it outlives connections."""
        downlink = Downlink(on_command, self._memory, on_overload)
        self.device = Device(
            self, config.triple.identity, downlink, services=services, user_topics=user_topics, on_notice=on_notice
        )
        """The device that connects."""
        self._devices = {self.device.identity: self.device}
        self._listeners: list[LinkListener] = []
        self._silent: set[str] = set()
        """Requests that a host which stays silent has not replied to."""
        self._session: Session | None = None
        self._refusal: type[CredentialsRefused] = CredentialsRefused
        self._online_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._listens = True
        self._settled = asyncio.Event()
        self._hurry = asyncio.Event()

    @property
    def session(self) -> Session:
        """The present connection; raises NotConnected without one."""
        if self._session is None:
            raise NotConnected("the link is not connected")
        return self._session

    @property
    def is_online(self) -> bool:
        """Whether there is a connection."""
        return self._session is not None

    def attach(
        self,
        identity: Identity,
        on_command: CommandHandler,
        *,
        on_code: CodeHandler = lambda _code: None,
        on_overload: Callable[[], None] = lambda: None,
        on_notice: NoticeHandler = lambda _notice: None,
        services: Iterable[str] = (),
        user_topics: Iterable[str] = (),
        implicit: bool = True,
    ) -> Device:
        """Put a sub-device on the link; the arguments are as for the link itself.

        It can send and receive while it is logged in (`logged_in`, `logged_out`). An `implicit` one relies on the subscriptions
        that the platform makes (docs/protocol.md §0.5), without which 500 sub-devices would need a thousand packets. Raises
        `ValueError` when a device with this name is on the link.
        """
        if identity in self._devices:
            raise ValueError(f"{identity.device_name} is on the link already")
        downlink = Downlink(on_command, self._memory, on_overload)
        device = Device(
            self,
            identity,
            downlink,
            services=services,
            user_topics=user_topics,
            on_notice=on_notice,
            implicit=implicit and self.config.host.subscribes,
            on_code=on_code,
        )
        self._devices[identity] = device
        return device

    async def detach(self, identity: Identity) -> None:
        """Take a sub-device off the link: give up its commands and forget it; does nothing without one of this name."""
        if (device := self._devices.get(identity)) is None or device is self.device:
            return
        device.downlink.give_up()
        self.logged_out(identity)
        del self._devices[identity]
        await device.downlink.stop()
        self._answers.forget(identity)

    async def logged_in(self, identities: Iterable[Identity]) -> None:
        """Let sub-devices send, and make their subscriptions."""
        devices = [device for identity in identities if (device := self._devices.get(identity))]
        for device in devices:
            device.logged_in = True
        self._answers.release(frozenset(device.identity for device in devices))
        if filters := [topic_filter for device in devices for topic_filter in device.filters]:
            await self.subscribe(filters)

    def logged_out(self, identity: Identity, *, lost: bool = False) -> None:
        """Let a sub-device send no more, and fail its requests that wait for a reply.

        If its session is `lost`, the cloud may have refused its last answers, which are sent again after the next login.
        """
        device = self._devices.get(identity)
        if device is None or device is self.device or not device.logged_in:
            return
        device.logged_in = False
        if lost:
            self._answers.session_lost(identity)
        if self._session:
            self._session.end(device.topics.system, device.filters)

    def listen(self, listener: LinkListener) -> Callable[[], None]:
        """Have a listener informed of changes of the link and of messages that are not commands; return how to end it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def answer(self, topic: str, payload: bytes) -> None:
        """Queue an answer to a message that is not a command, of which a host may send any number."""
        self._answers.put(topic, payload, urgent=False, lesser=True)

    @property
    def refused_filters(self) -> frozenset[str]:
        """The topic filters that the cloud refused on the present connection."""
        return self._session.refused_filters if self._session else frozenset()

    def limit_to(self, messages: float) -> None:
        """Send at most `messages` (two or more) in any second; the rate of answers to commands follows."""
        self._limit.messages = messages
        self._answers.rate = max(2 * messages, ANSWERS_PER_SECOND)

    def start(self) -> None:
        """Start to connect, and stay connected until `stop`; does nothing while the link runs."""
        if self._task and not self._task.done():
            return
        self._settled.clear()
        self._listens = True
        for device in self._devices.values():
            device.downlink.resume()
        name = f"Aliyun link {self.config.triple.device_name}"
        self._task = asyncio.get_running_loop().create_task(self._run(), name=name)

    async def wait_online(self, timeout: float) -> None:
        """Wait until the link is online; raises the ConnectError of the first failure, or ConnectTimeout."""
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            raise self.last_error or ConnectTimeout(f"not connected within {timeout:g} s") from None
        if self.state is not LinkState.ONLINE:
            raise self.last_error or ConnectionLost("not connected")

    def retry(self) -> None:
        """End the pause before the next attempt, if there is one; the number of connects a minute stays limited."""
        self._hurry.set()

    async def give_up(self, patience: float = LAST_ANSWERS) -> None:
        """Give up the running commands and refuse others, until `start`.

        Answers are sent as far as the rate allows within `patience` seconds; the others stay in the `DownlinkMemory`.
        """
        for device in self._devices.values():
            device.downlink.give_up()
        if self._session:
            await asyncio.sleep(0)  # callbacks queue the answers of the commands that were given up
            await self._answers.flush(patience)

    async def stop(self, patience: float = LAST_ANSWERS) -> None:
        """Give up the running commands, and disconnect; `patience` is as for `give_up`.

        What arrives after the last refusals were sent is ignored: nobody would hear that it is refused. If the host does not
        respond any more, the answers that it may not have got are repeated after `start`.
        """
        proven_until = -math.inf
        try:
            await self.give_up(patience)
            self._listens = False
            if session := self._session:
                await self._answers.flush(LAST_ANSWERS)
                if self._answers.may_be_lost(session.proven_until):
                    await session.reach(LAST_PING)
                proven_until = session.proven_until
        finally:
            if task := self._task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            self._answers.connection_lost(proven_until)
            if self._task is task:  # it may have been started again
                self._set_state(LinkState.DISCONNECTED, self.last_error)  # the task may not have begun
            for device in self._devices.values():
                await device.downlink.stop()

    async def subscribe(self, ended: Collection[str] = ()) -> None:
        """Subscribe to what the devices need now; without a connection the next one does that.

        `ended` is as for `Subscriber.hold`.
        """
        if self._session:
            await self._session.change_subscriptions(self._filters(), ended)
            self._log_refused_topics()

    async def _run(self) -> None:
        backoff = Backoff()
        try:
            while True:
                while (delay := self.config.pacer.delay()) > 0:  # others share the pacer  # noqa: ASYNC110
                    await asyncio.sleep(delay)
                self._set_state(LinkState.CONNECTING, self.last_error)
                error, delay = await self._connect(backoff)
                self._set_state(
                    LinkState.AUTH_FAILED if isinstance(error, CredentialsRefused) else LinkState.BACKING_OFF, error
                )
                await self._pause(delay)
        finally:
            self._set_state(LinkState.DISCONNECTED, self.last_error)

    async def _pause(self, delay: float) -> None:
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._hurry.wait()

    async def _connect(self, backoff: Backoff) -> tuple[ConnectError, float]:
        """Connect, wait until the connection is lost, and return why it ended and how many seconds to wait."""
        host = self.config.host
        watch = ReplyWatch(tries=host.tries, silent=self._silent if host.stays_silent else set())
        session = Session(self._limit, self._received, self._on_code, self.traffic, watch)
        try:
            await session.open(self.config)
        except CredentialsRefused as refusal:
            return self._refusal(str(refusal)), backoff.after_failure(refusal)
        except ConnectError as error:
            return error, backoff.after_failure(error)
        except Exception as err:  # an unexpected error must not end the link
            _LOGGER.exception("Connecting failed unexpectedly")
            unexpected = ConnectionLost(f"unexpected {type(err).__name__}")
            return unexpected, backoff.after_failure(unexpected)
        self._online_since = None
        try:
            loss = await self._serve(session)
        except Exception as err:
            _LOGGER.exception("The connection failed unexpectedly")
            loss = ConnectionLost(f"unexpected {type(err).__name__}")
        return backoff.after_loss(loss, time.monotonic() - self._online_since if self._online_since else 0.0)

    async def _serve(self, session: Session) -> ConnectError:
        """Subscribe, be online until the connection is lost, close it and return why it ended."""
        subscribed: tuple[str, ...] = ()
        try:
            while subscribed != (wanted := self._filters()):  # they may change meanwhile
                await session.subscribe(wanted)
                subscribed = wanted
            self._session = session
            self._online_since = time.monotonic()
            self._log_refused_topics()
            async with asyncio.TaskGroup() as tasks:
                answering = tasks.create_task(self._answers.pump(session.answer, self._has_session))
                self._set_state(LinkState.ONLINE, None)
                loss = await session.wait_lost()
                self._answers.connection_lost(session.proven_until)
                answering.cancel()
        except (NotConnected, RequestTimeout) as err:
            loss = session.lost(err)
        finally:
            self._session = None
            for device in self._devices.values():
                device.logged_in = device is self.device
            self._refusal = session.reply_watch.verdict
            await session.close()
        return loss

    def _filters(self) -> tuple[str, ...]:
        devices = (device for device in self._devices.values() if device.logged_in)
        return tuple(topic_filter for device in devices for topic_filter in device.filters)

    def _has_session(self, identity: Identity) -> bool:
        return (device := self._devices.get(identity)) is None or device.logged_in

    def _log_refused_topics(self) -> None:
        for device in self._devices.values():
            device.log_refused_topics()

    def _received(self, delivery: Delivery) -> None:
        if not self._listens:
            return
        if any(listener.link_received(delivery) for listener in self._listeners):
            return
        identity = identity_of(delivery.topic)
        device = self._devices.get(identity) if identity else None
        if device is None:
            _LOGGER.debug("Message on a topic of no device on this link: %s", delivery.topic)
        else:
            device.received(delivery)

    def _set_state(self, state: LinkState, error: ConnectError | None) -> None:
        self.last_error = error
        if state is LinkState.CONNECTING:
            self._settled.clear()
        else:
            self._settled.set()
        if state is self.state:
            return
        self.state = state
        for report in (self._on_state, *(listener.link_changed for listener in self._listeners)):
            try:
                report(state, error)
            except Exception:  # an error in the callback must not end the link
                _LOGGER.exception("Cannot report that %s is %s", self.config.triple.device_name, state)
