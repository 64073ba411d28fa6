"""The diagnostic sensors: disabled by default, and updated at a fixed interval."""

from datetime import timedelta
import json
from pathlib import Path

from homeassistant.components.sensor import SensorStateClass
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.aliyun_iot import sensor
from custom_components.aliyun_iot.alink.link import LinkState
from simulator import CloudDevice, Simulator

from .application import LAMP, SetProperties
from .conftest import SetUp
from .outages import all_sent, end_outage, lose_connection, quick_to_return
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until
from .walk import translations

ICONS = Path(sensor.__file__).with_name("icons.json")
KEYS = {each.key for each in sensor.SENSORS if not each.entity_registry_enabled_default}
"""The numbers, which are disabled by default."""


def registered_sensors(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, er.RegistryEntry]:
    """Return the numbers of an entry by translation key."""
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {one.translation_key: one for one in registered if one.domain == "sensor" and one.translation_key in KEYS}


async def enable(hass: HomeAssistant, entry: MockConfigEntry, *keys: str) -> None:
    """Enable sensors as a user does; Home Assistant reloads the entry half a minute later."""
    for key in keys:
        er.async_get(hass).async_update_entity(registered_sensors(hass, entry)[key].entity_id, disabled_by=None)
    await pass_update_interval(hass)
    await until(lambda: shown(hass, entry).keys() == set(keys))


async def pass_update_interval(hass: HomeAssistant) -> None:
    """Advance the time past the sensors' update interval."""
    async_fire_time_changed(hass, dt_util.utcnow() + sensor.UPDATE_INTERVAL + timedelta(seconds=1))
    await hass.async_block_till_done()


def shown(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the states of the enabled sensors by translation key."""
    found = {key: hass.states.get(one.entity_id) for key, one in registered_sensors(hass, entry).items()}
    return {key: state.state for key, state in found.items() if state}


def changes(events: list[Event], entity_id: str) -> int:
    """Return the number of state changes of an entity."""
    return sum(event.data["entity_id"] == entity_id for event in events)


async def test_disabled_sensors_start_no_timer(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All numbers are registered as disabled diagnostic entities of the device."""
    timers: list[object] = []
    monkeypatch.setattr(sensor, "async_track_time_interval", lambda *args, **kwargs: timers.append(args))
    entry = await set_up()
    registered = registered_sensors(hass, entry)
    assert registered.keys() == KEYS
    assert {one.disabled_by for one in registered.values()} == {er.RegistryEntryDisabler.INTEGRATION}
    assert {one.entity_category for one in registered.values()} == {EntityCategory.DIAGNOSTIC}
    [device_id] = {one.device_id for one in registered.values()}
    connected = er.async_get(hass).async_get("binary_sensor.gw_1_connected")
    assert connected
    assert device_id == connected.device_id
    assert not shown(hass, entry)
    assert len(timers) == len(sensor.SENSORS) - len(KEYS)


async def test_sensors_count_values_and_commands(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Values, rejections, an outage and commands are counted."""
    quick_to_return(monkeypatch)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([LAMP, TEMPERATURE])
    await enable(hass, entry, *KEYS)
    await posted(device, "LightSwitch", 0)
    await all_sent(entry)
    await set_properties(LightSwitch=1)
    await set_properties(Brightness=1)
    await posted(device, "LightSwitch", 1)
    await lose_connection(cloud, device, entry)
    for degree in (21, 22, 23):
        hass.states.async_set("sensor.living_room", str(degree), CELSIUS)
    await pass_update_interval(hass)
    offline = shown(hass, entry)
    assert offline["values_buffered"] == "1"
    assert int(offline["values_merged"]) == entry.runtime_data.device.reporter.counters.merged >= 2
    assert offline["commands_received"] == "2"
    assert offline["commands_refused"] == "1"

    cloud.faults.set(answer_code={"code": 6813, "count": 2})  # of the snapshot, and of its first half
    end_outage(cloud)
    await until(lambda: entry.runtime_data.device.reporter.counters.rejected)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    await all_sent(entry)
    await pass_update_interval(hass)
    online = shown(hass, entry)
    counters = entry.runtime_data.device.reporter.counters
    assert online["values_buffered"] == "0"
    assert online["values_rejected"] == str(counters.rejected)
    assert int(online["values_sent"]) == counters.sent > 2
    assert int(online["messages_sent"]) == counters.posts > int(offline["messages_sent"])


async def test_state_changes_are_limited_by_the_interval(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a number changes, it is recorded once per interval, and not at all if it stays the same."""
    hass.states.async_set("sensor.living_room", "0", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await enable(hass, entry, "values_sent")
    await posted(device, "CurrentTemperature", 0.0)
    await pass_update_interval(hass)
    events = async_capture_events(hass, EVENT_STATE_CHANGED)
    entity_id = registered_sensors(hass, entry)["values_sent"].entity_id
    for degree in range(1, 10):
        hass.states.async_set("sensor.living_room", str(degree), CELSIUS)
        await posted(device, "CurrentTemperature", float(degree))
    await all_sent(entry)
    assert changes(events, entity_id) == 0
    await pass_update_interval(hass)
    assert changes(events, entity_id) == 1
    await pass_update_interval(hass)
    assert changes(events, entity_id) == 1

    assert await hass.config_entries.async_unload(entry.entry_id)
    await pass_update_interval(hass)
    assert shown(hass, entry) == {"values_sent": STATE_UNAVAILABLE}


async def test_state_classes(hass: HomeAssistant, set_up: SetUp) -> None:
    """Counters restart at 0 with Home Assistant, so they are total increasing; the buffer is a measurement."""
    entry = await set_up()
    await enable(hass, entry, *KEYS)
    classes = {
        key: state.attributes["state_class"]
        for key, one in registered_sensors(hass, entry).items()
        if (state := hass.states.get(one.entity_id))
    }
    assert classes.pop("values_buffered") == SensorStateClass.MEASUREMENT
    assert set(classes.values()) == {SensorStateClass.TOTAL_INCREASING}
    assert len(classes) == len(KEYS) - 1


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_sensor_has_a_name_and_an_icon(language: str) -> None:
    """Without a name a sensor would have the name of the device."""
    assert translations(language)["entity"]["sensor"].keys() == {each.key for each in sensor.SENSORS}
    assert json.loads(ICONS.read_text(encoding="utf-8"))["entity"]["sensor"].keys() == {
        each.key for each in sensor.SENSORS
    }
