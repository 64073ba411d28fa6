"""The command line: `python -m chaos --minutes M --seed S`."""

import argparse
import asyncio
from dataclasses import asdict
import json
from pathlib import Path
import sys

from .run import run


def main() -> None:
    """Run once and tell; exit status 1 when a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos", description="Let everything go wrong and compare both sides."
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what to draw everything from (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there as well")
    options = parser.parse_args()
    outcome = asyncio.run(run(options.seed, options.minutes * 60))
    sys.stdout.write("\n".join(outcome.lines()) + "\n")
    if options.json:
        options.json.write_text(json.dumps(asdict(outcome), indent=2) + "\n", encoding="utf-8")
    sys.exit(0 if outcome.ok else 1)


if __name__ == "__main__":
    main()
