"""The time of a property set: from the cloud, through a real action of Home Assistant, and back.

The cloud is a process of its own. The vendor's Python SDK, which answers every set without doing anything, is measured
with the same cloud in turns, so that the load of the machine is the same for both. The third kind has the cloud in Home
Assistant's process and event loop, which shows the cost of the integration without process switches.

The platform does not document the QoS of its commands, so both are measured. With QoS 1 the device writes twice, the
acknowledgement and the reply, where Nagle's algorithm would wait for the delayed acknowledgement of the peer.

A single maximum above 100 ms comes from Python's full garbage collection, which can happen during any set.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
import sys

from simulator import Simulator

from .benchmark import Benchmark, Report
from .cloud import cloud_process, time_sets
from .device import PRODUCT_KEY, THING_MODEL, Device
from .figures import Distribution, table
from .home import add_device, home, lift_limits
from .sdk import VERSION, SdkUnavailable, install_sdk, sdk_device

TURNS = 10

OURS, ALONE, SDK = "home_assistant", "same_process", "sdk"
TITLES = {
    OURS: "Home Assistant, input_boolean",
    ALONE: "the same, cloud in the same process",
    SDK: f"Python SDK {VERSION}, without an action",
}

type Measure = Callable[[int, int], Awaitable[list[float]]]
"""Takes the number of the first set and the count of sets; returns the milliseconds of each."""


async def run(options: argparse.Namespace) -> Report:
    """Measure `options.count` sets of each kind with each QoS."""
    with_sdk = not options.without_sdk
    try:
        if with_sdk:
            await install_sdk()
    except SdkUnavailable as err:
        sys.stderr.write(f"without the SDK: {err}\n")
        with_sdk = False
    spreads = {qos: await _measure(qos, options.count, with_sdk=with_sdk) for qos in (0, 1)}
    return _report(spreads)


async def _measure(qos: int, count: int, *, with_sdk: bool) -> dict[str, Distribution]:
    """Set everything up, measure all kinds in turns, and return the distribution of each."""
    ours, alone, sdk = Device("home"), Device("home-alone"), Device("sdk")
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(cloud_process([ours, sdk], qos))
        own_cloud = await stack.enter_async_context(Simulator(connects_per_minute=None, downlink_qos=qos))
        own_device = own_cloud.add_device(PRODUCT_KEY, alone.device_name, alone.secret, THING_MODEL)
        hass = await stack.enter_async_context(home(["lamp", "other_lamp"]))
        lift_limits(await add_device(hass, ours, cloud.port, "lamp"))
        lift_limits(await add_device(hass, alone, own_cloud.port, "other_lamp"))
        kinds: dict[str, Measure] = {
            OURS: lambda first, count: cloud.time_sets(ours, first, count),
            ALONE: lambda first, count: time_sets(own_cloud, own_device, first, count),
        }
        if with_sdk:
            await stack.enter_async_context(sdk_device(cloud, sdk))
            kinds[SDK] = lambda first, count: cloud.time_sets(sdk, first, count)
        samples = await _take_turns(kinds, count)
    return {kind: Distribution.of(one) for kind, one in samples.items()}


async def _take_turns(kinds: Mapping[str, Measure], count: int) -> dict[str, list[float]]:
    """Measure a part of each kind in turn. The first sets of each kind fill the caches and are not counted."""
    samples: dict[str, list[float]] = {kind: [] for kind in kinds}
    for measure in kinds.values():
        await measure(0, 2 * TURNS)
    for turn in range(TURNS):
        first, end = count * turn // TURNS, count * (turn + 1) // TURNS
        for kind, measure in kinds.items():
            samples[kind] += await measure(first, end - first)
    return samples


def _report(spreads: Mapping[int, Mapping[str, Distribution]]) -> Report:
    rows = [
        [TITLES[kind], f"{qos}", f"{one.count}", f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.maximum:.2f}"]
        for qos, kinds in spreads.items()
        for kind, one in kinds.items()
    ]
    ratios = {qos: kinds[SDK].p50 / kinds[OURS].p50 for qos, kinds in spreads.items() if SDK in kinds}
    text = "set written → reply received at the cloud, one after another, plain TCP on loopback, in milliseconds\n\n"
    text += table(["", "QoS", "sets", "p50", "p99", "max"], rows)
    for qos, ratio in ratios.items():
        text += f"\n{'' if qos else '\n'}SDK ÷ Home Assistant, p50, QoS {qos}: {ratio:.1f}"
    figures = {
        "unit": "ms",
        "spreads": {
            f"qos{qos}": {kind: one.as_dict() for kind, one in kinds.items()} for qos, kinds in spreads.items()
        },
        "sdk_to_home_assistant_p50": {f"qos{qos}": round(ratio, 2) for qos, ratio in ratios.items()},
    }
    return Report(text, figures)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=1000, help="sets of each kind and QoS (default %(default)s)")
    parser.add_argument("--without-sdk", action="store_true", help="do not compare with the vendor's SDK")


BENCHMARK = Benchmark("latency", "a property set from the cloud: set written → reply received", _add_options, run)
