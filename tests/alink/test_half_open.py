"""Half-open connections, which look alive and carry nothing, and connections that only seem half-open.

The tests use real sockets; time-outs are shortened, never asserted.
"""

import asyncio
import contextlib
from itertools import count
from pathlib import Path
import socket
import time

import pytest

from custom_components.aliyun_iot.alink.errors import (
    CloudSilent,
    ConnectionLost,
    NotConnected,
    RequestTimeout,
)
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.messages import Reply
from custom_components.aliyun_iot.alink.mqtt import liveness, transport
from custom_components.aliyun_iot.alink.mqtt.pacing import PERIOD
from custom_components.aliyun_iot.alink.mqtt.sockets import source_address, unacknowledged
from custom_components.aliyun_iot.alink.samples import Sample
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME
from ..waiting import until
from .conftest import ALINK, NewLink, Owner, config_for, is_back, obeys, works
from .proxy import BOTH, Proxy, Way
from .scripted import ScriptedHost

ROOT = Path(__file__).parents[2]
SAMPLE = {"LightSwitch": Sample(1, 1_700_000_000_000)}

ONLINE, BACKING_OFF, AUTH_FAILED = LinkState.ONLINE, LinkState.BACKING_OFF, LinkState.AUTH_FAILED


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the connection often, with short time-outs."""
    monkeypatch.setattr(f"{ALINK}.mqtt.transport.HOUSEKEEPING", 0.005)
    monkeypatch.setattr(f"{ALINK}.mqtt.liveness.PUBACK_PATIENCE", 0.05)
    monkeypatch.setattr(f"{ALINK}.mqtt.liveness.PING_PATIENCE", 0.3)


@pytest.fixture
async def routed(new_link: NewLink, proxy: Proxy, device: CloudDevice) -> Link:
    """Return a link that is online through the router."""
    link = new_link(config_for(proxy.port))
    await link.wait_online(30)
    return link


async def test_line_that_stalls_does_not_pass_the_rate(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """What it held back arrives together with what is sent next, and the platform would drop some of it."""

    def posts(count: int) -> list[asyncio.Task[Reply]]:
        return [asyncio.create_task(link.device.post_properties(SAMPLE)) for _ in range(count)]

    cloud.faults.set(rate_limit=True, freeze=DEVICE_NAME)
    stalled = posts(5)
    await asyncio.sleep(PERIOD)
    cloud.faults.set(unfreeze=DEVICE_NAME)
    assert all(reply.ok for reply in await asyncio.gather(*stalled, *posts(8)))


@pytest.mark.usefixtures("no_backoff", "short_patience")
@pytest.mark.parametrize("ways", [BOTH, frozenset({Way.UP}), frozenset({Way.DOWN})], ids=["both", "up", "down"])
async def test_half_open_connection_is_replaced(
    cloud: Simulator, device: CloudDevice, proxy: Proxy, routed: Link, owner: Owner, ways: frozenset[Way]
) -> None:
    """The next post detects it, long before the keep-alive would."""
    proxy.swallow(ways)
    with pytest.raises(NotConnected):
        await routed.device.post_properties(SAMPLE)
    assert isinstance(owner.errors[2], ConnectionLost)
    assert "silent" in str(owner.errors[2])
    await is_back(routed, device, 2)
    assert await obeys(cloud, device)


@pytest.mark.usefixtures("no_backoff", "short_patience")
async def test_half_open_connection_is_detected_by_a_missing_reply(
    device: CloudDevice, proxy: Proxy, routed: Link
) -> None:
    """A request at QoS 0 has no PUBACK, so the host is pinged when the reply does not come."""
    proxy.swallow()
    with pytest.raises(RequestTimeout):
        await routed.device.fetch_thing_model(timeout=0.02)
    await is_back(routed, device, 2)


@pytest.mark.usefixtures("no_backoff", "short_patience")
async def test_messages_without_a_reply_fail_on_a_half_open_connection(
    device: CloudDevice, proxy: Proxy, routed: Link
) -> None:
    """Raw frames and messages on user topics wait for their PUBACK, and raise when the connection is lost first."""
    proxy.swallow()
    frame = asyncio.create_task(routed.device.send_raw(b"frame"))
    message = asyncio.create_task(routed.device.publish("update", b"message"))
    for outcome in await asyncio.gather(frame, message, return_exceptions=True):
        assert isinstance(outcome, NotConnected)
    await is_back(routed, device, 2)
    await routed.device.send_raw(b"frame")
    await routed.device.publish("update", b"message")
    assert device.raw_up == [b"frame"]
    assert [one.payload for one in device.user_messages] == [b"message"]


async def test_messages_without_a_puback_fail(new_link: NewLink, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bounded time, also on a working connection; messages at QoS 0 have no PUBACK."""
    monkeypatch.setattr(f"{ALINK}.session.PUBLISH_TIMEOUT", 0.02)
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        host.acknowledges_messages = False
        with pytest.raises(RequestTimeout, match="did not acknowledge"):
            await link.device.send_raw(b"frame")
        with pytest.raises(RequestTimeout, match="did not acknowledge"):
            await link.device.publish("update", b"message")
        await link.device.publish("update", b"message", qos=0)
        host.acknowledges_messages = True
        monkeypatch.undo()
        await link.device.send_raw(b"frame")
        assert link.state is ONLINE


@pytest.mark.usefixtures("no_backoff", "short_patience")
async def test_reset_connection_is_replaced(device: CloudDevice, proxy: Proxy, routed: Link) -> None:
    """A router resets both sides."""
    proxy.cut()
    await is_back(routed, device, 2)


@pytest.mark.usefixtures("short_patience")
async def test_slow_cloud_keeps_its_connection(cloud: Simulator, device: CloudDevice, routed: Link) -> None:
    """Late replies are no reason to reconnect while the host answers pings."""
    cloud.faults.set(delay_replies=0.5)
    for _ in range(5):
        with pytest.raises(RequestTimeout):
            await routed.device.post_properties(SAMPLE, timeout=0.02)
    cloud.faults.set(reset=True)
    assert await works(cloud, device)


@pytest.mark.usefixtures("no_backoff", "short_patience")
async def test_connection_without_replies_is_replaced(
    cloud: Simulator, device: CloudDevice, routed: Link, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host acknowledges messages and answers pings, but may have lost the subscriptions."""
    monkeypatch.setattr(f"{ALINK}.reply_watch.DEAF_SECONDS", 0)
    cloud.faults.set(lose_replies=3)
    for _ in range(3):
        assert routed.state is ONLINE
        with pytest.raises(RequestTimeout):
            await routed.device.post_properties(SAMPLE, timeout=0.02)
    await is_back(routed, device, 2)
    assert isinstance(owner.errors[2], CloudSilent)


@pytest.mark.usefixtures("no_backoff", "short_patience")
@pytest.mark.parametrize("lost", [True, False])
async def test_connection_is_checked_after_a_suspend(
    cloud: Simulator,
    device: CloudDevice,
    proxy: Proxy,
    new_link: NewLink,
    monkeypatch: pytest.MonkeyPatch,
    *,
    lost: bool,
) -> None:
    """At once: a lost one is replaced, a working one stays."""
    asleep = 0.0
    monkeypatch.setattr(transport, "boot_clock", lambda: lambda: time.monotonic() + asleep)
    pings = _count_pings(monkeypatch)
    link = new_link(config_for(proxy.port))
    await link.wait_online(30)
    if lost:
        proxy.swallow()
    asleep = 8 * 3600.0
    if lost:
        await is_back(link, device, 2)
    else:
        await until(lambda: pings)
        assert await works(cloud, device)


@pytest.mark.usefixtures("no_backoff", "short_patience")
@pytest.mark.parametrize("source", ["192.0.2.7", None], ids=["another network", "no network"])
@pytest.mark.parametrize("lost", [True, False])
async def test_connection_is_checked_after_a_change_of_the_network(
    cloud: Simulator,
    device: CloudDevice,
    proxy: Proxy,
    routed: Link,
    monkeypatch: pytest.MonkeyPatch,
    *,
    source: str | None,
    lost: bool,
) -> None:
    """At once: it is replaced only if it is lost."""
    pings = _count_pings(monkeypatch)
    if lost:
        proxy.swallow()
    monkeypatch.setattr(transport, "source_address", lambda _sock: source)
    if lost:
        await is_back(routed, device, 2)
    else:
        await until(lambda: pings)
        assert await works(cloud, device)


@pytest.mark.usefixtures("no_backoff", "short_patience")
async def test_slow_line_keeps_its_connection(
    cloud: Simulator, device: CloudDevice, proxy: Proxy, routed: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While sent data is still leaving, no reply can be expected; when it stops to leave, the connection is replaced."""
    left = count(10**9, -1)
    monkeypatch.setattr(transport, "unacknowledged", lambda _sock: next(left))
    pings = _count_pings(monkeypatch)
    proxy.swallow()
    with pytest.raises(RequestTimeout):
        await routed.device.post_properties(SAMPLE, timeout=0.02)
    await until(lambda: pings)
    with pytest.raises(RequestTimeout):  # longer than the time-out of a ping
        await routed.device.post_properties(SAMPLE, timeout=1)
    assert device.connections == 1
    monkeypatch.setattr(transport, "unacknowledged", lambda _sock: 1000)
    await is_back(routed, device, 2)


def test_unacknowledged_bytes_are_counted(socket_enabled: None) -> None:
    """Those that the peer's TCP has not acknowledged."""
    with socket.create_server(("127.0.0.1", 0)) as host, socket.create_connection(host.getsockname()) as sock:
        other, _ = host.accept()
        with other:
            assert unacknowledged(sock) == 0
            sock.setblocking(False)
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += sock.send(bytes(100_000))
            assert 0 < unacknowledged(sock) <= sent
    assert unacknowledged(sock) == 0


def test_source_address_of_the_route_to_the_host(socket_enabled: None) -> None:
    """None without a connection."""
    with socket.create_server(("127.0.0.1", 0)) as host, socket.create_connection(host.getsockname()) as sock:
        assert source_address(sock) == "127.0.0.1"
    assert source_address(sock) is None


def _count_pings(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    pings: list[None] = []
    pinged = liveness.Liveness.pinged

    def count(self: liveness.Liveness) -> None:
        pings.append(None)
        pinged(self)

    monkeypatch.setattr(liveness.Liveness, "pinged", count)
    return pings
