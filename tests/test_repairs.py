"""The repair issue for a loop between the cloud and an automation."""

from http import HTTPStatus
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.aliyun_iot.commands.loops import TURNS
from custom_components.aliyun_iot.const import DOMAIN

from .application import LAMP, SetProperties
from .conftest import SetUp
from .walk import placeholders, translations

FLOW = "/api/repairs/issues/fix"


@pytest.fixture
async def looping(hass: HomeAssistant, house: None, set_up: SetUp) -> MockConfigEntry:
    """Return an entry with a property that is paused because of a loop."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up([LAMP])
    loops = entry.runtime_data.device.loops
    for _ in range(TURNS + 1):
        command = Context()
        loops.record_command({"LightSwitch": 1}, command)
        loops.record_change("Brightness", 1, Context(parent_id=command.id))
    assert loops.is_paused("LightSwitch")
    return entry


async def listed(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> list[dict[str, Any]]:
    """Return the issues as the user interface lists them."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "repairs/list_issues"})
    issues = (await client.receive_json())["result"]["issues"]
    return [issue for issue in issues if issue["domain"] == DOMAIN]


async def test_fix_flow_resumes_the_property(
    hass: HomeAssistant,
    looping: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    set_properties: SetProperties,
) -> None:
    """The cloud's commands are refused until the user confirms that the loop is broken."""
    assert (await set_properties(LightSwitch=1)).code == 100011
    [issue] = await listed(hass, hass_ws_client)
    assert issue["is_fixable"]
    client = await hass_client()
    started = await client.post(FLOW, json={"handler": DOMAIN, "issue_id": issue["issue_id"]})
    assert started.status == HTTPStatus.OK
    page = await started.json()
    assert page["step_id"] == "confirm"

    texts = translations()["issues"][issue["translation_key"]]
    shown = texts["fix_flow"]["step"]["confirm"]
    given = page["description_placeholders"]
    assert given == {"device": "gw-1", "identifier": "LightSwitch", "echo": "Brightness"}
    assert placeholders(texts["title"] + shown["title"] + shown["description"]) <= given.keys()
    assert issue["translation_placeholders"] == given

    done = await (await client.post(f"{FLOW}/{page['flow_id']}", json={})).json()
    assert done["type"] == "create_entry"
    assert not await listed(hass, hass_ws_client)
    assert (await set_properties(LightSwitch=1)).code == 200


async def test_issue_is_withdrawn_when_the_entry_is_unloaded(
    hass: HomeAssistant, looping: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """A fix flow that is still open can be submitted without an error."""
    [issue_id] = [key for domain, key in ir.async_get(hass).issues if domain == DOMAIN]
    client = await hass_client()
    page = await (await client.post(FLOW, json={"handler": DOMAIN, "issue_id": issue_id})).json()
    await hass.config_entries.async_unload(looping.entry_id)
    assert not [key for domain, key in ir.async_get(hass).issues if domain == DOMAIN]
    done = await client.post(f"{FLOW}/{page['flow_id']}", json={})
    assert done.status == HTTPStatus.OK
