"""A flood of changes under the platform's rate limit, and the part of it that arrives.

20 properties change 500 times a second for a minute. The simulator silently drops messages beyond the platform's rate, as the
platform does (docs/protocol.md §14). Measured are this integration with bindings that post the newest value, with bindings
that post every sample, and processes that publish each change. The processes share a minute, since they lose messages from
the first second on.
"""

import argparse
import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial

from homeassistant.core import HomeAssistant

from .benchmark import Benchmark, Report
from .device import Device
from .figures import table
from .home import connect_device, home
from .ledger import Ledger, ledger_process
from .load import Cost, steady
from .peers import PEER_DEVICES, TITLES, install_peers, peers
from .sensors import Sensors

NEWEST, EVERY = "newest", "every"
ALL_TITLES: Mapping[str, str] = {
    NEWEST: "this integration, newest value",
    EVERY: "this integration, every sample",
    **TITLES,
}
TIMEOUT = 60.0
PEER_TIMEOUT = 5.0
"""Seconds; messages that the platform has dropped do not arrive later."""
PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome: messages sent and dropped, changes that arrived at the cloud, and wrong last values."""

    changes: int
    change_us: float
    messages: int
    dropped: int
    arrived: int
    wrong_last: int


async def run(options: argparse.Namespace) -> Report:
    """Make `options.rate` changes a second for `options.seconds`."""
    kinds = [] if options.without_peers else await install_peers()
    own = {NEWEST: Sensors(options.properties), EVERY: Sensors(options.properties, every_sample=True)}
    devices = {kind: Device(kind) for kind in own} | dict(PEER_DEVICES)
    results: dict[str, Result] = {}
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(
            ledger_process(devices.values(), options.properties, rate_limit=True),
        )
        hass = await stack.enter_async_context(home([]))
        first = 0
        for kind, sensors in own.items():
            results[kind], first = await _flood(hass, ledger, devices[kind], sensors, first, options)
        for peer in await stack.enter_async_context(peers(kinds, ledger, own[NEWEST])):
            await ledger.tally(peer.device)
            cost, _ = await peer.publish(options.rate, options.seconds / len(kinds), first)
            results[peer.kind] = await _result(ledger, peer.device, own[NEWEST], cost, PEER_TIMEOUT)
            first = cost.changes.stop
    return _report(results, options)


async def _flood(
    hass: HomeAssistant, ledger: Ledger, device: Device, sensors: Sensors, first: int, options: argparse.Namespace
) -> tuple[Result, int]:
    """Measure this integration; return the result and the number of the next change."""
    change = partial(sensors.change, hass)
    begun = await steady(change, options.rate, sensors.count / options.rate, first)
    entry = await connect_device(hass, device, ledger.port, sensors.bindings(), sensors.thing_model())
    await ledger.wait_values(device, sensors.last(begun.changes), TIMEOUT)
    await ledger.tally(device)
    cost = await steady(change, options.rate, options.seconds, begun.changes.stop)
    result = await _result(ledger, device, sensors, cost, TIMEOUT)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    return result, cost.changes.stop


async def _result(ledger: Ledger, device: Device, sensors: Sensors, cost: Cost, patience: float) -> Result:
    wrong = await ledger.wait_values(device, sensors.last(cost.changes), patience)
    await asyncio.sleep(PAUSE)
    tally = await ledger.tally(device)
    arrived = {value for _, value, _, _ in tally.arrivals} & set(cost.changes)
    changes = len(cost.changes)
    return Result(changes, cost.processor * 1e6 / changes, tally.messages, tally.dropped, len(arrived), wrong)


def _report(results: Mapping[str, Result], options: argparse.Namespace) -> Report:
    heads = ("", "changes", "messages", "dropped by the platform", "changes arrived", "wrong last values")
    rows = [
        [
            ALL_TITLES[kind],
            *(f"{number:,}" for number in (one.changes, one.messages, one.dropped, one.arrived, one.wrong_last)),
        ]
        for kind, one in results.items()
    ]
    text = f"{options.rate:g} changes a second on {options.properties} properties for {options.seconds:g} s; "
    text += "the platform's rate limit is on\n\n" + table(heads, rows)
    figures = {
        "properties": options.properties,
        "rate": options.rate,
        "seconds": options.seconds,
        "results": {kind: asdict(one) for kind, one in results.items()},
    }
    return Report(text, figures)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--properties", type=int, default=20, help="bound entities (default %(default)s)")
    parser.add_argument("--rate", type=float, default=500.0, help="changes a second (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="duration for each kind (default %(default)s)")
    parser.add_argument("--without-peers", action="store_true", help="measure only the integration")


BENCHMARK = Benchmark("limits", "a flood of changes under the platform's rate limit", _add_options, run)
