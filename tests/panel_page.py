"""A page of both sides in a browser, as the tests see it: what it asks for and what it is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket

from custom_components.aliyun_iot.const import DOMAIN, SUBENTRY_RULE
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Binding

TARGET = {"identifier": "TargetTemperature", "entity": "input_number.target", "aspect": "value", "access": "both"}
LAMP = {"identifier": "LightSwitch", "entity": "input_boolean.lamp", "aspect": "power", "access": "both"}
LOCK = {
    "identifier": "LightSwitch",
    "entity": "lock.door",
    "aspect": "locked",
    "access": "both",
    "conversion": {"options": {"locked": 1, "unlocked": 0}},
}


class Page:
    """The page of one browser."""

    def __init__(self, socket: MockHAClientWebSocket, entry_id: str) -> None:
        """Show this entry."""
        self.socket = socket
        self.entry_id = entry_id
        self.rows: dict[str, dict[str, Any]] = {}
        self.entry: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []

    async def call(self, command: str, **more: Any) -> dict[str, Any]:
        """Send a command and return its result; events that arrive before it are kept."""
        number = await self.send(command, **more)
        while (message := await self.receive())["type"] != "result" or message["id"] != number:
            pass
        return message

    async def send(self, command: str, **more: Any) -> int:
        """Send a command and return its number."""
        data = {"type": f"{DOMAIN}/{command}", "entry_id": self.entry_id, **more}
        await self.socket.send_json_auto_id(data)
        return data["id"]

    async def receive(self) -> dict[str, Any]:
        """Return the next message, having noted it if it is an event."""
        message = await asyncio.wait_for(self.socket.receive_json(), 10)
        if message["type"] == "event":
            self.note(message["event"])
        return message

    def note(self, event: dict[str, Any]) -> None:
        """Apply an event as the page does."""
        self.events.append(event)
        if event.get("reset"):
            self.rows.clear()
        for row in event.get("rows", ()):
            if "digest" in row:
                self.rows[row["id"]] = row
        for gone in event.get("gone", ()):
            del self.rows[gone]
        self.entry = event.get("entry", self.entry)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Receive until something is so."""
        while not is_so():
            await self.receive()


type Open = Callable[[MockConfigEntry], Awaitable[Page]]


def stored(entry: MockConfigEntry) -> dict[str, Binding]:
    """Return what is bound of the entry's own device, by identifier."""
    return {binding.identifier: binding for binding in exposed_bindings(entry)}


def new_rule(hass: HomeAssistant, entry: MockConfigEntry, **selection: Any) -> str:
    """Add a rule and return the id of its subentry."""
    subentry = ConfigSubentry(
        data=MappingProxyType({"selection": {"include": {}, **selection}}),
        subentry_type=SUBENTRY_RULE,
        title="Rule",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    return subentry.subentry_id
