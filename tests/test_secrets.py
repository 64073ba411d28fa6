"""No secret comes out: not in the log at the debug level, on disk, in diagnostics, traces, frames, or answers to the browser.

The same search runs over everything that real browsers and processes leave behind: `tests_browser/evidence.py`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
import json
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import flush_store
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.aliyun_iot.account import client
from custom_components.aliyun_iot.const import DOMAIN
from simulator import AccessKey, SecretKind, Simulator

from .house import LAMP, furnish, selected
from .interview import interview
from .secret_search import SecretSearch, secrets_of
from .test_account_pages import KEY_ID, KEY_SECRET, key_of, product, twenty_devices
from .waiting import until
from .walk import translations

QUIET = 0.2
"""Seconds without an event after which a subscription has said what it says at first."""

STAND_IN = "pytest_homeassistant_custom_component"
"""The logger of what stands for the disk in tests: it logs what is written."""

TOLD_BY = (
    "config",
    "diagnostics",
    "persistent_notification",
    "repairs",
    "script",
    "system_health",
    "system_log",
    "trace",
    "websocket_api",
)
"""What has to be set up to be asked."""

AUTOMATION = {
    "alias": "Export",
    "triggers": [{"trigger": "event", "event_type": "export"}],
    "actions": [
        {
            "action": f"{DOMAIN}.export_mapping",
            "data": {"config_entry_id": "{{ trigger.event.data.entry_id }}"},
            "response_variable": "mapping",
        },
        {"stop": "done", "response_variable": "mapping"},
    ],
}


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """Run a cloud in which nothing is prepared but an AccessKey."""
    async with Simulator(
        strict_values=True, connects_per_minute=None, access_key=AccessKey(KEY_ID, KEY_SECRET)
    ) as simulator:
        yield simulator


class Browser:
    """Talks to Home Assistant as a browser does, and keeps everything that it is sent."""

    def __init__(self, http: Any, socket: MockHAClientWebSocket) -> None:
        """Nothing is asked yet."""
        self.answers: list[str] = []
        self.frames: list[str] = []
        self._http = http
        self._socket = socket

    async def ask(self, command: str, **fields: object) -> Any:
        """Return the result of a command of the WebSocket API."""
        number = await self._send(command, fields)
        while (frame := await self._receive())["type"] != "result" or frame["id"] != number:
            pass
        assert frame["success"], frame
        return frame["result"]

    async def listen(self, command: str, **fields: object) -> list[Any]:
        """Return what a subscription sends at first."""
        number = await self._send(command, fields)
        events: list[Any] = []
        try:
            while True:
                frame = await asyncio.wait_for(self._receive(), QUIET)
                if frame["id"] == number:
                    events.append(frame)
        except TimeoutError:
            assert events[0].get("success", True), events
            return events[1:]

    async def get(self, path: str) -> Any:
        """Return the answer to an HTTP request below `/api/`."""
        return await self._answer(await self._http.get(f"/api/{path}"))

    async def submit(self, step: dict[str, Any] | None, values: dict[str, Any]) -> dict[str, Any]:
        """Start a config flow, or submit its page, and return the next page that is not about progress."""
        path = "/api/config/config_entries/flow"
        step = await self._answer(await self._http.post(f"{path}/{step['flow_id']}" if step else path, json=values))
        while step["type"] == "progress":
            await asyncio.sleep(0.05)
            step = await self._answer(await self._http.get(f"{path}/{step['flow_id']}"))
        return step

    async def _answer(self, response: Any) -> Any:
        self.answers.append(await response.text())
        return json.loads(self.answers[-1])

    async def _send(self, command: str, fields: dict[str, Any]) -> int:
        data = {"type": command, **fields}
        await self._socket.send_json_auto_id(data)
        return data["id"]

    async def _receive(self) -> dict[str, Any]:
        self.frames.append(await self._socket.receive_str())
        return json.loads(self.frames[-1])


type Places = Callable[[], Awaitable[dict[str, list[str]]]]


@pytest.fixture
async def browser(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
) -> Browser:
    """Return a browser of the owner; everything is logged from now on."""
    caplog.set_level(logging.DEBUG)
    for component in (*TOLD_BY, DOMAIN):
        assert await async_setup_component(hass, component, {component: {}})
    assert await async_setup_component(hass, "automation", {"automation": AUTOMATION})
    socket = await hass_ws_client(hass)
    browser = Browser(await hass_client(), socket)
    await browser.ask("subscribe_events")
    await browser.listen("config_entries/flow/subscribe")
    await browser.listen("config_entries/subscribe")
    return browser


@pytest.fixture
def places(
    hass: HomeAssistant, browser: Browser, hass_storage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> Places:
    """Return a function that looks at every place; all of them have something."""

    async def look() -> dict[str, list[str]]:
        told = {kind: [answer] for kind, answer in (await interview(browser)).items()}
        log = [
            f"{record.getMessage()} {record.exc_text}"
            for record in caplog.get_records("call")
            if not record.name.startswith(STAND_IN)
        ]
        stored = {f"storage {key}": [json.dumps(data)] for key, data in hass_storage.items()}
        found = {"log": log, "frames": browser.frames, "answers": browser.answers, **stored, **told}
        assert [place for place, texts in found.items() if not texts] == []
        return found

    return look


def found(search: SecretSearch, places: dict[str, list[str]]) -> dict[str, set[str]]:
    """Return the places with secrets."""
    return {place: names for place, texts in places.items() if (names := search.found_in("\n".join(texts)))}


async def set_up_by_account(browser: Browser, cloud: Simulator, entities: list[str], kind: str) -> str:
    """Create a device, or a gateway with sub-devices, with an AccessKey, and return the id of the entry."""
    step = await browser.submit(None, {"handler": DOMAIN})
    step = await browser.submit(step, {"next_step_id": "account"})
    wrong = key_of(cloud, access_key_id="LTAI5tNobody")
    step = await browser.submit(step, wrong)
    assert step["errors"] == {"base": "access_key_refused"}
    step = await browser.submit(step, key_of(cloud))
    step = await browser.submit(step, product(product_name="Home", node_type=kind, new_device="home-1"))
    step = await browser.submit(step, selected(*entities))
    await browser.ask("config_entries/flow/progress")
    [field] = step["data_schema"]
    step = await browser.submit(step, {field["name"]: field["description"]["suggested_value"]})
    assert step["step_id"] == "account_plan", step
    step = await browser.submit(step, {})
    assert step["step_id"] == "account_made", step
    step = await browser.submit(step, {"next_step_id": "account_finish"})
    assert step["type"] == "create_entry", step
    return step["result"]["entry_id"]


@pytest.mark.parametrize("kind", ["device", "gateway"])
async def test_secrets_are_nowhere(
    hass: HomeAssistant,
    cloud: Simulator,
    browser: Browser,
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """The AccessKey, the secrets of the products and all devices, and what was signed with them.

    The secrets of devices are in the entry on disk, and nowhere else.
    """
    monkeypatch.setattr(client, "APPLICATION_POLL", 0.0)
    furnish(hass)
    entities = twenty_devices(hass) if kind == "gateway" else [LAMP, "sensor.cellar"]
    entry_id = await set_up_by_account(browser, cloud, entities, kind)
    await hass.async_block_till_done()
    home = next(one for one in cloud._platform.registry.devices.values() if one.device_name == "home-1")
    await until(lambda: all(one.properties for one in home.sub_devices.values() or [home]))
    hass.bus.async_fire("export", {"entry_id": entry_id})
    await hass.async_block_till_done()
    # Everything is done again while the page with the messages is open.
    await browser.listen(f"{DOMAIN}/wire/subscribe", entry_id=entry_id)
    await hass.config_entries.async_reload(entry_id)
    await until(lambda: all(one.online for one in home.sub_devices.values() or [home]))

    assert {of.kind for of in cloud.secrets.values()} == set(SecretKind)
    secrets = secrets_of(cloud) | {KEY_ID: "the id of the AccessKey"}
    devices = {name for name in secrets.values() if name.startswith("device ")}
    assert len(devices) == (21 if kind == "gateway" else 1)
    await flush_store(hass.config_entries._store)
    assert found(SecretSearch(secrets), await places()) == {"storage core.config_entries": devices}
    await hass.config_entries.async_unload(entry_id)
