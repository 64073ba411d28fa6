"""Distributions of samples, and tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Self


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution of samples, in their unit."""

    count: int
    minimum: float
    p25: float
    p50: float
    p75: float
    p99: float
    maximum: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        """Return the distribution of at least two samples."""
        cuts = quantiles(samples, n=100, method="inclusive")
        return cls(len(samples), min(samples), cuts[24], median(samples), cuts[74], cuts[98], max(samples))

    def as_dict(self, digits: int = 4) -> dict[str, float]:
        """Return the rounded numbers for JSON."""
        return {name: round(value, digits) for name, value in asdict(self).items()}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text; the first column is aligned left, all others right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in (heads, *rows)
    )
