"""Stopping a link, whatever it is doing: nothing of it stays behind."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
import gc
from pathlib import Path

import pytest

from custom_components.aliyun_iot.alink.commands import Answer, Command
from custom_components.aliyun_iot.alink.errors import NotConnected
from custom_components.aliyun_iot.alink.link import Link, LinkConfig, LinkState, Sample
from simulator import CloudDevice, Simulator

from ..waiting import until
from .conftest import NewLink, Owner, call, config_for
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
    """Return what closes the hosts of a test."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.mark.parametrize("phase", [_opening, _accepting, _subscribing, _backing_off, _refused, _online])
async def test_stops_in_every_phase_without_a_trace(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, owner: Owner, stack: AsyncExitStack, phase: Phase
) -> None:
    """No task, no socket, no reader and no timer stays behind, and it can be started again."""
    config, reached = await phase(stack, cloud)
    before = _traces()
    link = new_link(config)
    await until(lambda: reached(link))
    await link.stop()
    assert owner.states[-1] is DISCONNECTED
    assert link.state is DISCONNECTED
    await until(lambda: all(now <= then for now, then in zip(_traces(), before, strict=True)))
    with pytest.raises(NotConnected):
        await link.post_properties(SAMPLE)

    await link.stop()
    link.start()
    await until(lambda: reached(link))
    await link.stop()


async def test_online_again_after_stop(device: CloudDevice, link: Link) -> None:
    """Who stopped a link can start it and wait for it as if it were new."""
    await link.stop()
    await device.wait_for(lambda one: not one.online)
    link.start()
    await link.wait_online(5)
    assert device.online


async def test_starting_twice_is_starting_once(device: CloudDevice, link: Link) -> None:
    """Two dialogues that had it step aside may both start it again; a second task could never be stopped."""
    link.start()
    tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("Aliyun link")]
    assert len(tasks) == 1
    assert device.connections == 1


async def test_stopping_gives_up_commands_and_requests(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """A command that is still running is cancelled, a request that waits is told."""
    given_up = asyncio.Event()

    async def never(_command: Command) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return Answer()

    owner.act = never
    await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
    await until(lambda: owner.commands)
    cloud.faults.set(lose_replies=1)
    waiting = asyncio.create_task(link.post_properties(SAMPLE))
    await device.wait_for(lambda one: "LightSwitch" in one.properties)

    await link.stop()
    assert given_up.is_set()
    with pytest.raises(NotConnected):
        await waiting
    assert device.service_calls[0].reply is None


def _traces() -> tuple[int, int]:
    """Count open files and what the loop watches."""
    gc.collect(0)
    return len(list(Path("/dev/fd").iterdir())), len(asyncio.get_running_loop()._selector.get_map())
