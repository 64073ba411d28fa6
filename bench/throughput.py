"""The cost of a state change of a bound entity at 10 to 5,000 changes a second, and the delay until the cloud has the value.

1,000 sensors are bound, one property each, and change in turns. Measured are Home Assistant alone with a listener for the
entities that does nothing (the floor, before and after), Home Assistant with this integration, with core's
`mqtt_statestream`, and processes that publish each change.

The processor time is that of the whole process including its threads, from the first change until the cloud has the last
value. The floor is subtracted from what runs in Home Assistant; the other processes don't run Home Assistant. The broker is
the same for all: the simulator in a process of its own, without the platform's rate limit. *Late* is the time from a change
to the arrival of its value. A value that a newer one has replaced never arrives and is not counted.
"""

import argparse
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
import time

from homeassistant.core import HomeAssistant
from homeassistant.helpers.event import async_track_state_change_event

from .benchmark import Benchmark, Report
from .device import Device
from .figures import Distribution, table
from .home import connect_device, home
from .ledger import Ledger, Tally, ledger_process
from .load import Cost, ignore_change, steady
from .peers import PEER_DEVICES, TITLES, Peer, install_peers, peers, statestream
from .sensors import Sensors

FLOOR, OURS, STATESTREAM = "floor", "ours", "mqtt_statestream"
ALL_TITLES = {FLOOR: "Home Assistant alone", OURS: "this integration", STATESTREAM: "core mqtt_statestream", **TITLES}
RATES = (10, 100, 1000, 5000)
TIMEOUT = 60.0

AIM_CHANGE = 40.0
AIM_BLOCK = 20.0


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one kind at one rate; `block_ms` is 0 if no event loop was measured.

    `late_ms` is of every value that arrived, `last_late_ms` of the last value of each property. The last value of `missing`
    properties never arrived.
    """

    changes: int
    change_us: float
    block_ms: float
    messages: int = 0
    most_values: int = 0
    most_bytes: int = 0
    missing: int = 0
    late_ms: Distribution | None = None
    last_late_ms: Distribution | None = None


async def run(options: argparse.Namespace) -> Report:
    """Measure every kind at every rate for `options.seconds`."""
    sensors = Sensors(options.entities)
    ours, streamed = Device("ours"), Device("streamed")
    kinds = [] if options.without_peers else await install_peers()
    results: dict[str, dict[int, Result]] = {}
    async with AsyncExitStack() as stack:
        devices = [ours, streamed, *PEER_DEVICES.values()]
        ledger = await stack.enter_async_context(ledger_process(devices, sensors.count))
        hass = await stack.enter_async_context(home([]))
        bench = _Bench(hass, ledger, sensors, options.seconds)
        await bench.begin()
        before = {rate: await bench.alone(rate) for rate in RATES}
        async with _reported(hass, ledger, ours, sensors):
            results[OURS] = {rate: await bench.of_home(ours, rate) for rate in RATES}
        results[FLOOR] = {rate: _mean(before[rate], await bench.alone(rate)) for rate in RATES}
        if not options.without_peers:
            async with statestream(hass, ledger, streamed):
                results[STATESTREAM] = {rate: await bench.of_home(streamed, rate) for rate in RATES}
        for kind in results.keys() - {FLOOR}:
            results[kind] = {rate: _above(result, results[FLOOR][rate]) for rate, result in results[kind].items()}
        for peer in await stack.enter_async_context(peers(kinds, ledger, sensors)):
            results[peer.kind] = {rate: await bench.of_peer(peer, rate) for rate in RATES}
    return _report(results, options)


class _Bench:
    """Makes the measurements, each for `seconds`; no value is repeated, because that would not be a change."""

    def __init__(self, hass: HomeAssistant, ledger: Ledger, sensors: Sensors, seconds: float) -> None:
        self.hass = hass
        self.ledger = ledger
        self.sensors = sensors
        self.seconds = seconds
        self._next = 0

    async def begin(self) -> None:
        """Give every sensor a value."""
        await self._steady(RATES[-1], self.sensors.count / RATES[-1])

    async def alone(self, rate: int) -> Result:
        """Measure Home Assistant with a listener that does nothing."""
        entities = [self.sensors.entity_id(number) for number in range(self.sensors.count)]
        untrack = async_track_state_change_event(self.hass, entities, ignore_change)
        cost = await self._steady(rate, self.seconds)
        untrack()
        return Result(len(cost.changed_at), cost.processor * 1e6 / len(cost.changed_at), cost.block)

    async def of_home(self, device: Device, rate: int) -> Result:
        """Measure an integration that runs in Home Assistant and reports for a device."""
        await self.ledger.tally(device)
        cost = await self._steady(rate, self.seconds)
        worked = time.process_time()
        missing = await self._settled(device, cost)
        afterwards = time.process_time() - worked
        total = replace(cost, processor=cost.processor + afterwards)
        return _result(total, await self.ledger.tally(device), missing, self.sensors)

    async def of_peer(self, peer: Peer, rate: int) -> Result:
        """Measure another process."""
        await self.ledger.tally(peer.device)
        cost, _ = await peer.publish(rate, self.seconds, self._next)
        self._next = cost.changes.stop
        missing = await self._settled(peer.device, cost)
        return _result(cost, await self.ledger.tally(peer.device), missing, self.sensors)

    async def _steady(self, rate: float, seconds: float) -> Cost:
        cost = await steady(partial(self.sensors.change, self.hass), rate, seconds, self._next)
        self._next = cost.changes.stop
        return cost

    async def _settled(self, device: Device, cost: Cost) -> int:
        return await self.ledger.wait_values(device, self.sensors.last(cost.changes), TIMEOUT)


@asynccontextmanager
async def _reported(hass: HomeAssistant, ledger: Ledger, device: Device, sensors: Sensors) -> AsyncIterator[None]:
    """Let this integration report all sensors."""
    entry = await connect_device(hass, device, ledger.port, sensors.bindings(), sensors.thing_model())
    present = {sensors.identifier(number): _present(hass, sensors.entity_id(number)) for number in range(sensors.count)}
    await ledger.wait_values(device, present, TIMEOUT)
    yield
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


def _present(hass: HomeAssistant, entity_id: str) -> int:
    state = hass.states.get(entity_id)
    return int(state.state) if state else 0


def _result(cost: Cost, tally: Tally, missing: int, sensors: Sensors) -> Result:
    changes = len(cost.changed_at)
    late, last = [], []
    for _, value, _, arrived in tally.arrivals:
        if value in cost.changes:  # others are of changes before
            late.append(float(arrived - cost.changed_at[value - cost.first]))
            if value in cost.changes[-sensors.count :]:
                last.append(late[-1])
    return Result(
        changes,
        cost.processor * 1e6 / changes,
        cost.block,
        tally.messages,
        tally.most_values,
        tally.most_bytes,
        missing,
        Distribution.of(late) if len(late) > 1 else None,
        Distribution.of(last) if len(last) > 1 else None,
    )


def _mean(before: Result, after: Result) -> Result:
    return Result(before.changes, (before.change_us + after.change_us) / 2, max(before.block_ms, after.block_ms))


def _above(result: Result, floor: Result) -> Result:
    return replace(result, change_us=result.change_us - floor.change_us)


def _report(results: Mapping[str, Mapping[int, Result]], options: argparse.Namespace) -> Report:
    text = f"{options.entities:,} bound entities, {options.seconds:g} s at each rate; processor time above the floor"
    for rate in RATES:
        rows = [_row(kind, by_rate[rate]) for kind, by_rate in sorted(results.items(), key=lambda item: ORDER(item[0]))]
        text += f"\n\n{rate:,} changes a second\n\n" + table(HEADS, rows)
    figures = {
        "entities": options.entities,
        "seconds": options.seconds,
        "results": {
            kind: {str(rate): asdict(result) for rate, result in rows.items()} for kind, rows in results.items()
        },
        "aims": {"change_us_at_1000": AIM_CHANGE, "block_ms": AIM_BLOCK},
    }
    return Report(text, figures)


HEADS = (
    "",
    "µs a change",
    "loop block, ms",
    "messages",
    "values in one",
    "late p50, ms",
    "p99",
    "last values p99",
    "missing",
)
ORDER = list(ALL_TITLES).index


def _row(kind: str, one: Result) -> list[str]:
    title = ALL_TITLES[kind]
    costs = [title, f"{one.change_us:.1f}", f"{one.block_ms:.1f}" if one.block_ms else "-"]
    if kind == FLOOR:
        return costs + ["-"] * (len(HEADS) - len(costs))
    late = [f"{one.late_ms.p50:.0f}", f"{one.late_ms.p99:.0f}"] if one.late_ms else ["-", "-"]
    last = f"{one.last_late_ms.p99:.0f}" if one.last_late_ms else "-"
    return [*costs, f"{one.messages:,}", f"{one.most_values}", *late, last, f"{one.missing}"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--entities", type=int, default=1000, help="bound entities (default %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="duration of each measurement (default %(default)s)"
    )
    parser.add_argument("--without-peers", action="store_true", help="measure only the integration")


BENCHMARK = Benchmark("throughput", "the cost of state changes of bound entities, and their delay", _add_options, run)
