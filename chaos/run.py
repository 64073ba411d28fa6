"""One run: set everything up, let it go wrong, wait until the dust has settled, and look."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from bench.home import NotSetUp, home
from simulator import CloudDevice, Simulator

from .audit import AUDITS_EVENTS, Check, audit, differing, lost_events, missing, unanswered
from .compressed import compressed
from .faults import Mischief
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
from .traces import LONG_ENOUGH, MOST_GROWTH, Held, growth, resident_mb
from .witness import Witness, overheard

DUST = 120.0
"""Seconds that it may take until everything has arrived."""
LOOK = 1.0
RETURN = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

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
        """Tell it."""
        yield f"seed {self.seed}, {self.seconds:.0f} s; settled {self.settled_after:.1f} s after the last fault"
        yield "faults: " + ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        yield f"connections {self.connections}, " + ", ".join(f"{name} {one}" for name, one in self.counters.items())
        for check in self.checks:
            yield from check.lines()


async def run(seed: int, seconds: float) -> Outcome:
    """Run for so many seconds; raises NotSetUp when there is nothing to begin with."""
    secret = new_secret()
    with compressed(), overheard() as passwords:
        async with Simulator(rate_limit=True, connects_per_minute=None) as cloud, home(LAMPS) as hass:
            device = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, secret, thing_model())
            furnish(hass)
            await _rehearse(hass, cloud, new_entry(cloud.port, secret))
            device.service_calls.clear()
            before = Held.now(hass)
            witness = Witness(hass, cloud, device, lambda: {secret, *passwords})
            entry = await _add(hass, new_entry(cloud.port, secret))
            witness.start()
            load = Load(hass, cloud, witness, seed)
            mischief = Mischief(cloud, device, lambda: _reload(hass, entry, load, witness), lambda: _loaded(entry))
            memory: list[float] = []
            looking = asyncio.create_task(_look(witness, memory))
            load.start()
            await mischief.run(seed, seconds)
            await load.stop()
            calm_since = time.monotonic()
            await _settle(hass, entry, device, witness)
            settled_after = time.monotonic() - calm_since
            looking.cancel()
            witness.collect()
            witness.dropped_events += _dropped_events(entry)
            checks = audit(hass, device, witness)
            counters = _counters(entry)
            await _remove(hass, entry)
            witness.stop()
            checks.append(_nothing_left(before, await _quiet(hass, before)))
    checks += [_memory(memory, seconds), *_logs(witness)]
    faults = {kind.value: count for kind, count in mischief.happened.items()}
    return Outcome(seed, seconds, settled_after, faults, device.connections, counters, memory, checks)


async def _add(hass: HomeAssistant, entry: ConfigEntry) -> ConfigEntry:
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    if not is_loaded(entry):
        raise NotSetUp(f"{entry.title}: {entry.state.value}, {entry.reason}")
    return entry


async def _rehearse(hass: HomeAssistant, cloud: Simulator, entry: ConfigEntry) -> None:
    """Do everything once: what Home Assistant keeps of the first action, script or component is no leak."""
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


async def _reload(hass: HomeAssistant, entry: ConfigEntry, load: Load, witness: Witness) -> None:
    """Unload and try to set up again; meanwhile nobody can hear of changes, so that there are none."""
    load.paused = True
    witness.dropped_events += _dropped_events(entry)
    try:
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()  # triggers are attached in a task
    finally:
        load.paused = False


async def _loaded(entry: ConfigEntry) -> None:
    """Wait until the integration runs: Home Assistant tries again by itself and tells nobody."""
    async with asyncio.timeout(RETURN):
        while not is_loaded(entry):  # noqa: ASYNC110
            await asyncio.sleep(LOOK)


async def _look(witness: Witness, memory: list[float]) -> None:
    while True:
        witness.collect()
        memory.append(resident_mb())
        await asyncio.sleep(LOOK)


async def _settle(hass: HomeAssistant, entry: ConfigEntry, device: CloudDevice, witness: Witness) -> None:
    """Wait until both sides know the same, or for as long as one may expect."""
    deadline = time.monotonic() + DUST
    while time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        witness.collect()
        idle = is_loaded(entry) and not entry.runtime_data.device.reporter.buffered
        lost = AUDITS_EVENTS and lost_events(witness)
        if idle and not (lost or differing(hass, device) or missing(witness) or unanswered(device, witness)):
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


async def _quiet(hass: HomeAssistant, before: Held) -> Held:
    """Return what is held once everything that ends by itself has ended."""
    for _ in range(50):
        held = Held.now(hass)
        if not held.more_than(before):
            break
        await asyncio.sleep(0.1)
    return held


def _nothing_left(before: Held, after: Held) -> Check:
    looked_at = (
        f"{sum(after.tasks.values())} tasks, {sum(after.listeners.values())} listeners, {after.descriptors} descriptors"
    )
    return Check("nothing is left behind", looked_at, after.more_than(before))


def _memory(memory: list[float], seconds: float) -> Check:
    grown = growth(memory)
    looked_at = f"{memory[-1]:.1f} MB, {grown:+.1%} since the warm-up"
    if seconds < LONG_ENOUGH:
        return Check("memory is flat", f"{looked_at}; too short to tell")
    return Check("memory is flat", looked_at, [f"more than {MOST_GROWTH:.0%}"] if grown > MOST_GROWTH else [])


def _logs(witness: Witness) -> Iterator[Check]:
    yield Check("no secret is logged", "all records of all levels", witness.leaks)
    yield Check("no error is logged", "all records", witness.errors)
