"""`docs/gateway.md` names every code, every cause and every limit, in both languages."""

from pathlib import Path
import re

import pytest

from custom_components.aliyun_iot.alink.gateway_requests import PACK_PROPERTIES, PACK_SUB_DEVICES, REQUEST_BATCH
from custom_components.aliyun_iot.alink.sub_device import _CLASSES, MAX_LOGIN_BATCH
from custom_components.aliyun_iot.const import DEFAULT_OFFLINE_DELAY
from custom_components.aliyun_iot.device_list import MAX_SUB_DEVICES
from custom_components.aliyun_iot.health.sub_device_issues import ISSUE_OF

from .walk import translations

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "docs" / name for name in ("gateway.md", "gateway.zh-CN.md")]


@pytest.mark.parametrize("page", PAGES)
def test_page_has_the_facts_of_the_code(page: Path) -> None:
    """Codes, limits and the delay."""
    text = page.read_text(encoding="utf-8").replace(",000", "000")
    codes = {
        int(code) for row in re.findall(r"^\| ([\d、, ]+) \|", text, re.MULTILINE) for code in re.findall(r"\d+", row)
    }
    assert codes == _CLASSES.keys() | {429, 520}
    for limit in (MAX_SUB_DEVICES, MAX_LOGIN_BATCH, REQUEST_BATCH, PACK_PROPERTIES, PACK_SUB_DEVICES):
        assert str(limit) in text
    assert DEFAULT_OFFLINE_DELAY == 60, "the pages say a minute"


def test_both_pages_have_the_same_parts() -> None:
    """Headings, rows of tables and steps."""
    parts = [re.findall(r"^(#+|\||\s*\d+\.|\*)", page.read_text(encoding="utf-8"), re.MULTILINE) for page in PAGES]
    assert parts[0] == parts[1]


@pytest.mark.parametrize(("readme", "page"), [("README.md", PAGES[0]), ("README.zh-CN.md", PAGES[1])])
def test_the_readme_leads_there(readme: str, page: Path) -> None:
    """By a link."""
    assert f"(docs/{page.name})" in (ROOT / readme).read_text(encoding="utf-8")


def test_every_cause_has_a_name() -> None:
    """In the summary of the flow and in the flow of one sub-device."""
    assert {f"sub_device_{key}" for key in ISSUE_OF} <= translations()["common"].keys()
