"""A wrong clock is told with both times, and only as long as it is wrong."""

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
from .waiting import until
from .walk import placeholders, translations

HOUR = 3600


def told(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the issue of the clock."""
    found = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    assert all(issue.translation_key == "clock_skew" for issue in found)
    return found[0] if found else None


def questions(cloud: Simulator) -> int:
    """Return how often the device asked what time it is."""
    return sum(one.topic == f"/ext/ntp/{PRODUCT_KEY}/{DEVICE_NAME}/request" for one in cloud.wire)


def answers(cloud: Simulator) -> int:
    """Return how often it was told."""
    return sum(one.topic == f"/ext/ntp/{PRODUCT_KEY}/{DEVICE_NAME}/response" for one in cloud.wire)


async def look(hass: HomeAssistant) -> None:
    """Let the watch look whether there is a reason to ask."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=SHORT_INTERVAL + 1))
    await hass.async_block_till_done()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask as soon as there is a reason to; it is looked for one every ten minutes, as ever."""
    real = clock_watch.ClockWatch.start

    def start(watch: clock_watch.ClockWatch) -> None:
        real(watch)
        monkeypatch.setattr(clock_watch, "SHORT_INTERVAL", 0.0)

    monkeypatch.setattr(clock_watch.ClockWatch, "start", start)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_a_wrong_clock(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, ahead: int
) -> None:
    """Both times are shown, and the message goes when the clock is right; then it is asked once a day."""
    cloud.faults.set(clock_ahead=ahead)
    await set_up()
    await until(lambda: told(hass))
    issue = told(hass)
    assert issue
    words = translations()["issues"]["clock_skew"]
    shown = issue.translation_placeholders or {}
    assert placeholders(words["title"] + words["description"]) == shown.keys()
    ours, theirs = (datetime.fromisoformat(shown[key].removesuffix(" UTC")) for key in ("ours", "theirs"))
    assert (theirs - ours).total_seconds() == pytest.approx(ahead, abs=TOLERANCE)

    cloud.faults.set(clock_ahead=0)
    await look(hass)
    await until(lambda: told(hass) is None)
    asked = questions(cloud)
    await look(hass)
    assert questions(cloud) == asked


async def test_a_clock_that_is_right(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question a day, however often the device connects."""
    entry = await set_up()
    await until(lambda: answers(cloud) == 1)
    await look(hass)
    link = entry.runtime_data.link
    await entry.runtime_data.suspend()
    entry.runtime_data.resume()
    await link.wait_online(5)
    await look(hass)
    assert questions(cloud) == 1
    assert told(hass) is None

    monkeypatch.setattr(clock_watch, "INTERVAL", 0.0)
    await look(hass)
    await until(lambda: answers(cloud) == 2)


async def test_a_clock_that_is_set(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody turns it back an hour: that is noticed without waiting for tomorrow."""
    entry = await set_up()
    await until(lambda: answers(cloud) == 1)
    await entry.runtime_data.link.device.read_clock()  # the answer of the first has been taken by now
    clock = time.time
    with monkeypatch.context() as turned_back:
        turned_back.setattr(time, "time", lambda: clock() - HOUR)
        cloud.faults.set(clock_ahead=HOUR)  # the clock of the cloud is in the same process
        await look(hass)
        await until(lambda: told(hass))


async def test_a_post_that_the_cloud_refuses_for_its_time(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Code 6326 casts doubt on the clock; if the clock is right, nothing is told."""
    entry = await set_up()
    link = entry.runtime_data.link
    await until(lambda: answers(cloud) == 1)
    await link.device.read_clock()
    for ahead in (0, HOUR):
        asked = questions(cloud)
        cloud.faults.set(clock_ahead=ahead, answer_code={"code": 6326, "count": 1})
        assert (await link.device.fetch_thing_model()).code == 6326
        await until(lambda: questions(cloud) > asked)  # noqa: B023 - used at once
        await link.device.read_clock()
        assert bool(told(hass)) == bool(ahead)


async def test_no_time_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is known, and nothing told; tomorrow it is asked again."""
    monkeypatch.setattr(clock_watch, "REPLY_TIMEOUT", 0.01)
    cloud.faults.set(lose_replies=1)
    entry = await set_up()
    await until(lambda: questions(cloud) == 1)
    await entry.runtime_data.link.device.read_clock()
    await look(hass)
    assert questions(cloud) == 2
    assert told(hass) is None


async def test_unloading_ends_a_question(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Nothing is left of it, nor of what was told."""
    cloud.faults.set(clock_ahead=HOUR)
    entry = await set_up()
    await until(lambda: told(hass))
    cloud.faults.set(lose_replies=1)
    await look(hass)
    await until(lambda: questions(cloud) == 2)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert told(hass) is None
