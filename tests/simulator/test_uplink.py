"""Uplinks and their effect in the cloud (docs/protocol.md §3, §4, §5, §8.4, §9, §12)."""

import time
from typing import Any

import pytest

from simulator import CloudDevice, Desired, Direction, Note, Simulator

from .conftest import KEY, NAME, SECRET, Call, Connect
from .mqtt_device import MqttDevice, rejected

POST = "thing/event/property/post"
BATCH = "thing/event/property/batch/post"
HISTORY = "thing/event/property/history/post"
IDENTITY = {"productKey": KEY, "deviceName": NAME}
TOMORROW = 25 * 60 * 60 * 1000


def _now() -> int:
    return int(time.time() * 1000)


async def test_property_post_is_recorded(gateway: CloudDevice, device: MqttDevice) -> None:
    """Plain values get the time of arrival, others keep their own."""
    before = _now()
    reply = await device.ask(POST, {"Brightness": 80, "CurrentTemperature": {"value": 21.5, "time": 1700000000000}})
    assert reply == {
        "id": "1",
        "code": 200,
        "data": {},
        "message": "success",
        "method": "thing.event.property.post",
        "version": "1.0",
    }
    assert gateway.properties["CurrentTemperature"] == (21.5, 1700000000000)
    value, time_ms = gateway.properties["Brightness"]
    assert value == 80
    assert before <= time_ms <= _now()


@pytest.mark.parametrize("cloud", [{"strict_values": True}], indirect=True)
async def test_properties_that_do_not_fit_are_listed(gateway: CloudDevice, device: MqttDevice) -> None:
    """The others are recorded, and the code is 200. Whole numbers do not fit floats if the simulator is strict."""
    reply = await device.ask(POST, {"Brightness": 80, "Nope": 1, "TargetTemperature": {"value": 10, "time": 1}})
    assert rejected(reply) == (
        200,
        {
            "Nope": "tsl parse: params not exist -> Nope",
            "TargetTemperature": "tsl parse: data type is not float -> TargetTemperature",
        },
    )
    assert gateway.properties.keys() == {"Brightness"}


async def test_whole_numbers_fit_floats(gateway: CloudDevice, device: MqttDevice) -> None:
    """They are what JavaScript writes."""
    assert rejected(await device.ask(POST, {"TargetTemperature": 21})) == (200, {})
    assert gateway.properties["TargetTemperature"][0] == 21


@pytest.mark.parametrize("message_id", ["42", 42, "7|exp-topic|/x", ""])
async def test_reply_has_the_id_of_the_request(device: MqttDevice, message_id: str | int) -> None:
    """The id may be a text or a number."""
    assert (await device.ask(POST, {"Brightness": 1}, id=message_id))["id"] == message_id


async def test_routing_needs_no_method_and_no_version(device: MqttDevice) -> None:
    """Messages are routed by topic."""
    device.publish(device.system + POST, {"id": "9", "params": {"Brightness": 1}})
    assert (await device.receive()).json["method"] == "thing.event.property.post"


@pytest.mark.parametrize("ack", [0, "0"])
async def test_ack_0_suppresses_the_reply(gateway: CloudDevice, device: MqttDevice, ack: int | str) -> None:
    """The values are recorded nevertheless."""
    device.publish(device.system + POST, {"id": "1", "params": {"Brightness": 1}, "sys": {"ack": ack}})
    await device.barrier()
    assert device.messages.empty()
    assert "Brightness" in gateway.properties


@pytest.mark.parametrize(
    ("payload", "code", "message"),
    [
        (b"not json", 6207, "device data format is error"),
        (b'{"id": "1", "params": {"Brightness": NaN}}', 6207, "device data format is error"),
        (b"[]", 460, "request parameter error"),
        (b'{"params": {"Brightness": 1}}', 460, "request parameter error"),
        (b'{"id": "1"}', 460, "request parameter error"),
        (b'{"id": "1", "params": {}}', 460, "request parameter error"),
        (b'{"id": "1", "params": []}', 460, "request parameter error"),
        (b'{"id": "1", "params": {"Brightness": {"value": 1, "time": "x"}}}', 6326, "time format is error"),
        (b'{"id": "1", "params": {"Brightness": {"value": 1, "time": -1}}}', 6326, "time format is error"),
    ],
)
async def test_malformed_messages_are_refused(
    gateway: CloudDevice, device: MqttDevice, payload: bytes, code: int, message: str
) -> None:
    """The whole message is refused."""
    device.publish(device.system + POST, payload)
    reply = (await device.receive()).json
    assert (reply["code"], reply["message"]) == (code, message)
    assert gateway.properties == {}


@pytest.mark.parametrize(("count", "code"), [(200, 200), (201, 6106)])
async def test_more_than_200_properties_are_refused(device: MqttDevice, count: int, code: int) -> None:
    """None of them is recorded."""
    assert (await device.ask(POST, {f"P{number}": 1 for number in range(count)}))["code"] == code


async def test_times_more_than_a_day_ahead_are_refused(gateway: CloudDevice, device: MqttDevice) -> None:
    """24 hours are allowed, for clocks that are wrong."""
    entry = {"value": 1, "time": _now() + TOMORROW}
    assert (await device.ask(POST, {"Brightness": entry, "LightSwitch": 1}))["code"] == 6326
    assert gateway.properties == {}


async def test_nothing_is_validated_without_a_thing_model(cloud: Simulator, connect: Connect) -> None:
    """As in a product without validation."""
    record = cloud.add_device(KEY, NAME, SECRET)
    device = await connect()
    assert rejected(await device.ask(POST, {"Anything": True})) == (200, {})
    assert record.properties["Anything"][0] is True


async def test_batch_post_is_recorded(gateway: CloudDevice, device: MqttDevice) -> None:
    """It has samples of properties and events; the last sample becomes the value of the property."""
    await device.subscribe(f"{device.system}{BATCH}_reply")
    params = {
        "properties": {"Brightness": [{"value": 10, "time": 1}, {"value": 20, "time": 2}, {"value": 999, "time": 3}]},
        "events": {"SceneActivated": [{"value": {"SceneName": "night"}, "time": 4}]},
    }
    code, data = rejected(await device.ask(BATCH, params))
    assert code == 200
    assert data.keys() == {"Brightness"}
    assert gateway.samples["Brightness"] == [(10, 1), (20, 2)]
    assert gateway.properties["Brightness"] == (20, 2)
    [event] = gateway.events
    assert (event.identifier, event.output, event.time) == ("SceneActivated", {"SceneName": "night"}, 4)


async def test_history_post_does_not_change_the_present_value(gateway: CloudDevice, device: MqttDevice) -> None:
    """It is recorded in the history only."""
    params = [
        {
            "identity": IDENTITY,
            "properties": [{"Brightness": {"value": 1, "time": 1}}, {"Brightness": {"value": 2, "time": 2}}],
            "events": [{"DeviceFault": {"value": {"ErrorCode": 1}, "time": 3}}],
        }
    ]
    assert rejected(await device.ask(HISTORY, params)) == (200, {})
    assert gateway.properties == {}
    assert gateway.samples["Brightness"] == [(1, 1), (2, 2)]
    assert gateway.events[0].time == 3


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        (HISTORY, [{"identity": {"productKey": KEY, "deviceName": "gw-2"}, "properties": []}], 6401),
        (HISTORY, [{"properties": []}], 460),
        (HISTORY, {}, 460),
        (HISTORY, [{"identity": IDENTITY, "properties": [{"Brightness": 1}]}], 460),
        (HISTORY, [{"identity": IDENTITY, "properties": [{"Brightness": {"value": 1}}]}], 6326),
        (BATCH, {}, 460),
        (BATCH, {"properties": {}, "events": {}}, 460),
        (BATCH, {"properties": {"Brightness": {"value": 1, "time": 1}}}, 460),
        (BATCH, {"properties": {"Brightness": [{"value": 1}]}}, 6326),
        (BATCH, {"events": {"SceneActivated": [{"value": {"SceneName": 1}, "time": 1}]}}, 6310),
        (BATCH, {"properties": {f"P{number}": [] for number in range(201)}}, 6106),
    ],
)
async def test_malformed_batches_are_refused(device: MqttDevice, path: str, params: Any, code: int) -> None:
    """The whole message is refused."""
    await device.subscribe(f"{device.system}{BATCH}_reply")
    assert (await device.ask(path, params))["code"] == code


@pytest.mark.parametrize(
    "params", [{"value": {"SceneName": "night"}, "time": 5}, {"value": {"SceneName": "night"}}, {"SceneName": "night"}]
)
async def test_event_is_recorded_in_both_forms(gateway: CloudDevice, device: MqttDevice, params: Any) -> None:
    """The output is under `value`, or directly in `params` as in the old form."""
    reply = await device.ask("thing/event/SceneActivated/post", params)
    assert reply["code"] == 200
    assert reply["method"] == "thing.event.SceneActivated.post"
    [event] = gateway.events
    assert event.output == {"SceneName": "night"}
    assert event.time == params.get("time", event.time)


@pytest.mark.parametrize(
    ("identifier", "params", "code", "data"),
    [
        ("Nope", {"value": {}}, 5160, "tsl parse: params not exist -> Nope"),
        ("SceneActivated", {"value": {"Nope": 1}}, 6304, "tsl parse: params not exist -> Nope"),
        ("SceneActivated", {"value": {"SceneName": 1}}, 6310, "tsl parse: data type is not text -> SceneName"),
        ("SceneActivated", [], 460, {}),
        ("SceneActivated", {"value": {}, "time": "x"}, 6326, {}),
    ],
)
async def test_event_that_does_not_fit_is_refused(
    gateway: CloudDevice, device: MqttDevice, identifier: str, params: Any, code: int, data: Any
) -> None:
    """The whole event is refused with an error code."""
    assert rejected(await device.ask(f"thing/event/{identifier}/post", params)) == (code, data)
    assert gateway.events == []


async def test_device_gets_and_clears_desired_values(call: Call, gateway: CloudDevice, connect: Connect) -> None:
    """Values are kept while the device is offline; a value is cleared only with its present version."""
    await call("SetDeviceDesiredProperty", Items={"Brightness": 30})
    await call("SetDeviceDesiredProperty", Items={"Brightness": 40, "LightSwitch": 1})
    device = await connect()
    path = "thing/property/desired"
    asked = ["Brightness", "HVACMode"]
    assert (await device.ask(f"{path}/get", asked))["data"] == {"Brightness": {"value": 40, "version": 2}}
    assert rejected(await device.ask(f"{path}/delete", {"Brightness": {"version": 1}, "Nope": {}})) == (200, {})
    assert (await device.ask(f"{path}/get", asked))["data"] != {}
    await device.ask(f"{path}/delete", {"Brightness": {"version": 2}})
    assert (await device.ask(f"{path}/get", ["Brightness", "LightSwitch"]))["data"] == {
        "LightSwitch": {"value": 1, "version": 1}
    }
    await device.ask(f"{path}/delete", {})
    assert (await device.ask(f"{path}/get", ["LightSwitch"]))["data"] == {}
    assert isinstance(gateway.desired["LightSwitch"], Desired)


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("thing/property/desired/get", [f"P{number}" for number in range(201)], 6104),
        ("thing/property/desired/get", {}, 460),
        ("thing/property/desired/delete", [], 460),
        ("thing/deviceinfo/update", {}, 460),
    ],
)
async def test_malformed_requests_are_refused(device: MqttDevice, path: str, params: Any, code: int) -> None:
    """Their params have the wrong type or too many members."""
    assert (await device.ask(path, params))["code"] == code


async def test_tags_are_recorded(gateway: CloudDevice, device: MqttDevice) -> None:
    """They are updated one by one, and deleted."""
    await device.ask("thing/deviceinfo/update", [{"attrKey": "room", "attrValue": "hall"}])
    await device.ask("thing/deviceinfo/update", [{"attrKey": "floor", "attrValue": "1"}])
    assert gateway.tags == {"room": "hall", "floor": "1"}
    assert rejected(await device.ask("thing/deviceinfo/delete", [{"attrKey": "room"}, {"attrKey": "x"}])) == (200, {})
    assert gateway.tags == {"floor": "1"}


@pytest.mark.parametrize(
    "entries",
    [
        [],
        {},
        [1],
        [{"attrKey": "room"}],
        [{"attrValue": "hall"}],
        [{"attrKey": 1, "attrValue": "hall"}],
        [{"attrKey": "", "attrValue": "hall"}],
        [{"attrKey": "1st", "attrValue": "hall"}],
        [{"attrKey": "my-room", "attrValue": "hall"}],
        [{"attrKey": "房间", "attrValue": "hall"}],
        [{"attrKey": "k" * 65, "attrValue": "hall"}],
        [{"attrKey": f"k{number}", "attrValue": "x"} for number in range(201)],
    ],
)
async def test_tags_that_break_the_rules(gateway: CloudDevice, device: MqttDevice, entries: Any) -> None:
    """460, and no tag of the message is taken; for deleting, the value is not needed."""
    good = [{"attrKey": "good", "attrValue": "1"}]
    broken = good + entries if isinstance(entries, list) and entries else entries
    assert (await device.ask("thing/deviceinfo/update", broken))["code"] == 460
    assert gateway.tags == {}
    code = (await device.ask("thing/deviceinfo/delete", entries))["code"]
    assert code == (200 if entries == [{"attrKey": "room"}] else 460)


async def test_any_value_of_a_tag_is_taken(gateway: CloudDevice, device: MqttDevice) -> None:
    """As many as two hundred in a message, with keys of up to 64 bytes."""
    entries = [{"attrKey": f"_{number:063}", "attrValue": "a b/c，d"} for number in range(200)]
    assert (await device.ask("thing/deviceinfo/update", entries))["code"] == 200
    assert set(gateway.tags.values()) == {"a b/c，d"}
    assert len(gateway.tags) == 200


async def test_what_an_sdk_says_of_itself_is_no_tag(gateway: CloudDevice, device: MqttDevice) -> None:
    """The domain tells the difference."""
    entry = {"domain": "SYSTEM", "attrKey": "SYS_SDK_LANGUAGE", "attrValue": "C"}
    await device.ask("thing/deviceinfo/update", [entry, {"attrKey": "room", "attrValue": "hall"}])
    assert gateway.system_tags == {"SYS_SDK_LANGUAGE": "C"}
    assert gateway.tags == {"room": "hall"}


async def test_tags_can_be_asked_for(device: MqttDevice) -> None:
    """All, or some by key; the reply is not implicit."""
    await device.subscribe(f"{device.system}thing/deviceinfo/get_reply")
    room, floor = {"attrKey": "room", "attrValue": "hall"}, {"attrKey": "floor", "attrValue": "1"}
    await device.ask("thing/deviceinfo/update", [room, floor])
    for params, tags in (
        ({}, [room, floor]),
        ([], [room, floor]),
        (["floor"], [floor]),
        ([{"attrKey": "room"}], [room]),
    ):
        assert rejected(await device.ask("thing/deviceinfo/get", params)) == (200, tags)


async def test_device_gets_the_thing_model(device: MqttDevice, tsl: dict[str, Any]) -> None:
    """The reply has the document that the device was created with."""
    reply = await device.ask("thing/dsltemplate/get", {})
    assert (reply["code"], reply["data"]) == (200, tsl)


async def test_missing_thing_model_is_answered_with_6321(cloud: Simulator, connect: Connect) -> None:
    """The device was created without a thing model."""
    cloud.add_device(KEY, NAME, SECRET)
    assert (await (await connect()).ask("thing/dsltemplate/get", {}))["code"] == 6321


async def test_raw_frames_are_recorded_and_answered(gateway: CloudDevice, device: MqttDevice) -> None:
    """They may have any bytes."""
    device.publish(f"{device.system}thing/model/up_raw", b"\x00\xff\x10")
    reply = await device.receive()
    assert reply.topic == f"{device.system}thing/model/up_raw_reply"
    assert reply.json["code"] == 200
    assert gateway.raw_up == [b"\x00\xff\x10"]


async def test_raw_product_refuses_json(cloud: Simulator, connect: Connect) -> None:
    """The code is 6813; raw frames are recorded."""
    record = cloud.add_device(KEY, NAME, SECRET, raw=True)
    device = await connect()
    assert (await device.ask(POST, {"Brightness": 1}))["code"] == 6813
    device.publish(f"{device.system}thing/model/up_raw", b"\x01")
    await device.receive()
    assert record.raw_up == [b"\x01"]


@pytest.mark.parametrize("sent", ["1700000000000", 1700000000000])
async def test_ntp_answer_has_the_type_of_the_request(device: MqttDevice, sent: str | int) -> None:
    """Times are texts or numbers."""
    topic = f"/ext/ntp/{KEY}/{NAME}"
    device.publish(f"{topic}/request", {"deviceSendTime": sent})
    answer = (await device.receive()).json
    assert answer["deviceSendTime"] == sent
    assert type(answer["serverRecvTime"]) is type(answer["serverSendTime"]) is type(sent)
    assert abs(int(answer["serverSendTime"]) - _now()) < 60_000


@pytest.mark.parametrize("payload", [b"x", b"[]", b"{}", b'{"deviceSendTime": true}'])
async def test_malformed_ntp_requests_are_not_answered(cloud: Simulator, device: MqttDevice, payload: bytes) -> None:
    """They have no device time; the transcript says so."""
    await device.acknowledged(f"/ext/ntp/{KEY}/{NAME}/request", payload)
    assert cloud.wire[-1].note == Note.ONLY_QOS_0
    device.publish(f"/ext/ntp/{KEY}/{NAME}/request", payload)
    await device.barrier()
    assert device.messages.empty()
    assert Note.MALFORMED in [message.note for message in cloud.wire]


async def test_messages_on_unknown_topics_are_only_recorded(cloud: Simulator, device: MqttDevice) -> None:
    """They are not answered."""
    topic = f"/sys/{KEY}/{NAME}/thing/unheard/of"
    await device.acknowledged(topic, {"a": 1})
    [message] = [message for message in cloud.wire if message.direction is Direction.UP]
    assert (message.topic, message.payload, message.note) == (topic, b'{"a": 1}', Note.IGNORED)


async def test_user_messages_are_recorded(cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """Any bytes on any topic below the device's `user/`; they are not answered and not sent back."""
    await device.subscribe(f"/{KEY}/{NAME}/user/#")
    device.publish(f"/{KEY}/{NAME}/user/update/error", b"\x00\xff")
    await device.acknowledged(f"/{KEY}/{NAME}/user/update", {"a": 1})
    await device.acknowledged(f"/{KEY}/gw-2/user/update", {"a": 1})
    assert [(one.topic, one.payload, one.qos) for one in gateway.user_messages] == [
        ("update/error", b"\x00\xff", 0),
        ("update", b'{"a": 1}', 1),
    ]
    notes = [message.note for message in cloud.wire if message.direction is Direction.UP]
    assert notes == ["", "", Note.NOT_ALLOWED]
    assert device.messages.empty()


@pytest.mark.parametrize("path", ["update", "a/b/c", "usr/update"])
async def test_user_topics_need_no_user_in_them(gateway: CloudDevice, device: MqttDevice, path: str) -> None:
    """Older products have such topics; the whole topic is recorded."""
    await device.acknowledged(f"/{KEY}/{NAME}/{path}", b"x")
    assert [one.topic for one in gateway.user_messages] == [f"/{KEY}/{NAME}/{path}"]


@pytest.mark.parametrize(
    ("topic", "note"),
    [
        (f"/{KEY}/{NAME}/user/" + "a" * 105, ""),
        (f"/{KEY}/{NAME}/user/" + "a" * 106, Note.TOPIC_TOO_LONG),
        (f"/{KEY}/{NAME}/user/" + "灯" * 36, Note.TOPIC_TOO_LONG),
        (f"/{KEY}/{NAME}/user/1/2/3/4", ""),
        (f"/{KEY}/{NAME}/user/1/2/3/4/5", Note.TOPIC_TOO_LONG),
        (f"/sys/{KEY}/{NAME}/thing/event/{'a' * 92}/post", Note.TOPIC_TOO_LONG),
        (f"/sys/{KEY}/{NAME}/1/2/3/4/5/6/7/8", Note.IGNORED),
        ("somewhere/else", Note.NOT_ALLOWED),
    ],
)
async def test_topics_have_a_limit(cloud: Simulator, device: MqttDevice, topic: str, note: str) -> None:
    """128 bytes, and seven slashes for topics of the user's own. More is dropped, and can't be subscribed to."""
    await device.acknowledged(topic, b"{}")
    [message] = [message for message in cloud.wire if message.direction is Direction.UP]
    assert message.note == note
    refused = note in (Note.TOPIC_TOO_LONG, Note.NOT_ALLOWED)
    assert await device.subscribe(topic) == [0x80 if refused else 0]
    if not refused:
        assert await device.subscribe(f"/ext/rrpc/+{topic}") == [0]
