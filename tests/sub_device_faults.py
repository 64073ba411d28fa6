"""What can happen to sub-devices in the cloud and on the way there, drawn from a seed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import random
import time

from chaos.sub_device_actions import CONNECTED_ELSEWHERE, NO_SESSION, SubDeviceActions
from custom_components.aliyun_iot.alink.auth import Identity
from simulator import CloudDevice, Simulator

FASTER = 600
"""How much faster the clock of a gateway is in these tests: five minutes take half a second."""


def fast_clock() -> float:
    """Return the seconds of a clock that is faster than time."""
    return time.monotonic() * FASTER


class SubDeviceFaults(SubDeviceActions):
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
        super().__init__(cloud, gateway, dict.fromkeys(lamps, secret))
        self.random = random.Random(seed)  # noqa: S311
        self._lamps = lamps
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
            self.lose_connection,
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
        self.end_session(lamp, CONNECTED_ELSEWHERE)

    async def lose_session(self, lamp: Identity) -> None:
        """The cloud forgets it, and says so at once or when it is told something."""
        self.end_session(lamp, self.random.choice((0, NO_SESSION)))

    async def lose_connection(self, _lamp: Identity) -> None:
        """The connection is lost."""
        self.cut()

    async def cut_in_a_login(self, lamp: Identity) -> None:
        """The connection is lost while the reply to a request is awaited."""
        self._cloud.faults.set(lose_replies=1)
        await self.toggle(lamp)
        await asyncio.sleep(0.02)
        self.cut()
        self._cloud.faults.set(lose_replies=0)
