"""Comparing the clock with the cloud's."""

import asyncio
import json
import time
from typing import Any
from unittest.mock import Mock

import pytest

from custom_components.aliyun_iot.alink.errors import NotConnected, RequestTimeout
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.ntp import ClockReading, TimeService
from custom_components.aliyun_iot.alink.topics import Topics
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME, PRODUCT_KEY
from ..waiting import until
from .conftest import works

HOUR = 3600


@pytest.mark.parametrize("ahead", [0, HOUR, -HOUR])
async def test_difference_of_the_clocks_is_measured(
    cloud: Simulator, device: CloudDevice, link: Link, ahead: int
) -> None:
    """In both directions, with the uncertainty of the round trip."""
    cloud.faults.set(clock_ahead=ahead)
    reading = await link.device.read_clock()
    assert reading.ahead == pytest.approx(ahead, abs=reading.uncertainty + 0.01)  # the cloud counts in milliseconds
    assert await works(cloud, device)


async def test_missing_time_service_is_a_time_out(cloud: Simulator, link: Link) -> None:
    """Not every host has one."""
    cloud.faults.set(lose_replies=1)
    with pytest.raises(RequestTimeout):
        await link.device.read_clock(0.02)
    await link.device.read_clock()
    await link.stop()
    with pytest.raises(NotConnected):
        await link.device.read_clock()


@pytest.mark.parametrize(
    ("ahead", "uncertainty", "skew"), [(3.0, 1.0, 2.0), (-3.0, 1.0, 2.0), (0.5, 1.0, 0.0), (0.0, 0.0, 0.0)]
)
def test_skew_excludes_the_uncertainty(ahead: float, uncertainty: float, skew: float) -> None:
    """A slow line must not look like a wrong clock."""
    assert ClockReading(ahead, uncertainty).skew == skew


async def test_round_trip_is_measured_by_the_monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock is set back before the answer arrives; unreadable answers are ignored."""
    published: list[dict[str, Any]] = []
    connection = Mock(publish=lambda _topic, payload, _qos: published.append(json.loads(payload)))
    service = TimeService()
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    asking = asyncio.create_task(service.ask(connection, "/request", 5))
    await until(lambda: published)
    monkeypatch.setattr(time, "time", lambda: 1_600_000_000.0)
    for nonsense in (
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[1, 2]",
        b"{}",
        _answer("1", 5, 5),
        _answer(published[0]["deviceSendTime"], None, 5),
        _answer(published[0]["deviceSendTime"], 5, -5),
        _answer(published[0]["deviceSendTime"], "٣", 5),
        _answer(published[0]["deviceSendTime"], 5, "9" * 5000),
        _answer(published[0]["deviceSendTime"], 5, 5).ljust(1025),
    ):
        service.received(nonsense)
    assert not asking.done()
    answer = _answer(published[0]["deviceSendTime"], 1_700_000_060_000, "1700000060000")
    service.received(answer)
    service.received(answer)
    reading = await asking
    assert reading.ahead == pytest.approx(60, abs=reading.uncertainty + 0.001)
    service.received(answer)  # no request waits any more


async def test_pending_request_can_be_failed() -> None:
    """The session does so when the connection is lost."""
    service = TimeService()
    asking = asyncio.create_task(service.ask(Mock(), "/request", 5))
    await asyncio.sleep(0)
    (pending,) = service.pending
    pending.set_exception(NotConnected("lost"))
    with pytest.raises(NotConnected):
        await asking
    assert not service.pending


def test_topics_of_the_time_service() -> None:
    """As the platform documents them (docs/protocol.md §12.3)."""
    topics = Topics(PRODUCT_KEY, DEVICE_NAME)
    assert topics.ntp_request == f"/ext/ntp/{PRODUCT_KEY}/{DEVICE_NAME}/request"
    assert topics.ntp_response == f"/ext/ntp/{PRODUCT_KEY}/{DEVICE_NAME}/response"


def _answer(asked: object, received: object, answered: object) -> bytes:
    return json.dumps({"deviceSendTime": asked, "serverRecvTime": received, "serverSendTime": answered}).encode()
