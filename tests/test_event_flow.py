"""The subentry flow for an event of the thing model."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import SUBENTRY_EVENT
from simulator import CloudDevice

from .conftest import SetUp
from .house import entry_with
from .walk import Walk

SMOKE = [{"trigger": "event", "event_type": "smoke"}]


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """Return a running entry."""
    return await set_up()


def stored(entry: MockConfigEntry) -> dict[str, Any]:
    """Return the data of the only bound event."""
    [subentry] = [one for one in entry.subentries.values() if one.subentry_type == SUBENTRY_EVENT]
    return dict(subentry.data)


async def test_event_is_bound_to_an_event_entity(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """The events of the thing model are offered with a template for each parameter, and the binding works at once."""
    bell = er.async_get(hass).async_get_or_create("event", "test", "bell", original_name="Bell")
    hass.states.async_set(bell.entity_id, "unknown", {"friendly_name": "Bell"})
    walk = await Walk.add_subentry(hass, entry, "event")
    assert list(walk.choices("identifier")) == ["HighTemperatureAlarm", "DeviceFault", "SceneActivated"]
    await walk.submit(identifier="SceneActivated")
    await walk.choose("entity")
    await walk.submit(entity=bell.entity_id)
    assert walk.step == "output"
    for word in ("`event_type`", "`SceneName`", "`ActivatedAt`"):
        assert word in walk.description()
    [selector] = walk.result["data_schema"].schema.values()
    assert {name: one["label"] for name, one in selector.config["fields"].items()} == {
        "SceneName": "Scene name [SceneName]: text of at most 64 bytes",
        "ActivatedAt": "Activated at [ActivatedAt]: time in UTC milliseconds (13 digits)",
    }
    await walk.submit(output={"SceneName": "{{ event_type }}", "ActivatedAt": ""})
    assert walk.created
    assert walk.result["title"] == "SceneActivated · Bell"
    await hass.async_block_till_done()
    assert stored(entry) == {
        "identifier": "SceneActivated",
        "entity": bell.id,
        "output": {"SceneName": "{{ event_type }}"},
    }
    hass.states.async_set(bell.entity_id, dt_util.utcnow().isoformat(), {"event_type": "ring"})
    await device.wait_for(lambda one: one.events)
    assert device.events[0].output == {"SceneName": "ring"}


async def test_event_is_bound_to_triggers(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, hass_client: Any
) -> None:
    """The editors' values are stored unchanged, and the forms are serializable."""
    for component in ("config", "websocket_api"):  # no routes can be added once the test client runs
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    url = "/api/config/config_entries/subentries/flow"
    page = await (await client.post(url, json={"handler": [entry.entry_id, "event"]})).json()
    flow = f"{url}/{page['flow_id']}"
    await client.post(flow, json={"identifier": "DeviceFault"})
    page = await (await client.post(flow, json={"next_step_id": "trigger"})).json()
    assert [list(field["selector"]) for field in page["data_schema"]] == [["trigger"]]
    page = await (await client.post(flow, json={"triggers": SMOKE})).json()
    [field] = page["data_schema"]
    assert list(field["selector"]["object"]["fields"]) == ["ErrorCode", "EntityId", "Message"]
    page = await (await client.post(flow, json={"output": {"Message": "{{ trigger.platform }}"}})).json()
    assert page["type"] == "create_entry"
    await hass.async_block_till_done()
    assert stored(entry) == {
        "identifier": "DeviceFault",
        "triggers": SMOKE,
        "output": {"Message": "{{ trigger.platform }}"},
    }
    hass.bus.async_fire("smoke")
    await device.wait_for(lambda one: one.events)
    assert device.events[0].output == {"Message": "event"}


async def test_bound_event_is_changed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The source changes from triggers to an entity and back, and the output stays until it is changed."""
    hass.states.async_set("event.bell", "unknown", {"friendly_name": "Bell"})
    walk = await Walk.add_subentry(hass, entry, "event")
    await walk.submit(identifier="DeviceFault")
    await walk.choose("trigger")
    await walk.submit(triggers=SMOKE)
    await walk.submit(output={"Message": "smoke"})
    assert walk.created
    [subentry_id] = entry.subentries

    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "entity")
    await walk.submit(entity="event.bell")
    assert walk.values == {"output": {"Message": "smoke"}}
    await walk.submit(**walk.values)
    assert walk.aborted == "reconfigure_successful"
    assert stored(entry) == {"identifier": "DeviceFault", "entity": "event.bell", "output": {"Message": "smoke"}}
    assert entry.subentries[subentry_id].title == "DeviceFault · Bell"

    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "entity")
    assert walk.values == {"entity": "event.bell"}
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "trigger")
    await walk.submit(triggers=SMOKE)
    await walk.submit()
    assert stored(entry) == {"identifier": "DeviceFault", "triggers": SMOKE}
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "trigger")
    assert walk.values == {"triggers": SMOKE}
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "output")
    await walk.submit(output={"Message": "fire"})
    assert stored(entry)["output"] == {"Message": "fire"}


async def test_same_binding_of_an_event_is_refused(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """The event would be posted twice; a different output or source makes another binding."""
    hass.states.async_set("event.bell", "unknown", {"friendly_name": "Bell"})

    async def bind(message: str) -> Walk:
        walk = await Walk.add_subentry(hass, entry, "event")
        await walk.submit(identifier="DeviceFault")
        await walk.choose("entity")
        await walk.submit(entity="event.bell")
        return await walk.submit(output={"Message": message})

    assert (await bind("ring")).created
    assert (await bind("ring")).aborted == "already_configured"
    assert (await bind("rang")).created
    assert len(entry.subentries) == 2

    first, second = entry.subentries
    walk = await Walk.reconfigure_subentry(hass, entry, second, "output")
    await walk.submit(output={"Message": "ring"})
    assert walk.aborted == "already_configured"
    walk = await Walk.reconfigure_subentry(hass, entry, first, "output")
    await walk.submit(output={"Message": "ring"})
    assert walk.aborted == "reconfigure_successful"


async def test_missing_and_invalid_triggers_are_refused(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The input stays in the form."""
    walk = await Walk.add_subentry(hass, entry, "event")
    await walk.submit(identifier="DeviceFault")
    await walk.choose("trigger")
    await walk.submit(triggers=[])
    assert walk.errors == {"triggers": "triggers_missing"}
    bad = [{"trigger": "no_such_integration"}]
    await walk.submit(triggers=bad)
    assert walk.errors == {"triggers": "invalid_triggers"}
    assert walk.result["description_placeholders"]["problem"]
    assert walk.values == {"triggers": bad}


async def test_event_without_a_thing_model(hass: HomeAssistant) -> None:
    """The identifier is typed, and the output is any object."""
    entry = entry_with(hass, {})
    walk = await Walk.add_subentry(hass, entry, "event")
    await walk.submit(identifier="post")
    assert walk.errors == {"identifier": "invalid_identifier"}
    await walk.submit(identifier=" Smoke ")
    await walk.choose("trigger")
    await walk.submit(triggers=SMOKE)
    assert "unknown without a thing model" in walk.description()
    for bad in ({"Zone": "{{ broken"}, ["text"]):
        await walk.submit(output=bad)
        assert walk.errors == {"output": "invalid_output"}
        assert walk.values == {"output": bad}
    await walk.submit(output={"Zone": {"name": "{{ trigger.platform }}"}})
    assert walk.created
    assert stored(entry)["identifier"] == "Smoke"


async def test_thing_model_without_events(hass: HomeAssistant) -> None:
    """The flow aborts, because there is nothing to bind."""
    entry = entry_with(hass, {"thing_model": {"properties": [], "events": [], "services": []}})
    walk = await Walk.add_subentry(hass, entry, "event")
    assert walk.aborted == "no_event"
