"""The cost of the integration when entities that are not bound change their state.

The processor time of the event loop is measured while 1,000 unbound entities change their state, for some rounds with the
integration loaded and connected, and for as many without it. One turn goes without, with, with, without, so that a machine
that gets faster or slower affects both in the same way. The two blocks without the integration also show how much
measurements of the same thing differ. The cloud is another process and is not counted.

In a real house something always follows some entity, so that the event bus has to look up every change. Therefore both
cases have a listener for one entity. `--bare` leaves it out: then the cost of that lookup in Home Assistant itself counts as
the integration's.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
import gc
from statistics import median
import time

from homeassistant.core import HomeAssistant
from homeassistant.helpers.event import async_track_state_change_event

from .benchmark import Benchmark, Report
from .cloud import Cloud, cloud_process
from .device import Device
from .figures import Distribution, table
from .home import add_device, home
from .load import ignore_change

ENTITIES = [f"sensor.unmapped_{number}" for number in range(1000)]
WARM_UP = 5
PAUSE = 0.1


async def run(options: argparse.Namespace) -> Report:
    """Measure `options.turns` turns with blocks of `options.rounds` rounds."""
    # Each turn has a device of its own, because the platform accepts at most five connects a minute from a device.
    devices = [Device(f"home-{turn}") for turn in range(options.turns)]
    without: list[float] = []
    loaded: list[float] = []
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(cloud_process(devices))
        hass = await stack.enter_async_context(home(["mapped", "followed"]))
        if not options.bare:
            stack.callback(async_track_state_change_event(hass, "input_boolean.followed", ignore_change))
        await _cost(hass, WARM_UP)
        for device in devices:
            without.append(await _cost(hass, options.rounds))
            async with _integration(hass, cloud, device):
                loaded += [await _cost(hass, options.rounds) for _ in range(2)]
            without.append(await _cost(hass, options.rounds))
    return _report(without, loaded)


@asynccontextmanager
async def _integration(hass: HomeAssistant, cloud: Cloud, device: Device) -> AsyncIterator[None]:
    """Load the integration and connect its device, with one bound entity that does not change."""
    entry = await add_device(hass, device, cloud.port, "mapped")
    await cloud.wait_online(device)
    yield
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


async def _cost(hass: HomeAssistant, rounds: int) -> float:
    """Return the processor time of one round in milliseconds: the median, because of interruptions."""
    # Wait for the end of everything that loading or unloading has started.
    await asyncio.sleep(PAUSE)
    gc.collect()
    costs = []
    for number in range(rounds):
        began = time.thread_time()
        for entity_id in ENTITIES:
            hass.states.async_set(entity_id, str(number))
        await asyncio.sleep(0)
        costs.append((time.thread_time() - began) * 1000)
    return median(costs)


def _report(without: list[float], loaded: list[float]) -> Report:
    pairs = list(zip(without[::2], without[1::2], loaded[::2], loaded[1::2], strict=True))
    spreads = {"without": Distribution.of(without), "with": Distribution.of(loaded)}
    ratios = {
        "with_to_without": Distribution.of(
            [(third + fourth) / (first + second) for first, second, third, fourth in pairs]
        ),
        "without_to_without": Distribution.of([second / first for first, second, _, _ in pairs]),
    }
    titles = {
        "without": "without the integration, ms",
        "with": "with it, loaded and connected, ms",
        "with_to_without": "with ÷ without, in one turn",
        "without_to_without": "without ÷ without, in one turn",
    }
    rows = [
        [titles[kind], f"{one.count}", f"{one.p50:.3f}", f"{one.p25:.3f}", f"{one.p75:.3f}", f"{one.minimum:.3f}"]
        for kind, one in (spreads | ratios).items()
    ]
    medians = spreads["with"].p50 / spreads["without"].p50
    text = "processor time for 1,000 state changes of unbound entities\n\n"
    text += table(["", "samples", "median", "p25", "p75", "least"], rows)
    text += f"\n\nmedian with ÷ median without: {medians:.3f}"
    figures = {
        "unit": "ms per 1000 changes",
        "spreads": {kind: one.as_dict() for kind, one in spreads.items()},
        "ratios": {kind: one.as_dict() for kind, one in ratios.items()},
        "ratio_of_medians": round(medians, 4),
    }
    return Report(text, figures)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=15, help="turns of four blocks (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=25, help="rounds of 1,000 changes a block (default %(default)s)")
    parser.add_argument("--bare", action="store_true", help="measure without a listener for another entity")


BENCHMARK = Benchmark("idle", "the cost of the integration when unbound entities change", _add_options, run)
