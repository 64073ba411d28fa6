"""The README is short, and every page has its twin, its place in the index, and links that lead somewhere."""

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ENGLISH_ONLY = {"protocol.md"}
PAGES = [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
LONGEST = 200

LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """Return where a page leads to within the repository."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found = [match[1] or match[2] for match in LINK.finditer(text)]
    return [link for link in found if not re.match(r"https?:|/|mailto:", link)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file, and to a heading of it."""
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_is_short(name: str) -> None:
    """What does not fit has its own page."""
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_every_page_has_a_twin() -> None:
    """Both languages link to each other at the top."""
    english = {page.name for page in DOCS.glob("*.md") if ".zh-CN." not in page.name} - ENGLISH_ONLY
    chinese = {page.name for page in DOCS.glob("*.zh-CN.md")}
    assert {name.replace(".md", ".zh-CN.md") for name in english} == chinese
    for name in english:
        twin = name.replace(".md", ".zh-CN.md")
        assert twin in "".join((DOCS / name).read_text(encoding="utf-8").splitlines()[:4])
        assert f"({name})" in "".join((DOCS / twin).read_text(encoding="utf-8").splitlines()[:4])


@pytest.mark.parametrize("index", ["README.md", "README.zh-CN.md"])
def test_index_has_every_page(index: str) -> None:
    """In its language, or in the only one that there is."""
    pages = {page.name for page in DOCS.glob("*.md") if (".zh-CN." in page.name) == (".zh-CN." in index)}
    assert (pages | ENGLISH_ONLY) - {index} <= set(links(DOCS / index))


def test_pictures_are_used_in_both_languages() -> None:
    """A picture with the language in its name is shown on the pages of that language, and has its twin."""
    shown = {Path(link).name for page in PAGES for link in links(page) if "img/" in link}
    names = {picture.name for picture in (DOCS / "img").iterdir()}
    assert names == shown
    english = {name for name in names if ".en." in name}
    assert {name.replace(".en.", ".zh-Hans.") for name in english} == {name for name in names if ".zh-Hans." in name}
