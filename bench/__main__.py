"""The command line of the benchmarks. A new benchmark has a file of its own and a line in `BENCHMARKS`."""

import argparse
import asyncio
import json
from pathlib import Path
import platform
import sys

from homeassistant.const import __version__ as home_assistant_version

from . import admission, commands, gateway, hostile, idle, latency, limits, mapping, outage, scale, throughput

BENCHMARKS = (
    latency.BENCHMARK,
    idle.BENCHMARK,
    mapping.BENCHMARK,
    commands.BENCHMARK,
    admission.BENCHMARK,
    throughput.BENCHMARK,
    limits.BENCHMARK,
    outage.BENCHMARK,
    scale.BENCHMARK,
    hostile.BENCHMARK,
    gateway.BENCHMARK,
)


def main() -> None:
    """Run one benchmark and print its report."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the integration on this machine.")
    commands = parser.add_subparsers(required=True, metavar="BENCHMARK")
    for benchmark in BENCHMARKS:
        command = commands.add_parser(benchmark.name, help=benchmark.help, description=benchmark.help)
        benchmark.add_options(command)
        command.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
        command.set_defaults(benchmark=benchmark)
    options = parser.parse_args()

    report = asyncio.run(options.benchmark.run(options))
    environment = {
        "home_assistant": home_assistant_version,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
    }
    sys.stdout.write(f"{report.text}\n\n{', '.join(f'{name} {value}' for name, value in environment.items())}\n")
    if options.json:
        figures = {"benchmark": options.benchmark.name, "environment": environment, **report.figures}
        options.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
