"""Diagnostics contain what helps to find a problem; the secret is neither in them nor in a log."""

import json
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, Simulator

from .application import LAMP, SERVICES, invoke
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .connection_form import at, triple
from .test_reporter import CELSIUS, SWITCH, TEMPERATURE, posted
from .waiting import until
from .walk import Walk


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


async def test_delivery_of_each_property_is_included_without_values(
    hass: HomeAssistant,
    hass_client: Any,
    cloud: Simulator,
    set_up: SetUp,
    thing_model_document: dict[str, Any],
) -> None:
    """Whether the cloud has the present value, and if not, why not."""
    await async_setup_component(hass, "diagnostics", {})
    refused = ("CurrentHumidity", "EnergyTotal")
    known = [row for row in thing_model_document["properties"] if row["identifier"] not in refused]
    device = cloud.add_device(
        PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET, tsl={**thing_model_document, "properties": known}
    )

    def measure(identifier: str, value: float) -> None:
        unit = CELSIUS if identifier.endswith("Temperature") else {}
        hass.states.async_set(f"sensor.{identifier.lower()}", str(value), unit)

    rows = [
        {"identifier": identifier, "entity": f"sensor.{identifier.lower()}", "aspect": "value"}
        for identifier in ("CurrentTemperature", "TargetTemperature", *refused)
    ]
    held_back = {"identifier": "Brightness", "entity": "sensor.brightness", "aspect": "value", "min_interval": 3600}
    for row in (*rows, held_back):
        measure(row["identifier"], 23)
    measure("TargetTemperature", 400)
    entry = await set_up([*rows, held_back, SWITCH])
    await posted(device, "Brightness", 23)
    measure("Brightness", 24)
    for value in (24, 25):
        await until(lambda: "EnergyTotal" in entry.runtime_data.device.reporter.outbox.refusals)
        measure("EnergyTotal", value)
        await until(lambda: "EnergyTotal" not in entry.runtime_data.device.reporter.outbox.unsent)
    cloud.faults.set(lose_replies=1)

    async def delivery() -> dict[str, Any]:
        found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
        rows: dict[str, Any] = found["reporter"]["properties"]
        return rows

    found = await delivery()
    assert {key: sorted(name for name, value in row.items() if value is True) for key, row in found.items()} == {
        "CurrentTemperature": ["has_value", "in_cloud"],
        "TargetTemperature": [],
        "CurrentHumidity": ["has_value"],
        "EnergyTotal": ["has_value", "resting"],
        "Brightness": ["has_value", "waiting"],
        "LightSwitch": [],
    }
    assert {key: row["refusals_in_a_row"] for key, row in found.items() if row["refusals_in_a_row"]} == {
        "CurrentHumidity": 1,
        "EnergyTotal": 3,
    }
    assert "params not exist" in found["EnergyTotal"]["why_not"]
    assert "35" in found["TargetTemperature"]["why_not"]
    assert found["CurrentTemperature"]["why_not"] == found["LightSwitch"]["why_not"] == ""
    assert (
        0 <= found["CurrentTemperature"]["seconds_since_accepted"] <= found["CurrentTemperature"]["seconds_since_sent"]
    )
    assert found["EnergyTotal"]["seconds_since_sent"] >= 0
    assert found["EnergyTotal"]["seconds_since_accepted"] is found["LightSwitch"]["seconds_since_sent"] is None

    measure("CurrentTemperature", 24.7)
    await posted(device, "CurrentTemperature", 24.7)
    found = await delivery()
    assert (found["CurrentTemperature"]["sending"], found["CurrentTemperature"]["in_cloud"]) == (True, False)
    assert "24.7" not in json.dumps(found)


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
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud))
    assert walk.aborted == "already_configured"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    text = "\n".join(f"{record.getMessage()} {record.exc_info}" for record in records)
    assert "CONNECT" in text
    assert DEVICE_SECRET not in text
    states = "".join(repr(state.as_dict()) for state in hass.states.async_all())
    assert DEVICE_SECRET not in states
