"""User topics, and synchronous calls with any payload (docs/protocol.md §12.7)."""

import asyncio
import json

import pytest

from custom_components.aliyun_iot.alink.command import Answer, Command, CommandHandler, CommandKind
from custom_components.aliyun_iot.alink.errors import NotConnected
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.messages import MAX_PAYLOAD
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from simulator import CloudDevice, Simulator
from simulator.broker.packets import publish as publish_packet

from ..conftest import DEVICE_NAME, PRODUCT_KEY
from ..waiting import until
from .conftest import ALINK, NewLink, Owner, ask, config_for, publish, sent, works
from .scripted import ScriptedHost

USER = f"/{PRODUCT_KEY}/{DEVICE_NAME}/user"


def answering(raw: bytes | None) -> CommandHandler:
    """Return a handler that answers every command with these bytes."""

    async def act(_command: Command) -> Answer:
        return Answer(raw=raw)

    return act


# Device → cloud


@pytest.mark.parametrize("qos", [0, 1])
async def test_publish(cloud: Simulator, device: CloudDevice, link: Link, qos: int) -> None:
    """Any bytes arrive unchanged, on the topic and at the QoS."""
    await link.device.publish("update/error", b"\x00\xff", qos)
    await link.device.publish("update", b"", qos)
    await device.wait_for(lambda one: len(one.user_messages) == 2)
    assert [(one.topic, one.payload, one.qos) for one in device.user_messages] == [
        ("update/error", b"\x00\xff", qos),
        ("update", b"", qos),
    ]
    assert await works(cloud, device)


async def test_invalid_messages_are_not_published(device: CloudDevice, link: Link, config: LinkConfig) -> None:
    """The platform would silently drop them."""
    with pytest.raises(ValueError, match="wildcard"):
        await link.device.publish("+/get", b"")
    with pytest.raises(ValueError, match="empty level"):
        await link.device.publish("/../other", b"")
    with pytest.raises(ValueError, match="more than the"):
        await link.device.publish("update", bytes(MAX_PAYLOAD + 1))
    with pytest.raises(ValueError, match="QoS"):
        await link.device.publish("update", b"", 2)
    await link.device.publish("update", bytes(MAX_PAYLOAD))
    await device.wait_for(lambda one: bool(one.user_messages))
    assert [len(one.payload) for one in device.user_messages] == [MAX_PAYLOAD]

    offline = Link(config, on_command=Owner().obey, on_state=Owner().hear)
    with pytest.raises(NotConnected):
        await offline.device.publish("update", b"")


# Cloud → device


async def test_message_is_a_command_without_an_answer(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """It has the suffix of its topic; the handler's answer is not sent."""
    owner.act = answering(b"not sent")
    await link.device.listen_to_topics(["a/#"])
    await publish(cloud, f"{USER}/a/b", b"\x00\xff")
    await until(lambda: owner.commands)
    (command,) = owner.commands
    assert (command.kind, command.identifier, command.payload) == (CommandKind.MESSAGE, "a/b", b"\x00\xff")
    assert (command.id, command.sync, command.params, command.topic) == ("", False, None, f"{USER}/a/b")
    assert await works(cloud, device)
    assert not device.user_messages


async def test_same_message_twice_is_handled_twice(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """It has no id, and may be meant twice, such as a toggle."""
    await link.device.listen_to_topics(["get"])
    for _ in range(2):
        await publish(cloud, f"{USER}/get", b"toggle")
    await until(lambda: len(owner.commands) == 2)


@pytest.mark.parametrize("topic", [f"{USER}/get", f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/model/down_raw"])
async def test_data_with_the_dup_flag_is_handled_once(new_link: NewLink, owner: Owner, topic: str) -> None:
    """Only if the first delivery did not arrive."""

    def deliver(payload: bytes, packet_id: int, *, again: bool = False) -> None:
        host.send(publish_packet(topic, payload, packet_id=packet_id, duplicate=again))

    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        deliver(b"first", 1)
        deliver(b"first", 1, again=True)
        deliver(b"lost the first time", 2, again=True)
        deliver(b"first", 3)
        deliver(b"last", 4)
        await until(lambda: owner.commands and owner.commands[-1].payload == b"last")
        assert [one.payload for one in owner.commands] == [b"first", b"lost the first time", b"first", b"last"]


async def test_messages_do_not_displace_commands_from_memory(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second delivery of a command is recognised after many messages."""
    monkeypatch.setattr(f"{ALINK}.recent_commands.REMEMBERED_BYTES", 1500)
    await link.device.listen_to_topics(["get"])
    command = b'{"id": "5", "params": {"LightSwitch": 1}}'
    await publish(cloud, link.device.topics.property_set, command)
    for number in range(10):
        await publish(cloud, f"{USER}/get", b"%d" % number)
    await publish(cloud, link.device.topics.property_set, command)
    await until(lambda: len(sent(cloud, f"{link.device.topics.property_set}_reply")) == 2)
    assert [one.kind for one in owner.commands].count(CommandKind.PROPERTY_SET) == 1


# Synchronous calls


async def test_call_on_a_user_topic_is_answered(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """With the bytes of the answer, on the topic of the call and at QoS 0."""
    owner.act = answering(b"\x01\xfe")
    await link.device.listen_to_topics(["ask/+"])
    result = await ask(cloud, b"\x00\xff", f"{USER}/ask/this")
    assert (result["Success"], result["RrpcCode"], result["payload"]) == (True, "SUCCESS", b"\x01\xfe")
    (command,) = owner.commands
    assert (command.kind, command.identifier, command.payload) == (CommandKind.MESSAGE, "ask/this", b"\x00\xff")
    assert (command.sync, command.id) == (True, str(result["MessageId"]))
    (answer,) = sent(cloud, f"/ext/rrpc/{command.id}{USER}/ask/this")
    assert answer.qos == 0


@pytest.mark.parametrize("payload", [b"hello", b"\xff\x00", b"[1]", b'{"cmd": "on"}', b'{"id": 1, "code": 200}'])
async def test_call_without_a_topic_is_a_message(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, payload: bytes
) -> None:
    """If its payload is not an Alink request."""
    owner.act = answering(b"here")
    result = await ask(cloud, payload)
    assert (result["RrpcCode"], result["payload"]) == ("SUCCESS", b"here")
    (command,) = owner.commands
    assert (command.kind, command.identifier, command.sync) == (CommandKind.MESSAGE, None, True)
    assert (command.payload, command.id) == (payload, str(result["MessageId"]))


@pytest.mark.usefixtures("short_calls")
@pytest.mark.parametrize("topic", [None, f"{USER}/ask"])
async def test_call_without_an_answer_times_out(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, topic: str | None
) -> None:
    """Nothing is sent, and the platform tells the caller."""
    await link.device.listen_to_topics(["ask"])
    result = await ask(cloud, b"hello", topic)
    assert (result["Success"], result["RrpcCode"]) == (False, "TIMEOUT")
    assert len(owner.commands) == 1


@pytest.mark.usefixtures("short_calls")
async def test_call_whose_handler_fails_times_out(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    """There is no format for errors among bytes in the product's own format."""

    async def fail(_command: Command) -> Answer:
        raise RuntimeError("no")

    owner.act = fail
    assert (await ask(cloud, b"hello"))["RrpcCode"] == "TIMEOUT"
    assert "failed unexpectedly" in caplog.text


@pytest.mark.usefixtures("short_calls")
async def test_too_large_answer_is_not_sent(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    """The platform would silently drop it, so it is logged."""
    owner.act = answering(bytes(MAX_PAYLOAD + 1))
    assert (await ask(cloud, b"hello"))["RrpcCode"] == "TIMEOUT"
    assert "more than the platform takes" in caplog.text
    assert await works(cloud, device)


async def test_call_that_is_delivered_twice_is_carried_out_once(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Both deliveries are answered."""
    owner.act = answering(b"here")
    cloud.faults.set(duplicate_downlink=1)
    assert (await ask(cloud, b"hello"))["payload"] == b"here"
    (command,) = owner.commands
    answers = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/rrpc/response/{command.id}"
    await until(lambda: len(sent(cloud, answers)) == 2)
    assert len(owner.commands) == 1


@pytest.mark.parametrize("answer", [b"pong", b"ping"], ids=["another", "the same"])
async def test_answer_that_the_broker_returns_is_ignored(new_link: NewLink, owner: Owner, answer: bytes) -> None:
    """A plain MQTT broker returns the answer; answering it would never end."""
    owner.act = answering(answer)
    topic = f"/ext/rrpc/77{USER}/ask"
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port), user_topics=["ask"])
        await link.wait_online(30)
        host.publish(topic, b"ping")
        await until(lambda: len(host.published) == 1)
        host.publish(topic, host.published[0].payload)
        host.publish(f"/ext/rrpc/78{USER}/ask", b"ping")
        await until(lambda: len(host.published) == 2)
        assert [one.topic for one in host.published] == [topic, f"/ext/rrpc/78{USER}/ask"]
        assert len(owner.commands) == 2


async def test_user_topics_of_other_devices_are_ignored(new_link: NewLink, owner: Owner) -> None:
    """Even if the broker delivers messages on them."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port), user_topics=["#"])
        await link.wait_online(30)
        host.publish(f"/{PRODUCT_KEY}/other/user/get", b"1")
        host.publish(f"/other/{DEVICE_NAME}/user/get", b"2")
        host.publish(f"/ext/rrpc/1/{PRODUCT_KEY}/other/user/get", b"3")
        host.publish(f"{USER}/get", b"4")
        await until(lambda: owner.commands)
        assert [one.payload for one in owner.commands] == [b"4"]


async def test_too_many_messages_at_once_are_dropped(
    new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not queued, and keep no command from being carried out; later messages are handled again."""
    monkeypatch.setattr(f"{ALINK}.downlink.MAX_RUNNING", 3)
    finish = asyncio.Event()

    async def wait(command: Command) -> Answer:
        if command.is_data:
            await finish.wait()
        return Answer()

    owner.act = wait
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port), user_topics=["get"])
        await link.wait_online(30)
        for number in range(5):
            host.publish(f"{USER}/get", b"%d" % number)
        host.publish(link.device.topics.property_set, b'{"id": "1", "params": {"LightSwitch": 1}}')
        await until(lambda: host.published)
        assert json.loads(host.published[0].payload)["code"] == 200
        assert [one.payload for one in owner.commands[:-1]] == [b"0", b"1", b"2"]
        finish.set()
        await until(lambda: not link.device.downlink._running)
        owner.act = Owner().act
        host.publish(link.device.topics.property_set, b'{"id": "2", "params": {"LightSwitch": 1}}')
        await until(lambda: len(host.published) == 2)
        assert json.loads(host.published[1].payload)["code"] == 200
