"""The shadow as actions and as a trigger."""

import json

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
import voluptuous as vol

from simulator import CloudDevice, Simulator

from .automations import ENTRY_ID, automate, trigger, trigger_data
from .conftest import SetUp
from .test_actions import act
from .waiting import until


async def test_actions(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """It is read, changed and deleted from; the version is kept by itself."""
    entry = await set_up()
    topic = entry.runtime_data.link.device.topics.shadow_get
    assert topic not in device.connection.subscriptions
    assert await act(hass, "get_shadow", entry.entry_id) == {"reported": {}, "desired": {}, "version": 0}
    assert topic in device.connection.subscriptions
    reported = {"mode": "away", "windows": {"left": 1}}
    assert await act(hass, "update_shadow", entry.entry_id, reported=reported) == {"version": 1}
    assert device.shadow.reported == reported
    device.shadow.desire({"mode": "home"}, 0, 0, delta=False)
    response = await act(
        hass, "update_shadow", entry.entry_id, reported={"mode": "home"}, clear_desired=True, version=7
    )
    assert response == {"version": 7}
    assert (device.shadow.reported["mode"], device.shadow.desired) == ("home", {})
    assert await act(hass, "delete_shadow", entry.entry_id, keys=["windows"]) == {"version": 8}
    assert await act(hass, "get_shadow", entry.entry_id) == {"reported": {"mode": "home"}, "desired": {}, "version": 8}


async def test_refused_actions(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """The error has the reason of the cloud, or says what is missing."""
    entry = await set_up()
    with pytest.raises(ServiceValidationError, match="attributes to report"):
        await act(hass, "update_shadow", entry.entry_id)
    with pytest.raises(vol.Invalid):
        await act(hass, "delete_shadow", entry.entry_id, keys=[])
    with pytest.raises(HomeAssistantError, match="409"):
        await act(hass, "update_shadow", entry.entry_id, reported={"a": 1}, version=0)
    with pytest.raises(HomeAssistantError, match="128 attributes"):
        await act(hass, "update_shadow", entry.entry_id, reported={f"a{number}": 1 for number in range(200)})


async def test_trigger(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """A change by an application triggers with both parts."""
    calls = await automate(hass, [trigger("shadow_changed")])
    await set_up(entry_id=ENTRY_ID)
    device.shadow.report({"reported": {"mode": "away"}}, 3, 0)
    message = {"method": "update", "state": {"desired": {"mode": "home"}}, "version": 0}
    await cloud.call(
        "UpdateDeviceShadow",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        ShadowMessage=json.dumps(message),
    )
    await until(lambda: calls)
    assert trigger_data(calls[0]) == {
        "config_entry_id": ENTRY_ID,
        "device": "gw-1",
        "reported": {"mode": "away"},
        "desired": {"mode": "home"},
        "version": 4,
    }
