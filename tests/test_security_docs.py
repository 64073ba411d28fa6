"""SECURITY.md says the same in both languages, and points to pages and chapters that exist."""

import json
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "SECURITY.md", ROOT / "SECURITY.zh-CN.md")


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Files and chapters of this repository, and its form for reports."""
    links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    manifest = json.loads((ROOT / "custom_components/aliyun_iot/manifest.json").read_text(encoding="utf-8"))
    outside = [link for link in links if link.startswith("http")]
    assert outside == [f"{manifest['documentation']}/security/advisories/new"]
    for link in links:
        name, _, anchor = link.partition("#")
        if link not in outside:
            assert (ROOT / name).exists(), link
            assert not anchor or anchor in anchors(ROOT / name), link


def test_both_languages_have_the_same_attackers() -> None:
    """The cloud, a host, an account holder and an automation: what each can do, and what not."""
    rows = [
        re.findall(r"^\| \*\*(.+?)\*\*.*\|.+\|.+\|$", page.read_text(encoding="utf-8"), re.MULTILINE) for page in PAGES
    ]
    assert rows == [
        ["Honest cloud", "Hostile host", "Hostile account holder", "Hostile automation"],
        ["可信的云端", "恶意服务器", "恶意的账号使用者", "恶意的自动化"],
    ]


@pytest.mark.parametrize(("readme", "page"), [("README.md", PAGES[0]), ("README.zh-CN.md", PAGES[1])])
def test_readme_points_to_the_page(readme: str, page: Path) -> None:
    """In its section about security."""
    assert f"[{page.name}]({page.name})" in (ROOT / readme).read_text(encoding="utf-8")
