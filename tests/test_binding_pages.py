"""The pages that add, change and remove single bindings."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.exposures import add_bindings, exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion

from .conftest import stored_options
from .house import LAMP, LAMP_ATTRIBUTES, NO_SECTIONS, POWER, bind_lamp, bound, entry_with, furnish
from .walk import Walk, exposure_of

AS_WORDS = {"conversion": {"options": ["on=working", "off=idle"]}, "reporting": {}}


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up; most pages need no connection."""
    return entry_with(hass, {"thing_model": thing_model_document})


async def test_single_entity_is_bound(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The form suggests the best match, describes the values of each property, and lists fitting properties first."""
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity=LAMP)
    assert walk.step == "binding"
    assert walk.values["aspect"] == "power"
    assert walk.values["identifier"] == "LightSwitch"
    assert walk.values["access"] == "both"
    assert "invented" not in walk.description()
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
    assert walk.saved
    assert bound(offline)["Brightness"] == Binding(
        "Brightness", LAMP, "brightness", Access.REPORT, Conversion(scale=0.5, digits=1, clamp=True), 5, 2
    )


async def test_no_property_is_suggested_without_a_match(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The identifier is optional then, because the frontend would fill a required field with the first property."""
    walk = await Walk.bind(hass, offline)
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

    walk = await Walk.edit(hass, offline, "LightSwitch")
    assert "identifier" in walk.required


async def test_binding_on_off_to_text_needs_confirmation(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The form warns once; listing words for on and off avoids the warning."""
    walk = await bind_lamp(hass, offline, identifier="GatewayName")
    assert walk.errors == {"identifier": "sent_as_text", "base": "submit_again"}
    assert walk.result["description_placeholders"].items() >= {"aspect": "Power switch", "words": "off, on"}.items()
    await walk.submit(**POWER | {"identifier": "GatewayName", "conversion": {"options": ["on=lit", "off=dark"]}})
    assert bound(offline).keys() == {"GatewayName"}


async def test_identifier_can_be_typed_without_a_thing_model(hass: HomeAssistant) -> None:
    """It must be valid and not bound yet."""
    entry = entry_with(hass, {})
    assert (await bind_lamp(hass, entry, identifier=" Lamp_1 ")).saved
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity="switch.kettle")
    assert walk.choices("identifier")
    assert "There is no thing model, so the identifier is invented." in walk.description()
    power = {"aspect": "power", "access": "both", **NO_SECTIONS}
    await walk.submit(identifier="kettle 1", **power)
    assert walk.errors == {"identifier": "invalid_identifier"}
    assert walk.values["identifier"] == "kettle 1"
    await walk.submit(identifier="Lamp_1", **power)
    assert walk.errors == {"identifier": "identifier_taken"}
    await walk.submit(identifier="Kettle_1", **power)
    assert bound(entry).keys() == {"Lamp_1", "Kettle_1"}


@pytest.mark.parametrize("entity", ["light.gone", "0" * 32])
async def test_missing_entity_is_refused(hass: HomeAssistant, offline: MockConfigEntry, entity: str) -> None:
    """Another entity can be chosen on the same page."""
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity=entity)
    assert walk.errors == {"entity": "entity_not_found"}
    await walk.submit(entity=LAMP)
    assert walk.step == "binding"


async def test_entity_removed_while_its_form_is_open(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The binding is refused, and accepted once the entity is back."""
    walk = await Walk.bind(hass, offline)
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
async def test_state_is_shown_as_on_dashboards(
    hass: HomeAssistant, offline: MockConfigEntry, entity: str, state: str, shown: str
) -> None:
    """It is translated or has its unit."""
    hass.config.language = "zh-Hans"
    assert await async_setup_component(hass, entity.partition(".")[0], {})
    hass.states.async_set(entity, state, hass.states.get(entity).attributes)
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity=entity)
    assert walk.result["description_placeholders"]["state"] == shown


async def test_no_property_is_left_to_bind(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> None:
    """The page shows the reason instead of a form that can't be completed."""
    thing_model_document["properties"] = thing_model_document["properties"][:1]
    entry = entry_with(hass, {"thing_model": thing_model_document})
    await bind_lamp(hass, entry)
    walk = await Walk.bind(hass, entry)
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
async def test_invalid_binding_is_refused(
    hass: HomeAssistant, offline: MockConfigEntry, changes: dict[str, Any], errors: dict[str, str]
) -> None:
    """Each error is shown at its field or section, the input stays, and correcting the error is enough."""
    walk = await bind_lamp(hass, offline, **changes)
    assert walk.errors == errors
    assert walk.values.items() >= {key: value for key, value in changes.items() if key == "identifier"}.items()
    assert walk.open_sections == changes.keys() & {"conversion", "reporting"}
    assert not bound(offline)
    await walk.submit(aspect="power", identifier="LightSwitch", access="both", **NO_SECTIONS)
    assert bound(offline).keys() == {"LightSwitch"}


async def test_warning_about_lost_values_is_shown_once(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The property has no value for one of the modes; submitting again saves the binding."""
    hass.states.async_set("climate.ac", "cool", {"friendly_name": "AC", "hvac_modes": ["off", "cool", "heat", "dry"]})
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="climate.ac")
    mode = {"aspect": "mode", "identifier": "HVACMode", "access": "both", **NO_SECTIONS}
    await walk.submit(**mode)
    assert walk.errors == {"conversion": "options_unmatched", "base": "submit_again"}
    assert walk.open_sections == {"conversion"}
    assert walk.result["description_placeholders"]["options"] == "dry"

    await walk.submit(**mode | {"conversion": {"options": ["off=0", "cool=2", "heat=1", "dry=auto"]}})
    assert walk.saved
    assert bound(offline)["HVACMode"].conversion.options == {"off": 0, "cool": 2, "heat": 1, "dry": "auto"}

    await Walk.remove(hass, offline, "HVACMode")
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="climate.ac")
    await walk.submit(**mode)
    await walk.submit(**mode)
    assert walk.saved


@pytest.mark.parametrize("solution", [{"scale": 2}, {"offset": 1}, {"same_unit": True}])
async def test_units_that_cannot_be_converted_are_refused(
    hass: HomeAssistant, offline: MockConfigEntry, solution: dict[str, Any]
) -> None:
    """The error names both units and stays until there is a formula, or the user says that the units are the same."""
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="sensor.cellar")
    energy = {"aspect": "value", "identifier": "EnergyTotal", "access": "report", **NO_SECTIONS}
    await walk.submit(**energy)
    for _ in range(2):
        assert walk.errors == {"conversion": "units_clash"}
        assert walk.result["description_placeholders"].items() >= {"unit": "°C", "other": "kWh"}.items()
        await walk.submit(**energy)
    await walk.submit(**energy | {"conversion": solution})
    assert walk.saved
    assert bound(offline)["EnergyTotal"].as_dict()["conversion"] == solution


async def test_warning_is_repeated_for_another_property(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Accepting the warning about one property does not accept it for another."""
    hass.states.async_set("sensor.cellar", "12.5")
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="sensor.cellar")
    percent = {"aspect": "value", "access": "report", **NO_SECTIONS}
    await walk.submit(**percent, identifier="Brightness")
    doubts = walk.errors
    assert doubts["base"] == "submit_again"
    await walk.submit(**percent, identifier="CurrentHumidity")
    assert walk.errors == doubts
    await walk.submit(**percent, identifier="CurrentHumidity")
    assert bound(offline).keys() == {"CurrentHumidity"}


async def test_control_of_a_risky_entity_needs_confirmation(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """By default a lock is only reported."""
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="lock.door")
    assert walk.values["access"] == "report"
    assert walk.values["confirmed"] is False
    meaning = {"conversion": {"options": ["locked=1", "unlocked=0"]}, "reporting": {}}
    lock = {"aspect": walk.values["aspect"], "identifier": "LightSwitch", "access": "both", **meaning}
    await walk.submit(**lock)
    assert walk.errors == {"confirmed": "risky_not_confirmed"}
    await walk.submit(**lock, confirmed=True)
    assert bound(offline)["LightSwitch"].confirmed


async def test_binding_is_changed_in_place(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The form shows all stored values, and only this binding changes."""
    await bind_lamp(hass, offline)
    await bind_lamp(hass, offline, aspect="brightness", identifier="Brightness")
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="switch.kettle")
    await walk.submit(aspect="power", identifier="GatewayName", access="report", **AS_WORDS)

    walk = await Walk.reconfigure_subentry(hass, offline, exposure_of(offline, "Brightness"))
    assert walk.result["description_placeholders"]["bindings"].splitlines() == [
        "- Lamp · Power switch → Light switch [LightSwitch] (Report and control)",
        "- Lamp · Brightness → Brightness (Report and control)",
    ]
    await walk.choose("edit")
    assert list(walk.choices("binding")) == ["LightSwitch", "Brightness"]
    walk = await Walk.reconfigure_subentry(hass, offline, exposure_of(offline, "GatewayName"), "edit")
    assert walk.step == "binding", "a choice of one is no choice"
    await walk.submit(
        aspect="power",
        identifier="GatewayName",
        access="report",
        conversion={"invert": True, "options": ["on=working", "off=07"]},
        reporting={"min_interval": 60},
    )
    assert walk.saved
    assert walk.description().startswith("GatewayName is saved.")
    assert bound(offline)["GatewayName"].conversion.options == {"on": "working", "off": "07"}

    walk = await Walk.edit(hass, offline, "GatewayName")
    assert walk.values == {
        "aspect": "power",
        "identifier": "GatewayName",
        "access": "report",
        "conversion": {
            "scale": 1, "offset": 0, "same_unit": False, "invert": True, "clamp": False, "options": ["on=working", "off=07"]
        },
        "reporting": {"min_interval": 60, "dead_band": 0, "every_sample": False},
        "own_actions": {},
    }  # fmt: skip
    assert walk.open_sections == {"conversion", "reporting"}
    await walk.submit(aspect="power", identifier="FirmwareVersion", access="report", **AS_WORDS)
    assert list(bound(offline)) == ["LightSwitch", "Brightness", "FirmwareVersion"]


async def test_long_list_of_bindings(hass: HomeAssistant) -> None:
    """Up to ten bindings are shown as a list, more in a dropdown, which takes nothing that is not in it."""
    rows = [Binding(f"Dial{number}", "", "template", source="{{ 1 }}") for number in range(11)]
    for page, field in (("edit", "binding"), ("remove", "bindings")):
        for count, mode in ((10, "list"), (11, "dropdown")):
            entry = entry_with(hass, {})
            add_bindings(hass, entry, rows[:count])
            walk = await Walk.reconfigure_subentry(hass, entry, exposure_of(entry, "Dial1"), page)
            config = walk.result["data_schema"].schema[field].config
            assert (config["mode"], config["custom_value"]) == (mode, False)
            assert len(walk.choices(field)) == count


async def test_binding_without_entity_or_removed_meanwhile(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Its entity is missing, or the binding was removed while the page was open."""
    await bind_lamp(hass, offline)
    hass.states.async_remove(LAMP)
    walk = await Walk.edit(hass, offline, "LightSwitch")
    assert walk.errors == {"binding": "entity_not_found"}
    assert walk.choices("binding") == {
        "LightSwitch": f"{LAMP} · Power switch → Light switch [LightSwitch] (Report and control)"
    }

    await Walk.remove(hass, offline, "LightSwitch")
    await walk.submit(binding="LightSwitch")
    assert walk.errors == {"binding": "binding_gone"}


async def test_changing_a_removed_binding_adds_it_again(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The input that was confirmed last counts."""
    await bind_lamp(hass, offline)
    walk = await Walk.edit(hass, offline, "LightSwitch")
    await Walk.remove(hass, offline, "LightSwitch")
    await walk.submit(aspect="power", identifier="LightSwitch", access="report", **NO_SECTIONS)
    assert bound(offline) == {"LightSwitch": Binding("LightSwitch", LAMP, "power")}


async def test_last_of_two_concurrent_changes_counts(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Two browsers have the same form open, and the property is not bound twice."""
    await bind_lamp(hass, offline)
    walk = await Walk.edit(hass, offline, "LightSwitch")
    other = await Walk.edit(hass, offline, "LightSwitch")
    await other.submit(aspect="power", identifier="LightSwitch", access="control", **NO_SECTIONS)
    await walk.submit(aspect="power", identifier="LightSwitch", access="report", **NO_SECTIONS)
    assert exposed_bindings(offline) == [Binding("LightSwitch", LAMP, "power")]


async def test_binding_of_a_removed_entity_is_named_by_its_reference(
    hass: HomeAssistant, offline: MockConfigEntry
) -> None:
    """Its registry entry is gone, so only the stored reference is known."""
    registered = er.async_get(hass).async_get_or_create("light", "demo", "lamp", suggested_object_id="desk")
    hass.states.async_set("light.desk", "on", LAMP_ATTRIBUTES)
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="light.desk")
    await walk.submit(aspect="power", identifier="LightSwitch", access="report", **NO_SECTIONS)
    er.async_get(hass).async_remove("light.desk")
    await hass.async_block_till_done()
    walk = await Walk.edit(hass, offline, "LightSwitch")
    assert walk.choices("binding") == {"LightSwitch": f"{registered.id} · power → Light switch [LightSwitch] (Report)"}


async def test_bindings_are_removed(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """An exposure is removed with its last binding, and others are not changed."""
    await bind_lamp(hass, offline)
    await bind_lamp(hass, offline, aspect="brightness", identifier="Brightness")
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="switch.kettle")
    await walk.submit(aspect="power", identifier="GatewayName", access="report", **AS_WORDS)
    assert [subentry.title for subentry in offline.subentries.values()] == [
        "Lamp · LightSwitch · Brightness",
        "Kettle · GatewayName",
    ]

    walk = await Walk.reconfigure_subentry(hass, offline, exposure_of(offline, "LightSwitch"), "remove")
    await walk.submit(bindings=[])
    assert walk.errors == {"bindings": "nothing_selected"}
    await walk.submit(bindings=["Brightness"])
    assert walk.saved
    assert walk.description().startswith("Removed: 1.")
    assert [subentry.title for subentry in offline.subentries.values()] == [
        "Lamp · LightSwitch",
        "Kettle · GatewayName",
    ]
    await walk.choose("remove")
    await walk.submit(bindings=["LightSwitch"])
    assert walk.aborted == "removed"
    assert [subentry.title for subentry in offline.subentries.values()] == ["Kettle · GatewayName"]
    assert bound(offline).keys() == {"GatewayName"}


async def test_property_that_is_gone(
    hass: HomeAssistant, offline: MockConfigEntry, thing_model_document: dict[str, Any]
) -> None:
    """The form says so before anything is entered, refuses the old property in words, and takes another one."""
    await bind_lamp(hass, offline)
    kept = [row for row in thing_model_document["properties"] if row["identifier"] != "LightSwitch"]
    hass.config_entries.async_update_entry(
        offline, options=stored_options({"thing_model": {**thing_model_document, "properties": kept}})
    )
    walk = await Walk.edit(hass, offline, "LightSwitch")
    assert walk.errors == {"identifier": "property_gone"}
    assert walk.values["identifier"] == "LightSwitch"
    await walk.submit(**POWER)
    assert walk.errors == {"identifier": "property_gone"}
    await walk.submit(**{**POWER, "aspect": "brightness", "identifier": "Brightness"})
    assert walk.saved
    assert list(bound(offline)) == ["Brightness"]
