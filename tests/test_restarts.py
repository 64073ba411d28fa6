"""Unsent values survive restarts and power cuts, and nothing is written or sent without need."""

from pathlib import Path
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.reports.store import SEGMENT
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import (
    NOON,
    POWER,
    all_sent,
    caught_up,
    end_outage,
    lose_connection,
    measure,
    pass_a_minute,
    quick_to_return,
)
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until

NO_MODEL = {"thing_model": None}


@pytest.fixture(autouse=True)
def quick_reconnects(monkeypatch: pytest.MonkeyPatch, device: CloudDevice) -> None:
    """Let the cloud take any property, and let connections come back soon."""
    device.thing_model = None
    quick_to_return(monkeypatch)


@pytest.fixture
async def running(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> MockConfigEntry:
    """Return an entry whose first measurement has arrived."""
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER], options=NO_MODEL)
    await posted(device, "Power", 1)
    await all_sent(entry)
    return entry


async def test_unsent_values_survive_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """Samples, and the last value of an entity that is unavailable by then, are kept on disk."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER, TEMPERATURE], options=NO_MODEL)
    await all_sent(entry)
    key = f"aliyun_iot.{entry.entry_id}.unsent"
    assert not any(name.startswith(key) for name in hass_storage)

    await lose_connection(cloud, device, entry)
    for second in range(1, 2 * SEGMENT + 10):
        measure(hass, "sensor.power", second + 1, second * 1000)
    hass.states.async_set("sensor.living_room", "25", CELSIUS)
    hass.states.async_set("sensor.living_room", STATE_UNAVAILABLE)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert hass_storage[key]["data"]["segments"] == [0, 1, 2]
    hass.states.async_set("sensor.power", STATE_UNAVAILABLE)
    end_outage(cloud)
    await hass.config_entries.async_setup(entry.entry_id)
    await posted(device, "CurrentTemperature", 25.0)
    await posted(device, "Power", 2 * SEGMENT + 10)
    await until(lambda: len(device.samples["Power"]) == 2 * SEGMENT + 10)
    await all_sent(entry)
    assert sorted(device.samples["Power"]) == [(n + 1, NOON + n * 1000) for n in range(2 * SEGMENT + 10)]

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert [name for name in hass_storage if name.startswith(key)] == [key]
    await hass.config_entries.async_remove(entry.entry_id)
    assert not any(name.startswith(key) for name in hass_storage)


async def test_samples_are_written_within_a_minute(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    running: MockConfigEntry,
) -> None:
    """A power cut costs a minute at most; all changes of that minute are written at once."""
    await lose_connection(cloud, device, running)
    for second in range(1, 60):
        measure(hass, "sensor.power", second + 1, second * 1000)
    key = f"aliyun_iot.{running.entry_id}.unsent"
    assert key not in hass_storage
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert len(hass_storage[f"{key}.0"]["data"]["samples"]) == 59
    assert hass_storage[key]["data"]["segments"] == [0]
    await hass.config_entries.async_unload(running.entry_id)


async def test_nothing_is_written_while_connected(
    hass: HomeAssistant, hass_storage: dict[str, Any], device: CloudDevice, running: MockConfigEntry
) -> None:
    """Nothing is written to the SD card during a connection, however much is reported."""
    for second in range(1, 50):
        measure(hass, "sensor.power", second + 1, second * 1000)
    await posted(device, "Power", 50)
    await all_sent(running)
    async_fire_time_changed(hass, dt_util.utcnow() + dt_util.dt.timedelta(hours=2))
    await hass.async_block_till_done()
    assert not any(name.endswith("unsent") for name in hass_storage)


async def test_last_values_of_entities_without_a_state_are_sent(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, real_disk: Path
) -> None:
    """After a restart, integrations may need minutes until their entities have a state; the values are sent before."""
    hass.states.async_set("sensor.living_room", "20")
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER, TEMPERATURE], options=NO_MODEL)
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    hass.states.async_set("sensor.living_room", "25")
    measure(hass, "sensor.power", 2, 1000)
    measure(hass, "sensor.power", 3, 2000)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for entity_id in ("sensor.living_room", "sensor.power"):
        hass.states.async_remove(entity_id)
    end_outage(cloud)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await caught_up(entry)
    assert device.properties["CurrentTemperature"][0] == 25
    assert device.properties["Power"] == (3, NOON + 2000)
    assert sorted(device.samples["Power"]) == [(1, NOON), (2, NOON + 1000), (3, NOON + 2000)]
