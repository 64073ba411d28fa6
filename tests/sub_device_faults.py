"""What can happen to sub-devices in the cloud and on the way there, drawn from a seed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import contextlib
import random
import time

from custom_components.aliyun_iot.alink.auth import Identity
from simulator import CloudDevice, Simulator
from simulator.gateway.lifecycle import CONNECTED_ELSEWHERE, NO_SESSION, Change, announce, bind

FASTER = 600
"""How much faster the clock of a gateway is in these tests: five minutes take half a second."""

WRONG_SECRET = "0" * 32


def fast_clock() -> float:
    """Return the seconds of a clock that is faster than time."""
    return time.monotonic() * FASTER


class SubDeviceFaults:
    """The faults; `toggle` lets the device of the house come or go, `retry` does what a person does after a problem."""

    def __init__(
        self,
        cloud: Simulator,
        gateway: CloudDevice,
        lamps: Sequence[Identity],
        secret: str,
        seed: int,
        *,
        toggle: Callable[[Identity], None],
        retry: Callable[[Identity], None],
    ) -> None:
        """The cloud has the gateway and the lamps with this secret."""
        self.random = random.Random(seed)  # noqa: S311
        self._cloud, self._gateway, self._lamps, self._secret = cloud, gateway, lamps, secret
        self._thief = cloud.add_device(gateway.product_key, "thief", secret)
        self._toggle, self._retry = toggle, retry
        self._faults: tuple[Callable[[Identity], Awaitable[None]], ...] = (
            *(self.toggle,) * 3,
            *(self.retry,) * 2,
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
        )

    async def step(self) -> None:
        """Have something happen to a sub-device."""
        await self.random.choice(self._faults)(self.random.choice(self._lamps))
        await asyncio.sleep(self.random.random() * 0.05)

    async def heal(self) -> None:
        """End everything that lasts, except for what a person has to retry."""
        for lamp in self._lamps:
            await self.create(lamp)
            await self.mend_secret(lamp)
            await self.enable(lamp)

    async def toggle(self, lamp: Identity) -> None:
        """Its device of the house comes or goes."""
        self._toggle(lamp)

    async def retry(self, lamp: Identity) -> None:
        """A person retries."""
        self._retry(lamp)

    async def kick(self, lamp: Identity) -> None:
        """It is online elsewhere."""
        self._end_session(lamp, CONNECTED_ELSEWHERE)

    async def lose_session(self, lamp: Identity) -> None:
        """The cloud forgets it, and says so at once or when it is told something."""
        self._end_session(lamp, self.random.choice((0, NO_SESSION)))

    async def disable(self, lamp: Identity) -> None:
        """Somebody disables it in the console."""
        await self._call("DisableThing", lamp)

    async def enable(self, lamp: Identity) -> None:
        """Somebody enables it in the console."""
        await self._call("EnableThing", lamp)

    async def remove(self, lamp: Identity) -> None:
        """Somebody removes it from the topology."""
        if (device := self.find(lamp)) and device.gateway:
            await self._call("RemoveThingTopo", lamp)

    async def delete(self, lamp: Identity) -> None:
        """Somebody deletes it in the console."""
        await self._call("DeleteDevice", lamp)

    async def create(self, lamp: Identity) -> None:
        """Somebody creates it again."""
        if self.find(lamp) is None:
            self._cloud.add_device(*lamp, self._secret)

    async def steal(self, lamp: Identity) -> None:
        """Another gateway takes it and logs it in."""
        if device := self.find(lamp):
            bind(self._cloud._platform, self._thief, [device])
            announce(self._cloud._platform, self._thief, Change.CREATED, [device])
            self._end_session(lamp, CONNECTED_ELSEWHERE)

    async def cut(self, _lamp: Identity) -> None:
        """The connection is lost."""
        if self._gateway.connection:
            self._gateway.connection.close("chaos", lost=True)

    async def cut_in_a_login(self, lamp: Identity) -> None:
        """The connection is lost while the reply to a request is awaited."""
        self._cloud.faults.set(lose_replies=1)
        await self.toggle(lamp)
        await asyncio.sleep(0.02)
        await self.cut(lamp)
        self._cloud.faults.set(lose_replies=0)

    async def spoil_secret(self, lamp: Identity) -> None:
        """Its secret changes in the cloud."""
        if device := self.find(lamp):
            device.device_secret = WRONG_SECRET

    async def mend_secret(self, lamp: Identity) -> None:
        """Its secret is the old one again."""
        if device := self.find(lamp):
            device.device_secret = self._secret

    def find(self, lamp: Identity) -> CloudDevice | None:
        """Return a sub-device as the cloud knows it, None while it is deleted."""
        with contextlib.suppress(KeyError):
            return self._cloud.device(*lamp)
        return None

    def _end_session(self, lamp: Identity, code: int) -> None:
        if (device := self.find(lamp)) and device.connection:
            device.connection.close("chaos", code=code)

    async def _call(self, action: str, lamp: Identity) -> None:
        if self.find(lamp):
            answer = await self._cloud.call(action, ProductKey=lamp.product_key, DeviceName=lamp.device_name)
            assert answer["Success"], answer
