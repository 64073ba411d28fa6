"""A hostile host: how long it can keep the event loop busy, and how much memory it can make Home Assistant use.

A host of its own process (`tests/hostile_host.py`) accepts a device and then attacks it in one way after the other, each for
some seconds or until the device disconnects. The longest block of the loop and the growth of the peak of resident memory are
measured meanwhile; the first row is the same time without an attack.
"""

import argparse
import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
import gc
from itertools import count
import sys

from homeassistant.core import HomeAssistant

from custom_components.aliyun_iot.const import CONF_CA, CONF_TRANSPORT

from .benchmark import Benchmark, Report
from .children import Child, child
from .device import SWITCH, THING_MODEL, Device
from .figures import table
from .home import connect_device, home
from .load import LoopWatch
from .process import peak_mb, reset_peak, resident_mb

NOTHING = "nothing"
WITH_TLS = ("records without an end of a packet", "messages of QoS 2", "commands without end")
"""Attacks that are measured with TLS as well."""

_NUMBERS = count()
"""Each attack has a device of its own, since a device may connect five times a minute only."""

SETTLE = 0.3
"""Seconds after an attack in which its consequences are measured as well."""


@dataclass(frozen=True, slots=True)
class Result:
    """An attack: the megabytes that the host could send, and what they did to Home Assistant."""

    attack: str
    tls: bool
    sent_mb: float
    ended: str
    block_ms: float
    memory_mb: float


async def run(options: argparse.Namespace) -> Report:
    """Measure every attack, or those of `options.attacks`."""
    results: list[Result] = []
    async with AsyncExitStack() as stack:
        hass = await stack.enter_async_context(home(["lamp"]))
        for tls in (False, True):
            command = (sys.executable, "-m", "tests.hostile_host", *(["--tls"] if tls else []))
            host = await stack.enter_async_context(child(*command))
            start = await host.read()
            attacks: Iterable[str] = [NOTHING, *(options.attacks or start["attacks"])]
            for attack in (one for one in attacks if not tls or one in WITH_TLS):
                results.append(await _measure(hass, host, start, attack, options.seconds))
                sys.stderr.write(f"{attack}: {results[-1].block_ms:.1f} ms, {results[-1].memory_mb:+.1f} MB\n")
    return _report(results, options)


async def _measure(
    hass: HomeAssistant, host: Child, start: Mapping[str, object], attack: str, seconds: float
) -> Result:
    device = Device(f"home-{next(_NUMBERS)}")
    binding = {"identifier": SWITCH, "entity": "input_boolean.lamp", "aspect": "power", "access": "both"}
    ca = start["ca"]
    data = {CONF_TRANSPORT: "tls", CONF_CA: ca} if ca else {}
    entry = await connect_device(hass, device, int(str(start["port"])), [binding], THING_MODEL, data=data)
    gc.collect()
    reset_peak()
    before = resident_mb()
    watch = LoopWatch()
    watch.start()
    if attack == NOTHING:
        await asyncio.sleep(seconds)
        outcome = {"sent": 0, "closed": False}
    else:
        outcome = await host.ask([attack, seconds])
    await asyncio.sleep(SETTLE)
    block, grown = watch.stop(), peak_mb() - before
    error = entry.runtime_data.link.last_error
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    ended = type(error).__name__ if outcome["closed"] and error else ""
    return Result(attack, bool(ca), outcome["sent"] / 1e6, ended, block, grown)


def _report(results: list[Result], options: argparse.Namespace) -> Report:
    rows = [
        [
            f"{one.attack}{', TLS' if one.tls else ''}",
            f"{one.sent_mb:.1f}",
            one.ended,
            f"{one.block_ms:.1f}",
            f"{max(0.0, one.memory_mb):.1f}",
        ]
        for one in results
    ]
    text = f"each attack for {options.seconds:g} s, or until the device disconnects\n\n"
    text += table(["attack", "MB sent", "ended by", "longest block, ms", "memory, MB"], rows)
    return Report(text, {"seconds": options.seconds, "results": [asdict(one) for one in results]})


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=8.0, help="duration of each attack (default %(default)s)")
    parser.add_argument("--attacks", nargs="*", metavar="ATTACK", help="only these, by name (default: all)")


BENCHMARK = Benchmark("hostile", "a hostile host: the longest block of the loop, and memory", _add_options, run)
