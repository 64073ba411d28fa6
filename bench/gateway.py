"""A gateway with many sub-devices: how long it takes after a CONNACK until all are online and all their values there.

Each gateway is a process of its own, the cloud another one, with the limits of the platform. The first round begins with an
empty topology, the second one after a cut. The vendor's Python SDK neither divides requests into batches nor logs in again;
`sdk_gateway.py` is the least that an application has to add for that, one request after the other.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
import secrets
import sys
from typing import Any

from .benchmark import Benchmark, Report
from .children import Child, child
from .figures import table
from .gateway_cloud import Round, gateway_cloud
from .gateway_house import Cost
from .sdk import PYTHON, install_sdk

TIMEOUT = 600.0

KINDS: Mapping[str, str] = {
    "home": "this integration in Home Assistant, three bindings a sub-device",
    "single": "this library, a post each",
    "pack": "this library, pack posts",
    "sdk": "Python SDK 1.2.13, batches by hand",
}


@dataclass(frozen=True, slots=True)
class Result:
    """Both rounds of a gateway and what they have cost it."""

    first: Round
    again: Round
    first_cost: Cost
    again_cost: Cost


async def run(options: argparse.Namespace) -> Report:
    """Measure each kind of gateway with each of `options.counts` sub-devices."""
    kinds = [kind for kind in KINDS if kind in options.kinds]
    if "sdk" in kinds:
        await install_sdk()
    results = {(count, kind): await _measure(count, kind) for count in options.counts for kind in kinds}
    return _report(results)


async def _measure(count: int, kind: str) -> Result:
    secret = secrets.token_hex(16)
    async with gateway_cloud(count, secret) as cloud, _gateway(kind, count, cloud.port, secret) as house:
        first = await cloud.wait(TIMEOUT)
        first_cost = Cost(**await house.ask("cost"))
        # The platform counts logins of the last minute, and the connection that was short makes no pause longer.
        await cloud.cut()
        await asyncio.sleep(0.1)
        again = await cloud.wait(TIMEOUT)
        again_cost = Cost(**await house.ask("cost"))
    return Result(first, again, first_cost, again_cost)


@asynccontextmanager
async def _gateway(kind: str, count: int, port: int, secret: str) -> AsyncIterator[Child]:
    arguments = (str(count), str(port), secret)
    if kind == "sdk":
        command: tuple[str | Path, ...] = (PYTHON, Path(__file__).with_name("sdk_gateway.py"), *arguments)
    else:
        command = (sys.executable, "-m", "bench.gateway_house", *arguments, kind)
    async with child(*command) as house:
        yield house


def _report(results: Mapping[tuple[int, str], Result]) -> Report:
    heads = (
        "sub-devices",
        "online, s",
        "values, s",
        "messages",
        "logins",
        "again online, s",
        "values, s",
        "messages",
        "logins",
        "memory, kB each",
        "processor, ms each",
        "loop block, ms",
        "work",
        "collection",
        "again block",
        "work",
        "collection",
        "codes and drops",
    )
    text = "from CONNACK until all are online and all values there; first with an empty topology, again after a cut"
    for kind, title in KINDS.items():
        rows = [_row(count, kind, result) for (count, one), result in results.items() if one == kind]
        if rows:
            text += f"\n\n{title}\n\n" + table(heads, rows)
    if comparison := _comparison(results):
        text += f"\n\nthe same values as a post each and as pack posts\n\n{comparison}"
    figures: dict[str, Any] = {f"{count} {kind}": asdict(result) for (count, kind), result in results.items()}
    return Report(text, {"results": figures})


def _comparison(results: Mapping[tuple[int, str], Result]) -> str:
    """Return the messages and the seconds until all values were there, where single and pack posts were measured."""
    heads = ["sub-devices"]
    for name in ("first", "again"):
        heads += [f"{name}: single, messages", "values, s", "pack, messages", "values, s"]
    rows = []
    for count in dict.fromkeys(count for count, kind in results if kind == "single" and (count, "pack") in results):
        single, pack = results[count, "single"], results[count, "pack"]
        rounds = (single.first, pack.first, single.again, pack.again)
        cells = ([f"{sum(one.messages.values())}", _seconds(one.values_seconds)] for one in rounds)
        rows.append([f"{count:,}", *chain.from_iterable(cells)])
    return table(heads, rows) if rows else ""


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f}"


def _row(count: int, kind: str, result: Result) -> list[str]:
    row = [f"{count:,}"]
    for one in (result.first, result.again):
        row += [
            _seconds(one.online_seconds),
            _seconds(one.values_seconds),
            f"{sum(one.messages.values())}",
            f"{one.messages.get('batch_login', 0)}",
        ]
    bad = {code: number for one in (result.first, result.again) for code, number in one.codes.items()}
    dropped = result.first.dropped + result.again.dropped
    return [
        *row,
        f"{result.again_cost.resident_mb * 1024 / count:.1f}",
        f"{(result.first_cost.processor_ms + result.again_cost.processor_ms) / count:.2f}",
        *(
            f"{value:.0f}" if kind != "sdk" else "-"
            for cost in (result.first_cost, result.again_cost)
            for value in (cost.loop_block_ms, cost.loop_work_ms, cost.collection_ms)
        ),
        f"{bad or ''} {dropped or ''}".strip() or "-",
    ]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--counts",
        type=int,
        nargs="+",
        default=[10, 100, 500, 1500],
        help="numbers of sub-devices (default %(default)s)",
    )
    parser.add_argument(
        "--kinds", choices=list(KINDS), nargs="+", default=list(KINDS), help="kinds of gateways (default: all)"
    )


BENCHMARK = Benchmark("gateway", "a gateway with many sub-devices: login, values, a cut", _add_options, run)
