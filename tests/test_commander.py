"""Commands of every kind: property gets, raw frames, unreadable messages, and the bus event of a command."""

from homeassistant.const import STATE_OFF
from homeassistant.core import Context, CoreState, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.aliyun_iot.const import EVENT_COMMAND, EVENT_RAW
from simulator import CloudDevice, Simulator

from .application import (
    LAMP,
    TARGET,
    SetProperties,
    last_reply,
    publish,
    reply_on,
)
from .conftest import SetUp
from .waiting import until


async def test_property_get(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp
) -> None:
    """The device answers with its values and also posts them, because the cloud takes values from posts only."""
    await set_up([LAMP, TARGET])
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    for asked, code in ((["LightSwitch", "TargetTemperature"], 200), (["LightSwitch", "Schedule", {}], 100001)):
        count = len(device.samples["LightSwitch"])
        await publish(cloud, device, "thing/service/property/get", {"id": "77", "params": asked})
        await device.wait_for(lambda one, count=count: len(one.samples["LightSwitch"]) == count + 1)
        reply = last_reply(cloud, "property/get_reply")
        assert reply["code"] == code
        assert reply["data"]["LightSwitch"] == 0


async def test_commands_without_a_thing_model(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
) -> None:
    """The data type of a property follows the entity, and the input of a service is passed on unchanged."""
    services = [{"identifier": "Echo", "actions": [{"stop": "", "response_variable": "given"}]}]
    await set_up([LAMP, TARGET], services, options={"thing_model": None})
    assert (await set_properties(LightSwitch=1, TargetTemperature=21.5)).code == 200
    assert hass.states.get("input_number.target").state == "21.5"
    assert (await set_properties(TargetTemperature=300)).code == 100009
    await publish(cloud, device, "thing/service/Echo", {"id": "9", "params": {"given": {"a": 1}}})
    assert (await reply_on(cloud, "Echo_reply"))["data"] == {"a": 1}


async def test_bus_event_context_and_journal(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The bus event is fired before the action and has the same context; the journal keeps the answer."""
    events = async_capture_events(hass, EVENT_COMMAND)
    entry = await set_up([LAMP])
    await set_properties(LightSwitch=1)
    [event] = events
    assert event.data == {
        "entry_id": entry.entry_id,
        "device": "gw-1",
        "kind": "property_set",
        "id": device.service_calls[-1].id,
        "identifier": None,
        "params": {"LightSwitch": 1},
        "sync": False,
        "changes": [
            {
                "identifier": "LightSwitch",
                "entity_id": "input_boolean.lamp",
                "aspect": "power",
                "value": "on",
                "refused": "",
                "code": None,
            }
        ],
        "more_changes": 0,
        "refused": "",
        "code": None,
        "entity_id": "input_boolean.lamp",
    }
    assert isinstance(event.context, Context)
    assert hass.states.get("input_boolean.lamp").context.id == event.context.id
    [row] = entry.runtime_data.device.commander.journal.rows()
    assert (row.kind, row.target, row.code) == ("property_set", ["LightSwitch"], 200)


async def test_raw_frame_fires_a_bus_event(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Without the frame, which the recorder would keep: automations get it from their trigger."""
    events = async_capture_events(hass, EVENT_RAW)
    entry = await set_up()
    await publish(cloud, device, "thing/model/down_raw", b"\x00\x01\xff")
    await until(lambda: events)
    assert events[0].data == {"entry_id": entry.entry_id, "device": "gw-1", "size": 3}


@pytest.mark.parametrize(
    ("entity", "aspect", "sent", "legible"),
    [
        ("light.hall", "color", {"Red": 1, "Green": 2, "Blue": 3}, "1, 2, 3"),
        ("light.hall", "brightness", 80, 80),
        ("light.hall", "power", 1, "on"),
        ("datetime.alarm", "datetime", "1795435200000", "2026-11-23T12:00:00+00:00"),
    ],
)
async def test_bus_event_has_legible_values(
    hass: HomeAssistant,
    set_up: SetUp,
    set_properties: SetProperties,
    entity: str,
    aspect: str,
    sent: object,
    legible: object,
) -> None:
    """Those of the aspect, as people read them."""
    events = async_capture_events(hass, EVENT_COMMAND)
    hass.states.async_set("light.hall", STATE_OFF, {"supported_color_modes": ["rgb"]})
    hass.states.async_set("datetime.alarm", "2026-01-01T00:00:00+00:00")
    row = {"identifier": "Wanted", "entity": entity, "aspect": aspect, "access": "control"}
    for name in ("turn_on", "set_value"):
        hass.services.async_register(entity.partition(".")[0], name, lambda _: None)
    await set_up([row], options={"thing_model": None})
    assert (await set_properties(Wanted=sent)).code == 200
    assert events[0].data["changes"][0]["value"] == legible


@pytest.mark.parametrize("state", [CoreState.starting, CoreState.stopping])
async def test_commands_are_refused_while_home_assistant_starts_or_stops(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, state: CoreState
) -> None:
    """A command must not be carried out in part."""
    await set_up([LAMP])
    hass.set_state(state)
    reply = await set_properties(LightSwitch=1)
    hass.set_state(CoreState.running)
    assert reply.code == 429
    assert hass.states.get("input_boolean.lamp").state == STATE_OFF


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe", b"not json", b"[1,2]", b'"x"', b"{}", b'{"params": {"LightSwitch": 1}}', b"[" * 100_000],
    ids=lambda value: repr(value)[:20],
)
async def test_unreadable_message_without_an_id_is_ignored(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    payload: bytes,
) -> None:
    """It is not answered, nothing is done, and the next command is carried out."""
    await set_up([LAMP])
    await publish(cloud, device, "thing/service/property/set", payload)
    assert (await set_properties(LightSwitch=1)).code == 200
    assert len([one for one in cloud.wire if one.topic.endswith("set_reply")]) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id": "5", "params": [1]}',
        b'{"id": 5, "params": "LightSwitch"}',
        b'{"id": "5", "params": {"LightSwitch": NaN}}',
    ],
    ids=["array", "text", "NaN"],
)
async def test_unreadable_message_with_an_id_is_answered(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp, payload: bytes
) -> None:
    """With the code for malformed parameters."""
    await set_up([LAMP])
    await publish(cloud, device, "thing/service/property/set", payload)
    reply = await reply_on(cloud, "property/set_reply")
    assert (str(reply["id"]), reply["code"]) == ("5", 460)
    assert hass.states.get("input_boolean.lamp").state == STATE_OFF
