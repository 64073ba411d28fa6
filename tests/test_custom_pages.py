"""Bindings beyond the aspects of an entity: any state or attribute, templates, own actions."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.mapping.binding import Access, Binding

from .house import LAMP, NO_SECTIONS, bind_lamp, bound, entry_with, furnish
from .walk import Walk, exposure_of


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up; most pages need no connection."""
    return entry_with(hass, {"thing_model": thing_model_document})


async def test_state_and_attributes_of_any_entity_can_be_bound(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """An entity in a domain without aspects offers its state, and an attribute is chosen on another page."""
    hass.states.async_set("tts.home", "2", {"friendly_name": "Home", "radius": 100})
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="tts.home")
    assert walk.values["aspect"] == "raw_state"
    assert walk.choices("aspect") == {"raw_state": "Whole state", "attribute": "An attribute"}

    await walk.submit(aspect="attribute", identifier="GatewayName", access="report", **NO_SECTIONS)
    assert walk.step == "attribute"
    await walk.submit(attribute="radius")
    assert walk.saved
    assert bound(offline)["GatewayName"] == Binding("GatewayName", "tts.home", "attribute", source="radius")

    walk = await Walk.reconfigure_subentry(hass, offline, exposure_of(offline, "GatewayName"))
    assert "- Home · Attribute radius → Gateway name [GatewayName] (Report)" in walk.description()
    await walk.choose("edit")
    await walk.submit(aspect="attribute", identifier="GatewayName", access="report", **NO_SECTIONS)
    assert walk.values == {"attribute": "radius"}
    await walk.submit(attribute="persons")
    assert bound(offline)["GatewayName"].source == "persons"


async def test_warning_about_a_value_that_cannot_be_posted(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The page of the attribute leads back to the form with the warning, because a list is not a number."""
    hass.states.async_set("tts.home", "2", {"friendly_name": "Home", "persons": ["person.a"]})
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="tts.home")
    persons = {"aspect": "attribute", "identifier": "CurrentTemperature", "access": "report", **NO_SECTIONS}
    await walk.submit(**persons)
    await walk.submit(attribute="persons")
    assert walk.step == "binding"
    assert walk.errors == {"identifier": "not_postable", "base": "submit_again"}
    assert "['person.a']" in walk.result["description_placeholders"]["reason"]
    await walk.submit(**persons)
    assert walk.values == {"attribute": "persons"}
    await walk.submit(attribute="persons")
    assert walk.saved


async def test_warning_about_a_value_is_translated(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The reason is in the language of the installation."""
    hass.config.language = "zh-Hans"
    hass.states.async_set("tts.home", "17", {"levels": list(range(17))})
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="tts.home")
    await walk.submit(aspect="attribute", identifier="ZoneLevels", access="report", **NO_SECTIONS)
    await walk.submit(attribute="levels")
    reason = walk.result["description_placeholders"]["reason"]
    assert reason.startswith("ZoneLevels：应为数组，最多 16 个元素：整数，实际为 [0, 1, ")


async def test_warning_about_lost_decimals(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """It shows the present value of the sensor and the value that would be posted."""
    hass.states.async_set("sensor.air", "45.7", {"device_class": "humidity", "unit_of_measurement": "%"})
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="sensor.air")
    humidity = {"aspect": "value", "identifier": "CurrentHumidity", "access": "report", **NO_SECTIONS}
    await walk.submit(**humidity)
    assert walk.errors == {"identifier": "value_rounded", "base": "submit_again"}
    assert walk.result["description_placeholders"].items() >= {"value": "45.7 %", "posted": "46"}.items()
    await walk.submit(**humidity)
    assert walk.saved


async def test_entity_is_controlled_by_own_actions(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Own actions need no confirmation of risks, but they must be valid."""
    lock = {"aspect": "locked", "identifier": "LightSwitch", "access": "both", "reporting": {}}
    lock["conversion"] = {"options": ["locked=1", "unlocked=0"]}
    walk = await Walk.bind(hass, offline)
    await walk.submit(entity="lock.door")
    await walk.submit(**lock, own_actions={"actions": [{"action": "nothing"}]})
    assert walk.errors == {"own_actions": "invalid_actions"}
    actions = [{"action": "light.toggle", "target": {"entity_id": LAMP}}]
    await walk.submit(**lock, own_actions={"actions": actions})
    assert walk.saved
    assert bound(offline)["LightSwitch"].actions == actions

    walk = await Walk.edit(hass, offline, "LightSwitch")
    assert walk.values["own_actions"] == {"actions": actions}
    assert walk.open_sections == {"conversion", "own_actions"}


async def test_template_and_actions_need_no_entity(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Such bindings share one subentry, where they can be changed as well."""
    walk = await Walk.custom(hass, offline)
    assert walk.values["access"] == "report"
    wish: dict[str, Any] = {"identifier": "LightSwitch", "access": "both", **NO_SECTIONS}
    await walk.submit(**wish)
    assert walk.errors == {"template": "template_missing", "actions": "actions_missing"}
    wish |= {"template": "{{ is_state('light.lamp', 'on') }}", "actions": [{"action": "nothing"}]}
    await walk.submit(**wish)
    assert walk.errors == {"actions": "invalid_actions"}
    wish["actions"] = [{"action": "light.toggle", "target": {"entity_id": LAMP}}]
    await walk.submit(**wish)
    assert walk.saved
    [subentry] = offline.subentries.values()
    assert subentry.unique_id == "custom"
    assert bound(offline)["LightSwitch"] == Binding(
        "LightSwitch", "", "template", Access.BOTH, source=wish["template"], actions=wish["actions"]
    )

    walk = await Walk.custom(hass, offline)
    await walk.submit(identifier="GatewayName", access="control", actions=wish["actions"], **NO_SECTIONS)
    assert bound(offline)["GatewayName"].aspect == "actions"

    walk = await Walk.reconfigure_subentry(hass, offline, subentry.subentry_id, "edit")
    assert walk.choices("binding") == {
        "LightSwitch": "Template → Light switch [LightSwitch] (Report and control)",
        "GatewayName": "Own actions → Gateway name [GatewayName] (Control)",
    }
    await walk.submit(binding="LightSwitch")
    assert walk.values["template"] == wish["template"]
    await walk.submit(**wish | {"access": "report", "template": "{{ 1 }}", "conversion": {"invert": True}})
    assert walk.saved
    assert bound(offline)["LightSwitch"].source == "{{ 1 }}"

    await walk.choose("custom")
    await walk.submit(identifier="FirmwareVersion", access="report", template="{{ 2 }}", **NO_SECTIONS)
    assert bound(offline).keys() == {"LightSwitch", "GatewayName", "FirmwareVersion"}
    assert len(offline.subentries) == 1


async def test_warning_about_a_failing_template(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The template may work later, so submitting again saves it."""
    walk = await Walk.custom(hass, offline)
    wish = {"identifier": "GatewayName", "access": "report", "template": "{{ 1 / 0 }}", **NO_SECTIONS}
    await walk.submit(**wish)
    assert walk.errors == {"identifier": "not_postable", "base": "submit_again"}
    assert "division by zero" in walk.result["description_placeholders"]["reason"]
    await walk.submit(**wish)
    assert walk.saved


async def test_no_property_is_left_for_a_template(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> None:
    """The flow aborts with the reason instead of a form that can't be completed."""
    thing_model_document["properties"] = thing_model_document["properties"][:1]
    entry = entry_with(hass, {"thing_model": thing_model_document})
    await bind_lamp(hass, entry)
    assert (await Walk.custom(hass, entry)).aborted == "no_free_property"


@pytest.mark.parametrize(
    ("conversion", "access", "errors"),
    [
        ({"template": "{{ value }}"}, "both", {"conversion": "template_one_way"}),
        ({"unit": "furlong"}, "report", {"conversion": "units_clash"}),
        ({"unit": "kWh"}, "report", {"conversion": "units_clash"}),
    ],
)
async def test_conversion_without_effect_is_explained(
    hass: HomeAssistant, conversion: dict[str, Any], access: str, errors: dict[str, str]
) -> None:
    """A template converts in one direction only, and an unknown unit can't be converted."""
    hass.states.async_set("number.setpoint", "20", {"min": 5, "max": 30, "step": 1, "unit_of_measurement": "°C"})
    walk = await Walk.bind(hass, entry_with(hass, {}))
    await walk.submit(entity="number.setpoint")
    await walk.submit(aspect="value", identifier="T", access=access, conversion=conversion, reporting={})
    assert walk.errors == errors
