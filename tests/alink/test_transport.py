"""One MQTT connection: faulty hosts, and releasing everything."""

import asyncio
import logging
from pathlib import Path
import socket
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.auth import Credentials
from custom_components.aliyun_iot.alink.errors import (
    ClientRejected,
    ConnectionLost,
    ConnectionRefused,
    NotConnected,
)
from custom_components.aliyun_iot.alink.mqtt import sockets, transport
from custom_components.aliyun_iot.alink.mqtt.connecting import connect
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.mqtt.sockets import open_socket
from custom_components.aliyun_iot.alink.mqtt.transport import (
    MAX_UNACKNOWLEDGED,
    Delivery,
    MessageHandler,
    MqttConnection,
    open_connection,
)
from simulator import CloudDevice, Simulator
from simulator.broker.packets import connect_acknowledgement, publish, subscribe_acknowledgement

from ..conftest import DEVICE_NAME
from ..waiting import until
from .certificates import Authority
from .conftest import ALINK, NewLink, config_for
from .scripted import ScriptedHost

CREDENTIALS = Credentials("client", "user", "password")

pytestmark = pytest.mark.usefixtures("socket_enabled", "loop_errors")


async def open_to(
    host: ScriptedHost, on_message: MessageHandler = lambda _delivery: None, **fields: Any
) -> MqttConnection:
    """Connect to a scripted host."""
    endpoint = Endpoint("127.0.0.1", host.port, fields.pop("transport", Transport.TCP), **fields)
    return await open_connection(endpoint, CREDENTIALS, keep_alive=60, timeout=30, on_message=on_message)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (connect_acknowledgement(1), ClientRejected, "unsupported protocol version"),
        (connect_acknowledgement(9), ClientRejected, "refused"),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nThis is a web server, not an MQTT broker.",
            ConnectionLost,
            "are port and transport right",
        ),
        (b"\x15\x03\x03\x00\x02\x02\x46", ConnectionLost, "are port and transport right"),
        (b"\x30\x01\x00", ConnectionLost, "are port and transport right"),
    ],
    ids=["version", "unknown code", "HTTP", "TLS alert", "malformed"],
)
async def test_hosts_that_do_not_accept_are_errors(answer: bytes, error: type[Exception], text: str) -> None:
    """The error names the reason."""
    async with ScriptedHost(connack=answer) as host:
        with pytest.raises(error, match=text):
            await open_to(host)


@pytest.mark.parametrize(
    "packet",
    [b"\x30\x00", b"\x30\x01\x00", b"\x30\x04\x00\x09ab", b"\x32\x03\x00\x01a", b"\x90\x03\x00\x01\x55", b"\xf0\x00"],
    ids=["empty", "half a length", "short topic", "no packet id", "unknown SUBACK code", "reserved type"],
)
async def test_malformed_packet_ends_the_connection(packet: bytes) -> None:
    """The same bytes are not read for ever."""
    async with ScriptedHost() as host:
        connection = await open_to(host)
        host.send(packet)
        async with asyncio.timeout(30):
            assert isinstance(await connection.lost, ConnectionLost)
        with pytest.raises(NotConnected):
            connection.publish("/a", b"", 0)
        with pytest.raises(NotConnected):
            await connection.subscribe(["/a"])
        with pytest.raises(NotConnected):
            await connection.unsubscribe(["/a"])
        await connection.close()


async def test_invalid_messages_are_ignored() -> None:
    """A wildcard or invalid UTF-8 in a topic, a second CONNACK and an unexpected SUBACK; the next message is handled."""
    received: list[Delivery] = []
    async with ScriptedHost() as host:
        connection = await open_to(host, received.append)
        host.send(b"\x30\x04\x00\x02/+" + b"\x30\x04\x00\x02/#" + b"\x30\x04\x00\x02\xff\xfe")
        host.send(connect_acknowledgement(0))
        host.send(b"\x90\x03\x00\x63\x01")
        host.publish("/topic", b"payload")
        await until(lambda: received)
        assert received == [Delivery("/topic", b"payload")]
        assert not connection.lost.done()
        await connection.close()


async def test_dup_flag_is_passed_on() -> None:
    """As `again`."""
    received: list[Delivery] = []
    async with ScriptedHost() as host:
        connection = await open_to(host, received.append)
        host.send(publish("/topic", b"x", packet_id=7) + publish("/topic", b"x", packet_id=7, duplicate=True))
        await until(lambda: len(received) == 2)
        assert received == [Delivery("/topic", b"x"), Delivery("/topic", b"x", again=True)]
        await connection.close()


async def test_pending_subscriptions_fail_with_the_connection() -> None:
    """No SUBACK can come any more."""
    async with ScriptedHost(acknowledges=False) as host:
        connection = await open_to(host)
        subscribing = asyncio.create_task(connection.subscribe(["/a", "/b"]))
        given_up = asyncio.create_task(connection.subscribe(["/c"]))
        await until(lambda: len(host.received) == 3)
        given_up.cancel()
        host.hang_up()
        with pytest.raises(NotConnected):
            await subscribing
        assert isinstance(await connection.lost, ConnectionLost)
        await connection.close()


async def test_suback_before_the_end_in_one_tls_record_counts(tmp_path: Path) -> None:
    """Packets before the end of the connection are handled."""
    authority = Authority(tmp_path)
    async with ScriptedHost(acknowledges=False, tls=authority.server_context("127.0.0.1")) as host:
        connection = await open_to(host, transport=Transport.TLS, ca=authority.pem)
        subscribing = asyncio.create_task(connection.subscribe(["/a"]))
        await until(lambda: len(host.received) == 2)
        host.send(subscribe_acknowledgement(host.received[1].packet_id, [1]) + b"\xf0\x00")
        assert await subscribing == ()
        assert isinstance(await connection.lost, ConnectionLost)
        await connection.close()


async def test_all_messages_of_a_tls_record_are_read(tmp_path: Path) -> None:
    """A TLS record makes the socket readable only once."""
    authority = Authority(tmp_path)
    received: list[bytes] = []
    async with ScriptedHost(tls=authority.server_context("127.0.0.1")) as host:
        connection = await open_to(
            host, lambda delivery: received.append(delivery.payload), transport=Transport.TLS, ca=authority.pem
        )
        payloads = [str(number).encode() for number in range(100)]
        host.send(b"".join(publish("/topic", payload) for payload in payloads))
        await until(lambda: len(received) == len(payloads))
        assert received == payloads
        await connection.close()


async def test_error_while_a_message_is_handled_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With its traceback at level ERROR; the next message is handled."""
    received: list[bytes] = []

    def handle(delivery: Delivery) -> None:
        received.append(delivery.payload)
        if len(received) == 1:
            raise RuntimeError("surprise")

    async with ScriptedHost() as host:
        connection = await open_to(host, handle)
        caplog.set_level(logging.INFO)
        host.publish("/topic", b"first")
        host.publish("/topic", b"second")
        await until(lambda: len(received) == 2)
        (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
        assert record.getMessage() == "Cannot handle a message on /topic"
        assert record.exc_info is not None
        assert not connection.lost.done()
        await connection.close()


async def test_debug_logging_can_be_enabled_while_connected(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packets are logged from the next check of the connection on."""
    monkeypatch.setattr(f"{ALINK}.mqtt.transport.HOUSEKEEPING", 0.005)
    received: list[Delivery] = []
    async with ScriptedHost() as host:
        caplog.set_level(logging.INFO, "paho")
        connection = await open_to(host, received.append)
        host.publish("/topic", b"first")
        await until(lambda: received)
        assert "PUBLISH" not in caplog.text
        caplog.set_level(logging.DEBUG, "paho")
        await until(lambda: connection._client.on_log)
        host.publish("/topic", b"second")
        await until(lambda: len(received) == 2)
        assert caplog.text.count("Received PUBLISH") == 1
        await connection.close()


async def test_unacknowledged_messages_are_bounded() -> None:
    """The platform does not acknowledge messages above its rate."""
    async with ScriptedHost() as host:
        host.acknowledges_messages = False
        connection = await open_to(host)
        waiting = [connection.publish_acknowledged("/topic", b"x") for _ in range(MAX_UNACKNOWLEDGED)]
        for _ in range(3000):
            connection.publish("/topic", b"x", 1)
        client = connection._client  # type: ignore[attr-defined]
        assert len(client._out_messages) == client._inflight_messages == MAX_UNACKNOWLEDGED
        assert len(connection._publishing) == MAX_UNACKNOWLEDGED  # type: ignore[attr-defined]
        for one in waiting:
            with pytest.raises(NotConnected, match="does not acknowledge"):
                await one
        host.acknowledges_messages = True
        await connection.publish_acknowledged("/topic", b"x")
        await connection.close()


async def test_packet_ids_in_use_are_skipped() -> None:
    """After 65,535 messages the ids start again, and old messages may still be unacknowledged."""
    async with ScriptedHost() as host:
        host.acknowledges_messages = False
        connection = await open_to(host)
        for _ in range(2):
            connection.publish("/topic", b"x", 1)
        await until(lambda: len(host.published) == 2)
        host.acknowledges_messages = True
        connection._client._last_mid = 65534  # type: ignore[attr-defined]
        for _ in range(2):
            await connection.publish_acknowledged("/topic", b"x")
        assert await connection.subscribe(["/topic"]) == ()
        assert [one.packet_id for one in host.published] == [1, 2, 65535, 3]
        await connection.close()


async def test_write_that_fails_ends_the_connection() -> None:
    """The message that could not be written raises."""
    async with ScriptedHost() as host:
        connection = await open_to(host)
        connection._sock.shutdown(socket.SHUT_WR)
        with pytest.raises(NotConnected):
            await connection.publish_acknowledged("/topic", b"x")
        assert isinstance(await connection.lost, ConnectionLost)
        await connection.close()


@pytest.mark.usefixtures("unlimited")
async def test_messages_to_a_slow_host_are_sent_in_order(
    cloud: Simulator, device: CloudDevice, new_link: NewLink
) -> None:
    """Data that the socket does not accept at once is written later."""
    link = new_link(config_for(cloud.port))
    await link.wait_online(30)
    cloud.faults.set(freeze=DEVICE_NAME)
    frames = [bytes([number]) * 200_000 for number in range(20)]
    sending = [asyncio.create_task(link.device.send_raw(frame)) for frame in frames]
    await asyncio.sleep(0)
    cloud.faults.set(unfreeze=DEVICE_NAME)
    await asyncio.gather(*sending)
    await device.wait_for(lambda one: len(one.raw_up) == len(frames))
    assert device.raw_up == frames
    assert device.connections == 1


@pytest.mark.usefixtures("unlimited")
async def test_missing_pubacks_do_not_stop_sending(new_link: NewLink) -> None:
    """By default paho stops at twenty."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        host.acknowledges_messages = False
        sending = [asyncio.create_task(link.device.send_raw(bytes([number]))) for number in range(30)]
        await until(lambda: len(host.published) == 30)
        assert not any(one.done() for one in sending)
        await link.stop()
        assert all(isinstance(one, NotConnected) for one in await asyncio.gather(*sending, return_exceptions=True))


@pytest.mark.parametrize("impatience", [True, False])
async def test_close_does_not_wait_for_a_host_that_does_not_read(
    cloud: Simulator, device: CloudDevice, monkeypatch: pytest.MonkeyPatch, *, impatience: bool
) -> None:
    """DISCONNECT can't be sent, so the socket is closed after a moment, or when the close is cancelled."""
    monkeypatch.setattr(f"{ALINK}.mqtt.transport.DISCONNECT_GRACE", 60 if impatience else 0.01)
    opened = _remember_sockets(monkeypatch)
    connection = await connect(config_for(cloud.port), lambda _delivery: None)
    cloud.faults.set(freeze=DEVICE_NAME)
    for _ in range(20):
        connection.publish("/topic", bytes(200_000), 0)
    closing = asyncio.create_task(connection.close())
    if impatience:
        await asyncio.sleep(0)
        closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert closing.cancelled() is impatience
    assert opened[0].fileno() == -1


async def test_error_before_the_login_closes_the_socket(
    cloud: Simulator, device: CloudDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as an invalid argument."""
    opened = _remember_sockets(monkeypatch)
    with pytest.raises(ValueError, match="Keepalive"):
        await connect(config_for(cloud.port, keep_alive=-1), lambda _delivery: None)
    assert opened[0].fileno() == -1


async def test_handshake_that_ends_after_a_cancel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The executor can't be cancelled: a socket that is ready after the caller has left is closed."""
    connecting, handshake, sock = await _start_a_handshake(monkeypatch)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    handshake.set_result(sock)
    await until(lambda: sock.fileno() == -1)


async def test_handshake_that_ends_just_before_a_cancel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when the cancel comes before the caller has got the socket."""
    connecting, handshake, sock = await _start_a_handshake(monkeypatch)
    handshake.set_result(sock)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await until(lambda: sock.fileno() == -1)


async def test_handshake_that_fails_after_a_cancel_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one that the executor never ran."""
    for outcome in (lambda job: job.set_exception(ConnectionRefused("too late")), lambda job: job.cancel()):
        connecting, handshake, sock = await _start_a_handshake(monkeypatch)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        outcome(handshake)
        await asyncio.sleep(0)
        sock.close()


async def _start_a_handshake(
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[asyncio.Task[MqttConnection], asyncio.Future[socket.socket], socket.socket]:
    """Start to connect by TLS; return the attempt, the job of the executor and the socket."""
    loop = asyncio.get_running_loop()
    handshake: asyncio.Future[socket.socket] = loop.create_future()
    sock = socket.socket()

    async def connect(_endpoint: Endpoint) -> socket.socket:
        return sock

    with monkeypatch.context() as patched:
        patched.setattr(sockets, "_connect", connect)
        patched.setattr(loop, "run_in_executor", lambda *_arguments: handshake)
        connecting = asyncio.create_task(
            open_connection(
                Endpoint("127.0.0.1", 1), CREDENTIALS, keep_alive=60, timeout=30, on_message=lambda _delivery: None
            )
        )
        await asyncio.sleep(0)
    return connecting, handshake, sock


def _remember_sockets(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    opened: list[socket.socket] = []

    async def open_and_remember(endpoint: Endpoint, timeout: float) -> socket.socket:
        opened.append(await open_socket(endpoint, timeout))
        return opened[-1]

    monkeypatch.setattr(transport, "open_socket", open_and_remember)
    return opened
