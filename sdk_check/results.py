"""What the SDKs have reported, as a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .features import API_SDKS, DEVICE_SDKS, FEATURES, Sdk, expected

OK, FAILED, ABSENT, SKIPPED = "ok", "FAIL", "–", "not run"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one feature; `detail` says what went wrong."""

    passed: bool
    detail: str = ""


@dataclass(slots=True)
class Results:
    """The outcomes by SDK and feature."""

    outcomes: dict[Sdk, dict[str, Result]] = field(default_factory=dict)

    def begin(self, sdk: Sdk) -> None:
        """Note that an SDK is run, so that everything is expected of it."""
        self.outcomes.setdefault(sdk, {})

    def add(self, sdk: Sdk, feature: str, result: Result) -> None:
        """Keep an outcome; of several for one feature, the first failure counts."""
        outcomes = self.outcomes.setdefault(sdk, {})
        if feature not in outcomes or outcomes[feature].passed:
            outcomes[feature] = result

    def failures(self) -> list[str]:
        """Return what failed, and what was expected of an SDK that was run but not reported."""
        found = []
        for sdk, outcomes in self.outcomes.items():
            found += [f"{sdk}: {name}: not reported" for name in expected(sdk) if name not in outcomes]
            found += [f"{sdk}: {name}: {one.detail}" for name, one in outcomes.items() if not one.passed]
        return found

    def table(self) -> str:
        """Return a table of features and device SDKs, and one of actions and SDKs of the API."""
        features = {feature.name: feature.sdks for feature in FEATURES}
        actions = {name: frozenset(API_SDKS) for name in expected(API_SDKS[0])}
        return "\n\n".join([self._table("feature", features, DEVICE_SDKS), self._table("action", actions, API_SDKS)])

    def _table(self, title: str, rows: Mapping[str, frozenset[Sdk]], sdks: Sequence[Sdk]) -> str:
        cells = [[title, *sdks], *([name, *(self._cell(name, sdk, had) for sdk in sdks)] for name, had in rows.items())]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(_line(row, widths) for row in cells)

    def _cell(self, name: str, sdk: Sdk, had: frozenset[Sdk]) -> str:
        if sdk not in had:
            return ABSENT
        if (outcomes := self.outcomes.get(sdk)) is None:
            return SKIPPED
        return OK if name in outcomes and outcomes[name].passed else FAILED


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
