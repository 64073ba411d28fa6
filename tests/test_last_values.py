"""The last value of an entity reaches the cloud even after the entity or its binding was changed, or with a wrong clock."""

import time

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import CONF_BINDINGS
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import POWER, WATT, all_sent, caught_up, end_outage, lose_connection, quick_to_return
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until

NO_MODEL = {"thing_model": None}
DAY = 86_400.0


@pytest.fixture(autouse=True)
def quick_reconnects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lost connection come back within moments."""
    quick_to_return(monkeypatch)


@pytest.fixture
async def thermometer(hass: HomeAssistant) -> er.RegistryEntry:
    """Return an entity that can be renamed."""
    registry = er.async_get(hass)
    return registry.async_get_or_create("sensor", "test", "thermometer", suggested_object_id="living_room")


async def lose_connection_and_entity(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, thermometer: er.RegistryEntry
) -> MockConfigEntry:
    """Let the entity have a value in an outage, and then become unavailable."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([{**TEMPERATURE, "entity": thermometer.id}])
    await posted(device, "CurrentTemperature", 20)
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    hass.states.async_set("sensor.living_room", "25", CELSIUS)
    hass.states.async_set("sensor.living_room", STATE_UNAVAILABLE)
    return entry


async def test_last_value_is_sent_after_the_entity_was_renamed(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, thermometer: er.RegistryEntry
) -> None:
    """Another entity id is not another entity."""
    await lose_connection_and_entity(hass, cloud, device, set_up, thermometer)
    er.async_get(hass).async_update_entity(thermometer.entity_id, new_entity_id="sensor.parlour")
    hass.states.async_remove("sensor.living_room")
    hass.states.async_set("sensor.parlour", STATE_UNAVAILABLE)
    await hass.async_block_till_done()
    end_outage(cloud)
    await posted(device, "CurrentTemperature", 25)


@pytest.mark.parametrize(
    ("change", "value"),
    [({"dead_band": 0.5}, 25), ({"conversion": {"offset": 1}}, 20)],
    ids=["dead-band", "conversion"],
)
async def test_last_value_after_a_changed_binding(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    thermometer: er.RegistryEntry,
    change: dict[str, object],
    value: int,
) -> None:
    """The value is dropped only when it would mean something else now."""
    entry = await lose_connection_and_entity(hass, cloud, device, set_up, thermometer)
    row = {**TEMPERATURE, "entity": thermometer.id, **change}
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={CONF_BINDINGS: [row]})
    await hass.async_block_till_done()
    end_outage(cloud)
    await caught_up(entry)
    assert device.properties["CurrentTemperature"][0] == value


def measure_at(hass: HomeAssistant, value: int, seconds: float) -> None:
    """Let the meter have a value so many seconds from now."""
    hass.states.async_set("sensor.power", str(value), WATT, timestamp=time.time() + seconds)


async def test_value_of_a_clock_that_was_days_ahead_is_accepted(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The platform refuses a message with a time of the day after tomorrow, so the present time is sent instead."""
    device.thing_model = None
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    measure_at(hass, 1, 3 * DAY)
    entry = await set_up([POWER, TEMPERATURE], options=NO_MODEL)
    await caught_up(entry)
    for degree in (21, 22):
        await lose_connection(cloud, device, entry)
        hass.states.async_set("sensor.living_room", str(degree), CELSIUS)
        end_outage(cloud)
        await posted(device, "CurrentTemperature", degree)
        await caught_up(entry)
    assert device.properties["Power"][0] == 1
    assert "CurrentTemperature" not in entry.runtime_data.device.reporter.outbox.refusals


async def test_value_of_a_clock_that_was_days_ahead_has_one_time(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The cloud gets it with each connection, but always with the time of the first one."""
    device.thing_model = None
    entry = await set_up([POWER], options=NO_MODEL)
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    measure_at(hass, 1, 3 * DAY)
    end_outage(cloud)
    await caught_up(entry)
    known = len(device.samples["Power"])
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await device.wait_for(lambda one: len(one.samples["Power"]) > known)
    assert len(set(device.samples["Power"])) == 1


async def test_samples_from_days_ahead_are_left_out(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """They cannot be sent, and are counted as rejected; all others are sent."""
    device.thing_model = None
    measure_at(hass, 1, -5000)
    entry = await set_up([POWER], options=NO_MODEL)
    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    for number in range(300):
        measure_at(hass, 1000 + number, 2 * DAY + number)
    for number in range(300):
        measure_at(hass, 2000 + number, number - 1000)
    end_outage(cloud)
    await caught_up(entry)
    await until(lambda: device.properties["Power"][0] == 2299)
    assert {value for value, _ in device.samples["Power"]} == {1, *range(2000, 2300)}
    assert entry.runtime_data.device.reporter.counters.rejected == 300
    assert "takes no values of the past" not in caplog.text
