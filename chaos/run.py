"""A run: set everything up, inject faults, wait until everything has arrived, and audit."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from bench.home import NotSetUp, home
from bench.process import resident_mb
from simulator import CloudDevice, Simulator, reserved_port

from .audit import Check, audit, differing, lost_events, missing_samples, unanswered
from .compressed import compressed
from .faults import FaultInjector
from .house import (
    DEVICE_NAME,
    LAMPS,
    PRODUCT_KEY,
    QUESTION,
    entry as new_entry,
    furnish,
    is_loaded,
    new_secret,
    thing_model,
)
from .load import Load
from .recorder import Recorder, captured_passwords
from .resources import LONG_ENOUGH, MOST_GROWTH, Resources, growth

SETTLE_TIMEOUT = 120.0
"""Seconds until everything must have arrived."""
LOAD_TIMEOUT = 60.0
POLL_INTERVAL = 1.0


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
    secret = new_secret()
    with compressed(), captured_passwords() as passwords, reserved_port() as port, reserved_port() as api_port:
        simulator = Simulator(
            port=port, api_port=api_port, rate_limit=True, connects_per_minute=None, strict_values=True
        )
        async with simulator as cloud, home(LAMPS) as hass:
            device = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, secret, thing_model())
            furnish(hass)
            await _warm_up(hass, cloud, new_entry(cloud.port, secret))
            device.service_calls.clear()
            before = Resources.now(hass)
            recorder = Recorder(hass, cloud, device, lambda: {secret, *passwords})
            entry = await _add(hass, new_entry(cloud.port, secret))
            recorder.start()
            load = Load(hass, cloud, recorder, seed)
            faults = FaultInjector(cloud, device, lambda: _reload(hass, entry, load, recorder), lambda: _loaded(entry))
            memory: list[float] = []
            sampling = asyncio.create_task(_collect(recorder, memory))
            load.start()
            await faults.run(seed, seconds)
            await load.stop()
            faults_ended = time.monotonic()
            await _settle(hass, entry, device, recorder)
            settled_after = time.monotonic() - faults_ended
            sampling.cancel()
            recorder.collect()
            recorder.dropped_events += _dropped_events(entry)
            checks = audit(hass, device, recorder)
            counters = _counters(entry)
            await _remove(hass, entry)
            recorder.stop()
            checks.append(_nothing_left(before, await _resources_at_rest(hass, before)))
    checks += [_memory(memory, seconds), *_logs(recorder)]
    injected = {kind.value: count for kind, count in faults.injected.items()}
    return Outcome(seed, seconds, settled_after, injected, device.connections, counters, memory, checks)


async def _add(hass: HomeAssistant, entry: ConfigEntry) -> ConfigEntry:
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    if not is_loaded(entry):
        raise NotSetUp(f"{entry.title}: {entry.state.value}, {entry.reason}")
    return entry


async def _warm_up(hass: HomeAssistant, cloud: Simulator, entry: ConfigEntry) -> None:
    """Do everything once, so that what Home Assistant keeps of the first action or script doesn't count as a leak."""
    await _add(hass, entry)
    for action, fields in (
        ("InvokeThingService", {"Identifier": QUESTION, "Args": '{"Number": 0}'}),
        ("SetDeviceProperty", {"Items": f'{{"{LAMPS[0]}": 1}}'}),
    ):
        await cloud.call(action, ProductKey=PRODUCT_KEY, DeviceName=DEVICE_NAME, **fields)
    await hass.async_block_till_done()
    await _remove(hass, entry)


async def _remove(hass: HomeAssistant, entry: ConfigEntry) -> None:
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


async def _reload(hass: HomeAssistant, entry: ConfigEntry, load: Load, recorder: Recorder) -> None:
    """Unload the entry and try to set it up again; the load is paused, because nothing listens in the meantime."""
    load.paused = True
    recorder.dropped_events += _dropped_events(entry)
    try:
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()  # events are followed in a task
    finally:
        load.paused = False


async def _loaded(entry: ConfigEntry) -> None:
    """Wait until the integration is loaded: Home Assistant tries again by itself."""
    async with asyncio.timeout(LOAD_TIMEOUT):
        while not is_loaded(entry):  # noqa: ASYNC110
            await asyncio.sleep(POLL_INTERVAL)


async def _collect(recorder: Recorder, memory: list[float]) -> None:
    while True:
        recorder.collect()
        memory.append(resident_mb())
        await asyncio.sleep(POLL_INTERVAL)


async def _settle(hass: HomeAssistant, entry: ConfigEntry, device: CloudDevice, recorder: Recorder) -> None:
    """Wait until both sides agree, or for the time-out."""
    deadline = time.monotonic() + SETTLE_TIMEOUT
    while time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        recorder.collect()
        idle = is_loaded(entry) and not entry.runtime_data.device.reporter.buffered
        incomplete = missing_samples(recorder) or lost_events(recorder) or unanswered(device, recorder)
        if idle and not (incomplete or differing(hass, device)):
            return


def _counters(entry: ConfigEntry) -> dict[str, int]:
    if not is_loaded(entry):
        return {}
    counters = entry.runtime_data.device.reporter.counters
    return {name: getattr(counters, name) for name in ("posts", "sent", "merged", "rejected", "retried", "dropped")}


def _dropped_events(entry: ConfigEntry) -> int:
    """Return how many events the integration has counted as dropped since it was set up."""
    if not is_loaded(entry):
        return 0
    dropped: int = entry.runtime_data.device.event_queue.counters.dropped
    return dropped


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


def _memory(memory: list[float], seconds: float) -> Check:
    grown = growth(memory)
    summary = f"{memory[-1]:.1f} MB, {grown:+.1%} since the warm-up"
    if seconds < LONG_ENOUGH:
        return Check("memory is flat", f"{summary}; too short to tell")
    return Check("memory is flat", summary, [f"more than {MOST_GROWTH:.0%}"] if grown > MOST_GROWTH else [])


def _logs(recorder: Recorder) -> Iterator[Check]:
    yield Check("no secret is logged", "all records of all levels", recorder.leaks)
    yield Check("no error is logged", "all records", recorder.errors)
