"""The commands and the reports do not know each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .alink.test_independence import imports

PACKAGE = Path(__file__).parent.parent / "custom_components" / "aliyun_iot"


def imported(path: Path) -> Iterator[str]:
    """Yield the names of the modules of the integration that a module imports, from its root: `reports.store`."""
    package = path.relative_to(PACKAGE).parts[:-1]
    prefix = ["custom_components", "aliyun_iot"]
    for level, name in imports(path.read_text(encoding="utf-8")):
        parts = name.split(".") if name else []
        if level:
            yield ".".join([*package[: len(package) - level + 1], *parts])
        elif parts[:2] == prefix:
            yield ".".join(parts[2:])


@pytest.mark.parametrize(("folder", "other"), [("commands", "reports"), ("reports", "commands")])
def test_commands_and_reports_do_not_import_each_other(folder: str, other: str) -> None:
    """They get callables instead, so that each can be read and tested alone."""
    modules = sorted((PACKAGE / folder).rglob("*.py"))
    assert len(modules) > 5
    found = {path.name: name for path in modules for name in imported(path) if name.partition(".")[0] == other}
    assert found == {}


def test_the_check_resolves_relative_imports() -> None:
    """The check above would pass if it resolved no import."""
    names = set(imported(PACKAGE / "commands" / "loops.py"))
    assert {"alink.messages", "health.issues"} <= names
    assert "commands.property_set" in set(imported(PACKAGE / "commands" / "commander.py"))
