"""A command that had to wait for an earlier one is checked again when its turn comes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.core import Context, CoreState, HomeAssistant, ServiceCall
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Command, CommandKind
from custom_components.aliyun_iot.commands import running
from custom_components.aliyun_iot.commands.loops import MAX_CONTEXTS, TURNS
from custom_components.aliyun_iot.const import EVENT_COMMAND
from simulator import CloudDevice, Simulator

from .application import LAMP, SetProperties, publish, reply_on
from .conftest import SetUp
from .waiting import until

AT_HOME = [{"condition": "state", "entity_id": "person.anna", "state": "home"}]
SLOW = [{"action": "test.slow", "data": {"value": "{{ value }}"}}]
RELAY = {**LAMP, "entity": "switch.relay"}
OWN = {"identifier": "LightSwitch", "entity": "", "aspect": "actions", "access": "control", "actions": SLOW}
GARAGE = {"identifier": "LightSwitch", "entity": "cover.garage", "aspect": "open", "access": "both", "confirmed": True}

type Change = Callable[[HomeAssistant, MockConfigEntry, dict[str, Any]], None]


class SlowHouse:
    """Entities and an action that need time until they are let go."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Add them."""
        self.calls: list[str] = []
        self.go_on = asyncio.Event()
        hass.states.async_set("person.anna", "home")
        hass.states.async_set("switch.relay", "off")
        hass.states.async_set("switch.other", "off")
        hass.states.async_set("cover.garage", "closed", {"device_class": "garage", "supported_features": 3})
        for domain, name in (("switch", "turn_on"), ("cover", "open_cover"), ("test", "slow")):
            hass.services.async_register(domain, name, self._act)

    async def _act(self, call: ServiceCall) -> None:
        self.calls.append(call.data.get("entity_id", call.service))
        await self.go_on.wait()


@pytest.fixture
def slow_house(hass: HomeAssistant) -> SlowHouse:
    """Return a house in which every action takes until it is let go."""
    return SlowHouse(hass)


def rebind(**changes: Any) -> Change:
    """Return a change of the binding."""

    def apply(hass: HomeAssistant, entry: MockConfigEntry, row: dict[str, Any]) -> None:
        subentry = next(iter(entry.subentries.values()))
        hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [{**row, **changes}]})

    return apply


def unbind(hass: HomeAssistant, entry: MockConfigEntry, _row: dict[str, Any]) -> None:
    """Remove the binding."""
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": []})


def leave(hass: HomeAssistant, _entry: MockConfigEntry, _row: dict[str, Any]) -> None:
    """Let the condition no longer hold."""
    hass.states.async_set("person.anna", "not_home")


def turn_dry_run_on(hass: HomeAssistant, entry: MockConfigEntry, _row: dict[str, Any]) -> None:
    """Turn the dry run on."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, "dry_run": True})


def pause(_hass: HomeAssistant, entry: MockConfigEntry, _row: dict[str, Any]) -> None:
    """Pause the property as part of a loop."""
    loop(entry, TURNS + 1)
    assert entry.runtime_data.device.loops.paused() == ["LightSwitch"]


def loop(entry: MockConfigEntry, turns: int) -> None:
    """Let a cloud rule and an automation set each other off so many times, each time with the same value."""
    loops = entry.runtime_data.device.loops
    for _ in range(turns):
        context = Context()
        loops.record_command({"LightSwitch": 1}, context)
        loops.record_change("Brightness", 1, Context(parent_id=context.id))


def lower_limit(hass: HomeAssistant, entry: MockConfigEntry, _row: dict[str, Any]) -> None:
    """Allow one command in a minute."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, "commands_per_minute": 1})


def add_lock(hass: HomeAssistant, _entry: MockConfigEntry, row: dict[str, Any]) -> None:
    """Add a lock to the group."""
    hass.states.async_set(row["entity"], "off", {"entity_id": ["switch.other", "lock.front"]})


def stop_home_assistant(hass: HomeAssistant, _entry: MockConfigEntry, _row: dict[str, Any]) -> None:
    """Let Home Assistant stop."""
    hass.set_state(CoreState.stopping)


def disappear(hass: HomeAssistant, _entry: MockConfigEntry, row: dict[str, Any]) -> None:
    """Make the entity unavailable."""
    hass.states.async_set(row["entity"], "unavailable")


@pytest.mark.parametrize(
    ("row", "change", "code"),
    [
        pytest.param(RELAY, rebind(access="report"), Code.NOT_ALLOWED, id="control withdrawn"),
        pytest.param(RELAY, unbind, Code.NOT_MAPPED, id="unbound"),
        pytest.param(RELAY, rebind(entity="switch.other"), Code.NOT_ALLOWED, id="bound to another entity"),
        pytest.param(RELAY, rebind(actions=SLOW), 200, id="own actions"),
        pytest.param({**RELAY, "condition": AT_HOME}, leave, Code.NOT_ALLOWED, id="condition"),
        pytest.param(RELAY, turn_dry_run_on, Code.DRY_RUN, id="dry run"),
        pytest.param(RELAY, pause, Code.LOOP, id="paused"),
        pytest.param(RELAY, disappear, Code.UNAVAILABLE, id="unavailable"),
        pytest.param(GARAGE, rebind(confirmed=False), Code.NOT_ALLOWED, id="not confirmed"),
        pytest.param(RELAY, add_lock, Code.NOT_ALLOWED, id="member not confirmed"),
        pytest.param(RELAY, lower_limit, Code.TOO_BUSY, id="limit"),
        pytest.param(OWN, lower_limit, Code.TOO_BUSY, id="limit of own actions"),
        pytest.param(RELAY, stop_home_assistant, Code.TOO_BUSY, id="stop"),
        pytest.param(
            {**RELAY, "actions": SLOW},
            rebind(access="report", actions=[]),
            Code.NOT_ALLOWED,
            id="control by own actions withdrawn",
        ),
        pytest.param(OWN, unbind, Code.NOT_MAPPED, id="own actions unbound"),
        pytest.param({**OWN, "condition": AT_HOME}, leave, Code.NOT_ALLOWED, id="condition of own actions"),
        pytest.param(OWN, turn_dry_run_on, Code.DRY_RUN, id="dry run of own actions"),
        pytest.param(OWN, pause, Code.LOOP, id="own actions paused"),
    ],
)
async def test_permission_is_checked_again_at_the_turn(
    hass: HomeAssistant,
    slow_house: SlowHouse,
    set_up: SetUp,
    set_properties: SetProperties,
    row: dict[str, Any],
    change: Change,
    code: int,
) -> None:
    """What is no longer allowed is refused with the code it would get now, and not done."""
    entry = await set_up([row])
    first = asyncio.create_task(set_properties(LightSwitch=1))
    await until(lambda: slow_house.calls)
    second = asyncio.create_task(set_properties(LightSwitch=1))
    await until(lambda: len(entry.runtime_data.device.commander._sets) == 2)
    change(hass, entry, row)
    await settle(hass)
    slow_house.go_on.set()
    assert (await first).code == 200
    assert (await second).code == code
    assert len(slow_house.calls) == (2 if code == 200 else 1)
    hass.set_state(CoreState.running)


SERVICE = {"identifier": "LightSwitch", "actions": [{"action": "test.slow"}]}


def change_service(**changes: Any) -> Change:
    """Return a change of what the service is bound to."""

    def apply(hass: HomeAssistant, entry: MockConfigEntry, row: dict[str, Any]) -> None:
        subentry = next(iter(entry.subentries.values()))
        hass.config_entries.async_update_subentry(entry, subentry, data={**row, **changes})

    return apply


def unbind_service(hass: HomeAssistant, entry: MockConfigEntry, _row: dict[str, Any]) -> None:
    """Remove what the service is bound to."""
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))


class Loading:
    """Integrations that a sequence of actions needs, which take long to load."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every sequence wait from now on."""
        self.begun = asyncio.Event()
        self.done = asyncio.Event()
        self._validate = running._validated
        monkeypatch.setattr(running, "_validated", self._load)

    async def _load(self, hass: HomeAssistant, actions: running.Actions) -> running.Actions:
        self.begun.set()
        await self.done.wait()
        return await self._validate(hass, actions)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(leave, Code.NOT_ALLOWED, id="condition"),
        pytest.param(turn_dry_run_on, Code.DRY_RUN, id="dry run"),
        pytest.param(unbind_service, Code.NOT_MAPPED, id="unbound"),
        pytest.param(change_service(actions=[{"delay": 0}]), Code.NOT_ALLOWED, id="bound to something else"),
        pytest.param(stop_home_assistant, Code.TOO_BUSY, id="stop"),
        pytest.param(lower_limit, 200, id="limit that still holds"),
    ],
)
async def test_service_is_checked_again_when_its_actions_are_ready(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    slow_house: SlowHouse,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    code: int,
) -> None:
    """It may take a while until an integration that they need has been loaded."""
    loading = Loading(monkeypatch)
    slow_house.go_on.set()
    entry = await set_up(services=[SERVICE], options={"thing_model": None, "command_condition": AT_HOME})
    await publish(cloud, device, "thing/service/LightSwitch", {"id": "7", "params": {}})
    await loading.begun.wait()
    change(hass, entry, SERVICE)
    await settle(hass)
    loading.done.set()
    assert (await reply_on(cloud, "LightSwitch_reply"))["code"] == code
    assert len(slow_house.calls) == (code == 200)
    hass.set_state(CoreState.running)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(leave, Code.NOT_ALLOWED, id="condition"),
        pytest.param(turn_dry_run_on, Code.DRY_RUN, id="dry run"),
        pytest.param(unbind, Code.NOT_MAPPED, id="unbound"),
        pytest.param(rebind(actions=[{"delay": 0}]), Code.NOT_ALLOWED, id="other actions"),
        pytest.param(pause, Code.LOOP, id="paused"),
        pytest.param(stop_home_assistant, Code.TOO_BUSY, id="stop"),
        pytest.param(lower_limit, 200, id="limit that still holds"),
    ],
)
async def test_property_is_checked_again_when_its_actions_are_ready(
    hass: HomeAssistant,
    slow_house: SlowHouse,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    code: int,
) -> None:
    """As a service is."""
    loading = Loading(monkeypatch)
    slow_house.go_on.set()
    entry = await set_up([OWN], options={"command_condition": AT_HOME})
    answer = asyncio.create_task(set_properties(LightSwitch=1))
    await loading.begun.wait()
    change(hass, entry, OWN)
    await settle(hass)
    loading.done.set()
    assert (await answer).code == code
    assert len(slow_house.calls) == (code == 200)
    hass.set_state(CoreState.running)


async def settle(hass: HomeAssistant) -> None:
    """Let the entry take a change over; the slow actions keep Home Assistant from being idle."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_plan_follows_the_state_at_the_turn(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, slow_house: SlowHouse
) -> None:
    """A value that no longer fits is refused, one that fits now is set."""
    hass.services.async_register("number", "set_value", slow_house._act)
    hass.states.async_set("number.level", "20", {"min": 10, "max": 30})
    row = {"identifier": "TargetTemperature", "entity": "number.level", "aspect": "value", "access": "both"}
    entry = await set_up([row], options={"thing_model": None})
    first = asyncio.create_task(set_properties(TargetTemperature=20))
    await until(lambda: slow_house.calls)
    others = [asyncio.create_task(set_properties(TargetTemperature=value)) for value in (25, 45)]
    await until(lambda: len(entry.runtime_data.device.commander._sets) == 3)
    hass.states.async_set("number.level", "40", {"min": 30, "max": 50})
    slow_house.go_on.set()
    assert (await first).code == 200
    assert [(await other).code for other in others] == [Code.OUT_OF_RANGE, 200]


async def test_command_that_completes_a_loop_is_refused(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """It is announced as refused, not as done."""
    events = async_capture_events(hass, EVENT_COMMAND)
    entry = await set_up([LAMP])
    loop(entry, TURNS)
    reply = await set_properties(LightSwitch=1)
    assert reply.code == Code.LOOP
    assert "paused" in events[0].data["changes"][0]["refused"]
    assert hass.states.get("input_boolean.lamp").state == "off"


async def test_unexpected_exception_leaves_nothing_behind(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer is an internal error, and the next command is carried out."""
    entry = await set_up([LAMP])
    commander = entry.runtime_data.device.commander

    def fail(*_args: object, **_kwargs: object) -> bool:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(commander._announcer, "notify", fail)
        patch.setattr(commander._announcer, "has_listener", lambda _: True)
        assert (await set_properties(LightSwitch=1)).code == Code.INTERNAL_ERROR
        await publish(cloud, device, "thing/service/ReadMeter", {"id": "9", "params": {}})
        assert (await reply_on(cloud, "ReadMeter_reply"))["code"] == Code.INTERNAL_ERROR
    await asyncio.wait_for(commander.sets_answered(), 30)
    assert not commander.replies._open
    assert (await set_properties(LightSwitch=1)).code == 200


async def test_number_of_contexts_is_limited(hass: HomeAssistant, house: None, set_up: SetUp) -> None:
    """The loop guard drops the oldest ones."""
    loops = (await set_up([LAMP])).runtime_data.device.loops
    contexts = [Context() for _ in range(MAX_CONTEXTS + 1)]
    for context in contexts:
        loops.record_command({"LightSwitch": 1}, context)
    assert list(loops._contexts) == [context.id for context in contexts[1:]]


async def test_turns_of_unbound_properties_are_dropped(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The loop guard keeps nothing for them."""
    entry = await set_up([LAMP])
    await set_properties(LightSwitch=1)
    assert list(entry.runtime_data.device.loops._tracks) == ["LightSwitch"]
    unbind(hass, entry, LAMP)
    await hass.async_block_till_done()
    assert not entry.runtime_data.device.loops._tracks


async def test_only_commands_of_the_cloud_are_passed_on_as_answered(
    hass: HomeAssistant, house: None, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desired value that is carried out is not, or it would count as a set that the cloud has sent."""
    entry = await set_up([LAMP])
    commander = entry.runtime_data.device.commander
    answered: list[Command] = []
    monkeypatch.setattr(commander, "_on_answered", lambda command, _answer: answered.append(command))
    command = Command(CommandKind.PROPERTY_SET, "1", None, {"LightSwitch": 1}, sync=False, topic="", payload=b"")
    run: Callable[[Command], Awaitable[Any]]
    for run in (commander.carry_out, commander.handle):
        assert (await run(command)).code == 200
    assert answered == [command]
