"""What Home Assistant has and does beyond its documented interfaces, and what happens when a version no longer has it.

A test that fails here with a new version of Home Assistant says which function of `ha_internals.py` has to change.
"""

import asyncio
from collections.abc import Callable, Iterator
import sys
from types import ModuleType
from typing import Any

from homeassistant.const import EntityCategory, __version__
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, config_validation as cv, entity_registry as er, trace
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aliyun_iot import ha_internals
from custom_components.aliyun_iot.commands.running import run_sequence
from custom_components.aliyun_iot.ha_internals import (
    CHECKED,
    FINISHED,
    CompiledConditions,
    HomeAssistantChanged,
    ScriptEnd,
    clear_trace,
    compile_conditions,
    entity_integration,
    entity_integrations,
    script_action,
    script_end,
    target_members,
    traces_work,
    validated_conditions,
)
from custom_components.aliyun_iot.mapping.selection import Selection, Target, select

from .application import SetProperties
from .conftest import SetUp

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
