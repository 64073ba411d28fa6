"""MQTT sessions that outlive their connection (docs/protocol.md §1.4)."""

import base64

import pytest

from simulator import CloudDevice, Direction, Note, Simulator
from simulator.core import mqtt_session

from .conftest import KEY, NAME, Call, Connect
from .gateway_client import SUB_KEY, Gateway, signed_entry
from .mqtt_device import MqttDevice

SET = f"/sys/{KEY}/{NAME}/thing/service/property/set"
USER = f"/{KEY}/{NAME}/user/get"


async def _offline(device: MqttDevice, record: CloudDevice) -> None:
    await device.stop()
    await record.wait_for(lambda device: not device.online)


async def _publish(call: Call, content: str, topic: str = SET, qos: int = 1) -> None:
    answer = await call("Pub", TopicFullName=topic, MessageContent=base64.b64encode(content.encode()).decode(), Qos=qos)
    assert answer["Success"], answer


async def test_messages_wait_for_a_device_without_clean_session(
    cloud: Simulator, gateway: CloudDevice, connect: Connect, call: Call
) -> None:
    """Those with QoS 1 to topics that it has subscribed to, in order; its subscriptions are kept, too."""
    first = await connect(parameters="x=1", clean_session=False)
    assert not first.session_present
    await first.subscribe(USER)
    await _offline(first, gateway)
    for number in range(3):
        await _publish(call, f"{number}", USER)
    await _publish(call, "QoS 0", USER, qos=0)
    await _publish(call, "not subscribed")
    assert [message.note for message in cloud.wire][-5:] == [Note.QUEUED] * 3 + [Note.OFFLINE] * 2
    again = await connect(parameters="x=1", clean_session=False)
    assert again.session_present
    received = [await again.receive() for _ in range(3)]
    assert [(message.payload, message.qos, message.duplicate) for message in received] == [
        (b"0", 1, False),
        (b"1", 1, False),
        (b"2", 1, False),
    ]
    await _publish(call, "now", USER)
    assert (await again.receive()).payload == b"now"
    down = [message for message in cloud.wire if message.direction is Direction.DOWN and not message.note]
    assert [message.payload for message in down] == [b"0", b"1", b"2", b"now"]


async def test_implicit_subscriptions_are_kept(gateway: CloudDevice, connect: Connect, call: Call) -> None:
    """And those that the device has ended."""
    first = await connect(clean_session=False)
    await first.unsubscribe(f"/sys/{KEY}/{NAME}/thing/service/+")
    await _offline(first, gateway)
    await _publish(call, "kept")
    await _publish(call, "ended", f"/sys/{KEY}/{NAME}/thing/service/RunScene")
    again = await connect(clean_session=False)
    assert (await again.receive()).payload == b"kept"
    await again.barrier()
    assert again.messages.empty()


async def test_clean_session_forgets(gateway: CloudDevice, connect: Connect, call: Call) -> None:
    """The session that was kept, and its own."""
    await _offline(await connect(clean_session=False), gateway)
    await _publish(call, "forgotten")
    clean = await connect(parameters="_ss=1")
    assert not clean.session_present
    await clean.barrier()
    assert clean.messages.empty()
    await _offline(clean, gateway)
    await _publish(call, "lost")
    last = await connect(clean_session=False)
    assert not last.session_present
    await last.barrier()
    assert last.messages.empty()


async def test_unacknowledged_messages_are_sent_again(
    cloud: Simulator, gateway: CloudDevice, connect: Connect, call: Call
) -> None:
    """Marked as duplicates; also if the device has not lost the older connection itself."""
    first = await connect(clean_session=False)
    cloud.faults.set(freeze=NAME)
    await _publish(call, "frozen")
    again = await connect(clean_session=False)
    await first.closed.wait()
    assert again.session_present
    message = await again.receive()
    assert (message.payload, message.duplicate) == (b"frozen", True)
    await again.barrier()
    third = await connect(clean_session=False)
    await third.barrier()
    assert third.messages.empty()


async def test_more_messages_than_may_be_in_flight(gateway: CloudDevice, connect: Connect, call: Call) -> None:
    """The device gets all of them, as it acknowledges."""
    await _offline(await connect(clean_session=False), gateway)
    for number in range(250):
        await _publish(call, f"{number}")
    again = await connect(clean_session=False)
    assert [(await again.receive()).payload for _ in range(250)] == [b"%d" % number for number in range(250)]


async def test_messages_are_kept_for_a_week(
    gateway: CloudDevice, connect: Connect, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older ones are forgotten."""
    await _offline(await connect(clean_session=False), gateway)
    await _publish(call, "old")
    monkeypatch.setattr(mqtt_session, "KEPT_SECONDS", -1.0)
    again = await connect(clean_session=False)
    await again.barrier()
    assert again.messages.empty()


async def test_sub_devices_have_sessions_too(
    cloud: Simulator, hub: Gateway, lamps: list[CloudDevice], call: Call
) -> None:
    """`cleanSession` of the login; SDKs say false."""
    topic = f"/sys/{SUB_KEY}/lamp-0/thing/service/property/set"
    lamp = {"ProductKey": SUB_KEY, "TopicFullName": topic, "MessageContent": "e30=", "Qos": 1}
    await hub.add(*[(SUB_KEY, f"lamp-{number}") for number in range(2)])
    entries = [
        signed_entry((SUB_KEY, f"lamp-{number}"), cleanSession=text) for number, text in enumerate(("false", "true"))
    ]
    await hub.session("batch_login", {"deviceList": entries})
    await hub.session("batch_logout", [{"productKey": SUB_KEY, "deviceName": f"lamp-{number}"} for number in range(2)])
    await call("Pub", **lamp)
    await call("Pub", **lamp | {"TopicFullName": topic.replace("lamp-0", "lamp-1")})
    assert [message.note for message in cloud.wire][-2:] == [Note.QUEUED, Note.OFFLINE]
    hub.device.publish(f"/ext/session/{hub.pair}/combine/batch_login", {"id": "1", "params": {"deviceList": entries}})
    received = [(await hub.receive()).topic for _ in range(2)]
    assert sorted(received) == sorted([topic, f"/ext/session/{hub.pair}/combine/batch_login_reply"])
    notes = [message.note for message in cloud.wire if message.note.startswith("logged in")]
    assert [note.endswith("session present") for note in notes] == [False, False, True, False]


async def test_commands_to_an_offline_device_still_fail(gateway: CloudDevice, connect: Connect, call: Call) -> None:
    """The API refuses them; nothing is kept."""
    await _offline(await connect(clean_session=False), gateway)
    assert (await call("SetDeviceProperty", Items={"LightSwitch": 1}))["Code"] == "9201"
