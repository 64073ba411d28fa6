"""The cost of setting up by the number of bindings.

Each house is a process of its own. The set-up goes from the stored entry to a connected device. The snapshot is complete when
the cloud has the value of every property, under the platform's rate limit.
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass
import sys
import time

from .benchmark import Benchmark, Report
from .children import child
from .device import Device
from .figures import table
from .ledger import ledger_process
from .scale_house import ScaleCost
from .sensors import Sensors

TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class Result:
    """The cost of setting up a house, and its snapshot: messages, dropped messages, missing values and seconds."""

    cost: ScaleCost
    messages: int
    dropped: int
    missing: int
    snapshot_seconds: float


async def run(options: argparse.Namespace) -> Report:
    """Set up a house with each of `options.counts` bindings."""
    return _report({count: await _house(count) for count in options.counts})


async def _house(count: int) -> Result:
    device, sensors = Device(f"house-{count}"), Sensors(count)
    async with ledger_process([device], count, rate_limit=True) as ledger:
        command = ("-m", "bench.scale_house", str(count), str(ledger.port), device.device_name, device.secret)
        async with child(sys.executable, *command) as house:
            cost = ScaleCost(**await house.read())
            began = time.monotonic()
            missing = await ledger.wait_values(device, sensors.last(range(count)), TIMEOUT)
            seconds = time.monotonic() - began
            tally = await ledger.tally(device)
    return Result(cost, tally.with_values, tally.dropped, missing, seconds)


def _report(results: Mapping[int, Result]) -> Report:
    heads = (
        "bindings",
        "set up, ms",
        "processor, ms",
        "a binding, µs",
        "memory, MB",
        "a binding, kB",
        "a rule, ms",
        "longest pause, ms",
        "posts",
        "snapshot, s",
    )
    rows = [
        [
            f"{count:,}",
            f"{one.cost.milliseconds:.0f}",
            f"{one.cost.processor_ms:.0f}",
            f"{one.cost.processor_ms * 1000 / count:.0f}",
            f"{one.cost.resident_mb:.1f}",
            f"{one.cost.resident_mb * 1024 / count:.1f}",
            f"{one.cost.rule_ms:.0f}",
            f"{one.cost.rule_pause_ms:.1f}",
            f"{one.messages}",
            f"{one.snapshot_seconds:.1f}",
        ]
        for count, one in results.items()
    ]
    text = "from a stored entry to a connected device, and until the cloud has every value\n\n" + table(heads, rows)
    if wrong := {count: one.missing + one.dropped for count, one in results.items() if one.missing + one.dropped}:
        text += f"\n\nnot everything arrived: {wrong}"
    return Report(text, {"results": {str(count): asdict(one) for count, one in results.items()}})


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000, 10_000], help="numbers of bindings")


BENCHMARK = Benchmark("scale", "the cost of many bindings: set-up, memory, snapshot", _add_options, run)
