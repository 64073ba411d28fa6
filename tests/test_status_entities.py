"""What the device page shows without enabling anything, and the monthly quota."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.alink.traffic import HOUR
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.sensor import UPDATE_INTERVAL
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import end_outage, lose_connection, quick_to_return
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until

GONE = {"identifier": "LightSwitch", "entity": "0123456789abcdef0123456789abcdef", "aspect": "power"}


def entity(hass: HomeAssistant, entry: MockConfigEntry, domain: str, key: str) -> State:
    """Return the state of an entity of the device."""
    entity_id = er.async_get(hass).async_get_entity_id(domain, DOMAIN, f"{entry.entry_id}_{key}")
    assert entity_id
    state = hass.states.get(entity_id)
    assert state, f"{entity_id} is not enabled"
    return state


async def pass_interval(hass: HomeAssistant) -> None:
    """Let the sensors read again."""
    async_fire_time_changed(hass, dt_util.utcnow() + UPDATE_INTERVAL + timedelta(seconds=1))
    await hass.async_block_till_done()


async def test_what_is_bound_is_shown_at_once(hass: HomeAssistant, set_up: SetUp) -> None:
    """Without waiting for the next poll."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    assert entity(hass, entry, "sensor", "bound_properties").state == "1"
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [TEMPERATURE, GONE]})
    await until(lambda: entity(hass, entry, "sensor", "problems").state == "1")
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await until(lambda: entity(hass, entry, "sensor", "bound_properties").state == "0")


async def test_shown_without_enabling_anything(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Bound properties, problems with their reasons, and when the cloud last took something."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE, GONE])
    await posted(device, "CurrentTemperature", 20.0)
    await until(lambda: entry.runtime_data.device.reporter.outbox.accepted_at)
    await pass_interval(hass)
    assert entity(hass, entry, "sensor", "bound_properties").state == "1"
    problems = entity(hass, entry, "sensor", "problems")
    assert (problems.state, list(problems.attributes["problems"])) == ("1", ["LightSwitch"])
    at = datetime.fromisoformat(entity(hass, entry, "sensor", "last_accepted_post").state)
    assert abs(at - dt_util.utcnow()) < timedelta(minutes=1)
    messages = entity(hass, entry, "sensor", "messages_this_month")
    assert int(messages.state) > 0
    assert messages.attributes["projected"] is None
    assert entity(hass, entry, "sensor", "last_problem").state == STATE_UNKNOWN


async def test_last_problem_stays(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells why the connection was lost, also after it is back."""
    quick_to_return(monkeypatch)
    entry = await set_up()
    await lose_connection(cloud, device, entry)
    await until(lambda: entity(hass, entry, "sensor", "last_problem").state == "server_unavailable")
    end_outage(cloud)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    await hass.async_block_till_done()
    assert entity(hass, entry, "binary_sensor", "connected").state == "on"
    assert entity(hass, entry, "sensor", "last_problem").state != STATE_UNKNOWN


async def test_button(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """It posts everything, and says why it cannot."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await posted(device, "CurrentTemperature", 20.0)
    button = {"entity_id": entity(hass, entry, "button", "post_everything").entity_id}
    posts = entry.runtime_data.device.reporter.counters.posts
    await hass.services.async_call("button", "press", button, blocking=True)
    await until(lambda: entry.runtime_data.device.reporter.counters.posts > posts)
    await entry.runtime_data.suspend()
    with pytest.raises(HomeAssistantError, match="not connected"):
        await hass.services.async_call("button", "press", button, blocking=True)


@pytest.mark.parametrize(
    ("quota", "messages", "expected"),
    [(0, 10_000, None), (10_000, 1_000, None), (10_000, 8_000, "8,0"), (10_000, 3_000, "3,0")],
    ids=["no quota", "enough", "80 %", "projected to exceed it"],
)
async def test_monthly_quota(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    quota: int,
    messages: int,
    expected: str | None,
) -> None:
    """The issue comes at 80 % and when the month is expected to exceed the quota."""
    now = datetime.fromisoformat("2026-11-08T12:00:00+00:00")
    monkeypatch.setattr("custom_components.aliyun_iot.traffic_log.dt_util", SimpleNamespace(now=lambda: now))
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE], options={"monthly_quota": quota})
    await posted(device, "CurrentTemperature", 20.0)
    first = int(datetime.fromisoformat("2026-11-01T08:00:00+00:00").timestamp()) // HOUR
    entry.runtime_data.link.traffic.hours[first] = [messages, 0, 0, 0, 0, 0]
    await until(lambda: entry.runtime_data.device.reporter.outbox.busiest(1))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=1, seconds=1))
    await hass.async_block_till_done()
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"quota_{entry.entry_id}")
    if expected is None:
        assert issue is None
        return
    assert issue
    facts: dict[str, Any] = issue.translation_placeholders or {}
    assert facts["messages"].startswith(expected)
    assert "CurrentTemperature: 1" in facts["properties"]
