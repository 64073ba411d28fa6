"""Values inside structures and lists are converted like those on the top level, on every way to the cloud."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import CONF_THING_MODEL, CONF_WINDOW
from simulator import CloudDevice, Simulator, ThingModel as CloudThingModel

from .application import invoke
from .conftest import SetUp
from .test_actions import act
from .test_events import bind_event

PARTS = {
    "On": {"type": "bool", "specs": {"0": "关闭", "1": "打开"}},
    "Zone": {"type": "text", "specs": {"length": "32"}},
    "Level": {"type": "int", "specs": {"min": "0", "max": "10"}},
    "At": {"type": "date", "specs": {}},
    "Marks": {"type": "array", "specs": {"size": "4", "item": {"type": "date", "specs": {}}}},
}
DETAIL = {
    "identifier": "Detail",
    "name": "Detail",
    "dataType": {
        "type": "struct",
        "specs": [{"identifier": key, "name": key, "dataType": part} for key, part in PARTS.items()],
    },
}
MODEL = {
    "properties": [{**DETAIL, "accessMode": "rw"}],
    "events": [{"identifier": "Rang", "name": "Rang", "type": "info", "outputData": [DETAIL]}],
    "services": [
        {"identifier": "Look", "name": "Look", "callType": "sync", "inputData": [], "outputData": [DETAIL]},
    ],
}
HOME = {
    "On": "{{ states('binary_sensor.door') }}",
    "Zone": "{{ '007' }}",
    "Level": "{{ '7' }}",
    "At": "2026-11-23T20:00:00+08:00",
    "Marks": ["{{ 1795435200 }}", "{{ 1795435200000 }}", "1795435200"],
}
NOON = "1795435200000"
WIRE = {"On": 1, "Zone": "007", "Level": 7, "At": NOON, "Marks": [NOON, NOON, NOON]}
RENDERED = {
    "On": "on",
    "Zone": "007",
    "Level": "7",
    "At": "2026-11-23T20:00:00+08:00",
    "Marks": [1795435200, NOON, "1795435200"],
}
"""What is left of it when Home Assistant has rendered the data of an action."""


@pytest.fixture
async def entry(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> MockConfigEntry:
    """Return a running entry of a device with nested values."""
    hass.states.async_set("binary_sensor.door", "on")
    device.thing_model = CloudThingModel.parse(MODEL, strict_values=True)
    template = "{{ {" + ", ".join(f"'{key}': {value!r}" for key, value in RENDERED.items()) + "} }}"
    row = {"identifier": "Detail", "entity": "", "aspect": "template", "source": template, "every_sample": True}
    actions = [{"variables": {"found": {"Detail": HOME}}}, {"stop": "done", "response_variable": "found"}]
    return await set_up(
        [row],
        services=[{"identifier": "Look", "actions": actions}],
        options={CONF_THING_MODEL: MODEL, CONF_WINDOW: 0},
    )


async def test_property_by_a_template(device: CloudDevice, entry: MockConfigEntry) -> None:
    """A raw value, sent as a sample."""
    await device.wait_for(lambda one: one.properties)
    assert device.properties["Detail"][0] == WIRE


async def test_property_by_the_action(hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry) -> None:
    """The data of the action were rendered by Home Assistant."""
    await device.wait_for(lambda one: one.properties)
    device.properties.clear()
    await act(hass, "post_properties", entry.entry_id, properties={"Detail": RENDERED})
    assert device.properties["Detail"][0] == WIRE


async def test_event_by_the_action(hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry) -> None:
    """The output is converted as properties are."""
    await act(hass, "post_event", entry.entry_id, identifier="Rang", output={"Detail": RENDERED})
    assert device.events[0].output == {"Detail": WIRE}


async def test_event_by_a_binding(hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry) -> None:
    """Templates anywhere in the output are rendered for their types, so text that looks like a number stays as it is."""
    trigger = {"trigger": "event", "event_type": "bell"}
    await bind_event(hass, entry, identifier="Rang", triggers=[trigger], output={"Detail": HOME})
    hass.bus.async_fire("bell")
    await device.wait_for(lambda one: one.events)
    assert device.events[0].output == {"Detail": WIRE}
    assert not entry.runtime_data.device.events.problems


async def test_answer_of_a_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """The response of its actions."""
    result = await invoke(cloud, device, "Look", {})
    assert json.loads(result["Data"]["Result"]) == {"Detail": WIRE}


@pytest.mark.parametrize(
    ("part", "value", "path"),
    [
        ("On", "unavailable", "Detail.On"),
        ("At", 17_954_352_000, "Detail.At"),
        ("Marks", [NOON, "x"], "Detail.Marks[1]"),
    ],
)
async def test_part_that_does_not_fit_is_named(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, part: str, value: Any, path: str
) -> None:
    """Nothing is sent."""
    await device.wait_for(lambda one: one.properties)
    device.properties.clear()
    with pytest.raises(ServiceValidationError) as error:
        await act(hass, "post_properties", entry.entry_id, properties={"Detail": RENDERED | {part: value}})
    assert error.value.translation_placeholders["path"] == path
    assert not device.properties


async def test_values_without_a_thing_model(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Booleans are 0 and 1 at any depth: in posts, events, and answers."""
    device.thing_model = None
    nested = {"Parts": [{"On": True}, {"On": False}]}
    wire = '{"Parts": [{"On": 1}, {"On": 0}]}'  # Python does not tell True from 1
    actions = [{"variables": {"found": {"Detail": nested}}}, {"stop": "done", "response_variable": "found"}]
    entry = await set_up(services=[{"identifier": "Look", "actions": actions}], options={CONF_THING_MODEL: None})
    await act(hass, "post_properties", entry.entry_id, properties={"Detail": nested})
    assert json.dumps(device.properties["Detail"][0]) == wire
    await act(hass, "post_event", entry.entry_id, identifier="Rang", output={"Detail": nested})
    trigger = {"trigger": "event", "event_type": "bell"}
    await bind_event(hass, entry, identifier="Rang", triggers=[trigger], output={"Detail": nested})
    hass.bus.async_fire("bell")
    await device.wait_for(lambda one: len(one.events) == 2)
    assert [json.dumps(event.output["Detail"]) for event in device.events] == [wire] * 2
    result = await invoke(cloud, device, "Look", {})
    assert json.dumps((await device.wait_reply(result["Data"]["MessageId"])).data["Detail"]) == wire


async def test_numbers_of_a_list_keep_their_decimals(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Without a thing model the first item does not decide alone."""
    device.thing_model = None
    sources = {"Levels": "{{ [1, 2.5] }}", "Rows": "{{ [{'a': 1, 'b': [3]}, {'a': 1.5, 'b': [3.5]}] }}"}
    rows = [{"identifier": key, "entity": "", "aspect": "template", "source": text} for key, text in sources.items()]
    await set_up(rows, options={CONF_THING_MODEL: None})
    await device.wait_for(lambda one: len(one.properties) == 2)
    assert device.properties["Levels"][0] == [1.0, 2.5]
    assert device.properties["Rows"][0] == [{"a": 1.0, "b": [3.0]}, {"a": 1.5, "b": [3.5]}]
