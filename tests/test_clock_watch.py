"""A wrong clock has an issue with both times, for as long as it is wrong."""

from datetime import datetime, timedelta
import time

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.health import clock_watch
from custom_components.aliyun_iot.health.clock_watch import SHORT_INTERVAL, TOLERANCE
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_NAME, PRODUCT_KEY, SetUp
from .test_issues import first_page
from .waiting import until
from .walk import placeholders, translations

HOUR = 3600


def clock_issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the issue of the clock."""
    found = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    assert all(issue.translation_key == "clock_skew" for issue in found)
    return found[0] if found else None


def requests(cloud: Simulator) -> int:
    """Return how often the device asked for the time."""
    return sum(one.topic == f"/ext/ntp/{PRODUCT_KEY}/{DEVICE_NAME}/request" for one in cloud.wire)


def replies(cloud: Simulator) -> int:
    """Return how often the cloud replied."""
    return sum(one.topic == f"/ext/ntp/{PRODUCT_KEY}/{DEVICE_NAME}/response" for one in cloud.wire)


async def check(hass: HomeAssistant) -> None:
    """Let the interval pass after which the watch checks whether to ask."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=SHORT_INTERVAL + 1))
    await hass.async_block_till_done()


@pytest.fixture(autouse=True)
def ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask at once when there is reason to doubt the clock; the check for such a reason stays every ten minutes."""
    real = clock_watch.ClockWatch.start

    def start(watch: clock_watch.ClockWatch) -> None:
        real(watch)
        monkeypatch.setattr(clock_watch, "SHORT_INTERVAL", 0.0)

    monkeypatch.setattr(clock_watch.ClockWatch, "start", start)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_wrong_clock_is_reported_with_both_times(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, ahead: int
) -> None:
    """The issue shows both times, and is deleted when the clock is right; then the cloud is asked once a day."""
    cloud.faults.set(clock_ahead=ahead)
    await set_up()
    await until(lambda: clock_issue(hass))
    issue = clock_issue(hass)
    assert issue
    words = translations()["issues"]["clock_skew"]
    shown = issue.translation_placeholders or {}
    assert placeholders(words["title"] + first_page(words)["description"]) == shown.keys()
    ours, theirs = (datetime.fromisoformat(shown[key].removesuffix(" UTC")) for key in ("ours", "theirs"))
    assert (theirs - ours).total_seconds() == pytest.approx(ahead, abs=TOLERANCE)

    cloud.faults.set(clock_ahead=0)
    await check(hass)
    await until(lambda: clock_issue(hass) is None)
    asked = requests(cloud)
    await check(hass)
    assert requests(cloud) == asked


async def test_right_clock_is_checked_once_a_day(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one request a day, however often the device connects."""
    entry = await set_up()
    await until(lambda: replies(cloud) == 1)
    await check(hass)
    link = entry.runtime_data.link
    await entry.runtime_data.suspend()
    entry.runtime_data.resume()
    await link.wait_online(30)
    await check(hass)
    assert requests(cloud) == 1
    assert clock_issue(hass) is None

    monkeypatch.setattr(clock_watch, "INTERVAL", 0.0)
    await check(hass)
    await until(lambda: replies(cloud) == 2)


async def test_clock_is_checked_after_it_was_set(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is turned back an hour is noticed without waiting for the next day."""
    entry = await set_up()
    await until(lambda: replies(cloud) == 1)
    await entry.runtime_data.link.device.read_clock()  # the first reply was handled before
    clock = time.time
    with monkeypatch.context() as turned_back:
        turned_back.setattr(time, "time", lambda: clock() - HOUR)
        cloud.faults.set(clock_ahead=HOUR)  # both clocks are in one process
        await check(hass)
        await until(lambda: clock_issue(hass))


async def test_refused_time_causes_a_check(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Code 6326 causes a check; if the clock is right, there is no issue."""
    entry = await set_up()
    link = entry.runtime_data.link
    await until(lambda: replies(cloud) == 1)
    await link.device.read_clock()
    for ahead in (0, HOUR):
        asked = requests(cloud)
        cloud.faults.set(clock_ahead=ahead, answer_code={"code": 6326, "count": 1})
        assert (await link.device.fetch_thing_model()).code == 6326
        await until(lambda: requests(cloud) > asked)  # noqa: B023 - used at once
        await link.device.read_clock()
        assert bool(clock_issue(hass)) == bool(ahead)


async def test_host_without_time_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a reply there is no issue; the next request follows."""
    monkeypatch.setattr(clock_watch, "REPLY_TIMEOUT", 0.01)
    cloud.faults.set(lose_replies=1)
    entry = await set_up()
    await until(lambda: requests(cloud) == 1)
    await entry.runtime_data.link.device.read_clock()
    await check(hass)
    assert requests(cloud) == 2
    assert clock_issue(hass) is None


async def test_unloading_ends_a_request(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The request is cancelled, and the issue deleted."""
    cloud.faults.set(clock_ahead=HOUR)
    entry = await set_up()
    await until(lambda: clock_issue(hass))
    cloud.faults.set(lose_replies=1)
    await check(hass)
    await until(lambda: requests(cloud) == 2)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert clock_issue(hass) is None
