"""The condition, in automations as the user interface stores them."""

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.condition import async_get_all_descriptions
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.aliyun_iot.condition import async_get_conditions
from simulator import CloudDevice

from .automations import ENTRY_ID, automate
from .conftest import SetUp
from .test_translations import INTEGRATION
from .waiting import until

CONNECTED = {"condition": "aliyun_iot.is_connected", "options": {"config_entry_id": ENTRY_ID}}


async def test_is_connected(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is true while there is a connection, and false before there is an entry and after it was unloaded."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 60)
    calls = await automate(hass, [{"trigger": "event", "event_type": "ask"}], conditions=[CONNECTED])

    async def holds() -> bool:
        calls.clear()
        hass.bus.async_fire("ask")
        await hass.async_block_till_done()
        return bool(calls)

    assert not await holds()
    entry = await set_up(entry_id=ENTRY_ID)
    assert await holds()
    device.connection.close("the cloud has other plans")
    await until(lambda: entry.runtime_data.link.state != "online")
    assert not await holds()
    await hass.config_entries.async_reload(entry.entry_id)
    assert await holds()
    await hass.config_entries.async_unload(entry.entry_id)
    assert not await holds()


async def test_condition_without_a_device(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
    """The automation is not set up."""
    unnamed = {"condition": "aliyun_iot.is_connected", "options": {}}
    await automate(hass, [{"trigger": "event", "event_type": "ask"}], conditions=[unnamed])
    assert hass.states.get("automation.story").state == STATE_UNAVAILABLE
    assert "config_entry_id" in caplog.text


async def test_every_condition_is_described(hass: HomeAssistant, set_up: SetUp) -> None:
    """The descriptions for the user interface match the conditions."""
    await set_up()
    fields = (await async_get_all_descriptions(hass))["aliyun_iot.is_connected"]["fields"]
    assert fields.keys() == {"config_entry_id", "sub_device"}
    assert (await async_get_conditions(hass)).keys() == load_yaml_dict(str(INTEGRATION / "conditions.yaml")).keys()
