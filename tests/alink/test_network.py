"""Faults of networks and clouds: killed brokers, refusals, second clients, garbage, changed addresses and clocks.

The tests use real sockets; time-outs are shortened, never asserted.
"""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Iterator
import contextlib
import json
from pathlib import Path
import socket
import sys
import time

import pytest

from custom_components.aliyun_iot.alink.errors import (
    ConnectionClosed,
    ConnectionReset,
    CredentialsRefused,
    DeviceDisabled,
    HostNotFound,
    KickedOut,
    NotConnected,
    RequestTimeout,
)
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.mqtt.sockets import open_socket
from custom_components.aliyun_iot.alink.samples import Sample
from simulator import CloudDevice, Simulator
from simulator.broker.packets import Connect, Disconnect

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .certificates import Authority
from .conftest import ALINK, TRIPLE, NewLink, Owner, call, config_for, is_back, works
from .scripted import ScriptedHost

ROOT = Path(__file__).parents[2]
SAMPLE = {"LightSwitch": Sample(1, 1_700_000_000_000)}

ONLINE, BACKING_OFF, AUTH_FAILED = LinkState.ONLINE, LinkState.BACKING_OFF, LinkState.AUTH_FAILED


@pytest.fixture
async def processes() -> AsyncGenerator[list[Process]]:
    """Return a list of processes, which are killed after the test."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.usefixtures("no_backoff")
async def test_link_reconnects_when_the_broker_is_killed_and_restarted(
    new_link: NewLink, owner: Owner, processes: list[Process]
) -> None:
    """The new process has no subscriptions, so they are made again."""
    with _reserved_port() as port:
        await _start_broker(processes, port)
        link = new_link(config_for(port))
        await link.wait_online(30)
        assert (await link.device.post_properties(SAMPLE)).ok

        processes[0].kill()
        await processes[0].wait()
        await until(lambda: link.state is not ONLINE)
        with pytest.raises(NotConnected):
            await link.device.post_properties(SAMPLE)

        await _start_broker(processes, port)
        await until(lambda: link.state is ONLINE)
        assert (await link.device.post_properties(SAMPLE)).ok
        assert not any(isinstance(error, KickedOut) for error in owner.errors)


async def _start_broker(processes: list[Process], port: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", str(port), "--api-port", "0", "--no-connect-limit"),
        *("--device", f"{PRODUCT_KEY},{DEVICE_NAME},{DEVICE_SECRET}"),
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )
    processes.append(process)
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert json.loads(await process.stdout.readline())["port"] == port


@contextlib.contextmanager
def _reserved_port() -> Iterator[int]:
    """Yield a port that is never used by an outgoing connection, also while nothing listens on it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


async def test_retry_ends_the_pause_after_a_wrong_secret(
    cloud: Simulator, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """The pause is long, but the secret may have been corrected in the cloud."""
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, "0" * 32)
    link = new_link(config)
    with pytest.raises(CredentialsRefused):
        await link.wait_online(30)
    assert link.state is AUTH_FAILED
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
    link.retry()
    await until(lambda: link.state is ONLINE)
    assert (await link.device.post_properties(SAMPLE)).ok


@pytest.mark.usefixtures("no_backoff")
async def test_disabled_device_is_recognised_by_an_earlier_reply(
    cloud: Simulator, device: CloudDevice, link: Link
) -> None:
    """The refusal has the same code as that of a wrong secret."""
    cloud.faults.set(answer_code={"code": 522, "count": 1})
    assert (await link.device.post_properties(SAMPLE)).code == 522
    await call(cloud, "DisableThing")
    await until(lambda: link.state is AUTH_FAILED)
    assert isinstance(link.last_error, DeviceDisabled)
    await call(cloud, "EnableThing")
    await until(lambda: link.state is ONLINE)


async def test_two_clients_with_one_identity_do_not_disconnect_each_other_for_ever(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three closes there is a long pause; `retry` ends it, and it starts again if the other client is still there."""
    monkeypatch.setattr(f"{ALINK}.mqtt.pacing.FIRST_DELAY", 0.01)
    for kicks in range(1, 4):
        await until(lambda: link.state is ONLINE and device.connections == kicks)  # noqa: B023 - used at once
        cloud.faults.set(kick=DEVICE_NAME)
        await until(lambda: link.state is not ONLINE)
    for kicks in range(3, 6):
        await until(lambda: isinstance(link.last_error, KickedOut))
        assert link.state is BACKING_OFF
        assert device.connections == kicks
        link.retry()
        await until(lambda: link.state is ONLINE)
        cloud.faults.set(kick=DEVICE_NAME)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("tls", [False, True], ids=["TCP", "TLS"])
@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
async def test_only_closed_connections_mean_another_client(
    new_link: NewLink, owner: Owner, tmp_path: Path, *, reset: bool, tls: bool
) -> None:
    """Routers and overloaded servers reset connections."""
    authority = Authority(tmp_path)
    async with ScriptedHost(tls=authority.server_context("127.0.0.1") if tls else None) as host:
        transport = Transport.TLS if tls else Transport.TCP
        link = new_link(config_for(host.port, transport=transport, ca=authority.pem))
        for connections in range(1, 4):
            await until(lambda: host.connections == connections and link.state is ONLINE)  # noqa: B023 - used at once
            host.hang_up(reset=reset)
            await until(lambda: link.state is not ONLINE)
        await until(lambda: link.state is ONLINE)
    expected = [ConnectionReset] * 3 if reset else [ConnectionClosed] * 2 + [KickedOut]
    assert [type(error) for error in owner.errors if error][::2] == expected


@pytest.mark.usefixtures("no_backoff")
async def test_garbage_from_the_cloud_is_handled(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """An unreadable reply does not affect the connection; bytes that are not MQTT end it, and the next one works."""
    cloud.faults.set(garble_replies=2)
    for _ in range(2):
        with pytest.raises(RequestTimeout):
            await link.device.post_properties(SAMPLE, timeout=0.02)
    assert await works(cloud, device)

    for connections in range(2, 7):
        cloud.faults.set(babble=DEVICE_NAME)
        await is_back(link, device, connections)
    assert not any(isinstance(error, KickedOut) for error in owner.errors)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("jump", [-3600, 3600])
async def test_link_works_when_the_wall_clock_is_set(
    cloud: Simulator, device: CloudDevice, link: Link, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """On the present connection and on the next."""
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + jump)
    assert (await link.device.post_properties(SAMPLE)).ok
    assert await works(cloud, device)
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await is_back(link, device, 2)
    assert (await link.device.read_clock()).ahead == pytest.approx(-jump, abs=60)


@pytest.mark.usefixtures("no_backoff")
async def test_name_of_the_host_is_looked_up_for_each_attempt(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name server may be unavailable at first, and the host may move."""
    lookups = _resolve(monkeypatch, [None], [cloud.port])
    link = new_link(_by_name())
    await until(lambda: link.state is ONLINE)
    assert isinstance(owner.errors[1], HostNotFound)
    before = len(lookups)

    async with Simulator(connects_per_minute=None) as elsewhere:
        moved = elsewhere.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        _resolve(monkeypatch, [elsewhere.port])
        cloud.faults.set(drop_connection=DEVICE_NAME)
        await moved.wait_for(lambda one: one.online)
        assert len(lookups) == before
        await link.stop()


@pytest.mark.parametrize("dead", [1, 4])
async def test_unreachable_addresses_do_not_delay_the_connection(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, monkeypatch: pytest.MonkeyPatch, dead: int
) -> None:
    """IPv6 does not work in many homes; the addresses of a host are tried in parallel."""
    monkeypatch.setattr(f"{ALINK}.mqtt.sockets.NEXT_ADDRESS_DELAY", 0.01)
    with _black_hole() as port:
        _resolve(monkeypatch, [port] * dead + [cloud.port])
        link = new_link(_by_name())
        await link.wait_online(30)
        assert device.online


async def test_host_with_many_addresses_is_reached_over_a_slow_line(
    cloud: Simulator, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No address gets only a share of the time-out."""
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def connect_slowly(sock: socket.socket, address: tuple[str, int]) -> None:
        await asyncio.sleep(0.3)
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", connect_slowly)
    _resolve(monkeypatch, [cloud.port] * 8)
    (await open_socket(Endpoint("cloud.example", 1, Transport.TCP), 1.0)).close()


async def test_tls_handshake_has_all_the_time_that_is_left(
    cloud: Simulator, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Independent of the number of addresses."""
    monkeypatch.setattr(f"{ALINK}.mqtt.sockets.NEXT_ADDRESS_DELAY", 0.01)
    times: list[tuple[float, float]] = []

    def shake_hands(sock: socket.socket, _endpoint: Endpoint, timeout: float, left: float) -> socket.socket:
        times.append((timeout, left))
        return sock

    monkeypatch.setattr(f"{ALINK}.mqtt.sockets._handshake", shake_hands)
    with _black_hole() as port:
        _resolve(monkeypatch, [port] * 4 + [cloud.port])
        (await open_socket(Endpoint("cloud.example", 1), 10)).close()
    ((timeout, left),) = times
    assert timeout == 10
    assert 5 < left < 10


async def test_stop_during_the_login_sends_disconnect(new_link: NewLink) -> None:
    """The cloud may have accepted CONNECT already, and would otherwise wait for the keep-alive."""
    async with ScriptedHost(connack=b"") as host:
        link = new_link(config_for(host.port))
        await until(lambda: host.received)
        await link.stop()
        await until(lambda: len(host.received) == 2)
        assert [type(packet) for packet in host.received] == [Connect, Disconnect]


def _by_name() -> LinkConfig:
    """Return a configuration for a host that only `_resolve` knows."""
    return LinkConfig(TRIPLE, Endpoint("cloud.example", 1, Transport.TCP), pacer=config_for(1).pacer)


def _resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[int | None]) -> list[str]:
    """Let each look-up of the host return these ports on loopback, the last ones for all further ones; None is a failure.

    Return the names that were looked up.
    """
    lookups: list[str] = []
    remaining = list(answers)
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *arguments: int, **options: int) -> list[object]:
        if host != "cloud.example":
            return list(real(host, port, *arguments, **options))
        lookups.append(host)
        ports = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if None in ports:
            raise socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", one)) for one in ports]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return lookups


@contextlib.contextmanager
def _black_hole() -> Iterator[int]:
    """Yield a port that neither accepts nor refuses connections, because its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
