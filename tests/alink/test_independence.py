"""The protocol library does not depend on the integration."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys

import pytest

ALINK = Path(__file__).parents[2] / "custom_components" / "aliyun_iot" / "alink"
ALLOWED = {*sys.stdlib_module_names, "aiohappyeyeballs", "paho"}
MODULES = sorted(ALINK.rglob("*.py"))


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield the level (number of leading dots) and the name of every import in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def foreign_imports(source: str, depth: int) -> list[str]:
    """Return the imports from outside the library; `depth` is the number of folders between the module and the root."""
    return [
        "." * level + name
        for level, name in imports(source)
        if (level > depth + 1 if level else name.partition(".")[0] not in ALLOWED)
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ALINK).as_posix())
def test_library_imports_nothing_from_outside(path: Path) -> None:
    """Only the standard library, paho-mqtt, aiohappyeyeballs and itself: the library could be published on its own."""
    assert foreign_imports(path.read_text(encoding="utf-8"), len(path.relative_to(ALINK).parents) - 1) == []


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
def test_every_kind_of_import_is_checked(source: str) -> None:
    """Also imports in functions, for typing only, and relative ones that leave the library."""
    assert foreign_imports(source, 0)


def test_library_was_found() -> None:
    """The test above would pass on an empty folder."""
    assert {"auth.py", "messages.py", "thing_model.py"} <= {path.name for path in MODULES}
