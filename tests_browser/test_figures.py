"""How fast the page is with many bindings: printed with `--figures`, never judged; docs/performance.md has the numbers."""

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, Locator
import pytest

from demo.words import Language

from .chromium import visit
from .evidence import Evidence
from .house import House
from .person import Person
from .test_many import all_rows, bind, crowd, open_from_sidebar

COUNTS = (1000, 10_000)
ROW = 56
"""The height of a row in pixels."""

# Milliseconds from the click in the sidebar until the first rows have been painted, and until all rows are there.
_PAINTED = """async (count) => {
  const next = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const find = (root, name) => {
    for (const each of root.querySelectorAll("*")) {
      const found = each.localName === name ? each : each.shadowRoot && find(each.shadowRoot, name);
      if (found) return found;
    }
  };
  const link = find(document, "ha-sidebar").shadowRoot.querySelector("[href='/aliyun-iot']");
  const began = performance.now();
  link.click();
  let tab, first;
  while (true) {
    await next();
    tab ??= find(document, "aliyun-bindings-tab");
    if (!first && tab?.renderRoot.querySelector(".row")) first = performance.now() - began;
    if (tab?._done && tab._rows.size === count) return [first, performance.now() - began];
  }
}"""

# Milliseconds of each frame while the table is scrolled from its beginning to its end, a screenful each.
_SCROLLED = """async (viewport) => {
  const frames = [];
  let before = await new Promise(requestAnimationFrame);
  for (let top = 0; top < viewport.scrollHeight - viewport.clientHeight; top += viewport.clientHeight) {
    viewport.scrollTop = top;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
  }
  return frames;
}"""


@pytest.fixture(params=COUNTS)
async def crowded(
    request: pytest.FixtureRequest, evidence: Evidence, tmp_path: Path
) -> AsyncIterator[tuple[House, int]]:
    """Run a house with so many bound sensors."""
    if not request.config.getoption("--figures"):
        pytest.skip("measures only with --figures")
    async with crowd(tmp_path, Language.ENGLISH, evidence, request.param) as running:
        await bind(running, request.param)
        yield running, request.param


@pytest.mark.timeout(900)
async def test_first_paint_and_scrolling(
    request: pytest.FixtureRequest, browser: Browser, crowded: tuple[House, int]
) -> None:
    """The rows are shown, and each screenful while the table is scrolled; the times are printed."""
    house, count = crowded
    async with visit(browser, house) as context:
        person = Person(await context.new_page(), house, pictures=False)
        await open_from_sidebar(person)  # the files of the page are in the cache of the browser from now on
        await person.open("/config/dashboard")
        await person.page.locator("ha-sidebar").locator("[href='/aliyun-iot']").wait_for()
        first, all_there = await person.page.evaluate(_PAINTED, count)
        panel = person.page.locator("aliyun-iot-panel")
        frames = sorted(await panel.locator(".viewport").evaluate(_SCROLLED))
        assert len(frames) >= count * ROW // 900 - 1
        await last_row(panel, count).wait_for()
    request.config.get_terminal_writer().line(
        f"\n{count} rows: first rows after {first:.0f} ms, all after {all_there:.0f} ms; "
        f"{len(frames)} screenfuls: median frame {frames[len(frames) // 2]:.1f} ms, "
        f"95 % within {frames[len(frames) * 95 // 100]:.1f} ms, longest {frames[-1]:.1f} ms"
    )


def last_row(panel: Locator, count: int) -> Locator:
    """Return the last row of the table."""
    return all_rows(panel).and_(panel.locator(f"[aria-rowindex='{count + 1}']"))
