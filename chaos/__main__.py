"""The command line: `python -m chaos --minutes M --seed S`."""

import argparse
import asyncio
from dataclasses import asdict
import json
from pathlib import Path
import sys

from .run import run


def main() -> None:
    """Run once and print the outcome; the exit status is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos", description="Inject faults of every kind, then compare both sides."
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="duration (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the faults and of the load (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the outcome to this file")
    options = parser.parse_args()
    outcome = asyncio.run(run(options.seed, options.minutes * 60))
    sys.stdout.write("\n".join(outcome.lines()) + "\n")
    if options.json:
        options.json.write_text(json.dumps(asdict(outcome), indent=2) + "\n", encoding="utf-8")
    sys.exit(0 if outcome.ok else 1)


if __name__ == "__main__":
    main()
