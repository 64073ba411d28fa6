"""The menu and the settings of the options flow."""

import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.flows.options_flow import RANGES
from custom_components.aliyun_iot.stored_device import model_document, options_with_model
from simulator import CloudDevice

from .conftest import PRODUCT_KEY, SetUp
from .house import LAMP, POWER, bound, entry_with, furnish
from .walk import Walk, translations


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up; most pages need no connection."""
    return entry_with(hass, {"thing_model": thing_model_document})


async def test_menu_says_how_the_device_is_doing(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, device: CloudDevice, set_up: SetUp
) -> None:
    """Since when it is online, how many properties the thing model has, how many are bound, and how many have a problem."""
    freezer.move_to("2026-10-05 14:03:00+00:00")
    await hass.config.async_set_time_zone("UTC")
    entry = await set_up([{"identifier": "LightSwitch", "entity": LAMP, "aspect": "power"}])
    walk = await Walk.options(hass, entry)
    properties = len(entry.runtime_data.device.model.properties)
    assert walk.result["description_placeholders"]["status"] == (
        f"online since 14:03 · model: {properties} properties · 1 bound · no problems"
    )
    assert f"(/aliyun-iot/{entry.entry_id}/bindings)" in walk.description()

    freezer.move_to("2026-10-06 14:03:00+00:00")
    document = model_document(entry)
    hass.config_entries.async_update_entry(
        entry, options=options_with_model(entry, {**document, "properties": document["properties"][1:2]})
    )
    await hass.async_block_till_done()
    assert (await Walk.options(hass, entry)).result["description_placeholders"]["status"] == (
        "online since 2026-10-05 14:03 · model: 1 property · 1 bound · 1 problem"
    )


async def test_menu_begins_with_what_is_next(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """First the thing model, because identifiers are invented without one; then bindings."""
    walk = await Walk.options(hass, entry_with(hass, {}))
    assert walk.result["menu_options"] == ["thing_model", "select", "transfer", "cloud", "settings"]
    assert "the identifiers of the properties are invented" in walk.description()
    walk = await Walk.options(hass, offline)
    assert walk.result["menu_options"] == ["select", "thing_model", "transfer", "cloud", "settings"]
    assert "Not set up" in walk.description()
    assert "bind several entities" in walk.description()


async def test_binding_without_a_thing_model_is_warned_about(hass: HomeAssistant) -> None:
    """The ways to a thing model are offered first; it is possible nevertheless."""
    walk = await Walk.options(hass, entry_with(hass, {}), "select")
    assert walk.step == "unmodelled"
    assert walk.result["menu_options"] == [
        "thing_model_fetch", "thing_model_upload", "thing_model_paste", "select_anyway", "overview"
    ]  # fmt: skip
    assert "the identifiers of the properties are invented" in walk.description()
    await walk.choose("overview")
    assert walk.step == "init"
    await walk.choose("select", "thing_model_fetch")
    assert walk.step == "thing_model_unavailable"
    assert "not connected" in walk.description()
    await walk.choose("select_anyway")
    assert walk.step == "select"


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
    page = await (await client.post(flow, json={"next_step_id": "settings"})).json()
    assert [field["name"] for field in page["data_schema"]] == [
        "keep_alive", "window", "uplink_rate", "monthly_quota", "commands", "management"
    ]  # fmt: skip

    url = "/api/config/config_entries/subentries/flow"
    exposure = {"handler": [offline.entry_id, "exposure"]}
    menu = await (await client.post(url, json=exposure)).json()
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

    menu = await (await client.post(url, json=exposure)).json()
    page = await (await client.post(f"{url}/{menu['flow_id']}", json={"next_step_id": "custom"})).json()
    assert [list(field.get("selector", ["section"])) for field in page["data_schema"]] == [
        ["select"], ["select"], ["template"], ["action"], ["condition"], ["section"], ["section"]
    ]  # fmt: skip


@pytest.mark.parametrize("field", sorted(RANGES.keys() - {"offline_delay"}))
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
        assert walk.saved
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
