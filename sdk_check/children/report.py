"""How a child process reports to the parent: a line of JSON for each feature."""

from __future__ import annotations

from collections.abc import Callable
import json
import sys
import traceback

LAST_LINES = 3
"""Of a traceback."""


def check(feature: str, run: Callable[[], None]) -> None:
    """Check a feature and report it; an exception is a failure."""
    try:
        run()
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises
        where = traceback.extract_tb(error.__traceback__)[-LAST_LINES:]
        places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(where))
        report(feature, passed=False, detail=f"{type(error).__name__}: {error} ({places})")
    else:
        report(feature, passed=True)


def report(feature: str, *, passed: bool, detail: str = "") -> None:
    """Write one outcome."""
    sys.stdout.write(json.dumps({"feature": feature, "passed": passed, "detail": detail}) + "\n")
    sys.stdout.flush()


def expect(result: object, expected: object) -> None:
    """Raise AssertionError unless a result is the expected one."""
    if result != expected:
        raise AssertionError(f"{result!r} instead of {expected!r}")
