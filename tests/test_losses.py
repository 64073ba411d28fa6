"""What the cloud refuses for good is not sent again: it is counted, logged, and an issue until the user confirms it."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.diagnostics import async_get_config_entry_diagnostics
from custom_components.aliyun_iot.health.issues import Issue
from custom_components.aliyun_iot.health.loss_watch import INTERVAL
from custom_components.aliyun_iot.listeners import Listener, TriggerKind, listeners_of
from custom_components.aliyun_iot.reports.losses import Loss
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_NAME, SetUp
from .outages import POWER, all_sent, end_outage, lose_connection, measure, quick_to_return
from .test_events import ALARM, SMOKE, bind_event
from .test_issues import shown_issues, wait_for_issue
from .test_reporter import posted
from .waiting import until

NO_MODEL = {"thing_model": None}
REFUSED = "460 request parameter error"


@pytest.fixture(autouse=True)
def quick_reconnects(monkeypatch: pytest.MonkeyPatch, device: CloudDevice) -> None:
    """Let the cloud take any property, and let connections come back soon."""
    device.thing_model = None
    quick_to_return(monkeypatch)


@pytest.fixture
async def entry(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> MockConfigEntry:
    """Return an entry whose first measurement has arrived."""
    measure(hass, "sensor.power", 1)
    entry = await set_up([POWER], options=NO_MODEL)
    await posted(device, "Power", 1)
    await all_sent(entry)
    return entry


@pytest.fixture
def rejected(hass: HomeAssistant, entry: MockConfigEntry) -> list[Any]:
    """Return the values that automations are told to be rejected."""
    values: list[Any] = []
    listener = Listener(
        entry.entry_id, TriggerKind.PROPERTY_REJECTED, None, lambda details, _context: values.append(details["value"])
    )
    listeners_of(hass).add(listener)
    return values


def losses(entry: MockConfigEntry) -> dict[str, Loss]:
    """Return what the cloud refused for good."""
    found: dict[str, Loss] = entry.runtime_data.device.reporter.losses.by_identifier
    return found


async def test_refused_sample_is_counted_and_told(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    entry: MockConfigEntry,
    rejected: list[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Although the next sample is accepted; the issue stays until the user has read it, also over a reload."""
    cloud.faults.set(answer_code={"code": 460, "count": 1})
    measure(hass, "sensor.power", 2)
    await until(lambda: losses(entry))
    measure(hass, "sensor.power", 3)
    await posted(device, "Power", 3)
    await all_sent(entry)
    assert [value for value, _ in device.samples["Power"]] == [1, 3]
    assert rejected == [2]
    assert losses(entry) == {"Power": Loss(1, REFUSED)}
    assert entry.runtime_data.device.reporter.counters.rejected == 1
    assert caplog.text.count(f"so they are lost: Power ({REFUSED})") == 1

    facts = await wait_for_issue(hass, Issue.REFUSED_FOR_GOOD)
    assert facts["device"] == DEVICE_NAME
    assert facts["count"] == "1"
    assert facts["losses"].startswith("- power · Value → Power (Report) (1): The parameters of the request")
    await until(lambda: shown_issues(hass).keys() == {Issue.REFUSED_FOR_GOOD})
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["reporter"]["losses"] == {"Power": {"count": 1, "reason": REFUSED}}

    await hass.config_entries.async_reload(entry.entry_id)
    assert Issue.REFUSED_FOR_GOOD in shown_issues(hass)


async def test_refused_sample_of_the_past_says_nothing_about_the_present(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, rejected: list[Any]
) -> None:
    """The cloud has the present value, so there is no problem to be solved."""
    await lose_connection(cloud, device, entry)
    measure(hass, "sensor.power", 2)
    measure(hass, "sensor.power", 3)
    end_outage(cloud)
    await posted(device, "Power", 3)
    cloud.faults.set(answer_code={"code": 460, "count": 1})
    await until(lambda: losses(entry))
    assert (losses(entry), rejected) == ({"Power": Loss(1, REFUSED)}, [2])
    assert not entry.runtime_data.device.problems()
    await wait_for_issue(hass, Issue.REFUSED_FOR_GOOD)
    assert shown_issues(hass).keys() == {Issue.REFUSED_FOR_GOOD}


async def test_accepted_sample_of_the_past_does_not_hide_a_refusal(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """The cloud still lacks the present value, which was the newest sample: it is lost as well."""
    await lose_connection(cloud, device, entry)
    measure(hass, "sensor.power", 2)
    measure(hass, "sensor.power", 3)
    cloud.faults.set(answer_code={"code": 460, "count": 1})
    end_outage(cloud)
    await until(lambda: losses(entry))
    await all_sent(entry)
    assert [value for value, _ in device.samples["Power"]] == [1, 2]
    assert losses(entry) == {"Power": Loss(1, REFUSED)}
    assert REFUSED in entry.runtime_data.device.problems()["Power"]


async def test_sample_that_is_too_early_is_lost(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """It is not even sent, as the platform would refuse the whole message."""
    measure(hass, "sensor.power", 2, 500 * 86_400_000)
    await until(lambda: losses(entry))
    assert losses(entry)["Power"].count == 1
    assert "day ahead" in losses(entry)["Power"].reason


async def test_refused_event_is_counted_and_told(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It does not hold the next one up. A reason is logged once; another one is logged as well."""
    await bind_event(hass, entry, identifier=ALARM, triggers=SMOKE)
    counters = entry.runtime_data.device.event_queue.counters
    for refused, code in enumerate((460, 460, 6207), 1):
        cloud.faults.set(answer_code={"code": code, "count": 1})
        hass.bus.async_fire("smoke")
        await until(lambda count=refused: counters.refused == count)
    hass.bus.async_fire("smoke")
    await until(lambda: counters.posted == 1)
    assert losses(entry) == {ALARM: Loss(3, "6207 device data format is error")}
    assert [caplog.text.count(f"lost: {ALARM} ({code} ") for code in (460, 6207)] == [1, 1]


async def test_event_of_a_wrong_clock_has_happened_by_now(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """An alarm is not lost because the clock was days ahead when it went off."""
    await bind_event(hass, entry, identifier="SceneActivated", entity="event.bell")
    before = dt_util.utcnow()
    hass.states.async_set("event.bell", (before + timedelta(days=3)).isoformat())
    await device.wait_for(lambda one: one.events)
    assert before.timestamp() * 1000 - 1 <= device.events[0].time <= dt_util.utcnow().timestamp() * 1000


async def test_event_of_a_wrong_clock_has_one_time(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the cloud would take the second delivery, after a lost reply, for another event."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.lanes.REPLY_TIMEOUT", 0.05)
    await bind_event(hass, entry, identifier="SceneActivated", entity="event.bell")
    cloud.faults.set(lose_replies=1)
    hass.states.async_set("event.bell", (dt_util.utcnow() + timedelta(days=3)).isoformat())
    await device.wait_for(lambda one: len(one.events) == 2)
    assert device.events[0].time == device.events[1].time


async def test_issue_is_updated_once_a_minute(hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry) -> None:
    """A cloud that refuses every event causes no flood of updates; the last state is shown when the entry is unloaded."""
    await bind_event(hass, entry, identifier=ALARM, triggers=SMOKE)
    counters = entry.runtime_data.device.event_queue.counters
    cloud.faults.set(answer_code={"code": 460})

    async def lose_events(count: int) -> None:
        for _ in range(count):
            hass.bus.async_fire("smoke")
        await hass.async_block_till_done()
        await until(lambda: not entry.runtime_data.device.reporter.buffered)

    await lose_events(1)
    assert (await wait_for_issue(hass, Issue.REFUSED_FOR_GOOD))["count"] == "1"
    await lose_events(30)
    assert shown_issues(hass)[Issue.REFUSED_FOR_GOOD]["count"] == "1"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=INTERVAL + 1))
    await until(lambda: shown_issues(hass)[Issue.REFUSED_FOR_GOOD]["count"] == "31")
    await lose_events(5)
    assert counters.refused == 36
    await hass.config_entries.async_unload(entry.entry_id)
    assert shown_issues(hass)[Issue.REFUSED_FOR_GOOD]["count"] == "36"


async def test_reason_does_not_repeat_private_values(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cloud may say what it was sent; every sample of a message counts."""
    door = {**POWER, "identifier": "DoorCode", "entity": "sensor.code"}
    measure(hass, "sensor.code", 1000)
    entry = await set_up([door], options=NO_MODEL)
    await all_sent(entry)
    lane = entry.runtime_data.device.reporter.sender._live
    post = lane.post

    async def refuse(batch: Any) -> Any:
        reply = await post(batch)
        return type(reply)(reply.id, reply.code, reply.message, {"DoorCode": "4711 is out of range"})

    monkeypatch.setattr(lane, "post", refuse)
    for value in (4711, 4712):
        measure(hass, "sensor.code", value)
    await until(lambda: losses(entry))
    assert losses(entry)["DoorCode"].count == 2
    assert "4711" not in losses(entry)["DoorCode"].reason
