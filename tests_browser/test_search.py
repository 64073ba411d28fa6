"""The integration is found in “Add integration” by every name that somebody may type."""

import re

from playwright.async_api import expect

from .person import Person

TERMS = ("阿里云", "阿里", "物联网", "阿里云物联网平台", "aliyun", "alibaba", "iot")
NAME = "阿里云物联网平台 Alibaba Cloud IoT"


async def test_found_by_every_name(person: Person) -> None:
    """Its one name is among the results for each term, in either language."""
    await person.open("/config/integrations/dashboard")
    await person.click(person.page.get_by_role("button", name=re.compile("^(Add integration|添加集成)$")))
    dialog = person.page.locator("dialog-add-integration")
    results = dialog.locator("ha-integration-list-item")
    for term in TERMS:
        await dialog.locator("input").first.fill("no integration has this name")
        await expect(results).to_have_count(0)
        await dialog.locator("input").first.fill(term)
        await expect(results.filter(has_text=NAME)).to_have_count(1)
