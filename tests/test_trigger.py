"""Triggers, in automations as the user interface stores them."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import orjson
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.aliyun_iot.const import DOMAIN, EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW
from custom_components.aliyun_iot.stored_device import options_with_model
from custom_components.aliyun_iot.trigger import async_get_triggers
from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET, SetProperties, invoke, publish
from .automations import ENTRY_ID, automate, trigger, trigger_data
from .conftest import SetUp
from .outages import quick_to_return
from .test_translations import INTEGRATION
from .waiting import until

DEVICE = {"config_entry_id": ENTRY_ID, "device": "gw-1"}

type Story = Callable[[], Awaitable[Any]]


async def send(cloud: Simulator, device: CloudDevice, suffix: str, payload: bytes) -> None:
    """Send a message on a user topic as an application in the cloud does."""
    await cloud.call(
        "Pub",
        ProductKey=device.product_key,
        TopicFullName=f"/{device.product_key}/{device.device_name}/user/{suffix}",
        MessageContent=base64.b64encode(payload).decode(),
    )


async def test_property_set(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """One set triggers once, however many properties it has, and is carried out as well."""
    calls = await automate(hass, [trigger("property_set_received")])
    events = async_capture_events(hass, EVENT_COMMAND)
    await set_up([LAMP, TARGET], entry_id=ENTRY_ID)
    assert (await set_properties(LightSwitch=1, TargetTemperature=21.5)).code == 200
    await hass.async_block_till_done()
    [call], [event] = calls, events
    assert trigger_data(call) == {
        **DEVICE,
        "command_id": event.context.id,
        "message_id": device.service_calls[-1].id,
        "sync": False,
        "values": {"LightSwitch": 1, "TargetTemperature": 21.5},
    }
    assert call.context.parent_id == event.context.id
    assert hass.states.get("input_boolean.lamp").state == STATE_ON


async def test_property_set_of_one_property(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """With an identifier there is its value. Other properties, other values and refused ones do not trigger."""
    assert await async_setup_component(hass, "input_text", {"input_text": {"name": {"initial": "day"}}})
    calls = await automate(
        hass,
        [
            trigger("property_set_received", identifier="LightSwitch"),
            trigger("property_set_received", identifier="TargetTemperature", value="21.5"),
            trigger("property_set_received", identifier="GatewayName", value="night"),
            trigger("property_set_received", identifier="Brightness"),
        ],
    )
    name = {"identifier": "GatewayName", "entity": "input_text.name", "aspect": "text", "access": "both"}
    await set_up([LAMP, TARGET, name], entry_id=ENTRY_ID)
    for values in (
        {"TargetTemperature": 20.5},
        {"TargetTemperature": 21.5, "GatewayName": "day"},
        {"LightSwitch": 0},
        {"GatewayName": "night"},
        {"Brightness": 50},
    ):
        await set_properties(**values)
    await hass.async_block_till_done()
    assert [(trigger_data(call)["identifier"], trigger_data(call)["value"]) for call in calls] == [
        ("TargetTemperature", 21.5),
        ("LightSwitch", 0),
        ("GatewayName", "night"),
    ]


async def test_renamed_device(
    hass: HomeAssistant,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Triggers, events and the device registry have its new name at once."""
    quick_to_return(monkeypatch)
    calls = await automate(hass, [trigger("property_set_received"), trigger("connected")])
    failures = async_capture_events(hass, EVENT_COMMAND_FAILED)
    commands = async_capture_events(hass, EVENT_COMMAND)
    entry = await set_up([LAMP], entry_id=ENTRY_ID)
    hass.config_entries.async_update_entry(entry, title="Hallway")
    await hass.async_block_till_done()
    [registered] = dr.async_entries_for_config_entry(dr.async_get(hass), ENTRY_ID)
    assert registered.name == "Hallway"
    calls.clear()
    await set_properties(LightSwitch=1)
    await set_properties(Stranger=1)
    device.connection.close("the cloud has other plans")
    await until(lambda: len(calls) == 2)
    assert [trigger_data(call)["device"] for call in calls] == ["Hallway"] * 2
    assert {event.data["device"] for event in [*commands, *failures]} == {"Hallway"}


async def test_text_does_not_equal_a_number(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A number is entered as text in a form; text that is no number never matches a number."""
    calls = await automate(hass, [trigger("property_set_received", identifier="LightSwitch", value="on")])
    await set_up([LAMP], entry_id=ENTRY_ID)
    assert (await set_properties(LightSwitch=1)).code == 200
    await hass.async_block_till_done()
    assert not calls


@pytest.mark.parametrize("options", [{}, {"identifier": "ReadMeter"}], ids=["any", "named"])
async def test_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, options: dict[str, str]
) -> None:
    """The input data are decoded as the thing model defines."""
    calls = await automate(hass, [trigger("service_called", **options)])
    events = async_capture_events(hass, EVENT_COMMAND)
    services = [{"identifier": "ReadMeter", "actions": [{"stop": ""}]}]
    await set_up(services=services, entry_id=ENTRY_ID)
    await invoke(cloud, device, "ReadMeter", {"Channel": "3"})
    await hass.async_block_till_done()
    [call], [event] = calls, events
    assert trigger_data(call) == {
        **DEVICE,
        "command_id": event.context.id,
        "message_id": device.service_calls[-1].id,
        "sync": True,
        "identifier": "ReadMeter",
        "input": {"Channel": 3},
    }
    assert call.context.parent_id == event.context.id


async def test_raw_data(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """A frame is given in hexadecimal and in Base64."""
    calls = await automate(hass, [trigger("raw_received")])
    events = async_capture_events(hass, EVENT_RAW)
    await set_up(entry_id=ENTRY_ID)
    await publish(cloud, device, "thing/model/down_raw", b"\x00\x01\xff")
    await until(lambda: calls)
    [call], [event] = calls, events
    assert trigger_data(call) == {
        **DEVICE,
        "command_id": event.context.id,
        "message_id": "",
        "sync": False,
        "data": "0001ff",
        "data_base64": "AAH/",
    }
    assert call.context.parent_id == event.context.id


async def test_message(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """A message is given as text, as bytes and, if it is JSON, decoded."""
    calls = await automate(hass, [trigger("message_received", topic="/user/alarm/night")])
    events = async_capture_events(hass, EVENT_COMMAND)
    await set_up(entry_id=ENTRY_ID)
    await send(cloud, device, "alarm/night", b'{"door": "open"}')
    await send(cloud, device, "alarm/day", b"nobody listens")
    await send(cloud, device, "alarm/night", b"\xff plain")
    await until(lambda: len(calls) == 2)
    assert trigger_data(calls[0]) == {
        **DEVICE,
        "command_id": events[0].context.id,
        "message_id": "",
        "sync": False,
        "topic": "alarm/night",
        "payload": '{"door": "open"}',
        "payload_json": {"door": "open"},
        "data": b'{"door": "open"}'.hex(),
    }
    assert trigger_data(calls[1])["payload"] == "\\xff plain"
    assert "payload_json" not in trigger_data(calls[1])
    assert [call.context.parent_id for call in calls] == [event.context.id for event in events]


@pytest.mark.parametrize(
    "payload",
    [b"[" * 5_000, b'{"a":' * 5_000, b"NaN", b'"\\ud800"', b"1" * 5000],
    ids=["deep list", "deep object", "no number", "half a character", "long number"],
)
async def test_message_that_is_almost_json(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    payload: bytes,
) -> None:
    """It triggers, and has decoded JSON only if that can be encoded again."""
    calls = await automate(hass, [trigger("message_received", topic="/user/alarm/night")])
    await set_up(entry_id=ENTRY_ID)
    await send(cloud, device, "alarm/night", payload)
    await until(lambda: calls)
    assert trigger_data(calls[0])["data"] == payload.hex()
    orjson.dumps(trigger_data(calls[0]).get("payload_json"))
    assert "failed unexpectedly" not in caplog.text


async def test_connection(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection triggers once, and each loss once with its reason."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.01)
    calls = await automate(hass, [trigger("connected"), trigger("disconnected")])
    await set_up(entry_id=ENTRY_ID)
    device.connection.close("the cloud has other plans")
    await until(lambda: len(calls) == 3)
    await hass.async_block_till_done()
    assert [call.data["trigger"]["platform"] for call in calls] == [
        "aliyun_iot.connected",
        "aliyun_iot.disconnected",
        "aliyun_iot.connected",
    ]
    assert trigger_data(calls[0]) == DEVICE
    assert trigger_data(calls[1]).keys() == {*DEVICE, "reason"}


async def test_rejected_property(hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp) -> None:
    """A property that the cloud ignores although it replies with 200 triggers with the reason and the value."""
    calls = await automate(
        hass, [trigger("property_rejected", identifier="Stranger"), trigger("property_rejected", identifier="Other")]
    )
    await set_up([{**LAMP, "identifier": "Stranger"}], options={"thing_model": None}, entry_id=ENTRY_ID)
    await until(lambda: calls)
    [call] = calls
    assert trigger_data(call).keys() == {*DEVICE, "identifier", "reason", "value"}
    assert (trigger_data(call)["identifier"], trigger_data(call)["value"]) == ("Stranger", 0)


async def test_reload_and_detach(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
) -> None:
    """A trigger keeps working when the entry is reloaded, and its subscription ends when it is detached."""
    calls = await automate(hass, [trigger("property_set_received"), trigger("message_received", topic="get")])
    entry = await set_up([LAMP], entry_id=ENTRY_ID)
    topic = f"/{device.product_key}/{device.device_name}/user/get"
    for _ in range(2):
        assert topic in device.connection.subscriptions
        await set_properties(LightSwitch=1)
        await send(cloud, device, "get", b"x")
        await until(lambda: len(calls) == 2)
        await hass.async_block_till_done()
        assert len(calls) == 2
        calls.clear()
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()

    await hass.services.async_call("automation", "turn_off", {"entity_id": "automation.story"}, blocking=True)
    await until(lambda: topic not in device.connection.subscriptions)
    assert f"/ext/rrpc/+{topic}" not in device.connection.subscriptions
    await set_properties(LightSwitch=0)
    await hass.async_block_till_done()
    assert not calls

    await hass.services.async_call("automation", "turn_on", {"entity_id": "automation.story"}, blocking=True)
    await until(lambda: topic in device.connection.subscriptions)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("message_received", {}),
        ("message_received", {"topic": ""}),
        ("message_received", {"topic": "a//b"}),
        ("message_received", {"topic": "a/+"}),
        ("message_received", {"topic": "#"}),
        ("message_received", {"topic": "x" * 200}),
        ("property_set_received", {"value": 1}),
        ("property_set_received", {"stranger": 1}),
        ("connected", {"identifier": "LightSwitch"}),
    ],
)
async def test_invalid_options(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, kind: str, options: dict[str, object]
) -> None:
    """The automation is not set up, and the log says why."""
    await automate(hass, [trigger(kind, **options)])
    assert hass.states.get("automation.story").state == STATE_UNAVAILABLE
    assert "failed to setup triggers" in caplog.text


async def test_topic_too_long_for_this_device(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged and does not affect other topics."""
    too_long = "x" * 110
    calls = await automate(
        hass, [trigger("message_received", topic=too_long), trigger("message_received", topic="get")]
    )
    await set_up(entry_id=ENTRY_ID)
    assert "cannot listen to a topic" in caplog.text
    await send(cloud, device, "get", b"x")
    await until(lambda: calls)


async def test_known_properties_and_services_are_offered(
    hass: HomeAssistant, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """By name, and any other identifier can be entered; the choice follows the thing model."""

    async def offered(kind: str) -> dict[str, str] | None:
        described = await async_get_all_descriptions(hass)
        selector = described[f"{DOMAIN}.{kind}"]["fields"]["identifier"]["selector"]
        if "select" not in selector:
            return None
        assert selector["select"]["custom_value"]
        return {option["value"]: option["label"] for option in selector["select"]["options"]}

    entry = await set_up()
    await hass.async_block_till_done()
    services = await offered("service_called")
    assert services
    assert {"RunScene", "ReadMeter", "Restart"} == services.keys()
    assert services["ReadMeter"] == "Read meter [ReadMeter]"
    for kind in ("property_set_received", "property_rejected"):
        assert list(await offered(kind) or ()) == [row["identifier"] for row in thing_model_document["properties"]]

    fewer = {**thing_model_document, "services": thing_model_document["services"][-1:]}
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, fewer))
    await hass.async_block_till_done()
    assert list(await offered("service_called") or ()) == [thing_model_document["services"][-1]["identifier"]]
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, None))
    await hass.async_block_till_done()
    assert await offered("service_called") is None


async def test_every_trigger_is_described(hass: HomeAssistant, set_up: SetUp) -> None:
    """The descriptions for the user interface match the triggers."""
    triggers = await async_get_triggers(hass)
    await set_up()
    offered = await async_get_all_descriptions(hass)
    assert {f"{DOMAIN}.{kind}" for kind in triggers} == {key for key in offered if key.startswith(f"{DOMAIN}.")}
    assert all(offered[f"{DOMAIN}.{kind}"]["fields"] for kind in triggers)
    described = load_yaml_dict(str(INTEGRATION / "triggers.yaml"))
    assert triggers.keys() == {key for key in described if not key.startswith(".")}
    for kind, one in triggers.items():
        [(_, inner)] = one.schema.schema.items()
        fields = inner.validators[0] if hasattr(inner, "validators") else inner
        assert {str(key) for key in fields} == described[kind]["fields"].keys()
