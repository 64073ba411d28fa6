"""Values set while the device was offline are carried out once after the connect, with all checks, and then cleared."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET
from .conftest import SetUp
from .desired import CLEAR, cleared, is_on, journal, set_desired, set_desired_while_offline, slow_lamp
from .outages import DESIRED, caught_up, end_outage, lose_connection, pass_a_minute, quick_to_return, uplinks
from .waiting import until


@pytest.fixture(autouse=True)
async def home(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up the house, and let connections be made again soon."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 0.05)


async def test_desired_value_is_carried_out_after_an_outage(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """It is fetched, carried out, cleared and noted in the journal, and the new state is posted."""
    entry = await set_up([LAMP, TARGET])
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1, TargetTemperature=23.5)
    await until(lambda: device.desired and cleared(device, "LightSwitch", "TargetTemperature"))
    assert is_on(hass)
    assert float(hass.states.get("input_number.target").state) == 23.5
    await device.wait_for(lambda one: one.properties["LightSwitch"][0] == 1)
    await until(lambda: len(journal(entry)) == 3)
    assert journal(entry) == [
        ("desired", 200, "found (LightSwitch version 1, TargetTemperature version 1)"),
        ("property_set", 200, "success"),
        ("desired", 200, "cleared: done (LightSwitch version 1, TargetTemperature version 1)"),
    ]


async def test_actions_that_outlast_the_connection_are_not_started_again(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """They continue when the connection is lost."""
    binding, started, go_on = slow_lamp(hass)
    entry = await set_up([binding])
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
    await until(lambda: started)
    asked = len(uplinks(cloud, DESIRED))
    device.connection.close("again")
    await until(lambda: len(uplinks(cloud, DESIRED)) > asked)
    go_on.set()
    await until(lambda: cleared(device, "LightSwitch"))
    assert started == [True]


async def test_desired_value_from_before_the_first_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """It is carried out as well."""
    await set_desired(cloud, device, LightSwitch=1)
    await set_up([LAMP])
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


async def test_desired_value_after_a_long_outage(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """Its age is unknown, so it is cleared and not carried out, unless the limit is 0 hours."""
    day = 25 * 3_600_000
    data = {"offline_since": int(dt_util.utcnow().timestamp() * 1000) - day}
    hass_storage["aliyun_iot.here.unsent"] = {"version": 1, "data": data}
    await set_desired(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)
    await until(lambda: journal(entry)[-1][2] == "cleared: not done, because it may be too old (LightSwitch version 1)")

    assert await hass.config_entries.async_unload("here")
    hass_storage["aliyun_iot.here.unsent"]["data"] |= data
    hass.config_entries.async_update_entry(entry, options={**entry.options, "desired_hours": 0})
    await set_desired(cloud, device, LightSwitch=1)
    assert await hass.config_entries.async_setup("here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


STORE = "aliyun_iot.here.unsent"
HOUR = 3_600_000


async def power_cut(hass: HomeAssistant, hass_storage: dict[str, Any], hours: float) -> None:
    """Cut the power of a connected device, so many hours ago: nothing that it would do at a stop has happened."""
    pass_a_minute(hass)
    await hass.async_block_till_done()
    on_disk = deepcopy(hass_storage.get(STORE))
    assert await hass.config_entries.async_unload("here")
    hass_storage.pop(STORE)
    if on_disk:
        on_disk["data"]["offline_since"] -= int(hours * HOUR)
        hass_storage[STORE] = on_disk


@pytest.mark.parametrize(("hours", "done"), [(0.5, True), (23, True), (25, False), (71, False)])
async def test_desired_value_after_a_power_cut(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    hours: float,
    done: bool,
) -> None:
    """The absence began when the device was last known to be connected, although its end was not stored."""
    entry = await set_up([LAMP], entry_id="here")
    await caught_up(entry)
    await power_cut(hass, hass_storage, hours)
    await set_desired(cloud, device, LightSwitch=1)
    assert await hass.config_entries.async_setup("here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass) is done


async def test_time_of_the_connection_is_stored_again_and_again(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every quarter of an hour while connected; the end of the connection is exact."""
    entry = await set_up([LAMP], entry_id="here")
    await caught_up(entry)
    began = int(dt_util.utcnow().timestamp() * 1000)
    for quarters in (1, 2, 3):
        now = began + quarters * HOUR // 4
        for module in ("desired_values", "resync"):
            monkeypatch.setattr(f"custom_components.aliyun_iot.reports.{module}.utc_milliseconds", lambda now=now: now)
        async_fire_time_changed(hass, dt_util.utc_from_timestamp(now / 1000 + 1))
        pass_a_minute(hass)
        await hass.async_block_till_done()
        assert hass_storage[STORE]["data"]["offline_since"] == now
    await entry.runtime_data.suspend()
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert hass_storage[STORE]["data"]["offline_since"] == now


@pytest.mark.parametrize("content", [None, {"version": 99, "data": {}}, {"version": 1, "data": {"offline_since": "?"}}])
@pytest.mark.parametrize(("hours", "done"), [(0, True), (25, False)])
async def test_absence_of_unknown_length(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    content: dict[str, Any] | None,
    hours: float,
    done: bool,
) -> None:
    """Without a stored time, the absence may be as long as the entry has existed."""
    entry = await set_up([LAMP], entry_id="here")
    await caught_up(entry)
    assert await hass.config_entries.async_unload("here")
    hass_storage.pop(STORE)
    if content:
        hass_storage[STORE] = content
    object.__setattr__(entry, "created_at", dt_util.utcnow() - timedelta(hours=hours))
    await set_desired(cloud, device, LightSwitch=1)
    assert await hass.config_entries.async_setup("here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass) is done


async def test_clock_that_was_set_back_makes_desired_values_stale(
    hass: HomeAssistant, hass_storage: dict[str, Any], cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A device without a battery clock starts in the past, and cannot know how long it was off."""
    entry = await set_up([LAMP], entry_id="here")
    await caught_up(entry)
    await power_cut(hass, hass_storage, -2)
    await set_desired(cloud, device, LightSwitch=1)
    assert await hass.config_entries.async_setup("here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_desired_value_waits_for_the_condition(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again until the condition holds."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    hass.states.async_set("person.ada", "not_home")
    condition = [{"condition": "state", "entity_id": "person.ada", "state": "home"}]
    entry = await set_up([{**LAMP, "condition": condition}])
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
    await until(lambda: any(code == 100003 for _, code, _ in journal(entry)))
    assert not cleared(device, "LightSwitch")
    assert not is_on(hass)
    hass.states.async_set("person.ada", "home")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


async def test_desired_value_becomes_stale(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that could not be set for a day is cleared."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.HOUR_MS", 10)
    hass.states.async_remove("input_boolean.lamp")
    entry = await set_up([LAMP])
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert any(code == 100004 for _, code, _ in journal(entry))
    await until(lambda: "may be too old" in journal(entry)[-1][2])


async def test_invalid_desired_value_is_cleared(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The valid one beside it is carried out."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    entry = await set_up([LAMP, TARGET])
    await set_desired_while_offline(cloud, device, entry, TargetTemperature=4000.0, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch", "TargetTemperature"))
    assert is_on(hass)
    assert float(hass.states.get("input_number.target").state) == 20
    await until(lambda: any("can't be" in message for _, _, message in journal(entry)))


async def test_newer_desired_value_is_not_cleared(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Only the version that was carried out is cleared."""
    entry = await set_up([LAMP])
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
    await until(lambda: uplinks(cloud, CLEAR))
    assert uplinks(cloud, CLEAR)[0][1] == {"LightSwitch": {"version": 1}}
    await set_desired(cloud, device, LightSwitch=0)
    await until(lambda: not is_on(hass))
    await until(lambda: cleared(device, "LightSwitch"))
    assert device.desired["LightSwitch"].version == 2


async def test_only_controllable_properties_are_fetched(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Without one there is no request."""
    entry = await set_up([{**LAMP, "access": "report"}])
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
    await device.wait_for(lambda one: one.online)
    await caught_up(entry)
    await hass.async_block_till_done()
    assert not uplinks(cloud, "/thing/property/desired/get")


async def test_many_desired_values_are_several_commands(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Each is as large as one that the cloud may send; the values of an entity stay together."""
    device.thing_model = None
    calls: list[dict[str, Any]] = []
    hass.services.async_register("light", "turn_on", lambda call: calls.append(dict(call.data)))
    hass.services.async_register("test", "note", lambda _call: None)
    attributes = {"supported_color_modes": ["brightness"], "color_mode": None}
    hass.states.async_set("light.desk", "off", attributes)
    own = [{"action": "test.note"}]
    rows = [
        {"identifier": f"P{number}", "entity": "", "aspect": "actions", "access": "control", "actions": own}
        for number in range(450)
    ]
    lamp = [
        {"identifier": identifier, "entity": "light.desk", "aspect": aspect, "access": "both"}
        for identifier, aspect in (("Lamp", "power"), ("Level", "brightness"))
    ]
    entry = await set_up([lamp[0], *rows[:199], lamp[1], *rows[199:]], options={"thing_model": None})
    wanted = {row["identifier"]: 1 for row in rows} | {"Lamp": 1, "Level": 50}
    names = list(wanted)
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    for start in range(0, len(names), 10):
        await set_desired(cloud, device, **{name: wanted[name] for name in names[start : start + 10]})
    end_outage(cloud)
    await until(lambda: device.desired and cleared(device, *names))
    assert [row for row in journal(entry) if row[0] == "property_set"] == [("property_set", 200, "success")] * 3
    assert calls == [{"entity_id": "light.desk", "brightness": 128}]
