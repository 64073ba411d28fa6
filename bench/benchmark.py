"""The form of a benchmark and of its report."""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

type Figures = Mapping[str, object]
"""All figures, for JSON; the keys name the units of times."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a benchmark, as text and as figures."""

    text: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark; `add_options` adds its options to the parser, `run` measures with these options."""

    name: str
    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Awaitable[Report]]
