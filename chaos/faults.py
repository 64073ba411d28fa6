"""The faults, drawn from a seed.

There are two streams of faults at the same time: faults of the connection, and faults of messages.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import random

from simulator import CloudDevice, Simulator

from .compressed import FACTOR
from .house import DEVICE_NAME

NOT_NOW = (500, 6313, 6760)
"""Codes of replies that ask to try again. Values that are refused for good would differ between the two sides."""
CONNECT_CODES = (1, 2, 3, 3, 3, 5)
"""CONNACK codes; 5 stands for a wrong secret or a disabled device."""
LONG_OUTAGE = 600 / FACTOR
MOST_KICKS = 4
"""How often another client with the same triple connects at most."""


class Kind(StrEnum):
    """The kinds of faults. Their values are part of the seed."""

    DROP = "drop"
    HALF_OPEN = "half-open"
    STALL = "half-open for a moment"
    REFUSE = "refuse"
    KICK = "kick"
    BROKER_RESTART = "broker restart"
    BABBLE = "no MQTT"
    FLOOD = "flood of packets"
    EXCEED = "message of 256 MB"
    LONG_OUTAGE = "ten minutes of outage"
    RELOAD = "integration restarted"
    RELOAD_IN_OUTAGE = "integration restarted in an outage"
    DELAY = "delay"
    LOSE_REPLY = "lose replies"
    GARBLE = "garbled replies"
    DUPLICATE = "duplicate"
    WRONG_CODE = "wrong code"


CONNECTION: Mapping[Kind, float] = {
    Kind.DROP: 4,
    Kind.HALF_OPEN: 3,
    Kind.STALL: 2,
    Kind.REFUSE: 3,
    Kind.KICK: 1,
    Kind.BROKER_RESTART: 2,
    Kind.BABBLE: 1,
    Kind.FLOOD: 2,
    Kind.EXCEED: 0.5,
    Kind.LONG_OUTAGE: 0.5,
    Kind.RELOAD: 1,
    Kind.RELOAD_IN_OUTAGE: 1,
}
MESSAGES: Mapping[Kind, float] = {
    Kind.DELAY: 2,
    Kind.LOSE_REPLY: 3,
    Kind.GARBLE: 1,
    Kind.DUPLICATE: 3,
    Kind.WRONG_CODE: 2,
}
"""The weight of each kind among the faults of its stream."""

STREAMS = ((CONNECTION, 4.0), (MESSAGES, 2.0))
"""The streams of faults, with the mean seconds between two faults."""

FAULTS_AT_LEAST = 12
"""Faults of each stream in a run; a short run has shorter pauses."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that begins after a pause and lasts for some seconds; `number` is a count or selects a code."""

    pause: float
    kind: Kind
    seconds: float
    number: int


def schedule(seed: int, kinds: Mapping[Kind, float], mean_pause: float, seconds: float) -> list[Fault]:
    """Draw faults for `seconds`. The first ones are all of different kinds, so that short runs have many kinds."""
    draw = random.Random(f"{seed} {' '.join(kinds)}")  # noqa: S311 - not for secrets
    first = draw.sample(list(kinds), len(kinds))
    faults: list[Fault] = []
    left = seconds
    if seconds < 2 * LONG_OUTAGE:  # these would last for most of the run
        first = [kind for kind in first if kind not in (Kind.LONG_OUTAGE, Kind.EXCEED)]
    while left > 0:
        kind = first.pop() if first else draw.choices(list(kinds), list(kinds.values()))[0]
        lasting = LONG_OUTAGE if kind is Kind.LONG_OUTAGE else draw.uniform(0.1, 2.5)
        fault = Fault(draw.expovariate(1 / mean_pause), kind, lasting, draw.randint(1, 4))
        faults.append(fault)
        left -= fault.pause  # durations are left out, because few faults last that long
    return faults


class FaultInjector:
    """Injects faults between the cloud and one device."""

    def __init__(
        self,
        cloud: Simulator,
        device: CloudDevice,
        reload: Callable[[], Awaitable[None]],
        loaded: Callable[[], Awaitable[None]],
    ) -> None:
        """`reload` unloads the integration and tries to set it up again, `loaded` waits until it is set up."""
        self.injected: Counter[Kind] = Counter()
        self._cloud = cloud
        self._device = device
        self._reload = reload
        self._loaded = loaded

    async def run(self, seed: int, seconds: float) -> None:
        """Inject faults for `seconds`, then end all of them."""
        schedules = [schedule(seed, kinds, min(pause, seconds / FAULTS_AT_LEAST), seconds) for kinds, pause in STREAMS]
        tasks = [asyncio.create_task(self._inject_all(faults)) for faults in schedules]
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        await self._end(tasks)

    async def _inject_all(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            await asyncio.sleep(fault.pause)
            self.injected[fault.kind] += 1
            await self._inject(fault)

    async def _inject(self, fault: Fault) -> None:
        faults = self._cloud.faults
        match fault.kind:
            case Kind.DROP:
                self._to_connection("drop_connection")
            case Kind.BABBLE:
                self._to_connection("babble")
            case Kind.FLOOD:
                self._to_connection("flood")
            case Kind.EXCEED:  # the integration pauses for long
                self._to_connection("exceed")
            case Kind.HALF_OPEN:
                self._to_connection("freeze")
                await asyncio.sleep(fault.seconds)
            case Kind.STALL:
                await self._stall(fault.seconds)
            case Kind.REFUSE:
                faults.set(
                    refuse_connect={"code": CONNECT_CODES[fault.number % len(CONNECT_CODES)], "count": fault.number}
                )
                self._to_connection("drop_connection")
            case Kind.KICK:
                await self._kick(fault.number)
            case Kind.BROKER_RESTART:
                await self._outage(fault.seconds)
            case Kind.LONG_OUTAGE:
                await self._outage(fault.seconds)
            case Kind.RELOAD:
                faults.set(refuse_connect=None)  # after refused credentials the user would have to act
                await self._reload()
                await self._loaded()
            case Kind.RELOAD_IN_OUTAGE:
                faults.set(refuse_connect=None)
                await self._outage(fault.seconds, self._reload)
                await self._loaded()
            case Kind.DELAY:
                faults.set(delay_replies=fault.seconds)
                await asyncio.sleep(fault.seconds)
                faults.set(delay_replies=0)
            case Kind.LOSE_REPLY:
                faults.set(lose_replies=fault.number)
            case Kind.GARBLE:
                faults.set(garble_replies=fault.number)
            case Kind.DUPLICATE:
                faults.set(duplicate_downlink=fault.number)
            case Kind.WRONG_CODE:
                faults.set(answer_code={"code": NOT_NOW[fault.number % len(NOT_NOW)], "count": fault.number})

    def _to_connection(self, name: str) -> None:
        """Apply a fault to the connection, if there is one."""
        if self._device.connection:
            self._cloud.faults.set(**{name: DEVICE_NAME})

    async def _stall(self, seconds: float) -> None:
        connection = self._device.connection
        if connection:
            connection.line.freeze()
            await asyncio.sleep(seconds)
            connection.line.unfreeze()

    async def _kick(self, times: int) -> None:
        """Replace the connection of the device several times, each time as soon as it is online."""
        for _ in range(min(times, MOST_KICKS)):
            try:
                await self._device.wait_for(lambda device: device.online, 10.0)
            except TimeoutError:
                return
            self._to_connection("kick")

    async def _outage(self, seconds: float, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        await self._cloud.stop()
        try:
            if meanwhile:
                await meanwhile()
            await asyncio.sleep(seconds)
        finally:
            await self._cloud.start()

    async def _end(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        self._cloud.faults.set(reset=True)
        self._to_connection("unfreeze")
