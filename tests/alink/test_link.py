"""The life of a link: it connects, loses its connection, comes back, is refused, and stops without a trace."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
import gc
import json
from pathlib import Path
import time

import paho.mqtt.client as mqtt
import pytest

from custom_components.aliyun_iot.alink.commands import Answer, Command
from custom_components.aliyun_iot.alink.errors import (
    ClientRejected,
    ConnectError,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimeout,
    CredentialsRefused,
    KickedOut,
    NotConnected,
    ServerUnavailable,
)
from custom_components.aliyun_iot.alink.link import (
    FILTERS_PER_PACKET,
    Link,
    LinkConfig,
    LinkState,
    Sample,
    connect,
    probe,
)
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from .conftest import ALINK, NewLink, Owner, config_for, until
from .scripted import ScriptedHost

DEVICE = {"ProductKey": PRODUCT_KEY, "DeviceName": DEVICE_NAME}
SAMPLE = {"LightSwitch": Sample(1, 1_700_000_000_000)}

CONNECTING, ONLINE = LinkState.CONNECTING, LinkState.ONLINE
BACKING_OFF, AUTH_FAILED = LinkState.BACKING_OFF, LinkState.AUTH_FAILED
DISCONNECTED = LinkState.DISCONNECTED


def subscribed(cloud: Simulator) -> list[dict[str, int]]:
    """Return every SUBSCRIBE packet the cloud has seen, as filter → granted QoS or 0x80."""
    return [json.loads(message.payload) for message in cloud.wire if message.note == "subscribed"]


async def sets(cloud: Simulator, device: CloudDevice) -> int:
    """Let the cloud set a property and return the code of the answer."""
    answer = await cloud.call("SetDeviceProperty", **DEVICE, Items={"LightSwitch": 1})
    return (await device.wait_reply(answer["Data"]["MessageId"])).code


async def test_connects_signed_and_subscribes(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    """The cloud checks the signature, and knows which transport the device declared."""
    assert device.online
    assert owner.states == [CONNECTING, ONLINE]
    assert link.state is ONLINE
    assert link.last_error is None

    (client_id,) = [message.payload.decode() for message in cloud.wire if message.note == "connected"]
    assert client_id.startswith(f"{PRODUCT_KEY}.{DEVICE_NAME}|securemode=3,signmethod=hmacsha256,timestamp=")
    assert DEVICE_SECRET not in client_id + caplog.text + repr(link.config)


async def test_subscribes_in_packets_that_the_platform_takes(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig
) -> None:
    """Every service of the thing model is subscribed by name, eight filters a packet."""
    services = [f"Service{number}" for number in range(30)]
    link = new_link(config, services)
    await link.wait_online(5)

    packets = subscribed(cloud)
    assert max(map(len, packets)) == FILTERS_PER_PACKET
    granted = {topic: code for packet in packets for topic, code in packet.items()}
    assert set(granted) == set(link.topics.subscriptions(services))
    assert set(granted.values()) == {1}


async def test_refused_wildcards_are_not_fatal(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """Some instances take no wildcard in place of a service: what has a name is still served."""
    cloud.faults.set(refuse_wildcards=True)
    link = new_link(config, ["RunScene"])
    await link.wait_online(5)
    assert 0x80 in {code for packet in subscribed(cloud) for code in packet.values()}

    assert await sets(cloud, device) == 200
    answer = await cloud.call("InvokeThingService", **DEVICE, Identifier="RunScene", Args={"SceneName": "movie"})
    assert (await device.wait_reply(answer["Data"]["MessageId"])).code == 200
    assert [command.identifier for command in owner.commands] == [None, "RunScene"]


async def test_listens_to_new_services_without_reconnecting(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """A new thing model costs one more subscription, not the connection."""
    before = len(subscribed(cloud))
    await link.listen_to(["RunScene"])
    assert subscribed(cloud)[before:] == [{link.topics.service("RunScene"): 1}]
    await link.listen_to(["RunScene"])
    assert len(subscribed(cloud)) == before + 1
    assert device.connections == 1


@pytest.mark.usefixtures("impatient")
async def test_listens_to_new_services_after_the_next_connect(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig
) -> None:
    """What could not be subscribed now is subscribed with everything else."""
    async with ScriptedHost(acknowledges=False) as host:
        link = new_link(config_for(host.port))
        await until(lambda: len(host.received) > 1)
        listening = asyncio.create_task(link.listen_to(["RunScene"]))
        await until(lambda: len(host.received) > 2)
        host.hang_up()
        await listening

    offline = Link(config, on_command=Owner().obey, on_state=Owner().hear)
    await offline.stop()
    await offline.listen_to(["RunScene"])
    offline.start()
    await offline.wait_online(5)
    assert any(offline.topics.service("RunScene") in packet for packet in subscribed(cloud))
    await offline.stop()


@pytest.mark.usefixtures("impatient")
async def test_comes_back_after_a_dropped_connection(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Whoever waited for a reply is told, and the next request finds the link online again."""
    cloud.faults.set(lose_replies=1)
    waiting = asyncio.create_task(link.post_properties(SAMPLE))
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    cloud.faults.set(drop_connection=DEVICE_NAME)
    with pytest.raises(NotConnected):
        await waiting

    await until(lambda: owner.states[-2:] == [CONNECTING, ONLINE] and len(owner.states) > 2)
    assert owner.states == [CONNECTING, ONLINE, BACKING_OFF, CONNECTING, ONLINE]
    assert isinstance(owner.errors[2], ConnectionLost)
    assert link.last_error is None
    assert (await link.post_properties(SAMPLE)).ok
    assert await sets(cloud, device) == 200


@pytest.mark.usefixtures("impatient")
async def test_outlives_a_restart_of_the_cloud(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """As long as nothing listens, requests fail at once; as soon as something does, the link is back."""
    await cloud.stop()
    await until(lambda: isinstance(link.last_error, ConnectionRefused))
    with pytest.raises(NotConnected):
        await link.post_properties(SAMPLE)

    await cloud.start()
    await until(lambda: link.state is ONLINE)
    assert (await link.post_properties(SAMPLE)).ok
    assert await sets(cloud, device) == 200


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("code", "error", "state"),
    [
        (1, ClientRejected, BACKING_OFF),
        (2, ClientRejected, BACKING_OFF),
        (3, ServerUnavailable, BACKING_OFF),
        (4, CredentialsRefused, AUTH_FAILED),
        (5, CredentialsRefused, AUTH_FAILED),
    ],
)
async def test_refusals_are_told_apart_and_outlived(
    cloud: Simulator,
    device: CloudDevice,
    new_link: NewLink,
    config: LinkConfig,
    owner: Owner,
    code: int,
    error: type[ConnectError],
    state: LinkState,
) -> None:
    """Each CONNACK code has its class, and none of them is for ever."""
    cloud.faults.set(refuse_connect={"code": code, "count": 1})
    link = new_link(config)
    with pytest.raises(error):
        await link.wait_online(5)
    await until(lambda: link.state is ONLINE)
    assert owner.states == [CONNECTING, state, CONNECTING, ONLINE]
    assert isinstance(owner.errors[1], error)
    assert owner.errors[-1] is None


@pytest.mark.usefixtures("impatient")
async def test_a_disabled_device_comes_back_when_it_is_enabled(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Nobody has to restart anything after the device was disabled in the console for a while."""
    await cloud.call("DisableThing", **DEVICE)
    await until(lambda: link.state is AUTH_FAILED)
    assert isinstance(link.last_error, CredentialsRefused)
    await cloud.call("EnableThing", **DEVICE)
    await until(lambda: link.state is ONLINE)


@pytest.mark.usefixtures("impatient")
async def test_names_another_client_that_keeps_kicking_it_out(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, config: LinkConfig
) -> None:
    """The platform says nothing when a second client with the same triple connects; the link puts two and two together."""
    for kick in range(3):
        await until(lambda: link.state is ONLINE and device.connections == 2 * kick + 1)  # noqa: B023 - used at once
        rival = await connect(config, lambda _topic, _payload: None)
        await until(lambda: link.state is not ONLINE)
        await rival.close()
    await until(lambda: any(isinstance(error, KickedOut) for error in owner.errors))
    assert (
        owner.states[owner.errors.index(next(one for one in owner.errors if isinstance(one, KickedOut)))] is BACKING_OFF
    )
    await until(lambda: link.state is ONLINE)


@pytest.mark.usefixtures("impatient")
async def test_notices_a_half_open_connection(
    cloud: Simulator,
    device: CloudDevice,
    new_link: NewLink,
    config: LinkConfig,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the other side just goes silent, the keep-alive finds out."""
    monkeypatch.setattr(f"{ALINK}.transport.HOUSEKEEPING", 0.01)
    link = new_link(config)
    await link.wait_online(5)
    cloud.faults.set(freeze=DEVICE_NAME)
    with monkeypatch.context() as hurry:
        hurry.setattr(mqtt, "time_func", lambda: time.monotonic() * 1000)
        await until(lambda: link.state is not ONLINE)
    assert isinstance(owner.errors[2], ConnectionLost)
    await until(lambda: link.state is ONLINE)
    assert device.connections > 1


@pytest.mark.usefixtures("impatient")
async def test_a_cloud_that_does_not_acknowledge_subscriptions(
    new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without subscriptions there are no replies and no commands, so the link tries again."""
    monkeypatch.setattr(f"{ALINK}.link.SUBSCRIBE_TIMEOUT", 0.02)
    async with ScriptedHost(acknowledges=False) as host:
        new_link(config_for(host.port))
        await until(lambda: host.connections > 1)
        assert ONLINE not in owner.states
        assert isinstance(owner.errors[1], ConnectionLost)
        assert "subscriptions" in str(owner.errors[1])


async def test_waits_for_its_turn_to_connect(device: CloudDevice, new_link: NewLink, config: LinkConfig) -> None:
    """A sixth connect within a minute would be refused, so it is not made."""
    times = iter([0.0, 1.0, 2.0, 3.0, 4.0])
    config.pacer.clock = lambda: next(times, 5.0)
    for _ in range(5):
        await probe(config)
    link = new_link(config)
    with pytest.raises(ConnectTimeout):
        await link.wait_online(0.05)
    assert device.connections == 5
    assert link.state is DISCONNECTED


async def test_an_observer_that_fails(
    device: CloudDevice, config: LinkConfig, loop_errors: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    """Who only looks on can't stop the link."""

    def fail(_state: LinkState, _error: ConnectError | None) -> None:
        raise RuntimeError("not today")

    link = Link(config, on_command=Owner().obey, on_state=fail)
    link.start()
    await link.wait_online(5)
    assert (await link.post_properties(SAMPLE)).ok
    await link.stop()
    assert caplog.text.count("Cannot tell that gw-1 is") == 3


async def test_probe_leaves_nothing_connected(cloud: Simulator, device: CloudDevice, config: LinkConfig) -> None:
    """A test of the credentials connects, disconnects, and says what is wrong."""
    await probe(config)
    await device.wait_for(lambda one: one.connections == 1 and not one.online)

    cloud.faults.set(refuse_connect={"code": 5})
    with pytest.raises(CredentialsRefused):
        await probe(config)


# Stopping


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
    await cloud.call("SetDeviceProperty", **DEVICE, Items={"LightSwitch": 1})
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
