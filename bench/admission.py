"""More commands than the platform lets a device answer: which are carried out, which are refused, and whether all are answered.

The cloud, a process of its own, applies the platform's limits and sends property sets at several rates, with two synchronous
calls a second beside them. Home Assistant sets an `input_number` for each set, and runs a sequence for each call; it has no
limit of its own on commands, so that the limits of the platform show.
"""

import argparse
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback

from .benchmark import Benchmark, Report
from .cloud import Cloud, Flood, cloud_process
from .device import PRODUCT_KEY, Device
from .figures import Distribution, table
from .home import connect_device, home, set_up

ENTITIES = 20
HIGHEST = 1_000_000
CALLS = 2.0
"""Synchronous calls a second."""

DONE, REFUSED = "200", "429"
SERVICE = "Echo"
ECHO = {
    "identifier": SERVICE,
    "actions": [{"variables": {"answer": {"Value": "{{ Value }}"}}}, {"stop": "", "response_variable": "answer"}],
}


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome at one rate of sets a second."""

    rate: float
    flood: Flood
    carried_out: int

    @property
    def codes(self) -> Counter[str]:
        """Return how many sets were answered with each code."""
        return Counter(str(codes[0]) for codes in self.flood.sets if codes)

    @property
    def unanswered(self) -> int:
        """Return how many sets and calls got no answer."""
        calls = sum(code not in (DONE, REFUSED) for code, _ in self.flood.calls)
        return sum(not codes for codes in self.flood.sets) + calls

    @property
    def answered_twice(self) -> int:
        """Return how many sets got more than one answer."""
        return sum(len(codes) > 1 for codes in self.flood.sets)

    @property
    def calls(self) -> Counter[str]:
        """Return how many calls ended with each code."""
        return Counter(code for code, _ in self.flood.calls)

    @property
    def spread(self) -> Distribution:
        """Return the distribution of the milliseconds of the calls that were carried out."""
        return Distribution.of([milliseconds for code, milliseconds in self.flood.calls if code == DONE])


async def run(options: argparse.Namespace) -> Report:
    """Measure each of `options.rates` for `options.seconds`."""
    device = Device("home")
    results: list[Result] = []
    async with AsyncExitStack() as stack:
        model = _thing_model()
        cloud = await stack.enter_async_context(cloud_process([device], thing_model=model))
        hass = await stack.enter_async_context(home([]))
        numbers = {_name(number): {"min": 0, "max": HIGHEST, "step": 1} for number in range(ENTITIES)}
        await set_up(hass, "input_number", {"input_number": numbers})
        await connect_device(hass, device, cloud.port, _bindings(), model, services=[ECHO])
        await cloud.wait_online(device)
        first = 1
        for rate in options.rates:
            count = int(rate * options.seconds)
            results.append(await _measure(hass, cloud, device, rate, range(first, first + count)))
            first += count
    return _report(results, options)


async def _measure(hass: HomeAssistant, cloud: Cloud, device: Device, rate: float, values: range) -> Result:
    sets = [(_name(value % ENTITIES), value) for value in values]
    async with _counted(hass) as seen:
        flood = await cloud.flood(device, sets, rate, SERVICE, CALLS)
        await hass.async_block_till_done()
    return Result(rate, flood, seen["changes"])


@asynccontextmanager
async def _counted(hass: HomeAssistant) -> AsyncIterator[Counter[str]]:
    """Yield a counter of the changes that sets make; each has a value of its own."""
    seen: Counter[str] = Counter()

    @callback
    def see(event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) and state.domain == "input_number":
            seen["changes"] += 1

    ignore = hass.bus.async_listen(EVENT_STATE_CHANGED, see)
    yield seen
    ignore()


def _name(number: int) -> str:
    return f"level_{number}"


def _bindings() -> list[dict[str, str]]:
    return [
        {"identifier": _name(number), "entity": f"input_number.{_name(number)}", "aspect": "value", "access": "both"}
        for number in range(ENTITIES)
    ]


def _thing_model() -> dict[str, Any]:
    whole = {"type": "int", "specs": {"min": "0", "max": f"{HIGHEST}", "step": "1"}}
    properties = [
        {"identifier": name, "name": name, "accessMode": "rw", "required": False, "dataType": whole}
        for name in map(_name, range(ENTITIES))
    ]
    value = [{"identifier": "Value", "name": "Value", "dataType": whole}]
    service = {
        "identifier": SERVICE,
        "name": SERVICE,
        "callType": "sync",
        "required": False,
        "inputData": value,
        "outputData": value,
    }
    return {"profile": {"productKey": PRODUCT_KEY}, "properties": properties, "events": [], "services": [service]}


HEADS = (
    "sets a second",
    "delivered",
    "carried out",
    "refused with 429",
    "answered",
    "unanswered",
    "calls",
    "of them refused",
    "p50, ms",
    "p99, ms",
)


def _report(results: list[Result], options: argparse.Namespace) -> Report:
    text = (
        f"property sets for {options.seconds:g} s at each rate, {CALLS:g} synchronous calls a second beside them; "
        "the platform's limits are on\np50 and p99: synchronous calls, request at the cloud → result\n\n"
    )
    text += table(HEADS, [_row(result) for result in results])
    if twice := sum(result.answered_twice for result in results):
        text += f"\n\nanswered more than once: {twice}"
    return Report(text, {"seconds": options.seconds, "calls": CALLS, "results": [_figures(one) for one in results]})


def _row(result: Result) -> list[str]:
    delivered = len(result.flood.sets)
    answered = sum(bool(codes) for codes in result.flood.sets)
    numbers = (delivered, result.carried_out, result.codes[REFUSED], answered, result.unanswered)
    calls = (result.calls.total(), result.calls[REFUSED])
    spread = result.spread
    return [
        f"{result.rate:g}",
        *(f"{number:,}" for number in numbers + calls),
        f"{spread.p50:.1f}",
        f"{spread.p99:.1f}",
    ]


def _figures(result: Result) -> Mapping[str, object]:
    return {
        "rate": result.rate,
        "delivered": len(result.flood.sets),
        "carried_out": result.carried_out,
        "codes": dict(result.codes),
        "unanswered": result.unanswered,
        "answered_twice": result.answered_twice,
        "calls": dict(result.calls),
        "calls_ms": result.spread.as_dict(),
    }


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rates",
        type=lambda text: [float(rate) for rate in text.split(",")],
        default=[5.0, 15.0, 25.0, 50.0],
        metavar="N,…",
        help="sets a second (default 5,15,25,50)",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="duration at each rate (default %(default)s)")


BENCHMARK = Benchmark("admission", "more commands than the platform lets a device answer", _add_options, run)
