"""Everything that can happen to sub-devices, in an order drawn from a seed; in the end both sides agree."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
import contextlib
import random
import time

import pytest

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.alink.errors import NotConnected, RequestTimeout, SubDeviceError
from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.alink.sub_device import SubDeviceConfig
from simulator import Simulator

from ..conftest import DEVICE_NAME
from ..waiting import until
from .conftest import ALINK, NewLink
from .test_gateway import (  # noqa: F401 - fixtures
    ONLINE,
    SECRET,
    TOPICS,
    House,
    call,
    gateway_device,
    house,
    lamps_of,
    quick_logins,
    second_gateway,
)

FASTER = 600
"""How much faster the clock of the gateway is: five minutes take half a second."""
STEPS = 80
LAMPS = 60


class FastClock:
    """A clock that is faster than time."""

    def __call__(self) -> float:
        """Return the seconds."""
        return time.monotonic() * FASTER


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for replies that are lost, and begin at once."""
    monkeypatch.setattr(f"{ALINK}.gateway.REPLY_TIMEOUT", 0.2)
    monkeypatch.setattr(f"{ALINK}.gateway.RECONNECT_SPREAD", 0.0)


class Chaos:
    """The faults."""

    def __init__(self, at: House, thief: House, lamps: list[Identity], seed: int) -> None:
        """Draw from a seed."""
        self.random = random.Random(seed)  # noqa: S311
        self.house, self.thief, self.lamps = at, thief, lamps
        self.cloud = at.cloud
        self.faults: tuple[Callable[[Identity], Awaitable[None]], ...] = (
            self.toggle,
            self.toggle,
            self.toggle,
            self.kick,
            self.lose_session,
            self.disable,
            self.enable,
            self.remove,
            self.delete,
            self.create,
            self.steal,
            self.cut,
            self.cut_in_a_login,
            self.spoil_secret,
            self.mend_secret,
            self.retry,
            self.retry,
        )

    async def step(self) -> None:
        """Have something happen to a sub-device."""
        await self.random.choice(self.faults)(self.random.choice(self.lamps))
        await asyncio.sleep(self.random.random() * 0.05)

    async def toggle(self, lamp: Identity) -> None:
        """Its device of the house comes or goes."""
        self.house.gateway.want(lamp, online=not self.house.gateway.sub_devices[lamp].wanted)

    async def kick(self, lamp: Identity) -> None:
        """It is online elsewhere."""
        await self._end_session(lamp, 427)

    async def lose_session(self, lamp: Identity) -> None:
        """The cloud forgets it, and says so at once or when it is told something."""
        await self._end_session(lamp, self.random.choice((0, 520)))

    async def disable(self, lamp: Identity) -> None:
        """Somebody disables it in the console."""
        if self._exists(lamp):
            await call(self.house, "DisableThing", lamp)

    async def enable(self, lamp: Identity) -> None:
        """Somebody enables it in the console."""
        if self._exists(lamp):
            await call(self.house, "EnableThing", lamp)

    async def remove(self, lamp: Identity) -> None:
        """Somebody removes it from the topology."""
        if self._exists(lamp) and self.cloud.device(*lamp).gateway:
            await call(self.house, "RemoveThingTopo", lamp)

    async def delete(self, lamp: Identity) -> None:
        """Somebody deletes it in the console."""
        if self._exists(lamp):
            await call(self.house, "DeleteDevice", lamp)

    async def create(self, lamp: Identity) -> None:
        """Somebody creates it again."""
        if not self._exists(lamp):
            self.cloud.add_device(*lamp, SECRET)

    async def steal(self, lamp: Identity) -> None:
        """Another gateway takes it, and loses it to the next retry."""
        self.thief.gateway.put(SubDeviceConfig(lamp, SECRET))
        self.thief.gateway.want(lamp, online=True)
        await asyncio.sleep(0.05)
        self.thief.gateway.drop(lamp)

    async def cut(self, _lamp: Identity) -> None:
        """The connection is lost."""
        with contextlib.suppress(ValueError):
            self.cloud.faults.set(drop_connection=DEVICE_NAME)

    async def cut_in_a_login(self, lamp: Identity) -> None:
        """The connection is lost while the reply to a request is awaited."""
        self.cloud.faults.set(lose_replies=1)
        await self.toggle(lamp)
        await asyncio.sleep(0.02)
        await self.cut(lamp)
        self.cloud.faults.set(lose_replies=0)

    async def spoil_secret(self, lamp: Identity) -> None:
        """Its secret changes in the cloud."""
        if self._exists(lamp):
            self.cloud.device(*lamp).device_secret = "0" * 32

    async def mend_secret(self, lamp: Identity) -> None:
        """Its secret is the old one again."""
        if self._exists(lamp):
            self.cloud.device(*lamp).device_secret = SECRET

    async def retry(self, lamp: Identity) -> None:
        """A person retries."""
        self.house.gateway.retry(lamp)

    async def heal(self) -> None:
        """End everything that lasts."""
        for lamp in self.lamps:
            await self.create(lamp)
            await self.mend_secret(lamp)
            await self.enable(lamp)
        await until(lambda: self.house.link.is_online)
        self.house.gateway.retry()

    def _exists(self, lamp: Identity) -> bool:
        try:
            self.cloud.device(*lamp)
        except KeyError:
            return False
        return True

    async def _end_session(self, lamp: Identity, code: int) -> None:
        if self._exists(lamp) and (connection := self.cloud.device(*lamp).connection):
            connection.close("chaos", code=code)


@pytest.fixture
async def thief(house: House, cloud: Simulator, new_link: NewLink) -> AsyncGenerator[House]:  # noqa: F811
    """Return another gateway."""
    thief = await second_gateway(cloud, new_link)
    yield thief
    await thief.gateway.stop()


@pytest.mark.parametrize("seed", range(3))
async def test_chaos(
    house: House,  # noqa: F811
    thief: House,
    fast: None,
    seed: int,
    request: pytest.FixtureRequest,
) -> None:
    """What should be online is, what should not is not; each login waits for the one before; all values arrive."""
    clock = FastClock()
    lamps = lamps_of(house.cloud, range(LAMPS))
    for one in (house, thief):
        one.gateway._clock = clock
    house.put(*lamps)

    async def poke() -> None:
        while True:  # the waiting of the gateway knows nothing of the fast clock
            await asyncio.sleep(0.01)
            house.gateway._changed.set()
            thief.gateway._changed.set()

    poking = asyncio.create_task(poke())
    request.addfinalizer(poking.cancel)
    chaos = Chaos(house, thief, lamps, seed)
    for _ in range(STEPS):
        await chaos.step()
    await chaos.heal()

    def differing() -> list[Identity]:
        return [
            lamp
            for lamp in lamps
            if not (
                house.gateway.sub_devices[lamp].wanted
                == house.cloud.device(*lamp).online
                == (house.state(lamp) is ONLINE)
                == house.link._devices[lamp].is_online
            )
        ]

    async def report() -> None:
        """Report from each, which also shows that a session is lost."""
        for number, lamp in enumerate(lamps):
            if house.state(lamp) is ONLINE:
                with contextlib.suppress(NotConnected, RequestTimeout, SubDeviceError):
                    await house.link._devices[lamp].post_properties({"Brightness": Sample(number, 1)}, timeout=1)

    async with asyncio.timeout(30):
        while differing():
            await report()
            await asyncio.sleep(0.05)
    await report()
    assert not differing()
    online = {lamp for lamp in lamps if house.gateway.sub_devices[lamp].wanted}
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
