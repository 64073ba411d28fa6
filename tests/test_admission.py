"""More work than a house can do: a slow entity has its share, the rest is refused before anything is done, and it is told."""

import asyncio
from collections import Counter
from datetime import timedelta
import json
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.entity import entity_sources
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.aliyun_iot.commands.work import MAX_OF_ONE, MAX_WORK
from custom_components.aliyun_iot.const import DEFAULT_COMMANDS_PER_MINUTE, EVENT_COMMAND, EVENT_COMMAND_FAILED
from custom_components.aliyun_iot.health.issues import issues_of
from custom_components.aliyun_iot.health.overload import SOLVED_AFTER
from custom_components.aliyun_iot.settings import read_settings
from simulator import CloudDevice, Simulator

from .application import LAMP, SetProperties, publish, reply_on
from .conftest import SetUp
from .waiting import until
from .walk import Walk

NO_MODEL = {"thing_model": None}


@pytest.fixture(autouse=True)
def any_property(device: CloudDevice) -> None:
    """Let the cloud take all properties."""
    device.thing_model = None


class SlowSwitches:
    """Switches that turn on when they are let go."""

    def __init__(self, hass: HomeAssistant, count: int) -> None:
        """Add them."""
        self.calls: list[str] = []
        self.go_on = asyncio.Event()
        for number in range(count):
            hass.states.async_set(f"switch.s{number}", "off")
        hass.states.async_set("light.quick", "off", {"supported_color_modes": ["onoff"]})
        hass.services.async_register("switch", "turn_on", self._turn_on)
        async_mock_service(hass, "light", "turn_on")

    async def _turn_on(self, call: ServiceCall) -> None:
        self.calls.append(call.data["entity_id"])
        await self.go_on.wait()


def rows(count: int) -> list[dict[str, Any]]:
    """Return bindings of the switches and of a light."""
    switches = [
        {"identifier": f"S{number}", "entity": f"switch.s{number}", "aspect": "power", "access": "both"}
        for number in range(count)
    ]
    return [*switches, {"identifier": "Quick", "entity": "light.quick", "aspect": "power", "access": "both"}]


def issue_keys(hass: HomeAssistant, entry: MockConfigEntry) -> list[str | None]:
    """Return what is shown in Repairs."""
    return [issue.translation_key for issue in issues_of(hass, entry.entry_id)]


async def test_slow_entity_has_its_share(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, caplog: pytest.LogCaptureFixture
) -> None:
    """Further commands to it are refused with nothing done; others are carried out. One issue says so, until it is over."""
    house = SlowSwitches(hass, 1)
    entry = await set_up(rows(1), options=NO_MODEL)
    commands, failures = async_capture_events(hass, EVENT_COMMAND), async_capture_events(hass, EVENT_COMMAND_FAILED)
    waiting = [asyncio.create_task(set_properties(S0=1)) for _ in range(MAX_OF_ONE)]
    await until(lambda: len(commands) == MAX_OF_ONE)
    assert issue_keys(hass, entry) == []
    for _ in range(3):
        refused = await set_properties(S0=1, Quick=1)
        assert (refused.code, refused.message) == (
            429,
            "too many commands to switch.s0 have not finished, try again later",
        )
    assert len(commands) == MAX_OF_ONE
    assert (await set_properties(Quick=1)).code == 200
    assert issue_keys(hass, entry) == ["commands_refused"]
    assert caplog.text.count("more commands than it can carry out") == 1
    house.go_on.set()
    assert [(await answer).code for answer in waiting] == [200] * MAX_OF_ONE
    assert len(house.calls) == MAX_OF_ONE
    assert (await set_properties(S0=1)).code == 200
    assert not failures
    assert not entry.runtime_data.device.commander._work._taken

    for periods in (1, 2):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=periods * SOLVED_AFTER + 1))
        await hass.async_block_till_done()
    assert issue_keys(hass, entry) == []


async def test_issue_stays_as_long_as_commands_are_refused(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """It is deleted half an hour after the last one."""
    entry = await set_up()
    health = entry.runtime_data.device.health
    health.command_refused()
    now = dt_util.utcnow()
    health.command_refused()
    for minutes, expected in ((31, ["commands_refused"]), (62, [])):
        async_fire_time_changed(hass, now + timedelta(minutes=minutes))
        await hass.async_block_till_done()
        assert issue_keys(hass, entry) == expected


async def test_slow_entities_leave_room_for_others(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The more of them are slow, the less each of them gets; an entity without a command gets one."""
    house = SlowSwitches(hass, 8)
    entry = await set_up(rows(8), options=NO_MODEL)
    taken = entry.runtime_data.device.commander._work._taken
    waiting = []
    for number in range(8):
        for _ in range(MAX_OF_ONE + 1):
            waiting.append(asyncio.create_task(set_properties(**{f"S{number}": 1})))
            await asyncio.sleep(0)
    await until(lambda: len(taken) == 8 and sum(answer.done() for answer in waiting) + taken.total() == len(waiting))
    assert taken.total() < MAX_WORK
    assert taken["switch.s0"] == MAX_OF_ONE
    assert all(number >= 1 for number in taken.values())
    assert (await set_properties(Quick=1)).code == 200
    house.go_on.set()
    codes = Counter([(await answer).code for answer in waiting])
    assert codes == {200: len(house.calls), 429: len(waiting) - len(house.calls)}


async def test_all_places_together_are_limited(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """One command may take more than one; none is carried out in part."""
    house = SlowSwitches(hass, 120)
    entry = await set_up(rows(120), options=NO_MODEL)
    first = asyncio.create_task(set_properties(**{f"S{number}": 1 for number in range(120)}))
    await until(lambda: len(house.calls) == 120)
    assert entry.runtime_data.device.commander._work._taken.total() > MAX_WORK
    refused = await set_properties(Quick=1)
    assert (refused.code, refused.message) == (429, "too many commands at once, try again later")
    house.go_on.set()
    assert (await first).code == 200
    assert (await set_properties(Quick=1)).code == 200


async def test_service_has_its_share(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """Also of actions that still run after their answer."""
    calls: list[ServiceCall] = []
    go_on = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        calls.append(call)
        await go_on.wait()

    hass.services.async_register("test", "slow", slow)
    await set_up(services=[{"identifier": "Slow", "actions": [{"action": "test.slow"}]}], options=NO_MODEL)
    for number in range(MAX_OF_ONE + 2):
        await publish(cloud, device, "thing/service/Slow", {"id": f"{number}", "params": {}})
    await until(lambda: len(sent(cloud, "Slow_reply")) == 2)
    assert [answer["code"] for answer in sent(cloud, "Slow_reply")] == [429, 429]
    assert len(calls) == MAX_OF_ONE
    go_on.set()
    await until(lambda: len(sent(cloud, "Slow_reply")) == MAX_OF_ONE + 2)
    assert Counter(answer["code"] for answer in sent(cloud, "Slow_reply")) == {200: MAX_OF_ONE, 429: 2}


def sent(cloud: Simulator, suffix: str) -> list[dict[str, Any]]:
    """Return the answers on a topic."""
    return [json.loads(one.payload) for one in cloud.wire if one.topic.endswith(suffix)]


async def test_actions_that_never_end_are_cancelled_when_the_entry_is_unloaded(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a while; those whose command is not answered yet are answered as given up."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.work.GRACE", 0.01)
    ended: list[str] = []

    async def never(call: ServiceCall) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(call.service)

    hass.services.async_register("test", "never", never)
    hass.services.async_register("switch", "turn_on", never)
    hass.states.async_set("switch.s0", "off")
    row = {"identifier": "S0", "entity": "switch.s0", "aspect": "power", "access": "both"}
    services = [{"identifier": "Never", "actions": [{"action": "test.never"}]}]
    entry = await set_up([row], services, options=NO_MODEL)
    with monkeypatch.context() as patch:
        patch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.01)
        assert (await set_properties(S0=1)).code == 100006
        await publish(cloud, device, "thing/service/Never", {"id": "1", "params": {}})
        assert (await reply_on(cloud, "Never_reply"))["code"] == 100006
    await publish(cloud, device, "thing/service/Never", {"id": "2", "params": {}})
    work = entry.runtime_data.device.commander._work
    await until(lambda: len(work._tasks) == 3)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert sorted(ended) == ["never", "never", "turn_on"]
    assert not work._tasks
    assert not work._taken
    await until(lambda: len(sent(cloud, "Never_reply")) == 2)
    answer = sent(cloud, "Never_reply")[-1]
    assert (answer["id"], answer["code"], "given the command up" in answer["message"]) == ("2", 429, True)
    await hass.async_block_till_done()


async def test_action_that_ignores_its_cancellation_does_not_delay_the_stop_for_ever(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps only itself alive."""
    for name in ("GRACE", "CANCEL_TIMEOUT"):
        monkeypatch.setattr(f"custom_components.aliyun_iot.commands.work.{name}", 0.01)
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.01)
    go_on = asyncio.Event()

    async def stubborn(_call: ServiceCall) -> None:
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue

    hass.services.async_register("switch", "turn_on", stubborn)
    hass.states.async_set("switch.s0", "off")
    entry = await set_up(rows(1)[:1], options=NO_MODEL)
    assert (await set_properties(S0=1)).code == 100006
    assert await hass.config_entries.async_unload(entry.entry_id)
    go_on.set()
    await hass.async_block_till_done()


async def test_action_that_reloads_the_entry_is_not_cancelled(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Its device stops, and starts again."""
    done: list[str] = []
    actions = [{"action": "test.reload"}]
    entry = await set_up(services=[{"identifier": "Reload", "actions": actions}], options=NO_MODEL)

    async def reload(_call: ServiceCall) -> None:
        await hass.config_entries.async_reload(entry.entry_id)
        done.append("reloaded")

    hass.services.async_register("test", "reload", reload)
    await publish(cloud, device, "thing/service/Reload", {"id": "1", "params": {}})
    await until(lambda: done)
    await until(lambda: device.online and device.connections == 2)
    assert (await reply_on(cloud, "Reload_reply"))["code"] == 429
    await hass.async_block_till_done()


async def test_default_limit_is_one_that_nobody_honest_meets(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """600 a minute; beyond it commands are refused, and the issue says so. Zero is still no limit."""
    assert read_settings({})[0].commands_per_minute == DEFAULT_COMMANDS_PER_MINUTE == 600
    entry = await set_up([LAMP])
    walk = await Walk.options(hass, entry, "settings")
    assert walk.values["commands"]["commands_per_minute"] == 600
    policy = entry.runtime_data.device.commander.policy
    assert policy.rules.commands_per_minute == 600
    for _ in range(600):
        policy.admit()
    reply = await set_properties(LightSwitch=1)
    assert (reply.code, reply.message) == (429, "more than 600 commands in a minute")
    assert issue_keys(hass, entry) == ["commands_refused"]
    hass.config_entries.async_update_entry(entry, options={**entry.options, "commands_per_minute": 0})
    await hass.async_block_till_done()
    assert (await set_properties(LightSwitch=1)).code == 200


async def test_lower_limit_of_the_user_is_no_issue(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """It is what was asked for."""
    entry = await set_up([LAMP], options={"commands_per_minute": 1})
    assert [(await set_properties(LightSwitch=1)).code for _ in range(2)] == [200, 429]
    assert issue_keys(hass, entry) == []


@pytest.mark.rate_limit
async def test_flood_through_the_whole_house_under_the_platforms_limits(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Every command is answered once, what was refused was not done, and synchronous calls pass the others."""
    cloud.faults.set(rate_limit=True)
    calls = async_mock_service(hass, "switch", "turn_on")
    for number in range(5):
        hass.states.async_set(f"switch.s{number}", "off")
        entity_sources(hass)[f"switch.s{number}"] = {"domain": "test"}
    await set_up(rows(5)[:5], options={**NO_MODEL, "commands_per_minute": 0})
    for number in range(60):
        content = {"id": f"set {number}", "params": {f"S{number % 5}": 1}}
        await publish(cloud, device, "thing/service/property/set", content)
        if number % 20 == 0:
            method = {"id": f"call {number}", "method": "thing.service.property.set", "params": {"S0": 1}}
            await publish(cloud, device, f"rrpc/request/{number}", method)

    def answers() -> list[dict[str, Any]]:
        found = [one for one in cloud.wire if one.topic.endswith("set_reply") or "/rrpc/response/" in one.topic]
        return [json.loads(one.payload) for one in found]

    await until(lambda: len(answers()) == 63)
    found = Counter(answer["id"] for answer in answers())
    assert set(found.values()) == {1}
    assert len(calls) == sum(answer["code"] == 200 for answer in answers()) == 63
    order = [answer["id"] for answer in answers()]
    assert max(order.index(f"call {number}") for number in (0, 20, 40)) < 30
