"""Commands that are delivered twice or all at once: each delivery is answered, and each command is carried out once."""

import asyncio
import json
import math
from types import SimpleNamespace

import pytest

from custom_components.aliyun_iot.alink.answers import MAX_LESSER, MAX_URGENT
from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Answer, Command, CommandKind, Route
from custom_components.aliyun_iot.alink.downlink import MAX_DELIVERIES, MAX_RUNNING, Downlink, DownlinkMemory
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.messages import MAX_PAYLOAD
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery
from custom_components.aliyun_iot.alink.recent_commands import REMEMBERED_FOR, RecentCommands
from simulator import CloudDevice, Simulator
from simulator.broker.packets import publish as publish_packet

from ..waiting import until
from .clocks import Clock
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


def remembered(recent: RecentCommands, number: int, payload: bytes = b"") -> None:
    """Let a command be carried out and answered."""
    key = (f"/{number}", "7", b"")
    recent.settle(key, recent.keep(key), 200, payload)


def test_commands_are_remembered_for_minutes_whatever_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand others in five minutes are within the bytes; after the time all of them are forgotten."""
    recent = RecentCommands()
    clock = Clock()
    monkeypatch.setattr(f"{ALINK}.recent_commands.time", SimpleNamespace(monotonic=clock))
    for number in range(10_000):
        remembered(recent, number, b'{"id":"7","code":200,"data":{},"message":"success"}')
        clock.now += 0.029
    assert recent.find(("/0", "7", b""), again=True)
    clock.now += REMEMBERED_FOR
    assert recent.find(("/9999", "7", b""), again=True) is None
    remembered(recent, -1)
    assert len(recent._seen) == len(recent._newest) == 1
    assert recent._bytes == sum(outcome.bytes for outcome in recent._seen.values()) < 1000


def test_bytes_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long answers are dropped first, and a second delivery is told so; then the oldest commands; never one that runs."""
    monkeypatch.setattr(f"{ALINK}.recent_commands.REMEMBERED_BYTES", 100_000)
    recent = RecentCommands()
    running = recent.keep(("/slow", "7", b""))
    for number in range(100):
        remembered(recent, number, b"x" * 10_000)
    assert recent._bytes <= 100_000
    first = recent.find(("/0", "7", b""), again=True)
    assert first
    told = json.loads(first.payload or b"")
    assert (told["id"], told["code"]) == ("7", 200)
    assert "no longer kept" in told["message"]
    for number in range(1000):
        remembered(recent, number + 100, b"x" * 100)
    assert recent._bytes <= 100_000
    assert recent._bytes == sum(outcome.bytes for outcome in recent._seen.values())
    assert len(recent._newest) == len(recent._seen) > 100
    assert recent.find(("/0", "7", b""), again=True) is None
    assert recent.find(("/1099", "7", b""), again=True)
    assert recent.find(("/slow", "7", b""), again=False) is running


async def test_flood_of_second_deliveries_holds_nothing(owner: Owner) -> None:
    """While the command runs they share it, and get as many answers as are of use; afterwards theirs come after all others."""
    memory = DownlinkMemory()
    downlink = Downlink(owner.obey, memory, lambda: None)
    finish = asyncio.Event()

    async def act(_command: Command) -> Answer:
        await finish.wait()
        return Answer()

    owner.act = act
    route = Route(CommandKind.PROPERTY_SET, reply_to="/reply")
    for _ in range(10_000):
        downlink.received(route, Delivery("/set", b'{"id": "1", "params": {"P": 1}}', again=True))
    await until(lambda: owner.commands)
    assert len(downlink._running) == 1
    finish.set()
    await until(lambda: not downlink._running)
    assert len(owner.commands) == 1
    assert len(memory.answers) == MAX_DELIVERIES
    for _ in range(10_000):
        downlink.received(route, Delivery("/set", b'{"id": "1", "params": {"P": 1}}', again=True))
    assert len(memory.answers) == 1 + MAX_LESSER
    assert memory.answers.has_room(0, urgent=False)


@pytest.mark.parametrize(
    ("outdated", "marked", "runs"),
    [("UNMARKED_FOR", True, 1), ("UNMARKED_FOR", False, 2), ("REMEMBERED_FOR", True, 2)],
    ids=["after a while, with DUP", "after a while, without DUP", "after minutes"],
)
async def test_second_delivery_is_recognised_for_a_limited_time(
    new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch, *, outdated: str, marked: bool, runs: int
) -> None:
    """A host with one id for all commands may repeat a command on purpose, for example when it was undone by hand."""
    monkeypatch.setattr(f"{ALINK}.recent_commands.{outdated}", -1)
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        for number, again in enumerate((False, marked), 1):
            packet = publish_packet(
                link.device.topics.property_set,
                b'{"id": 1, "params": {"LightSwitch": 1}}',
                packet_id=number,
                duplicate=again,
            )
            host.send(packet)
            await until(lambda: len(host.published) == number)  # noqa: B023 - used at once
        assert len(owner.commands) == runs


async def test_command_without_a_reply_topic_is_carried_out(owner: Owner) -> None:
    """Nothing is sent."""
    memory = DownlinkMemory()
    downlink = Downlink(owner.obey, memory, lambda: None)
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
        await link.wait_online(30)
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
    await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {"LightSwitch": 1}}')
    await until(lambda: owner.commands)
    await link.stop()
    link.start()
    await link.wait_online(30)
    owner.act = Owner().act
    await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {"LightSwitch": 1}}')
    replies = f"{link.device.topics.property_set}_reply"
    await until(lambda: len(sent(cloud, replies)) == 2)
    assert [json.loads(one.payload)["code"] for one in sent(cloud, replies)] == [Code.TOO_BUSY, Code.SUCCESS]


async def test_commands_are_refused_while_too_many_answers_wait(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They could not be answered in time."""
    monkeypatch.setattr(f"{ALINK}.answers.MAX_QUEUED", 0)
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert (reply.code, owner.commands) == (Code.TOO_BUSY, [])


async def test_commands_carried_out_before_a_reload_are_not_repeated(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """The next link of the device has the memory of the first."""
    memory = DownlinkMemory()
    for number in (1, 2):
        link = new_link(config, memory=memory)
        await link.wait_online(30)
        await publish(cloud, link.device.topics.property_set, b'{"id": "5", "params": {"LightSwitch": 1}}')
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
    await link.wait_online(30)
    assert await obeys(cloud, device)


async def test_more_properties_than_a_message_holds_are_refused(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """The platform sends 200 at most."""
    items = {f"P{number}": 1 for number in range(201)}
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items=items))
    assert (reply.code, "200" in reply.message) == (Code.PARAMETER_ERROR, True)
    assert not owner.commands


async def test_devices_that_share_the_queue_expect_answers_together() -> None:
    """The sub-devices of a gateway have one queue: what one of them is about to answer leaves less room for the others."""
    release = asyncio.Event()

    async def wait(_command: Command) -> Answer:
        await release.wait()
        return Answer()

    memory = DownlinkMemory()
    overloads: list[int] = []
    downlinks = [Downlink(wait, memory, lambda number=number: overloads.append(number)) for number in range(2)]
    for number in range(MAX_URGENT):
        route_of_call = Route(CommandKind.SERVICE, "Run", f"/response/{number}", str(number))
        payload = json.dumps({"id": str(number), "params": {}}).encode()
        downlinks[0].received(route_of_call, Delivery(f"/request/{number}", payload))
    assert overloads == []
    route_of_call = Route(CommandKind.SERVICE, "Run", "/other/response/1", "1")
    downlinks[1].received(route_of_call, Delivery("/other/request/1", b'{"id":"1","params":{}}'))
    assert overloads == [1]
    release.set()
    for one in downlinks:
        await until(lambda one=one: not one._running)
    assert memory.expected == {True: 0}
