"""No YAML of the project depends on the version of YAML: Home Assistant reads 1.1, editors and other tools read 1.2.

YAML 1.1 takes words such as `on` and `no` for truths, `00010203` for the octal number 4227, `1_000` and `12:30` for numbers
and `2024-01-01` for a date. Such values have to be in quotes.
"""

from collections.abc import Iterator
from pathlib import Path
import re

import pytest
import yaml

from .test_blueprints import ROOT

FILES = [
    path
    for folder in ("custom_components", "blueprints", "demo", "tests")
    for path in sorted((ROOT / folder).rglob("*.y*ml"))
]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

TRUTH = re.compile("y|n|yes|no|on|off", re.IGNORECASE)
NUMBER = re.compile(r"[-+]?(0[0-9_]+|0b[01_]+|[0-9.]+_[0-9_.]*|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt \t].*)?")


def blocks(text: str) -> Iterator[str]:
    """Yield the YAML blocks of a page, those in a list too."""
    for indent, block in re.findall(r"^( *)```ya?ml\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
        yield "\n".join(line.removeprefix(indent) for line in block.splitlines())


def ambiguous(text: str) -> list[str]:
    """Return the unquoted values and keys that YAML 1.1 and 1.2 read differently, with their lines."""
    return [
        f"line {event.start_mark.line + 1}: {event.value}"
        for event in yaml.parse(text, Loader=yaml.SafeLoader)
        if isinstance(event, yaml.ScalarEvent)
        and event.style is None
        and event.tag is None
        and any(trap.fullmatch(event.value) for trap in (TRUTH, NUMBER, DATE))
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files(path: Path) -> None:
    """Descriptions of actions and triggers, blueprints, and the configuration of the demonstration."""
    assert ambiguous(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples(page: Path) -> None:
    """The examples of every page can be copied into any file of Home Assistant."""
    assert [found for block in blocks(page.read_text(encoding="utf-8")) for found in ambiguous(block)] == []


def test_everything_is_looked_at() -> None:
    """A folder that moves does not escape."""
    names = {path.name for path in FILES}
    assert names >= {"services.yaml", "triggers.yaml", "conditions.yaml", "alarm_event.yaml", "house.yaml"}
    found = [block for page in PAGES for block in blocks(page.read_text(encoding="utf-8"))]
    assert len(found) > 20


@pytest.mark.parametrize(
    "value", ["on", "No", "y", "00010203", "1_000", "12:30:00", "2024-01-01", "0b11", "+012", "1:30.5", "1_0.5"]
)
def test_traps_are_found(value: str) -> None:
    """As a value and as a key; a quoted one is none."""
    assert ambiguous(f"a: {value}") == ambiguous(f"{value}: a") == [f"line 1: {value}"]
    assert ambiguous(f"a: '{value}'") == []


@pytest.mark.parametrize("value", ["true", "0", "10", "0.5", "-3.25", "1e5", "none", "iot-as-mqtt", "now", "2024"])
def test_plain_values_are_none(value: str) -> None:
    """They mean the same in every version."""
    assert ambiguous(f"a: {value}") == []
