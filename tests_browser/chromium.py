"""Chromium of the system, driven by Playwright."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
import time

from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright, expect

from .house import Running

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP = ViewportSize(width=1400, height=900)
PHONE = ViewportSize(width=400, height=850)
PATIENCE = 45_000
"""Milliseconds; a loaded machine is slow, and every wait ends as soon as what it waits for is there."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run the browser for the duration of the context."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visit(browser: Browser, house: Running, viewport: ViewportSize = DESKTOP) -> AsyncIterator[BrowserContext]:
    """Use a new browser profile in which the owner of the house is logged in; what it is sent is evidence."""
    context = await browser.new_context(
        viewport=viewport,
        locale="zh-CN" if house.is_chinese else "en-GB",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE)
    tokens = {
        "access_token": house.token,
        "refresh_token": "",
        "token_type": "Bearer",
        "expires_in": 86400,
        "expires": int(time.time() * 1000) + 86_400_000,
        "hassUrl": house.url,
        "clientId": f"{house.url}/",
    }
    stored = {"hassTokens": tokens, "selectedLanguage": house.language}
    script = [f"localStorage[{json.dumps(key)}] ??= {json.dumps(json.dumps(value))};" for key, value in stored.items()]
    await context.add_init_script("\n".join(script))
    house.evidence.watch(context)
    try:
        yield context
        await house.evidence.leave(context)
    finally:
        await context.close()
