"""Commands to devices: sets, services, RRPC (docs/protocol.md §6, §9)."""

import asyncio
import base64
import json
import socket
from typing import Any

import pytest

from simulator import CloudDevice, Direction, Note, Simulator

from .conftest import KEY, NAME, SECRET, Call, Connect
from .mqtt_device import MqttDevice


async def _sync(call: Call, device: MqttDevice, data: object, **envelope: object) -> tuple[dict[str, Any], str]:
    """Invoke a synchronous service; return the API's answer and the topic of the command."""
    answer, command = await asyncio.gather(
        call("InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1}), device.answer(data, **envelope)
    )
    assert command.json["params"] == {"Channel": 1}
    assert command.json["method"] == "thing.service.ReadMeter"
    return answer, command.topic


async def test_set_and_its_reply(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """The caller gets a MessageId, by which it finds the outcome, also with QueryDeviceServiceData."""
    answer = await call("SetDeviceProperty", Items='{"TargetTemperature": 22.0}')
    command = await device.answer({}, code=100002, message="read only")
    assert b'"TargetTemperature":22.0' in command.payload
    reply = await gateway.wait_reply(answer["Data"]["MessageId"])
    assert (reply.code, reply.message, reply.data) == (100002, "read only", {})
    assert reply.round_trip > 0
    [row] = (await call("QueryDeviceServiceData", Identifier="set"))["Data"]["List"]["ServiceInfo"]
    assert row["MessageId"] == answer["Data"]["MessageId"]
    assert json.loads(row["InputData"]) == {"TargetTemperature": 22.0}
    assert json.loads(row["OutputData"]) == {"code": 100002, "data": {}, "message": "read only"}


async def test_reply_to_a_set_does_not_change_the_state(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """The device has to post the new value."""
    answer = await call("SetDeviceProperty", Items={"Brightness": 5})
    await device.answer({})
    await gateway.wait_reply(answer["Data"]["MessageId"])
    assert gateway.properties == {}


async def test_every_reply_is_recorded(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """So that a device which answers twice is detected."""
    answer = await call("SetDeviceProperty", Items={"Brightness": 5})
    command = await device.answer({}, code="200")
    device.publish(f"{command.topic}_reply", {"id": command.json["id"], "code": 400})
    await gateway.wait_for(lambda device: len(device.service_calls[0].replies) == 2)
    assert [reply.code for reply in gateway.call(answer["Data"]["MessageId"]).replies] == [200, 400]


async def test_property_get(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """The generated service `get` asks for values; the reply is recorded."""
    answer = await call("InvokeThingService", Identifier="get", Args=["Brightness"])
    command = await device.answer({"Brightness": 7})
    assert command.topic == f"{device.system}thing/service/property/get"
    assert command.json["params"] == ["Brightness"]
    assert (await gateway.wait_reply(answer["Data"]["MessageId"])).data == {"Brightness": 7}


async def test_generated_service_set_is_a_property_set(call: Call, device: MqttDevice) -> None:
    """It is sent on the topic of property sets."""
    await call("InvokeThingService", Identifier="set", Args={"Brightness": 7})
    assert (await device.receive()).topic == f"{device.system}thing/service/property/set"


async def test_asynchronous_service(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """The caller does not wait for the answer."""
    answer = await call("InvokeThingService", Identifier="RunScene", Args='{"SceneName": "night"}')
    assert answer["Data"].keys() == {"MessageId"}
    command = await device.answer({"Accepted": 1})
    assert command.topic == f"{device.system}thing/service/RunScene"
    assert command.json["params"] == {"SceneName": "night"}
    reply = await gateway.wait_reply(answer["Data"]["MessageId"])
    assert (reply.code, reply.data) == (200, {"Accepted": 1})


async def test_services_are_asynchronous_without_a_thing_model(cloud: Simulator, connect: Connect) -> None:
    """As in a product without validation."""
    cloud.add_device(KEY, NAME, SECRET)
    device = await connect()
    answer = await cloud.call(
        "InvokeThingService", ProductKey=KEY, DeviceName=NAME, Identifier="ReadMeter", Args={"Channel": 1}
    )
    assert answer["Success"]
    assert (await device.receive()).topic == f"{device.system}thing/service/ReadMeter"


@pytest.mark.parametrize(
    ("parameters", "form", "prefix"),
    [
        ("_ss=1", "auto", "/sys/{}/rrpc/request/"),
        ("_ss=1,ext=2", "auto", "/sys/{}/rrpc/request/"),
        ("_ss=1,ext=x", "auto", "/sys/{}/rrpc/request/"),
        ("_ss=1,ext=1", "auto", "/ext/rrpc/"),
        ("_ss=1,ext=3", "auto", "/ext/rrpc/"),
        ("_ss=1,ext=1", "sys", "/sys/{}/rrpc/request/"),
    ],
)
async def test_synchronous_service_in_both_forms(
    cloud: Simulator, call: Call, tsl: Any, connect: Connect, parameters: str, form: str, prefix: str
) -> None:
    """Bit 0 of `ext`, or the device's setting, selects the topic."""
    cloud.add_device(KEY, NAME, SECRET, tsl, rrpc=form)
    device = await connect(parameters=parameters)
    answer, topic = await _sync(call, device, {"Energy": 1.5})
    assert topic.startswith(prefix.format(f"{KEY}/{NAME}"))
    assert answer["Data"]["MessageId"] in topic
    assert answer["Success"]
    assert json.loads(answer["Data"]["Result"]) == {"Energy": 1.5}


async def test_long_rrpc_topic_can_be_forced(cloud: Simulator, call: Call, tsl: Any, connect: Connect) -> None:
    """A device that has not declared it has to subscribe."""
    cloud.add_device(KEY, NAME, SECRET, tsl, rrpc="ext")
    device = await connect()
    await device.subscribe(f"/ext/rrpc/+{device.system}thing/service/+")
    _, topic = await _sync(call, device, {})
    assert topic.endswith(f"{device.system}thing/service/ReadMeter")


async def test_error_code_of_the_device_is_the_code_of_the_answer(
    call: Call, gateway: CloudDevice, device: MqttDevice
) -> None:
    """The answer has the data of the device and is not a success."""
    answer, _ = await _sync(call, device, {"Hint": 1}, code=100005, message="no meter")
    assert (answer["Success"], answer["Code"], answer["ErrorMessage"]) == (False, "100005", "no meter")
    assert json.loads(answer["Data"]["Result"]) == {"Hint": 1}
    assert gateway.service_calls[0].reply is not None
    assert gateway.service_calls[0].reply.code == 100005


@pytest.mark.parametrize("payload", [b"\xff", b"[]", b"{}", b'{"code": "x"}'])
async def test_answer_without_a_code_is_a_failure(call: Call, device: MqttDevice, payload: bytes) -> None:
    """It is not an Alink message."""

    async def answer() -> None:
        command = await device.receive()
        device.publish(command.topic.replace("request", "response"), payload)

    result, _ = await asyncio.gather(call("InvokeThingService", Identifier="ReadMeter", Args={}), answer())
    assert (result["Success"], result["Code"]) == (False, "-1")


async def test_synchronous_service_times_out(
    cloud: Simulator, call: Call, gateway: CloudDevice, device: MqttDevice
) -> None:
    """A later answer is discarded."""
    answer = await call("InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1})
    assert (answer["Success"], answer["Code"]) == (False, "iot.messagebroker.TIMEOUT")
    await device.answer({"Energy": 1.5})
    await device.barrier()
    assert gateway.service_calls[0].reply is None
    assert next(message.note for message in cloud.wire if message.direction is Direction.UP) == Note.LATE


async def test_replies_without_a_command_are_recorded_as_late(
    cloud: Simulator, gateway: CloudDevice, device: MqttDevice
) -> None:
    """They have no effect."""
    topic = f"{device.system}thing/service/property/set_reply"
    for payload in (b"x", b"[]", b"{}", b'{"id": "1", "code": 200}'):
        await device.acknowledged(topic, payload)
    await device.acknowledged(f"{device.system}rrpc/response/1", b"x")
    assert [message.note for message in cloud.wire if message.direction is Direction.UP] == [Note.LATE] * 5


async def test_reply_on_the_wrong_topic_is_ignored(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """A set can't be answered as a get."""
    await call("SetDeviceProperty", Items={"Brightness": 5})
    command = await device.receive()
    await device.acknowledged(
        f"{device.system}thing/service/property/get_reply", {"id": command.json["id"], "code": 200}
    )
    assert gateway.service_calls[0].reply is None


@pytest.mark.parametrize(
    ("parameters", "topic", "where"),
    [
        ("_ss=1", None, "/sys/{}/rrpc/request/"),
        ("_ss=1,ext=1", f"/{KEY}/{NAME}/user/ask", "/ext/rrpc/"),
        ("_ss=1,ext=1", f"/sys/{KEY}/{NAME}/thing/model/down_raw", "/ext/rrpc/"),
    ],
)
async def test_rrpc_with_any_payload(
    call: Call, gateway: CloudDevice, connect: Connect, parameters: str, topic: str | None, where: str
) -> None:
    """On the system topic, on a custom topic, and for raw frames."""
    device = await connect(parameters=parameters)
    await device.subscribe(f"/ext/rrpc/+/{KEY}/{NAME}/user/ask")

    async def answer() -> None:
        command = await device.receive()
        assert command.topic.startswith(where.format(f"{KEY}/{NAME}"))
        assert command.topic.endswith(topic or "")
        assert command.payload == b"\x00\xff"
        device.publish(command.topic.replace("/rrpc/request/", "/rrpc/response/"), b"\x01\xfe")

    request = base64.b64encode(b"\x00\xff").decode()
    result, _ = await asyncio.gather(call("RRpc", RequestBase64Byte=request, Timeout=8000, Topic=topic), answer())
    assert (result["Success"], result["RrpcCode"]) == (True, "SUCCESS")
    assert base64.b64decode(result["PayloadBase64Byte"]) == b"\x01\xfe"
    assert result["MessageId"] > 2**53


@pytest.mark.usefixtures("short_calls")
async def test_rrpc_times_out(call: Call, device: MqttDevice) -> None:
    """After the time-out given by the caller."""
    result = await call("RRpc", RequestBase64Byte="AA==", Timeout=1000)
    assert (result["Success"], result["Code"], result["RrpcCode"]) == (False, "iot.messagebroker.TIMEOUT", "TIMEOUT")


@pytest.mark.usefixtures("short_calls")
@pytest.mark.parametrize("parameters", ["_ss=1", "_ss=1,ext=2"])
async def test_rrpc_on_a_custom_topic_has_to_be_declared(
    cloud: Simulator, call: Call, gateway: CloudDevice, connect: Connect, parameters: str
) -> None:
    """Without bit 0 of `ext` it does not reach the device, whatever the device has subscribed to."""
    device = await connect(parameters=parameters)
    await device.subscribe(f"/ext/rrpc/+/{KEY}/{NAME}/user/ask")
    result = await call("RRpc", RequestBase64Byte="AA==", Timeout=1000, Topic=f"/{KEY}/{NAME}/user/ask")
    assert (result["Success"], result["RrpcCode"]) == (False, "TIMEOUT")
    assert device.messages.empty()
    assert cloud.wire[-1].note == Note.NO_EXT


async def test_rrpc_on_a_custom_topic_always_uses_the_long_form(
    cloud: Simulator, call: Call, tsl: Any, connect: Connect
) -> None:
    """Even if synchronous services are set to use the other form."""
    cloud.add_device(KEY, NAME, SECRET, tsl, rrpc="sys")
    device = await connect(parameters="ext=1")
    topic = f"/{KEY}/{NAME}/user/ask"
    await device.subscribe(f"/ext/rrpc/+{topic}")

    async def answer() -> None:
        command = await device.receive()
        device.publish(command.topic, b"here")

    result, _ = await asyncio.gather(call("RRpc", RequestBase64Byte="AA==", Timeout=8000, Topic=topic), answer())
    assert base64.b64decode(result["PayloadBase64Byte"]) == b"here"


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (lambda cloud, _device: cloud.faults.set(drop_connection=NAME), "HALFCONN"),
        (lambda _cloud, device: device.client.socket().shutdown(socket.SHUT_RDWR), "HALFCONN"),
        (lambda _cloud, device: device.client.disconnect(), "OFFLINE"),
    ],
    ids=["by the network", "by the device", "with DISCONNECT"],
)
async def test_rrpc_to_a_device_that_went_offline_recently(
    cloud: Simulator, call: Call, gateway: CloudDevice, device: MqttDevice, leave: Any, code: str
) -> None:
    """RRpc reports a connection that was lost without a DISCONNECT less than a keep-alive ago."""
    assert not gateway.half_connected
    leave(cloud, device)
    await gateway.wait_for(lambda one: not one.online)
    result = await call("RRpc", RequestBase64Byte="AA==", Timeout=1000)
    assert (result["Success"], result["RrpcCode"]) == (False, code)
    assert result["Code"] == f"iot.messagebroker.{code}"
    answer = await call("SetDeviceProperty", Items={"Brightness": 1})
    assert answer["Code"] == "9201"


async def test_disabled_device_is_offline(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """The platform itself has closed its connection."""
    await call("DisableThing")
    assert (await call("RRpc", RequestBase64Byte="AA==", Timeout=1000))["RrpcCode"] == "OFFLINE"


async def test_raw_frame_to_the_device(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """It is sent with Pub, and the answer is recorded."""
    topic = f"{device.system}thing/model/down_raw"
    assert (await call("Pub", TopicFullName=topic, MessageContent="AP8="))["Success"]
    assert (await device.receive()).payload == b"\x00\xff"
    await device.acknowledged(f"{topic}_reply", b"\x02")
    assert gateway.raw_down_replies == [b"\x02"]


async def test_message_on_a_custom_topic(call: Call, device: MqttDevice) -> None:
    """A device that has subscribed receives it."""
    topic = f"/{KEY}/{NAME}/user/get"
    await device.subscribe(topic)
    await call("Pub", TopicFullName=topic, MessageContent="aGVsbG8=")
    assert (await device.receive()).payload == b"hello"


async def test_desired_values_are_sent_to_an_online_device(
    call: Call, gateway: CloudDevice, device: MqttDevice
) -> None:
    """As an ordinary set; the answer has the versions."""
    answer = await call("SetDeviceDesiredProperty", Items={"Brightness": 30}, Versions={})
    assert json.loads(answer["Data"]["Versions"]) == {"Brightness": 1}
    assert (await device.answer({})).json["params"] == {"Brightness": 30}
    assert (await gateway.wait_reply(answer["Data"]["MessageId"])).code == 200
    assert (gateway.desired["Brightness"].value, gateway.desired["Brightness"].version) == (30, 1)


async def test_application_clears_desired_values(call: Call, gateway: CloudDevice) -> None:
    """The version is kept; neither the API nor the device gets the value any more."""
    await call("SetDeviceDesiredProperty", Items={"Brightness": 30, "LightSwitch": 1})
    answer = await call("ClearDeviceDesiredProperty", **{"Identifies.1": "Brightness", "Identifies.2": "HVACMode"})
    assert json.loads(answer["Data"]["Versions"]) == {"Brightness": 1}
    assert {name: desired.cleared for name, desired in gateway.desired.items()} == {
        "Brightness": True,
        "LightSwitch": False,
    }
    answer = await call("SetDeviceDesiredProperty", Items={"Brightness": 40})
    assert json.loads(answer["Data"]["Versions"]) == {"Brightness": 2}
    assert not gateway.desired["Brightness"].cleared


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("SetDeviceProperty", {"Items": {"Brightness": 1}}, "9201"),
        ("InvokeThingService", {"Identifier": "RunScene", "Args": {}}, "9201"),
        ("InvokeThingService", {"Identifier": "ReadMeter", "Args": {}}, "9201"),
        ("RRpc", {"RequestBase64Byte": "AA==", "Timeout": 1000}, "iot.messagebroker.OFFLINE"),
    ],
)
async def test_commands_to_an_offline_device_fail(
    call: Call, gateway: CloudDevice, action: str, fields: dict[str, Any], code: str
) -> None:
    """At once, and nothing is queued."""
    answer = await call(action, **fields)
    assert (answer["Success"], answer["Code"]) == (False, code)
    assert gateway.service_calls == []


async def test_pub_to_an_offline_device_is_lost(cloud: Simulator, call: Call, gateway: CloudDevice) -> None:
    """The caller does not learn that it is lost."""
    answer = await call("Pub", TopicFullName=f"/{KEY}/{NAME}/user/get", MessageContent="AA==")
    assert answer["Success"]
    assert cloud.wire[-1].note == Note.OFFLINE


async def test_waiting_ends(gateway: CloudDevice) -> None:
    """With TimeoutError, or KeyError for an unknown command."""
    with pytest.raises(TimeoutError):
        await gateway.wait_for(lambda device: device.online, timeout=0.01)
    with pytest.raises(KeyError):
        await gateway.wait_reply("1")
