"""What a benchmark is, and what it hands back."""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

type Figures = Mapping[str, object]
"""Everything that was measured, for JSON; times in the unit that the keys name."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a benchmark: for people and for machines."""

    text: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark: `add_options` fills its parser, `run` measures with the options."""

    name: str
    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Awaitable[Report]]
