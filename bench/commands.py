"""Many commands at once: 1,000 property sets over 50 entities, each answered once, and carried out in order.

The cloud, a process of its own, sends sets without waiting for their answers, with a limit on unanswered sets. Home
Assistant sets an `input_number` for each set; the benchmark checks the values and their order. The vendor's Python SDK
gets the same sets in the same run; it answers each of them with 200 and does nothing. Both are measured in turns, so that
the load of the machine is the same for both.
"""

import argparse
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
import sys
import time
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback

from .benchmark import Benchmark, Report
from .children import Child
from .cloud import Cloud, Sets, cloud_process
from .device import PRODUCT_KEY, Device
from .figures import Distribution, table
from .home import connect_device, home, lift_limits, set_up
from .sdk import VERSION, SdkUnavailable, install_sdk, sdk_device

TURNS = 5
HIGHEST = 1_000_000

OURS, SDK = "home_assistant", "sdk"
TITLES = {OURS: "Home Assistant, input_number", SDK: f"Python SDK {VERSION}, auto-200 without an action"}


class NotAsSent(Exception):  # noqa: N818 - named after what happened
    """Home Assistant did not answer every set once, or did not carry out the sets of an entity in order."""


@dataclass(slots=True)
class Samples:
    """The samples of one kind of device: milliseconds of the answers to each set, and processor seconds of all sets."""

    answers: list[list[float]] = field(default_factory=list)
    processor_seconds: float = 0.0

    @property
    def milliseconds(self) -> list[float]:
        """Return the time of the first answer to each set."""
        return [times[0] for times in self.answers if times]

    @property
    def answered_once(self) -> int:
        """Return how many sets were answered exactly once."""
        return sum(len(times) == 1 for times in self.answers)


async def run(options: argparse.Namespace) -> Report:
    """Measure `options.count` sets over `options.entities` entities."""
    with_sdk = not options.without_sdk
    try:
        if with_sdk:
            await install_sdk()
    except SdkUnavailable as err:
        sys.stderr.write(f"without the SDK: {err}\n")
        with_sdk = False
    return _report(await _measure(options, with_sdk=with_sdk), options)


async def _measure(options: argparse.Namespace, *, with_sdk: bool) -> Mapping[str, Samples]:
    ours, sdk = Device("home"), Device("sdk")
    thing_model = _thing_model(options.entities)
    samples = {OURS: Samples()} | ({SDK: Samples()} if with_sdk else {})
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(cloud_process([ours, sdk], thing_model=thing_model))
        hass = await stack.enter_async_context(home([]))
        numbers = {_name(number): {"min": 0, "max": HIGHEST, "step": 1} for number in range(options.entities)}
        await set_up(hass, "input_number", {"input_number": numbers})
        lift_limits(await connect_device(hass, ours, cloud.port, _bindings(options.entities), thing_model))
        other = await stack.enter_async_context(sdk_device(cloud, sdk, thing_model)) if with_sdk else None
        per_turn = options.count // TURNS
        # The first turn fills the caches and is not counted.
        for turn in range(TURNS + 1):
            sets = _sets(turn * per_turn, per_turn, options.entities)
            mine = await _ours(hass, cloud, ours, sets, options.in_flight)
            theirs = await _theirs(other, cloud, sdk, sets, options.in_flight) if other else None
            if turn:
                _add(samples[OURS], mine)
                if theirs:
                    _add(samples[SDK], theirs)
    return samples


async def _ours(hass: HomeAssistant, cloud: Cloud, device: Device, sets: Sets, in_flight: int) -> Samples:
    """Let Home Assistant carry out sets; raises NotAsSent."""
    began = time.process_time()
    async with _watched(hass) as seen:
        answers = await cloud.time_burst(device, sets, in_flight)
        took = time.process_time() - began
        await hass.async_block_till_done()
    wanted: dict[str, list[int]] = defaultdict(list)
    for identifier, value in sets:
        wanted[f"input_number.{identifier}"].append(value)
    if seen != wanted:
        raise NotAsSent(
            next(f"{key}: {seen[key]} instead of {wanted[key]}" for key in wanted if seen[key] != wanted[key])
        )
    samples = Samples(answers, took)
    if samples.answered_once != len(sets):
        raise NotAsSent(f"{samples.answered_once} of {len(sets)} were answered once")
    return samples


async def _theirs(process: Child, cloud: Cloud, device: Device, sets: Sets, in_flight: int) -> Samples:
    began = process.processor_seconds
    answers = await cloud.time_burst(device, sets, in_flight)
    return Samples(answers, process.processor_seconds - began)


@asynccontextmanager
async def _watched(hass: HomeAssistant) -> AsyncIterator[dict[str, list[int]]]:
    """Yield the values that each entity is set to, in order; they are added during the context."""
    seen: dict[str, list[int]] = defaultdict(list)

    @callback
    def see(event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) and state.domain == "input_number":
            seen[state.entity_id].append(int(float(state.state)))

    ignore = hass.bus.async_listen(EVENT_STATE_CHANGED, see)
    yield seen
    ignore()


def _sets(first: int, count: int, entities: int) -> list[tuple[str, int]]:
    """Return sets of the entities in turns, each with a new value."""
    return [(_name(number % entities), number + 1) for number in range(first, first + count)]


def _name(number: int) -> str:
    return f"level_{number}"


def _bindings(count: int) -> list[dict[str, str]]:
    return [
        {"identifier": _name(number), "entity": f"input_number.{_name(number)}", "aspect": "value", "access": "both"}
        for number in range(count)
    ]


def _thing_model(count: int) -> dict[str, Any]:
    specs = {"min": "0", "max": f"{HIGHEST}", "step": "1"}
    properties = [
        {
            "identifier": _name(number),
            "name": _name(number),
            "accessMode": "rw",
            "required": False,
            "dataType": {"type": "int", "specs": specs},
        }
        for number in range(count)
    ]
    return {"profile": {"productKey": PRODUCT_KEY}, "properties": properties, "events": [], "services": []}


def _add(samples: Samples, more: Samples) -> None:
    samples.answers += more.answers
    samples.processor_seconds += more.processor_seconds


def _report(samples: Mapping[str, Samples], options: argparse.Namespace) -> Report:
    spreads = {kind: Distribution.of(one.milliseconds) for kind, one in samples.items()}
    costs = {kind: one.processor_seconds * 1000 / len(one.answers) for kind, one in samples.items()}
    rows = [
        [
            TITLES[kind],
            f"{len(samples[kind].answers)}",
            f"{samples[kind].answered_once}",
            *(f"{one:.2f}" for one in (spread.p50, spread.p99, spread.maximum, costs[kind])),
        ]
        for kind, spread in spreads.items()
    ]
    text = (
        f"sets of {options.entities} entities, at most {options.in_flight} unanswered: "
        "set written → reply received at the cloud, plain TCP on loopback, in milliseconds\n"
        "Home Assistant carried out every set, those of each entity in order\n\n"
    )
    text += table(["", "sets", "answered once", "p50", "p99", "max", "CPU per set"], rows)
    figures = {
        "unit": "ms",
        "entities": options.entities,
        "in_flight": options.in_flight,
        "answered_once": {kind: one.answered_once for kind, one in samples.items()},
        "spreads": {kind: one.as_dict() for kind, one in spreads.items()},
        "cpu_per_set": {kind: round(one, 4) for kind, one in costs.items()},
    }
    return Report(text, figures)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=1000, help="sets of each kind (default %(default)s)")
    parser.add_argument("--entities", type=int, default=50, help="entities to set (default %(default)s)")
    parser.add_argument("--in-flight", type=int, default=50, help="most unanswered sets (default %(default)s)")
    parser.add_argument("--without-sdk", action="store_true", help="do not compare with the vendor's SDK")


BENCHMARK = Benchmark("commands", "many property sets at once: each answered once, and in order", _add_options, run)
