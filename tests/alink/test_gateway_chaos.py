"""Everything that can happen to sub-devices, in an order drawn from a seed; in the end both sides agree."""

import asyncio
import contextlib

import pytest

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.alink.errors import NotConnected, RequestTimeout
from custom_components.aliyun_iot.alink.samples import Sample
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME
from ..sub_device_faults import SubDeviceFaults, fast_clock
from ..waiting import until
from .conftest import ALINK
from .test_gateway import (  # noqa: F401 - fixtures
    ONLINE,
    SECRET,
    TOPICS,
    House,
    gateway_device,
    house,
    lamps_of,
    quick_logins,
)

STEPS = 60
LAMPS = 40


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for replies that are lost, and begin at once."""
    monkeypatch.setattr(f"{ALINK}.gateway_requests.REPLY_TIMEOUT", 0.2)
    monkeypatch.setattr(f"{ALINK}.gateway.RECONNECT_SPREAD", 0.0)


@pytest.mark.parametrize("seed", range(2))
async def test_chaos(
    house: House,  # noqa: F811
    gateway_device: CloudDevice,  # noqa: F811
    fast: None,
    seed: int,
    request: pytest.FixtureRequest,
) -> None:
    """What should be online is, what should not is not; each login waits for the one before; all values arrive."""
    gateway = house.gateway
    gateway._clock = fast_clock
    lamps = lamps_of(house.cloud, range(LAMPS))
    house.put(*lamps)

    async def poke() -> None:
        while True:  # the waiting of the gateway knows nothing of the fast clock
            await asyncio.sleep(0.01)
            gateway._changed.set()

    poking = asyncio.create_task(poke())
    request.addfinalizer(poking.cancel)

    def toggle(lamp: Identity) -> None:
        gateway.want(lamp, online=not gateway.sub_devices[lamp].wanted)

    faults = SubDeviceFaults(house.cloud, gateway_device, lamps, SECRET, seed, toggle=toggle, retry=gateway.retry)
    for _ in range(STEPS):
        await faults.step()
    await faults.heal()
    await until(lambda: house.link.is_online)
    gateway.retry()

    def differing() -> list[Identity]:
        return [
            lamp
            for lamp in lamps
            if not (
                gateway.sub_devices[lamp].wanted
                == house.cloud.device(*lamp).online
                == (house.state(lamp) is ONLINE)
                == house.link._devices[lamp].is_online
            )
        ]

    async def report() -> None:
        """Report from each, which also shows that a session is lost."""
        for number, lamp in enumerate(lamps):
            if house.state(lamp) is ONLINE:
                with contextlib.suppress(NotConnected, RequestTimeout):
                    await house.link._devices[lamp].post_properties({"Brightness": Sample(number, 1)}, timeout=1)

    async with asyncio.timeout(30):
        while differing():
            await report()
            await asyncio.sleep(0.05)
    await report()
    assert not differing()
    online = {lamp for lamp in lamps if gateway.sub_devices[lamp].wanted}
    assert online
    assert all(house.cloud.device(*lamp).properties["Brightness"][0] == lamps.index(lamp) for lamp in online)
    assert max(logins_under_way(house.cloud)) == 1


def logins_under_way(cloud: Simulator) -> list[int]:
    """Return how many logins of the gateway were under way after each message about logins; a cut ends them."""
    counts, under_way = [0], 0
    for message in cloud.wire:
        if message.topic == TOPICS.login:
            under_way += 1
        elif message.topic == f"{TOPICS.login}_reply" or (
            message.device.endswith(f"/{DEVICE_NAME}") and "connect" in message.note
        ):
            under_way = 0
        counts.append(under_way)
    return counts
