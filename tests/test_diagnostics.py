"""Diagnostics contain what helps to find a problem; the secret is neither in them nor in a log."""

import json
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import CONF_DEVICE_SECRET, DOMAIN
from simulator import CloudDevice, Simulator

from .application import LAMP, SERVICES, invoke
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until


@pytest.fixture
def verbose(caplog: pytest.LogCaptureFixture) -> None:
    """Log at debug level."""
    caplog.set_level(logging.DEBUG)


@pytest.fixture
async def busy_entry(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
) -> Any:
    """Return an entry with reported, rejected and commanded properties and with a missing entity."""
    await async_setup_component(hass, "input_boolean", {"input_boolean": {"lamp": None}})
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    gone = {"identifier": "ZoneLevels", "entity": "0123456789abcdef", "aspect": "value"}
    entry = await set_up([LAMP, TEMPERATURE, gone], SERVICES)
    await posted(device, "CurrentTemperature", 20.0)
    for items in ({"LightSwitch": 1}, {"Stranger": 1}, {"LightSwitch": f"{DEVICE_SECRET}"}):
        result = await cloud.call(
            "SetDeviceProperty", ProductKey=PRODUCT_KEY, DeviceName=DEVICE_NAME, Items=json.dumps(items)
        )
        await device.wait_reply(result["Data"]["MessageId"])
    await invoke(cloud, device, "ReadMeter", {"Channel": 1})
    cloud.faults.set(answer_code={"code": 6813, "count": 9})
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await until(lambda: "CurrentTemperature" in entry.runtime_data.device.reporter.outbox.refusals)
    cloud.faults.set(answer_code=None)
    return entry


async def test_diagnostics_contain_state_without_identity(
    hass: HomeAssistant, hass_client: Any, device: CloudDevice, busy_entry: Any
) -> None:
    """Counters, problems and the last commands are included."""
    await async_setup_component(hass, "diagnostics", {})
    found = await get_diagnostics_for_config_entry(hass, hass_client, busy_entry)
    assert found["link"]["state"] == "online"
    assert found["events"]["counters"] == {"posted": 0, "refused": 0, "dropped": 0}
    assert found["events"]["problems"] == {}
    assert found["bindings"]["working"]["LightSwitch"] == "input_boolean.lamp"
    assert "removed" in found["bindings"]["problems"]["ZoneLevels"]
    assert found["reporter"]["refusals"]["CurrentTemperature"]["value"] == 21.0
    assert [row["code"] for row in found["commands"]] == [200, 100007, 100008, 200]
    text = json.dumps(found)
    for secret in (DEVICE_SECRET, PRODUCT_KEY, f'"{DEVICE_NAME}"'):
        assert secret not in text


async def test_own_actions_are_only_counted(
    hass: HomeAssistant, hass_client: Any, device: CloudDevice, set_up: SetUp
) -> None:
    """The user's actions may contain codes."""
    await async_setup_component(hass, "diagnostics", {})
    actions = [{"action": "alarm_control_panel.alarm_disarm", "data": {"code": "4711"}}]
    row = {"identifier": "LightSwitch", "entity": "", "aspect": "actions", "access": "control", "actions": actions}
    found = await get_diagnostics_for_config_entry(hass, hass_client, await set_up([row]))
    assert found["entry"]["exposures"] == [{"bindings": [{**row, "actions": 1}]}]
    assert "4711" not in json.dumps(found)


async def test_secret_is_never_logged(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    entry_data: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    verbose: None,
    busy_entry: Any,
) -> None:
    """It is not logged at debug level either, with wrong secrets and lost connections."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.01)
    entry = busy_entry
    device.connection.close("closed by the test")
    link = entry.runtime_data.link
    await until(lambda: device.connections == 2 and link.state is LinkState.ONLINE)
    await hass.services.async_call(
        DOMAIN, "post_event", {"config_entry_id": entry.entry_id, "identifier": "SceneActivated"}, blocking=True
    )
    device.device_secret = "f" * 32  # the secret was reset in the console
    device.connection.close("closed by the test")
    await until(lambda: bool(hass.config_entries.flow.async_progress_by_handler(DOMAIN)))
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data={**entry_data, CONF_DEVICE_SECRET: DEVICE_SECRET}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    text = "\n".join(f"{record.getMessage()} {record.exc_info}" for record in records)
    assert "CONNECT" in text
    assert DEVICE_SECRET not in text
    states = "".join(repr(state.as_dict()) for state in hass.states.async_all())
    assert DEVICE_SECRET not in states
