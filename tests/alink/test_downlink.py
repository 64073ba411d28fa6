"""Commands that come twice, all at once, or at the worst moment: one answer for each delivery, one run for each command."""

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
from simulator.packets import publish as publish_packet

from ..waiting import until
from .conftest import ALINK, NewLink, Owner, call, config_for, obeys, publish, reply_to, sent, works
from .scripted import ScriptedHost


async def test_a_second_delivery_is_answered_but_not_carried_out(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """The platform delivers at least once; the second answer is the first one again."""
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


async def test_a_second_delivery_during_the_first(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """As long as the command runs, its second delivery waits for the same outcome."""
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


async def test_the_same_id_with_another_wish_is_another_command(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Ids are not unique enough to refuse a command by its id alone."""
    for value in (1, 0):
        await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {"LightSwitch": %d}}' % value)
    await until(lambda: len(sent(cloud, f"{link.device.topics.property_set}_reply")) == 2)
    assert [one.params for one in owner.commands] == [{"LightSwitch": 1}, {"LightSwitch": 0}]


async def test_memory_is_bounded(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many commands are remembered, and the oldest is forgotten first."""
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


async def test_memory_is_bounded_behind_a_command_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not answered yet is not forgotten, but all that came after it is."""
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
    """A host with one id for all commands may repeat a command on purpose, when its effect was undone in the house."""
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


async def test_a_command_without_a_place_for_its_answer(owner: Owner) -> None:
    """It is carried out all the same."""
    memory = DownlinkMemory()
    downlink = Downlink(owner.obey, memory)
    downlink.received(Route(CommandKind.SERVICE, "Restart"), Delivery("/topic", b'{"id": "1"}'))
    await until(lambda: owner.commands and not downlink._running)
    await asyncio.sleep(0)
    assert not len(memory.answers)


@pytest.mark.usefixtures("unlimited")
async def test_too_many_at_once(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """A flood is answered, not queued; as soon as there is room, commands run again."""
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
    """On, off and on again are three commands; only the same packet with MQTT's DUP flag is a second delivery."""
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
    """Its answer said that it may be, so it must not be answered from memory."""

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
    """A flood that nobody can answer is not carried out."""
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


async def test_a_slow_command_holds_nobody_up(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """While one command takes its time, others are carried out and requests are answered."""
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


async def test_a_handler_that_raises(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug of ours is an answer too, and the details stay at home."""

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


async def test_a_handler_whose_work_is_cancelled(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Somebody may cancel what the handler waits for; the sender still gets an answer."""

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
async def test_answers_that_cannot_be_sent(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, answer: Answer
) -> None:
    """The caller hears that there is an answer which can't be put in words."""

    async def act(_command: Command) -> Answer:
        return answer

    owner.act = act
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert reply.code == Code.INTERNAL_ERROR
    assert reply.message.startswith("the answer cannot be sent")


async def test_a_failure_too_long_to_be_told_stays_that_failure(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Thousands of unknown identifiers fill a message twice over; the code survives what the words do not."""

    async def refuse(_command: Command) -> Answer:
        return Answer(Code.UNKNOWN, {"x" * MAX_PAYLOAD: "unknown"}, "unknown")

    owner.act = refuse
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert (reply.code, reply.data) == (Code.UNKNOWN, {})


async def test_commands_after_a_pause(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """A link that was stopped and started again carries commands out as before."""
    assert await obeys(cloud, device)
    await link.stop()
    link.start()
    await link.wait_online(5)
    assert await obeys(cloud, device)


async def test_more_properties_than_a_message_holds_are_refused(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """The platform sends 200 at most; more would only make the answer endless."""
    items = {f"P{number}": 1 for number in range(201)}
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items=items))
    assert (reply.code, "200" in reply.message) == (Code.PARAMETER_ERROR, True)
    assert not owner.commands
