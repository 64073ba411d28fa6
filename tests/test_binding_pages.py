"""Bindings made, changed and removed by hand, one at a time."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.exposures import add_bindings, exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion

from .house import LAMP, LAMP_ATTRIBUTES, NO_SECTIONS, POWER, bind_lamp, bound, entry_with, furnish
from .walk import Walk

AS_WORDS = {"conversion": {"options": ["on=working", "off=idle"]}, "reporting": {}}


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up: most pages need no connection."""
    return entry_with(hass, {"thing_model": thing_model_document})


async def test_one_entity_is_bound_by_hand(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The best guess is filled in, the properties are named with what they take, those that fit come first."""
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity=LAMP)
    assert walk.step == "binding"
    assert walk.values["aspect"] == "power"
    assert walk.values["identifier"] == "LightSwitch"
    assert walk.values["access"] == "both"
    assert walk.open_sections == set()
    properties = walk.choices("identifier")
    assert properties["Brightness"] == "Brightness: integer 0 to 100 %, step 1"
    assert list(properties).index("ZoneLevels") > list(properties).index("EnergyTotal")
    assert "confirmed" not in walk.values

    await walk.submit(
        aspect="brightness",
        identifier="Brightness",
        access="report",
        conversion={"scale": 0.5, "digits": 1.0, "clamp": True, "options": [""]},
        reporting={"min_interval": 5, "dead_band": 2},
    )
    assert walk.created
    assert bound(offline)["Brightness"] == Binding(
        "Brightness", LAMP, "brightness", Access.REPORT, Conversion(scale=0.5, digits=1, clamp=True), 5, 2
    )


async def test_without_evidence_the_first_aspect_is_proposed(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """No property is guessed for a kettle, neither here nor by the browser, which fills what is required."""
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="switch.kettle")
    assert walk.values["aspect"] == "power"
    assert walk.values["access"] == "both"
    assert "identifier" not in walk.values
    assert "identifier" not in walk.required
    await walk.submit(aspect="power", access="both", **NO_SECTIONS)
    assert walk.errors == {"identifier": "identifier_missing"}
    assert not bound(offline)
    await walk.submit(**POWER)
    assert bound(offline).keys() == {"LightSwitch"}

    walk = await Walk.options(hass, offline, "edit")
    await walk.submit(binding="LightSwitch")
    assert "identifier" in walk.required


async def test_a_switch_is_no_name(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """A property for text can hold words for on and off, but that is hardly meant; who lists the words means it."""
    walk = await bind_lamp(hass, offline, identifier="GatewayName")
    assert walk.errors == {"identifier": "sent_as_text", "base": "submit_again"}
    assert walk.result["description_placeholders"].items() >= {"aspect": "Power switch", "words": "off, on"}.items()
    await walk.submit(**POWER | {"identifier": "GatewayName", "conversion": {"options": ["on=lit", "off=dark"]}})
    assert bound(offline).keys() == {"GatewayName"}


async def test_an_identifier_can_be_typed_when_there_is_no_thing_model(hass: HomeAssistant) -> None:
    """It has to be one that the platform takes, and free."""
    entry = entry_with(hass, {})
    assert (await bind_lamp(hass, entry, identifier=" Lamp_1 ")).created
    walk = await Walk.options(hass, entry, "add_one")
    await walk.submit(entity="switch.kettle")
    assert walk.choices("identifier")
    power = {"aspect": "power", "access": "both", **NO_SECTIONS}
    await walk.submit(identifier="kettle 1", **power)
    assert walk.errors == {"identifier": "invalid_identifier"}
    assert walk.values["identifier"] == "kettle 1"
    await walk.submit(identifier="Lamp_1", **power)
    assert walk.errors == {"identifier": "identifier_taken"}
    await walk.submit(identifier="Kettle_1", **power)
    assert bound(entry).keys() == {"Lamp_1", "Kettle_1"}


@pytest.mark.parametrize("entity", ["light.gone", "0" * 32])
async def test_an_entity_that_cannot_be_bound(hass: HomeAssistant, offline: MockConfigEntry, entity: str) -> None:
    """The page stays, and another entity can be chosen."""
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity=entity)
    assert walk.errors == {"entity": "entity_not_found"}
    await walk.submit(entity=LAMP)
    assert walk.step == "binding"


async def test_an_entity_that_goes_while_its_form_is_open(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """A binding that could do nothing is not stored; when the entity is back, the same form goes on."""
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity=LAMP)
    hass.states.async_remove(LAMP)
    power = {"aspect": "power", "identifier": "LightSwitch", "access": "report", **NO_SECTIONS}
    await walk.submit(**power)
    assert walk.errors == {"base": "entity_not_found"}
    assert not bound(offline)

    hass.states.async_set(LAMP, "on", LAMP_ATTRIBUTES)
    await walk.submit(**power)
    assert bound(offline).keys() == {"LightSwitch"}


@pytest.mark.parametrize(
    ("entity", "state", "shown"),
    [
        (LAMP, "on", "开启"),
        (LAMP, "unavailable", "不可用"),
        ("sensor.cellar", "21.5", "21.5 °C"),
        ("sensor.cellar", "unknown", "未知"),
    ],
)
async def test_a_state_is_shown_as_dashboards_show_it(
    hass: HomeAssistant, offline: MockConfigEntry, entity: str, state: str, shown: str
) -> None:
    """In the words of the installation, or with its unit."""
    hass.config.language = "zh-Hans"
    assert await async_setup_component(hass, entity.partition(".")[0], {})
    hass.states.async_set(entity, state, hass.states.get(entity).attributes)
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity=entity)
    assert walk.result["description_placeholders"]["state"] == shown


async def test_every_property_is_bound(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> None:
    """Instead of a form that can't be completed there is a reason."""
    thing_model_document["properties"] = thing_model_document["properties"][:1]
    entry = entry_with(hass, {"thing_model": thing_model_document})
    await bind_lamp(hass, entry)
    walk = await Walk.options(hass, entry, "add_one")
    await walk.submit(entity="switch.kettle")
    assert walk.errors == {"entity": "no_free_property"}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"identifier": "CurrentTemperature"}, {"identifier": "type_mismatch", "access": "read_only_property"}),
        ({"conversion": {"scale": 0}}, {"conversion": "invalid_number"}),
        ({"conversion": {"options": ["on"]}}, {"conversion": "invalid_option"}),
        ({"conversion": {"options": ["=1"]}}, {"conversion": "invalid_option"}),
        ({"conversion": {"options": ["on=1", "on=0"]}}, {"conversion": "invalid_option"}),
        ({"reporting": {"dead_band": "nan"}}, {"reporting": "invalid_number"}),
    ],
)
async def test_a_binding_that_cannot_work_is_not_saved(
    hass: HomeAssistant, offline: MockConfigEntry, changes: dict[str, Any], errors: dict[str, str]
) -> None:
    """Each mistake is shown where it was made, nothing that was typed is lost, and correcting it is enough."""
    walk = await bind_lamp(hass, offline, **changes)
    assert walk.errors == errors
    assert walk.values.items() >= {key: value for key, value in changes.items() if key == "identifier"}.items()
    assert walk.open_sections == changes.keys() & {"conversion", "reporting"}
    assert not bound(offline)
    await walk.submit(aspect="power", identifier="LightSwitch", access="both", **NO_SECTIONS)
    assert bound(offline).keys() == {"LightSwitch"}


async def test_what_would_be_lost_is_shown_once(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """An air conditioner can do what the property has no word for; who insists gets it."""
    hass.states.async_set("climate.ac", "cool", {"friendly_name": "AC", "hvac_modes": ["off", "cool", "heat", "dry"]})
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="climate.ac")
    mode = {"aspect": "mode", "identifier": "HVACMode", "access": "both", **NO_SECTIONS}
    await walk.submit(**mode)
    assert walk.errors == {"conversion": "options_unmatched", "base": "submit_again"}
    assert walk.open_sections == {"conversion"}
    assert walk.result["description_placeholders"]["options"] == "dry"

    await walk.submit(**mode | {"conversion": {"options": ["off=0", "cool=2", "heat=1", "dry=auto"]}})
    assert walk.created
    assert bound(offline)["HVACMode"].conversion.options == {"off": 0, "cool": 2, "heat": 1, "dry": "auto"}

    await (await Walk.options(hass, offline, "remove")).submit(bindings=["HVACMode"])
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="climate.ac")
    await walk.submit(**mode)
    await walk.submit(**mode)
    assert walk.created


async def test_a_thermometer_is_no_electricity_meter(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The second look shows both units; a formula says that it is meant."""
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="sensor.cellar")
    energy = {"aspect": "value", "identifier": "EnergyTotal", "access": "report", **NO_SECTIONS}
    await walk.submit(**energy)
    assert walk.errors == {"conversion": "unit_mismatch", "base": "submit_again"}
    assert walk.result["description_placeholders"].items() >= {"unit": "°C", "wanted": "kWh"}.items()
    await walk.submit(**energy | {"conversion": {"scale": 2}})
    assert walk.created


async def test_a_second_look_is_at_what_was_looked_at(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Whoever chooses another property instead of insisting has not seen what is wrong with that one."""
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="sensor.cellar")
    percent = {"aspect": "value", "access": "report", **NO_SECTIONS}
    await walk.submit(**percent, identifier="Brightness")
    doubts = walk.errors
    assert doubts["base"] == "submit_again"
    await walk.submit(**percent, identifier="CurrentHumidity")
    assert walk.errors == doubts
    await walk.submit(**percent, identifier="CurrentHumidity")
    assert bound(offline).keys() == {"CurrentHumidity"}


async def test_a_risky_entity_needs_a_word_of_the_user(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The cloud does not open the door because somebody overlooked a list."""
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="lock.door")
    assert walk.values["access"] == "report"
    assert walk.values["confirmed"] is False
    meaning = {"conversion": {"options": ["locked=1", "unlocked=0"]}, "reporting": {}}
    lock = {"aspect": walk.values["aspect"], "identifier": "LightSwitch", "access": "both", **meaning}
    await walk.submit(**lock)
    assert walk.errors == {"confirmed": "risky_not_confirmed"}
    await walk.submit(**lock, confirmed=True)
    assert bound(offline)["LightSwitch"].confirmed


async def test_a_binding_is_changed_in_its_place(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The form opens with everything it has, and only that row changes."""
    await bind_lamp(hass, offline)
    await bind_lamp(hass, offline, aspect="brightness", identifier="Brightness")
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="switch.kettle")
    await walk.submit(aspect="power", identifier="GatewayName", access="report", **AS_WORDS)

    walk = await Walk.options(hass, offline, "edit")
    assert list(walk.choices("binding")) == ["LightSwitch", "Brightness", "GatewayName"]
    await walk.submit(binding="GatewayName")
    await walk.submit(
        aspect="power",
        identifier="GatewayName",
        access="report",
        conversion={"invert": True, "options": ["on=working", "off=07"]},
        reporting={"min_interval": 60},
    )
    assert walk.created
    assert bound(offline)["GatewayName"].conversion.options == {"on": "working", "off": "07"}

    walk = await Walk.options(hass, offline, "edit")
    await walk.submit(binding="GatewayName")
    assert walk.values == {
        "aspect": "power",
        "identifier": "GatewayName",
        "access": "report",
        "conversion": {
            "scale": 1, "offset": 0, "invert": True, "clamp": False, "options": ["on=working", "off=07"]
        },
        "reporting": {"min_interval": 60, "dead_band": 0, "every_sample": False},
        "own_actions": {},
    }  # fmt: skip
    assert walk.open_sections == {"conversion", "reporting"}
    await walk.submit(aspect="power", identifier="FirmwareVersion", access="report", **AS_WORDS)
    assert list(bound(offline)) == ["LightSwitch", "Brightness", "FirmwareVersion"]


async def test_very_many_bindings_are_searched(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Few are a list to look through; of many one is found by its name."""
    rows = [Binding(f"Dial{number}", f"number.dial_{number}", "value") for number in range(11)]
    for page, field, searched in (
        ("edit", "binding", {"multiple": False, "custom_value": True, "mode": "dropdown"}),
        ("remove", "bindings", {"multiple": True, "custom_value": False, "mode": "dropdown"}),
    ):
        for count, expected in ((10, {**searched, "custom_value": False, "mode": "list"}), (11, searched)):
            entry = entry_with(hass, {})
            add_bindings(hass, entry, rows[:count])
            walk = await Walk.options(hass, entry, page)
            assert walk.result["data_schema"].schema[field].config.items() >= expected.items()
            assert len(walk.choices(field)) == count


async def test_a_binding_that_cannot_be_changed_any_more(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Its entity is gone, or somebody removed the binding while it was being looked at."""
    await bind_lamp(hass, offline)
    walk = await Walk.options(hass, offline, "edit")
    hass.states.async_remove(LAMP)
    await walk.submit(binding="LightSwitch")
    assert walk.errors == {"binding": "entity_not_found"}
    assert walk.choices("binding") == {
        "LightSwitch": f"{LAMP} · Power switch → Light switch [LightSwitch] (Report and control)"
    }

    await (await Walk.options(hass, offline, "remove")).submit(bindings=["LightSwitch"])
    await walk.submit(binding="LightSwitch")
    assert walk.errors == {"binding": "binding_gone"}


async def test_a_change_of_a_binding_that_was_removed_meanwhile_adds_it(
    hass: HomeAssistant, offline: MockConfigEntry
) -> None:
    """What the user has just confirmed is what counts."""
    await bind_lamp(hass, offline)
    walk = await Walk.options(hass, offline, "edit")
    await walk.submit(binding="LightSwitch")
    await (await Walk.options(hass, offline, "remove")).submit(bindings=["LightSwitch"])
    await walk.submit(aspect="power", identifier="LightSwitch", access="report", **NO_SECTIONS)
    assert bound(offline) == {"LightSwitch": Binding("LightSwitch", LAMP, "power")}


async def test_a_change_of_a_binding_that_was_changed_meanwhile_takes_its_place(
    hass: HomeAssistant, offline: MockConfigEntry
) -> None:
    """Two browsers have the same form open: the last word counts, and no property is bound twice."""
    await bind_lamp(hass, offline)
    walk = await Walk.options(hass, offline, "edit")
    await walk.submit(binding="LightSwitch")
    other = await Walk.options(hass, offline, "edit")
    await other.submit(binding="LightSwitch")
    await other.submit(aspect="power", identifier="LightSwitch", access="control", **NO_SECTIONS)
    await walk.submit(aspect="power", identifier="LightSwitch", access="report", **NO_SECTIONS)
    assert exposed_bindings(offline) == [Binding("LightSwitch", LAMP, "power")]


async def test_a_binding_of_a_removed_entity_has_a_name_too(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Its registry entry is gone, so there is nothing better than what is stored."""
    registered = er.async_get(hass).async_get_or_create("light", "demo", "lamp", suggested_object_id="desk")
    hass.states.async_set("light.desk", "on", LAMP_ATTRIBUTES)
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="light.desk")
    await walk.submit(aspect="power", identifier="LightSwitch", access="report", **NO_SECTIONS)
    er.async_get(hass).async_remove("light.desk")
    await hass.async_block_till_done()
    walk = await Walk.options(hass, offline, "edit")
    assert walk.choices("binding") == {"LightSwitch": f"{registered.id} · power → Light switch [LightSwitch] (Report)"}


async def test_bindings_are_removed(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """An exposure goes with its last binding, others are not touched."""
    await bind_lamp(hass, offline)
    await bind_lamp(hass, offline, aspect="brightness", identifier="Brightness")
    walk = await Walk.options(hass, offline, "add_one")
    await walk.submit(entity="switch.kettle")
    await walk.submit(aspect="power", identifier="GatewayName", access="report", **AS_WORDS)
    assert [subentry.title for subentry in offline.subentries.values()] == ["Lamp", "Kettle"]

    walk = await Walk.options(hass, offline, "remove")
    await walk.submit(bindings=[])
    assert walk.errors == {"bindings": "nothing_selected"}
    await walk.submit(bindings=["LightSwitch", "Brightness"])
    assert walk.created
    assert [subentry.title for subentry in offline.subentries.values()] == ["Kettle"]
    assert bound(offline).keys() == {"GatewayName"}
