"""The cost of the mapping: of each state change of a bound entity, and of loading many bindings.

Entities of a dozen sorts change their state while the reporter follows them, with a thing model and without one. This covers
the whole path of a value except for the network: the event, its bindings, the value and its conversion, the comparison with
the previous value, and the queue. The same changes with a listener that does nothing are the floor; the difference is the
cost of the mapping. The link is never started, so that nothing is sent.

One turn goes floor, without a model, with a model, floor, so that a machine that gets faster or slower affects all alike.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
import gc
from statistics import median
import time

from homeassistant.core import HomeAssistant
from homeassistant.helpers.event import async_track_state_change_event

from custom_components.aliyun_iot.alink.auth import DeviceTriple
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.bound import bind
from custom_components.aliyun_iot.reports.events import EventQueue
from custom_components.aliyun_iot.reports.reporter import Reporter

from .benchmark import Benchmark, Report
from .device import PRODUCT_KEY, Device
from .figures import table
from .home import home
from .load import ignore_change
from .mapped_house import SORTS, Sort, thing_model
from .mapping_load import load

PER_SORT = 100
WARM_UP = 3
FLOOR, INFERRED, MODELLED = "floor", "without a thing model", "with one"
TURN = (FLOOR, INFERRED, MODELLED, FLOOR)

AIM_CHANGE = 25.0
AIM_LOAD = 500.0
AIM_MEMORY = 20.0


class NotReported(Exception):  # noqa: N818 - named after what happened
    """A binding has no value to report, so that the figures would not be comparable."""


async def run(options: argparse.Namespace) -> Report:
    """Measure `options.turns` turns with blocks of `options.rounds` rounds, then loading `options.bindings` bindings."""
    models = {INFERRED: None, MODELLED: thing_model(SORTS, PER_SORT)}
    async with home([]) as hass:
        mixed = await _costs(hass, SORTS, models, options)
        by_sort = {_title(sort): await _costs(hass, (sort,), models, options) for sort in SORTS}
    return _report(mixed, by_sort, options.bindings, await load(options.bindings))


async def _costs(
    hass: HomeAssistant, sorts: Sequence[Sort], models: dict[str, ThingModel | None], options: argparse.Namespace
) -> dict[str, float]:
    """Return the processor time of one state change in microseconds, by the kind of block."""
    samples: dict[str, list[float]] = {kind: [] for kind in TURN}
    for _ in range(options.turns):
        for kind in TURN:
            followed = _floor(hass, sorts) if kind == FLOOR else _reported(hass, sorts, models[kind])
            async with followed:
                samples[kind] += await _block(hass, sorts, options.rounds)
    return {kind: median(costs) for kind, costs in samples.items()}


async def _block(hass: HomeAssistant, sorts: Sequence[Sort], rounds: int) -> list[float]:
    """Return the cost of one change in each round, in microseconds."""
    gc.collect()
    costs = []
    for turn in range(rounds + WARM_UP):
        began = time.thread_time()
        _change(hass, sorts, turn)
        costs.append((time.thread_time() - began) * 1e6 / (len(sorts) * PER_SORT))
        await asyncio.sleep(0)
    return costs[WARM_UP:]


def _change(hass: HomeAssistant, sorts: Iterable[Sort], turn: int) -> None:
    """Give every entity another state."""
    for sort in sorts:
        state, attributes = sort.state(turn)
        for number in range(PER_SORT):
            hass.states.async_set(sort.entity_id(number), state, attributes)


@asynccontextmanager
async def _floor(hass: HomeAssistant, sorts: Sequence[Sort]) -> AsyncIterator[None]:
    """Follow the entities with a listener that does nothing."""
    entity_ids = [sort.entity_id(number) for sort in sorts for number in range(PER_SORT)]
    untrack = async_track_state_change_event(hass, entity_ids, ignore_change)
    yield
    untrack()


@asynccontextmanager
async def _reported(hass: HomeAssistant, sorts: Sequence[Sort], model: ThingModel | None) -> AsyncIterator[None]:
    """Follow the entities with a reporter whose link is never started; raises NotReported."""
    bindings = [binding for sort in sorts for number in range(PER_SORT) for binding in sort.bindings(number)]
    reporter = Reporter(
        hass,
        _dead_link().device,
        lambda: False,
        0,
        EventQueue(on_added=_nothing, on_dropped=_nothing),
        on_change=_nothing,
        on_unsent=_nothing,
        on_past=_nothing,
        on_overflow=_nothing,
        on_refused=_nothing,
        on_refusals_changed=_nothing,
        on_unreportable_changed=_nothing,
        on_losses_changed=_nothing,
    )
    _change(hass, sorts, -1)
    reporter.follow(bind(hass, bindings, model))
    if len(reporter.present(binding.identifier for binding in bindings)) != len(bindings):
        raise NotReported(str(reporter.outbox.unreportable))
    yield
    await reporter.stop()


def _dead_link() -> Link:
    device = Device("mapping")
    triple = DeviceTriple.parse(PRODUCT_KEY, device.device_name, device.secret)
    return Link(LinkConfig(triple, Endpoint("127.0.0.1", 1, Transport.TCP)), on_command=_no_command, on_state=_nothing)


async def _no_command(_command: Command) -> Answer:
    return Answer()


def _nothing(*_: object) -> None:
    """Do nothing: the link is never started, and nothing else uses the callbacks."""


def _title(sort: Sort) -> str:
    return f"{sort.domain}.{sort.name}: {', '.join(sort.properties)}"


def _report(
    mixed: dict[str, float], by_sort: dict[str, dict[str, float]], bindings: int, loaded: dict[str, float]
) -> Report:
    own = {kind: mixed[kind] - mixed[FLOOR] for kind in (INFERRED, MODELLED)}
    ratios = {kind: mixed[kind] / mixed[FLOOR] for kind in (INFERRED, MODELLED)}
    rows = [_row(title, costs) for title, costs in ({"all sorts, mixed": mixed} | by_sort).items()]
    text = f"processor time of one state change, in µs; {len(SORTS) * PER_SORT} bound entities\n\n"
    text += table(["entity and its bound aspects", FLOOR, f"+ {INFERRED}", "÷ floor", f"+ {MODELLED}", "÷ floor"], rows)
    text += f"\n\nloading {bindings:,} bindings\n\n"
    text += table(
        ["", "measured", "aim"],
        [
            ["mapping of one change, without a thing model, µs", f"{own[INFERRED]:.1f}", f"≤ {AIM_CHANGE:.0f}"],
            ["mapping of one change, with one, µs", f"{own[MODELLED]:.1f}", f"≤ {AIM_CHANGE:.0f}"],
            ["loading, ms", f"{loaded['milliseconds']:.0f}", f"≤ {AIM_LOAD:.0f}"],
            ["memory, allocated by Python, MB", f"{loaded['traced_mb']:.1f}", f"≤ {AIM_MEMORY:.0f}"],
            ["memory, resident, MB", f"{loaded['resident_mb']:.1f}", f"≤ {AIM_MEMORY:.0f}"],
        ],
    )
    figures = {
        "change": {"unit": "µs per state change", "mixed": mixed, "own": own, "ratios": ratios, "by_sort": by_sort},
        "load": {"bindings": bindings, **loaded},
        "aims": {"change_us": AIM_CHANGE, "load_ms": AIM_LOAD, "memory_mb": AIM_MEMORY},
    }
    return Report(text, figures)


def _row(title: str, costs: dict[str, float]) -> list[str]:
    floor = costs[FLOOR]
    cells = [f"{floor:.1f}"]
    for kind in (INFERRED, MODELLED):
        cells += [f"{costs[kind] - floor:.1f}", f"{costs[kind] / floor:.2f}"]
    return [title, *cells]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=5, help="turns of four blocks (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of all changes a block (default %(default)s)")
    parser.add_argument("--bindings", type=int, default=10_000, help="bindings to load (default %(default)s)")


BENCHMARK = Benchmark("mapping", "the cost of a state change and of a stored binding", _add_options, run)
