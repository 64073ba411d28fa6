"""What every story needs: a cloud, a device in it, and a Home Assistant that knows this integration."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from io import BytesIO
import json
from pathlib import Path
import tempfile
import traceback
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import entity_sources
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component
from hypothesis import settings
import pytest

# The test package must load Home Assistant before anything imports voluptuous.
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.aliyun_iot.alink.mqtt.pacing import RateLimit
from custom_components.aliyun_iot.const import (
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_PRODUCT_KEY,
    CONF_THING_MODEL,
    CONF_THING_MODELS,
    CONF_TRANSPORT,
    CONF_WINDOW,
    DOMAIN,
    SUBENTRY_EXPOSURE,
    SUBENTRY_SERVICE,
)
from custom_components.aliyun_iot.exposures import resolve_entity
from simulator import CloudDevice, DeviceReply, Simulator, reserved_port

from .application import SetProperties
from .panel_page import Open, Page

FIXTURES = Path(__file__).parent / "fixtures"

PRODUCT_KEY = "a1HomeGw001"
DEVICE_NAME = "gw-1"
DEVICE_SECRET = "c0ffee00c0ffee00c0ffee00c0ffee00"


@pytest.fixture(autouse=True)
def no_shortest_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show no progress for longer than it takes: no browser has to notice it."""
    monkeypatch.setattr("custom_components.aliyun_iot.flows.safe_pages.SHORTEST_PROGRESS", 0)


settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
"""How long an example takes depends on what else the machine does."""

type Rows = list[dict[str, Any]]
type Upload = Callable[[bytes], Awaitable[str]]
type SetUp = Callable[..., Awaitable[MockConfigEntry]]


REAL_DISK = {name: getattr(Store, name) for name in ("_async_load", "_async_write_data", "async_remove")}
"""What every test of Home Assistant replaces, so that nothing is written."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the tests that are marked `long` first."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True, scope="session")
def short_stacks() -> Generator[None]:
    """Record three frames of the stack instead of all of them for each future and handle.

    Home Assistant's tests run in the debug mode of asyncio, where recording whole stacks takes a third of the
    processor time.
    """
    with (
        patch.object(traceback.extract_stack, "__defaults__", (None, 3)),
        patch.object(asyncio.constants, "DEBUG_STACK_DEPTH", 3),
    ):
        yield


@pytest.fixture(autouse=True)
def no_rate_limit(request: pytest.FixtureRequest) -> Generator[None]:
    """Send messages without waiting for the rate limit, except in tests that are marked `rate_limit`."""
    if request.node.get_closest_marker("rate_limit"):
        yield
        return
    with patch.multiple(RateLimit, delay=lambda _limit, _spare=0: 0.0, count=lambda _limit: None):
        yield


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find this integration."""


@pytest.fixture
def thing_model_document() -> dict[str, Any]:
    """Return the thing model of the device in the simulator."""
    return json.loads((FIXTURES / "tsl-home-gateway.json").read_text(encoding="utf-8"))


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """Run the cloud on loopback; connects are not counted, since tests connect often."""
    with reserved_port() as port, reserved_port() as api_port:
        async with Simulator(port=port, api_port=api_port, connects_per_minute=None, strict_values=True) as simulator:
            yield simulator


@pytest.fixture
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an RRPC call time out in a fifth of the time that its caller allows, at least 0.2 s."""
    monkeypatch.setattr("simulator.openapi.messages.MILLISECOND", 0.0002)


@pytest.fixture
def device(cloud: Simulator, thing_model_document: dict[str, Any]) -> CloudDevice:
    """Return the device as the cloud knows it."""
    return cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET, tsl=thing_model_document)


@pytest.fixture
def entry_data(cloud: Simulator) -> dict[str, Any]:
    """Return what the config flow stores for the device."""
    return {
        CONF_PRODUCT_KEY: PRODUCT_KEY,
        CONF_DEVICE_NAME: DEVICE_NAME,
        CONF_DEVICE_SECRET: DEVICE_SECRET,
        CONF_ENDPOINT: f"127.0.0.1:{cloud.port}",
        CONF_TRANSPORT: "tcp",
    }


def stored_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with the thing model of the device where its product has it."""
    others = {key: value for key, value in options.items() if key != CONF_THING_MODEL}
    document = options.get(CONF_THING_MODEL)
    return {**others, CONF_THING_MODELS: {PRODUCT_KEY: document}} if document else others


@pytest.fixture
def set_up(
    hass: HomeAssistant,
    device: CloudDevice,
    entry_data: dict[str, Any],
    thing_model_document: dict[str, Any],
) -> SetUp:
    """Return a function that sets an entry up with bindings and waits until it runs."""

    async def run(
        bindings: Rows = (),
        services: Rows = (),
        options: Mapping[str, Any] | None = None,
        entry_id: str | None = None,
    ) -> MockConfigEntry:
        for row in bindings:  # the stories make states up; an entity stands behind each
            reference = row.get("entity") if isinstance(row, dict) else None
            if reference and (entity_id := resolve_entity(hass, reference)):
                entity_sources(hass).setdefault(entity_id, {"domain": "test"})
        exposures = [{"bindings": list(bindings)}] if bindings else []
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=DEVICE_NAME,
            entry_id=entry_id,
            unique_id=f"{PRODUCT_KEY}.{DEVICE_NAME}",
            data=entry_data,
            options=stored_options({CONF_THING_MODEL: thing_model_document, CONF_WINDOW: 0.01} | dict(options or {})),
            subentries_data=[
                *(_subentry(SUBENTRY_EXPOSURE, "exposure", data) for data in exposures),
                *(_subentry(SUBENTRY_SERVICE, data["identifier"], data) for data in services),
            ],
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        return entry

    return run


@pytest.fixture
async def house(hass: HomeAssistant) -> None:
    """Return real helpers to be controlled."""
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"lamp": None, "other": None}})
    assert await async_setup_component(
        hass, "input_number", {"input_number": {"target": {"min": 10, "max": 30, "step": 0.5, "initial": 20}}}
    )


@pytest.fixture
async def upload(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Upload:
    """Return a function that uploads a file as a browser does, and returns what the form sends then."""
    # Home Assistant keeps uploads in one folder for the whole machine, and empties it whenever it stops.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for component in ("file_upload", DOMAIN):
        assert await async_setup_component(hass, component, {})
    client = await hass_client()

    async def run(content: bytes) -> str:
        answer = await client.post("/api/file_upload", data={"file": BytesIO(content)})
        return (await answer.json())["file_id"]

    return run


@pytest.fixture
def open_page(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Open:
    """Return a function that opens the page of both sides of an entry."""

    async def run(entry: MockConfigEntry) -> Page:
        assert await async_setup_component(hass, "websocket_api", {})
        return Page(await hass_ws_client(hass), entry.entry_id)

    return run


@pytest.fixture
def set_properties(cloud: Simulator, device: CloudDevice) -> SetProperties:
    """Return a function that sets properties as an application in the cloud does, and returns the device's answer."""

    async def run(**values: object) -> DeviceReply:
        result = await cloud.call(
            "SetDeviceProperty",
            ProductKey=device.product_key,
            DeviceName=device.device_name,
            Items=json.dumps(values),
        )
        return await device.wait_reply(result["Data"]["MessageId"])

    return run


def _subentry(kind: str, title: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"data": data, "subentry_type": kind, "title": title, "unique_id": f"{kind}:{title}"}


@pytest.fixture
def real_disk(hass: HomeAssistant, tmp_path: Path) -> Generator[Path]:
    """Let stores write to an empty directory."""
    hass.config.config_dir = str(tmp_path)
    with patch.multiple(Store, **REAL_DISK):
        yield tmp_path
