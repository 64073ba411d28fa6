"""Commands that are delivered twice or all at once: each delivery is answered, and each command is carried out once."""

import asyncio
import json
import math

import pytest

from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Answer, Command, CommandKind, Route
from custom_components.aliyun_iot.alink.downlink import MAX_RUNNING, Downlink, DownlinkMemory, _Recent
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.messages import MAX_PAYLOAD
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery
from simulator import CloudDevice, Simulator
from simulator.broker.packets import publish as publish_packet

from ..waiting import until
from .conftest import ALINK, NewLink, Owner, call, config_for, obeys, publish, reply_to, sent, works
from .scripted import ScriptedHost


async def test_second_delivery_is_answered_but_not_carried_out(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """The platform delivers at least once; both get the same answer."""
    outcomes = iter([Answer(data={"first": 1}), Answer(data={"second": 2})])

    async def act(_command: Command) -> Answer:
        return next(outcomes)

    owner.act = act
    cloud.faults.set(duplicate_downlink=1)
    await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
    (command,) = device.service_calls
    await device.wait_for(lambda _: len(command.replies) == 2)
    assert [reply.data for reply in command.replies] == [{"first": 1}, {"first": 1}]
    assert len(owner.commands) == 1


async def test_second_delivery_waits_for_the_outcome_of_the_first(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """While the command still runs."""
    finish = asyncio.Event()

    async def act(_command: Command) -> Answer:
        await finish.wait()
        return Answer()

    owner.act = act
    cloud.faults.set(duplicate_downlink=1)
    await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
    await until(lambda: owner.commands)
    await publish(cloud, link.device.topics.property_set, owner.commands[0].payload)
    finish.set()
    (command,) = device.service_calls
    await device.wait_for(lambda _: len(command.replies) == 3)
    assert len(owner.commands) == 1


async def test_same_id_with_other_params_is_another_command(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Ids are not always unique."""
    for value in (1, 0):
        await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {"LightSwitch": %d}}' % value)
    await until(lambda: len(sent(cloud, f"{link.device.topics.property_set}_reply")) == 2)
    assert [one.params for one in owner.commands] == [{"LightSwitch": 1}, {"LightSwitch": 0}]


async def test_memory_is_bounded(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest command is forgotten first."""
    monkeypatch.setattr(f"{ALINK}.downlink.REMEMBERED", 3)
    payloads = [json.dumps({"id": number, "params": {}}).encode() for number in range(4)]
    for number, payload in enumerate(payloads, 1):
        await publish(cloud, link.device.topics.property_set, payload)
        await until(lambda number=number: len(owner.commands) == number)
    await publish(cloud, link.device.topics.property_set, payloads[-1])
    await publish(cloud, link.device.topics.property_set, payloads[0])
    await until(lambda: len(sent(cloud, f"{link.device.topics.property_set}_reply")) == len(payloads) + 2)
    assert len(owner.commands) == len(payloads) + 1
    assert owner.commands[-1].id == "0"


async def test_running_command_is_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later commands that have ended are."""
    monkeypatch.setattr(f"{ALINK}.downlink.REMEMBERED", 3)
    recent = _Recent()
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    answered.set_result(Answer())
    open_still: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    recent.keep(("/slow", "", b""), open_still)
    for number in range(10):
        recent.keep((f"/{number}", "", b""), answered)
    assert len(recent._seen) == len(recent._newest) == 3
    assert recent.find(("/slow", "", b""), again=False) is open_still
    assert recent.find(("/9", "", b""), again=False) is answered
    assert recent.find(("/1", "", b""), again=True) is None


@pytest.mark.parametrize(
    ("outdated", "marked", "runs"),
    [("UNMARKED_FOR", True, 1), ("UNMARKED_FOR", False, 2), ("REMEMBERED_FOR", True, 2)],
    ids=["after a while, with DUP", "after a while, without DUP", "after minutes"],
)
async def test_second_delivery_is_recognised_for_a_limited_time(
    new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch, *, outdated: str, marked: bool, runs: int
) -> None:
    """A host with one id for all commands may repeat a command on purpose, for example when it was undone by hand."""
    monkeypatch.setattr(f"{ALINK}.downlink.{outdated}", -1)
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(5)
        for number, again in enumerate((False, marked), 1):
            packet = publish_packet(
                link.device.topics.property_set, b'{"id": 1, "params": {}}', packet_id=number, duplicate=again
            )
            host.send(packet)
            await until(lambda: len(host.published) == number)  # noqa: B023 - used at once
        assert len(owner.commands) == runs


async def test_command_without_a_reply_topic_is_carried_out(owner: Owner) -> None:
    """Nothing is sent."""
    memory = DownlinkMemory()
    downlink = Downlink(owner.obey, memory)
    downlink.received(Route(CommandKind.SERVICE, "Restart"), Delivery("/topic", b'{"id": "1"}'))
    await until(lambda: owner.commands and not downlink._running)
    await asyncio.sleep(0)
    assert not len(memory.answers)


@pytest.mark.usefixtures("unlimited")
async def test_too_many_commands_at_once_are_refused(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """They are answered, not queued; commands run again when others have ended."""
    finish = asyncio.Event()

    async def act(_command: Command) -> Answer:
        await finish.wait()
        return Answer()

    owner.act = act
    for number in range(MAX_RUNNING + 5):
        await call(cloud, "SetDeviceProperty", Items={"Brightness": number})
    calls = list(device.service_calls)
    await device.wait_for(lambda _: sum(one.reply is not None for one in calls) == 5)
    assert {one.reply.code for one in calls if one.reply} == {Code.TOO_BUSY}

    finish.set()
    await device.wait_for(lambda _: all(one.reply for one in calls))
    assert sorted(one.reply.code for one in calls if one.reply) == [200] * MAX_RUNNING + [429] * 5
    assert len(owner.commands) == MAX_RUNNING
    assert await works(cloud, device)


async def test_host_with_one_id_for_every_command(new_link: NewLink, owner: Owner) -> None:
    """On, off and on are three commands; only MQTT's DUP flag marks an older one as a second delivery."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(5)
        on, off = (b'{"id": "1", "params": {"LightSwitch": %d}}' % value for value in (1, 0))
        for number, (payload, again) in enumerate([(on, False), (off, False), (on, False), (off, True)], 1):
            packet = publish_packet(link.device.topics.property_set, payload, packet_id=number, duplicate=again)
            host.send(packet)
        await until(lambda: len(host.published) == 4)
        assert [one.payload for one in owner.commands] == [on, off, on]
        assert [json.loads(one.payload)["code"] for one in host.published] == [Code.SUCCESS] * 4


async def test_command_that_was_given_up_can_be_sent_again(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Its answer asked to try again later, so it is carried out."""

    async def never(_command: Command) -> Answer:
        await asyncio.Event().wait()
        return Answer()

    owner.act = never
    await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {}}')
    await until(lambda: owner.commands)
    await link.stop()
    link.start()
    await link.wait_online(5)
    owner.act = Owner().act
    await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {}}')
    replies = f"{link.device.topics.property_set}_reply"
    await until(lambda: len(sent(cloud, replies)) == 2)
    assert [json.loads(one.payload)["code"] for one in sent(cloud, replies)] == [Code.TOO_BUSY, Code.SUCCESS]


async def test_commands_are_refused_while_too_many_answers_wait(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They could not be answered in time."""
    monkeypatch.setattr(f"{ALINK}.downlink.MAX_QUEUED", 0)
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert (reply.code, owner.commands) == (Code.TOO_BUSY, [])


async def test_commands_carried_out_before_a_reload_are_not_repeated(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """The next link of the device has the memory of the first."""
    memory = DownlinkMemory()
    for number in (1, 2):
        link = new_link(config, memory=memory)
        await link.wait_online(5)
        await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {}}')
        await until(lambda: len(sent(cloud, f"{link.device.topics.property_set}_reply")) == number)  # noqa: B023
        await link.stop()
    assert len(owner.commands) == 1


async def test_slow_command_does_not_delay_others(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Other commands are carried out, and requests get replies."""
    finish = asyncio.Event()

    async def act(command: Command) -> Answer:
        if command.params == {"Brightness": 1}:
            await finish.wait()
        return Answer()

    owner.act = act
    slow = await call(cloud, "SetDeviceProperty", Items={"Brightness": 1})
    assert await works(cloud, device)
    assert (await link.device.fetch_thing_model()).ok
    assert device.service_calls[0].reply is None
    finish.set()
    assert (await reply_to(device, slow)).code == 200


async def test_handler_that_raises_is_answered_without_details(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    """The details are only logged."""

    async def fail(_command: Command) -> Answer:
        raise RuntimeError("secret detail")

    owner.act = fail
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert reply.code == Code.INTERNAL_ERROR
    assert "secret detail" not in reply.message
    assert "secret detail" in caplog.text

    await publish(cloud, link.device.topics.raw_down, b"\x00")
    await until(lambda: len(owner.commands) == 2)
    owner.act = Owner().act
    assert await works(cloud, device)
    assert not device.raw_down_replies


async def test_handler_whose_work_is_cancelled_is_answered(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Only what it waits for is cancelled, not the handler itself."""

    async def wait_for_cancelled(_command: Command) -> Answer:
        work: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        work.cancel()
        return await work

    owner.act = wait_for_cancelled
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert reply.code == Code.INTERNAL_ERROR


@pytest.mark.parametrize(
    "answer",
    [
        Answer(data={"Energy": math.nan}),
        Answer(data={"Energy": object()}),  # type: ignore[dict-item]
        Answer(data={"Text": "x" * MAX_PAYLOAD}),
        Answer(message="\ud800"),
    ],
    ids=["NaN", "object", "too long", "half a character"],
)
async def test_answer_that_cannot_be_encoded_is_replaced(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, answer: Answer
) -> None:
    """The answer says that."""

    async def act(_command: Command) -> Answer:
        return answer

    owner.act = act
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert reply.code == Code.INTERNAL_ERROR
    assert reply.message.startswith("the answer cannot be sent")


async def test_failure_with_too_much_data_keeps_its_code(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Such as one that lists thousands of identifiers."""

    async def refuse(_command: Command) -> Answer:
        return Answer(Code.UNKNOWN, {"x" * MAX_PAYLOAD: "unknown"}, "unknown")

    owner.act = refuse
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert (reply.code, reply.data) == (Code.UNKNOWN, {})


async def test_commands_are_carried_out_after_a_restart_of_the_link(
    cloud: Simulator, device: CloudDevice, link: Link
) -> None:
    """Stopped and started again."""
    assert await obeys(cloud, device)
    await link.stop()
    link.start()
    await link.wait_online(5)
    assert await obeys(cloud, device)


async def test_more_properties_than_a_message_holds_are_refused(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """The platform sends 200 at most."""
    items = {f"P{number}": 1 for number in range(201)}
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items=items))
    assert (reply.code, "200" in reply.message) == (Code.PARAMETER_ERROR, True)
    assert not owner.commands
