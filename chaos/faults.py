"""The faults of the connection, of messages, and of the house; those of sub-devices are in `sub_device_faults.py`."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from simulator import CloudDevice, Simulator

from .audit import unanswered
from .automations import listening_automations
from .clock import JUMPS, HouseClock
from .disk import Disk, DiskFault
from .home import Home
from .house import ALL_SENSORS, DEVICE_NAME, EXTRA, LAMPS
from .load import Load
from .recorder import Recorder
from .schedule import FAULTS_AT_LEAST, STREAMS, Fault, Kind, schedule, some
from .sub_device_faults import SubDeviceFaults

NOT_NOW = (500, 6313, 6760)
"""Codes of replies that ask to try again."""
FOR_GOOD = (460, 5092, 6106, 6320)
"""Codes of replies that refuse a message for good."""
CONNECT_CODES = (1, 2, 3, 3, 3, 5)
"""CONNACK codes; 5 stands for a wrong secret or a disabled device."""
MOST_KICKS = 4
"""How often another client with the same triple connects at most."""
MOST_AT_ONCE = 3
"""Sensors that change their ids or bindings at once, for each of the `number` of a fault."""
ONLINE_TIMEOUT = 20.0
"""Seconds until the device is connected and has answered everything."""


def _count(fault: Fault) -> int:
    """Return how many entities a fault of the house is about."""
    return MOST_AT_ONCE * min(fault.number, 2)


class FaultInjector:
    """Injects faults between the cloud and one device, and into its house."""

    def __init__(
        self,
        cloud: Simulator,
        device: CloudDevice,
        house: Home,
        load: Load,
        recorder: Recorder,
        clock: HouseClock,
        disk: Disk,
        sub_devices: SubDeviceFaults,
    ) -> None:
        """Nothing is injected before `run`; `sub_devices` injects the faults of the sub-devices."""
        self.injected: Counter[Kind] = Counter()
        self._cloud = cloud
        self._device = device
        self._house = house
        self._load = load
        self._recorder = recorder
        self._clock = clock
        self._disk = disk
        self._sub_devices = sub_devices

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
                await self._house.reload()
                await self._house.loaded()
            case Kind.RELOAD_IN_OUTAGE:
                faults.set(refuse_connect=None)
                await self._outage(fault.seconds, self._house.reload)
                await self._house.loaded()
            case Kind.BROKEN_DISK:
                faults.set(refuse_connect=None)
                await self._break_disk(fault)
            case Kind.RESTART:
                faults.set(refuse_connect=None)
                await self._restart_online()
                await self._house.loaded()
            case Kind.RESTART_IN_OUTAGE:
                faults.set(refuse_connect=None)
                await self._outage(fault.seconds, self._restart_alone)
                await self._house.loaded()
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
            case Kind.REFUSE_FOR_GOOD:
                faults.set(answer_code={"code": FOR_GOOD[fault.number % len(FOR_GOOD)], "count": fault.number})
            case Kind.BURST:
                await self._load.burst(fault.seconds)
            case Kind.CLOCK:
                await self._set_clock(fault)
            case Kind.GONE:
                await self._take_away(fault)
            case Kind.RENAME:
                for name in some(ALL_SENSORS, fault, _count(fault)):
                    await self._house.rename(name)
            case Kind.BIND:
                for name in some(EXTRA, fault, _count(fault)):
                    self._house.bind(name)
                    await asyncio.sleep(fault.seconds / MOST_AT_ONCE / fault.number)
            case Kind.AUTOMATIONS:
                await listening_automations(self._house, self._recorder, fault.seconds)
            case _:
                await self._sub_devices.inject(fault)

    def _to_connection(self, name: str) -> None:
        """Apply a fault to the connection, if there is one."""
        if self._device.connection:
            self._cloud.faults.set(**{name: DEVICE_NAME})

    async def _stall(self, seconds: float) -> None:
        connection = self._device.connection
        if connection:
            connection.line.freeze()
            await asyncio.sleep(seconds)
            # What was sent meanwhile arrives at once, which is no fault of the device.
            self._cloud.faults.set(rate_limit=False)
            connection.line.unfreeze()
            await asyncio.sleep(1.0)
            self._cloud.faults.set(rate_limit=True)

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

    async def _break_disk(self, fault: Fault) -> None:
        """Let the disk take nothing while the cloud is away, and load the integration anew meanwhile."""
        self._disk.fault = DiskFault.FULL if fault.number % 2 else DiskFault.READ_ONLY
        try:
            await self._outage(fault.seconds, self._house.reload)
            await self._house.loaded()
        finally:
            self._disk.fault = None

    async def _restart_online(self) -> None:
        """Restart Home Assistant while its connection works, so that what it answers at the end has to arrive."""
        if self._device.connection:
            self._to_connection("drop_connection")
        self._house.undisturbed = True
        try:
            with suppress(TimeoutError):  # the integration pauses for longer after some faults
                async with asyncio.timeout(ONLINE_TIMEOUT):
                    while not self._house.is_online or unanswered(self._recorder):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
            away = [device for device in self._recorder.present if not device.online or self._house.is_offline(device)]
            await self._house.restart(lambda: self._recorder.excuse_unanswered(away))
        finally:
            self._house.undisturbed = False

    async def _restart_alone(self) -> None:
        """Restart Home Assistant without a cloud that could get its last answers."""
        away = self._recorder.present
        await self._house.restart(lambda: self._recorder.excuse_unanswered(away))

    async def _set_clock(self, fault: Fault) -> None:
        """Set the clock of the house, and set it right again later."""
        self._recorder.clock_was_set = True
        self._clock.ahead = JUMPS[fault.number % len(JUMPS)]
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            self._clock.ahead = 0.0

    async def _take_away(self, fault: Fault) -> None:
        names = [*some(ALL_SENSORS, fault, _count(fault)), LAMPS[fault.number % len(LAMPS)]]
        for number, name in enumerate(names):
            self._house.take_away(name, remove=number % 2 == 0)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            for name in names:
                self._house.bring_back(name)

    async def _end(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        await self._house.finished()
        self._cloud.faults.set(reset=True)
        self._to_connection("unfreeze")
