"""One MQTT 3.1.1 connection: paho-mqtt inside the event loop.

Another MQTT library would replace this file and `client.py` only.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
import contextlib
from dataclasses import dataclass
import logging
import math
import socket
import time
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from ..auth import Credentials
from ..errors import (
    ClientRejected,
    ConnectError,
    ConnectionClosed,
    ConnectionLost,
    ConnectionReset,
    ConnectTimeout,
    CredentialsRefused,
    NotConnected,
    ServerUnavailable,
)
from ..foreign import logger_of, safe
from ..messages import MAX_PAYLOAD
from .client import SocketClient, topic_of
from .endpoint import Endpoint
from .framing import Framing
from .liveness import Finding, Liveness, boot_clock
from .sockets import open_socket, source_address, unacknowledged

_LOGGER = logger_of(__name__)
_PAHO = logging.getLogger("paho.mqtt.client")
"""Paho's own logger, which Home Assistant turns on together with those of the integration (`loggers` in the manifest)."""

REFUSED_FILTER = 0x80
SILENT: Final = "the host went silent"
DISCONNECT_GRACE = 0.5
"""Seconds that DISCONNECT may take; with the last answers before it, a link stops within one."""

HOUSEKEEPING = 1.0
"""Seconds between two checks of the connection."""

MAX_UNACKNOWLEDGED: Final = 100
"""Messages of QoS 1 that wait for their PUBACK; beyond that the oldest is given up. The platform does not acknowledge messages
above its rate, so they would accumulate for as long as the connection lives."""


LONG_SLICE: Final = 0.005
"""Seconds of reading after which the loop gets as long for everything else."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was delivered. `again` is MQTT's DUP flag: the host may have delivered it before."""

    topic: str
    payload: bytes
    again: bool = False


type MessageHandler = Callable[[Delivery], None]
type SentHandler = Callable[[str, bytes], None]
"""Called with the topic and the payload of every message that is published."""


# MQTT 3.1.1 §3.2.2.3; the platform does not say which of 4 and 5 a bad signature gets, so both mean the same.
_REFUSALS: dict[str, type[ConnectError]] = {
    "Unsupported protocol version": ClientRejected,
    "Client identifier not valid": ClientRejected,
    "Server unavailable": ServerUnavailable,
    "Bad user name or password": CredentialsRefused,
    "Not authorized": CredentialsRefused,
}


class _Publishing(NamedTuple):
    """A message of QoS 1 that waits for its PUBACK: when it was sent (monotonic seconds), and the future for who waits."""

    at: float
    acknowledged: asyncio.Future[None] | None


class MqttConnection:
    """An MQTT connection: a paho client that is driven by the loop's reader, writer and timer.

    `lost` resolves with the reason when the connection is lost, and is cancelled when it is closed on purpose.
    """

    def __init__(self, sock: socket.socket, on_message: MessageHandler, on_sent: SentHandler) -> None:
        """Use an open socket; only `open_connection` calls this."""
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[ConnectError] = loop.create_future()
        self.accepted: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._sock = sock
        self._on_message = on_message
        self._on_sent = on_sent
        self._subscribing: dict[int, asyncio.Future[Sequence[ReasonCode]]] = {}
        self.proven_until = -math.inf
        """What was sent before this monotonic time has arrived: the host has acknowledged something that was sent after it."""
        self._publishing: dict[int, _Publishing] = {}
        self._closed = asyncio.Event()
        self._proven = asyncio.Event()
        self._housekeeping: asyncio.TimerHandle | None = None
        self._liveness = Liveness(boot_clock())
        self._source = source_address(sock)
        self._unsent = 0
        self._framing = Framing()
        self._rest: asyncio.TimerHandle | None = None
        self._client: SocketClient

    def start(self, credentials: Credentials, endpoint: Endpoint, keep_alive: int) -> None:
        """Send CONNECT; `accepted` resolves with the outcome."""
        client = SocketClient(
            CallbackAPIVersion.VERSION2,
            client_id=credentials.client_id,
            clean_session=True,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        client.opened = self._sock
        client.liveness = self._liveness
        client.pinged_at = deque()
        client.on_pong = self._prove
        # By default paho stops sending while 20 messages are unacknowledged.
        client.max_inflight_messages_set(0)
        client.username_pw_set(credentials.username, credentials.password)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._acknowledged
        client.on_unsubscribe = self._acknowledged
        client.on_message = self._received
        client.on_socket_open = self._socket_opened
        client.on_socket_close = self._socket_closed
        client.on_socket_register_write = self._want_write
        client.on_socket_unregister_write = self._written
        self._client = client
        self._log_if_wanted()
        client.connect_async(endpoint.host, endpoint.port, keep_alive)
        client.reconnect()

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        """Publish a message without waiting for anything; raises NotConnected."""
        self._publish(topic, payload, qos, None)

    def publish_acknowledged(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Publish at QoS 1, and return a future for the PUBACK; both the call and the future raise NotConnected."""
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        self._publish(topic, payload, 1, acknowledged)
        return acknowledged

    def _publish(self, topic: str, payload: bytes, qos: int, acknowledged: asyncio.Future[None] | None) -> None:
        if self.lost.done():
            raise NotConnected("the connection is closed")
        try:
            sent = self._client.publish(topic, payload, qos)
        except ConnectError as err:
            self._break(err)
            raise NotConnected(str(err)) from err
        self._on_sent(topic, payload)
        if qos:
            self._liveness.sent()
            self._publishing[sent.mid] = _Publishing(time.monotonic(), acknowledged)
            if len(self._publishing) > MAX_UNACKNOWLEDGED:
                self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        packet = next(iter(self._publishing))
        self._client.forget(packet)
        if (waiting := self._publishing.pop(packet).acknowledged) and not waiting.done():
            waiting.set_exception(NotConnected("the host does not acknowledge messages"))

    async def subscribe(self, filters: Sequence[str]) -> tuple[str, ...]:
        """Subscribe in one packet and return the filters that were refused; raises NotConnected."""
        codes = await self._acknowledgement(*self._client.subscribe([(topic, 1) for topic in filters]))
        return tuple(topic for topic, code in zip(filters, codes, strict=False) if code.value >= REFUSED_FILTER)

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe in one packet and wait for the acknowledgement; raises NotConnected."""
        await self._acknowledgement(*self._client.unsubscribe(list(filters)))

    async def _acknowledgement(self, status: MQTTErrorCode, packet: int | None) -> Sequence[ReasonCode]:
        if self.lost.done() or status != mqtt.MQTT_ERR_SUCCESS or packet is None:
            raise NotConnected("the connection is closed")
        acknowledged: asyncio.Future[Sequence[ReasonCode]] = self._loop.create_future()
        self._subscribing[packet] = acknowledged
        try:
            return await acknowledged
        finally:
            del self._subscribing[packet]

    async def reach(self, timeout: float) -> None:
        """Ping the host, and wait until all that was sent is known to have arrived, at most `timeout` seconds."""
        if self.lost.done():
            return
        now = time.monotonic()
        self._client.ping()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.proven_until < now:
                    self._proven.clear()
                    await self._proven.wait()

    def _prove(self, sent_at: float) -> None:
        self.proven_until = max(self.proven_until, sent_at)
        self._proven.set()

    def doubt(self) -> None:
        """Ping the host at the next check, since something expected did not come; without a reply the connection is lost."""
        self._liveness.doubt()

    def give_up(self, error: ConnectError) -> None:
        """Treat the connection as lost for this reason."""
        self._end(error)

    async def close(self) -> None:
        """Send DISCONNECT and release the socket."""
        self.lost.cancel()
        self._client.disconnect()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DISCONNECT_GRACE):
                    await self._closed.wait()
        finally:
            self.abort()

    def abort(self) -> None:
        """Send DISCONNECT as far as the socket's buffer allows, and release the socket without waiting."""
        self.accepted.cancel()
        self.lost.cancel()
        if not self._closed.is_set():
            self._client.disconnect()
            self._client.loop_write()
        self._release()

    def _release(self) -> None:
        if not self._closed.is_set():
            self._socket_closed(self._client, None, self._sock)
            self._sock.close()

    # paho's callbacks; all of them run in the loop.

    def _connected(self, _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _p: object) -> None:
        if self.accepted.done():
            return
        if code.is_failure:
            refusal = _REFUSALS.get(str(code), ClientRejected)
            self.accepted.set_exception(refusal(f"the cloud refused the connection: {str(code).lower()}"))
        else:
            self.accepted.set_result(None)

    def _disconnected(self, _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _p: object) -> None:
        if str(code) == "Keep alive timeout":
            self._end(ConnectionLost(SILENT))
        elif self._client.was_reset:
            self._end(ConnectionReset("the connection was reset"))
        elif self._client.ended_by == mqtt.MQTT_ERR_CONN_LOST:
            self._end(ConnectionClosed("the host closed the connection"))
        else:
            self._end(ConnectionLost("the host sent something that is not MQTT"))

    def _end(self, error: ConnectError) -> None:
        """Record why the connection ended, and fail everything that waits for the host."""
        if not self.accepted.done():
            self.accepted.set_exception(
                ClientRejected("the cloud refused the connection: unsupported protocol version")
                if self._client.version_refused
                else ConnectionLost("the host did not answer as an MQTT server does; are port and transport right?")
            )
        acknowledged = (one.acknowledged for one in self._publishing.values())
        for waiting in (*self._subscribing.values(), *acknowledged):
            if waiting and not waiting.done():
                waiting.set_exception(NotConnected("the connection was lost"))
        if not self.lost.done():
            self.lost.set_result(error)

    def _acknowledged(
        self, _client: mqtt.Client, _data: object, packet: int, codes: Sequence[ReasonCode], _properties: object
    ) -> None:
        if (waiting := self._subscribing.get(packet)) and not waiting.done():
            waiting.set_result(codes)

    def _published(self, _client: mqtt.Client, _data: object, packet: int, _code: ReasonCode, _p: object) -> None:
        """Handle a PUBACK; paho also calls this for a message of QoS 0 when it has been written."""
        if (published := self._publishing.pop(packet, None)) is None:
            return
        self._prove(published.at)
        if (waiting := published.acknowledged) and not waiting.done():
            waiting.set_result(None)

    def _received(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        """Handle a message, unless it cannot be one of the platform's.

        The platform retains nothing, and a command that another host has kept for later is not meant now.
        """
        topic = topic_of(message)
        if topic is None:
            return
        if message.retain or len(message.payload) > MAX_PAYLOAD:
            _LOGGER.debug("Ignoring a message on %s, which is retained or too large", topic)
            return
        try:
            self._on_message(Delivery(topic, message.payload, message.dup))
        except Exception:  # paho would only log it on the debug level
            _LOGGER.exception("Cannot handle a message on %s", topic)

    def _socket_opened(self, _client: mqtt.Client, _data: object, sock: Any) -> None:
        self._loop.add_reader(sock, self._read)
        self._housekeeping = self._loop.call_later(HOUSEKEEPING, self._check)

    def _socket_closed(self, _client: mqtt.Client, _data: object, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
        for timer in (self._housekeeping, self._rest):
            if timer:
                timer.cancel()
        self._closed.set()

    def _want_write(self, _client: mqtt.Client, _data: object, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock, self._client.loop_write)

    def _written(self, _client: mqtt.Client, _data: object, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock)

    def _read(self) -> None:
        """Handle a slice of what has arrived. After a long one the loop gets as much time for everything else."""
        began = self._loop.time()
        self._liveness.received()
        try:
            more = self._client.read(self._framing)
        except ConnectError as err:
            self._break(err)
        except Exception as err:  # noqa: BLE001 - paho raises various errors for a malformed packet
            self._break(ConnectionLost(f"the host sent something that is not MQTT: {err!r}"))
        else:
            took = self._loop.time() - began
            if not self._closed.is_set() and (more or took > LONG_SLICE):
                self._loop.remove_reader(self._sock)
                self._rest = self._loop.call_later(took, self._read_on)

    def _read_on(self) -> None:
        self._loop.add_reader(self._sock, self._read)
        self._read()

    def _break(self, error: ConnectError) -> None:
        """End the connection without another word to the host."""
        self._end(error)
        self._release()

    def _check(self) -> None:
        if self._client.loop_misc() != mqtt.MQTT_ERR_SUCCESS or self._closed.is_set():
            return
        self._housekeeping = self._loop.call_later(HOUSEKEEPING, self._check)
        self._log_if_wanted()
        self._check_network()
        self._check_queue()
        match self._liveness.check():
            case Finding.PING:
                self._client.ping()
            case Finding.GONE:
                self._break(ConnectionLost(SILENT))

    def _log_if_wanted(self) -> None:
        """Let paho log while debug logging is enabled for it, which can change while connected; its errors are not ours."""
        wanted = _PAHO.isEnabledFor(logging.DEBUG)
        self._client.on_log = (lambda _client, _data, _level, text: _PAHO.debug("%s", safe(text))) if wanted else None

    def _check_network(self) -> None:
        """Doubt the connection when the local address of the route to the host has changed, or there is no route."""
        if (source := source_address(self._sock)) != self._source:
            self._source = source
            self._liveness.doubt()

    def _check_queue(self) -> None:
        """Record progress while sent data is leaving: the queue gets shorter, or it is full and changes."""
        before, self._unsent = self._unsent, unacknowledged(self._sock)
        if self._unsent < before or (self._unsent != before and self._client.want_write()):
            self._liveness.progress()


async def open_connection(
    endpoint: Endpoint,
    credentials: Credentials,
    *,
    keep_alive: int,
    timeout: float,
    on_message: MessageHandler,
    on_sent: SentHandler = lambda _topic, _payload: None,
    before_connect: Callable[[], None] = lambda: None,
) -> MqttConnection:
    """Connect and log in.

    `keep_alive` and `timeout` are in seconds; the time-out covers everything. `before_connect` is called when the host has
    been reached, just before CONNECT is sent.

    Raises a ConnectError that names the cause.
    """
    try:
        async with asyncio.timeout(timeout):
            connection = MqttConnection(await open_socket(endpoint, timeout), on_message, on_sent)
            before_connect()
            try:
                connection.start(credentials, endpoint, keep_alive)
                await connection.accepted
            except BaseException:
                connection.abort()
                raise
    except TimeoutError as err:
        raise ConnectTimeout(f"{endpoint.host}:{endpoint.port} did not answer within {timeout:g} s") from err
    return connection
