"""Event entities and triggers become events of the thing model."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventEntity
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import CONF_WINDOW, SUBENTRY_EVENT
from custom_components.aliyun_iot.diagnostics import async_get_config_entry_diagnostics
from custom_components.aliyun_iot.health.issues import Issue
from custom_components.aliyun_iot.reports import events
from simulator import CloudDevice

from .conftest import SetUp
from .test_issues import shown_issues, wait_for_issue
from .waiting import until

ALARM = "HighTemperatureAlarm"
BELL = "event.bell"
HEAT: list[dict[str, Any]] = [{"trigger": "numeric_state", "entity_id": ["sensor.cellar"], "above": 40}]
SMOKE: list[dict[str, Any]] = [{"trigger": "event", "event_type": "smoke"}]
RUNG = {
    "identifier": "SceneActivated",
    "entity": BELL,
    "output": {"SceneName": "{{ event_type }} {{ attributes.presses }}", "ActivatedAt": "{{ now() }}"},
}

type Bind = Callable[..., Awaitable[ConfigSubentry]]


class Bell(EventEntity):
    """A button that sends events."""

    _attr_event_types = ["ring", "hold"]  # noqa: RUF012 - as Home Assistant's own do
    _attr_name = "Bell"
    _attr_unique_id = "bell"
    entity_id = BELL

    def press(self, event_type: str = "ring", presses: int = 1) -> None:
        """Fire."""
        self._trigger_event(event_type, {"presses": presses})
        self.async_write_ha_state()


@pytest.fixture
async def bell(hass: HomeAssistant) -> Bell:
    """Return a real event entity."""
    assert await async_setup_component(hass, EVENT_DOMAIN, {})
    entity = Bell()
    await hass.data[DATA_INSTANCES][EVENT_DOMAIN].async_add_entities([entity])
    return entity


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """Return a running entry without an event."""
    return await set_up()


async def bind_event(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> ConfigSubentry:
    """Bind an event while the entry runs, or waits for a retry."""
    subentry = ConfigSubentry(
        data=MappingProxyType(data), subentry_type=SUBENTRY_EVENT, title=data["identifier"], unique_id=None
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    await hass.async_block_till_done()
    return subentry


@pytest.fixture
def bind(hass: HomeAssistant, entry: MockConfigEntry) -> Bind:
    """Return a function that binds an event of the running entry."""
    return partial(bind_event, hass, entry)


async def test_each_firing_is_posted(hass: HomeAssistant, device: CloudDevice, bell: Bell, bind: Bind) -> None:
    """The same type twice in a row is two events, each with its own time."""
    await bind(**RUNG)
    for presses in (1, 2):
        bell.press(presses=presses)
    bell.press("hold", 3)
    await device.wait_for(lambda one: len(one.events) == 3)
    assert [event.output["SceneName"] for event in device.events] == ["ring 1", "ring 2", "hold 3"]
    assert {event.identifier for event in device.events} == {"SceneActivated"}
    assert all(isinstance(event.output["ActivatedAt"], str) for event in device.events)
    fired = dt_util.parse_datetime(hass.states.get(BELL).state)
    assert device.events[-1].time == round(fired.timestamp() * 1000)
    assert device.connections == 1


async def test_state_changes_without_a_firing_are_not_events(
    hass: HomeAssistant, device: CloudDevice, bell: Bell, bind: Bind
) -> None:
    """An entity that becomes unavailable and returns, is renamed or is restored has not fired."""
    bell.press()
    before = hass.states.get(BELL)
    await bind(**RUNG)
    hass.states.async_set(BELL, "unavailable")
    hass.states.async_set(BELL, before.state, before.attributes)
    hass.states.async_set(BELL, before.state, {**before.attributes, "friendly_name": "Other"})
    hass.states.async_remove(BELL)
    hass.states.async_set(BELL, (dt_util.utcnow() - timedelta(hours=1)).isoformat(), before.attributes)
    hass.states.async_set(BELL, "unknown")
    hass.states.async_set(BELL, "garbage")
    bell.press(presses=5)
    await device.wait_for(lambda one: one.events)
    hass.states.async_set(BELL, "unavailable")
    bell.async_write_ha_state()
    bell.press(presses=6)
    await device.wait_for(lambda one: len(one.events) == 2)
    assert [event.output["SceneName"] for event in device.events] == ["ring 5", "ring 6"]


async def test_unregistered_entity_may_come_later(hass: HomeAssistant, device: CloudDevice, bind: Bind) -> None:
    """An integration may add it long after the start, and it may go and come back: nothing but its state says so."""
    await bind(**RUNG)
    for presses in (1, 2):
        hass.states.async_set(BELL, "unknown")
        fired = dt_util.utcnow() + timedelta(milliseconds=presses)  # two firings have different times
        hass.states.async_set(
            BELL, fired.isoformat(timespec="milliseconds"), {"event_type": "ring", "presses": presses}
        )
        hass.states.async_remove(BELL)
    await device.wait_for(lambda one: len(one.events) == 2)
    assert [event.output["SceneName"] for event in device.events] == ["ring 1", "ring 2"]


async def test_clock_that_is_set_back_hides_no_firing(hass: HomeAssistant, device: CloudDevice, bind: Bind) -> None:
    """A machine may start with a clock that is hours ahead; what happens after it was set is earlier than what came before."""
    now = dt_util.utcnow()
    hass.states.async_set(BELL, (now + timedelta(hours=3)).isoformat(), {"event_type": "ring", "presses": 1})
    await bind(**RUNG)
    for presses, at in enumerate((now, now + timedelta(seconds=1)), 2):
        hass.states.async_set(BELL, at.isoformat(), {"event_type": "ring", "presses": presses})
    await device.wait_for(lambda one: len(one.events) == 2)
    assert [event.output["SceneName"] for event in device.events] == ["ring 2", "ring 3"]


async def test_trigger_posts_an_event(hass: HomeAssistant, device: CloudDevice, bind: Bind) -> None:
    """Any trigger, with its variables in the templates; types are those of the thing model."""
    hass.states.async_set("sensor.cellar", "20")
    output = {"Temperature": "{{ trigger.to_state.state }}", "Threshold": 40, "Zone": "{{ trigger.above }}"}
    await bind(identifier=ALARM, triggers=HEAT, output=output)
    hass.states.async_set("sensor.cellar", "41.5")
    await device.wait_for(lambda one: one.events)
    [event] = device.events
    assert (event.identifier, event.output) == (ALARM, {"Temperature": 41.5, "Threshold": 40.0, "Zone": "40.0"})


async def test_own_trigger_with_variables(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, bind: Bind
) -> None:
    """A trigger of this integration may be the source, and a trigger may bring variables along."""
    trigger = {
        "trigger": "aliyun_iot.raw_received",
        "options": {"config_entry_id": entry.entry_id},
        "variables": {"zone": "{{ trigger.data }}"},
    }
    await bind(identifier=ALARM, triggers=[trigger], output={"Zone": "{{ zone }}"})
    device.connection.send(f"/sys/{device.product_key}/{device.device_name}/thing/model/down_raw", b"\x01\x02", 1)
    await device.wait_for(lambda one: one.events)
    assert device.events[0].output == {"Zone": "0102"}


async def test_changes_apply_at_once(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, bind: Bind
) -> None:
    """Changed and removed bindings apply without a reconnect."""
    subentry = await bind(identifier=ALARM, triggers=HEAT)
    hass.config_entries.async_update_subentry(
        entry, subentry, data={"identifier": ALARM, "triggers": SMOKE, "output": {"Zone": "new"}}
    )
    await hass.async_block_till_done()
    hass.states.async_set("sensor.cellar", "20")
    hass.states.async_set("sensor.cellar", "50")
    hass.bus.async_fire("smoke")
    await device.wait_for(lambda one: one.events)
    assert [event.output for event in device.events] == [{"Zone": "new"}]

    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()
    await bind(identifier="DeviceFault", triggers=SMOKE)
    hass.bus.async_fire("smoke")
    await device.wait_for(lambda one: len(one.events) == 2)
    assert device.events[-1].identifier == "DeviceFault"
    assert device.connections == 1

    listeners = hass.bus.async_listeners()["smoke"]
    await hass.config_entries.async_unload(entry.entry_id)
    assert listeners == 1
    assert "smoke" not in hass.bus.async_listeners()


async def test_binding_follows_a_renamed_event_entity(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, bind: Bind, caplog: pytest.LogCaptureFixture
) -> None:
    """Entities are stored by registry id; a removed one is a problem of the binding until it is added again."""
    registry = er.async_get(hass)
    registered = registry.async_get_or_create(EVENT_DOMAIN, "test", "bell", suggested_object_id="bell")
    await bind(identifier="SceneActivated", entity=registered.id, output={"SceneName": "{{ entity_id }}"})
    registry.async_update_entity(BELL, new_entity_id="event.gong")
    await hass.async_block_till_done()
    hass.states.async_set("event.gong", dt_util.utcnow().isoformat())
    await device.wait_for(lambda one: one.events)
    assert device.events[-1].output == {"SceneName": "event.gong"}

    registry.async_remove("event.gong")
    await hass.async_block_till_done()
    reporter = entry.runtime_data.device.events
    assert "removed" in reporter.problems["SceneActivated"]
    assert caplog.text.count("its entity was removed") == 1
    registry.async_get_or_create(EVENT_DOMAIN, "test", "bell")
    await hass.async_block_till_done()
    assert not reporter.problems


async def test_event_entities_that_swap_their_ids(hass: HomeAssistant, device: CloudDevice, bind: Bind) -> None:
    """What one of them fired before is no event of the other one, not even while Home Assistant moves their states."""
    registry = er.async_get(hass)
    one, other = (
        registry.async_get_or_create(EVENT_DOMAIN, "test", name, suggested_object_id=name) for name in ("front", "back")
    )
    long_ago, lately = (dt_util.utcnow() - timedelta(minutes=minutes) for minutes in (9, 1))
    hass.states.async_set("event.front", long_ago.isoformat())
    hass.states.async_set("event.back", lately.isoformat())
    await bind(identifier="SceneActivated", entity=one.id, output={"SceneName": "{{ entity_id }}"})
    for old, new in (("front", "aside"), ("back", "front"), ("aside", "back")):
        registry.async_update_entity(f"event.{old}", new_entity_id=f"event.{new}")
        if old != "aside":
            hass.states.async_remove(f"event.{old}")
            hass.states.async_set(f"event.{new}", (long_ago if old == "front" else lately).isoformat())
    hass.states.async_remove("event.aside")
    await hass.async_block_till_done()
    hass.states.async_set("event.back", long_ago.isoformat())
    hass.states.async_set("event.front", dt_util.utcnow().isoformat())
    await hass.async_block_till_done()
    assert registry.async_get(one.id).entity_id == "event.back"
    assert registry.async_get(other.id).entity_id == "event.front"
    hass.states.async_set("event.back", dt_util.utcnow().isoformat())
    await device.wait_for(lambda it: it.events)
    assert [event.output["SceneName"] for event in device.events] == ["event.back"]


async def test_no_events_before_home_assistant_has_started(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """Entities that are restored cause no events."""
    hass.set_state(CoreState.starting)
    entry = await set_up()
    await bind_event(hass, entry, identifier=ALARM, triggers=SMOKE)
    assert "smoke" not in hass.bus.async_listeners()
    hass.bus.async_fire("smoke")
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    hass.bus.async_fire("smoke")
    await device.wait_for(lambda one: one.events)
    assert len(device.events) == 1


async def test_output_that_does_not_fit_is_left_out(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, bind: Bind, caplog: pytest.LogCaptureFixture
) -> None:
    """The event goes without it. That is an issue until the event happens with everything, and one line in the log."""
    output = {
        "Temperature": "{{ trigger.event.data.heat }}",
        "Threshold": "{{ 1 / 0 }}",
        "Stranger": 1,
        "Zone": "{{ trigger.event.data.zone }}",
    }
    subentry = await bind(identifier=ALARM, triggers=SMOKE, output=output)
    for zone in ("0042", "unknown"):
        for heat in (1000, 2000):
            hass.bus.async_fire("smoke", {"zone": zone, "heat": heat})
    await device.wait_for(lambda one: len(one.events) == 4)
    assert [event.output for event in device.events] == [{"Zone": "0042"}] * 2 + [{}] * 2
    issue = await wait_for_issue(hass, Issue.PROPERTY_UNREPORTABLE)
    left_out = (await async_get_config_entry_diagnostics(hass, entry))["reporter"]["unreportable"]
    assert left_out.keys() == {f"{ALARM}.{name}" for name in ("Temperature", "Threshold", "Stranger")}
    assert left_out[f"{ALARM}.Stranger"] == "the event has no such output parameter"
    assert f"{ALARM}.Temperature" in issue["properties"]
    [line] = [text for record in caplog.records if "cannot report" in (text := record.getMessage())]
    for part in ("Temperature", "division by zero", "Stranger"):
        assert part in line
    assert "Traceback" not in caplog.text

    data = {**subentry.data, "output": {"Temperature": output["Temperature"]}}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()
    hass.bus.async_fire("smoke", {"heat": 50})
    await until(lambda: Issue.PROPERTY_UNREPORTABLE not in shown_issues(hass))


@pytest.mark.parametrize(
    ("binding", "problem"),
    [
        ({"identifier": "Nothing", "triggers": SMOKE}, "no such event"),
        ({"identifier": ALARM, "triggers": [{"trigger": "nonsense"}]}, "nonsense"),
        ({"identifier": ALARM, "triggers": [{"trigger": "event"}]}, "event_type"),
        ({"identifier": ALARM, "entity": "0" * 32}, "removed"),
        ({"identifier": ALARM, "triggers": SMOKE, "output": {"Zone": "{{ broken"}}, "Zone"),
    ],
)
async def test_broken_binding_does_not_affect_the_others(
    hass: HomeAssistant,
    device: CloudDevice,
    entry: MockConfigEntry,
    bind: Bind,
    binding: dict[str, Any],
    problem: str,
) -> None:
    """The problem of a broken binding is kept; the others work."""
    await bind(**binding)
    await bind(identifier="DeviceFault", triggers=SMOKE)
    hass.bus.async_fire("smoke")
    await device.wait_for(lambda one: one.events)
    assert [event.identifier for event in device.events] == ["DeviceFault"]
    assert problem in entry.runtime_data.device.events.problems[binding["identifier"]]


async def test_without_a_thing_model(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Output may be anything that JSON can hold, with templates anywhere in it."""
    device.thing_model = None
    entry = await set_up(options={"thing_model": None})
    output = {"Where": {"zones": ["{{ 1 + 1 }}", 3]}, "On": "{{ true }}", "Text": "{{ 'a' }}", "Not": "{{ none }}"}
    await bind_event(hass, entry, identifier="Smoke", triggers=SMOKE, output=output)
    hass.bus.async_fire("smoke")
    await device.wait_for(lambda one: one.events)
    assert device.events[0].output == {"Where": {"zones": [2, 3]}, "On": 1, "Text": "a"}


async def test_hanging_trigger_delays_neither_other_changes_nor_the_stop(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trigger of another integration may never attach; other bindings and options work, and the entry is unloaded."""
    hanging = asyncio.Event()

    async def hang(*_: object) -> None:
        hanging.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("custom_components.aliyun_iot.reports.events.attach_triggers", hang)
    for row in ({"identifier": ALARM, "triggers": SMOKE}, RUNG):
        binding = asyncio.create_task(bind_event(hass, entry, **row))
        await asyncio.sleep(0)
        binding.cancel()  # it waits for the hanging trigger
    await hanging.wait()
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_WINDOW: 0.5})
    await until(lambda: entry.runtime_data.device.reporter.sender.window == 0.5)
    bell.press()
    await device.wait_for(lambda one: one.events)
    assert [event.identifier for event in device.events] == ["SceneActivated"]
    async with asyncio.timeout(30):
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert not device.online


async def test_binding_that_changes_while_its_trigger_attaches(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the changed binding is followed in the end."""
    attaching, go_on = asyncio.Event(), asyncio.Event()
    attach = events.attach_triggers

    async def attach_slowly(*args: Any) -> CALLBACK_TYPE | None:
        attaching.set()
        await go_on.wait()
        return await attach(*args)

    monkeypatch.setattr(events, "attach_triggers", attach_slowly)
    binding = asyncio.create_task(bind_event(hass, entry, identifier=ALARM, triggers=SMOKE))
    await attaching.wait()
    [subentry] = entry.subentries.values()
    changed = {"identifier": ALARM, "triggers": [{"trigger": "event", "event_type": "heat"}]}
    hass.config_entries.async_update_subentry(entry, subentry, data=changed)
    await asyncio.sleep(0)
    go_on.set()
    await binding
    await hass.async_block_till_done()
    assert "smoke" not in hass.bus.async_listeners()
    hass.bus.async_fire("heat")
    await device.wait_for(lambda one: one.events)
    assert len(device.events) == 1
