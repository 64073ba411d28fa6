"""What Home Assistant has and does beyond its documented interfaces, and what happens when a version no longer has it.

A test that fails here with a new version of Home Assistant says which function of `ha_internals.py` has to change.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
import sys
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

from homeassistant.components.frontend import DATA_PANELS, Panel
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EntityCategory, __version__
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    config_validation as cv,
    entity_registry as er,
    issue_registry as ir,
    trace,
)
from homeassistant.helpers.script import Script
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockModule, mock_integration, mock_platform
import voluptuous as vol

from custom_components.aliyun_iot import ha_internals
from custom_components.aliyun_iot.commands.running import problem_of, run_sequence
from custom_components.aliyun_iot.const import DOMAIN, SUBENTRY_EVENT, SUBENTRY_RULE
from custom_components.aliyun_iot.ha_internals import (
    CHECKED,
    FINISHED,
    CheckedStore,
    CompiledConditions,
    HomeAssistantChanged,
    ScriptEnd,
    attach_triggers,
    clear_trace,
    compile_conditions,
    entity_integration,
    entity_integrations,
    has_page,
    on_entry_changed,
    on_triggers_registered,
    registered_issues,
    removed_entity_id,
    run_actions,
    script_action,
    script_end,
    set_trigger_choices,
    target_members,
    traces_work,
    translated_state,
    validated_actions,
    validated_conditions,
    validated_triggers,
)
from custom_components.aliyun_iot.mapping.selection import Selection, Target, select
from simulator import CloudDevice

from .application import SetProperties
from .conftest import SetUp
from .walk import Walk

type Change = Callable[[str], None]

FALSE = {"condition": "template", "value_template": "{{ false }}"}

FUSE = {
    "template": {
        "switch": {
            "name": "Fuse",
            "state": "{{ true }}",
            "turn_on": [{"delay": 0}],
            "turn_off": [{"stop": "it has blown", "error": True}],
        }
    }
}
"""A template switch that can be turned on, but not off."""


@pytest.fixture(autouse=True)
def nothing_reported() -> Iterator[None]:
    """Log changes again in each test."""
    ha_internals._reported.clear()
    yield
    ha_internals._reported.clear()


@pytest.fixture(params=["absent", "empty"])
def changed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Return a function that removes a module of Home Assistant, or everything in it."""

    def change(name: str) -> None:
        module: Any = None if request.param == "absent" else ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)

    return change


async def run(hass: HomeAssistant, *steps: dict[str, Any]) -> None:
    """Run a script."""
    script = Script(hass, cv.SCRIPT_SCHEMA(list(steps)), "test", "test")
    await script.async_run()
    await script.async_unload()


def test_this_version_was_checked() -> None:
    """When the tests run with another version, read the list in `ha_internals.py` again and add the version to `CHECKED`."""
    assert __version__ in CHECKED


class TestTraces:
    """How a script ended is in the context of the task that ran it."""

    @pytest.mark.parametrize(
        ("step", "end"),
        [
            ({"delay": 0}, ScriptEnd(FINISHED, "")),
            ({"stop": "enough"}, ScriptEnd(FINISHED, "enough")),
            ({"stop": "no water", "error": True}, ScriptEnd("aborted", "no water")),
            (FALSE, ScriptEnd("aborted", "")),
        ],
    )
    async def test_end_of_a_script(self, hass: HomeAssistant, step: dict[str, Any], end: ScriptEnd) -> None:
        """A script that finished, one that was stopped with an error, and one whose condition did not hold."""
        clear_trace()
        assert script_end() is None
        await run(hass, step)
        assert script_end() == end
        clear_trace()
        assert script_end() is None

    async def test_end_is_seen_across_tasks(self, hass: HomeAssistant) -> None:
        """An action that starts the script in another task is seen as well."""
        clear_trace()
        await asyncio.create_task(run(hass, FALSE))
        assert (end := script_end())
        assert end.word == "aborted"

    async def test_traces_work(self, hass: HomeAssistant) -> None:
        """The probe of the integration finds that they do."""
        assert await traces_work(hass)

    async def test_sequence_with_an_unknown_end_has_failed(self, hass: HomeAssistant, changed: Change) -> None:
        """It finished, but could as well have stopped."""
        changed("homeassistant.helpers.trace")
        assert not await traces_work(hass)
        with pytest.raises(HomeAssistantError, match="not known how the script"):
            await run_sequence(hass, "test", [{"delay": 0}], {}, Context(), lambda: None)

    async def test_template_entity_with_an_unknown_end_has_failed(
        self, hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its script stops early, which would be answered with 200 if traces say nothing any more."""
        assert await async_setup_component(hass, "template", FUSE)
        await hass.async_block_till_done()
        await set_up([{"identifier": "LightSwitch", "entity": "switch.fuse", "aspect": "power", "access": "both"}])
        assert (await set_properties(LightSwitch=1)).code == 200
        assert "has blown" in (await set_properties(LightSwitch=0)).message
        monkeypatch.setattr(trace, "script_execution_get", lambda: None)
        for wanted in (1, 0):
            reply = await set_properties(LightSwitch=wanted)
            assert (reply.code, "not known" in reply.message) == (100005, True)

    async def test_template_entity_without_a_script(
        self, hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
    ) -> None:
        """An entity that only changes its own state leaves no trace, and has succeeded."""
        config = {
            "template": {"number": {"name": "Aim", "min": 5, "max": 30, "step": 1, "set_value": [], "state": "20"}}
        }
        assert await async_setup_component(hass, "template", config)
        await hass.async_block_till_done()
        row = {"identifier": "TargetTemperature", "entity": "number.aim", "aspect": "value", "access": "both"}
        await set_up([row])
        assert (await set_properties(TargetTemperature=21)).code == 200


async def test_action_of_a_script(hass: HomeAssistant) -> None:
    """It has the unique id of the script as its name, also after a rename, and only while the script can run."""
    assert await async_setup_component(
        hass, "script", {"script": {"bell": {"sequence": []}, "broken": {"sequence": 7}}}
    )
    registry = er.async_get(hass)
    assert script_action(hass, "script.bell") == "bell"
    registry.async_update_entity("script.bell", new_entity_id="script.gong")
    await hass.async_block_till_done()
    assert (script_action(hass, "script.gong"), script_action(hass, "script.bell")) == ("bell", None)
    assert registry.async_get("script.gong").unique_id == "bell"
    assert script_action(hass, "script.broken") is None
    assert script_action(hass, "script.stranger") is None
    registry.async_update_entity("script.gong", disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    assert script_action(hass, "script.gong") is None


class TestConditions:
    """Conditions are validated and compiled, and one that cannot be does not hold."""

    async def test_checked_condition(self, hass: HomeAssistant) -> None:
        """It gets the variables."""
        config = cv.CONDITIONS_SCHEMA([{"condition": "template", "value_template": "{{ identifier == 'a' }}"}])
        compiled = await compile_conditions(hass, await validated_conditions(hass, config), "test")
        assert (compiled.hold({"identifier": "a"}), compiled.hold({"identifier": "b"})) == (True, False)
        compiled.unload()

    async def test_condition_that_cannot_be_checked(self, hass: HomeAssistant) -> None:
        """A missing entity, an exception, and an answer that is not a bool."""
        config = cv.CONDITIONS_SCHEMA([{"condition": "state", "entity_id": "sun.gone", "state": "up"}])
        compiled = await compile_conditions(hass, await validated_conditions(hass, config), "test")
        assert not compiled.hold({})
        compiled.unload()
        assert not CompiledConditions(lambda variables: variables["missing"], compiled.unload).hold({})
        assert not CompiledConditions(lambda _: "true", compiled.unload).hold({})  # type: ignore[arg-type, return-value]

    async def test_guarded_property_without_compilation(
        self, hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, changed: Change
    ) -> None:
        """What a condition guards is not set, everything else is."""
        changed("homeassistant.helpers.condition")
        lamp = {"identifier": "LightSwitch", "entity": "input_boolean.lamp", "aspect": "power", "access": "both"}
        true = [{"condition": "template", "value_template": "{{ true }}"}]
        other = {**lamp, "identifier": "PowerSwitch", "entity": "input_boolean.other"}
        await set_up([{**lamp, "condition": true}, other], options={"thing_model": None})
        assert (await set_properties(LightSwitch=1)).code == 100003
        assert (await set_properties(PowerSwitch=1)).code == 200


class TestTargets:
    """The members of a target are found as for actions, and a failure selects nothing."""

    async def test_members(self, hass: HomeAssistant) -> None:
        """By id and by area; entities of a category are members, hidden ones are not, and groups are not expanded."""
        registry = er.async_get(hass)
        area = ar.async_get(hass).async_create("Hall").id
        for name, options in (
            ("lamp", {}),
            ("config", {"entity_category": EntityCategory.CONFIG}),
            ("hidden", {"hidden_by": er.RegistryEntryHider.USER}),
        ):
            registry.async_get_or_create("switch", "test", name, suggested_object_id=name, **options)
            registry.async_update_entity(f"switch.{name}", area_id=area)
        hass.states.async_set("group.all", "on", {"entity_id": ["switch.member"]})
        found = target_members(hass, entity_id=["group.all"], area_id=(area,))
        assert found.entity_ids == {"group.all", "switch.lamp", "switch.config"}
        assert (found.area_ids, found.device_ids) == ({area}, set())

    async def test_pages_say_that_a_selection_failed(self, hass: HomeAssistant, set_up: SetUp, changed: Change) -> None:
        """Nothing is bound, and the page of an existing rule can still be opened."""
        entry = await set_up()
        data = MappingProxyType({"selection": {"include": {"area_id": ["hall"]}}})
        rule = ConfigSubentry(data=data, subentry_type=SUBENTRY_RULE, title="Hall", unique_id=None)
        hass.config_entries.async_add_subentry(entry, rule)
        await hass.async_block_till_done()
        changed("homeassistant.helpers.target")
        options = await Walk.options(hass, entry, "select")
        existing = await Walk.reconfigure_subentry(hass, entry, rule.subentry_id, "select")
        for walk in (options, existing):
            target = {"area_id": ["hall"]}
            await walk.submit(target=target, integrations=[], leave_out={"integrations": [], "domains": []}, also={})
            assert walk.errors == {"base": "selection_failed"}

    async def test_selection_that_cannot_be_resolved(
        self, hass: HomeAssistant, changed: Change, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is an error, said once in the log, and not an empty selection."""
        changed("homeassistant.helpers.target")
        for _ in range(2):
            with pytest.raises(HomeAssistantChanged):
                select(hass, Selection(Target(area_id=("hall",))))
        assert caplog.text.count("Home Assistant has changed helpers.target") == 1


class TestEntitySources:
    """The integration of each entity that is loaded."""

    async def test_integration_of_an_entity(self, hass: HomeAssistant, house: None) -> None:
        """A state without an entity has none."""
        hass.states.async_set("input_boolean.made_up", "on")
        assert entity_integration(hass, "input_boolean.lamp") == "input_boolean"
        assert entity_integration(hass, "input_boolean.made_up") is None
        assert entity_integrations(hass)["input_number.target"] == "input_number"

    async def test_nothing_can_be_controlled_without(
        self, hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, changed: Change
    ) -> None:
        """The answer says that there is no entity."""
        await set_up(
            [{"identifier": "LightSwitch", "entity": "input_boolean.lamp", "aspect": "power", "access": "both"}]
        )
        changed("homeassistant.helpers.entity")
        assert entity_integrations(hass) == {}
        reply = await set_properties(LightSwitch=1)
        assert (reply.code, "without an entity" in reply.message) == (100004, True)
        assert hass.states.get("input_boolean.lamp").state == "off"


class TestActions:
    """Sequences are validated and run."""

    async def test_response_of_a_sequence(self, hass: HomeAssistant) -> None:
        """With the variables."""
        steps = [{"variables": {"answer": {"sum": "{{ a + 1 }}"}}}, {"stop": "", "response_variable": "answer"}]
        valid = await validated_actions(hass, cv.SCRIPT_SCHEMA(steps))
        assert await run_actions(hass, "test", valid, {"a": 1}, Context()) == {"sum": 2}

    async def test_without_scripts_nothing_runs(self, hass: HomeAssistant, changed: Change) -> None:
        """The form and the command say why."""
        changed("homeassistant.helpers.script")
        for attempt in (validated_actions(hass, []), run_actions(hass, "test", [], {}, Context())):
            with pytest.raises(HomeAssistantChanged, match=r"helpers\.script"):
                await attempt
        assert "helpers.script" in str(await problem_of(hass, [{"delay": 0}]))


class TestTriggers:
    """Triggers are validated and attached."""

    async def test_trigger(self, hass: HomeAssistant) -> None:
        """It has the variables of automations, and can be detached; one that cannot be attached is reported."""
        happened: list[dict[str, Any]] = []
        failed: list[str] = []
        valid = await validated_triggers(hass, cv.TRIGGER_SCHEMA([{"trigger": "event", "event_type": "bell"}]))
        end = await attach_triggers(hass, valid, "test", happened.append, failed.append)
        assert end
        hass.bus.async_fire("bell", {"loud": True})
        await hass.async_block_till_done()
        assert [one["trigger"]["event"].data for one in happened] == [{"loud": True}]
        end()
        hass.bus.async_fire("bell")
        await hass.async_block_till_done()
        assert (len(happened), failed) == (1, [])

    async def test_trigger_that_cannot_be_attached(self, hass: HomeAssistant) -> None:
        """Home Assistant logs why as an error."""
        failed: list[str] = []

        async def fail(*_: object, **__: object) -> None:
            raise HomeAssistantError("no bell")

        mock_platform(hass, "late.trigger", SimpleNamespace(TRIGGER_SCHEMA=vol.Schema(dict), async_attach_trigger=fail))
        mock_integration(hass, MockModule("late"))
        valid = await validated_triggers(hass, cv.TRIGGER_SCHEMA([{"trigger": "late"}]))
        assert await attach_triggers(hass, valid, "test", print, failed.append) is None
        assert "no bell" in failed[0]

    async def test_event_without_triggers_has_a_problem(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, changed: Change
    ) -> None:
        """It does not happen, and diagnostics say why."""
        changed("homeassistant.helpers.trigger")
        entry = await set_up()
        data = {"identifier": "SceneActivated", "triggers": [{"trigger": "event", "event_type": "bell"}]}
        hass.config_entries.async_add_subentry(
            entry,
            ConfigSubentry(data=MappingProxyType(data), subentry_type=SUBENTRY_EVENT, title="", unique_id=None),
        )
        await hass.async_block_till_done()
        assert "helpers.trigger" in entry.runtime_data.device.events.problems["SceneActivated"]


async def test_changes_of_entries(hass: HomeAssistant, changed: Change) -> None:
    """Each change of an entry of any integration is told, until that is not wanted any more."""
    found: list[str] = []
    end = on_entry_changed(hass, lambda entry: found.append(entry.title))
    entry = MockConfigEntry(domain="test", title="Old")
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, title="New")
    assert found[-1] == "New"
    entry.mock_state(hass, ConfigEntryState.LOADED)
    told = len(found)
    assert told > 1
    end()
    hass.config_entries.async_update_entry(entry, title="Newest")
    assert len(found) == told


async def test_without_signals_of_entries(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told, and nothing fails."""
    monkeypatch.delattr("homeassistant.config_entries.SIGNAL_CONFIG_ENTRY_CHANGED")
    on_entry_changed(hass, lambda entry: pytest.fail(entry.title))()


async def test_removed_entity(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry remembers its entity id."""
    registry = er.async_get(hass)
    lamp = registry.async_get_or_create("light", "test", "lamp")
    assert removed_entity_id(hass, lamp.id) is None
    registry.async_remove(lamp.entity_id)
    assert removed_entity_id(hass, lamp.id) == lamp.entity_id
    with monkeypatch.context() as changed:
        changed.delattr(registry, "deleted_entities")
        assert removed_entity_id(hass, lamp.id) is None


async def test_registered_issues(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those of this integration, also if the user ignores them."""
    for domain in (DOMAIN, "test"):
        ir.async_create_issue(hass, domain, "x", is_fixable=False, severity=ir.IssueSeverity.ERROR, translation_key="x")
    ir.async_ignore_issue(hass, DOMAIN, "x", ignore=True)
    assert [(issue.domain, issue.issue_id) for issue in registered_issues(hass)] == [(DOMAIN, "x")]
    with monkeypatch.context() as changed:
        changed.delattr(ir.async_get(hass), "issues")
        assert registered_issues(hass) == []


async def test_translated_state(hass: HomeAssistant, changed: Change) -> None:
    """As dashboards show it; otherwise as it is."""
    hass.states.async_set("binary_sensor.door", "on", {"device_class": "door"})
    state = hass.states.get("binary_sensor.door")
    assert await async_setup_component(hass, "binary_sensor", {})
    await async_get_translations(hass, "en", "entity_component", {"binary_sensor"})
    assert translated_state(hass, state) == "Open"
    changed("homeassistant.helpers.translation")
    assert translated_state(hass, state) == "on"


async def test_pages_of_the_frontend(hass: HomeAssistant, changed: Change) -> None:
    """The page of a panel can be added once; without the list of pages, none is added twice."""
    hass.data[DATA_PANELS] = {"energy": Mock(spec=Panel)}
    assert (has_page(hass, "energy"), has_page(hass, "aliyun-iot")) == (True, False)
    changed("homeassistant.components.frontend")
    assert has_page(hass, "aliyun-iot")


async def test_choices_of_triggers(
    hass: HomeAssistant, set_up: SetUp, changed: Change, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the descriptions of triggers, nothing is offered and everything else works."""
    changed("homeassistant.helpers.trigger")
    on_triggers_registered(hass, AsyncMock())
    await set_trigger_choices(hass, {"aliyun_iot.service_called": {"identifier": {"Ring": "Ring"}}})
    assert caplog.text.count("Home Assistant has changed helpers.trigger") == 1


class TestStore:
    """Whether data are on disk is known."""

    async def test_written(self, hass: HomeAssistant, real_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not after an error that Home Assistant only logs, and not if it writes in another way."""
        store = CheckedStore(hass, 1, "test", private=True, atomic_writes=True)
        await store.async_save({"a": 1})
        assert store.written
        assert await CheckedStore(hass, 1, "test").async_load() == {"a": 1}
        with patch("homeassistant.helpers.storage.write_utf8_file_atomic", side_effect=WriteError("full")):
            await store.async_save({"a": 2})
        assert not store.written
        await store.async_save({"a": 3})
        assert store.written
        other = CheckedStore(hass, 1, "other")
        monkeypatch.delattr(CheckedStore, "_async_write_data")
        await other.async_save({"a": 4})
        assert not other.written
