"""The link: the live connection of one device, which comes back by itself.

    disconnected → connecting → online → backing_off → connecting → …
                             └→ auth_failed (a long pause, then another try)

One task owns the state; everybody else observes it. What the link carries is in `requests` (device → cloud) and
`commands` (cloud → device).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
import logging
import time

from .auth import DeviceTriple, SignMethod, connect_credentials
from .commands import CommandHandler, Commands
from .endpoint import Endpoint
from .errors import ConnectError, ConnectionLost, ConnectTimeout, CredentialsRefused, NotConnected, RequestTimeout
from .messages import JsonValue, Reply
from .pacing import Backoff, ConnectPacer, TokenBucket
from .requests import Requests
from .topics import RouteKind, Topics
from .transport import MessageHandler, MqttConnection, open_connection

_LOGGER = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
SUBSCRIBE_TIMEOUT = 10.0
REPLY_TIMEOUT = 10.0
FILTERS_PER_PACKET = 8
"""What the platform takes in one SUBSCRIBE (docs/protocol.md §14)."""

KEEP_ALIVE_RANGE = range(60, 301)
"""Seconds; the range that every edition of the documentation allows (docs/protocol.md §1.4)."""


class LinkState(StrEnum):
    """Where the connection stands."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    ONLINE = "online"
    BACKING_OFF = "backing_off"
    AUTH_FAILED = "auth_failed"


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Who connects, to where, and how. `keep_alive` is in seconds."""

    triple: DeviceTriple
    endpoint: Endpoint
    keep_alive: int = KEEP_ALIVE_RANGE.start
    sign_method: SignMethod = SignMethod.HMACSHA256
    pacer: ConnectPacer = field(default_factory=ConnectPacer, compare=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """A property value as it goes on the wire, and when it became true (UTC milliseconds)."""

    value: JsonValue
    time: int


type StateHandler = Callable[[LinkState, ConnectError | None], None]


async def connect(config: LinkConfig, on_message: MessageHandler, timeout: float = CONNECT_TIMEOUT) -> MqttConnection:
    """Connect once, signed as docs/protocol.md §2 says.

    Raises a ConnectError that names the cause.
    """
    credentials = connect_credentials(
        config.triple,
        f"{config.triple.product_key}.{config.triple.device_name}",
        {
            "securemode": config.endpoint.secure_mode,
            "signmethod": config.sign_method,
            "timestamp": str(int(time.time() * 1000)),
        },
    )
    return await open_connection(
        config.endpoint,
        credentials,
        keep_alive=config.keep_alive,
        timeout=timeout,
        on_message=on_message,
        before_connect=config.pacer.connected,
    )


async def probe(config: LinkConfig, timeout: float = CONNECT_TIMEOUT) -> None:
    """Connect and disconnect, to see whether it works; raises a ConnectError that names the cause."""
    connection = await connect(config, lambda _topic, _payload: None, timeout)
    await connection.close()


class Link:
    """Keeps one device connected, carries its requests and answers its commands."""

    def __init__(
        self, config: LinkConfig, *, on_command: CommandHandler, on_state: StateHandler, services: Iterable[str] = ()
    ) -> None:
        """`on_command` carries commands out, `on_state` hears of every change, `services` are identifiers to listen to.

        Without `services` the link listens to all of them, if the platform lets it.
        """
        self.config = config
        self.topics = Topics(config.triple.product_key, config.triple.device_name)
        self.state = LinkState.DISCONNECTED
        self.last_error: ConnectError | None = None
        self._on_state = on_state
        self._filters = self.topics.subscriptions(services)
        self._connection: MqttConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._limiter = TokenBucket()
        self._requests = Requests(self._publish, self._limiter)
        self._commands = Commands(on_command, self._publish)

    def start(self) -> None:
        """Begin to connect, and stay connected until `stop`; once is enough."""
        if self._task and not self._task.done():
            return
        self._settled.clear()
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

    async def stop(self) -> None:
        """Disconnect and forget everything that is under way."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._commands.stop()

    async def listen_to(self, services: Iterable[str]) -> None:
        """Change the services that the link listens to, without reconnecting."""
        filters = self.topics.subscriptions(services)
        added = [one for one in filters if one not in self._filters]
        self._filters = filters
        if self._connection and added:
            try:
                await self._subscribe(self._connection, added)
            except (NotConnected, RequestTimeout) as err:  # the next connect subscribes to everything again
                _LOGGER.debug("Cannot listen to new services: %s", err)

    async def request(
        self, topic: str, method: str, params: JsonValue, *, qos: int = 0, timeout: float = REPLY_TIMEOUT
    ) -> Reply:
        """Send a request and return the reply, whatever its code; raises NotConnected or RequestTimeout."""
        return await self._requests.request(topic, method, params, qos=qos, timeout=timeout)

    async def post_properties(self, samples: Mapping[str, Sample], timeout: float = REPLY_TIMEOUT) -> Reply:
        """Report property values (docs/protocol.md §4.1); raises NotConnected or RequestTimeout."""
        params: JsonValue = {key: {"value": sample.value, "time": sample.time} for key, sample in samples.items()}
        return await self.request(
            self.topics.property_post, "thing.event.property.post", params, qos=1, timeout=timeout
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

    async def fetch_thing_model(self, timeout: float = REPLY_TIMEOUT) -> Reply:
        """Ask the cloud for the thing model; not every instance answers (docs/protocol.md §8.4)."""
        return await self.request(self.topics.dsltemplate_get, "thing.dsltemplate.get", {}, timeout=timeout)

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
                await asyncio.sleep(delay)
        finally:
            await self._hang_up()
            self._set_state(LinkState.DISCONNECTED, self.last_error)

    async def _live(self, backoff: Backoff) -> tuple[ConnectError, float]:
        """Connect, serve until the connection is lost, and return why and how long to wait."""
        try:
            connection = await connect(self.config, self._received)
        except ConnectError as error:
            return error, backoff.after_failure(error)
        except Exception as err:  # what nobody has thought of must not be the end of the link
            _LOGGER.exception("Connecting failed unexpectedly")
            unexpected = ConnectionLost(f"unexpected {type(err).__name__}")
            return unexpected, backoff.after_failure(unexpected)
        self._connection = connection
        born = time.monotonic()
        loss = await self._serve(connection)
        await self._hang_up()
        return backoff.after_loss(loss, time.monotonic() - born)

    async def _serve(self, connection: MqttConnection) -> ConnectError:
        """Stay online as long as the connection lives, and return why it ended."""
        try:
            await self._subscribe(connection, self._filters)
        except (NotConnected, RequestTimeout) as err:
            return ConnectionLost(str(err))
        self._set_state(LinkState.ONLINE, None)
        return await connection.lost

    async def _subscribe(self, connection: MqttConnection, filters: Iterable[str]) -> None:
        for packet in batched(filters, FILTERS_PER_PACKET, strict=False):
            try:
                async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                    refused = await connection.subscribe(packet)
            except TimeoutError:
                raise RequestTimeout("the cloud does not acknowledge subscriptions") from None
            if refused:
                # Some instances refuse wildcards; the services of the thing model are subscribed by name as well.
                _LOGGER.debug("The cloud refused to subscribe %s", ", ".join(refused))

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            self._requests.connection_lost()
            await connection.close()

    def _publish(self, topic: str, payload: bytes, qos: int) -> None:
        if self._connection is None:
            raise NotConnected("the link is not connected")
        self._connection.publish(topic, payload, qos)

    def _received(self, topic: str, payload: bytes) -> None:
        route = self.topics.route(topic)
        if route is None:
            _LOGGER.debug("Message on a topic that is not ours: %s", topic)
        elif route.kind is RouteKind.REPLY:
            self._requests.received(topic, payload)
        elif route.kind is RouteKind.RAW_UP_REPLY:
            _LOGGER.debug("The cloud answered a raw frame with %d bytes", len(payload))
        else:
            self._commands.received(route, topic, payload)

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
