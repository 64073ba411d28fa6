"""How long a property set takes: from the cloud, through a real Home Assistant action, and back.

The cloud is a process of its own. The vendor's Python SDK, which answers every set without doing anything, is measured
against the same cloud in turns, so that both meet the same load of the machine. The third row has the cloud on Home
Assistant's own event loop, which shows what the integration costs without any process switch.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

from simulator import Simulator

from .benchmark import Benchmark, Report
from .cloud import cloud_process, time_sets
from .device import PRODUCT_KEY, THING_MODEL, Device
from .figures import Distribution, table
from .home import add_device, home
from .sdk import VERSION, SdkUnavailable, install_sdk, sdk_device

TURNS = 10

OURS = "Home Assistant, aliyun_iot"
ALONE = "the same, cloud in the same process"
SDK = f"Python SDK {VERSION}, no action"

type Measure = Callable[[int, int], Awaitable[list[float]]]
"""Sets a switch so many times, beginning with a number; returns milliseconds."""


async def run(options: argparse.Namespace) -> Report:
    """Measure `options.count` sets of each kind."""
    ours, alone, sdk = Device("home"), Device("home-alone"), Device("sdk")
    note = ""
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(cloud_process([ours, sdk]))
        own_cloud = await stack.enter_async_context(Simulator(connects_per_minute=None))
        own_device = own_cloud.add_device(PRODUCT_KEY, alone.device_name, alone.secret, THING_MODEL)
        hass = await stack.enter_async_context(home(["lamp", "other_lamp"]))
        await add_device(hass, ours, cloud.port, "lamp")
        await add_device(hass, alone, own_cloud.port, "other_lamp")
        kinds: dict[str, Measure] = {
            OURS: lambda first, count: cloud.time_sets(ours, first, count),
            ALONE: lambda first, count: time_sets(own_cloud, own_device, first, count),
        }
        try:
            if not options.without_sdk:
                await install_sdk()
                await stack.enter_async_context(sdk_device(cloud, sdk))
                kinds[SDK] = lambda first, count: cloud.time_sets(sdk, first, count)
        except SdkUnavailable as err:
            note = f"\nWithout the SDK: {err}"
        samples = await _take_turns(kinds, options.count)
    return _report(samples, note)


async def _take_turns(kinds: Mapping[str, Measure], count: int) -> dict[str, list[float]]:
    """Measure a part of each kind in turn; the first sets of all are not counted, caches fill then."""
    samples: dict[str, list[float]] = {kind: [] for kind in kinds}
    for measure in kinds.values():
        await measure(0, 2 * TURNS)
    for turn in range(TURNS):
        first, end = count * turn // TURNS, count * (turn + 1) // TURNS
        for kind, measure in kinds.items():
            samples[kind] += await measure(first, end - first)
    return samples


def _report(samples: Mapping[str, list[float]], note: str) -> Report:
    spreads = {kind: Distribution.of(one) for kind, one in samples.items()}
    rows = [
        [kind, f"{one.count}", f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.maximum:.2f}"]
        for kind, one in spreads.items()
    ]
    figures: dict[str, object] = {
        "unit": "ms",
        "spreads": {"home_assistant": spreads[OURS].as_dict(), "same_process": spreads[ALONE].as_dict()},
    }
    text = "set written → reply received at the cloud, one after another, loopback, in milliseconds\n\n"
    text += table(["", "sets", "p50", "p99", "max"], rows)
    if SDK in spreads:
        ratio = spreads[SDK].p50 / spreads[OURS].p50
        text += f"\n\nThe SDK takes {ratio:.1f} times as long (p50)."
        figures["spreads"] = {**figures["spreads"], "sdk": spreads[SDK].as_dict()}  # type: ignore[dict-item]
        figures["ratio_p50"] = round(ratio, 2)
    return Report(text + note, figures)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=1000, help="sets of each kind (default %(default)s)")
    parser.add_argument("--without-sdk", action="store_true", help="do not compare with the vendor's SDK")


BENCHMARK = Benchmark("latency", "a property set from the cloud: set written → reply received", _add_options, run)
