"""The link connects, reconnects after every kind of loss, and handles refusals."""

import asyncio
import json
import socket
import time
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from custom_components.aliyun_iot.alink.answers import Answers
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
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig, connect, probe
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint
from custom_components.aliyun_iot.alink.mqtt.sockets import open_socket
from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.alink.session import Session
from custom_components.aliyun_iot.alink.subscriptions import FILTERS_PER_PACKET, filters_for
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .conftest import ALINK, NewLink, Owner, call, config_for, is_back, obeys, reply_to
from .scripted import ACCEPTED, ScriptedHost

SAMPLE = {"LightSwitch": Sample(1, 1_700_000_000_000)}
GARBAGE = b"\xf0\x00"
"""Bytes that are not MQTT."""

CONNECTING, ONLINE = LinkState.CONNECTING, LinkState.ONLINE
BACKING_OFF, AUTH_FAILED = LinkState.BACKING_OFF, LinkState.AUTH_FAILED
DISCONNECTED = LinkState.DISCONNECTED


def subscribed(cloud: Simulator) -> list[dict[str, int]]:
    """Return every SUBSCRIBE packet the cloud has seen, as filter → granted QoS or 0x80."""
    return [json.loads(message.payload) for message in cloud.wire if message.note == "subscribed"]


async def test_link_connects_with_a_signature(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    """The client id declares the transport, and no secret is logged."""
    assert device.online
    assert owner.states == [CONNECTING, ONLINE]
    assert link.state is ONLINE
    assert link.last_error is None

    (client_id,) = [message.payload.decode() for message in cloud.wire if message.note == "connected"]
    assert client_id.startswith(f"{PRODUCT_KEY}.{DEVICE_NAME}|securemode=3,signmethod=hmacsha256,timestamp=")
    assert client_id.endswith(",ext=1|")
    assert DEVICE_SECRET not in client_id + caplog.text + repr(link.config)


async def test_packets_have_no_more_filters_than_the_platform_accepts(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig
) -> None:
    """Every service of the thing model has its own filters, eight in a packet."""
    services = [f"Service{number}" for number in range(30)]
    link = new_link(config, services)
    await link.wait_online(30)

    packets = subscribed(cloud)
    assert max(map(len, packets)) == FILTERS_PER_PACKET
    granted = {topic: code for packet in packets for topic, code in packet.items()}
    assert set(granted) == set(filters_for(link.device.topics, services))
    assert set(granted.values()) == {1}


async def test_refused_wildcards_do_not_end_the_connection(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """Some instances refuse wildcards; known services still work."""
    cloud.faults.set(refuse_wildcards=True)
    link = new_link(config, ["RunScene"])
    await link.wait_online(30)
    assert 0x80 in {code for packet in subscribed(cloud) for code in packet.values()}

    assert await obeys(cloud, device)
    answer = await call(cloud, "InvokeThingService", Identifier="RunScene", Args={"SceneName": "movie"})
    assert (await reply_to(device, answer)).code == 200
    assert [command.identifier for command in owner.commands] == [None, "RunScene"]


async def test_new_services_are_subscribed_without_reconnecting(
    cloud: Simulator, device: CloudDevice, link: Link
) -> None:
    """Only the missing filters are subscribed."""
    before = len(subscribed(cloud))
    await link.device.listen_to(["RunScene"])
    run_scene = link.device.topics.service("RunScene")
    assert subscribed(cloud)[before:] == [{run_scene: 1, f"/ext/rrpc/+{run_scene}": 1}]
    await link.device.listen_to(["RunScene"])
    assert len(subscribed(cloud)) == before + 1
    assert device.connections == 1


@pytest.mark.usefixtures("no_backoff")
async def test_new_services_are_subscribed_on_the_next_connection(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig
) -> None:
    """When the connection is lost meanwhile, or there is none."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        host.acknowledges = False
        listening = asyncio.create_task(link.device.listen_to(["RunScene"]))
        await until(lambda: (link.device.topics.service("RunScene"), 1) in host.received[-1].filters)
        host.hang_up()
        host.acknowledges = True
        await listening
        before = len(host.received)
        await until(lambda: host.connections == 2 and link.state is ONLINE)
        assert any(
            (link.device.topics.service("RunScene"), 1) in packet.filters for packet in host.received[before + 1 :]
        )

    offline = Link(config, on_command=Owner().obey, on_state=Owner().hear)
    await offline.stop()
    await offline.device.listen_to(["RunScene"])
    offline.start()
    await offline.wait_online(30)
    assert any(offline.device.topics.service("RunScene") in packet for packet in subscribed(cloud))
    await offline.stop()


@pytest.mark.usefixtures("no_backoff")
async def test_link_reconnects_after_a_loss(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """Requests that wait for a reply fail, and the next one works."""
    cloud.faults.set(lose_replies=1)
    waiting = asyncio.create_task(link.device.post_properties(SAMPLE))
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    cloud.faults.set(drop_connection=DEVICE_NAME)
    with pytest.raises(NotConnected):
        await waiting

    await until(lambda: owner.states[-2:] == [CONNECTING, ONLINE] and len(owner.states) > 2)
    assert owner.states == [CONNECTING, ONLINE, BACKING_OFF, CONNECTING, ONLINE]
    assert isinstance(owner.errors[2], ConnectionLost)
    assert link.last_error is None
    assert (await link.device.post_properties(SAMPLE)).ok
    assert await obeys(cloud, device)


@pytest.mark.usefixtures("no_backoff")
async def test_link_reconnects_after_a_restart_of_the_cloud(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """While nothing listens, requests fail at once."""
    await cloud.stop()
    await until(lambda: isinstance(link.last_error, ConnectionRefused))
    with pytest.raises(NotConnected):
        await link.device.post_properties(SAMPLE)

    await cloud.start()
    await until(lambda: link.state is ONLINE)
    assert (await link.device.post_properties(SAMPLE)).ok
    assert await obeys(cloud, device)


@pytest.mark.usefixtures("no_backoff")
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
async def test_link_tries_again_after_every_refusal(
    cloud: Simulator,
    device: CloudDevice,
    new_link: NewLink,
    config: LinkConfig,
    owner: Owner,
    code: int,
    error: type[ConnectError],
    state: LinkState,
) -> None:
    """Each CONNACK code has its own error class."""
    cloud.faults.set(refuse_connect={"code": code, "count": 1})
    link = new_link(config)
    with pytest.raises(error):
        await link.wait_online(30)
    await until(lambda: link.state is ONLINE)
    assert owner.states == [CONNECTING, state, CONNECTING, ONLINE]
    assert isinstance(owner.errors[1], error)
    assert owner.errors[-1] is None


@pytest.mark.usefixtures("no_backoff")
async def test_disabled_device_reconnects_when_it_is_enabled(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Without any action by the user."""
    await call(cloud, "DisableThing")
    await until(lambda: link.state is AUTH_FAILED)
    assert isinstance(link.last_error, CredentialsRefused)
    await call(cloud, "EnableThing")
    await until(lambda: link.state is ONLINE)


@pytest.mark.usefixtures("no_backoff")
async def test_another_client_with_the_same_identity_is_recognised(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, config: LinkConfig
) -> None:
    """The platform only closes the connection, so the link concludes it from several closes in a row."""
    for kick in range(3):
        await until(lambda: link.state is ONLINE and device.connections == 2 * kick + 1)  # noqa: B023 - used at once
        other_client = await connect(config, lambda _delivery: None)
        await until(lambda: link.state is not ONLINE)
        await other_client.close()
    await until(lambda: any(isinstance(error, KickedOut) for error in owner.errors))
    assert (
        owner.states[owner.errors.index(next(one for one in owner.errors if isinstance(one, KickedOut)))] is BACKING_OFF
    )
    await until(lambda: link.state is ONLINE)


@pytest.mark.usefixtures("no_backoff")
async def test_keep_alive_detects_a_half_open_connection(
    cloud: Simulator,
    device: CloudDevice,
    new_link: NewLink,
    config: LinkConfig,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the host goes silent and nothing is sent."""
    monkeypatch.setattr(f"{ALINK}.mqtt.transport.HOUSEKEEPING", 0.01)
    link = new_link(config)
    await link.wait_online(30)
    cloud.faults.set(freeze=DEVICE_NAME)
    with monkeypatch.context() as hurry:
        hurry.setattr(mqtt, "time_func", lambda: time.monotonic() * 1000)
        await until(lambda: link.state is not ONLINE)
    assert isinstance(owner.errors[2], ConnectionLost)
    await until(lambda: link.state is ONLINE)
    assert device.connections > 1


@pytest.mark.usefixtures("no_backoff")
async def test_unacknowledged_subscriptions_end_the_connection(
    new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without subscriptions there are no replies and no commands, so the link connects again."""
    monkeypatch.setattr(f"{ALINK}.subscriptions.SUBSCRIBE_TIMEOUT", 0.02)
    async with ScriptedHost(acknowledges=False) as host:
        new_link(config_for(host.port))
        await until(lambda: host.connections > 1)
        assert ONLINE not in owner.states
        assert isinstance(owner.errors[1], ConnectionLost)
        assert "subscriptions" in str(owner.errors[1])


async def test_link_waits_when_it_has_connected_too_often(
    device: CloudDevice, new_link: NewLink, config: LinkConfig
) -> None:
    """The platform would refuse a sixth connect within a minute."""
    times = iter([0.0, 1.0, 2.0, 3.0, 4.0])
    config.pacer.clock = lambda: next(times, 5.0)
    for _ in range(5):
        await probe(config)
    link = new_link(config)
    with pytest.raises(ConnectTimeout):
        await link.wait_online(0.05)
    assert device.connections == 5
    assert link.state is DISCONNECTED


async def test_error_in_the_state_callback_does_not_end_the_link(
    device: CloudDevice, config: LinkConfig, loop_errors: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged."""

    def fail(_state: LinkState, _error: ConnectError | None) -> None:
        raise RuntimeError("not today")

    link = Link(config, on_command=Owner().obey, on_state=fail)
    link.start()
    await link.wait_online(30)
    assert (await link.device.post_properties(SAMPLE)).ok
    await link.stop()
    assert caplog.text.count("Cannot report that gw-1 is") == 3


@pytest.mark.usefixtures("no_backoff")
async def test_unexpected_error_while_connecting_does_not_end_the_link(
    device: CloudDevice,
    new_link: NewLink,
    config: LinkConfig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the next attempt is made."""
    outcomes = iter([OSError(22, "setsockopt failed")])

    async def open_once_more(endpoint: Endpoint, timeout: float) -> socket.socket:
        for error in outcomes:
            raise error
        return await open_socket(endpoint, timeout)

    monkeypatch.setattr(f"{ALINK}.mqtt.transport.open_socket", open_once_more)
    link = new_link(config)
    await until(lambda: link.state is LinkState.ONLINE)
    assert "Connecting failed unexpectedly" in caplog.text


@pytest.mark.parametrize("fault", ["no SUBACK", "garbage at once", "garbage when online", "closed when online"])
async def test_backoff_grows_when_no_connection_lasts(
    loop_errors: list[object], socket_enabled: None, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The host accepts every connection, but none is online for a minute."""
    monkeypatch.setattr(f"{ALINK}.subscriptions.SUBSCRIBE_TIMEOUT", 0.01)
    monkeypatch.setattr(f"{ALINK}.mqtt.pacing.KICKS_BEFORE_PAUSE", 100)
    delays: list[float] = []

    async def pause(_link: Link, delay: float) -> None:
        delays.append(delay)
        if len(delays) == 7:
            await asyncio.Event().wait()

    def changed(state: LinkState, _error: ConnectError | None) -> None:
        if state is ONLINE and fault == "garbage when online":
            host.send(GARBAGE)
        elif state is ONLINE:
            host.hang_up()

    monkeypatch.setattr(Link, "_pause", pause)
    connack = ACCEPTED + GARBAGE if fault == "garbage at once" else ACCEPTED
    async with ScriptedHost(connack=connack, acknowledges=fault != "no SUBACK") as host:
        link = Link(config_for(host.port), on_command=Owner().obey, on_state=changed)
        link.start()
        await until(lambda: len(delays) == 7)
        await link.stop()
    for delay, expected in zip(delays, (1, 2, 4, 8, 16, 32, 60), strict=True):
        assert delay == pytest.approx(expected, rel=0.25)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize(
    "broken",
    [(Session, "subscribe"), (Session, "wait_lost"), (Session, "close"), (Answers, "pump"), (Link, "_filters")],
    ids=lambda broken: broken[1],
)
async def test_unexpected_error_after_the_connect_does_not_end_the_link(
    cloud: Simulator,
    device: CloudDevice,
    new_link: NewLink,
    config: LinkConfig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: tuple[type, str],
) -> None:
    """It is logged with its traceback, and the link connects again."""
    real = getattr(*broken)
    failures = [RuntimeError("surprise")]

    def fail_once(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(*arguments)

    monkeypatch.setattr(*broken, fail_once)
    link = new_link(config)
    if broken[1] == "close":
        await link.wait_online(30)
        cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: not failures)
    await is_back(link, device, 2)
    assert "The connection failed unexpectedly" in caplog.text
    assert "RuntimeError: surprise" in caplog.text


async def test_probe_disconnects(cloud: Simulator, device: CloudDevice, config: LinkConfig) -> None:
    """A probe connects and disconnects, and raises the cause of a failure."""
    await probe(config)
    await device.wait_for(lambda one: one.connections == 1 and not one.online)

    cloud.faults.set(refuse_connect={"code": 5})
    with pytest.raises(CredentialsRefused):
        await probe(config)
