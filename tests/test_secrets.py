"""No secret comes out: not in the log at the debug level, on disk, in diagnostics, traces, frames, or answers to the browser.

The same search runs over everything that real browsers and processes leave behind: `tests_browser/evidence.py`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
import json
import logging
from types import MappingProxyType
from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, flush_store
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.aliyun_iot.account import client
from custom_components.aliyun_iot.const import DOMAIN, SUBENTRY_SUB_DEVICE
from custom_components.aliyun_iot.sub_device_row import NewSubDevice, SubDeviceRow, add_sub_devices as add_rows
from simulator import AccessKey, CloudDevice, SecretKind, Simulator

from .application import LAMP as LIGHT
from .conftest import SetUp
from .house import LAMP, furnish, selected
from .interview import EXPORT, KINDS, interview
from .secret_search import SecretSearch, secrets_of
from .sub_house import LAMPS, SECRET, add_device
from .test_account_pages import KEY_ID, KEY_SECRET, key_of, product, twenty_devices
from .test_secret_search import AWKWARD
from .waiting import until

QUIET = 0.2
"""Seconds without a frame after which a subscription has said what it says at first."""

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
        frames: list[dict[str, Any]] = []
        with suppress(TimeoutError):
            while True:
                accepted = any(frame["type"] == "result" for frame in frames)
                frame = await asyncio.wait_for(self._receive(), QUIET if accepted else 10)
                if frame["id"] == number:
                    frames.append(frame)
        assert all(frame.get("success", True) for frame in frames), frames
        return [frame["event"] for frame in frames if frame["type"] == "event"]

    async def get(self, path: str) -> Any:
        """Return the answer to an HTTP request below `/api/`."""
        return await self._answer(await self._http.get(f"/api/{path}"))

    async def submit(self, step: dict[str, Any] | None, values: dict[str, Any], kind: str = "flow") -> dict[str, Any]:
        """Start a flow, or submit its page, and return the next page that is not about progress."""
        path = f"/api/config/config_entries/{kind}"
        step = await self._answer(await self._http.post(f"{path}/{step['flow_id']}" if step else path, json=values))
        while step["type"] == "progress":
            await asyncio.sleep(0.05)
            step = await self._answer(await self._http.get(f"{path}/{step['flow_id']}"))
        return step

    async def malform(self, step: dict[str, Any], values: dict[str, Any]) -> None:
        """Submit a page of a config flow with values of the wrong types."""
        response = await self._http.post(f"/api/config/config_entries/flow/{step['flow_id']}", json=values)
        assert response.status == HTTPStatus.BAD_REQUEST
        await self._answer(response)

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
    assert await async_setup_component(hass, "automation", {"automation": EXPORT})
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
    await browser.malform(step, key_of(cloud, access_key_secret=[KEY_SECRET]))
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
    # Everything is done again while the page with the messages is open.
    await browser.listen(f"{DOMAIN}/wire/subscribe", entry_id=entry_id)
    await hass.config_entries.async_reload(entry_id)
    await until(lambda: all(one.online for one in home.sub_devices.values() or [home]))

    assert {of.kind for of in cloud.secrets.values()} == set(SecretKind)
    secrets = secrets_of(cloud) | {KEY_ID: "the id of the AccessKey"}
    devices = {name for name in secrets.values() if name.startswith("device ")}
    assert len(devices) == (21 if kind == "gateway" else 1)
    await flush_store(hass.config_entries._store)
    looked = await places()
    assert looked.keys() >= KINDS
    assert found(SecretSearch(secrets), looked) == {"storage core.config_entries": devices}
    await hass.config_entries.async_unload(entry_id)


async def add_sub_devices(browser: Browser, cloud: Simulator, entry_id: str, secret: str) -> dict[str, Any]:
    """Make all devices of the study sub-devices that are registered with the secret of their product; return the last page."""

    async def submit(step: dict[str, Any] | None, **values: Any) -> dict[str, Any]:
        return await browser.submit(step, values, "subentries/flow")

    step = await submit(None, handler=[entry_id, "sub_device"])
    step = await submit(step, target={"area_id": ["study"]}, integrations=[], leave_out={}, also={})
    step = await submit(step, devices=step["data_schema"][0]["description"]["suggested_value"])
    step = await submit(step, product_key=LAMPS)
    step = await submit(step)
    step = await submit(step, next_step_id="secret")
    step = await submit(step, product_secret=f"{secret} and a blank")
    assert step["errors"] == {"product_secret": "invalid_product_secret"}
    step = await submit(step, product_secret=secret)
    assert step["step_id"] == "names", step
    names = step["data_schema"][0]["description"]["suggested_value"]
    for line in names.splitlines():
        cloud.add_device(LAMPS, line.split(" = ")[0], "not known before")
    return await submit(step, names=names)


async def test_product_secrets_are_nowhere(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, browser: Browser, places: Places
) -> None:
    """The gateway registers with the secret of a product, while the page with the messages is open."""
    cloud.add_product(LAMPS, secret=AWKWARD, dynamic_registration=True)
    entry = await set_up(options={"thing_model": None})
    await browser.listen(f"{DOMAIN}/wire/subscribe", entry_id=entry.entry_id)
    for number in range(2):
        add_device(hass, f"Lamp {number}", area="Study")
    step = await add_sub_devices(browser, cloud, entry.entry_id, AWKWARD)
    assert step["description_placeholders"]["online"] == "2", step
    secrets = secrets_of(cloud)
    assert any("product_register" in name for name in secrets.values())
    devices = {name for name in secrets.values() if name.startswith("device ")}
    await flush_store(hass.config_entries._store)
    # The secrets that the devices had before are no longer in use.
    assert found(SecretSearch(secrets), await places()) == {"storage core.config_entries": devices}


@pytest.mark.parametrize(
    "row", [{"device_secret": f"{AWKWARD} and a blank"}, {"product_secret": AWKWARD, "more": AWKWARD}]
)
async def test_stored_secrets_that_can_not_be_read_are_nowhere(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, browser: Browser, places: Places, row: dict[str, str]
) -> None:
    """Somebody has edited them by hand; what is said about the row does not repeat it."""
    entry = await set_up(options={"thing_model": None})
    data = {"product_key": LAMPS, "device_name": "lamp-1", **row}
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(data), subentry_type=SUBENTRY_SUB_DEVICE, title="Lamp", unique_id="a1SubLamps.lamp-1"
        ),
    )
    await hass.async_block_till_done()
    looked = await places()
    assert "stored rows cannot be read" in "\n".join(looked["log"])
    assert found(SecretSearch({AWKWARD: "mine"}), looked) == {"storage core.config_entries": {"mine"}}


async def test_diagnostics_without_secrets_whatever_quotes_them(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, browser: Browser, house: None
) -> None:
    """The texts of errors quote what was sent: here the secrets of a sub-device and of a product."""
    entry = await set_up([LIGHT], options={"thing_model": None})
    rows = [SubDeviceRow(LAMPS, "lamp-1", SECRET), SubDeviceRow(LAMPS, "lamp-2", product_secret=AWKWARD)]
    add_rows(hass, entry, [NewSubDevice(row, row.device_name) for row in rows])
    await hass.async_block_till_done()
    for secret in (SECRET, AWKWARD):
        result = await cloud.call("SetDeviceProperty", ProductKey=device.product_key, DeviceName=device.device_name, Items={"LightSwitch": secret})  # fmt: skip
        await device.wait_reply(result["Data"]["MessageId"])
    told = json.dumps(await browser.get(f"diagnostics/config_entry/{entry.entry_id}"))
    assert "LightSwitch: " in told
    assert SecretSearch({SECRET: "device", AWKWARD: "product"}).found_in(told) == set()


@pytest.mark.parametrize(
    "place",
    ["log", "storage plant", "frames", "answers", "states", "traces", "notifications", "system log", "entities"],
)
async def test_planted_secret_is_found(
    hass: HomeAssistant, browser: Browser, places: Places, hass_storage: dict[str, Any], place: str
) -> None:
    """In each place; a search that finds nothing anywhere would say nothing."""
    match place:
        case "log":
            logging.getLogger(DOMAIN).debug("signed with %s", AWKWARD)
        case "storage plant":
            hass_storage["plant"] = {"data": {"secret": AWKWARD}}
        case "frames":
            hass.bus.async_fire("planted", {"secret": AWKWARD})
            await browser.ask("config_entries/flow/progress")
        case "answers":
            MockConfigEntry(domain="demo", title=AWKWARD).add_to_hass(hass)
            await browser.get("config/config_entries/entry")
        case "states":
            hass.states.async_set("sensor.plant", "on", {"text": AWKWARD})
        case "traces":
            hass.bus.async_fire("export", {"entry_id": AWKWARD})
            await hass.async_block_till_done()
        case "notifications":
            persistent_notification.async_create(hass, AWKWARD)
        case "system log":
            logging.getLogger(DOMAIN).warning("signed with %s", AWKWARD)
            await asyncio.sleep(0.1)
        case "entities":
            er.async_get(hass).async_get_or_create("sensor", "test", AWKWARD)
    assert place in found(SecretSearch({AWKWARD: "planted"}), await places())
