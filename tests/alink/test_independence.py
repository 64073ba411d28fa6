"""The protocol library stands on its own."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys

import pytest

ALINK = Path(__file__).parents[2] / "custom_components" / "aliyun_iot" / "alink"
ALLOWED = {*sys.stdlib_module_names, "aiohappyeyeballs", "paho"}
MODULES = sorted(ALINK.rglob("*.py"))


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield the level (dots in front) and the name of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def strangers(source: str, depth: int) -> list[str]:
    """Return what a module imports from outside; `depth` is the number of folders between it and the library's root."""
    return [
        "." * level + name
        for level, name in imports(source)
        if (level > depth + 1 if level else name.partition(".")[0] not in ALLOWED)
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ALINK).as_posix())
def test_the_library_imports_nothing_from_outside(path: Path) -> None:
    """Only the standard library, paho-mqtt, aiohappyeyeballs and itself: the library could be published on its own."""
    assert strangers(path.read_text(encoding="utf-8"), len(path.relative_to(ALINK).parents) - 1) == []


@pytest.mark.parametrize(
    "source",
    [
        "import homeassistant.core",
        "from homeassistant.core import HomeAssistant",
        "def late():\n    from homeassistant import core",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import voluptuous as vol",
        "from .. import const",
        "from ..mapping import binding",
        "from custom_components.aliyun_iot.alink import auth",
    ],
)
def test_the_check_sees_every_kind_of_import(source: str) -> None:
    """Late imports, imports for typing only and relative imports that leave the library are found as well."""
    assert strangers(source, 0)


def test_the_library_was_found() -> None:
    """The check above would pass on an empty folder."""
    assert {"auth.py", "messages.py", "thing_model.py"} <= {path.name for path in MODULES}
