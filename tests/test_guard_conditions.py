"""Conditions that need something that is not there yet: denied meanwhile, and compiled when it appears."""

import asyncio
from types import SimpleNamespace
from typing import Any

from homeassistant.const import EVENT_COMPONENT_LOADED, EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockModule, mock_integration, mock_platform

from custom_components.aliyun_iot import ha_internals
from custom_components.aliyun_iot.alink.command import CommandKind
from custom_components.aliyun_iot.commands import conditions
from custom_components.aliyun_iot.commands.conditions import Conditions, Guarded
from custom_components.aliyun_iot.condition import ConnectedCondition
from custom_components.aliyun_iot.health.issues import Issue
from simulator import CloudDevice

from .application import LAMP, TARGET, SetProperties
from .conftest import SetUp
from .test_issues import shown_issues
from .waiting import until

DENIED = 100003
GUARD = Guarded(CommandKind.PROPERTY_SET, "LightSwitch")


@pytest.fixture(autouse=True)
def no_cooldown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile again at once."""
    monkeypatch.setattr(conditions, "COOLDOWN", 0.0)


def guarded(*steps: dict[str, Any]) -> dict[str, Any]:
    """Return a binding of the lamp with a condition."""
    return {**LAMP, "condition": list(steps)}


def state_is(reference: str, state: str) -> dict[str, Any]:
    """Return a condition about an entity by its registry id."""
    return {"condition": "state", "entity_id": reference, "state": state}


def lost_entity(hass: HomeAssistant) -> str:
    """Return the registry id of an entity that was removed, and can come back."""
    registered = er.async_get(hass).async_get_or_create("binary_sensor", "test", "door", suggested_object_id="door")
    er.async_get(hass).async_remove(registered.entity_id)
    return registered.id


async def test_entity_that_comes_back(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, caplog: pytest.LogCaptureFixture
) -> None:
    """The set is refused, and an issue says why, until the entity is registered again."""
    reference = lost_entity(hass)
    entry = await set_up([guarded(state_is(reference, "on"))])
    assert (await set_properties(LightSwitch=1)).code == DENIED
    facts = shown_issues(hass)[Issue.CONDITION_UNUSABLE]
    assert (facts["count"], facts["conditions"].startswith("- LightSwitch: ")) == ("1", True)
    assert caplog.text.count("cannot be used, so it does not hold") == 1

    er.async_get(hass).async_get_or_create("binary_sensor", "test", "door")
    hass.states.async_set("binary_sensor.door", "on")
    await until(lambda: not entry.runtime_data.device.commander.policy.unusable_conditions)
    assert (await set_properties(LightSwitch=1)).code == 200
    assert shown_issues(hass) == {}


async def test_device_that_comes_back(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A condition of a device needs the device. Home Assistant 2026.8 fires no event for one that comes back without a name."""
    owner = MockConfigEntry(domain="test")
    owner.add_to_hass(hass)
    registry = dr.async_get(hass)
    device = registry.async_get_or_create(config_entry_id=owner.entry_id, identifiers={("test", "a")}, name="A")
    light = er.async_get(hass).async_get_or_create("light", "test", "lamp")
    condition = {
        "condition": "device",
        "device_id": device.id,
        "domain": "light",
        "entity_id": light.id,
        "type": "is_on",
    }
    hass.states.async_set(light.entity_id, "on")
    registry.async_remove_device(device.id)
    entry = await set_up([guarded(condition)])
    assert (await set_properties(LightSwitch=1)).code == DENIED
    # A refused command leads to another attempt, too; it must have ended.
    checked = entry.runtime_data.device.commander.policy._conditions
    await until(lambda: not checked._debouncer._timer_task)
    await hass.async_block_till_done()
    registry.async_get_or_create(config_entry_id=owner.entry_id, identifiers={("test", "a")}, name="A")
    await until(lambda: not entry.runtime_data.device.commander.policy.unusable_conditions)
    assert (await set_properties(LightSwitch=1)).code == 200


async def test_integration_that_is_loaded_later(
    hass: HomeAssistant, house: None, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Its conditions are known once it is loaded; the condition for all commands is an ordinary one."""
    entry = await set_up([LAMP], options={"command_condition": [{"condition": "late.is_connected", "options": {}}]})
    assert (await set_properties(LightSwitch=1)).code == DENIED
    assert shown_issues(hass)[Issue.CONDITION_UNUSABLE]["conditions"].startswith("- All commands: ")

    # The refused command has led to another attempt, which would undo the mock when it ends.
    checked = entry.runtime_data.device.commander.policy._conditions
    await until(lambda: not checked._debouncer._timer_task)
    await hass.async_block_till_done()

    class Connected(ConnectedCondition):
        """A condition of another integration."""

        @classmethod
        async def async_validate_config(cls, hass: HomeAssistant, config: dict[str, Any]) -> dict[str, Any]:
            return {**config, "options": {"config_entry_id": entry.entry_id}}

    async def async_get_conditions(_: HomeAssistant) -> dict[str, type[Connected]]:
        return {"is_connected": Connected}

    mock_integration(hass, MockModule("late"))
    mock_platform(hass, "late.condition", SimpleNamespace(async_get_conditions=async_get_conditions))
    hass.bus.async_fire(EVENT_COMPONENT_LOADED, {"component": "late"})
    await until(lambda: not entry.runtime_data.device.commander.policy.unusable_conditions)
    assert (await set_properties(LightSwitch=1)).code == 200


@pytest.mark.parametrize("cause", ["start", "reload", "command"])
async def test_other_reasons_to_try_again(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    """The start of Home Assistant, a reload of any entry, and a command that was refused."""
    found: list[dict[str, str]] = []
    attempts: list[str] = []

    async def fail(_hass: HomeAssistant, _valid: object, name: str) -> None:
        attempts.append(name)
        raise ha_internals.HomeAssistantChanged("not yet")

    compile_conditions = conditions.compile_conditions
    monkeypatch.setattr(conditions, "compile_conditions", fail)
    checked = Conditions(hass, lambda unusable: found.append(dict(unusable)))
    template = [{"condition": "template", "value_template": "{{ identifier == 'LightSwitch' }}"}]
    await checked.follow({GUARD: template})
    assert checked.unusable == {"LightSwitch": "not yet"}
    monkeypatch.setattr(conditions, "compile_conditions", compile_conditions)
    if cause == "start":
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    elif cause == "reload":
        MockConfigEntry(domain="test").add_to_hass(hass)
        hass.config_entries.async_update_entry(hass.config_entries.async_entries("test")[0], title="New")
    else:
        assert not checked.hold(GUARD)
    await until(lambda: found == [{}])
    assert checked.hold(GUARD)
    assert attempts == ["commands for LightSwitch"]
    checked.stop()
    assert checked.hold(GUARD)


async def test_condition_follows_a_renamed_entity(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """It was compiled for the entity id; after two renames another entity has that id, and must not open the door."""
    registry = er.async_get(hass)
    door, window = (registry.async_get_or_create("binary_sensor", "test", name) for name in ("door", "window"))
    hass.states.async_set(door.entity_id, "off")
    entry = await set_up([guarded(state_is(door.id, "on"))])
    assert (await set_properties(LightSwitch=1)).code == DENIED

    hass.states.async_remove(door.entity_id)
    registry.async_update_entity(door.entity_id, new_entity_id="binary_sensor.gate")
    registry.async_update_entity(window.entity_id, new_entity_id=door.entity_id)
    hass.states.async_set(door.entity_id, "on")
    hass.states.async_set("binary_sensor.gate", "off")
    checked = entry.runtime_data.device.commander.policy._conditions
    await until(lambda: GUARD in checked._compiled)
    assert (await set_properties(LightSwitch=1)).code == DENIED
    hass.states.async_set("binary_sensor.gate", "on")
    assert (await set_properties(LightSwitch=1)).code == 200


async def test_no_issue_while_home_assistant_starts(hass: HomeAssistant, house: None, set_up: SetUp) -> None:
    """What a condition needs may be on its way; what is missing afterwards is reported."""
    hass.set_state(CoreState.starting)
    await set_up([guarded(state_is(lost_entity(hass), "on"))])
    assert shown_issues(hass) == {}
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: Issue.CONDITION_UNUSABLE in shown_issues(hass))


async def test_nothing_is_listened_to_without_conditions(hass: HomeAssistant) -> None:
    """And nothing is compiled again while all of them can be used."""
    before = hass.bus.async_listeners()
    checked = Conditions(hass, lambda _: None)
    await checked.follow({GUARD: [{"condition": "template", "value_template": "{{ true }}"}]})
    assert hass.bus.async_listeners() != before
    hass.bus.async_fire(EVENT_COMPONENT_LOADED, {"component": "late"})
    assert not checked._debouncer._timer_task
    await checked.follow({})
    assert hass.bus.async_listeners() == before
    checked.stop()


HELD = [{"condition": "template", "value_template": "{{ true }}"}]
NOT_HELD = [{"condition": "template", "value_template": "{{ false }}"}]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(NOT_HELD, [], 200), (NOT_HELD, HELD, 200), ([], NOT_HELD, DENIED), (HELD, NOT_HELD, DENIED)],
)
async def test_condition_belongs_to_the_binding_that_works(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, first: Any, second: Any, code: int
) -> None:
    """Of two stored bindings of a property; the other one has lost its entity."""
    lost = {**LAMP, "entity": lost_entity(hass), "condition": first}
    await set_up([lost, {**LAMP, "condition": second}])
    assert (await set_properties(LightSwitch=1)).code == code


async def test_guards_change_with_the_bindings_and_not_before(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a new condition is compiled everything stays as it was: forbidden is not allowed in between."""
    entry = await set_up([{**LAMP, "condition": NOT_HELD}, TARGET])
    compile_conditions = conditions.compile_conditions
    begun, done = asyncio.Event(), asyncio.Event()

    async def slowly(hass: HomeAssistant, valid: Any, name: str) -> ha_internals.CompiledConditions:
        begun.set()
        await done.wait()
        return await compile_conditions(hass, valid, name)

    monkeypatch.setattr(conditions, "compile_conditions", slowly)
    subentry = next(iter(entry.subentries.values()))
    changed = [{**LAMP, "access": "report"}, {**TARGET, "condition": NOT_HELD}]
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": changed})
    await begun.wait()
    assert (await set_properties(LightSwitch=1)).code == DENIED
    assert (await set_properties(TargetTemperature=25)).code == 200
    done.set()
    await hass.async_block_till_done()
    assert (await set_properties(LightSwitch=1)).code == DENIED
    assert (await set_properties(TargetTemperature=26)).code == DENIED
    assert hass.states.get("input_boolean.lamp").state == "off"


async def test_changes_that_need_nothing_compiled_apply_at_once(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Several changes at a time end with the last one."""
    entry = await set_up([LAMP])
    subentry = next(iter(entry.subentries.values()))
    for condition in (NOT_HELD, HELD, NOT_HELD):
        data = {"bindings": [{**LAMP, "condition": condition}]}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        await asyncio.sleep(0)
    await hass.async_block_till_done()
    assert (await set_properties(LightSwitch=1)).code == DENIED
    hass.config_entries.async_update_entry(entry, options={**entry.options, "dry_run": True})
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [LAMP]})
    await hass.async_block_till_done()
    assert (await set_properties(LightSwitch=1)).code == 100010


async def test_conditions_that_are_not_used_are_unloaded(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an update that was overtaken by the end of the entry, and of one that fails."""
    unloaded: list[str] = []

    async def compiled(_hass: HomeAssistant, _valid: object, name: str) -> ha_internals.CompiledConditions:
        if "Fails" in name:
            raise ZeroDivisionError
        return ha_internals.CompiledConditions(lambda _: True, lambda: unloaded.append(name))

    monkeypatch.setattr(conditions, "compile_conditions", compiled)
    checked = Conditions(hass, lambda _: None)
    prepared = await checked.prepare({GUARD: HELD})
    checked.stop()
    checked.use(prepared)
    assert unloaded == ["commands for LightSwitch"]
    with pytest.raises(ZeroDivisionError):
        await checked.prepare({GUARD: HELD, Guarded(CommandKind.SERVICE, "Fails"): HELD})
    assert unloaded == ["commands for LightSwitch"] * 2


async def test_event_while_conditions_are_compiled(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What appears during an attempt that is going to fail leads to another one."""
    found: list[dict[str, str]] = []
    go_on = asyncio.Event()
    compile_conditions, attempts = conditions.compile_conditions, 0

    async def slow(*arguments: Any) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts > 2:
            return await compile_conditions(*arguments)
        if attempts == 2:
            await go_on.wait()
        raise ha_internals.HomeAssistantChanged("not yet")

    monkeypatch.setattr(conditions, "compile_conditions", slow)
    checked = Conditions(hass, lambda unusable: found.append(dict(unusable)))
    await checked.follow({GUARD: [{"condition": "template", "value_template": "{{ true }}"}]})
    hass.bus.async_fire(EVENT_COMPONENT_LOADED, {"component": "one"})
    await until(lambda: attempts == 2)
    hass.bus.async_fire(EVENT_COMPONENT_LOADED, {"component": "two"})
    await until(lambda: checked._debouncer._timer_task is None)
    go_on.set()
    await until(lambda: checked.hold(GUARD))
    assert (attempts, found) == (3, [{}])
    checked.stop()
