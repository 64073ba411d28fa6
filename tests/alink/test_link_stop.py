"""Stopping a link in every phase, with requests, commands and answers pending."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
import contextlib
from contextlib import AsyncExitStack
import gc
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Answer, Command, CommandKind, Route
from custom_components.aliyun_iot.alink.downlink import Downlink, DownlinkMemory
from custom_components.aliyun_iot.alink.errors import ConnectionLost, NotConnected
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.pacing import CONNECTS_PER_WINDOW, ConnectPacer, RateLimit
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery
from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.alink.session import Session
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME
from ..waiting import until
from .conftest import ALINK, TRIPLE, NewLink, Owner, ask, call, config_for, obeys, reply_to
from .scripted import ScriptedHost

SAMPLE = {"LightSwitch": Sample(1, 1_700_000_000_000)}

CONNECTING, ONLINE = LinkState.CONNECTING, LinkState.ONLINE
BACKING_OFF, AUTH_FAILED = LinkState.BACKING_OFF, LinkState.AUTH_FAILED
DISCONNECTED = LinkState.DISCONNECTED


async def _opening(stack: AsyncExitStack, _cloud: Simulator) -> tuple[LinkConfig, Callable[[Link], bool]]:
    host = await stack.enter_async_context(ScriptedHost(connack=b""))
    return config_for(host.port), lambda link: link.state is CONNECTING


async def _accepting(stack: AsyncExitStack, _cloud: Simulator) -> tuple[LinkConfig, Callable[[Link], bool]]:
    host = await stack.enter_async_context(ScriptedHost(connack=b""))
    return config_for(host.port), lambda _link: bool(host.received)


async def _subscribing(stack: AsyncExitStack, _cloud: Simulator) -> tuple[LinkConfig, Callable[[Link], bool]]:
    host = await stack.enter_async_context(ScriptedHost(acknowledges=False))
    return config_for(host.port), lambda _link: len(host.received) > 1


async def _backing_off(_stack: AsyncExitStack, _cloud: Simulator) -> tuple[LinkConfig, Callable[[Link], bool]]:
    return config_for(1), lambda link: link.state is BACKING_OFF


async def _refused(_stack: AsyncExitStack, cloud: Simulator) -> tuple[LinkConfig, Callable[[Link], bool]]:
    cloud.faults.set(refuse_connect={"code": 4})
    return config_for(cloud.port), lambda link: link.state is AUTH_FAILED


async def _online(_stack: AsyncExitStack, cloud: Simulator) -> tuple[LinkConfig, Callable[[Link], bool]]:
    return config_for(cloud.port), lambda link: link.state is ONLINE


type Phase = Callable[[AsyncExitStack, Simulator], Awaitable[tuple[LinkConfig, Callable[[Link], bool]]]]


@pytest.fixture
async def stack() -> AsyncGenerator[AsyncExitStack]:
    """Return the exit stack that closes the hosts of a test."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.mark.parametrize("phase", [_opening, _accepting, _subscribing, _backing_off, _refused, _online])
async def test_stop_releases_everything_in_every_phase(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, owner: Owner, stack: AsyncExitStack, phase: Phase
) -> None:
    """No task, socket, reader or timer is left, and the link can be started again."""
    config, reached = await phase(stack, cloud)
    before = _traces()
    link = new_link(config)
    await until(lambda: reached(link))
    await link.stop()
    assert owner.states[-1] is DISCONNECTED
    assert link.state is DISCONNECTED
    await until(lambda: all(now <= then for now, then in zip(_traces(), before, strict=True)))
    with pytest.raises(NotConnected):
        await link.device.post_properties(SAMPLE)

    await link.stop()
    link.start()
    await until(lambda: reached(link))
    await link.stop()


async def test_stopped_link_can_be_started_again(device: CloudDevice, link: Link) -> None:
    """It behaves like a new one."""
    await link.stop()
    await device.wait_for(lambda one: not one.online)
    link.start()
    await link.wait_online(30)
    assert device.online


@pytest.mark.parametrize("begun", [True, False])
async def test_stop_ends_waiting_for_the_connection(device: CloudDevice, new_link: NewLink, *, begun: bool) -> None:
    """Also while the link may not connect yet, and before its task has begun."""
    config = LinkConfig(TRIPLE, config_for(1).endpoint, pacer=ConnectPacer(lambda: 0.0))
    for _ in range(CONNECTS_PER_WINDOW):
        config.pacer.connected()
    link = new_link(config)
    waiting = asyncio.create_task(link.wait_online(60))
    if begun:
        await asyncio.sleep(0)
    await link.stop()
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(waiting, 5)


async def test_starting_a_running_link_does_nothing(device: CloudDevice, link: Link) -> None:
    """Two dialogues that stopped it may both start it again; a second task could never be stopped."""
    link.start()
    tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("Aliyun link")]
    assert len(tasks) == 1
    assert device.connections == 1


async def test_stop_gives_up_commands_and_requests(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """A running command is cancelled and answered, and a request that waits fails."""
    given_up = asyncio.Event()

    async def never(_command: Command) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return Answer()

    owner.act = never
    answer = await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
    await until(lambda: owner.commands)
    cloud.faults.set(lose_replies=1)
    waiting = asyncio.create_task(link.device.post_properties(SAMPLE))
    await device.wait_for(lambda one: "LightSwitch" in one.properties)

    await link.stop()
    assert given_up.is_set()
    with pytest.raises(NotConnected):
        await waiting
    reply = await reply_to(device, answer)
    assert (reply.code, "given the command up" in reply.message) == (Code.TOO_BUSY, True)
    assert device.service_calls[0].replies == [reply]


async def test_answers_that_wait_at_the_stop_are_sent_by_the_next_link(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """Each of sixty commands is answered exactly once: as many as the rate allows before the stop, the others afterwards."""
    memory = DownlinkMemory()
    memory.answers._limit, memory.answers._flow = RateLimit(10, period=0.2), RateLimit(10, period=0.2)
    link = new_link(config, memory=memory)
    await link.wait_online(30)
    for number in range(60):
        await call(cloud, "SetDeviceProperty", Items={"Brightness": number})
    await until(lambda: len(owner.commands) == 60)
    before = sum(bool(one.replies) for one in device.service_calls)
    await link.stop()
    await device.wait_for(lambda one: not one.online)
    at_the_stop = sum(bool(one.replies) for one in device.service_calls)
    assert before < at_the_stop < 60
    assert len(memory.answers) == 60 - at_the_stop

    next_link = new_link(config, memory=memory)
    await next_link.wait_online(30)
    await until(lambda: not len(memory.answers))
    assert await obeys(cloud, device)
    assert [[reply.code for reply in one.replies] for one in device.service_calls] == [[Code.SUCCESS]] * 61
    assert len(owner.commands) == 61


@pytest.mark.usefixtures("short_calls")
async def test_stop_answers_synchronous_commands_at_once(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """A synchronous service is answered with the code, a synchronous message not at all; neither delays the stop."""

    async def stubborn(_command: Command) -> Answer:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)
        return Answer(raw=b"too late")

    owner.act = stubborn
    service = asyncio.create_task(call(cloud, "InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1}))
    message = asyncio.create_task(ask(cloud, b"hello"))
    await until(lambda: len(owner.commands) == 2)
    await link.stop()
    assert (await service)["Code"] == str(Code.TOO_BUSY)
    assert (await message)["RrpcCode"] == "TIMEOUT"
    assert not any(one.payload == b"too late" for one in cloud.wire)


async def test_commands_are_refused_while_the_link_stops(owner: Owner) -> None:
    """When the link is started again they are carried out."""
    memory = DownlinkMemory()
    downlink = Downlink(owner.obey, memory, lambda: None)
    where = Route(CommandKind.PROPERTY_SET, None, "/reply")
    command = Delivery("/set", b'{"id": "1", "params": {"LightSwitch": 1}}')
    downlink.give_up()
    downlink.received(where, command)
    downlink.received(Route(CommandKind.MESSAGE, "ask", "/ask", "7"), Delivery("/ask", b"hello"))
    assert [(topic, answer["code"]) for topic, answer in waiting(memory)] == [("/reply", Code.TOO_BUSY)]
    assert not owner.commands

    downlink.resume()
    downlink.received(where, command)
    await until(lambda: len(memory.answers) == 2)
    assert waiting(memory)[0][1]["code"] == Code.SUCCESS


async def test_command_that_comes_after_the_last_answers_has_not_come(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No refusal could be sent any more, so the command is ignored and not kept as one that was answered."""
    received: list[Delivery] = []
    monkeypatch.setattr(Downlink, "received", lambda _downlink, _route, delivery: received.append(delivery))
    close = Session.close

    async def close_later(session: Session) -> None:
        await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
        await asyncio.sleep(0.05)
        await close(session)

    monkeypatch.setattr(Session, "close", close_later)
    await link.stop()
    assert [one.identifier for one in device.service_calls] == ["set"]
    assert not received
    monkeypatch.undo()

    link.start()
    await link.wait_online(30)
    assert await obeys(cloud, device)


async def test_command_that_was_given_up_is_not_answered_twice(owner: Owner) -> None:
    """Also when it ignores that it is cancelled, and ends later."""
    finish = asyncio.Event()

    async def stubborn(_command: Command) -> Answer:
        while not finish.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await finish.wait()
        return Answer()

    owner.act = stubborn
    memory = DownlinkMemory()
    downlink = Downlink(owner.obey, memory, lambda: None)
    downlink.received(
        Route(CommandKind.PROPERTY_SET, None, "/reply"), Delivery("/set", b'{"id": "1", "params": {"LightSwitch": 1}}')
    )
    await until(lambda: owner.commands)
    for _ in range(2):
        downlink.give_up()
        await asyncio.sleep(0)
    finish.set()
    await until(lambda: not downlink._running)
    assert [answer["code"] for _, answer in waiting(memory)] == [Code.TOO_BUSY]


async def test_command_can_stop_the_link(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """A service may reload the integration: its caller gets an answer, and the link stops."""

    async def stop(_command: Command) -> Answer:
        await link.stop()
        return Answer()

    owner.act = stop
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1}))
    assert reply.code == Code.TOO_BUSY
    await until(lambda: link.state is DISCONNECTED)
    await device.wait_for(lambda one: not one.online)
    link.start()
    await link.wait_online(30)
    owner.act = Owner().act
    assert await obeys(cloud, device)


async def test_stop_does_not_wait_for_a_host_that_does_not_read(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last answers can't be delivered."""
    monkeypatch.setattr(f"{ALINK}.mqtt.transport.DISCONNECT_GRACE", 0.01)

    async def never(_command: Command) -> Answer:
        await asyncio.Event().wait()
        return Answer()

    owner.act = never
    await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
    await until(lambda: owner.commands)
    cloud.faults.set(freeze=DEVICE_NAME)
    await link.stop()
    assert link.state is DISCONNECTED
    assert device.service_calls[0].reply is None


def waiting(memory: DownlinkMemory) -> list[tuple[str, dict[str, Any]]]:
    """Return topic and content of the queued answers."""
    queued = [*memory.answers._others, *memory.answers._lesser]
    return [(answer.topic, json.loads(answer.payload)) for answer in queued]


def _traces() -> tuple[int, int]:
    """Return the numbers of open files and of the files that the loop watches."""
    gc.collect(0)
    return len(list(Path("/dev/fd").iterdir())), len(asyncio.get_running_loop()._selector.get_map())
