"""What can be changed without connecting anew: many bindings at once, the thing model, settings."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.mapping.binding import Access, Binding
from simulator import CloudDevice, CodeFault, Simulator

from .conftest import PRODUCT_KEY, SetUp
from .house import LAMP, POWER, bind_lamp, bound, entry_with, furnish
from .walk import Walk


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up: most pages need no connection."""
    return entry_with(hass, {"thing_model": thing_model_document})


async def test_the_menu_offers_to_edit_only_what_there_is(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Somebody who has just begun sees how to begin."""
    menu = ["add", "add_one", "thing_model_fetch", "thing_model_paste", "settings"]
    assert (await Walk.options(hass, offline)).result["menu_options"] == menu

    await bind_lamp(hass, offline)
    menu[2:2] = ["edit", "remove"]
    assert (await Walk.options(hass, offline)).result["menu_options"] == menu


async def test_several_entities_are_bound_at_once(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Pairs are suggested, all of them ticked; what is left works at once, without another connection."""
    entry = await set_up()
    walk = await Walk.options(hass, entry, "add")
    await walk.submit(entities=[LAMP, "sensor.cellar", "switch.kettle"])
    assert walk.step == "suggestions"
    assert walk.choices("bindings") == {
        "LightSwitch": "Lamp · Power switch → Light switch [LightSwitch] (Report and control)",
        "Brightness": "Lamp · Brightness → Brightness (Report and control)",
        "ColorTemperature": "Lamp · Color temperature → Color temperature [ColorTemperature] (Report and control)",
        "CurrentTemperature": "Cellar · Value → Current temperature [CurrentTemperature] (Report)",
    }
    assert walk.values == {"bindings": list(walk.choices("bindings"))}
    assert "Nothing fits for certain, or all is bound already: Kettle." in walk.description()
    assert not bound(entry)

    await walk.submit(bindings=["LightSwitch", "CurrentTemperature"])
    assert walk.created
    assert bound(entry) == {
        "LightSwitch": Binding("LightSwitch", LAMP, "power", Access.BOTH),
        "CurrentTemperature": Binding("CurrentTemperature", "sensor.cellar", "value"),
    }
    await device.wait_for(lambda device: device.properties.keys() >= {"LightSwitch", "CurrentTemperature"})
    assert device.connections == 1


async def test_nothing_selected_is_not_everything(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Blank never means all, on neither page."""
    walk = await Walk.options(hass, offline, "add")
    await walk.submit(entities=[])
    assert walk.errors == {"entities": "nothing_selected"}
    await walk.submit(entities=[LAMP])
    await walk.submit(bindings=[])
    assert walk.errors == {"bindings": "nothing_selected"}
    assert walk.values == {"bindings": []}
    with pytest.raises(InvalidData):
        await walk.submit()
    assert not bound(offline)
    await walk.submit(bindings=["Brightness"])
    assert bound(offline).keys() == {"Brightness"}


async def test_entities_that_nothing_fits(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """There is no page with an empty list; what is bound already is not offered again; the departed are passed over."""
    walk = await Walk.options(hass, offline, "add")
    await walk.submit(entities=["switch.kettle", "light.gone", "0" * 32])
    assert walk.errors == {"entities": "nothing_fits"}
    await walk.submit(entities=[LAMP])
    await walk.submit(bindings=list(walk.choices("bindings")))
    walk = await Walk.options(hass, offline, "add")
    await walk.submit(entities=[LAMP])
    assert walk.errors == {"entities": "nothing_fits"}


async def test_somebody_else_binds_a_suggested_property_first(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Two browsers are open: no identifier is bound twice."""
    walk = await Walk.options(hass, offline, "add")
    await walk.submit(entities=[LAMP])
    await bind_lamp(hass, offline)
    await walk.submit(bindings=["LightSwitch", "Brightness"])
    assert walk.errors == {"bindings": "changed_meanwhile"}
    assert walk.values == {"bindings": ["Brightness"]}
    assert "LightSwitch" not in walk.choices("bindings")
    await walk.submit(bindings=["Brightness"])
    assert bound(offline).keys() == {"LightSwitch", "Brightness"}


async def test_without_a_thing_model_identifiers_are_made_up(hass: HomeAssistant) -> None:
    """Every aspect gets one, and the risky entity is only reported."""
    entry = entry_with(hass, {})
    walk = await Walk.options(hass, entry, "add")
    await walk.submit(entities=["switch.kettle", "lock.door"])
    access = {binding: label.rsplit("(", 1)[1] for binding, label in walk.choices("bindings").items()}
    assert set(access.values()) == {"Report and control)", "Report)"}
    assert walk.result["description_placeholders"]["left_out"] == ""

    await walk.submit(**walk.values)
    assert {binding.entity for binding in bound(entry).values()} == {"switch.kettle", "lock.door"}


async def test_entities_of_one_device_share_an_exposure(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Bindings keep the registry id, which survives renames; a Chinese house reads Chinese."""
    hass.config.language = "zh-Hans"
    owner = MockConfigEntry()
    owner.add_to_hass(hass)
    air = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("demo", "air")}, name="空气检测仪"
    )
    references = set()
    for kind, unit in (("temperature", "°C"), ("humidity", "%")):
        registered = er.async_get(hass).async_get_or_create(
            "sensor", "demo", kind, config_entry=owner, device_id=air.id, suggested_object_id=f"air_{kind}"
        )
        references.add(registered.id)
        hass.states.async_set(
            registered.entity_id, "40", {"device_class": kind, "unit_of_measurement": unit, "friendly_name": kind}
        )
    walk = await Walk.options(hass, offline, "add")
    await walk.submit(entities=["sensor.air_temperature", "sensor.air_humidity"])
    assert all(label.endswith("（上报）") for label in walk.choices("bindings").values())
    await walk.submit(**walk.values)

    (exposure,) = offline.subentries.values()
    assert exposure.title == "空气检测仪"
    assert {binding.entity for binding in bound(offline).values()} == references


async def test_a_thing_model_is_pasted(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """Its contents and what it would break are shown before it is saved and used, without another connection."""
    mode = {"identifier": "HVACMode", "entity": LAMP, "aspect": "power"}
    light = {"identifier": "LightSwitch", "entity": LAMP, "aspect": "power", "access": "both"}
    gone = {"identifier": "Brightness", "entity": "light.gone", "aspect": "brightness"}
    service = {"identifier": "Unheard", "actions": [{"action": "homeassistant.check_config"}]}
    entry = await set_up([light, mode, gone], services=[service])
    thing_model_document["properties"] = [
        one | {"accessMode": "r"} for one in thing_model_document["properties"] if one["identifier"] != "HVACMode"
    ]
    walk = await Walk.options(hass, entry, "thing_model_paste")
    await walk.submit(thing_model=json.dumps(thing_model_document))
    assert walk.step == "thing_model_confirm"
    assert walk.description() == (
        "Properties: 13, events: 3, services: 3.\n\nThese bindings do not fit, and will not work until they are changed or removed:\n"
        "- LightSwitch: The thing model does not let the cloud set LightSwitch. Choose Report.\n"
        "- HVACMode: the thing model has no such property.\n"
        "- Unheard: the thing model has no such service."
    )
    assert "HVACMode" in entry.runtime_data.model.properties

    await walk.submit()
    assert walk.created
    await hass.async_block_till_done()
    assert "HVACMode" not in entry.runtime_data.model.properties
    assert device.connections == 1


@pytest.mark.parametrize(
    ("text", "error", "placeholders"),
    [
        ("{", "not_a_thing_model", {}),
        ('{"no": "model"}', "not_a_thing_model", {}),
        ('{"properties": [{"identifier": "a b"}]}', "invalid_thing_model", {"path": "properties[0].identifier"}),
        (
            '{"profile": {"productKey": "a1Other"}, "properties": []}',
            "other_product",
            {"found": "a1Other", "wanted": PRODUCT_KEY},
        ),
    ],
)
async def test_a_text_that_is_not_the_thing_model(
    hass: HomeAssistant,
    offline: MockConfigEntry,
    thing_model_document: dict[str, Any],
    text: str,
    error: str,
    placeholders: dict[str, str],
) -> None:
    """The page says where the fault is and keeps the text; the right one is taken afterwards."""
    walk = await Walk.options(hass, offline, "thing_model_paste")
    await walk.submit(thing_model=text)
    assert walk.errors == {"base": error}
    assert walk.result["description_placeholders"].items() >= placeholders.items()
    assert walk.values == {"thing_model": text}

    del thing_model_document["profile"]
    await walk.submit(thing_model=json.dumps(thing_model_document))
    assert walk.description() == "Properties: 14, events: 3, services: 3.\n\n"
    await walk.submit()
    assert walk.created


async def test_the_thing_model_is_fetched_from_the_cloud(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Where the instance gives it, nobody has to export anything."""
    entry = await set_up(options={"thing_model": None})
    walk = await Walk.options(hass, entry, "thing_model_fetch")
    assert walk.step == "thing_model_confirm"
    await walk.submit()
    await hass.async_block_till_done()
    assert "LightSwitch" in entry.runtime_data.model.properties


async def test_why_the_thing_model_was_not_fetched(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    thing_model_document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each cause is said on the page where it can be pasted instead."""
    entry = await set_up(options={"thing_model": None})
    cloud.faults.answer_code = CodeFault(6321, 1)
    walk = await Walk.options(hass, entry, "thing_model_fetch")
    assert (walk.step, walk.errors) == ("thing_model_paste", {"base": "fetch_refused"})
    assert walk.result["description_placeholders"]["code"] == "6321"

    monkeypatch.setattr("custom_components.aliyun_iot.thing_model_pages.FETCH_TIMEOUT", 0.01)
    cloud.faults.dsltemplate_silent = True
    walk = await Walk.options(hass, entry, "thing_model_fetch")
    assert (walk.step, walk.errors) == ("thing_model_paste", {"base": "no_answer"})

    await entry.runtime_data.suspend()
    walk = await Walk.options(hass, entry, "thing_model_fetch")
    assert (walk.step, walk.errors) == ("thing_model_paste", {"base": "not_connected"})

    await hass.config_entries.async_unload(entry.entry_id)
    walk = await Walk.options(hass, entry, "thing_model_fetch")
    assert (walk.step, walk.errors) == ("thing_model_paste", {"base": "not_connected"})
    await walk.submit(thing_model=json.dumps(thing_model_document))
    await walk.submit()
    assert walk.created


async def test_pages_reach_a_browser(
    hass: HomeAssistant, offline: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The menu and the longest form survive the way that the frontend takes."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    url = "/api/config/config_entries/options/flow"
    menu = await (await client.post(url, json={"handler": offline.entry_id})).json()
    flow = f"{url}/{menu['flow_id']}"
    await client.post(flow, json={"next_step_id": "add_one"})
    page = await (await client.post(flow, json={"entity": LAMP})).json()
    assert [field["name"] for field in page["data_schema"]] == [
        "aspect", "identifier", "access", "conversion", "reporting"
    ]  # fmt: skip
    assert [field["name"] for field in page["data_schema"][3]["schema"]] == [
        "scale", "offset", "invert", "digits", "clamp", "options"
    ]  # fmt: skip
    answer = await (await client.post(flow, json=POWER)).json()
    assert answer["type"] == "create_entry"
    assert bound(offline).keys() == {"LightSwitch"}


async def test_settings_are_taken_over(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """The window costs no connection; the keep-alive does; the thing model stays."""
    entry = await set_up()
    model = entry.options["thing_model"]
    walk = await Walk.options(hass, entry, "settings")
    assert walk.values == {"keep_alive": 60, "window": 0.01}
    await walk.submit(keep_alive=60, window=1.5)
    await hass.async_block_till_done()
    assert entry.options == {"keep_alive": 60, "window": 1.5, "thing_model": model}
    assert device.connections == 1

    walk = await Walk.options(hass, entry, "settings")
    await walk.submit(keep_alive=300, window=1.5)
    await hass.async_block_till_done()
    assert isinstance(entry.options["keep_alive"], int)
    assert entry.runtime_data.link.config.keep_alive == 300
    assert device.connections == 2
