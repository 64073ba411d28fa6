"""What a run leaves behind: everything that Home Assistant has logged, stored, said and shown, and what browsers were sent.

At the end of the run, every secret of every cloud is searched for in all of it (`tests/secret_search.py`).
"""

import asyncio
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Error, Page, Request, Response, WebSocket

from simulator import SecretKind, Simulator
from tests.interview import KINDS
from tests.secret_search import SecretSearch, secrets_of

BELONGS = frozenset({"core.config_entries", "aliyun_iot.registered"})
"""Files in `.storage` in which the secrets of devices belong; no other secret belongs anywhere."""

BROWSER = frozenset({"addresses", "answers", "browser storage", "frames", "frames sent", "pages"})
HOUSE = frozenset({"configuration", "log", "recorder", "storage"})
PLACES = BROWSER | HOUSE | KINDS
"""Everything that a run with a house has; pages may log nothing in the console."""

NO_BODY = (204, 301, 302, 303, 304, 307, 308)

_DOCUMENT = """() => {
  const parts = [];
  const walk = (node) => {
    if (node.shadowRoot) { parts.push(node.shadowRoot.innerHTML); node.shadowRoot.querySelectorAll("*").forEach(walk); }
  };
  parts.push(document.documentElement.outerHTML, document.title, JSON.stringify(history.state));
  document.querySelectorAll("*").forEach(walk);
  return parts.join("\\n");
}"""

_SESSION_STORAGE = "() => JSON.stringify({ ...sessionStorage })"


class Evidence:
    """Collects what is said by place, in files; `unread` are addresses whose answers could not be read."""

    def __init__(self, folder: Path) -> None:
        """Keep the files in a folder."""
        self.unread: list[str] = []
        self.secrets: dict[str, str] = {}
        self._folder = folder
        self._houses: list[Path] = []
        self._clouds: list[Simulator] = []
        self._entered: dict[str, str] = {}
        self._reading: set[asyncio.Task[None]] = set()

    def add_house(self, folder: Path) -> None:
        """Search what a Home Assistant leaves in `hass.log` and `config` of a folder."""
        self._houses.append(folder)

    def add_cloud(self, cloud: Simulator) -> None:
        """Search for the secrets of a cloud."""
        self._clouds.append(cloud)

    def add_entered(self, secret: str) -> None:
        """Search for what a person enters as a secret, and that is none of a cloud."""
        self._entered[secret] = "entered as a secret"

    def note(self, place: str, text: str | bytes) -> None:
        """Add something to a place."""
        with (self._folder / place).open("ab") as file:
            file.write((text.encode(errors="replace") if isinstance(text, str) else text) + b"\n")

    # The browser

    def watch(self, context: BrowserContext) -> None:
        """Add what the pages of a browser are sent from now on, which addresses they ask for, and what they log."""
        context.on("console", lambda message: self.note("console", message.text))
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("page", lambda page: page.on("websocket", self._connected))

    async def leave(self, context: BrowserContext) -> None:
        """Add what is on the pages of a browser and in its storage at last."""
        for page in context.pages:
            if not page.url.startswith("http"):
                continue  # it was never used
            await self.see(page)
            self.note("browser storage", await page.evaluate(_SESSION_STORAGE))
        self.note("browser storage", json.dumps(await context.storage_state(indexed_db=True)))
        await asyncio.gather(*self._reading)

    async def see(self, page: Page) -> None:
        """Add what is on a page now, with everything in shadow trees."""
        self.note("pages", await page.evaluate(_DOCUMENT))

    def _asked(self, request: Request) -> None:
        self.note("addresses", request.url)

    def _connected(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.note("frames", frame))
        socket.on("framesent", lambda frame: self.note("frames sent", frame))

    def _answered(self, response: Response) -> None:
        if response.request.resource_type == "document" or urlsplit(response.url).path.startswith(("/api/", "/auth/")):
            task = asyncio.create_task(self._read(response))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, response: Response) -> None:
        self.note("answers", json.dumps(await response.all_headers()))
        if response.status not in NO_BODY:
            try:
                self.note("answers", await response.body())
            except Error as err:
                if response.request.method == "DELETE":  # a page that is left gives up its flow, and needs no answer
                    return
                self.unread.append(f"{response.request.method} {response.url}: {err.message}")

    # The search

    def places(self) -> Iterator[tuple[str, Path]]:
        """Yield all files, each with the place that it is a part of."""
        yield from ((file.name, file) for file in sorted(self._folder.iterdir()))
        for folder in self._houses:
            yield "log", folder / "hass.log"
            for file in sorted((folder / "config").rglob("*")):
                if file.is_file():
                    yield _place(file), file

    def leaks(self, search: SecretSearch) -> list[tuple[str, Path, str]]:
        """Return where a secret is that does not belong there: the place, the file, and what is in it."""
        return [
            (place, file, name)
            for place, file in self.places()
            for name in sorted(search.found_in(file))
            if file.name not in BELONGS or not name.startswith(SecretKind.DEVICE)
        ]

    def search(self) -> tuple[list[str], str]:
        """Return what is wrong, and what was searched."""
        of_clouds = {secret: name for cloud in self._clouds for secret, name in secrets_of(cloud).items()}
        self.secrets = of_clouds | self._entered
        files = list(self.places())
        found = [f"{name} in {file}" for _, file, name in self.leaks(SecretSearch(self.secrets))]
        if self._houses:
            found += [f"there is no {place}" for place in sorted(PLACES - {place for place, _ in files})]
            found += [
                f"there is no {kind}" for kind in (SecretKind.DEVICE, SecretKind.SIGNATURE) if not self._has(kind)
            ]
        found += [f"could not be read: {answer}" for answer in self.unread]
        megabytes = sum(file.stat().st_size for _, file in files) / 1e6
        return found, f"searched for {len(self.secrets)} secrets in {megabytes:.0f} MB of {len(files)} files"

    def _has(self, kind: SecretKind) -> bool:
        return any(name.startswith(kind) for name in self.secrets.values())


def _place(file: Path) -> str:
    if ".storage" in file.parts:
        return "storage"
    return (
        "log"
        if ".log" in file.suffixes
        else "recorder"
        if file.name.startswith("home-assistant_v2.db")
        else "configuration"
    )


class Asked:
    """Home Assistant as it is asked by a page of its own, on the page's own connection."""

    def __init__(self, page: Page) -> None:
        """Ask from a page that is loaded."""
        self._page = page

    async def ask(self, command: str, **fields: object) -> Any:
        """Return the result of a command of the WebSocket API."""
        return await self._page.evaluate(f"(message) => {_HASS}.callWS(message)", {"type": command, **fields})

    async def listen(self, command: str, **fields: object) -> list[Any]:
        """Return what a subscription sends within a second."""
        events: list[Any] = await self._page.evaluate(_LISTEN, {"type": command, **fields})
        return events

    async def get(self, path: str) -> Any:
        """Return the answer to an HTTP request below `/api/`."""
        return await self._page.evaluate(f"(path) => {_HASS}.callApi('GET', path)", path)


_HASS = "document.querySelector('home-assistant').hass"

_LISTEN = f"""async (message) => {{
  const events = [];
  const leave = await {_HASS}.connection.subscribeMessage((event) => events.push(event), message);
  await new Promise((done) => setTimeout(done, 1000));
  await leave();
  return events;
}}"""
