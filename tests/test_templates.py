"""Templates between an entity and its property, and templates instead of an entity."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.mapping.binding import Binding
from simulator import CloudDevice, Simulator

from .application import SetProperties
from .conftest import SetUp
from .test_reporter import CELSIUS, posted, posts
from .waiting import until

SUM = {
    "identifier": "EnergyTotal",
    "entity": "",
    "aspect": "template",
    "source": "{{ states('sensor.a') | float + states('sensor.b') | float }}",
}
FLAG = {"identifier": "LightSwitch", "entity": "", "aspect": "template", "source": "{{ is_state('sensor.a', '1') }}"}


async def test_template_is_reported_when_its_result_changes(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """With the time of the change, and in the native type of the result."""
    hass.states.async_set("sensor.a", "1")
    hass.states.async_set("sensor.b", "2")
    await set_up([SUM, FLAG])
    await posted(device, "EnergyTotal", 3.0)
    await posted(device, "LightSwitch", 1)
    hass.states.async_set("sensor.b", "2.5")
    await posted(device, "EnergyTotal", 3.5)
    changed = hass.states.get("sensor.b").last_updated
    assert device.properties["EnergyTotal"][1] == int(changed.timestamp() * 1000)
    hass.states.async_set("sensor.a", "0")
    await posted(device, "LightSwitch", 0)
    await posted(device, "EnergyTotal", 2.5)
    assert [value for value, _ in device.samples["LightSwitch"]] == [1, 0]


@pytest.mark.parametrize("nothing", ["unknown", "unavailable", "", "none", "not a number"])
async def test_template_without_a_value_is_not_posted(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, nothing: str
) -> None:
    """Neither an empty result nor an error is a value, and neither affects other templates."""
    hass.states.async_set("sensor.a", nothing)
    hass.states.async_set("sensor.b", "2")
    plain = {
        **SUM,
        "identifier": "CurrentTemperature",
        "source": "{{ None if is_state('sensor.a', 'none') else states('sensor.a') }}",
    }
    entry = await set_up([SUM, plain, FLAG])
    await posted(device, "LightSwitch", 0)
    reporter = entry.runtime_data.device.reporter
    assert "float" in reporter.outbox.unreportable["EnergyTotal"].describe()
    hass.states.async_set("sensor.a", "1")
    await posted(device, "EnergyTotal", 3.0)
    await posted(device, "CurrentTemperature", 1.0)
    assert not reporter.outbox.unreportable
    hass.states.async_set("sensor.a", nothing)
    await posted(device, "LightSwitch", 0)
    await until(lambda: "EnergyTotal" in reporter.outbox.unreportable)
    assert [value for value, _ in device.samples["EnergyTotal"]] == [3.0]
    assert [value for value, _ in device.samples["CurrentTemperature"]] == [1.0]


async def test_templates_are_tracked_while_they_are_bound(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The listener of a removed binding is removed; that of another binding is kept."""
    hass.states.async_set("sensor.a", "1")
    hass.states.async_set("sensor.b", "2")
    entry = await set_up([SUM, FLAG])
    await posted(device, "EnergyTotal", 3.0)
    [subentry] = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [FLAG]})
    await hass.async_block_till_done()
    before = len(posts(cloud))
    hass.states.async_set("sensor.a", "0")
    await posted(device, "LightSwitch", 0)
    assert [set(params) for params in posts(cloud)[before:]] == [{"LightSwitch"}]

    await hass.config_entries.async_unload(entry.entry_id)
    hass.states.async_set("sensor.a", "1")
    await hass.async_block_till_done()
    assert device.properties["LightSwitch"][0] == 0


async def test_invalid_template_is_a_problem_of_its_binding_only(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """For example after editing an exported file."""
    hass.states.async_set("sensor.a", "1")
    hass.states.async_set("sensor.room", "20", CELSIUS)
    conversion = {"template": "{{ value |"}
    room = {"identifier": "CurrentTemperature", "entity": "sensor.room", "aspect": "value", "conversion": conversion}
    entry = await set_up([{**SUM, "source": "{{ broken"}, room, FLAG])
    await posted(device, "LightSwitch", 1)
    problems = entry.runtime_data.device.bound.problems
    assert problems.keys() == {"EnergyTotal", "CurrentTemperature"}
    assert all("template" in str(problem) for problem in problems.values())


async def test_template_converts_both_ways(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """It is on the side of the entity: the map of the binding is between it and the property."""
    conversion = {
        "template": "{{ 'hot' if value > 25 else 'mild' }}",
        "template_back": "{{ {'hot': 28, 'mild': 20}[value] }}",
        "options": {"hot": 1, "mild": 3},
    }
    binding = {"identifier": "HVACMode", "entity": "input_number.target", "aspect": "value", "access": "both"}
    await set_up([{**binding, "conversion": conversion}])
    await posted(device, "HVACMode", 3)
    assert (await set_properties(HVACMode=1)).code == 200
    assert hass.states.get("input_number.target").state == "28.0"
    await posted(device, "HVACMode", 1)
    assert (await set_properties(HVACMode=2)).code == 100009


@pytest.mark.parametrize(
    ("back", "code", "words"),
    [
        ("{{ value / 0 }}", 100002, "division by zero"),
        ("{{ 'warm' }}", 100008, "warm"),
        ("{{ 99 }}", 100009, "30"),
        ("unknown", 100008, "None"),
    ],
)
async def test_template_back_without_a_result(
    hass: HomeAssistant,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    back: str,
    code: int,
    words: str,
) -> None:
    """The answer is an error, and nothing is done."""
    binding = {"identifier": "TargetTemperature", "entity": "input_number.target", "aspect": "value", "access": "both"}
    await set_up([{**binding, "conversion": {"template_back": back}}])
    reply = await set_properties(TargetTemperature=21.0)
    assert reply.code == code
    assert words in reply.data["TargetTemperature"]
    assert hass.states.get("input_number.target").state == "20.0"


async def test_template_without_template_back_cannot_be_set(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """It can not be reversed."""
    binding = {"identifier": "TargetTemperature", "entity": "input_number.target", "aspect": "value", "access": "both"}
    await set_up([{**binding, "conversion": {"template": "{{ value / 2 }}"}}])
    await posted(device, "TargetTemperature", 10.0)
    reply = await set_properties(TargetTemperature=12.0)
    assert reply.code == 100002


async def test_variables_of_a_template(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Value, state and entity id of the entity; a template aspect has the entity id too."""
    hass.states.async_set("sensor.room", "20", {**CELSIUS, "place": "attic"})
    conversion = {"template": "{{ state.attributes.place }} {{ entity_id }} {{ value }}"}
    room = {"identifier": "GatewayName", "entity": "sensor.room", "aspect": "value", "conversion": conversion}
    own = {
        "identifier": "FirmwareVersion",
        "entity": "sensor.room",
        "aspect": "template",
        "source": "{{ state_attr(entity_id, 'place') }}",
    }
    await set_up([room, own])
    await posted(device, "GatewayName", "attic sensor.room 20.0")
    await posted(device, "FirmwareVersion", "attic")
    hass.states.async_set("sensor.room", "20", {**CELSIUS, "place": "cellar"})
    await posted(device, "GatewayName", "cellar sensor.room 20.0")
    await posted(device, "FirmwareVersion", "cellar")
    assert [value for value, _ in device.samples["FirmwareVersion"]] == ["attic", "cellar"]


async def test_states_and_attributes_are_reported(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Of an entity of any domain, for any type of property."""
    hass.states.async_set("zone.garden", "3", {"levels": [1, 2], "seen": "2026-11-23T12:00:00+00:00"})
    rows: list[dict[str, Any]] = [
        {"identifier": "ZoneLevels", "aspect": "attribute", "source": "levels"},
        {"identifier": "LastSeen", "aspect": "attribute", "source": "seen"},
        {"identifier": "HVACMode", "aspect": "raw_state"},
    ]
    await set_up([{**row, "entity": "zone.garden"} for row in rows])
    await posted(device, "ZoneLevels", [1, 2])
    await posted(device, "LastSeen", "1795435200000")
    await posted(device, "HVACMode", 3)
    hass.states.async_set("zone.garden", "1", {"levels": [4]})
    await posted(device, "ZoneLevels", [4])
    await posted(device, "HVACMode", 1)


async def test_values_are_posted_unchanged_without_a_thing_model(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """The type of the property follows from the value."""
    hass.states.async_set("zone.garden", "3", {"levels": [1.5], "radius": 7, "passive": True, "who": {"name": "A"}})
    rows = [
        {"identifier": name.capitalize(), "entity": "zone.garden", "aspect": "attribute", "source": name}
        for name in ("levels", "radius", "passive", "who")
    ]
    entry = await set_up(rows, options={"thing_model": None})
    present = entry.runtime_data.device.reporter.present([row["identifier"] for row in rows])
    assert {name: sample.value for name, sample in present.items()} == {
        "Levels": [1.5], "Radius": 7, "Passive": 1, "Who": {"name": "A"}
    }  # fmt: skip
    assert all(Binding.from_dict(row).as_dict() == row for row in rows)


async def test_burst_of_changes_is_one_more_post(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """The newest result is posted, as for every other property."""
    hass.states.async_set("sensor.a", "0")
    hass.states.async_set("sensor.b", "0")
    await set_up([SUM], options={"window": 0.3})
    await posted(device, "EnergyTotal", 0.0)
    for amount in range(1, 20):
        hass.states.async_set("sensor.a", str(amount))
        await asyncio.sleep(0)
    await posted(device, "EnergyTotal", 19.0)
    assert len(device.samples["EnergyTotal"]) <= 3
