"""The link: the live connection of one device, which comes back by itself.

    disconnected → connecting → online → backing_off → connecting → …
                             └→ auth_failed (a long pause, then another try)

`backing_off` lasts seconds to minutes after a failure (`pacing`), and many minutes while another client keeps taking the
place of this one (`KickedOut`); `retry` ends each pause. Whether a connection is still alive is judged by `liveness`.
Nothing here depends on the time of day, which may jump.

One task owns the state; everybody else observes it. What the link carries is in `requests` (device → cloud) and
`deliveries` (cloud → device), what it listens to in `subscriptions`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
import contextlib
from enum import StrEnum
import logging
import time

from .answers import ANSWERS_PER_SECOND, Answers
from .command import CommandHandler
from .deliveries import Deliveries
from .desired import Desired, delete_desired, get_desired
from .errors import (
    CloudSilent,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    CredentialsRefused,
    NotConnected,
    RequestTimeout,
)
from .messages import MAX_PAYLOAD, JsonValue, Reply
from .mqtt.connecting import LinkConfig, connect
from .mqtt.pacing import Backoff, TokenBucket
from .mqtt.transport import Delivery, MqttConnection
from .ntp import ClockReading, TimeService
from .reply_watch import Hearing
from .requests import Requests
from .routes import RouteKind, route
from .samples import Sample, batch_params, history_params, property_params
from .subscriptions import Subscriber, filters_for
from .topics import Topics

_LOGGER = logging.getLogger(__name__)

REPLY_TIMEOUT = 10.0


class LinkState(StrEnum):
    """Where the connection stands."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    ONLINE = "online"
    BACKING_OFF = "backing_off"
    AUTH_FAILED = "auth_failed"


type StateHandler = Callable[[LinkState, ConnectError | None], None]
type CodeHandler = Callable[[int], None]


class Link:
    """Keeps one device connected, carries its requests and answers its commands."""

    def __init__(
        self,
        config: LinkConfig,
        *,
        on_command: CommandHandler,
        on_state: StateHandler,
        on_code: CodeHandler = lambda _code: None,
        services: Iterable[str] = (),
        user_topics: Iterable[str] = (),
    ) -> None:
        """`on_command` carries commands out, `on_state` hears of every change, `on_code` the code of every reply.

        `services` are identifiers to listen to; without any the link listens to all of them, if the platform lets it.
        `user_topics` are as for `listen_to_topics`, which says what they raise.
        """
        self.config = config
        self.topics = Topics(config.triple.product_key, config.triple.device_name)
        self.state = LinkState.DISCONNECTED
        self.last_error: ConnectError | None = None
        self._on_state = on_state
        self._on_code = on_code
        self._services = tuple(services)
        self._user_topics = tuple(user_topics)
        self._filters = filters_for(self.topics, self._services, self._user_topics)
        self._told_refused: frozenset[str] = frozenset()
        self._connection: MqttConnection | None = None
        self._subscriber: Subscriber | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._hurry = asyncio.Event()
        self._hearing = Hearing()
        self._limiter = TokenBucket()
        """What every message passes that does not answer a command."""
        self._requests = Requests(self._publish, self._limiter)
        self.answers = Answers(self._publish)
        """Answers to commands; whoever ends a link for another one hands on what is `unproved`."""
        self._deliveries = Deliveries(on_command, self.answers)
        self._time_service = TimeService(self._publish, self.topics)

    def limit_to(self, messages: float) -> None:
        """Send no more than `messages` in any second, which are two or more, and as many answers to commands as go with it."""
        self._limiter.limit_to(messages)
        self.answers.limiter.limit_to(max(2 * messages, ANSWERS_PER_SECOND))

    def start(self) -> None:
        """Begin to connect, and stay connected until `stop`; once is enough."""
        if self._task and not self._task.done():
            return
        self._settled.clear()
        self._deliveries.resume()
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"Aliyun link {self.topics.device_name}")

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
        """End the pause before the next attempt, if there is one; no more connects a minute come of it."""
        self._hurry.set()

    async def stop(self) -> None:
        """Disconnect and forget everything that is under way.

        The cloud is told of commands that are given up, as long as the connection lives; that takes no longer than
        `deliveries.LAST_ANSWERS`, a quarter of a second.
        """
        try:
            await self._deliveries.give_up()
        finally:  # also when the stop is a command's own doing, and is cancelled with it
            if self._task:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
            await self._deliveries.stop()

    async def listen_to(self, services: Iterable[str]) -> None:
        """Change the services that the link listens to, without reconnecting."""
        await self._listen(tuple(services), self._user_topics)

    async def listen_to_topics(self, suffixes: Iterable[str]) -> None:
        """Change the user topics that the link listens to, without reconnecting (docs/protocol.md §12.7).

        `suffixes` are what stands behind `/{pk}/{dn}/user/`, with the wildcards of MQTT where those are allowed. Both plain
        messages and calls whose author waits for an answer arrive as commands of the kind `message`.

        Raises `ValueError`, and changes nothing, for a suffix that is no topic and for more than
        `subscriptions.USER_TOPIC_LIMIT` of them. What the cloud refuses is in `refused_topics` afterwards.
        """
        await self._listen(self._services, tuple(suffixes))

    @property
    def refused_topics(self) -> frozenset[str]:
        """The user topics that the cloud does not let the device listen to: unknown, or without the permission."""
        refused = self._subscriber.refused if self._subscriber else frozenset()
        return frozenset(suffix for suffix in self._user_topics if self.topics.user_filters(suffix)[0] in refused)

    async def request(
        self, topic: str, method: str, params: JsonValue, *, qos: int = 0, timeout: float = REPLY_TIMEOUT
    ) -> Reply:
        """Send a request and return the reply, whatever its code; raises NotConnected or RequestTimeout."""
        began = time.monotonic()
        try:
            reply = await self._requests.request(topic, method, params, qos=qos, timeout=timeout)
        except RequestTimeout:
            self._missed(qos)
            raise
        self.answers.arrived(before=began)
        self._hearing.answered(reply.code)
        self._on_code(reply.code)
        return reply

    async def post_properties(self, samples: Mapping[str, Sample], timeout: float = REPLY_TIMEOUT) -> Reply:
        """Report property values (docs/protocol.md §4.1); raises NotConnected or RequestTimeout."""
        return await self.request(
            self.topics.property_post,
            "thing.event.property.post",
            property_params(samples),
            qos=1,
            timeout=timeout,
        )

    async def post_batch(self, samples: Iterable[tuple[str, Sample]], timeout: float = REPLY_TIMEOUT) -> Reply:
        """Report samples of the present, several of a property if need be, oldest first (docs/protocol.md §4.3).

        Raises NotConnected, RequestTimeout, or MessageError when they are too many for a message.
        """
        return await self.request(
            self.topics.property_batch_post,
            "thing.event.property.batch.post",
            batch_params(samples),
            qos=1,
            timeout=timeout,
        )

    async def post_history(self, samples: Iterable[tuple[str, Sample]], timeout: float = REPLY_TIMEOUT) -> Reply:
        """Report samples of the past, which leave the present values alone (docs/protocol.md §4.5); raises as above."""
        return await self.request(
            self.topics.property_history_post,
            "thing.event.property.history.post",
            history_params(self.config.triple, samples),
            qos=1,
            timeout=timeout,
        )

    async def post_event(
        self, identifier: str, output: dict[str, JsonValue], at: int, timeout: float = REPLY_TIMEOUT
    ) -> Reply:
        """Report an event that happened `at` (UTC milliseconds) (docs/protocol.md §5)."""
        return await self.request(
            self.topics.event_post(identifier),
            f"thing.event.{identifier}.post",
            {"value": output, "time": at},
            qos=1,
            timeout=timeout,
        )

    async def send_raw(self, payload: bytes) -> None:
        """Send a frame in the product's own format (docs/protocol.md §3); raises NotConnected."""
        await self._limiter.take()
        self._publish(self.topics.raw_up, payload, 1)

    async def publish(self, suffix: str, payload: bytes, qos: int = 1) -> None:
        """Publish on the user topic `/{pk}/{dn}/user/{suffix}` (docs/protocol.md §12.7).

        Raises NotConnected, and `ValueError` for a suffix that is no topic, a payload that is too large and a QoS other
        than 0 and 1. The platform says nothing to a topic that it does not know, nor does it acknowledge beyond MQTT.
        """
        topic = self.topics.user(suffix)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"the message has {len(payload)} bytes, more than the {MAX_PAYLOAD} allowed")
        if qos not in (0, 1):
            raise ValueError("the platform knows QoS 0 and 1 only")
        await self._limiter.take()
        self._publish(topic, payload, qos)

    async def get_desired(self, identifiers: Iterable[str], timeout: float = REPLY_TIMEOUT) -> dict[str, Desired]:
        """Return the desired values among these properties, in requests of 200 at most (docs/protocol.md §9).

        A property without a desired value is not in the result. `timeout` is for each request. Raises Rejected,
        NotConnected or RequestTimeout.
        """
        return await get_desired(self.request, self.topics, identifiers, timeout)

    async def delete_desired(self, versions: Mapping[str, int], timeout: float = REPLY_TIMEOUT) -> None:
        """Clear the desired values that still have these versions; raises as `get_desired` does."""
        await delete_desired(self.request, self.topics, versions, timeout)

    async def fetch_thing_model(self, timeout: float = REPLY_TIMEOUT) -> Reply:
        """Ask the cloud for the thing model; not every instance answers (docs/protocol.md §8.4)."""
        return await self.request(self.topics.dsltemplate_get, "thing.dsltemplate.get", {}, timeout=timeout)

    async def read_clock(self, timeout: float = REPLY_TIMEOUT) -> ClockReading:
        """Compare this machine's clock with the cloud's (docs/protocol.md §12.3); raises NotConnected or RequestTimeout."""
        await self._limiter.take()
        return await self._time_service.ask(timeout)

    async def _run(self) -> None:
        backoff = Backoff()
        try:
            while True:
                await asyncio.sleep(self.config.pacer.delay())
                self._set_state(LinkState.CONNECTING, self.last_error)
                error, delay = await self._live(backoff)
                self._set_state(
                    LinkState.AUTH_FAILED if isinstance(error, CredentialsRefused) else LinkState.BACKING_OFF, error
                )
                await self._pause(delay)
        finally:
            await self._hang_up()
            self._set_state(LinkState.DISCONNECTED, self.last_error)

    async def _pause(self, delay: float) -> None:
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._hurry.wait()

    async def _live(self, backoff: Backoff) -> tuple[ConnectError, float]:
        """Connect, serve until the connection is lost, and return why and how long to wait."""
        try:
            connection = await connect(self.config, self._received)
        except CredentialsRefused as refusal:
            return self._hearing.explain(refusal), backoff.after_failure(refusal)
        except ConnectError as error:
            return error, backoff.after_failure(error)
        except Exception as err:  # what nobody has thought of must not be the end of the link
            _LOGGER.exception("Connecting failed unexpectedly")
            unexpected = ConnectionLost(f"unexpected {type(err).__name__}")
            return unexpected, backoff.after_failure(unexpected)
        self._connection = connection
        self._hearing.connected()
        born = time.monotonic()
        loss = await self._serve(connection)
        await self._hang_up()
        return backoff.after_loss(loss, time.monotonic() - born)

    async def _serve(self, connection: MqttConnection) -> ConnectError:
        """Stay online as long as the connection lives, and return why it ended."""
        self._subscriber = Subscriber(connection)
        try:
            await self._hold(self._subscriber)
        except (NotConnected, RequestTimeout) as err:
            return connection.lost.result() if connection.lost.done() else ConnectionLost(str(err))
        self._set_state(LinkState.ONLINE, None)
        self._deliveries.connected()
        return await connection.lost

    async def _listen(self, services: tuple[str, ...], user_topics: tuple[str, ...]) -> None:
        self._filters = filters_for(self.topics, services, user_topics)
        self._services, self._user_topics = services, user_topics
        if self._subscriber:
            try:
                await self._hold(self._subscriber)
            except (NotConnected, RequestTimeout) as err:  # the next connect subscribes to everything again
                _LOGGER.debug("Cannot change what to listen to: %s", err)

    async def _hold(self, subscriber: Subscriber) -> None:
        await subscriber.hold(self._filters)
        refused = self.refused_topics
        for suffix in sorted(refused - self._told_refused):
            _LOGGER.warning(
                "The cloud does not let %s listen to %s: the product needs a topic class for it, with the permission to"
                " subscribe",
                self.topics.device_name,
                self.topics.user_filters(suffix)[0],
            )
        self._told_refused = refused

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        self._subscriber = None
        if connection:
            self._requests.connection_lost()
            self.answers.connection_lost()
            await connection.close()

    def _missed(self, qos: int) -> None:
        """Have the connection looked at, since a reply did not come."""
        deaf = self._hearing.missed(qos)
        if self._connection:
            self._connection.doubt()
            if deaf:
                self._connection.give_up(CloudSilent("the cloud replies to nothing any more"))

    def _publish(self, topic: str, payload: bytes, qos: int) -> None:
        if self._connection is None:
            raise NotConnected("the link is not connected")
        self._connection.publish(topic, payload, qos)

    def _received(self, delivery: Delivery) -> None:
        where = route(self.topics, delivery.topic)
        if where is None:
            _LOGGER.debug("Message on a topic that is not ours: %s", delivery.topic)
        elif where.kind is RouteKind.REPLY:
            self._requests.received(delivery.topic, delivery.payload)
        elif where.kind is RouteKind.TIME:
            self._time_service.received(delivery.payload)
        elif where.kind is RouteKind.RAW_UP_REPLY:
            _LOGGER.debug("The cloud answered a raw frame with %d bytes", len(delivery.payload))
        else:
            self._deliveries.received(where, delivery)

    def _set_state(self, state: LinkState, error: ConnectError | None) -> None:
        self.last_error = error
        if state is self.state:
            return
        self.state = state
        if state is LinkState.CONNECTING:
            self._settled.clear()
        else:
            self._settled.set()
        try:
            self._on_state(state, error)
        except Exception:  # whoever only looks on must not be able to end the link
            _LOGGER.exception("Cannot tell that %s is %s", self.topics.device_name, state)
