"""The dialog in which Home Assistant shows the pages of flows."""

import asyncio
from collections.abc import Awaitable, Callable
import re
from typing import Any

from playwright.async_api import Locator, Response, expect

from .chromium import PATIENCE
from .person import Person

type Step = dict[str, Any]

FLOW = re.compile(r"/config_entries/(options/|subentries/)?flow(/|$|\?)|/repairs/issues/fix")
ON_ITS_WAY = ("progress", "progress_done")


class Dialog:
    """A flow on the screen; `step` is what the server has answered last."""

    def __init__(self, person: Person, texts: str) -> None:
        """`texts` is the place of the flow's texts in the translation file, as `options`."""
        self.person = person
        self.texts = texts
        self.step: Step = {}
        self.root = person.page.locator("dialog-data-entry-flow")
        self._answers: asyncio.Queue[tuple[str, Step]] = asyncio.Queue()
        self._reading: set[asyncio.Task[None]] = set()
        person.page.on("response", self._answered)

    def _answered(self, response: Response) -> None:
        if FLOW.search(response.url) and response.request.method in ("GET", "POST"):
            task = asyncio.create_task(self._read(response))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, response: Response) -> None:
        self._answers.put_nowait((response.request.method, await response.json()))

    @property
    def surface(self) -> Locator:
        """What can be seen of the dialog; its content is slotted into it from elsewhere."""
        return self.root.locator("dialog, .mdc-dialog__surface").first

    @property
    def box(self) -> Locator:
        """The dialog with its content."""
        return self.root.locator("ha-dialog").first

    async def after(self, action: Awaitable[object]) -> None:
        """Do something that makes the flow show a page, and wait until it is shown."""
        while not self._answers.empty():
            self._answers.get_nowait()
        await action
        async with asyncio.timeout(PATIENCE / 1000):
            before = self.step
            while True:
                method, step = await self._answers.get()
                # After a progress, the frontend may ask twice for the page that follows.
                again = method == "GET" and step.get("step_id") == before.get("step_id")
                if not again and step["type"] not in ON_ITS_WAY and not step.get("next_flow"):
                    break
            self.step = step
        await self._shown()

    async def open(self, button: Locator) -> None:
        """Start the flow by a click."""
        await self.after(self.person.click(button))

    async def choose(self, option: str) -> None:
        """Choose an option of the menu by its name in the code."""
        assert option in self.step.get("menu_options", ()), self.step
        items = self.root.locator("step-flow-menu").locator("ha-list-item, ha-list-item-button, ha-md-list-item")
        await self.after(self.person.click(items.nth(list(self.step["menu_options"]).index(option))))

    async def submit(self) -> None:
        """Submit the form."""
        await self.after(self.person.click(self.root.locator("ha-dialog-footer ha-button").last))

    async def close(self) -> None:
        """Close the dialog by its cross."""
        await self.root.locator("ha-icon-button").filter(visible=True).first.click()
        await expect(self.surface).to_be_hidden()

    def field(self, name: str) -> Locator:
        """Return the selector of a field of the form."""
        names = [row["name"] for row in self.step["data_schema"]]
        return self.root.locator("step-flow-form ha-form").first.locator("> .root > *").nth(names.index(name))

    async def pick(self, picker: Locator, text: str) -> None:
        """Open a list with a search box, type, and click what is found."""
        await self.person.click(picker)
        found = self.person.page.locator("ha-picker-combo-box")
        await found.locator("input").fill(text)
        await self.person.click(found.locator("ha-combo-box-item").filter(has_text=text).first)
        await expect(found).to_be_hidden()

    async def _shown(self) -> None:
        match (step := self.step)["type"]:
            case "menu":
                first = next(iter(step["menu_options"]))
                label = self.person.house.t(f"{self.texts}.step.{step['step_id']}.menu_options.{first}")
                text = re.escape(re.sub(r"\{.*", "", label))
                await expect(self.root.locator("step-flow-menu")).to_contain_text(re.compile(text))
            case "form":
                await expect(self.root.locator("step-flow-form")).to_be_visible()
            case _:
                pass


async def visit_all(dialog: Dialog, begin: Callable[[], Awaitable[None]], path: tuple[str, ...] = ()) -> list[str]:
    """Look at a page and at all pages that its menus lead to; return the names of the pages."""
    await begin()
    for option in path:
        await dialog.choose(option)
    await dialog.person.look(dialog.box)
    name = str(dialog.step.get("step_id", dialog.step["type"]))
    below = list(dialog.step["menu_options"]) if dialog.step["type"] == "menu" else []
    await dialog.close()
    seen = [name]
    for option in below:
        # A menu may lead back to the one before.
        if option not in {"init", *path}:
            seen += await visit_all(dialog, begin, (*path, option))
    return seen
