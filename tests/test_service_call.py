"""Services of the thing model: input becomes variables, the response becomes output, failures are answered."""

import json
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from simulator import CloudDevice, Simulator, ThingModel

from .application import SERVICES, invoke, publish, reply_on
from .conftest import SetUp


@pytest.mark.parametrize("form", ["sys", "ext"])
async def test_synchronous_service_with_output(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, form: str
) -> None:
    """In both forms of RRPC, input becomes variables and the response output data."""
    device.rrpc = type(device.rrpc)(form)
    await set_up(services=SERVICES)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert result["Success"]
    assert json.loads(result["Data"]["Result"]) == {"Energy": 1003.0, "ReadAt": "1795435200000"}


async def test_asynchronous_service_runs_a_script(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The script gets the input data as fields, and its response is sent to the cloud."""
    assert await async_setup_component(
        hass,
        "script",
        {
            "script": {
                "scene": {
                    "fields": {"SceneName": {}, "Transition": {}},
                    "sequence": [
                        {"variables": {"answer": {"Accepted": "{{ SceneName == 'night' and Transition == 5 }}"}}},
                        {"stop": "done", "response_variable": "answer"},
                    ],
                }
            }
        },
    )
    await set_up(services=SERVICES)
    result = await invoke(cloud, device, "RunScene", {"SceneName": "night", "Transition": 5})
    reply = await device.wait_reply(result["Data"]["MessageId"])
    assert (reply.code, reply.data) == (200, {"Accepted": 1})


GUARD = {
    "variables": {"limit": 20, "level": "{{ level | default(5) }}"},
    "sequence": [
        {
            "variables": {
                "answer": {"limit": "{{ limit }}", "level": "{{ level }}", "extra": "{{ extra | default('none') }}"}
            }
        },
        {"stop": "", "response_variable": "answer"},
    ],
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"limit": 20, "level": 5, "extra": "cloud"}),
        ({"extra": {}}, {"limit": 20, "level": 5, "extra": "cloud"}),
        ({"other": {}}, {"limit": 20, "level": 5, "extra": "none"}),
        ({"limit": {}}, {"limit": 20, "level": 5, "extra": "none"}),
    ],
    ids=["no fields", "a field", "another field", "a field that is also a variable"],
)
async def test_cloud_does_not_override_the_variables_of_a_script(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    fields: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    """Without a thing model, a script with fields gets only these, and no script what it defines itself."""
    assert await async_setup_component(hass, "script", {"script": {"guard": {**GUARD, "fields": fields}}})
    await set_up(services=[{"identifier": "Act", "script": "script.guard"}], options={"thing_model": None})
    params = {"limit": 99, "level": 99, "extra": "cloud", "this": {"entity_id": "lock.door"}, "context": "x"}
    await publish(cloud, device, "thing/service/Act", {"id": "9", "params": params})
    answer = await reply_on(cloud, "Act_reply")
    assert (answer["code"], answer["data"]) == (200, expected)


async def test_input_that_the_thing_model_defines_is_passed_without_fields(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    thing_model_document: dict[str, Any],
) -> None:
    """But not to a variable that the script defines itself."""
    number = {"type": "int", "specs": {"min": "0", "max": "100"}}
    parameters = [{"identifier": name, "name": name, "dataType": number} for name in ("limit", "extra")]
    service = {
        "identifier": "Act",
        "name": "Act",
        "callType": "async",
        "inputData": parameters,
        "outputData": parameters,
    }
    thing_model_document["services"].append(service)
    script = {"guard": {**GUARD, "fields": {"other": {}}}}
    assert await async_setup_component(hass, "script", {"script": script})
    await set_up(services=[{"identifier": "Act", "script": "script.guard"}])
    await publish(cloud, device, "thing/service/Act", {"id": "9", "params": {"limit": 99, "extra": 7}})
    answer = await reply_on(cloud, "Act_reply")
    assert (answer["code"], answer["data"]) == (200, {"limit": 20, "extra": 7})


async def test_script_whose_inputs_cannot_be_found_out_is_not_called(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home Assistant may change."""
    assert await async_setup_component(hass, "script", {"script": {"guard": GUARD}})
    await set_up(services=[{"identifier": "Act", "script": "script.guard"}], options={"thing_model": None})
    monkeypatch.delattr(hass.data["entity_components"]["script"].get_entity("script.guard"), "fields")
    await publish(cloud, device, "thing/service/Act", {"id": "9", "params": {}})
    answer = await reply_on(cloud, "Act_reply")
    assert (answer["code"], "has changed" in answer["message"]) == (100005, True)


@pytest.mark.parametrize(
    ("model_unit", "selector", "code", "seen"),
    [
        ("s", {"number": {"unit_of_measurement": "min"}}, 200, 1.5),
        ("秒", {"number": {"unit_of_measurement": "ms"}}, 200, 90000),
        ("s", {"number": {"unit_of_measurement": "s"}}, 200, 90),
        ("s", {"number": {"min": 0, "max": 100}}, 200, 90),
        ("", {"number": {"unit_of_measurement": "min"}}, 200, 90),
        ("mired", {"color_temp": {"unit": "kelvin"}}, 200, 11111.111111111),
        ("s", {"number": {"unit_of_measurement": "°C"}}, 100005, None),
        ("furlong", {"number": {"unit_of_measurement": "m"}}, 100005, None),
    ],
)
async def test_script_gets_numbers_in_the_units_of_its_fields(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    thing_model_document: dict[str, Any],
    set_up: SetUp,
    model_unit: str,
    selector: dict[str, Any],
    code: int,
    seen: float | None,
) -> None:
    """If both sides state a unit; without a conversion the script doesn't run."""
    (scene,) = (one for one in thing_model_document["services"] if one["identifier"] == "RunScene")
    (transition,) = (one for one in scene["inputData"] if one["identifier"] == "Transition")
    transition["dataType"] = {"type": "double", "specs": {"unit": model_unit}}
    device.thing_model = ThingModel.parse(thing_model_document)
    steps = [{"event": "seen", "event_data": {"value": "{{ Transition }}"}}]
    fields = {"Transition": {"selector": selector}, "Other": {}}
    assert await async_setup_component(hass, "script", {"script": {"scene": {"fields": fields, "sequence": steps}}})
    events = async_capture_events(hass, "seen")
    await set_up(services=SERVICES, options={"thing_model": thing_model_document})
    result = await invoke(cloud, device, "RunScene", {"SceneName": "night", "Transition": 90})
    reply = await device.wait_reply(result["Data"]["MessageId"])
    assert reply.code == code
    assert [event.data["value"] for event in events] == ([] if seen is None else [seen])
    if seen is None:
        assert f"Transition: {model_unit} can't be converted" in reply.message


@pytest.mark.parametrize("by", ["registry id", "entity id"])
async def test_renamed_script_stays_bound(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, by: str
) -> None:
    """Its action keeps its name when its entity gets another id, and the old id may become that of another script."""
    scripts = {
        name: {
            "sequence": [
                {"variables": {"answer": {"Accepted": name == "night"}}},
                {"stop": "", "response_variable": "answer"},
            ]
        }
        for name in ("night", "party")
    }
    assert await async_setup_component(hass, "script", {"script": scripts})
    registry = er.async_get(hass)
    reference = registry.async_get("script.night").id if by == "registry id" else "script.night"
    await set_up(services=[{"identifier": "RunScene", "script": reference}])

    async def answer() -> tuple[int, object]:
        result = await invoke(cloud, device, "RunScene", {})
        reply = await device.wait_reply(result["Data"]["MessageId"])
        return reply.code, reply.data

    assert await answer() == (200, {"Accepted": 1})
    registry.async_update_entity("script.night", new_entity_id="script.evening")
    await hass.async_block_till_done()
    assert await answer() == (200, {"Accepted": 1})
    registry.async_update_entity("script.party", new_entity_id="script.night")
    await hass.async_block_till_done()
    assert await answer() == (200, {"Accepted": 1})
    registry.async_update_entity("script.evening", new_entity_id="script.party")
    await hass.async_block_till_done()
    assert await answer() == (200, {"Accepted": 1})


@pytest.mark.parametrize(
    ("identifier", "arguments", "code"),
    [
        ("ReadMeter", {"Channel": 99}, 460),
        ("ReadMeter", {"Stranger": 1}, 460),
        ("Restart", {}, 100001),
        ("Stranger", {}, 100007),
        ("RunScene", {}, 100005),
    ],
)
async def test_failing_service_has_its_code(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    identifier: str,
    arguments: dict[str, Any],
    code: int,
) -> None:
    """For invalid input, a service that is not bound, and a missing script."""
    await set_up(services=SERVICES)
    await publish(cloud, device, f"thing/service/{identifier}", {"id": "9", "params": arguments})
    assert (await reply_on(cloud, f"{identifier}_reply"))["code"] == code


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ([{"stop": "the meter is asleep", "error": True}], "stopped early: the meter is asleep"),
        ([{"condition": "template", "value_template": "{{ false }}"}], "stopped early"),
        ([{"action": "nobody.knows"}], "nobody"),
        ([{"action": "test.fail"}], "on purpose"),
        ([{"variables": {"r": {"Energy": "much"}}}, {"stop": "", "response_variable": "r"}], "does not fit"),
        (
            [{"variables": {"r": {"ReadAt": "2026-02-30 12:00"}}}, {"stop": "", "response_variable": "r"}],
            "does not fit",
        ),
        ([{"variables": {"r": {"ReadAt": "\ud800"}}}, {"stop": "", "response_variable": "r"}], "does not fit"),
        ([{"variables": {"r": [1]}}, {"stop": "", "response_variable": "r"}], "no mapping"),
        ([{"variables": {"r": 0}}, {"stop": "", "response_variable": "r"}], "no mapping"),
        ([{"nonsense": True}], ""),
    ],
)
async def test_failing_sequence_is_answered(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, actions: list[Any], words: str
) -> None:
    """With the reason in the message."""

    async def fail(_: ServiceCall) -> None:
        raise HomeAssistantError("on purpose")

    hass.services.async_register("test", "fail", fail)
    await set_up(services=[{"identifier": "ReadMeter", "actions": actions}])
    await publish(cloud, device, "thing/service/ReadMeter", {"id": "9", "params": {}})
    reply = await reply_on(cloud, "ReadMeter_reply")
    assert reply["code"] == 100005
    assert words in reply["message"]


async def test_synchronous_call_without_a_service_name(cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """It is answered as malformed."""
    await set_up(services=SERVICES)
    await publish(cloud, device, "rrpc/request/1", {"id": "9", "method": "thing.service.", "params": {}})
    assert (await reply_on(cloud, "rrpc/response/1"))["code"] == 460
