"""Every sample of an outage reaches the cloud: once, with its own time, after what is true now."""

import json
import logging
from pathlib import Path
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.reports.history import History
from custom_components.aliyun_iot.reports.outbox import Counters
from custom_components.aliyun_iot.reports.store import SEGMENT
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import (
    BATCH,
    DESIRED,
    HISTORY,
    NOON,
    POST,
    POWER,
    VOLTAGE,
    all_sent,
    end_outage,
    lose_connection,
    measure,
    on_topic,
    quick_to_return,
    uplinks,
)
from .test_reporter import CELSIUS, SWITCH, TEMPERATURE, posted
from .waiting import until

NO_MODEL = {"thing_model": None}
DAY_OF_SECONDS = 86_400


@pytest.fixture(autouse=True)
def patient_cloud(monkeypatch: pytest.MonkeyPatch, device: CloudDevice) -> None:
    """Take any property, and let connections come back soon."""
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


async def test_an_outage_leaves_no_gap(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """The last value comes first, as what is; all before it comes as what was, in order and once."""
    await lose_connection(cloud, device, running)
    for second in range(1, 451):
        measure(hass, "sensor.power", second + 1, second * 1000)
    assert running.runtime_data.device.reporter.buffered == 450
    seen = len(cloud.wire)
    end_outage(cloud)
    await all_sent(running)

    assert on_topic(cloud, HISTORY) == [("Power", second + 1, NOON + second * 1000) for second in range(1, 450)]
    assert on_topic(cloud, POST)[-1] == ("Power", 451, NOON + 450_000)
    assert device.properties["Power"] == (451, NOON + 450_000)
    order = [topic for topic, _ in uplinks(cloud, POST, HISTORY)]
    assert order[-4:] == [POST, HISTORY, HISTORY, HISTORY]
    assert len(cloud.wire) > seen
    times = [time for _, time in device.samples["Power"]]
    assert len(times) == len(set(times))


async def test_the_order_of_a_return(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """Subscribe, snapshot, desired values, and only then the past."""
    hass.states.async_set("switch.lamp", "off")
    measure(hass, "sensor.power", 1)
    entry = await set_up([SWITCH, POWER], options=NO_MODEL)
    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    measure(hass, "sensor.power", 2)
    measure(hass, "sensor.power", 3)
    cloud.wire.clear()
    end_outage(cloud)
    await all_sent(entry)
    assert [topic for topic, _ in uplinks(cloud, POST, DESIRED, HISTORY, BATCH)] == [POST, DESIRED, HISTORY]


async def test_what_happens_now_does_not_wait_for_the_past(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """A change while the history is being sent goes before the rest of it."""
    await lose_connection(cloud, device, running)
    for second in range(1, 1000):
        measure(hass, "sensor.power", second + 1, second * 1000)
    cloud.faults.set(delay_replies=0.02)
    end_outage(cloud)
    await until(lambda: on_topic(cloud, HISTORY))
    measure(hass, "sensor.power", 0.5, 2_000_000)
    await all_sent(running)
    topics = [topic for topic, _ in uplinks(cloud, BATCH, HISTORY)]
    assert BATCH in topics[1:-1]
    assert device.properties["Power"][0] == 0.5
    values = [value for value, _ in device.samples["Power"]]
    assert sorted(values) == [0.5, *range(1, 1001)]


async def test_what_was_on_its_way_is_sent_as_past(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """Whether a sample without a reply arrived nobody knows; it is sent again under the same time."""
    cloud.faults.set(lose_replies=1)
    measure(hass, "sensor.power", 2, 1000)
    await posted(device, "Power", 2)
    await lose_connection(cloud, device, running)
    measure(hass, "sensor.power", 3, 2000)
    end_outage(cloud)
    await all_sent(running)
    assert set(device.samples["Power"]) == {(1, NOON), (2, NOON + 1000), (3, NOON + 2000)}


async def test_a_property_that_only_the_newest_value_counts_of(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Without the wish for every sample an outage costs one value of each."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    for degree in range(21, 31):
        hass.states.async_set("sensor.living_room", str(degree), CELSIUS)
    end_outage(cloud)
    await posted(device, "CurrentTemperature", 30.0)
    await all_sent(entry)
    assert [value for value, _ in device.samples["CurrentTemperature"]] == [20.0, 30.0]
    assert entry.runtime_data.device.reporter.counters.merged >= 9


async def test_a_restart_during_an_outage(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """Samples, and the last word of an entity that has none by then, are kept on disk."""
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
    await until(lambda: len(device.samples["Power"]) == 2 * SEGMENT + 10, timeout=30)
    await all_sent(entry)
    assert sorted(device.samples["Power"]) == [(n + 1, NOON + n * 1000) for n in range(2 * SEGMENT + 10)]

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert [name for name in hass_storage if name.startswith(key)] == [key]
    await hass.config_entries.async_remove(entry.entry_id)
    assert not any(name.startswith(key) for name in hass_storage)


async def test_a_power_cut_costs_a_minute(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    running: MockConfigEntry,
) -> None:
    """What is older than a minute is on disk already; it is written once for all changes of that minute."""
    await lose_connection(cloud, device, running)
    for second in range(1, 60):
        measure(hass, "sensor.power", second + 1, second * 1000)
    key = f"aliyun_iot.{running.entry_id}.unsent"
    assert key not in hass_storage
    async_fire_time_changed(hass, dt_util.utcnow() + dt_util.dt.timedelta(seconds=61))
    await hass.async_block_till_done()
    assert len(hass_storage[f"{key}.0"]["data"]["samples"]) == 59
    assert hass_storage[key]["data"]["segments"] == [0]
    await hass.config_entries.async_unload(running.entry_id)


async def test_nothing_is_written_while_connected(
    hass: HomeAssistant, hass_storage: dict[str, Any], device: CloudDevice, running: MockConfigEntry
) -> None:
    """A connection costs the SD card nothing, however much is reported."""
    for second in range(1, 50):
        measure(hass, "sensor.power", second + 1, second * 1000)
    await posted(device, "Power", 50)
    await all_sent(running)
    async_fire_time_changed(hass, dt_util.utcnow() + dt_util.dt.timedelta(hours=2))
    await hass.async_block_till_done()
    assert not any(name.endswith("unsent") for name in hass_storage)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x00\x00\x00",
        b'{"version": 1, "minor_version": 1, "data": {"segments": [0], "latest": ',
        b'{"version": 99, "minor_version": 1, "data": {"segments": []}}',
        b'{"version": 1, "minor_version": 1, "data": ["a list"]}',
        b'["no store at all"]',
        b'{"some": "other file"}',
    ],
)
async def test_a_store_that_cannot_be_read(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    real_disk: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
) -> None:
    """A damaged or foreign file is set aside, which is said, and everything works without it."""
    stored = real_disk / ".storage" / "aliyun_iot.here.unsent"
    stored.parent.mkdir()
    stored.write_bytes(content)
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER], options=NO_MODEL, entry_id="here")
    await posted(device, "Power", 1)
    aside = [path for path in stored.parent.iterdir() if path.name.startswith("aliyun_iot.here.unsent.")]
    assert [path.read_bytes() for path in aside] == [content]
    assert any(record.levelno >= logging.WARNING and str(stored) in record.getMessage() for record in caplog.records)

    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    measure(hass, "sensor.power", 2, 1000)
    await hass.config_entries.async_unload(entry.entry_id)
    assert json.loads(stored.read_bytes())["data"]["segments"] == [0]


async def test_a_damaged_segment_costs_no_other(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """What makes no sense is left out, row by row and file by file."""
    key = "aliyun_iot.here.unsent"
    hass_storage[key] = {
        "version": 1,
        "data": {
            "segments": [0, 1, 2, "three"],
            "latest": {"Power": "nonsense", "Voltage": [NOON, 3], "Current": ["noon", 4]},
            "desired": 4,
            "offline_since": "yesterday",
        },
    }
    hass_storage[f"{key}.0"] = {"version": 7, "data": {}}
    rows = [[SEGMENT, "Power", NOON, 5], [SEGMENT, "Power", NOON, 6], "row", [SEGMENT + 1, 7, 8], [-1, "Power", 1, 1]]
    hass_storage[f"{key}.1"] = {"version": 1, "data": {"samples": rows}}
    current = {"identifier": "Current", "entity": "sensor.current", "aspect": "value"}
    entry = await set_up([POWER, VOLTAGE, current], options=NO_MODEL, entry_id="here")
    await posted(device, "Power", 5)
    await posted(device, "Voltage", 3)
    await all_sent(entry)
    assert device.samples["Power"] == [(5, NOON)]
    assert "Current" not in device.properties


async def test_a_full_buffer_drops_the_oldest_of_the_noisiest(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sensor that says much costs the others nothing; that something is lost is said once, and counted."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.reporter.CAPACITY", 50)
    measure(hass, "sensor.power", 0, 0)
    measure(hass, "sensor.voltage", 230, 0)
    entry = await set_up([POWER, VOLTAGE], options=NO_MODEL)
    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    for volt in range(5):
        measure(hass, "sensor.voltage", 231 + volt, 1000 + volt)
    for watt in range(1, 101):
        measure(hass, "sensor.power", watt, 2000 + watt)
    assert entry.runtime_data.device.reporter.counters.dropped == 55
    assert caplog.text.count("The buffer for samples is full") == 1
    end_outage(cloud)
    await all_sent(entry)
    assert [value for value, _ in sorted(device.samples["Voltage"])] == list(range(230, 236))
    assert [value for value, _ in sorted(device.samples["Power"])] == [0, *range(56, 101)]


async def test_a_clock_that_is_set_back(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """Every sample keeps its own time, and the last one that happened is the present one."""
    await lose_connection(cloud, device, running)
    measure(hass, "sensor.power", 2, 1_000)
    measure(hass, "sensor.power", 3, -3_600_000)
    measure(hass, "sensor.power", 4, -3_599_000)
    end_outage(cloud)
    await all_sent(running)
    assert on_topic(cloud, HISTORY) == [("Power", 2, NOON + 1_000), ("Power", 3, NOON - 3_600_000)]
    assert device.properties["Power"] == (4, NOON - 3_599_000)

    measure(hass, "sensor.power", 5, -3_598_000)
    await posted(device, "Power", 5)


async def test_two_samples_of_one_moment(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """The cloud tells samples apart by their time, so each has one of its own."""
    await lose_connection(cloud, device, running)
    for value in (2, 3, 4):
        measure(hass, "sensor.power", value, 1000)
    end_outage(cloud)
    await all_sent(running)
    assert sorted(device.samples["Power"]) == [
        (1, NOON), (2, NOON + 1000), (3, NOON + 1001), (4, NOON + 1002)
    ]  # fmt: skip


async def test_one_bad_sample_costs_no_other(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """A time that the cloud does not accept makes it refuse a whole message; the bad sample is found and left out."""
    await lose_connection(cloud, device, running)
    for second in range(1, 41):
        tomorrow_and_more = 500 * 86_400_000 if second == 17 else 0
        measure(hass, "sensor.power", second + 1, second * 1000 + tomorrow_and_more)
    end_outage(cloud)
    await all_sent(running)
    assert sorted(value for value, _ in device.samples["Power"]) == [n for n in range(1, 42) if n != 18]
    assert running.runtime_data.device.reporter.counters.rejected == 1


async def test_a_cloud_without_a_past(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    running: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where nothing of the past is taken the search ends soon, says so, and all is kept for another time."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.MAX_REFUSED_IN_A_ROW", 4)
    await lose_connection(cloud, device, running)
    for second in range(1, 42):
        measure(hass, "sensor.power", second + 1, second * 1000)
    end_outage(cloud)
    await posted(device, "Power", 42)
    cloud.faults.set(answer_code={"code": 6813})
    await until(lambda: "The cloud takes no values of the past" in caplog.text)
    assert running.runtime_data.device.reporter.buffered == 40
    cloud.faults.set(answer_code=None)
    device.connection.close("an outage")
    await all_sent(running)
    assert sorted(value for value, _ in set(device.samples["Power"])) == list(range(1, 43))


async def test_nothing_is_kept_of_a_starting_house(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """What entities say before Home Assistant has started is no sample; what is then is the first."""
    hass.set_state(CoreState.starting)
    measure(hass, "sensor.power", 7)
    await set_up([POWER], options=NO_MODEL)
    measure(hass, "sensor.power", 8)
    await hass.async_block_till_done()
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await posted(device, "Power", 8)
    assert [value for value, _ in device.samples["Power"]] == [8]


async def test_a_binding_that_goes_takes_its_samples_along(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Whoever unbinds a property does not want its past in the cloud."""
    measure(hass, "sensor.power", 1)
    measure(hass, "sensor.voltage", 1)
    entry = await set_up([POWER, VOLTAGE], options=NO_MODEL)
    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    for value in range(2, 6):
        measure(hass, "sensor.power", value)
        measure(hass, "sensor.voltage", value)
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [VOLTAGE]})
    await hass.async_block_till_done()
    end_outage(cloud)
    await all_sent(entry)
    assert [value for value, _ in device.samples["Power"]] == [1]
    assert sorted(value for value, _ in device.samples["Voltage"]) == [1, 2, 3, 4, 5]


def test_room_is_made_at_any_place() -> None:
    """What is dropped, removed and added in any order leaves nothing behind."""
    history = History(Counters(), 4, on_past=lambda _numbers: None, on_overflow=lambda _capacity: None)
    for number in range(6):
        history.add("A" if number % 3 else "B", Sample(number, number * 5000), live=number > 3)
    assert [kept[1].value for kept in (history.past | history.live).values()] == [0, 2, 3, 4, 5][-4:]
    history.remove([4])
    history.remove([4, 99])
    history.disconnected()
    assert not history.live
    history.remove(list(history.past))
    assert len(history) == 0
    assert history.newest_past("A") is None


class CountedNumber(int):
    """The number of a sample that counts how often it is compared with other numbers."""

    comparisons = 0

    def __eq__(self, other: object) -> bool:  # noqa: D105
        CountedNumber.comparisons += 1
        return int(self) == other

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "number", [0, DAY_OF_SECONDS - 1, DAY_OF_SECONDS + 5, DAY_OF_SECONDS + 11, 10 * DAY_OF_SECONDS]
)
def test_removing_a_sample_does_not_scan_the_past(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A posted sample is found by its number: the oldest, the newest, a live one behind a day of past ones, a removed one."""
    monkeypatch.setattr(CountedNumber, "comparisons", 0)
    history = History(Counters(), 2 * DAY_OF_SECONDS, on_past=lambda _numbers: None, on_overflow=lambda _capacity: None)
    for second in range(DAY_OF_SECONDS + 12):
        history.add("Power", Sample(second, second * 1000), live=second >= DAY_OF_SECONDS)
    history.remove([CountedNumber(number)])
    assert CountedNumber.comparisons < 20
    assert len(history) == DAY_OF_SECONDS + (12 if number > 2 * DAY_OF_SECONDS else 11)
