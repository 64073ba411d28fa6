"""Events are kept until the cloud has them: over outages, reloads and restarts, in order, each with its own time."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.samples import utc_milliseconds
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.reports.events import CAPACITY, EventQueue, PendingEvent
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import (
    all_sent,
    caught_up,
    end_outage,
    lose_connection,
    pass_a_minute,
    quick_to_return,
)
from .test_events import ALARM, SMOKE, bind_event
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until

ZONE = {"Zone": "{{ trigger.event.data.zone }}"}

type Fire = Callable[..., None]


@pytest.fixture
async def entry(hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """Return a running entry with an event."""
    quick_to_return(monkeypatch)
    entry = await set_up()
    await bind_event(hass, entry, identifier=ALARM, triggers=SMOKE, output=ZONE)
    await caught_up(entry)
    return entry


@pytest.fixture
def fire(hass: HomeAssistant) -> Fire:
    """Return a function that lets an event happen in a zone, 1 unless another is given."""
    return lambda zone=1: hass.bus.async_fire("smoke", {"zone": f"z{zone}"})


def zones(device: CloudDevice) -> list[int]:
    """Return the zones of the events that the cloud has, in the order of arrival."""
    return [int(str(event.output["Zone"]).removeprefix("z")) for event in device.events]


async def test_events_wait_for_the_connection(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, fire: Fire
) -> None:
    """Three alarms, one of them during a reconnect, all arrive, each with its own time."""
    counters = entry.runtime_data.device.event_queue.counters
    fire()
    await until(lambda: counters.posted == 1)
    await entry.runtime_data.suspend()
    fire()
    await hass.async_block_till_done()
    before = utc_milliseconds()
    entry.runtime_data.resume()
    await entry.runtime_data.link.wait_online(30)
    fire()
    await until(lambda: counters.posted == 3)
    times = [event.time for event in device.events]
    assert times == sorted(times)
    assert times[1] <= before <= times[2]
    assert (counters.refused, counters.dropped) == (0, 0)


async def test_events_of_an_outage_arrive_in_order(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, fire: Fire
) -> None:
    """Before, during and after an outage: each once, with the time at which it happened."""
    happened: list[tuple[int, int]] = []

    async def fire_some(*some: int) -> None:
        for zone in some:
            before = utc_milliseconds()
            fire(zone)
            await hass.async_block_till_done()
            happened.append((before, utc_milliseconds()))
            await asyncio.sleep(0.002)  # so that the next one happens at another time

    await fire_some(0, 1)
    await lose_connection(cloud, device, entry)
    await fire_some(*range(2, 20))
    end_outage(cloud)
    await fire_some(20, 21)
    await all_sent(entry)
    await fire_some(22)
    await all_sent(entry)
    assert zones(device) == list(range(23))
    for event, (before, after) in zip(device.events, happened, strict=True):
        assert event.time is not None
        assert before <= event.time <= after
    assert entry.runtime_data.device.event_queue.counters.posted == 23


async def test_event_that_is_lost_with_its_connection_is_sent_again(
    cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, fire: Fire
) -> None:
    """Whether it arrived is unknown; the cloud tells events apart by their time."""
    cloud.faults.set(lose_replies=1)
    fire(1)
    fire(2)
    await until(lambda: zones(device) == [1])
    device.connection.close("an outage")
    await all_sent(entry)
    assert zones(device) == [1, 1, 2]
    assert device.events[0].time == device.events[1].time


@pytest.mark.rate_limit
async def test_flood_of_events_stays_below_the_limit(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, fire: Fire
) -> None:
    """All arrive, once and in order, and a changed value does not wait for the end of the flood."""
    cloud.faults.set(rate_limit=True)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await bind_event(hass, entry, identifier=ALARM, triggers=SMOKE, output=ZONE)
    await posted(device, "CurrentTemperature", 20.0)
    for zone in range(20):
        fire(zone)
    await until(lambda: len(device.events) >= 3)
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await posted(device, "CurrentTemperature", 21.0)
    assert len(device.events) < 20
    await all_sent(entry)
    assert zones(device) == list(range(20))
    assert all(earlier.time <= later.time for earlier, later in pairwise(device.events))
    assert entry.runtime_data.device.reporter.counters.retried == 0


async def test_event_without_a_reply_is_sent_again(
    cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, fire: Fire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unknown whether it arrived; the cloud tells a repeated event by its time."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.lanes.REPLY_TIMEOUT", 0.05)
    cloud.faults.set(lose_replies=1)
    fire()
    await until(lambda: entry.runtime_data.device.event_queue.counters.posted == 1)
    assert len({event.time for event in device.events}) == 1
    assert not len(entry.runtime_data.device.event_queue)


async def test_cloud_that_asks_to_wait_gets_the_event_later(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    entry: MockConfigEntry,
    fire: Fire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A code that says "not now" is not a refusal."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.01)
    cloud.faults.set(answer_code={"code": 429, "count": 2})
    fire(1)
    fire(2)
    await hass.async_block_till_done()
    await all_sent(entry)
    assert zones(device) == [1, 2]
    counters = entry.runtime_data.device.event_queue.counters
    assert (counters.posted, counters.refused) == (2, 0)


async def test_too_many_waiting_events_drop_the_oldest(
    hass: HomeAssistant, entry: MockConfigEntry, fire: Fire, issue_registry: ir.IssueRegistry
) -> None:
    """The newest thousand are kept; the others are counted, logged and reported as an issue."""
    queue = entry.runtime_data.device.event_queue
    await entry.runtime_data.suspend()
    for zone in range(CAPACITY + 20):
        fire(zone)
    await hass.async_block_till_done()
    assert (len(queue), queue.counters.dropped) == (CAPACITY, 20)
    assert next(iter(queue.waiting.values())).output == {"Zone": "z20"}
    issue = issue_registry.async_get_issue(DOMAIN, f"events_dropped_{entry.entry_id}")
    assert issue.translation_placeholders["count"] == "20"
    assert issue.is_fixable


def test_restored_events_come_first_and_are_dropped_first() -> None:
    """What an earlier run has left is older than what has happened since; what there is no room for is counted."""
    dropped: list[int] = []
    queue = EventQueue(on_added=lambda: None, on_dropped=dropped.append)
    for time in range(CAPACITY, CAPACITY + 5):
        queue.add(PendingEvent(ALARM, {}, time))
    queue.restore(PendingEvent(ALARM, {}, time) for time in range(CAPACITY))
    assert [event.time for event in queue.waiting.values()] == list(range(5, CAPACITY + 5))
    assert list(queue.waiting) == sorted(queue.waiting)
    assert dropped == [1, 2, 3, 4, 5]
    assert queue.counters.dropped == 5


async def test_waiting_events_survive_a_reload(
    hass: HomeAssistant, device: CloudDevice, real_disk: Path, entry: MockConfigEntry, fire: Fire
) -> None:
    """What happened without a connection is posted by the next run, with the time at which it happened."""
    await entry.runtime_data.suspend()
    for zone in range(3):
        fire(zone)
    await hass.async_block_till_done()
    happened = [event.time for event in entry.runtime_data.device.event_queue.waiting.values()]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await device.wait_for(lambda one: len(one.events) == 3)
    assert [event.time for event in device.events] == happened
    assert zones(device) == [0, 1, 2]


async def test_power_cut_costs_a_minute_of_events(
    hass: HomeAssistant, hass_storage: dict[str, Any], cloud: Simulator, entry: MockConfigEntry, fire: Fire
) -> None:
    """Events that wait are written within a minute, once for all of them; those that were sent at once are not."""
    key = f"{DOMAIN}.{entry.entry_id}.unsent"
    fire(0)
    await hass.async_block_till_done()
    await all_sent(entry)
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert key not in hass_storage

    await entry.runtime_data.suspend()
    fire(1)
    fire(2)
    await hass.async_block_till_done()
    assert key not in hass_storage
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert [output["Zone"] for _, _, output in hass_storage[key]["data"]["events"]] == ["z1", "z2"]

    entry.runtime_data.resume()
    await entry.runtime_data.link.wait_online(30)
    await caught_up(entry)
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert hass_storage[key]["data"]["events"] == []


async def test_damaged_rows_of_events_are_left_out(
    hass: HomeAssistant, hass_storage: dict[str, Any], device: CloudDevice, set_up: SetUp
) -> None:
    """A row that makes no sense costs no other row."""
    rows = [["Smoke", 1000, {"Zone": "z1"}], "row", ["Smoke", "noon", {}], [1, 2, 3], ["Smoke", 3000, {"Zone": "z3"}]]
    hass_storage[f"{DOMAIN}.here.unsent"] = {"version": 1, "data": json.loads(json.dumps({"events": rows}))}
    device.thing_model = None
    await set_up(options={"thing_model": None}, entry_id="here")
    await device.wait_for(lambda one: len(one.events) == 2)
    assert [(event.time, event.output) for event in device.events] == [(1000, {"Zone": "z1"}), (3000, {"Zone": "z3"})]
