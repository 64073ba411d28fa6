"""Cloud → Home Assistant, whatever it is: gets, raw frames, garbage, and what is told of a command."""

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
    """The device answers with its values and posts them, since the cloud takes only a post for them."""
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
    """Without a thing model the entity decides what a value is, and services pass as they are."""
    services = [{"identifier": "Echo", "actions": [{"stop": "", "response_variable": "given"}]}]
    await set_up([LAMP, TARGET], services, options={"thing_model": None})
    assert (await set_properties(LightSwitch=1, TargetTemperature=21.5)).code == 200
    assert hass.states.get("input_number.target").state == "21.5"
    assert (await set_properties(TargetTemperature=300)).code == 100009
    await publish(cloud, device, "thing/service/Echo", {"id": "9", "params": {"given": {"a": 1}}})
    assert (await reply_on(cloud, "Echo_reply"))["data"] == {"a": 1}


async def test_event_context_and_journal(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The bus event comes first and shares its context with the action; the journal keeps the outcome."""
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
        "entity_id": "input_boolean.lamp",
    }
    assert isinstance(event.context, Context)
    assert hass.states.get("input_boolean.lamp").context.id == event.context.id
    [row] = entry.runtime_data.device.commander.journal.rows()
    assert (row["kind"], row["target"], row["code"]) == ("property_set", ["LightSwitch"], 200)


async def test_raw_frames_are_events(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """A frame in the product's own format can't be understood here, but automations can."""
    events = async_capture_events(hass, EVENT_RAW)
    entry = await set_up()
    await publish(cloud, device, "thing/model/down_raw", b"\x00\x01\xff")
    await until(lambda: events)
    assert events[0].data == {"entry_id": entry.entry_id, "data": "AAH/"}


@pytest.mark.parametrize("state", [CoreState.starting, CoreState.stopping])
async def test_nothing_is_done_while_home_assistant_starts_or_stops(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, state: CoreState
) -> None:
    """Half a command is worse than none."""
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
async def test_garbage_is_survived(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    payload: bytes,
) -> None:
    """What can't be read and has no id gets no answer, does nothing and breaks nothing."""
    await set_up([LAMP])
    await publish(cloud, device, "thing/service/property/set", payload)
    assert (await set_properties(LightSwitch=1)).code == 200
    assert len([one for one in cloud.wire if one.topic.endswith("set_reply")]) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id": "5", "params": [1]}',
        b'{"id": 5, "params": "LightSwitch"}',
        b'{"id": "5", "params": {"LightSwitch": ' + b'"' + b"x" * 300_000 + b'"}}',
        b'{"id": "5", "params": {"LightSwitch": NaN}}',
    ],
    ids=["array", "text", "300 KB", "NaN"],
)
async def test_unreadable_with_an_id_is_answered(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp, payload: bytes
) -> None:
    """Whoever can be told what is wrong is told."""
    await set_up([LAMP])
    await publish(cloud, device, "thing/service/property/set", payload)
    reply = await reply_on(cloud, "property/set_reply")
    assert (str(reply["id"]), reply["code"]) == ("5", 460)
    assert hass.states.get("input_boolean.lamp").state == STATE_OFF
