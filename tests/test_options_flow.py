"""The menu and the settings of the options flow."""

import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.flows.options_flow import RANGES
from custom_components.aliyun_iot.stored_device import model_document
from simulator import CloudDevice

from .conftest import PRODUCT_KEY, SetUp
from .house import LAMP, POWER, bind_lamp, bound, entry_with, furnish
from .walk import Walk, translations


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up; most pages need no connection."""
    return entry_with(hass, {"thing_model": thing_model_document})


async def test_menu_offers_editing_only_with_bindings(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Without bindings the menu offers only ways to add some, and the other pages."""
    menu = ["select", "add_one", "custom", "thing_model", "transfer", "settings"]
    assert (await Walk.options(hass, offline)).result["menu_options"] == menu

    await bind_lamp(hass, offline)
    menu[3:3] = ["edit", "remove"]
    assert (await Walk.options(hass, offline)).result["menu_options"] == menu


async def test_pages_are_serializable(
    hass: HomeAssistant, offline: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The menu and the longest forms can be used over the frontend's HTTP API."""
    for component in ("config", "file_upload", DOMAIN):  # no routes can be added once the test client runs
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    url = "/api/config/config_entries/options/flow"
    menu = await (await client.post(url, json={"handler": offline.entry_id})).json()
    flow = f"{url}/{menu['flow_id']}"
    await client.post(flow, json={"next_step_id": "add_one"})
    page = await (await client.post(flow, json={"entity": LAMP})).json()
    assert [field["name"] for field in page["data_schema"]] == [
        "aspect", "identifier", "access", "conversion", "reporting", "own_actions"
    ]  # fmt: skip
    assert [field["name"] for field in page["data_schema"][3]["schema"]] == [
        "unit", "scale", "offset", "same_unit", "invert", "digits", "clamp", "options", "template", "template_back"
    ]  # fmt: skip
    answer = await (await client.post(flow, json=POWER)).json()
    assert answer["type"] == "create_entry"
    assert bound(offline).keys() == {"LightSwitch"}

    menu = await (await client.post(url, json={"handler": offline.entry_id})).json()
    page = await (await client.post(f"{url}/{menu['flow_id']}", json={"next_step_id": "custom"})).json()
    assert [list(field.get("selector", ["section"])) for field in page["data_schema"]] == [
        ["select"], ["select"], ["template"], ["action"], ["condition"], ["section"], ["section"]
    ]  # fmt: skip


@pytest.mark.parametrize("field", RANGES)
async def test_numbers_out_of_range_are_refused(hass: HomeAssistant, offline: MockConfigEntry, field: str) -> None:
    """The error names both limits in each language, and the limits themselves are accepted."""
    least, most = RANGES[field]
    inside = field in ("commands_per_minute", "desired_hours")

    def entered(number: float) -> dict[str, Any]:
        return {"commands": {field: number}} if inside else {field: number, "commands": {}}

    walk = await Walk.options(hass, offline, "settings")
    for number in (least - 1, most + 1):
        await walk.submit(**entered(number))
        assert walk.errors == {"commands" if inside else field: f"{field}_range"}
        assert {**walk.values, **walk.values["commands"]}[field] == number
    for language in ("en", "zh-Hans"):
        sentence = translations(language)["options"]["error"][f"{field}_range"]
        assert [int(number) for number in re.findall("[0-9]+", sentence)] == [least, most]

    for number in (least, most):
        walk = await Walk.options(hass, offline, "settings")
        await walk.submit(**entered(number))
        assert walk.created
        assert offline.options[field] == number


async def test_settings_are_applied(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """A changed window needs no reconnect, a changed keep-alive does, and the thing model stays."""
    entry = await set_up()
    model = model_document(entry)
    walk = await Walk.options(hass, entry, "settings")
    commands = {"commands_per_minute": 600, "desired_hours": 24, "dry_run": False}
    assert not any(walk.values["management"].values())
    assert {key: value for key, value in walk.values.items() if key != "management"} == {
        "keep_alive": 60,
        "window": 0.01,
        "uplink_rate": 9,
        "monthly_quota": 0,
        "commands": commands,
    }
    await walk.submit(keep_alive=60, window=1.5, commands={})
    await hass.async_block_till_done()
    kept = {
        "uplink_rate": 9,
        "monthly_quota": 0,
        "command_condition": [],
        **commands,
        "thing_models": {PRODUCT_KEY: model},
    }
    assert entry.options == {"keep_alive": 60, "window": 1.5, **kept}
    assert device.connections == 1

    walk = await Walk.options(hass, entry, "settings")
    await walk.submit(keep_alive=300, window=1.5, commands={})
    await hass.async_block_till_done()
    assert isinstance(entry.options["keep_alive"], int)
    assert entry.runtime_data.link.config.keep_alive == 300
    assert device.connections == 2
