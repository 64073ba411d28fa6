"""The connection: subscriptions, sizes, rates, acknowledgements and its end (docs/protocol.md §0.5, §1.4)."""

import asyncio
import struct

import pytest

from simulator import CloudDevice, Direction, Note, Simulator
from simulator.broker import connection, server
from simulator.broker.streams import TcpStream

from .conftest import KEY, NAME, SECRET, Call, Connect
from .mqtt_device import MqttDevice, signed

SET = "thing/service/property/set"


def _notes(cloud: Simulator, direction: Direction) -> list[str]:
    return [message.note for message in cloud.wire if message.direction is direction]


async def test_ss_1_subscribes_implicitly(call: Call, device: MqttDevice) -> None:
    """A property set arrives without a SUBSCRIBE."""
    await call("SetDeviceProperty", Items={"Brightness": 5})
    message = await device.receive()
    assert message.topic == device.system + SET
    assert message.json["params"] == {"Brightness": 5}
    assert message.json["method"] == "thing.service.property.set"


async def test_without_ss_the_device_has_to_subscribe(cloud: Simulator, call: Call, connect: Connect) -> None:
    """A set is recorded as undelivered, and arrives once the device has subscribed."""
    device = await connect(parameters="securemode=3")
    await call("SetDeviceProperty", Items={"Brightness": 5})
    assert _notes(cloud, Direction.DOWN) == [Note.UNDELIVERED]
    assert await device.subscribe(device.system + SET) == [0]
    await call("SetDeviceProperty", Items={"Brightness": 6})
    assert (await device.receive()).json["params"] == {"Brightness": 6}


async def test_reply_to_a_batch_post_needs_a_subscription(cloud: Simulator, device: MqttDevice) -> None:
    """It is not among the implicit subscriptions."""
    path = "thing/event/property/batch/post"
    batch = {"properties": {"Brightness": [{"value": 1, "time": 1}]}}
    device.publish(device.system + path, {"id": "1", "params": batch})
    await device.barrier()
    assert device.messages.empty()
    await device.subscribe(f"{device.system}{path}_reply")
    assert (await device.ask(path, batch))["code"] == 200


async def test_overlapping_subscriptions_deliver_once(call: Call, device: MqttDevice) -> None:
    """Implicit, exact and wildcard filters match the same topic."""
    await device.subscribe(device.system + SET, device.system + "#", device.system + "thing/service/property/+")
    await call("SetDeviceProperty", Items={"Brightness": 5})
    await device.receive()
    await device.barrier()
    assert device.messages.empty()


async def test_unsubscribe_ends_implicit_and_explicit_subscriptions(
    cloud: Simulator, call: Call, device: MqttDevice
) -> None:
    """A set is undelivered afterwards."""
    await device.subscribe(device.system + "#")
    await device.unsubscribe(device.system + "#", device.system + SET)
    await call("SetDeviceProperty", Items={"Brightness": 5})
    assert _notes(cloud, Direction.DOWN) == [Note.UNDELIVERED]


async def test_subscribing_to_topics_of_other_devices_is_refused(gateway: CloudDevice, connect: Connect) -> None:
    """Each of them gets 0x80; the other filters of the packet are granted."""
    device = await connect(parameters="securemode=3")
    own, other = device.system + SET, f"/sys/{KEY}/gw-2/{SET}"
    assert await device.subscribe(own, other, "/sys/+/+/thing/service/+", qos=1) == [1, 0x80, 0x80]


async def test_packet_with_more_than_eight_filters_is_refused(device: MqttDevice) -> None:
    """All nine filters are refused."""
    filters = [f"{device.system}thing/service/S{number}" for number in range(9)]
    assert await device.subscribe(*filters[:8]) == [0] * 8
    assert await device.subscribe(*filters) == [0x80] * 9


async def test_device_can_have_a_hundred_subscriptions(device: MqttDevice) -> None:
    """Implicit subscriptions are not counted, nor is a repeated filter."""
    filters = [f"{device.system}thing/service/S{number}" for number in range(104)]
    codes = [code for start in range(0, 104, 8) for code in await device.subscribe(*filters[start : start + 8])]
    assert codes == [0] * 100 + [0x80] * 4
    assert await device.subscribe(filters[0]) == [0]


async def test_wildcards_can_be_refused(cloud: Simulator, gateway: CloudDevice, connect: Connect) -> None:
    """Except for the message id of an RRPC topic, which can't be subscribed to without one."""
    device = await connect(parameters="securemode=3")
    cloud.faults.set(refuse_wildcards=True)
    codes = await device.subscribe(
        f"{device.system}thing/service/+",
        f"{device.system}#",
        f"{device.system}rrpc/request/+",
        f"/ext/rrpc/+{device.system}thing/service/ReadMeter",
        f"/ext/rrpc/+{device.system}thing/service/+",
        device.system + SET,
    )
    assert codes == [0x80, 0x80, 0, 0, 0x80, 0]


async def test_qos_2_ends_the_connection(cloud: Simulator, gateway: CloudDevice, connect: Connect) -> None:
    """Both when publishing and when subscribing."""
    publisher = await connect()
    publisher.publish(f"{publisher.system}thing/event/property/post", {"id": "1", "params": {"Brightness": 1}}, qos=2)
    await publisher.closed.wait()
    subscriber = await connect()
    subscriber.client.subscribe(subscriber.system + SET, 2)
    await subscriber.closed.wait()
    assert gateway.properties == {}
    assert [note for note in _notes(cloud, Direction.LINK) if "QoS 2" in note] == [
        "disconnected: QoS 2 is not supported"
    ] * 2


async def test_retain_flag_is_ignored(device: MqttDevice) -> None:
    """A later subscriber does not get the message."""
    topic = f"/{KEY}/{NAME}/user/update"
    device.client.publish(topic, "kept", retain=True)
    await device.subscribe(topic)
    await device.barrier()
    assert device.messages.empty()


async def test_will_is_not_published(cloud: Simulator, gateway: CloudDevice) -> None:
    """Even if the connection is lost."""
    device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
    device.client.will_set(f"/{KEY}/{NAME}/user/update", "gone")
    assert await device.connect() == 0
    cloud.faults.set(drop_connection=NAME)
    await device.closed.wait()
    await device.stop()
    assert [message.direction for message in cloud.wire] == [Direction.LINK] * 2


async def test_messages_are_not_sent_back_to_the_device(device: MqttDevice) -> None:
    """Even if it has subscribed to the topic."""
    topic = f"/{KEY}/{NAME}/user/update"
    await device.subscribe(topic)
    await device.acknowledged(topic, {})
    assert device.messages.empty()


@pytest.mark.parametrize(("size", "note"), [(256 * 1024, ""), (256 * 1024 + 1, Note.TOO_LARGE)])
async def test_large_payloads_are_dropped_silently(cloud: Simulator, device: MqttDevice, size: int, note: str) -> None:
    """The connection stays."""
    await device.acknowledged(f"{device.system}thing/model/up_raw", bytes(size))
    assert note in _notes(cloud, Direction.UP)
    assert len(cloud.device(KEY, NAME).raw_up) == (not note)
    await device.barrier()


async def test_publishing_to_topics_of_other_devices_is_refused(cloud: Simulator, device: MqttDevice) -> None:
    """The message is dropped."""
    other = cloud.add_device(KEY, "gw-2", SECRET)
    await device.acknowledged(f"/sys/{KEY}/gw-2/thing/event/property/post", {"id": "1", "params": {"Brightness": 1}})
    assert _notes(cloud, Direction.UP) == [Note.NOT_ALLOWED]
    assert other.properties == {}


@pytest.mark.parametrize(("qos", "taken"), [(0, 30), (1, 10)])
async def test_rate_limit_drops_silently(
    cloud: Simulator, gateway: CloudDevice, device: MqttDevice, qos: int, taken: int
) -> None:
    """Beyond 30 messages a second at QoS 0, or 10 at QoS 1; the device gets no error."""
    cloud.faults.set(rate_limit=True)
    for number in range(taken + 5):
        device.publish(f"/{KEY}/{NAME}/user/update", {"number": number}, qos)
    await device.subscribe(f"/{KEY}/{NAME}/user/get")
    notes = _notes(cloud, Direction.UP)
    assert notes.count(Note.RATE_LIMITED) == 5
    assert len(notes) == taken + 5


async def test_commands_can_be_sent_with_qos_1(call: Call, cloud: Simulator, device: MqttDevice) -> None:
    """The publisher decides on the QoS, not the subscription."""
    await call("Pub", TopicFullName=device.system + SET, MessageContent="e30=", Qos=1)
    assert (await device.receive()).qos == 1


async def test_at_most_a_hundred_commands_are_in_flight(
    cloud: Simulator, call: Call, gateway: CloudDevice, socket_enabled: None
) -> None:
    """A device that acknowledges nothing gets a hundred commands; a device that acknowledges gets all."""
    reader, writer = await _raw_connect(cloud)
    for _ in range(101):
        await call("Pub", TopicFullName=f"/sys/{KEY}/{NAME}/{SET}", MessageContent="e30=", Qos=1)
    assert _notes(cloud, Direction.DOWN) == [""] * 100 + [Note.IN_FLIGHT_FULL]
    writer.write(b"\x40\x02\x00\x01" + b"\xc0\x00")
    packet = b""
    while not packet.endswith(b"\xd0\x00"):
        packet = packet[-1:] + await reader.readexactly(1)
    await call("Pub", TopicFullName=f"/sys/{KEY}/{NAME}/{SET}", MessageContent="e30=", Qos=1)
    assert _notes(cloud, Direction.DOWN)[-1] == ""
    writer.close()


async def test_silence_ends_the_connection(
    cloud: Simulator, gateway: CloudDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one and a half keep-alives since the last packet; the factor is lowered to keep the test short."""
    monkeypatch.setattr(connection, "KEEP_ALIVE_FACTOR", 0.01)
    reader, writer = await _raw_connect(cloud, keep_alive=30)
    for _ in range(3):
        await asyncio.sleep(0.15)
        writer.write(b"\xc0\x00")
    assert await reader.read() == b"\xd0\x00" * 3
    assert not gateway.online
    assert _notes(cloud, Direction.LINK)[-1] == "disconnected: keep-alive time-out"
    writer.close()


async def test_silence_does_not_end_a_frozen_connection(
    cloud: Simulator, gateway: CloudDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends some time after it has been unfrozen."""
    monkeypatch.setattr(connection, "KEEP_ALIVE_FACTOR", 0.003)
    reader, writer = await _raw_connect(cloud, keep_alive=30)
    cloud.faults.set(freeze=NAME)
    await asyncio.sleep(0.3)
    assert gateway.online
    cloud.faults.set(unfreeze=NAME)
    assert await reader.read() == b""
    assert not gateway.online
    writer.close()


async def test_freezing_stops_packets_already_read(cloud: Simulator, gateway: CloudDevice) -> None:
    """Two packets arrive together, and the handling of the first freezes the connection."""
    reader, writer = await _raw_connect(cloud)
    topic = f"/sys/{KEY}/{NAME}/thing/model/up_raw".encode()
    publish = b"\x30" + bytes([2 + len(topic) + 1]) + struct.pack("!H", len(topic)) + topic
    writer.write(publish + b"1" + publish + b"2")

    def freeze_once(device: CloudDevice) -> bool:
        if device.raw_up == [b"1"]:
            cloud.faults.set(freeze=NAME)
        return bool(device.raw_up)

    await gateway.wait_for(freeze_once)
    await asyncio.sleep(0.05)
    assert gateway.raw_up == [b"1"]
    cloud.faults.set(unfreeze=NAME)
    await gateway.wait_for(lambda device: device.raw_up == [b"1", b"2"])
    cloud.faults.set(freeze=NAME)
    cloud.faults.set(drop_connection=NAME)
    assert (await reader.read()).count(b"up_raw_reply") == 2
    writer.close()


async def test_ping_is_answered(cloud: Simulator, gateway: CloudDevice) -> None:
    """PINGREQ is answered with PINGRESP."""
    reader, writer = await _raw_connect(cloud)
    writer.write(b"\xc0\x00")
    assert await reader.readexactly(2) == b"\xd0\x00"
    writer.write(b"\xe0\x00")
    assert await reader.read() == b""
    assert _notes(cloud, Direction.LINK)[-1] == "disconnected: DISCONNECT"
    writer.close()


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"\x82\x02\x00\x01", id="SUBSCRIBE without a filter"),
        pytest.param(b"\xa2\x02\x00\x01", id="UNSUBSCRIBE without a filter"),
        pytest.param(b"\x80\x07\x00\x01\x00\x02ab\x00", id="SUBSCRIBE with wrong flags"),
        pytest.param(b"\x30\x03\x00\x09a", id="PUBLISH shorter than its topic"),
        pytest.param(b"\x30\x05\x00\x03a/+", id="PUBLISH to a wildcard"),
        pytest.param(b"\x20\x02\x00\x00", id="CONNACK from a client"),
        pytest.param(b"\x30\xff\xff\xff\xff\x01", id="impossible length"),
        pytest.param(b"\x30\xff\xff\xff\x7f", id="256 MB"),
        pytest.param(b"\x40\x01\x00", id="PUBACK without a number"),
        pytest.param(b"\x00\x00", id="packet type 0"),
    ],
)
async def test_malformed_packets_end_the_connection(cloud: Simulator, gateway: CloudDevice, packet: bytes) -> None:
    """They have no other effect."""
    reader, writer = await _raw_connect(cloud)
    writer.write(packet)
    assert await reader.read() == b""
    assert _notes(cloud, Direction.LINK)[-1].startswith("disconnected: malformed packet")
    writer.close()


async def test_second_connect_ends_the_connection(cloud: Simulator, gateway: CloudDevice) -> None:
    """It is a protocol error in MQTT."""
    reader, writer = await _raw_connect(cloud)
    writer.write(_connect_packet())
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    ("start", "answer"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01", b"", id="TLS"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"", id="HTTP"),
        pytest.param(b"\xc0\x00", b"", id="PINGREQ before CONNECT"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
async def test_connection_without_connect_is_closed(
    cloud: Simulator, monkeypatch: pytest.MonkeyPatch, start: bytes, answer: bytes
) -> None:
    """At once after another packet, or after a time-out."""
    monkeypatch.setattr(server, "CONNECT_TIMEOUT", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
    writer.write(start)
    assert await reader.read() == answer
    writer.close()


async def test_mqtt_5_is_refused(cloud: Simulator, gateway: CloudDevice) -> None:
    """Code 1, so that a client can fall back to 3.1.1."""
    reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
    writer.write(_connect_packet(level=5))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x01"
    writer.close()


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()


def _connect_packet(*, keep_alive: int = 60, level: int = 4) -> bytes:
    body = _text("MQTT") + bytes([level, 0xC2]) + struct.pack("!H", keep_alive)
    body += b"".join(map(_text, signed(KEY, NAME, SECRET)))
    return b"\x10" + bytes([len(body) % 128 | 128, len(body) // 128]) + body


async def _raw_connect(cloud: Simulator, keep_alive: int = 60) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
    writer.write(_connect_packet(keep_alive=keep_alive))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    return reader, writer


async def test_writes_after_the_end_of_a_connection_are_dropped(
    socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that leaves while its packets are being answered causes no warnings of asyncio."""
    streams: list[TcpStream] = []
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        streams.append(TcpStream(writer, encrypted=False))
        served.set()
        await reader.read()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _, client = await asyncio.open_connection(*server.sockets[0].getsockname())
    await served.wait()
    streams[0].abort()
    for _ in range(20):
        streams[0].write(b"x")
    client.close()
    server.close()
    await server.wait_closed()
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []
