"""A day without the cloud, at one change a second: what is kept, what it costs, and how it is sent afterwards.

The clock of the house runs faster (`outage_house.py`). Sending afterwards happens in real time, under the platform's rate
limit. The peers that publish each change get the same changes as fast as possible while the cloud refuses connections, and
a minute to send what they have kept. aiomqtt is not measured: its `publish` raises as soon as the connection is lost.
"""

import argparse
import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
import sys
import time

from .benchmark import Benchmark, Report
from .children import child
from .device import Device
from .figures import table
from .ledger import Ledger, ledger_process
from .outage_house import SENSORS, OutageCost
from .peers import AIOMQTT_KIND, PEER_DEVICES, TITLES, install_peers, peers

OURS = "ours"
TIMEOUT = 300.0
PEER_TIMEOUT = 60.0
"""Seconds: after twenty seconds of refusals, paho tries to connect again within half a minute."""
PEER_RATE = 5000.0
PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of an outage.

    `missing` changes never arrived at the cloud, `timed` changes arrived with the time at which they happened.
    `live_seconds` passed until the cloud had the last value, `seconds` until the last arrival.
    """

    kept: int
    missing: int
    timed: int
    wrong_last: int
    live_seconds: float
    seconds: float
    messages: int
    dropped: int


async def run(options: argparse.Namespace) -> Report:
    """Measure an outage of `options.hours`."""
    seconds = round(options.hours * 3600)
    kinds = [] if options.without_peers else [kind for kind in await install_peers() if kind != AIOMQTT_KIND]
    device = Device(OURS)
    async with ledger_process([device], 1, rate_limit=True) as ledger:
        command = ("-m", "bench.outage_house", str(seconds), str(ledger.port), device.device_name, device.secret)
        async with child(sys.executable, *command) as house:
            await house.read()
            await ledger.wait_values(device, {SENSORS.identifier(0): 0}, TIMEOUT)
            await ledger.tally(device)
            await ledger.set_outage(on=True)
            cost = OutageCost(**await house.ask("lost"))
            await ledger.set_outage(on=False)
            away = await house.ask("back")
            results = {OURS: await _catch_up(ledger, device, range(1, seconds + 1), cost.kept, TIMEOUT)}
    for kind in kinds:
        results[kind] = await _peer(kind, seconds)
    return _report(results, cost, away, options.hours)


async def _peer(kind: str, changes: int) -> Result:
    device = PEER_DEVICES[kind]
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(ledger_process([device], 1, rate_limit=True))
        [peer] = await stack.enter_async_context(peers([kind], ledger, SENSORS))
        await ledger.set_outage(on=True)
        await asyncio.sleep(PAUSE)
        await ledger.tally(device)
        cost, kept = await peer.publish(PEER_RATE, changes / PEER_RATE, 1)
        await ledger.set_outage(on=False)
        return await _catch_up(ledger, device, cost.changes, kept, PEER_TIMEOUT if kept else PAUSE)


async def _catch_up(ledger: Ledger, device: Device, changes: range, kept: int, patience: float) -> Result:
    """Wait until all changes have arrived at the cloud, or for the time-out."""
    began = time.monotonic()
    wrong = await ledger.wait_values(device, SENSORS.last(changes), patience)
    live = time.monotonic() - began
    arrived: set[int] = set()
    timed: set[int] = set()
    messages = dropped = 0
    seconds = 0.0
    over = False
    while not over:  # at least once, even if the last value was wrong until the time-out
        await asyncio.sleep(PAUSE)
        tally = await ledger.tally(device)
        messages += tally.messages
        dropped += tally.dropped
        if tally.arrivals:
            seconds = time.monotonic() - began
        arrived.update(value for _, value, _, _ in tally.arrivals if value in changes)
        timed.update(value for _, value, at, _ in tally.arrivals if at and value in changes)
        over = len(arrived) == len(changes) or time.monotonic() - began > patience
    return Result(kept, len(changes) - len(arrived), len(timed), wrong, live, seconds, messages, dropped)


def _report(results: Mapping[str, Result], cost: OutageCost, away: float, hours: float) -> Report:
    titles = {OURS: "this integration", **TITLES}
    heads = (
        "",
        "kept",
        "missing",
        "with their time",
        "wrong last",
        "live after, s",
        "all after, s",
        "messages",
        "dropped",
    )
    rows = [
        [
            titles[kind],
            *(f"{number:,}" for number in (one.kept, one.missing, one.timed, one.wrong_last)),
            f"{one.live_seconds:.1f}" if not one.wrong_last else "never",
            f"{one.seconds:.0f}" if not one.missing else "never",
            *(f"{number:,}" for number in (one.messages, one.dropped)),
        ]
        for kind, one in results.items()
    ]
    text = f"{hours:g} hours without the cloud, one change a second\n\n{table(heads, rows)}\n\n"
    text += table(
        ("this integration, during the outage", ""),
        [
            ("resident memory, MB", f"{cost.resident_mb:.1f}"),
            ("on disk, MB", f"{cost.disk_mb:.1f}"),
            ("files written", f"{cost.writes:,}"),
            ("written in all, MB", f"{cost.written_mb:.1f}"),
            ("connected again after, s of its clock", f"{away:.0f}"),
            ("processor, s", f"{cost.processor_seconds:.1f}"),
        ],
    )
    figures = {
        "hours": hours,
        "during": asdict(cost),
        "connected_after_seconds": away,
        "results": {kind: asdict(one) for kind, one in results.items()},
    }
    return Report(text, figures)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hours", type=float, default=24.0, help="duration of the outage (default %(default)s)")
    parser.add_argument("--without-peers", action="store_true", help="measure only the integration")


BENCHMARK = Benchmark(
    "outage", "a day without the cloud: what is kept, and how it is sent afterwards", _add_options, run
)
