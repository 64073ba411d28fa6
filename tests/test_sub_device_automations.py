"""Triggers, the condition and the actions of sub-devices."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import condition, device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.stored_device import StoredDevice
from custom_components.aliyun_iot.sub_device_row import add_sub_devices
from simulator import CloudDevice, Simulator

from .automations import ENTRY_ID, automate, trigger, trigger_data
from .conftest import SetUp
from .sub_house import LAMPS, add_lamps_in_the_cloud, entity_of, new_lamp
from .waiting import until

NAMES = ("lamp-1", "lamp-2")


@pytest.fixture(autouse=True)
def no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin at once after a connect."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.gateway.RECONNECT_SPREAD", 0.0)


@pytest.fixture
async def entry(hass: HomeAssistant, set_up: SetUp, cloud: Simulator) -> MockConfigEntry:
    """Return the entry of a gateway with two lamps that are online."""
    entry = await set_up(options={"thing_model": None, "offline_delay": 0}, entry_id=ENTRY_ID)
    add_lamps_in_the_cloud(cloud, NAMES)
    add_sub_devices(hass, entry, [new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES])
    for name in NAMES:
        await lamp(cloud, name).wait_for(lambda device: device.online)
    await until(lambda: all(device.online for device in entry.runtime_data.devices))
    await hass.async_block_till_done()
    return entry


def lamp(cloud: Simulator, name: str) -> CloudDevice:
    """Return a lamp in the cloud."""
    return cloud.device(LAMPS, name)


def registered(hass: HomeAssistant, entry: MockConfigEntry, number: int) -> str:
    """Return the id of a sub-device in the device registry."""
    owner = list(entry.runtime_data.sub_devices.running)[number]
    found = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, StoredDevice(entry, owner).key), entry.entry_id)
    assert found
    return found.id


async def call(hass: HomeAssistant, name: str, **data: Any) -> Any:
    """Call an action of the integration, and return its response."""
    response = hass.services.supports_response(DOMAIN, name) != "none"
    data = {"config_entry_id": ENTRY_ID, **data}
    return await hass.services.async_call(DOMAIN, name, data, blocking=True, return_response=response)


async def invoke_lamp(cloud: Simulator, name: str) -> Any:
    """Call a service of a lamp as an application in the cloud does, and return the answer."""
    result = await cloud.call(
        "InvokeThingService", ProductKey=LAMPS, DeviceName=name, Identifier="Blink", Args='{"Times": 3}'
    )
    return await lamp(cloud, name).wait_reply(result["Data"]["MessageId"])


async def test_service_triggers_and_is_answered_by_an_automation(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator
) -> None:
    """Only that of the sub-device which the trigger names; the answer needs no sub-device."""
    reply = {"action": "aliyun_iot.reply", "data": {"config_entry_id": ENTRY_ID, "data": {"Done": 1}}}
    calls = await automate(
        hass,
        [trigger("service_called", sub_device=registered(hass, entry, 1))],
        {"action": "test.record", "data": {"trigger": "{{ trigger }}"}},
        reply,
    )
    assert (await invoke_lamp(cloud, "lamp-2")).code == 200
    assert [(trigger_data(call)["device"], trigger_data(call)["identifier"]) for call in calls] == [("Lamp 2", "Blink")]
    assert (await invoke_lamp(cloud, "lamp-1")).code == 100001
    assert len(calls) == 1


async def test_session_of_a_sub_device_triggers(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """It goes offline with its device in the house, and comes back with it; the condition says so, too."""
    first = registered(hass, entry, 0)
    calls = await automate(hass, [trigger("connected", sub_device=first), trigger("disconnected", sub_device=first)])
    config = {"condition": "aliyun_iot.is_connected", "options": {"config_entry_id": ENTRY_ID, "sub_device": first}}
    is_connected = await condition.async_from_config(
        hass, await condition.async_validate_condition_config(hass, config)
    )
    assert holds(is_connected)
    hass.states.async_set(entity_of(hass, "Lamp 1"), "unavailable")
    await until(lambda: calls)
    assert trigger_data(calls[0])["reason"] == "it was logged out"
    assert not holds(is_connected)
    hass.states.async_set(entity_of(hass, "Lamp 2"), "unavailable")
    hass.states.async_set(entity_of(hass, "Lamp 1"), "on")
    await until(lambda: len(calls) == 2)
    assert [trigger_data(call)["device"] for call in calls] == ["Lamp 1", "Lamp 1"]
    assert holds(is_connected)


async def test_message_on_a_user_topic(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """The sub-device subscribes while an automation listens."""
    calls = await automate(hass, [trigger("message_received", sub_device=registered(hass, entry, 0), topic="get")])
    device = entry.runtime_data.sub_devices.running
    filters = f"/{LAMPS}/lamp-1/user/get"
    await until(lambda: filters in next(iter(device.values())).device.filters)

    async def published() -> None:
        while not calls:
            await cloud.call("Pub", ProductKey=LAMPS, TopicFullName=filters, MessageContent="aGVsbG8=", Qos="1")
            await asyncio.sleep(0.05)

    async with asyncio.timeout(10):
        await published()
    assert (trigger_data(calls[0])["device"], trigger_data(calls[0])["payload"]) == ("Lamp 1", "hello")


async def test_actions_act_for_the_sub_device(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """Without one they act for the entry's own device, as ever."""
    second = registered(hass, entry, 1)
    await call(hass, "post_properties", sub_device=second, properties={"Color": 3})
    assert lamp(cloud, "lamp-2").properties["Color"][0] == 3
    assert "Color" not in lamp(cloud, "lamp-1").properties
    assert (await call(hass, "request_sync", sub_device=second))["posted"] == 1
    await cloud.call(
        "SetDeviceDesiredProperty", ProductKey=LAMPS, DeviceName="lamp-2", Items='{"Power": 0}', Versions="{}"
    )
    assert (await call(hass, "get_desired", sub_device=second, identifiers="Power"))["Power"]["value"] == 0


async def test_other_devices_are_refused(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A device of Home Assistant that is no sub-device, of an action and of a trigger."""
    stranger = er.async_get(hass).async_get(entity_of(hass, "Lamp 1"))
    assert stranger
    for wrong in (stranger.device_id, "nobody"):
        with pytest.raises(ServiceValidationError, match="does not belong to this device"):
            await call(hass, "request_sync", sub_device=wrong)
    await automate(hass, [trigger("connected", sub_device=stranger.device_id)])
    assert hass.states.get("automation.story").state == "unavailable"


def holds(checker: Any) -> bool:
    """Return what a compiled condition says."""
    return bool(checker.async_check())
