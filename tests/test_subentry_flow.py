"""Subentry flows for an exposed device and for a service of the thing model."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_NAME, PRODUCT_KEY, SetUp, stored_options
from .walk import Walk

POWER = {"aspect": "power", "identifier": "LightSwitch", "access": "both", "conversion": {}, "reporting": {}}


@pytest.fixture
def entry(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=DEVICE_NAME,
        data={"product_key": PRODUCT_KEY},
        options=stored_options({"thing_model": thing_model_document}),
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def lamp(hass: HomeAssistant) -> dr.DeviceEntry:
    """Return a lamp with two entities; beside it there is a kettle without a device."""
    owner = MockConfigEntry()
    owner.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("demo", "lamp")}, name="Floor lamp"
    )
    for domain in ("light", "switch"):
        er.async_get(hass).async_get_or_create(
            domain, "demo", "lamp", config_entry=owner, device_id=device.id, suggested_object_id="lamp"
        )
    hass.states.async_set("light.lamp", "on", {"supported_color_modes": ["brightness"], "brightness": 255})
    hass.states.async_set("switch.lamp", "on")
    hass.states.async_set("switch.kettle", "off", {"friendly_name": "Kettle"})
    return device


async def expose_lamp(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Expose the power of the lamp and return the id of the subentry."""
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity="light.lamp")
    await walk.submit(**POWER)
    assert walk.created
    (subentry_id,) = entry.subentries
    return subentry_id


async def test_device_is_exposed(hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry) -> None:
    """The subentry has the name of the device and its first binding."""
    subentry_id = await expose_lamp(hass, entry)
    exposure = entry.subentries[subentry_id]
    assert exposure.title == "Floor lamp · LightSwitch"
    assert exposure.subentry_type == "exposure"
    assert exposure.unique_id == f"device:{lamp.id}"
    assert exposure.data == {
        "bindings": [
            {
                "identifier": "LightSwitch",
                "entity": er.async_get(hass).async_get("light.lamp").id,
                "aspect": "power",
                "access": "both",
            }
        ]
    }


async def test_entity_without_device_gets_its_own_exposure(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry
) -> None:
    """Errors on the way can be corrected."""
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity="switch.gone")
    assert walk.errors == {"entity": "entity_not_found"}
    await walk.submit(entity="switch.kettle")
    await walk.submit(**POWER | {"identifier": "EnergyTotal"})
    assert walk.errors == {"identifier": "type_mismatch", "access": "read_only_property"}
    await walk.submit(**POWER)
    assert [subentry.title for subentry in entry.subentries.values()] == ["Kettle · LightSwitch"]


async def test_further_bindings_join_the_exposure_of_their_device(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry
) -> None:
    """A second binding of the same device is stored in the same subentry."""
    subentry_id = await expose_lamp(hass, entry)
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity="light.lamp")
    await walk.submit(**POWER | {"aspect": "brightness", "identifier": "Brightness"})
    assert walk.aborted == "reconfigure_successful"
    (exposure,) = entry.subentries.values()
    assert exposure.subentry_id == subentry_id
    assert [row["identifier"] for row in exposure.data["bindings"]] == ["LightSwitch", "Brightness"]


async def test_device_exposed_in_two_browsers_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry
) -> None:
    """The binding of the second browser is not lost."""
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity="light.lamp")
    await expose_lamp(hass, entry)
    await walk.submit(**POWER | {"aspect": "brightness", "identifier": "Brightness"})
    assert walk.aborted == "reconfigure_successful"
    assert [len(exposure.data["bindings"]) for exposure in entry.subentries.values()] == [2]


async def test_binding_is_added_to_an_exposure(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry
) -> None:
    """Only entities of the device are offered, and the first binding stays."""
    subentry_id = await expose_lamp(hass, entry)
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "add_one")
    selector = walk.result["data_schema"].schema["entity"]
    assert selector.config["include_entities"] == ["light.lamp", "switch.lamp"]
    await walk.submit(entity="switch.lamp")
    words = {"conversion": {"options": ["on=lit", "off=dark"]}}
    await walk.submit(**POWER | {"identifier": "GatewayName", "access": "report"} | words)
    assert walk.step == "reconfigure"
    assert walk.saved
    rows = entry.subentries[subentry_id].data["bindings"]
    assert [row["identifier"] for row in rows] == ["LightSwitch", "GatewayName"]


async def test_binding_of_an_exposure_is_changed(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry
) -> None:
    """It keeps its position in the list."""
    subentry_id = await expose_lamp(hass, entry)
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "add_one")
    await walk.submit(entity="light.lamp")
    await walk.submit(**POWER | {"aspect": "brightness", "identifier": "Brightness"})

    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "edit")
    await walk.submit(binding="LightSwitch")
    assert walk.values["access"] == "both"
    await walk.submit(**POWER | {"access": "report"})
    assert walk.step == "reconfigure"
    assert walk.saved
    rows = entry.subentries[subentry_id].data["bindings"]
    assert [(row["identifier"], row.get("access")) for row in rows] == [("LightSwitch", None), ("Brightness", "both")]


@pytest.mark.parametrize("meanwhile", ["changed", "removed"])
async def test_binding_changed_or_removed_in_another_browser(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry, meanwhile: str
) -> None:
    """The binding that was saved last is stored, once."""
    subentry_id = await expose_lamp(hass, entry)
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "add_one")
    await walk.submit(entity="light.lamp")
    await walk.submit(**POWER | {"aspect": "brightness", "identifier": "Brightness"})

    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "edit")
    await walk.submit(binding="LightSwitch")
    if meanwhile == "changed":
        other = await Walk.reconfigure_subentry(hass, entry, subentry_id, "edit")
        await other.submit(binding="LightSwitch")
        await other.submit(**POWER | {"access": "control"})
    else:
        other = await Walk.reconfigure_subentry(hass, entry, subentry_id, "remove")
        await other.submit(bindings=["LightSwitch"])
    await walk.submit(**POWER | {"access": "report"})
    assert walk.step == "reconfigure"
    assert walk.saved
    rows = entry.subentries[subentry_id].data["bindings"]
    assert {row["identifier"]: row.get("access") for row in rows} == {"LightSwitch": None, "Brightness": "both"}
    assert len(rows) == 2


async def test_bindings_are_removed_from_an_exposure(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry
) -> None:
    """The exposure is removed with its last binding."""
    subentry_id = await expose_lamp(hass, entry)
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "add_one")
    await walk.submit(entity="light.lamp")
    await walk.submit(**POWER | {"aspect": "brightness", "identifier": "Brightness"})

    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id, "remove")
    await walk.submit(bindings=["Brightness"])
    assert walk.description().startswith("Removed: 1.")
    assert [row["identifier"] for row in entry.subentries[subentry_id].data["bindings"]] == ["LightSwitch"]

    await walk.choose("remove")
    await walk.submit(bindings=["LightSwitch"])
    assert walk.aborted == "removed"
    assert not entry.subentries


async def test_nothing_can_be_added_to_a_missing_device(
    hass: HomeAssistant, entry: MockConfigEntry, lamp: dr.DeviceEntry
) -> None:
    """Its bindings can still be seen and removed."""
    subentry_id = await expose_lamp(hass, entry)
    hass.states.async_remove("light.lamp")
    hass.states.async_remove("switch.lamp")
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id)
    assert walk.result["menu_options"] == ["edit", "remove"]


async def test_service_runs_actions(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """The page lists the variables of the actions, and the bound service answers without a reload."""
    entry = await set_up()
    walk = await Walk.add_subentry(hass, entry, "service")
    assert walk.choices("identifier")["ReadMeter"] == "Read meter [ReadMeter]"
    await walk.submit(identifier="ReadMeter")
    assert walk.step == "run"
    assert "Variables: `Channel` (" in walk.description()

    actions = [
        {"variables": {"answer": {"Energy": 12.5}}},
        {"stop": "done", "response_variable": "answer"},
    ]
    await walk.submit(actions=actions)
    assert walk.created
    await hass.async_block_till_done()
    (service,) = entry.subentries.values()
    assert service.title == "ReadMeter"
    assert service.unique_id == "service:ReadMeter"
    assert service.data == {"identifier": "ReadMeter", "actions": actions}
    answer = await cloud.call(
        "InvokeThingService",
        ProductKey=PRODUCT_KEY,
        DeviceName=DEVICE_NAME,
        Identifier="ReadMeter",
        Args={"Channel": 1},
    )
    assert answer["Data"]["Result"] == '{"Energy":12.5}'
    assert device.connections == 1


async def test_service_runs_a_script(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The reference survives a rename of the script, and the form shows its present entity id."""
    assert await async_setup_component(hass, "script", {"script": {"bell": {"sequence": []}}})
    reference = er.async_get(hass).async_get("script.bell").id
    walk = await Walk.add_subentry(hass, entry, "service")
    await walk.submit(identifier="Restart")
    assert walk.description().endswith("Allowed in the response: none")
    await walk.submit(script="script.bell")
    assert walk.created
    (subentry_id,) = entry.subentries
    assert entry.subentries[subentry_id].data == {"identifier": "Restart", "script": reference}

    er.async_get(hass).async_update_entity("script.bell", new_entity_id="script.gong")
    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id)
    assert walk.values == {"script": "script.gong"}
    actions = [{"action": "script.gong"}]
    await walk.submit(actions=actions)
    assert walk.aborted == "reconfigure_successful"
    assert entry.subentries[subentry_id].data == {"identifier": "Restart", "actions": actions}

    walk = await Walk.reconfigure_subentry(hass, entry, subentry_id)
    assert walk.values == {"actions": actions}


async def test_service_page_is_serializable(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The editor is Home Assistant's action selector, and its value is stored unchanged."""
    for component in ("config", "file_upload", "websocket_api"):  # no routes can be added once the test client runs
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    url = "/api/config/config_entries/subentries/flow"
    page = await (await client.post(url, json={"handler": [entry.entry_id, "service"]})).json()
    flow = f"{url}/{page['flow_id']}"
    page = await (await client.post(flow, json={"identifier": "Restart"})).json()
    assert [list(field["selector"]) for field in page["data_schema"]] == [["entity"], ["action"], ["condition"]]
    actions = [{"delay": {"seconds": 1}}, {"action": "light.turn_on", "target": {"area_id": ["hall"]}}]
    await client.post(flow, json={"actions": actions})
    (service,) = entry.subentries.values()
    assert service.data["actions"] == actions


async def test_service_needs_either_a_script_or_actions(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Neither, both, and invalid actions are refused, and the input stays in the form."""
    walk = await Walk.add_subentry(hass, entry, "service")
    await walk.submit(identifier="Restart")
    await walk.submit()
    assert walk.errors == {"base": "script_or_actions"}
    good = [{"action": "homeassistant.restart"}]
    await walk.submit(script="script.bell", actions=good)
    assert walk.errors == {"base": "script_or_actions"}
    assert walk.values == {"script": "script.bell", "actions": good}

    for bad in ([{"no": "action"}], [{"device_id": "gone", "domain": "light", "type": "turn_on"}]):
        await walk.submit(actions=bad)
        assert walk.errors == {"actions": "invalid_actions"}
        assert walk.result["description_placeholders"]["problem"]
        assert walk.values == {"actions": bad}
    await walk.submit(actions=good)
    assert walk.created


async def test_service_can_be_bound_once(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Bound services are not offered again, and the flow aborts if none is left."""
    for free in (["RunScene", "ReadMeter", "Restart"], ["ReadMeter", "Restart"], ["Restart"]):
        walk = await Walk.add_subentry(hass, entry, "service")
        assert list(walk.choices("identifier")) == free
        await walk.submit(identifier=free[0])
        await walk.submit(actions=[{"action": "homeassistant.restart"}])
        assert walk.created
    walk = await Walk.add_subentry(hass, entry, "service")
    assert walk.aborted == "no_free_service"


async def test_service_identifier_can_be_typed_without_a_thing_model(hass: HomeAssistant) -> None:
    """It must be valid and not bound yet."""
    entry = MockConfigEntry(domain=DOMAIN, data={"product_key": PRODUCT_KEY})
    entry.add_to_hass(hass)
    actions = [{"action": "homeassistant.restart"}]
    walk = await Walk.add_subentry(hass, entry, "service")
    await walk.submit(identifier="set")
    assert walk.errors == {"identifier": "invalid_identifier"}
    await walk.submit(identifier=" Ring ")
    assert walk.description().count("unknown without a thing model") == 2
    await walk.submit(actions=actions)
    assert walk.created

    walk = await Walk.add_subentry(hass, entry, "service")
    await walk.submit(identifier="Ring")
    assert walk.errors == {"identifier": "identifier_taken"}
