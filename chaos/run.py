"""A run: set everything up, inject faults, wait until everything has arrived, and audit."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
import time

from homeassistant.core import HomeAssistant

from bench.process import resident_mb
from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.health.issues import Issue
from simulator import CloudDevice, Simulator, reserved_port

from .audit import Check, audit, differing, lost_events, misplaced, missing_samples, unanswered, ungranted, untold
from .clock import HouseClock
from .compressed import FACTOR, compressed
from .disk import Disk
from .faults import FaultInjector
from .home import Home, home
from .house import IDENTITIES, LAMPS, QUESTION, add_devices, entry as new_entry, new_secrets
from .load import Load
from .recorder import Recorder, captured_passwords
from .resources import GROWTH_OF_A_START, LONG_ENOUGH, MOST_GROWTH, Resources, growth
from .sub_device_actions import SubDeviceActions
from .sub_device_faults import LoginWatch, SubDeviceFaults
from .sub_devices import CHILDREN, POWER

SETTLE_TIMEOUT = 120.0
"""Seconds until everything must have arrived."""
POLL_INTERVAL = 1.0
RETRY_INTERVAL = 5.0
"""Seconds between two looks of a person at the issues, once the faults have ended."""
CONNECTS_PER_MINUTE = int(5 * FACTOR)
"""The platform's limit, as a minute is a second."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run."""

    seed: int
    seconds: float
    settled_after: float
    faults: dict[str, int]
    connections: int
    counters: dict[str, int]
    memory: list[float]
    checks: list[Check]

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return all(check.kept for check in self.checks)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        yield f"seed {self.seed}, {self.seconds:.0f} s; settled {self.settled_after:.1f} s after the last fault"
        yield "faults: " + ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        yield f"connections {self.connections}, " + ", ".join(
            f"{name} {count}" for name, count in self.counters.items()
        )
        for check in self.checks:
            yield from check.lines()


async def run(seed: int, seconds: float) -> Outcome:
    """Run for `seconds`; raises NotSetUp if the entry can't be set up at first."""
    secrets, logins = new_secrets(), LoginWatch()
    clock, disk = HouseClock(), Disk()
    with (
        compressed(),
        clock.used(),
        disk.used(),
        captured_passwords() as passwords,
        reserved_port() as port,
        reserved_port() as api_port,
    ):
        simulator = Simulator(
            port=port,
            api_port=api_port,
            rate_limit=True,
            connects_per_minute=CONNECTS_PER_MINUTE,
            strict_values=True,
            on_wire=logins.saw,
        )
        async with simulator as cloud, home() as house:
            devices = add_devices(cloud, secrets)
            device = devices[0]
            actions = SubDeviceActions(cloud, device, secrets)
            await _warm_up(house, cloud, devices, secrets)
            before = Resources.now(house.hass)
            recorder = Recorder(cloud, devices, lambda: {*secrets.values(), *passwords})
            house.each_start(recorder.listen)
            with recorder.watching():
                await house.add(new_entry(cloud.port, secrets))
                recorder.start()
                load = Load(house, cloud, recorder, seed)
                sub_devices = SubDeviceFaults(cloud, house, recorder, actions, logins)
                faults = FaultInjector(cloud, device, house, load, recorder, clock, disk, sub_devices)
                memory: list[float] = []
                sampling = asyncio.create_task(_collect(recorder, memory))
                load.start()
                await faults.run(seed, seconds)
                await load.stop()
                faults_ended = time.monotonic()
                person = asyncio.create_task(_retry(house))
                refused = await _refused(house, device, recorder)
                await _settle(house, device, recorder)
                person.cancel()
                settled_after = time.monotonic() - faults_ended
                await _leave(house, recorder, seed)
                sampling.cancel()
                recorder.collect()
                checks = [refused, *audit(house, device, recorder)]
                counters = _counters(house)
                await house.remove()
            recorder.stop()
            checks.append(_nothing_left(before, await _resources_at_rest(house.hass, before)))
    checks += [_memory(memory, seconds, house.starts), *_logs(recorder)]
    injected = {kind.value: count for kind, count in faults.injected.items()}
    return Outcome(seed, seconds, settled_after, injected, device.connections, counters, memory, checks)


async def _warm_up(
    house: Home, cloud: Simulator, devices: Sequence[CloudDevice], secrets: Mapping[Identity, str]
) -> None:
    """Do everything once, so that what Home Assistant keeps of the first action or script doesn't count as a leak."""
    await house.add(new_entry(cloud.port, secrets))
    await devices[-1].wait_for(lambda device: device.online)
    for identity, action, fields in (
        (IDENTITIES[0], "InvokeThingService", {"Identifier": QUESTION, "Args": '{"Number": 0}'}),
        (IDENTITIES[0], "SetDeviceProperty", {"Items": f'{{"{LAMPS[0]}": 1}}'}),
        (IDENTITIES[-1], "SetDeviceProperty", {"Items": f'{{"{POWER}": 1}}'}),
    ):
        await cloud.call(action, ProductKey=identity.product_key, DeviceName=identity.device_name, **fields)
    await house.hass.async_block_till_done()
    await house.remove()
    for device in devices:
        device.service_calls.clear()


async def _collect(recorder: Recorder, memory: list[float]) -> None:
    while True:
        recorder.collect()
        memory.append(resident_mb())
        await asyncio.sleep(POLL_INTERVAL)


async def _retry(house: Home) -> None:
    """Do what a person does for sub-devices that were deleted or removed; all others come online by themselves."""
    while True:
        house.retry_sub_devices((Issue.SUB_DEVICE_DELETED, Issue.SUB_DEVICE_NOT_IN_TOPOLOGY))
        await asyncio.sleep(RETRY_INTERVAL)


async def _refused(house: Home, device: CloudDevice, recorder: Recorder) -> Check:
    """Check that what differs now is known to be refused, and connect again: then the cloud gets it once more."""
    await house.loaded()
    await _until(lambda: house.is_online)
    await _until(lambda: _is_idle(house) and not untold(house, recorder.present))
    check = Check(
        "every last value that differs is told",
        f"{len(differing(house, recorder.present))} refused before the last connection",
        untold(house, recorder.present),
    )
    if device.connection:
        device.connection.line.close("dropped on demand", lost=True)
    return check


async def _settle(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """Wait until both sides agree, or for the time-out."""

    def settled() -> bool:
        recorder.collect()
        incomplete = missing_samples(house, recorder) or lost_events(house, recorder)
        open_commands = unanswered(recorder) or ungranted(house, device, recorder)
        different = differing(house, recorder.present) or misplaced(house, recorder.present)
        return _is_idle(house) and not (incomplete or open_commands or different)

    await _until(settled)


async def _leave(house: Home, recorder: Recorder, seed: int) -> None:
    """Let the device behind a sub-device be unavailable, so that not all of them are online in the end."""
    child = CHILDREN[seed % len(CHILDREN)]
    for name in child.entities.values():
        house.take_away(name, remove=False)
    await _until(lambda: not misplaced(house, recorder.present))


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SETTLE_TIMEOUT
    while time.monotonic() < deadline and not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.1)


def _is_idle(house: Home) -> bool:
    return house.is_online and not any(parts.reporter.buffered for parts in house.all_parts)


def _counters(house: Home) -> dict[str, int]:
    if not (parts := house.parts):
        return {}
    counters = parts.reporter.counters
    names = ("posts", "sent", "merged", "rejected", "retried", "dropped")
    sub_devices = sum(parts.reporter.counters.sent for parts in house.all_parts[1:])
    return {name: getattr(counters, name) for name in names} | {
        "sent of sub-devices": sub_devices,
        "starts": house.starts,
    }


async def _resources_at_rest(hass: HomeAssistant, before: Resources) -> Resources:
    """Return the resources once everything that ends by itself has ended."""
    for _ in range(50):
        resources = Resources.now(hass)
        if not resources.more_than(before):
            break
        await asyncio.sleep(0.1)
    return resources


def _nothing_left(before: Resources, after: Resources) -> Check:
    summary = (
        f"{sum(after.tasks.values())} tasks, {sum(after.listeners.values())} listeners, {after.descriptors} descriptors"
    )
    return Check("nothing is left behind", summary, after.more_than(before))


def _memory(memory: list[float], seconds: float, starts: int) -> Check:
    grown = growth(memory)
    allowed = MOST_GROWTH + (starts - 1) * GROWTH_OF_A_START
    summary = f"{memory[-1]:.1f} MB, {grown:+.1%} since the warm-up"
    if seconds < LONG_ENOUGH:
        return Check("memory is flat", f"{summary}; too short to tell")
    return Check("memory is flat", summary, [f"more than {allowed:.1%}"] if grown > allowed else [])


def _logs(recorder: Recorder) -> Iterator[Check]:
    yield Check("no secret is logged", "all records of all levels", recorder.leaks)
    yield Check("no error is logged", "all records", recorder.errors)
