"""`docs/development.md` agrees with the code: its quotations, its layout and its commands."""

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "docs" / "development.md", ROOT / "docs" / "development.zh-CN.md"]
INTEGRATION = "custom_components/aliyun_iot/"
NO_COMMANDS = {"setup", "setup-python"}
"""Scripts that the other scripts call."""

QUOTATION = re.compile(r"^(?:<!-- quoted from (\S+) -->\n)?```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LAYOUT = re.compile(rf"^```\n{INTEGRATION}\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_quoted_code_is_the_code_of_the_file(page: Path) -> None:
    """Each block of Python names its file and is a part of it."""
    for file, code in QUOTATION.findall(page.read_text(encoding="utf-8")):
        assert code in (ROOT / file).read_text(encoding="utf-8")


def test_the_two_examples_of_a_domain_are_quoted() -> None:
    """The English page has them, so that the test above has something to compare."""
    files = [file for file, _ in QUOTATION.findall(PAGES[0].read_text(encoding="utf-8"))]
    assert files == [f"{INTEGRATION}mapping/domains/{name}.py" for name in ("switch", "lock")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_layout_lists_existing_files_and_every_folder(page: Path) -> None:
    """Indented paths are those of the integration."""
    [layout] = LAYOUT.findall(page.read_text(encoding="utf-8"))
    lines = layout.splitlines()
    listed = [f"{INTEGRATION if line.startswith(' ') else ''}{line.split()[0]}" for line in lines]
    assert [path for path in listed if not (ROOT / path).exists()] == []
    folders = {f"{file.parent.relative_to(ROOT)}/" for file in (ROOT / INTEGRATION).glob("*/**/__init__.py")}
    assert folders == {path for path in listed if path.startswith(INTEGRATION) and path.endswith("/")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_script_is_in_the_table_of_commands(page: Path) -> None:
    """Except those that only other scripts call."""
    rows = re.findall(r"^\| `scripts/([\w-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == {script.name for script in (ROOT / "scripts").iterdir() if script.is_file()} - NO_COMMANDS
