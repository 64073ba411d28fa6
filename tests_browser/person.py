"""Somebody in front of the browser."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
import re

from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.async_api import ConsoleMessage, Error, Locator, Page

from .house import House

PICTURES = Path(__file__).parent.parent / "docs" / "img"

FOREIGN = re.compile(r"/api/brands/|/unknown/node_modules/|^https://raw\.githubusercontent\.com/home-assistant/")
"""What Home Assistant's page asks other servers for, which tests don't reach: logos, and its sources after an error."""

VIRTUAL_LIST = "_notifyRange"
"""In the stack of an error that Home Assistant 2026.8 has in its own list of integrations when it is filtered quickly."""

ENGLISH = re.compile(r"[A-Za-z][a-z’']+(?:[ ,]+[A-Za-z][a-z’']*){2,}")
"""Three or more English words in a row."""

NAMES = re.compile(r"阿里云物联网平台 Alibaba Cloud IoT|Alibaba Cloud IoT|Home Assistant|Open Home Foundation")
"""Names that are the same in every language."""

WORDS_OF_THE_CLOUD = re.compile(r"（tsl parse: [^（）]*）")
"""A reason as the cloud has put it, behind its translation."""

# All texts that can be seen inside an element, also in shadow trees, with the labels of what has no text.
_TEXTS = """(root) => {
  const texts = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) { if (node.data.trim()) texts.push(node.data.trim()); return; }
    if (node.nodeType !== Node.ELEMENT_NODE && node.nodeType !== Node.DOCUMENT_FRAGMENT_NODE) return;
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (["STYLE", "SCRIPT", "TEMPLATE", "TEXTAREA", "PRE", "CODE"].includes(node.tagName)) return;
      const style = getComputedStyle(node);
      if (style.display === "none" || style.visibility === "hidden") return;
      for (const name of ["aria-label", "placeholder", "title", "label"]) {
        const text = node.getAttribute(name);
        if (text) texts.push(text);
      }
      if (node.tagName === "SLOT" && node.assignedNodes().length) { for (const each of node.assignedNodes()) walk(each); return; }
      if (node.shadowRoot) { walk(node.shadowRoot); return; }
    }
    for (const each of node.childNodes) walk(each);
  };
  walk(root);
  return texts;
}"""

_HIDDEN = ".section:has(> ha-alert ha-button[slot=action]) { display: none }"
"""Hides that debug logging is enabled, as it is here for the search for secrets."""

_CAPTION = """(text) => {
  document.getElementById("caption")?.remove();
  if (!text) return;
  const caption = document.createElement("div");
  caption.id = "caption";
  caption.popover = "manual";
  caption.textContent = text;
  caption.style = "position: fixed; inset: auto 0 0 0; width: 100%; box-sizing: border-box; margin: 0; border: 0; padding: 18px; "
    + "font: 500 26px Roboto, 'Noto Sans CJK SC', sans-serif; text-align: center; background: #111d; color: #fff;";
  document.body.append(caption);
  caption.showPopover();
}"""

ANIMATION = (840, 540)
FRAME_TIME = 3000
"""Milliseconds for each frame of the animation."""

_AXE = """async (root) => {
  const found = await axe.run(root, { resultTypes: ["violations"] });
  return found.violations
    .filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.help}: ${each.nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
}"""


class Person:
    """A person whose clicks are counted, and who sees what is wrong."""

    def __init__(self, page: Page, house: House, *, pictures: bool) -> None:
        """Look at a page of the house; `pictures` takes those of the documentation."""
        self.page = page
        self.house = house
        self.clicks = 0
        self.complaints: list[str] = []
        self._pictures = pictures
        self._frames: list[bytes] = []
        page.on("console", self._hear)
        page.on("pageerror", self._caught)

    def _caught(self, error: Error) -> None:
        # Home Assistant's own page says "disconnected" when a connection ends, as on every reload.
        if error.message != "disconnected" and VIRTUAL_LIST not in (error.stack or ""):
            self.complaints.append(f"uncaught error: {error}")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not FOREIGN.search(message.location.get("url", "")):
            self.complaints.append(f"console: {message.text}")

    async def open(self, path: str) -> None:
        """Enter an address; a dialog that was just closed may still navigate back, which aborts the first attempt."""
        try:
            await self.page.goto(f"{self.house.url}{path}")
        except Error as err:
            if "ERR_ABORTED" not in err.message:
                raise
            await self.page.goto(f"{self.house.url}{path}")

    async def click(self, target: Locator, *, shift: bool = False) -> None:
        """Click, once it can be clicked."""
        await target.click(modifiers=["Shift"] if shift else None)
        self.clicks += 1

    async def look(self, element: Locator, *, accessible: bool = False) -> None:
        """Read everything in an element: no text is missing, and none is English in a Chinese house.

        `accessible` also asks axe about it; what Home Assistant's own components lack is not ours.
        """
        texts: list[str] = await element.evaluate(_TEXTS)
        assert texts, "nothing is shown"
        await self.house.evidence.see(self.page)
        where = f"{self.page.url} ({element})"
        for text in texts:
            if re.search(r"component\.aliyun_iot|formatjs|MISSING_VALUE|\{\w+\}", text):
                self.complaints.append(f"{where}: {text}")
            if self.house.is_chinese and (found := ENGLISH.search(WORDS_OF_THE_CLOUD.sub("", NAMES.sub("", text)))):
                self.complaints.append(f"{where}: “{found[0]}” in “{text}”")
        if accessible:
            await self.page.evaluate(AXE_SCRIPT)
            self.complaints += [f"{where}: {each}" for each in await element.evaluate(_AXE)]

    async def picture(self, name: str, of: Locator | None = None) -> None:
        """Take a picture for the documentation, if they are wanted."""
        if self._pictures:
            await self.page.mouse.move(0, 0)  # nothing is to look as if somebody pointed at it
            await self.page.evaluate("document.fonts.ready")
            path = PICTURES / f"{name}.{self.house.language}.png"
            await (of or self.page).screenshot(path=path, animations="disabled", style=_HIDDEN)

    async def frame(self, caption: str) -> None:
        """Take a picture of the animation, with a caption."""
        if self._pictures:
            await self.page.evaluate(_CAPTION, caption)
            await self.page.evaluate("document.fonts.ready")
            self._frames.append(await self.page.screenshot(animations="disabled"))
            await self.page.evaluate(_CAPTION, "")

    def animation(self, name: str) -> None:
        """Make the animation of the frames so far."""
        if self._frames:
            first, *others = [
                Image.open(BytesIO(frame)).convert("RGB").resize(ANIMATION, Image.Resampling.LANCZOS)
                for frame in self._frames
            ]
            path = PICTURES / f"{name}.{self.house.language}.webp"
            first.save(
                path, save_all=True, append_images=others, duration=FRAME_TIME, loop=0, quality=80, method=6, kmax=1
            )

    async def wait(self, holds: Callable[[], object]) -> None:
        """Wait until something holds outside the browser."""
        for _ in range(600):
            if holds():
                return
            await self.page.wait_for_timeout(50)
        raise AssertionError(f"did not happen: {holds}")
