"""The house of the simulator: its chapters, and which of them may know which."""

import graphlib
from pathlib import Path
import re
import sys

import pytest

from tests.alink.test_independence import imports

ROOT = Path(__file__).parents[2] / "simulator"
MODULES = {path.relative_to(ROOT).with_suffix("").as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
LINES = 400
ALLOWED = {*sys.stdlib_module_names, "aiohttp", "amqtt"}
BELOW = {
    "core": {"core"},
    "broker": {"core", "broker"},
    "device_side": {"core", "device_side"},
    "gateway": {"core", "device_side", "gateway"},
    "openapi": {"core", "device_side", "gateway", "openapi"},
}
"""The folders that the modules of a folder may import."""


def imported(name: str) -> set[str]:
    """Return the modules of the simulator that a module imports, and foreign packages as `:package`."""
    found = set()
    folder = name.split("/")[:-1]
    for level, target in imports(MODULES[name].read_text(encoding="utf-8")):
        if not level:
            found.add(f":{target.partition('.')[0]}")
            continue
        base = folder[: len(folder) - level + 1]
        found.add("/".join([*base, *target.split(".")] if target else base))
    return found


@pytest.mark.parametrize("name", MODULES)
def test_module_is_short(name: str) -> None:
    """A chapter that grows becomes two."""
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.parametrize("name", MODULES)
def test_module_needs_neither_home_assistant_nor_the_integration(name: str) -> None:
    """The simulator can be installed without them."""
    foreign = {found[1:] for found in imported(name) if found.startswith(":")}
    assert foreign <= ALLOWED


@pytest.mark.parametrize("name", [name for name in MODULES if name.partition("/")[0] in BELOW])
def test_imports_go_downwards(name: str) -> None:
    """From the chapters to what they build on."""
    allowed = BELOW[name.partition("/")[0]]
    folders = {found.partition("/")[0] for found in imported(name) if not found.startswith(":")}
    assert folders <= allowed


def test_no_modules_import_each_other() -> None:
    """Not even through others."""
    graph = {name: {found for found in imported(name) if found in MODULES} for name in MODULES}
    assert sum(map(len, graph.values())) > 50
    graphlib.TopologicalSorter(graph).prepare()


def test_sections_of_the_protocol_exist() -> None:
    """What docstrings refer to can be read."""
    headings = (ROOT.parent / "docs" / "protocol.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^#+ ([0-9.]+?)\.? ", headings, re.MULTILINE))
    referred = {
        section.rstrip(".")
        for path in MODULES.values()
        for section in re.findall(r"§([0-9]+(?:\.[0-9]+)?)", path.read_text(encoding="utf-8"))
    }
    assert len(referred) > 20
    # A section such as §12 stands for all of its parts.
    assert not [one for one in referred if not any(name == one or name.startswith(f"{one}.") for name in known)]
