"""A command is not answered with 200 if nothing was done, as far as Home Assistant lets one see it."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import entity_sources
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from simulator import CloudDevice, Simulator

from .application import SetProperties, publish, reply_on
from .conftest import SetUp

GIVE_UP = {"condition": "template", "value_template": "{{ false }}"}
NO_MODEL = {"thing_model": None}

type Config = dict[str, Any]


@pytest.fixture(autouse=True)
def any_property(device: CloudDevice) -> None:
    """Let the cloud take all properties."""
    device.thing_model = None


async def add(hass: HomeAssistant, domain: str, config: Any) -> None:
    """Set an integration up."""
    assert await async_setup_component(hass, domain, {domain: config})
    await hass.async_block_till_done()


def template_light(name: str, *steps: Config) -> Config:
    """Return a template light that runs these steps when it is turned on."""
    return {"name": name, "state": "{{ false }}", "turn_on": list(steps), "turn_off": []}


def power_of(entity_id: str, **more: Any) -> Config:
    """Return a binding of the power of an entity."""
    row = {"identifier": "Power", "entity": entity_id, "aspect": "power", "access": "control"}
    return {**row, "confirmed": True, **more}


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ([], [], 200),
        ([GIVE_UP], [], 100005),
        ([], [GIVE_UP], 100005),
        ([], [{"stop": "the bulb is broken", "error": True}], 100005),
        ([], [{"if": "{{ true }}", "then": [GIVE_UP]}], 200),
        ([], [{"choose": [{"conditions": "{{ true }}", "sequence": [GIVE_UP]}]}, {"delay": 0}], 200),
        ([{"delay": {"milliseconds": 1}}, GIVE_UP], [{"delay": {"milliseconds": 5}}], 100005),
    ],
    ids=["none", "the first", "the last", "an error", "a branch", "another branch", "the first to end"],
)
async def test_group_of_template_lights_whose_scripts_gave_up(
    hass: HomeAssistant,
    set_up: SetUp,
    set_properties: SetProperties,
    first: list[Config],
    second: list[Config],
    code: int,
) -> None:
    """Whichever of them; a branch of a script may end as it likes."""
    members = ["light.one", "light.two"]
    await add(hass, "light", [{"platform": "group", "name": "All", "entities": members}])
    await add(hass, "template", [{"light": [template_light("One", *first), template_light("Two", *second)]}])
    await set_up([power_of("light.all")], options=NO_MODEL)
    reply = await set_properties(Power=1)
    assert reply.code == code, reply.message
    if code != 200:
        assert "stopped early" in reply.message


async def test_group_in_a_group(hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties) -> None:
    """The scripts are behind two groups."""
    groups = [
        {"platform": "group", "name": "Inner", "entities": ["light.one", "light.plain"]},
        {"platform": "group", "name": "Outer", "entities": ["light.inner", "light.other"]},
    ]
    await add(hass, "light", groups)
    lights = [template_light("One", GIVE_UP), template_light("Plain"), template_light("Other")]
    await add(hass, "template", [{"light": lights}])
    await set_up([power_of("light.outer")], options=NO_MODEL)
    assert (await set_properties(Power=1)).code == 100005


async def test_script_behind_a_script(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Of a service that runs a script or a sequence, of own actions, and of a template entity."""
    scripts = {
        "inner": {"sequence": [GIVE_UP]},
        "fine": {"sequence": [{"delay": 0}]},
        "outer": {"sequence": [{"action": "script.inner"}]},
        "outermost": {"sequence": [{"action": "script.outer"}, {"delay": 0}]},
        "parallel": {"sequence": [{"parallel": [{"action": "script.fine"}, {"action": "script.inner"}]}]},
    }
    await add(hass, "script", scripts)
    switch = {"name": "Trick", "state": "{{ false }}", "turn_on": [{"action": "script.outer"}], "turn_off": []}
    await add(hass, "template", [{"switch": [switch]}])
    services: list[Config] = [
        {"identifier": name, "script": f"script.{name.lower()}"} for name in ("Outer", "Outermost", "Parallel", "Fine")
    ]
    services.append({"identifier": "Sequence", "actions": [{"action": "script.outer"}]})
    own = {"identifier": "Own", "entity": "", "aspect": "actions", "access": "control"}
    rows = [power_of("switch.trick"), {**own, "actions": [{"action": "script.outermost"}]}]
    await set_up(rows, services, options=NO_MODEL)
    for service in services:
        await publish(cloud, device, f"thing/service/{service['identifier']}", {"id": "7", "params": {}})
        answer = await reply_on(cloud, f"{service['identifier']}_reply")
        assert answer["code"] == (200 if service["identifier"] == "Fine" else 100005), service
        if answer["code"] != 200:
            assert "script.inner, which stopped early" in answer["message"]
    assert (await set_properties(Power=1)).code == 100005
    assert (await set_properties(Own=1)).code == 100005


async def test_script_that_is_already_running(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """In single mode it does nothing, without an exception."""
    scripts = {
        "slow": {"sequence": [{"wait_for_trigger": [{"trigger": "event", "event_type": "go_on"}]}]},
        "outer": {"sequence": [{"action": "script.slow"}]},
    }
    await add(hass, "script", scripts)
    await set_up(services=[{"identifier": "Outer", "script": "script.outer"}], options=NO_MODEL)
    await hass.services.async_call("script", "turn_on", {"entity_id": "script.slow"}, blocking=True)
    await publish(cloud, device, "thing/service/Outer", {"id": "7", "params": {}})
    assert (await reply_on(cloud, "Outer_reply"))["code"] == 100005
    hass.bus.async_fire("go_on")
    await hass.async_block_till_done()


WAIT = {"wait_for_trigger": [{"trigger": "event", "event_type": "go_on"}]}


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([{"delay": 0}], 200),
        ([GIVE_UP], 100005),
        ([{"stop": "no water", "error": True}], 100005),
        ([{"action": "test.missing"}], 100005),
        ([{"delay": 0}, {"if": "{{ false }}", "then": [GIVE_UP]}], 200),
        ([WAIT], 100005),
    ],
    ids=["fine", "condition", "error", "exception", "branch", "already running"],
)
async def test_automation_that_stopped_early(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, actions: list[Config], code: int
) -> None:
    """It is run by a press, or by an action of the user; it logs its errors and raises none."""
    await add(hass, "automation", [{"id": "1690", "alias": "Water", "triggers": [], "actions": actions}])
    run = {"action": "automation.trigger", "target": {"entity_id": "automation.water"}}
    press = {"identifier": "Press", "entity": "automation.water", "aspect": "trigger", "access": "control"}
    own = {"identifier": "Own", "entity": "", "aspect": "actions", "access": "control", "actions": [run]}
    await set_up([{**press, "confirmed": True}, own], options=NO_MODEL)
    running = hass.async_create_task(
        hass.services.async_call("automation", "trigger", {"entity_id": "automation.water"}, blocking=actions == [WAIT])
    )
    for identifier in ("Press", "Own"):
        reply = await set_properties(**{identifier: 1})
        assert reply.code == code, reply.message
        if code != 200:
            assert "has run automation.water, which stopped early" in reply.message
    hass.bus.async_fire("go_on")
    await running


async def test_automation_that_reacts_to_what_was_done(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """How it ends is no matter of the command."""
    triggers = [{"trigger": "state", "entity_id": "input_boolean.lamp"}]
    await add(hass, "input_boolean", {"lamp": None})
    await add(hass, "automation", [{"id": "1", "alias": "React", "triggers": triggers, "actions": [GIVE_UP]}])
    turn_on = {"action": "input_boolean.turn_on", "target": {"entity_id": "input_boolean.lamp"}}
    own = {"identifier": "Own", "entity": "", "aspect": "actions", "access": "control"}
    await set_up([{**own, "actions": [turn_on, {"delay": {"milliseconds": 50}}]}], options=NO_MODEL)
    assert (await set_properties(Own=1)).code == 200
    assert hass.states.get("automation.react").attributes["last_triggered"]


async def test_entity_that_becomes_unavailable_between_two_actions(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Home Assistant would leave it out of the second one without an error."""
    attributes = {"hvac_modes": ["off", "heat"], "fan_modes": ["low", "high"], "fan_mode": "low"}
    hass.states.async_set("climate.heater", "off", {**attributes, "supported_features": 8})

    async def set_mode(_call: object) -> None:
        hass.states.async_set("climate.heater", "unavailable")

    hass.services.async_register("climate", "set_hvac_mode", set_mode)
    fan = async_mock_service(hass, "climate", "set_fan_mode")
    row = {"entity": "climate.heater", "access": "control"}
    rows = [{**row, "identifier": "Mode", "aspect": "mode"}, {**row, "identifier": "Fan", "aspect": "fan_mode"}]
    await set_up(rows, options=NO_MODEL)
    reply = await set_properties(Mode=1, Fan=1)
    assert reply.code == 100004
    assert reply.message.startswith("Mode: climate.heater is unavailable")
    assert not fan


async def test_nested_error_that_the_user_ignores(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """An action that fails with an exception may be marked to continue."""

    async def fail(_call: object) -> None:
        raise ZeroDivisionError

    hass.services.async_register("test", "fail", fail)
    inner = {"inner": {"sequence": [{"action": "test.fail"}]}}
    await add(hass, "script", inner)
    actions = [{"action": "script.inner", "continue_on_error": True}, {"delay": 0}]
    await set_up(services=[{"identifier": "Act", "actions": actions}], options=NO_MODEL)
    await publish(cloud, device, "thing/service/Act", {"id": "7", "params": {}})
    answer = await reply_on(cloud, "Act_reply")
    assert answer["code"] in (200, 100005)  # an unexpected exception is not ignored by Home Assistant either


async def test_universal_player_without_a_player(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """It ignores what it has no command for while none of its players is there."""
    volume, on = async_mock_service(hass, "media_player", "volume_set"), async_mock_service(hass, "test", "on")
    player = {
        "platform": "universal",
        "name": "All",
        "children": ["media_player.tv"],
        "commands": {"turn_on": {"action": "test.on"}, "turn_off": {"action": "test.on"}},
        "attributes": {"state": "input_boolean.any"},
    }
    hass.states.async_set("input_boolean.any", "on")
    await add(hass, "media_player", [player])
    level = {"identifier": "Volume", "entity": "media_player.all", "aspect": "volume", "access": "control"}
    await set_up([{**level, "confirmed": True}, power_of("media_player.all")], options=NO_MODEL)
    assert (await set_properties(Power=1)).code == 200
    assert len(on) == 1
    state = hass.states.get("media_player.all")
    hass.states.async_set("media_player.all", state.state, {**state.attributes, "supported_features": 4})
    reply = await set_properties(Volume=30)
    assert (reply.code, reply.message) == (100004, "Volume: media_player.all has no player now that could do it")
    assert not volume


async def test_scene_with_missing_members(hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties) -> None:
    """What could be reached is set; what could not is named."""
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"lamp": None}})
    scene = {"name": "Night", "entities": {"input_boolean.lamp": "on", "light.gone": "off", "light.dead": "off"}}
    await add(hass, "scene", [scene])
    hass.states.async_set("light.dead", "unavailable")
    async_mock_service(hass, "light", "turn_off")
    row = {"identifier": "Night", "entity": "scene.night", "aspect": "activate", "access": "control"}
    await set_up([{**row, "confirmed": True}], options=NO_MODEL)
    reply = await set_properties(Night=1)
    assert reply.code == 100005
    assert "light.gone" in reply.message
    assert "light.dead" in reply.message
    assert hass.states.get("input_boolean.lamp").state == "on"
    for entity_id in ("light.gone", "light.dead"):
        hass.states.async_set(entity_id, "off")
        entity_sources(hass)[entity_id] = {"domain": "test"}
    assert (await set_properties(Night=1)).code == 200
