"""Commands of the cloud as event entities, for dashboards and for automations."""

from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, ServiceCall, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.aliyun_iot.alink.privacy import BY_NAME_ALONE, HIDDEN
from custom_components.aliyun_iot.commands.outcome import shortened
from custom_components.aliyun_iot.const import DOMAIN, EVENT_COMMAND, SUBENTRY_SERVICE
from simulator import CloudDevice, Simulator

from .application import LAMP, SERVICES, SetProperties, invoke, publish, reply_on
from .conftest import SetUp
from .waiting import until

PROPERTY_SET = "event.gw_1_property_set"
READ_METER = "event.gw_1_service_readmeter"
RUN_SCENE = "event.gw_1_service_runscene"
ACTIONS: list[dict[str, Any]] = [{"delay": {"milliseconds": 1}}]


def fired(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an event entity that has fired."""
    state = hass.states.get(entity_id)
    assert state is not None
    assert state.state != "unknown"
    return state


async def test_property_set_fires(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The event type is executed or refused; the attributes have the values and the answer."""
    await set_up([LAMP])
    await set_properties(LightSwitch=1)
    await until(lambda: fired(hass, PROPERTY_SET).attributes["event_type"] == "executed")
    first = fired(hass, PROPERTY_SET)
    assert first.attributes["properties"] == {"LightSwitch": 1}
    assert first.attributes["code"] == 200
    assert first.attributes["message_id"] == device.service_calls[-1].id
    lamp = hass.states.get("input_boolean.lamp")
    assert lamp is not None
    assert first.context.id == lamp.context.id

    await set_properties(Brightness=20)
    await until(lambda: fired(hass, PROPERTY_SET).attributes["event_type"] == "refused")
    assert fired(hass, PROPERTY_SET).attributes["code"] == 100001
    await set_properties(Brightness=20)
    await until(lambda: fired(hass, PROPERTY_SET).attributes["message_id"] == device.service_calls[-1].id)


async def test_service_fires_with_its_input(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Each bound service has its entity. Input that does not fit is refused, an action that fails has failed."""
    await set_up(services=SERVICES)
    await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    state = fired(hass, READ_METER)
    assert (state.attributes["event_type"], state.attributes["input"]) == ("executed", {"Channel": 3})
    await invoke(cloud, device, "RunScene", {"SceneName": "night", "Transition": 5})
    await until(lambda: hass.states.get(RUN_SCENE).attributes["event_type"] == "failed")
    assert fired(hass, READ_METER) is state
    assert hass.states.get(PROPERTY_SET).state == "unknown"


async def test_service_named_like_a_kind_of_command(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """It does not fire the entity of that kind."""
    device.thing_model = None
    name = "property_set"
    await set_up(services=[{"identifier": name, "actions": ACTIONS}], options={"thing_model": None})
    await call_service(device, name)
    await until(lambda: (state := hass.states.get("event.gw_1_service_property_set")) and state.state != "unknown")
    assert hass.states.get(PROPERTY_SET).state == "unknown"


async def call_service(device: CloudDevice, service: str) -> None:
    """Call a service without a thing model."""
    topic = f"/sys/{device.product_key}/{device.device_name}/thing/service/{service}"
    device.connection.send(topic, b'{"id": "7", "params": {}}', 1)


async def test_entity_is_added_and_removed_with_its_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Also while the entry is loaded; the entity belongs to the subentry of the service."""
    entry = await set_up()
    [cloud_device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    subentry = ConfigSubentry(
        data=MappingProxyType({"identifier": "ReadMeter", "actions": ACTIONS}),
        subentry_type=SUBENTRY_SERVICE,
        title="ReadMeter",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    await hass.async_block_till_done()
    registered = er.async_get(hass).async_get(READ_METER)
    assert registered is not None
    assert (registered.config_subentry_id, registered.device_id) == (subentry.subentry_id, cloud_device.id)
    assert registered.translation_key == "service"
    await invoke(cloud, device, "ReadMeter", {"Channel": 1})
    assert fired(hass, READ_METER).attributes["event_type"] == "executed"

    hass.config_entries.async_update_subentry(
        entry, subentry, data={"identifier": "ReadMeter", "actions": [{"delay": {"milliseconds": 2}}]}
    )
    await hass.async_block_till_done()
    assert fired(hass, READ_METER)
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()
    assert hass.states.get(READ_METER) is None
    assert er.async_get(hass).async_get(READ_METER) is None
    assert hass.states.get("binary_sensor.gw_1_connected").state == "on"
    assert [one.id for one in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)] == [
        cloud_device.id
    ]
    assert DOMAIN not in "".join(record.message for record in caplog.records if record.levelname == "ERROR")
    assert "different config subentry" not in caplog.text


async def test_private_input_is_masked(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """The actions get it, the state does not."""
    given: list[str] = []

    async def take(call: ServiceCall) -> None:
        given.append(call.data["pin"])
        raise HomeAssistantError("wrong code")

    hass.services.async_register("test", "unlock", take)
    device.thing_model = None
    actions = [{"action": "test.unlock", "data": {"pin": "{{ PinCode }}"}}]
    await set_up(services=[{"identifier": "Unlock", "actions": actions}], options={"thing_model": None})
    topic = f"/sys/{device.product_key}/{device.device_name}/thing/service/Unlock"
    device.connection.send(topic, b'{"id": "7", "params": {"PinCode": "a4711", "Door": "front"}}', 1)
    await until(lambda: (state := hass.states.get("event.gw_1_service_unlock")) and state.state != "unknown")
    state = fired(hass, "event.gw_1_service_unlock")
    assert given == ["a4711"]
    assert state.attributes["input"] == {"PinCode": HIDDEN, "Door": "front"}
    assert (state.attributes["event_type"], state.attributes["code"]) == ("failed", 100005)


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("DoorPin", 1234, HIDDEN),
        ("pin_code", "1", HIDDEN),
        ("wifi_password", "x", HIDDEN),
        ("Spinning", True, True),
        ("ErrorCode", 3, 3),
        ("Note", "word " * 100, None),
        ("List", [1, {"Token": "x", "a": None}], [1, {"Token": HIDDEN, "a": None}]),
        ("Deep", [[[[[1]]]]], [[[["…"]]]]),
    ],
)
def test_values_are_masked_and_shortened(name: str, value: object, seen: object) -> None:
    """Long and deep values are cut, private ones are masked."""
    result = shortened(BY_NAME_ALONE.masked(name, value))
    if seen is None:
        assert len(result) <= 100
    else:
        assert result == seen


async def test_refused_private_input_is_not_repeated(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    thing_model_document: dict[str, Any],
) -> None:
    """Neither in the event, nor in the state."""
    pin = {"identifier": "PinCode", "name": "PIN", "dataType": {"type": "text", "specs": {"length": "4"}}}
    unlock = {"identifier": "Unlock", "name": "Unlock", "callType": "async", "inputData": [pin], "outputData": []}
    thing_model_document["services"].append(unlock)
    commands = async_capture_events(hass, EVENT_COMMAND)
    await set_up([], [{"identifier": "Unlock", "actions": [{"delay": 0}]}])
    await publish(cloud, device, "thing/service/Unlock", {"id": "7", "params": {"PinCode": "483920"}})
    reply = await reply_on(cloud, "thing/service/Unlock_reply")
    await hass.async_block_till_done()
    assert reply["code"] == 460
    assert commands[0].data["refused"] == "PinCode: wanted text of at most 4 bytes"
    assert "483920" not in str(commands[0].data)
    shown_somewhere = [state.as_dict_json for state in hass.states.async_all("event")]
    assert not any(b"483920" in one for one in shown_somewhere)
    assert any(b"of at most 4 bytes" in one for one in shown_somewhere)
