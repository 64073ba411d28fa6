"""A host that attacks: what it sends is bounded before it is kept, and can't keep the event loop busy."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
import time
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.errors import ConnectionLost, NotConnected, PacketRefused
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.messages import MAX_PAYLOAD, _StrictReader
from custom_components.aliyun_iot.alink.mqtt.client import PACKETS_AT_ONCE, READ_SIZE, SocketClient
from custom_components.aliyun_iot.alink.mqtt.endpoint import Transport
from custom_components.aliyun_iot.alink.mqtt.framing import MAX_PUBLISH, Framing, Packet
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery, MqttConnection
from custom_components.aliyun_iot.alink.session import SHORT_REPLY

from ..hostile_host import ACCEPTED, ATTACKS, PUBLISH, HostileHost, Outcome, header, message
from ..waiting import until
from .certificates import Authority
from .conftest import ALINK, NewLink, Owner, config_for
from .scripted import ScriptedHost
from .test_transport import open_to

PATIENCE = 60.0
"""Seconds until an attack is given up; each one ends much sooner."""

REFUSED = (
    "messages of QoS 2",
    "packets of QoS 2",
    "call of 100 MB",
    "time of 20 MB",
    "unfinished message of 200 MB",
    "CONNACK of 256 MB",
    "PUBACK of 256 MB",
    "SUBACK of 256 MB",
    "UNSUBACK of 256 MB",
    "PINGRESP of 256 MB",
    "long topics",
)
"""What the platform never sends."""

NOT_MQTT = ("length of five bytes", "PINGREQ without end")

SLOW = ("slow header", "slow message")

TOLERATED = tuple(ATTACKS.keys() - {*REFUSED, *NOT_MQTT, *SLOW})
"""What may be sent, but not as much of it."""

pytestmark = pytest.mark.usefixtures("socket_enabled", "loop_errors")


@dataclass(slots=True)
class Watch:
    """What a client did at most in one wake-up, and kept at most."""

    packets: int = 0
    most_packets: int = 0
    most_buffered: int = 0
    longest_json: int = 0
    _now: int = field(default=0)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watch all clients."""
    watch = Watch()
    read, handle, feed, decode = SocketClient.read, SocketClient._handle, Framing.feed, _StrictReader.read

    def reading(client: SocketClient, framing: Framing) -> bool:
        watch._now = 0
        return read(client, framing)

    def handling(client: SocketClient, packet: Packet) -> Any:
        watch.packets += 1
        watch._now += 1
        watch.most_packets = max(watch.most_packets, watch._now)
        return handle(client, packet)

    def feeding(framing: Framing, data: bytes) -> None:
        feed(framing, data)
        watch.most_buffered = max(watch.most_buffered, framing.buffered)

    def decoding(reader: _StrictReader, text: str) -> Any:
        watch.longest_json = max(watch.longest_json, len(text))
        return decode(reader, text)

    monkeypatch.setattr(SocketClient, "read", reading)
    monkeypatch.setattr(SocketClient, "_handle", handling)
    monkeypatch.setattr(Framing, "feed", feeding)
    monkeypatch.setattr(_StrictReader, "read", decoding)
    return watch


@pytest.fixture(params=["TCP", "TLS"])
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[tuple[HostileHost, str | None]]:
    """Return a hostile host, and the certificate authority of one with TLS."""
    authority = Authority(tmp_path) if request.param == "TLS" else None
    with HostileHost(tls=authority.server_context("127.0.0.1") if authority else None) as host:
        yield host, authority.pem if authority else None


async def online(new_link: NewLink, host: tuple[HostileHost, str | None]) -> Link:
    """Return a link to a hostile host that has not attacked yet."""
    hostile, ca = host
    link = new_link(config_for(hostile.port, transport=Transport.TLS if ca else Transport.TCP, ca=ca))
    await link.wait_online(30)
    return link


@pytest.mark.parametrize("attack", REFUSED)
async def test_what_the_platform_never_sends_ends_the_connection_before_it_is_kept(
    new_link: NewLink, host: tuple[HostileHost, str | None], watch: Watch, attack: str
) -> None:
    """The error has a class of its own, which leads to a long pause."""
    link = await online(new_link, host)
    ended = await attacked(host[0], attack)
    await until(lambda: link.state is LinkState.BACKING_OFF)
    assert isinstance(link.last_error, PacketRefused)
    assert ended.closed
    assert watch.most_buffered <= 2 * READ_SIZE or attack == "long topics"
    assert host[0].connections == 1


@pytest.mark.parametrize("attack", NOT_MQTT)
async def test_what_is_not_mqtt_ends_the_connection(
    new_link: NewLink, host: tuple[HostileHost, str | None], watch: Watch, attack: str
) -> None:
    """It is nothing that MQTT lets a host send."""
    link = await online(new_link, host)
    ended = await attacked(host[0], attack)
    await until(lambda: link.state is LinkState.BACKING_OFF)
    assert isinstance(link.last_error, ConnectionLost)
    assert "not MQTT" in str(link.last_error)
    assert ended.closed
    assert watch.most_buffered <= 2 * READ_SIZE


@pytest.mark.parametrize("attack", sorted(TOLERATED))
async def test_floods_are_handled_in_slices(
    new_link: NewLink, host: tuple[HostileHost, str | None], watch: Watch, owner: Owner, attack: str
) -> None:
    """A slice is a few packets, and what waits is a packet at most; the loop goes on, and so does the link."""
    link = await online(new_link, host)
    before = watch.packets
    flood = host[0].start(attack, PATIENCE)
    await until(lambda: watch.packets >= before + 2 * PACKETS_AT_ONCE, timeout=PATIENCE)
    assert link.state is LinkState.ONLINE
    assert watch.most_packets <= PACKETS_AT_ONCE
    assert watch.most_buffered <= MAX_PUBLISH + 3 * READ_SIZE
    assert watch.longest_json <= MAX_PAYLOAD
    assert len(link.device.downlink._running) <= 100
    await link.stop()
    assert (await asyncio.wrap_future(flood)).closed


@pytest.mark.parametrize("attack", SLOW)
async def test_packet_that_never_ends_is_no_sign_of_life_for_ever(
    new_link: NewLink, host: tuple[HostileHost, str | None], monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    """The host has to answer a ping within a keep-alive, which it can't before the packet ends."""
    monkeypatch.setattr(f"{ALINK}.mqtt.transport.HOUSEKEEPING", 0.005)
    link = await online(new_link, host)
    flood = host[0].start(attack, PATIENCE)
    minutes = count(time.monotonic(), 61.0)
    monkeypatch.setattr(mqtt, "time_func", lambda: next(minutes))
    await until(lambda: link.state is LinkState.BACKING_OFF)
    assert "silent" in str(link.last_error)
    assert (await asyncio.wrap_future(flood)).closed


@pytest.mark.parametrize(
    "answer",
    [header(0x20, 2**28 - 1), message("/a", b"early"), b"\xd0\x00", header(PUBLISH, 2**28 - 1)],
    ids=["a long CONNACK", "a message", "PINGRESP", "a long message"],
)
async def test_first_packet_has_to_be_a_connack(answer: bytes) -> None:
    """Of two bytes."""
    received: list[Delivery] = []
    async with ScriptedHost(connack=answer + ACCEPTED) as host:
        with pytest.raises(ConnectionLost, match="are port and transport right"):
            await open_to(host, received.append)
    assert not received


async def test_retained_commands_are_not_carried_out(new_link: NewLink, owner: Owner) -> None:
    """They are of an earlier time; the platform retains nothing."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        topic = link.device.topics.property_set
        host.send(message(topic, b'{"id":"1","params":{"LightSwitch":1}}', flags=0x01))
        host.send(message(topic, b'{"id":"2","params":{"LightSwitch":0}}', flags=0x03))
        host.publish(topic, b'{"id":"3","params":{"LightSwitch":1}}')
        await until(lambda: owner.commands)
        assert [one.id for one in owner.commands] == ["3"]


@pytest.mark.parametrize(
    "topic",
    ["{system}a\nb", "{system}a\x1b[31mb", "{system}a\u202eb", "{system}a\u200bb", "{system}+"],
    ids=["new line", "escape", "bidi", "zero width", "wildcard"],
)
async def test_topics_that_no_platform_has_are_ignored(topic: str) -> None:
    """So that no topic needs care later."""
    received: list[str] = []
    async with ScriptedHost() as host:
        connection = await open_to(host, lambda delivery: received.append(delivery.topic))
        host.send(message(topic.format(system="/sys/pk/dn/"), b"x"))
        host.publish("/sys/pk/dn/good", b"x")
        host.publish("/pk/dn/user/中文 主题", b"x")
        await until(lambda: len(received) == 2)
        assert received == ["/sys/pk/dn/good", "/pk/dn/user/中文 主题"]
        await connection.close()


async def test_payload_between_the_two_limits_is_ignored() -> None:
    """A packet may be longer than the longest payload, by its topic."""
    received: list[int] = []
    async with ScriptedHost() as host:
        connection = await open_to(host, lambda delivery: received.append(len(delivery.payload)))
        for size in (MAX_PAYLOAD + 1, MAX_PAYLOAD):
            host.publish("/a", bytes(size))
        await until(lambda: received)
        assert received == [MAX_PAYLOAD]
        await connection.close()


async def test_deliveries_of_a_running_command_share_what_they_wait_for(new_link: NewLink, owner: Owner) -> None:
    """However many there are: one task, and no more answers than are of use."""
    finish = asyncio.Event()

    async def act(_command: Command) -> Answer:
        await finish.wait()
        return Answer()

    owner.act = act
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        topic = link.device.topics.property_set
        for _ in range(5000):
            host.send(message(topic, b'{"id":"1","params":{"LightSwitch":1}}', flags=0x0A))
        host.publish(topic, b'{"id":"2","params":{"LightSwitch":0}}')
        await until(lambda: len(owner.commands) == 2)
        downlink = link.device.downlink
        assert len(downlink._running) == 2
        assert max(running.outcome.deliveries for running in downlink._running.values()) == 100
        finish.set()
        await until(lambda: not downlink._running)
        assert len(link._answers) <= 101
        assert len(owner.commands) == 2


async def test_answers_are_limited_in_bytes(new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large answers fill the queue sooner; then commands are refused."""
    monkeypatch.setattr(f"{ALINK}.answers.MAX_BYTES", 1_000_000)

    async def act(_command: Command) -> Answer:
        return Answer(data={"text": "x" * 200_000})

    owner.act = act
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        answers = link._answers
        monkeypatch.setattr(f"{ALINK}.mqtt.pacing.RateLimit.delay", lambda _limit, _spare=0: 60.0)
        for number in range(10):
            host.publish(link.device.topics.property_set, b'{"id":"%d","params":{"LightSwitch":1}}' % number)
        await until(lambda: len(answers) >= 4 and not link.device.downlink._running)
        assert answers._waiting_bytes <= 1_000_000
        waiting = [*answers._others, *answers._lesser]
        assert sum(len(one.payload) for one in waiting) == answers._waiting_bytes


async def test_answers_to_messages_that_are_no_commands_are_limited(
    new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They fill neither the memory nor the queue of the answers to commands."""
    monkeypatch.setattr(f"{ALINK}.answers.MAX_LESSER", 50)
    monkeypatch.setattr(f"{ALINK}.mqtt.pacing.RateLimit.delay", lambda _limit, _spare=0: 60.0)
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        for number in range(500):
            link.answer("/sys/pk/dn/thing/topo/change_reply", b"{}")
            link.device.downlink.acknowledge("/sys/pk/dn/thing/config/push_reply", str(number))
        assert len(link._answers) == 50
        host.publish(link.device.topics.property_set, b'{"id":"1","params":{"LightSwitch":1}}')
        await until(lambda: owner.commands)


async def test_large_reply_that_nobody_waits_for_is_not_read(new_link: NewLink, watch: Watch) -> None:
    """Reading it would cost time."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        before = watch.packets
        host.publish(f"{link.device.topics.property_post}_reply", b'{"id":"1","code":200}'.ljust(SHORT_REPLY + 1))
        await until(lambda: watch.packets == before + 1)
        assert watch.longest_json == 0


async def test_connection_on_which_nothing_leaves_any_more_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host does not read; what waits to be sent would grow for ever."""
    monkeypatch.setattr(f"{ALINK}.mqtt.client.MAX_UNSENT_BYTES", 100_000)
    async with ScriptedHost() as host:
        connection = await open_to(host)
        stuck(connection, monkeypatch)
        for _ in range(9):
            connection.publish("/a", bytes(10_000), 0)
        with pytest.raises(NotConnected, match="does not read"):
            connection.publish("/a", bytes(10_000), 0)
        assert "does not read" in str(await connection.lost)
        assert connection._sock.fileno() == -1


async def test_acknowledgements_that_do_not_leave_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host may send messages of QoS 1 and never read."""
    monkeypatch.setattr(f"{ALINK}.mqtt.client.MAX_UNSENT_PACKETS", 50)
    async with ScriptedHost() as host:
        connection = await open_to(host)
        stuck(connection, monkeypatch)
        for number in range(100):
            host.send(message("/a", b"", flags=0x02, packet_id=number))
        assert "does not read" in str(await connection.lost)
        assert len(connection._client._out_packet) <= 50


def stuck(connection: MqttConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the connection send nothing any more."""

    def block(_data: bytes) -> int:
        raise BlockingIOError

    monkeypatch.setattr(connection._client, "_sock_send", block)


async def attacked(host: HostileHost, attack: str) -> Outcome:
    """Attack, and return the outcome."""
    outcome: Future[Outcome] = host.start(attack, PATIENCE)
    return await asyncio.wrap_future(outcome)
