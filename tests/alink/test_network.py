"""Networks and clouds as they are: a broker that dies, refusals, rivals, garbage, names that move, clocks that jump.

All of it over real sockets; the times are made short, never asserted.
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
from simulator.packets import Connect, Disconnect

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .conftest import ALINK, TRIPLE, NewLink, Owner, call, config_for, is_back, works
from .scripted import ScriptedHost

ROOT = Path(__file__).parents[2]
SAMPLE = {"LightSwitch": Sample(1, 1_700_000_000_000)}

ONLINE, BACKING_OFF, AUTH_FAILED = LinkState.ONLINE, LinkState.BACKING_OFF, LinkState.AUTH_FAILED


@pytest.fixture
async def processes() -> AsyncGenerator[list[Process]]:
    """Return a list of processes that are killed at the end."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.usefixtures("impatient")
async def test_the_broker_is_killed_and_started_again(
    new_link: NewLink, owner: Owner, processes: list[Process]
) -> None:
    """A process that dies without a word, and a new one that knows nothing: the link is back, and so are its subscriptions."""
    with _reserved_port() as port:
        await _start_broker(processes, port)
        link = new_link(config_for(port))
        await link.wait_online(5)
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
    """Yield a port that only a listener can use: without one no outgoing connection gets it in between."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


async def test_a_wrong_secret_that_is_corrected(
    cloud: Simulator, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """A long pause after the refusal; whoever has corrected the secret in the cloud need not wait for its end."""
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, "0" * 32)
    link = new_link(config)
    with pytest.raises(CredentialsRefused):
        await link.wait_online(5)
    assert link.state is AUTH_FAILED
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
    link.retry()
    await until(lambda: link.state is ONLINE)
    assert (await link.device.post_properties(SAMPLE)).ok


@pytest.mark.usefixtures("impatient")
async def test_a_disabled_device_is_told_apart_where_the_cloud_tells(
    cloud: Simulator, device: CloudDevice, link: Link
) -> None:
    """The refusal itself has the same code as that of a wrong secret."""
    cloud.faults.set(answer_code={"code": 522, "count": 1})
    assert (await link.device.post_properties(SAMPLE)).code == 522
    await call(cloud, "DisableThing")
    await until(lambda: link.state is AUTH_FAILED)
    assert isinstance(link.last_error, DeviceDisabled)
    await call(cloud, "EnableThing")
    await until(lambda: link.state is ONLINE)


async def test_the_ping_pong_of_two_clients_ends(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three kicks there is a long pause; it can be ended by hand, and begins again if the rival is still there."""
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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("reset", [True, False])
async def test_only_a_closed_connection_can_be_the_work_of_another_client(
    new_link: NewLink, owner: Owner, *, reset: bool
) -> None:
    """A router whose memory is full and an overloaded server reset connections."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        for connections in range(1, 4):
            await until(lambda: host.connections == connections and link.state is ONLINE)  # noqa: B023 - used at once
            host.hang_up(reset=reset)
            await until(lambda: link.state is not ONLINE)
        await until(lambda: link.state is ONLINE)
    expected = [ConnectionReset] * 3 if reset else [ConnectionClosed] * 2 + [KickedOut]
    assert [type(error) for error in owner.errors if error][::2] == expected


@pytest.mark.usefixtures("impatient")
async def test_garbage_from_the_cloud(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """A reply that is none leaves the connection alone; bytes that are no MQTT end it, and the next one works."""
    cloud.faults.set(garble_replies=2)
    for _ in range(2):
        with pytest.raises(RequestTimeout):
            await link.device.post_properties(SAMPLE, timeout=0.02)
    assert await works(cloud, device)

    for connections in range(2, 7):
        cloud.faults.set(babble=DEVICE_NAME)
        await is_back(link, device, connections)
    assert not any(isinstance(error, KickedOut) for error in owner.errors)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("jump", [-3600, 3600])
async def test_the_clock_is_set(
    cloud: Simulator, device: CloudDevice, link: Link, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """Nothing waits for a time of day: what runs goes on, and what is connected anew is let in."""
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + jump)
    assert (await link.device.post_properties(SAMPLE)).ok
    assert await works(cloud, device)
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await is_back(link, device, 2)
    assert (await link.device.read_clock()).ahead == pytest.approx(-jump, abs=60)


@pytest.mark.usefixtures("impatient")
async def test_the_name_is_looked_up_each_time(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that is not there yet, and then a host that moved: no attempt remembers what another one found."""
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
async def test_addresses_that_lead_nowhere_cost_little_time(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, monkeypatch: pytest.MonkeyPatch, dead: int
) -> None:
    """Half the homes have an IPv6 that does not work: the addresses of a host are tried side by side."""
    monkeypatch.setattr(f"{ALINK}.mqtt.sockets.NEXT_ADDRESS_DELAY", 0.01)
    with _black_hole() as port:
        _resolve(monkeypatch, [port] * dead + [cloud.port])
        link = new_link(_by_name())
        await link.wait_online(5)
        assert device.online


async def test_tls_handshake_has_all_the_time_that_is_left(
    cloud: Simulator, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many addresses the host has."""
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


async def test_says_goodbye_in_the_middle_of_the_first_connect(new_link: NewLink) -> None:
    """The cloud has not answered CONNECT yet, but may have taken it: it need not wait for a keep-alive to see us gone."""
    async with ScriptedHost(connack=b"") as host:
        link = new_link(config_for(host.port))
        await until(lambda: host.received)
        await link.stop()
        await until(lambda: len(host.received) == 2)
        assert [type(packet) for packet in host.received] == [Connect, Disconnect]


def _by_name() -> LinkConfig:
    """Return how to connect to a host that only `_resolve` knows."""
    return LinkConfig(TRIPLE, Endpoint("cloud.example", 1, Transport.TCP), pacer=config_for(1).pacer)


def _resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[int | None]) -> list[str]:
    """Let each look-up of the host find these ports on loopback, the last ones for good; None is a failure.

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
    """Yield a port that neither accepts nor refuses: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
