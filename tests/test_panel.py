"""The websocket commands by which the page of both sides reads: what administrators see, and what others may not."""

import json
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.panel.commands import COMMANDS
from simulator import CloudDevice, Simulator

from .application import SetProperties, publish
from .conftest import SetUp
from .panel_page import LAMP, LOCK, TARGET, Open, Page, stored
from .waiting import until


@pytest.fixture
async def entry(hass: HomeAssistant, house: None, set_up: SetUp) -> MockConfigEntry:
    """Return an entry with two bindings."""
    assert await async_setup_component(hass, "websocket_api", {})
    return await set_up([TARGET, LAMP])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
async def test_only_administrators(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: User,
    command: Any,
) -> None:
    """Whoever is none gets an error from every command, before anything is read or done."""
    hass_admin_user.groups = []
    page = Page(await hass_ws_client(hass), entry.entry_id)
    needed = {"row": "LightSwitch", "digest": "", "digests": {}, "changes": {}, "values": {}, "rule": "", "wanted": {}}
    name = command._ws_command.removeprefix(f"{DOMAIN}/")
    known = {str(key) for key in command._ws_schema.schema} if command._ws_schema else set()
    data = {"type": f"{DOMAIN}/{name}"} | {
        key: value for key, value in {**needed, "entry_id": entry.entry_id}.items() if key in known
    }
    await page.socket.send_json_auto_id(data)
    answer = await page.receive()
    assert (answer["success"], answer["error"]["code"]) == (False, "unauthorized")


async def test_both_sides_of_each_binding(entry: MockConfigEntry, open_page: Open, hass: HomeAssistant) -> None:
    """A row shows what Home Assistant has, what was sent and what the cloud took."""
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: page.entry and page.rows["TargetTemperature"]["state"] == "in_step")
    row = page.rows["TargetTemperature"]
    assert (row["ha"], row["sent"], row["taken"]) == (20.0, 20.0, 20.0)
    assert row["sent_at"] <= row["taken_at"]
    assert (row["entity_id"], row["aspect"], row["access"]) == ("input_number.target", "Value", "both")
    assert page.entry["online"]
    assert page.entry["bound"] == 2


async def test_reason_of_a_failed_set_up(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open, entry_data: dict[str, Any]
) -> None:
    """The page says in its language why a device is not set up."""
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data={**entry_data, "endpoint": "not a host"})
    await hass.config_entries.async_setup(entry.entry_id)
    page = await open_page(entry)
    await page.call("bindings/subscribe", language="zh-Hans")
    await page.until(lambda: page.entry.get("setup") == "setup_error")
    assert page.entry["reason"].endswith("。")


async def test_a_change_arrives(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open, set_properties: SetProperties
) -> None:
    """Only the row that changed is sent again."""
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: page.entry and {row["state"] for row in page.rows.values()} == {"in_step"})
    page.events.clear()
    await set_properties(TargetTemperature=23.5)
    await page.until(lambda: page.rows["TargetTemperature"].get("taken") == 23.5)
    changed = {row["id"] for event in page.events for row in event.get("rows", ())}
    assert changed == {"TargetTemperature"}


async def test_rejected_value(hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry, open_page: Open) -> None:
    """The reason of the cloud stands in the row, and counts as a problem."""
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: page.rows.get("TargetTemperature", {}).get("state") == "in_step")
    cloud.faults.set(answer_code={"code": 6306})
    await hass.services.async_call("input_number", "set_value", {"entity_id": "input_number.target", "value": 21})
    await page.until(lambda: page.rows["TargetTemperature"]["state"] == "rejected" and page.entry["problems"] == 1)
    assert "6306" in page.rows["TargetTemperature"]["why"]


@pytest.mark.parametrize(
    ("binding", "state", "why"),
    [
        ({**TARGET, "entity": "0123456789abcdef0123456789abcdef"}, "entity_gone", ""),
        ({**TARGET, "identifier": "Nonsense"}, "not_in_model", ""),
        ({**TARGET, "aspect": "colour"}, "broken", "没有 colour"),
        ({**TARGET, "conversion": {"template": "{{ broken"}}, "broken", "模板"),
        ({**TARGET, "identifier": "CurrentTemperature"}, "not_settable", "不允许云端设置"),
        ({**TARGET, "identifier": "LightSwitch", "access": "report"}, "misfit", "LightSwitch"),
        ({**TARGET, "digits": 1}, "broken", "digits"),
        (LOCK, "not_settable", "Door"),
    ],
)
async def test_bindings_that_need_somebody(
    hass: HomeAssistant, house: None, set_up: SetUp, open_page: Open, binding: dict[str, Any], state: str, why: str
) -> None:
    """The state and the reason of a binding that cannot work are in the language of the page, and counted as a problem."""
    assert await async_setup_component(hass, "websocket_api", {})
    hass.states.async_set("lock.door", "locked", {"friendly_name": "Door"})
    entry = await set_up([binding])
    page = await open_page(entry)
    await page.call("bindings/subscribe", language="zh-Hans")
    await page.until(lambda: page.entry.get("problems") == 1)
    [row] = page.rows.values()
    assert row["state"] == state
    assert why in row["why"]


async def test_disabled_entity(hass: HomeAssistant, house: None, set_up: SetUp, open_page: Open) -> None:
    """The row follows an entity that is disabled while the page is open."""
    assert await async_setup_component(hass, "websocket_api", {})
    registry = er.async_get(hass)
    registered = registry.async_get_or_create("sensor", "test", "cellar")
    hass.states.async_set(registered.entity_id, "12.5")
    cellar = {"identifier": "CurrentTemperature", "entity": registered.id, "aspect": "value"}
    entry = await set_up([cellar])
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: page.entry and page.rows["CurrentTemperature"]["state"] == "in_step")
    registry.async_update_entity(registered.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    hass.states.async_remove(registered.entity_id)
    await page.until(lambda: page.rows["CurrentTemperature"]["state"] == "entity_disabled")


async def test_reload_and_removal_while_the_page_is_open(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open
) -> None:
    """The page says so, and shows everything again when the entry is back."""
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: page.entry.get("online"))
    assert await hass.config_entries.async_unload(entry.entry_id)
    await page.until(lambda: page.entry["setup"] == "not_loaded")
    assert page.rows == {}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await page.until(lambda: page.entry["setup"] == "loaded" and len(page.rows) == 2)
    await hass.config_entries.async_remove(entry.entry_id)
    await page.until(lambda: page.events[-1] == {"removed": True})


async def test_wire(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open, set_properties: SetProperties
) -> None:
    """The messages are shown while the page watches, each reply with the id of its request."""
    page = await open_page(entry)
    await page.call("wire/subscribe")
    await set_properties(TargetTemperature=24)
    messages: list[dict[str, Any]] = []

    def seen() -> bool:
        messages[:] = [message for event in page.events for message in event.get("messages", ())]
        return any(message["topic"].endswith("property/post_reply") for message in messages)

    await page.until(seen)
    posts = {message["message_id"] for message in messages if message["topic"].endswith("property/post")}
    replies = {message["message_id"] for message in messages if message["topic"].endswith("property/post_reply")}
    assert replies <= posts
    assert [message["up"] for message in messages if message["topic"].endswith("property/set")] == [False]


async def test_journal_traffic_and_model(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open, set_properties: SetProperties
) -> None:
    """The other tabs have what they show."""
    page = await open_page(entry)
    await set_properties(TargetTemperature=24)
    await page.call("commands/subscribe", language="zh-Hans")
    await page.until(lambda: page.events)
    [row] = page.events[-1]["rows"]
    assert (row["target"], row["code"], row["meaning"]) == (["TargetTemperature"], 200, "成功。")
    assert (row["kind"], row["params"], row["sync"]) == ("property_set", {"TargetTemperature": 24}, False)
    assert row["entities"] == [{"id": "input_number.target", "name": "target"}]
    outbox = entry.runtime_data.device.reporter.outbox
    await until(lambda: outbox.busiest(1)[0] > ("TargetTemperature", 1))
    traffic = (await page.call("traffic"))["result"]
    assert sum(map(sum, (counts for _, counts in traffic["hours"]))) == traffic["month"]["messages"] > 0
    assert traffic["busiest"][0]["identifier"] == "TargetTemperature"


async def test_private_values_of_commands(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open, cloud: Simulator, device: CloudDevice
) -> None:
    """The details of a command are masked as in the logbook, and diagnostics have none of them."""
    page = await open_page(entry)
    await page.call("commands/subscribe", language="zh-Hans")
    await publish(cloud, device, "thing/service/OpenDoor", {"id": "7", "params": {"Pin": "2468", "Door": 1}})
    await page.until(lambda: any(event.get("rows") for event in page.events))
    [row] = page.events[-1]["rows"]
    assert (row["kind"], row["target"], row["params"]) == ("service", ["OpenDoor"], {"Pin": "**", "Door": 1})
    assert row["code"] != 200
    assert "2468" not in json.dumps(page.events)
    [journal] = [each.as_json() for each in entry.runtime_data.device.commander.journal.rows()]
    assert "params" not in journal


async def test_thing_model(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """It says what is bound and what would fit; that is bound, and undone, at once."""
    hass.states.async_set("sensor.room", "21", {"device_class": "temperature", "unit_of_measurement": "°C"})
    page = await open_page(entry)
    model = {each["id"]: each for each in (await page.call("model"))["result"]["properties"]}
    assert model["LightSwitch"]["bound"]
    assert model["LightSwitch"]["fits"] is None
    assert model["CurrentTemperature"]["fits"]["entity_id"] == "sensor.room"
    wanted = {"CurrentTemperature": "sensor.room", "Power": "sensor.other", "LightSwitch": "input_boolean.lamp"}
    assert (await page.call("model/bind", wanted=wanted))["result"] == {"bound": 1, "can_undo": 1}
    assert stored(entry)["CurrentTemperature"].entity == "sensor.room"
    await page.call("bindings/undo")
    assert "CurrentTemperature" not in stored(entry)


async def test_generated_thing_model(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open, hass_client: ClientSessionGenerator
) -> None:
    """It is downloaded from a signed path, and bindings keep the items of their options."""
    page = await open_page(entry)
    generated = (await page.call("model/generate"))["result"]
    assert (generated["left_out"], generated["renamed"]) == ([], 0)
    answer = await (await hass_client()).get(generated["path"])
    assert len((await answer.json())["properties"]) == generated["properties"]


async def test_entries_come_and_go(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """The page follows the devices that there are."""
    page = await open_page(entry)
    await page.socket.send_json_auto_id({"type": f"{DOMAIN}/entries/subscribe"})
    await page.until(
        lambda: (
            page.events
            and page.events[-1] == {"entries": [{"entry_id": entry.entry_id, "title": "gw-1", "gateway": False}]}
        )
    )
    hass.config_entries.async_update_entry(entry, title="House")
    await page.until(lambda: page.events[-1]["entries"][0]["title"] == "House")
    await hass.config_entries.async_remove(entry.entry_id)
    await page.until(lambda: page.events[-1] == {"entries": []})


async def test_unknown_entry(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """An entry that is not ours is not found, whatever the command."""
    page = await open_page(entry)
    page.entry_id = "0"
    for command in ("bindings/subscribe", "wire/subscribe", "commands/subscribe", "traffic", "model", "post"):
        assert (await page.call(command))["error"]["code"] == "not_found"
