"""How fast the page is with many bindings: printed with `--figures`, never judged; docs/performance.md has the numbers."""

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser
import pytest

from demo.words import Language

from .chromium import visit
from .evidence import Evidence
from .examine import examine
from .house import House
from .person import Person
from .test_many import bind, crowd, open_from_sidebar, shown

BOUND = 1000
ROWS = 10_000

# Milliseconds from the click in the sidebar until the first rows have been painted, and until all rows are there.
_PAINTED = """async (link, count) => {
  const next = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const find = (root) => {
    for (const each of root.querySelectorAll("*")) {
      const found = each.localName === "aliyun-bindings-tab" ? each : each.shadowRoot && find(each.shadowRoot);
      if (found) return found;
    }
  };
  const began = performance.now();
  link.click();
  let tab, first;
  while (true) {
    await next();
    tab ??= find(document);
    if (!first && tab?.renderRoot.querySelector(".row")) first = performance.now() - began;
    if (tab?._done && tab._rows.size === count) return [first, performance.now() - began];
  }
}"""

# More rows of the same kind, as if Home Assistant had sent them.
_MULTIPLIED = """(tab, count) => {
  tab.close();
  const rows = [...tab._rows.values()];
  const more = Array.from({ length: count - rows.length }, (_, index) => ({ ...rows[index % rows.length], id: `more${index}` }));
  tab.onEvent({ rows: more });
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


@pytest.fixture
async def crowded(
    request: pytest.FixtureRequest, browser: Browser, evidence: Evidence, tmp_path: Path
) -> AsyncIterator[House]:
    """Run a house with a thousand bound sensors."""
    if not request.config.getoption("--figures"):
        pytest.skip("measures only with --figures")
    async with crowd(tmp_path, Language.ENGLISH, evidence, BOUND) as running:
        await bind(running, BOUND)
        yield running
        await examine(browser, running)


@pytest.mark.timeout(900)
async def test_first_paint_and_scrolling(request: pytest.FixtureRequest, browser: Browser, crowded: House) -> None:
    """The rows are shown, and each screenful while the table is scrolled; the times are printed."""
    async with visit(browser, crowded) as context:
        person = Person(await context.new_page(), crowded, pictures=False)
        await open_from_sidebar(person)  # the files of the page are in the cache of the browser from now on
        await person.open("/config/dashboard")
        link = person.page.locator("ha-sidebar").locator("[href='/aliyun-iot']")
        first, all_there = await link.evaluate(_PAINTED, BOUND)
        panel = person.page.locator("aliyun-iot-panel")
        await panel.locator("aliyun-bindings-tab").evaluate(_MULTIPLIED, ROWS)
        await shown(person, panel, ROWS, ROWS)
        frames = sorted(await panel.locator(".viewport").evaluate(_SCROLLED))
        await panel.locator(f"[aria-rowindex='{ROWS}']").wait_for()
    request.config.get_terminal_writer().line(
        f"\n{BOUND:,} rows: the first after {first:.0f} ms, all after {all_there:.0f} ms\n"
        f"{ROWS:,} rows: {len(frames)} screenfuls, median {frames[len(frames) // 2]:.1f} ms, "
        f"95 % within {frames[len(frames) * 95 // 100]:.1f} ms, longest {frames[-1]:.1f} ms"
    )
