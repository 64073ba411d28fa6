"""Every sample of an outage reaches the cloud: once, with its own time, after the present values."""

from homeassistant.core import CoreState, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.reports.history import History
from custom_components.aliyun_iot.reports.outbox import Counters
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


async def test_samples_of_an_outage_arrive_in_order_and_once(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """The last value is sent first, as the present one; all before it follow as past samples, in order and once."""
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


async def test_past_is_sent_after_snapshot_and_desired_values(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """After subscribing: snapshot, desired values, past."""
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


async def test_change_is_sent_before_the_rest_of_the_past(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """A change during the sending of past samples does not wait for the rest of them."""
    await lose_connection(cloud, device, running)
    for second in range(1, 1000):
        measure(hass, "sensor.power", second + 1, second * 1000)
    cloud.faults.set(delay_replies=0.02)  # longer than the window between two rounds of newest values
    end_outage(cloud)
    await until(lambda: on_topic(cloud, HISTORY))
    measure(hass, "sensor.power", 0.5, 2_000_000)
    await all_sent(running)
    topics = [topic for topic, _ in uplinks(cloud, BATCH, HISTORY)]
    assert BATCH in topics[1:-1]
    assert device.properties["Power"][0] == 0.5
    values = [value for value, _ in device.samples["Power"]]
    assert sorted(values) == [0.5, *range(1, 1001)]


async def test_sample_without_a_reply_is_sent_again_as_past(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """It is unknown whether a sample without a reply arrived; it is sent again with the same time."""
    cloud.faults.set(lose_replies=1)
    measure(hass, "sensor.power", 2, 1000)
    await posted(device, "Power", 2)
    await lose_connection(cloud, device, running)
    measure(hass, "sensor.power", 3, 2000)
    end_outage(cloud)
    await all_sent(running)
    assert set(device.samples["Power"]) == {(1, NOON), (2, NOON + 1000), (3, NOON + 2000)}


async def test_outage_costs_one_value_of_a_property_without_every_sample(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Only its newest value is sent after an outage."""
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


async def test_full_buffer_drops_the_oldest_sample_of_the_busiest_property(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A busy sensor does not displace samples of others; the loss is logged once, and counted."""
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


async def test_samples_keep_their_times_when_the_clock_is_set_back(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """The order of the samples does not depend on their times: the last one is the present one."""
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


async def test_samples_of_one_moment_get_different_times(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """The cloud tells samples apart by their time."""
    await lose_connection(cloud, device, running)
    for value in (2, 3, 4):
        measure(hass, "sensor.power", value, 1000)
    end_outage(cloud)
    await all_sent(running)
    assert sorted(device.samples["Power"]) == [
        (1, NOON), (2, NOON + 1000), (3, NOON + 1001), (4, NOON + 1002)
    ]  # fmt: skip


async def test_bad_past_sample_is_left_out(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, running: MockConfigEntry
) -> None:
    """The cloud refuses a whole message for one invalid time; the bad sample is found and left out."""
    await lose_connection(cloud, device, running)
    for second in range(1, 41):
        tomorrow_and_more = 500 * 86_400_000 if second == 17 else 0
        measure(hass, "sensor.power", second + 1, second * 1000 + tomorrow_and_more)
    end_outage(cloud)
    await all_sent(running)
    assert sorted(value for value, _ in device.samples["Power"]) == [n for n in range(1, 42) if n != 18]
    assert running.runtime_data.device.reporter.counters.rejected == 1


async def test_refused_past_is_kept_for_the_next_connection(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    running: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When a cloud refuses everything, the search ends soon with a warning, and the samples are kept."""
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


async def test_states_before_the_start_are_not_samples(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The first sample is the state when Home Assistant has started."""
    hass.set_state(CoreState.starting)
    measure(hass, "sensor.power", 7)
    await set_up([POWER], options=NO_MODEL)
    measure(hass, "sensor.power", 8)
    await hass.async_block_till_done()
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await posted(device, "Power", 8)
    assert [value for value, _ in device.samples["Power"]] == [8]


async def test_samples_of_an_unbound_property_are_dropped(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The past of an unbound property is not sent."""
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


def test_samples_can_be_removed_anywhere() -> None:
    """Dropping, removing and adding samples in any order leaves nothing behind."""
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
