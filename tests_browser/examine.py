"""The last look at a Home Assistant: everything that it tells, and everything that the page of the integration shows."""

import asyncio

from playwright.async_api import Browser, expect

from tests.interview import DOMAIN, interview

from .chromium import visit
from .evidence import Asked
from .house import Running

TABS = ("wire", "bindings", "devices", "commands", "traffic", "model")
SETTLED = 3.0
"""Seconds in which devices log in and report after a reload."""


async def examine(browser: Browser, house: Running) -> None:
    """Note everything; each device logs in once more while the page shows the messages."""
    async with visit(browser, house) as context:
        page = await context.new_page()
        panel = page.locator("aliyun-iot-panel")
        for entry in await house.home.entries(DOMAIN):
            for tab in TABS:
                await page.goto(f"{house.url}/aliyun-iot/{entry['entry_id']}/{tab}")
                await expect(panel.locator(f"aliyun-{tab}-tab")).to_be_visible()
                if tab == "wire":
                    await house.request("POST", f"config/config_entries/entry/{entry['entry_id']}/reload")
                    await asyncio.sleep(SETTLED)
                await house.evidence.see(page)
        for kind, told in (await interview(Asked(page))).items():
            house.evidence.note(kind, told)
