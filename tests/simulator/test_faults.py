"""Faults on demand."""

import json
from typing import Any

import pytest

from simulator import CloudDevice, CodeFault, Direction, FaultError, Note, Simulator, now_ms
from simulator.broker.connection import FLOOD_ROUNDS

from .conftest import KEY, NAME, SECRET, Call, Connect
from .mqtt_device import MqttDevice, rejected, signed

POST = "thing/event/property/post"


def _down(cloud: Simulator) -> list[str]:
    return [message.note for message in cloud.wire if message.direction is Direction.DOWN]


async def _code(cloud: Simulator) -> int:
    device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
    try:
        return await device.connect()
    finally:
        await device.stop()


async def test_connects_are_refused(cloud: Simulator, gateway: CloudDevice) -> None:
    """As often as requested, or until the fault is reset."""
    cloud.faults.set(refuse_connect={"code": 3, "count": 2})
    assert [await _code(cloud) for _ in range(3)] == [3, 3, 0]
    cloud.faults.refuse_connect = CodeFault(5)
    assert [await _code(cloud) for _ in range(3)] == [5, 5, 5]
    cloud.faults.set(refuse_connect=None)
    assert await _code(cloud) == 0


@pytest.mark.parametrize("name", [NAME, f"{KEY}/{NAME}"])
async def test_connection_is_dropped(cloud: Simulator, gateway: CloudDevice, device: MqttDevice, name: str) -> None:
    """The device is offline at once."""
    cloud.faults.set(drop_connection=name)
    assert not gateway.online
    await device.closed.wait()


async def test_frozen_connection_is_half_open(
    cloud: Simulator, call: Call, gateway: CloudDevice, device: MqttDevice
) -> None:
    """Nothing passes until it is unfrozen; then everything is delivered in order."""
    cloud.faults.set(freeze=NAME)
    answer = await call("InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1})
    assert answer["Code"] == "iot.messagebroker.TIMEOUT"
    await call("SetDeviceProperty", Items={"Brightness": 5})
    device.publish(device.system + POST, {"id": "1", "params": {"Brightness": 5}}, qos=1)
    with pytest.raises(TimeoutError):
        await gateway.wait_for(lambda device: "Brightness" in device.properties, timeout=0.2)
    assert device.messages.empty()
    assert gateway.online
    assert not device.closed.is_set()

    cloud.faults.set(unfreeze=NAME)
    assert "/rrpc/request/" in (await device.receive()).topic
    assert (await device.receive()).json["params"] == {"Brightness": 5}
    assert (await device.receive()).json["code"] == 200
    assert "Brightness" in gateway.properties


async def test_new_connection_replaces_a_frozen_one(
    cloud: Simulator, gateway: CloudDevice, device: MqttDevice, connect: Connect
) -> None:
    """The new connection is not frozen."""
    cloud.faults.set(freeze=NAME)
    second = await connect()
    await device.closed.wait()
    assert (await second.ask(POST, {"Brightness": 1}))["code"] == 200


async def test_frozen_connection_can_be_dropped(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """The device notices at once."""
    cloud.faults.set(freeze=NAME)
    cloud.faults.set(drop_connection=NAME)
    await device.closed.wait()
    assert not gateway.online


async def test_replies_are_delayed(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """The values are recorded at once."""
    cloud.faults.set(delay_replies=0.2)
    device.publish(device.system + POST, {"id": "1", "params": {"Brightness": 1}})
    await device.barrier()
    assert "Brightness" in gateway.properties
    assert device.messages.empty()
    assert (await device.receive()).json["code"] == 200


async def test_delayed_reply_is_dropped_when_the_simulator_stops(cloud: Simulator, device: MqttDevice) -> None:
    """The test harness fails if a timer is left."""
    cloud.faults.set(delay_replies=60)
    device.publish(device.system + POST, {"id": "1", "params": {"Brightness": 1}})
    await device.barrier()


async def test_replies_are_lost(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """As many as requested."""
    cloud.faults.set(lose_replies=1)
    device.publish(device.system + POST, {"id": "1", "params": {"Brightness": 1}})
    device.publish(device.system + POST, {"id": "2", "params": {"Brightness": 2}})
    assert (await device.receive()).json["id"] == "2"
    assert _down(cloud) == [Note.LOST, ""]
    assert gateway.properties["Brightness"][0] == 2


async def test_replies_are_garbled(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """The post is recorded, but the reply is not an Alink message."""
    cloud.faults.set(garble_replies=1)
    device.publish(device.system + POST, {"id": "1", "params": {"Brightness": 1}})
    garbage = await device.receive()
    with pytest.raises(ValueError, match=r"codec|Expecting"):
        json.loads(garbage.payload)
    assert gateway.properties["Brightness"][0] == 1
    assert rejected(await device.ask(POST, {"Brightness": 2})) == (200, {})


async def test_kicked_device_is_offline(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """Not half-connected: the cloud knows that the device is gone, as after a second CONNECT with its triple."""
    cloud.faults.set(kick=NAME)
    await device.closed.wait()
    assert not gateway.online
    assert not gateway.half_connected


async def test_babble_ends_the_connection(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """The client disconnects when it receives data that are not MQTT."""
    cloud.faults.set(babble=NAME)
    await device.closed.wait()


async def test_flood_and_excess_are_sent(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """A client that is not protected reads the flood, and waits for the rest of the message."""
    assert gateway.connection
    written: list[bytes] = []
    gateway.connection.line._write = written.append  # type: ignore[attr-defined]
    cloud.faults.set(flood=NAME)
    cloud.faults.set(exceed=NAME)
    assert written[0].count(b"retained") == FLOOD_ROUNDS
    assert written[1] == b"\x30\xff\xff\xff\x7f"


@pytest.mark.parametrize("ahead", [-3600, 0.5, 0])
async def test_cloud_clock_differs(cloud: Simulator, device: MqttDevice, ahead: float) -> None:
    """The time service is ahead or behind."""
    cloud.faults.set(clock_ahead=ahead)
    await device.subscribe(f"/ext/ntp/{KEY}/{NAME}/response")
    before = now_ms()
    device.publish(f"/ext/ntp/{KEY}/{NAME}/request", {"deviceSendTime": 1})
    answer = (await device.receive()).json
    assert before <= answer["serverRecvTime"] - ahead * 1000 <= answer["serverSendTime"] - ahead * 1000 <= now_ms()


async def test_uplink_is_answered_with_a_code(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """The message has no effect."""
    cloud.faults.set(answer_code={"code": 6313, "count": 1})
    assert rejected(await device.ask(POST, {"Brightness": 1})) == (6313, {})
    assert gateway.properties == {}
    assert rejected(await device.ask(POST, {"Brightness": 1})) == (200, {})


@pytest.mark.parametrize("qos", [0, 1])
async def test_commands_are_delivered_twice(cloud: Simulator, call: Call, device: MqttDevice, qos: int) -> None:
    """Byte for byte; with QoS 1 the second is marked as a duplicate."""
    cloud.faults.set(duplicate_downlink=1)
    topic = f"{device.system}thing/service/property/set"
    for content in ("AQ==", "Ag=="):
        await call("Pub", TopicFullName=topic, MessageContent=content, Qos=qos)
    messages = [await device.receive() for _ in range(3)]
    assert [message.payload for message in messages] == [b"\x01", b"\x01", b"\x02"]
    assert [message.duplicate for message in messages] == [False, bool(qos), False]
    assert _down(cloud) == ["", "", ""]


async def test_request_for_the_thing_model_is_not_answered(cloud: Simulator, device: MqttDevice) -> None:
    """The device gets no reply."""
    cloud.faults.set(ignore_topics=["thing/dsltemplate/get"])
    device.publish(f"{device.system}thing/dsltemplate/get", {"id": "1", "params": {}})
    await device.barrier()
    assert device.messages.empty()
    cloud.faults.set(reset=True)
    assert (await device.ask("thing/dsltemplate/get", {}))["code"] == 200


async def test_faults_can_be_shown_and_reset(cloud: Simulator) -> None:
    """`reset` is applied first, so that one request can define everything."""
    normal = cloud.faults.as_dict()
    cloud.faults.set(lose_replies=2, rate_limit=True, answer_code={"code": 400})
    assert cloud.faults.as_dict() == normal | {
        "lose_replies": 2,
        "rate_limit": True,
        "answer_code": {"code": 400, "count": None},
    }
    cloud.faults.set(duplicate_downlink=3, reset=True)
    assert cloud.faults.as_dict() == normal | {"duplicate_downlink": 3}


@pytest.mark.parametrize(
    "fault",
    [
        {"unknown": 1},
        {"refuse_connect": 3},
        {"refuse_connect": {"code": 6}},
        {"refuse_connect": {"code": True}},
        {"refuse_connect": {"code": 3, "count": -1}},
        {"refuse_connect": {"code": 3, "times": 1}},
        {"answer_code": {"count": 1}},
        {"delay_replies": -1},
        {"delay_replies": "1"},
        {"lose_replies": 1.5},
        {"duplicate_downlink": True},
        {"rate_limit": 1},
        {"drop_connection": "nobody"},
        {"drop_connection": 1},
        {"freeze": NAME},
        {"kick": NAME},
        {"babble": "nobody"},
        {"garble_replies": -1},
        {"clock_ahead": "1"},
        {"reset": False},
    ],
)
async def test_invalid_faults_change_nothing(cloud: Simulator, gateway: CloudDevice, fault: dict[str, Any]) -> None:
    """Nor do valid ones in the same request."""
    normal = cloud.faults.as_dict()
    with pytest.raises(FaultError):
        cloud.faults.set(ignore_topics=["thing/dsltemplate/get"], **fault)
    assert cloud.faults.as_dict() == normal


async def test_ambiguous_device_name_is_refused(cloud: Simulator, gateway: CloudDevice) -> None:
    """The device has to be given with its product."""
    cloud.add_device("other", NAME, SECRET)
    with pytest.raises(FaultError, match="drop_connection must be a device"):
        cloud.faults.set(drop_connection=NAME)
