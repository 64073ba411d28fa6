"""A day without the cloud, at one change a second: what is kept, what it takes, and how it is made good.

The clock of the house runs faster (`outage_house.py`); catching up is in real time, under the platform's rate limit. Those
that publish by hand get the same changes as fast as they take them while nobody can connect, and a minute to send what they
have kept. aiomqtt is not among them: its `publish` raises as soon as the connection is lost.
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
PATIENCE = 300.0
PEER_PATIENCE = 60.0
"""Seconds: after some twenty of refusals paho tries again within half a minute."""
PEER_RATE = 5000.0
CALM = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """How the outage was made good.

    `missing` are changes that the cloud does not know afterwards, `timed` those that it has with the time when they
    happened; `live_seconds` until it had the last value, `seconds` until it had all that ever came.
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
    """Let `options.hours` pass."""
    seconds = round(options.hours * 3600)
    kinds = [] if options.without_peers else [kind for kind in await install_peers() if kind != AIOMQTT_KIND]
    device = Device(OURS)
    async with ledger_process([device], 1, rate_limit=True) as ledger:
        command = ("-m", "bench.outage_house", str(seconds), str(ledger.port), device.device_name, device.secret)
        async with child(sys.executable, *command) as house:
            await house.hear()
            await ledger.wait_values(device, {SENSORS.identifier(0): 0}, PATIENCE)
            await ledger.tally(device)
            await ledger.refuse(everybody=True)
            cost = OutageCost(**await house.ask("lost"))
            await ledger.refuse(everybody=False)
            away = await house.ask("back")
            results = {OURS: await _catch_up(ledger, device, range(1, seconds + 1), cost.kept, PATIENCE)}
    for kind in kinds:
        results[kind] = await _peer(kind, seconds)
    return _report(results, cost, away, options.hours)


async def _peer(kind: str, changes: int) -> Result:
    device = PEER_DEVICES[kind]
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(ledger_process([device], 1, rate_limit=True))
        [peer] = await stack.enter_async_context(peers([kind], ledger, SENSORS))
        await ledger.refuse(everybody=True)
        await asyncio.sleep(CALM)
        await ledger.tally(device)
        cost, kept = await peer.publish(PEER_RATE, changes / PEER_RATE, 1)
        await ledger.refuse(everybody=False)
        return await _catch_up(ledger, device, cost.changes, kept, PEER_PATIENCE if kept else CALM)


async def _catch_up(ledger: Ledger, device: Device, changes: range, kept: int, patience: float) -> Result:
    """Wait until the cloud knows every change, or no longer than one may expect."""
    began = time.monotonic()
    wrong = await ledger.wait_values(device, SENSORS.last(changes), patience)
    live = time.monotonic() - began
    known: set[int] = set()
    timed: set[int] = set()
    messages = dropped = 0
    seconds = 0.0
    over = False
    while not over:  # at least once: whoever never gets the last value right has used up all patience by now
        await asyncio.sleep(CALM)
        tally = await ledger.tally(device)
        messages += tally.messages
        dropped += tally.dropped
        if tally.arrivals:
            seconds = time.monotonic() - began
        known.update(value for _, value, _, _ in tally.arrivals if value in changes)
        timed.update(value for _, value, at, _ in tally.arrivals if at and value in changes)
        over = len(known) == len(changes) or time.monotonic() - began > patience
    return Result(kept, len(changes) - len(known), len(timed), wrong, live, seconds, messages, dropped)


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
            ("connected again after, s of its time", f"{away:.0f}"),
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
    parser.add_argument("--hours", type=float, default=24.0, help="how long (default %(default)s)")
    parser.add_argument("--without-peers", action="store_true", help="measure nothing but the integration")


BENCHMARK = Benchmark("outage", "a day without the cloud: what is kept, and how it is made good", _add_options, run)
