"""What the cloud may do beyond the bindings: conditions, a limit for each minute, and a dry run."""

from itertools import count
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.entity import entity_sources
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events, async_mock_service

from custom_components.aliyun_iot.const import EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW
from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET, SetProperties, publish, reply_on
from .conftest import SetUp
from .walk import Walk

IDS = count(1)
AT_HOME = [{"condition": "state", "entity_id": "person.anna", "state": "home"}]
TEMPLATE = [{"condition": "template", "value_template": "{{ identifier == 'LightSwitch' }}"}]
ECHO = {"identifier": "ReadMeter", "actions": [{"action": "test.run"}]}


async def call_async(cloud: Simulator, device: CloudDevice, identifier: str) -> int:
    """Call a service and return the code of the answer."""
    cloud.wire.clear()
    await publish(cloud, device, f"thing/service/{identifier}", {"id": f"{next(IDS)}", "params": {}})
    return (await reply_on(cloud, f"{identifier}_reply"))["code"]


async def test_condition_for_all_commands(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
) -> None:
    """It guards properties and services. A changed condition applies without a reconnect."""
    run = async_mock_service(hass, "test", "run")
    hass.states.async_set("person.anna", "not_home")
    entry = await set_up([LAMP, TARGET], [ECHO], {"command_condition": AT_HOME})
    reply = await set_properties(LightSwitch=1, Schedule=[])
    assert (reply.code, set(reply.data)) == (100003, {"LightSwitch", "Schedule"})
    assert "condition for all commands" in reply.data["LightSwitch"]
    assert "not bound" in reply.data["Schedule"]
    assert await call_async(cloud, device, "ReadMeter") == 100003

    hass.states.async_set("person.anna", "home")
    assert (await set_properties(LightSwitch=1)).code == 200
    assert await call_async(cloud, device, "ReadMeter") == 200
    assert len(run) == 1

    hass.states.async_set("person.anna", "not_home")
    hass.config_entries.async_update_entry(entry, options={**entry.options, "command_condition": []})
    await hass.async_block_till_done()
    assert (await set_properties(LightSwitch=0)).code == 200
    assert device.connections == 1


async def test_condition_of_one_binding(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
) -> None:
    """It guards only its property or service, even if both have the same name."""
    run = async_mock_service(hass, "test", "run")
    hass.states.async_set("person.anna", "not_home")
    service = {**ECHO, "identifier": "LightSwitch"}
    await set_up([{**LAMP, "condition": AT_HOME}, TARGET], [service], {"thing_model": None})
    reply = await set_properties(LightSwitch=1, TargetTemperature=25.0)
    assert (reply.code, set(reply.data)) == (100003, {"LightSwitch"})
    assert hass.states.get("input_boolean.lamp").state == "off"
    assert hass.states.get("input_number.target").state == "25.0"
    assert await call_async(cloud, device, "LightSwitch") == 200
    assert len(run) == 1
    hass.states.async_set("person.anna", "home")
    assert (await set_properties(LightSwitch=1)).code == 200


async def test_condition_has_the_identifier_as_a_variable(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A template can use it."""
    await set_up([{**LAMP, "condition": TEMPLATE}, {**TARGET, "condition": TEMPLATE}])
    assert (await set_properties(LightSwitch=1)).code == 200
    assert (await set_properties(TargetTemperature=25.0)).code == 100003


@pytest.mark.parametrize(
    "broken",
    [
        [{"condition": "nobody_knows"}],
        [{"condition": "state", "entity_id": "person.gone", "state": "home"}],
        [{"condition": "template", "value_template": "{{ 1 / 0 }}"}],
        [{"condition": "device", "device_id": "gone", "domain": "light", "type": "is_on"}],
    ],
)
async def test_condition_that_cannot_be_checked_does_not_hold(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, broken: list[dict[str, Any]]
) -> None:
    """What it guards stays forbidden, other properties can be set."""
    await set_up([{**LAMP, "condition": broken}, TARGET])
    assert (await set_properties(LightSwitch=1)).code == 100003
    assert (await set_properties(TargetTemperature=25.0)).code == 200


async def test_limit(
    hass: HomeAssistant,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Commands beyond the limit for a minute are refused at once; a minute later commands are accepted again."""
    entry = await set_up([LAMP], options={"commands_per_minute": 2})
    for value, code in ((1, 200), (0, 200), (1, 429), (1, 429)):
        assert (await set_properties(LightSwitch=value)).code == code
    assert hass.states.get("input_boolean.lamp").state == "off"
    monkeypatch.setattr("custom_components.aliyun_iot.commands.policy.MINUTE", 0.0)
    assert (await set_properties(LightSwitch=1)).code == 200
    assert [row.code for row in entry.runtime_data.device.commander.journal.rows()] == [200, 200, 429, 429, 200]


async def test_dry_run(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
) -> None:
    """Everything is checked, nothing is done, no success is answered, and nothing fires that an automation could listen to."""
    run = async_mock_service(hass, "test", "run")
    events = [async_capture_events(hass, name) for name in (EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW)]
    entry = await set_up([LAMP, TARGET], [ECHO], {"dry_run": True})
    reply = await set_properties(LightSwitch=1, TargetTemperature=99.0)
    assert reply.code == 100010
    assert reply.data["LightSwitch"] == "dry run: nothing was done"
    assert "35" in reply.data["TargetTemperature"]
    assert await call_async(cloud, device, "ReadMeter") == 100010
    assert await call_async(cloud, device, "Restart") == 100001
    assert hass.states.get("input_boolean.lamp").state == "off"
    assert not run
    await publish(cloud, device, "thing/service/property/get", {"id": "9", "params": ["LightSwitch"]})
    assert (await reply_on(cloud, "property/get_reply"))["data"] == {"LightSwitch": 0}
    await hass.async_block_till_done()
    assert events == [[], [], []]
    assert {state.state for state in hass.states.async_all("event")} == {"unknown"}
    assert [row.code for row in entry.runtime_data.device.commander.journal.rows()] == [100010, 100010, 100001, 200]


RISKY = {
    "alarm_control_panel.x": ("disarmed", {}, "mode"),
    "assist_satellite.x": ("idle", {"supported_features": 1}, "announcement"),
    "automation.x": ("off", {}, "power"),
    "button.x": ("unknown", {"device_class": "restart"}, "press"),
    "cover.x": ("closed", {"device_class": "garage", "supported_features": 15}, "open"),
    "cover.y": ("closed", {"device_class": "gate", "supported_features": 15}, "open"),
    "cover.z": ("closed", {"device_class": "door", "supported_features": 15}, "open"),
    "group.x": ("off", {"entity_id": ["light.a", "siren.b"]}, "power"),
    "lawn_mower.x": ("docked", {"supported_features": 7}, "command"),
    "lock.x": ("locked", {}, "locked"),
    "notify.x": ("unknown", {"supported_features": 1}, "message"),
    "script.x": ("off", {}, "power"),
    "siren.x": ("off", {"supported_features": 3}, "power"),
    "update.x": ("on", {"supported_features": 1}, "install"),
    "valve.x": ("closed", {"supported_features": 3}, "open"),
    "water_heater.x": ("off", {"supported_features": 8}, "power"),
}


@pytest.mark.parametrize("entity_id", RISKY)
async def test_risky_entity_needs_a_confirmation(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, entity_id: str
) -> None:
    """The form demands it, and a stored binding without it does not allow control."""
    state, attributes, aspect = RISKY[entity_id]
    hass.states.async_set(entity_id, state, attributes)
    row = {"identifier": "Wish", "entity": entity_id, "aspect": aspect, "access": "control"}
    entry = await set_up([row], options={"thing_model": None})
    calls: list[ServiceCall] = []
    for name in ("turn_on", "turn_off", "open", "unlock", "alarm_arm_away"):
        hass.services.async_register(entity_id.partition(".")[0], name, calls.append)
    reply = await set_properties(Wish=1)
    assert reply.code == 100003
    assert "was not confirmed" in reply.message
    assert not calls

    walk = await Walk.bind(hass, entry)
    await walk.submit(entity=entity_id)
    assert walk.values["confirmed"] is False
    entered = {"aspect": aspect, "identifier": "Other", "access": "control", "conversion": {}, "reporting": {}}
    await walk.submit(**entered)
    assert walk.errors["confirmed"] == "risky_not_confirmed"


async def test_curtain_is_not_risky(hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties) -> None:
    """It can be controlled without a confirmation."""
    calls = async_mock_service(hass, "cover", "open_cover")
    hass.states.async_set("cover.curtain", "closed", {"device_class": "curtain", "supported_features": 3})
    row = {"identifier": "Wish", "entity": "cover.curtain", "aspect": "open", "access": "control"}
    await set_up([row], options={"thing_model": None})
    entity_sources(hass)["cover.curtain"] = {"domain": "test"}
    assert (await set_properties(Wish=1)).code == 200
    assert len(calls) == 1


async def test_settings_page(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, device: CloudDevice
) -> None:
    """An invalid condition is refused with a reason; saved settings apply at once and are shown again."""
    hass.states.async_set("person.anna", "not_home")
    entry = await set_up([LAMP])
    walk = await Walk.options(hass, entry, "settings")
    settings = {"keep_alive": 60, "window": 0.01}
    rules = {"commands_per_minute": 30, "desired_hours": 24, "dry_run": False}
    for bad in ([{"condition": "nobody_knows"}], [{"no": "condition"}], [7]):
        await walk.submit(**settings, commands={"command_condition": bad, **rules})
        assert walk.errors == {"commands": "invalid_condition"}
        assert walk.result["description_placeholders"]["problem"]
    await walk.submit(**settings, commands={"command_condition": AT_HOME, **rules})
    assert walk.saved
    await hass.async_block_till_done()
    assert entry.options["command_condition"] == AT_HOME
    assert entry.runtime_data.device.commander.policy.rules.commands_per_minute == 30
    assert (await set_properties(LightSwitch=1)).code == 100003
    assert device.connections == 1
    walk = await Walk.options(hass, entry, "settings")
    assert walk.values["commands"] == {"command_condition": AT_HOME, **rules}


async def test_template_as_a_condition(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """As in an automation; it is stored as a template condition."""
    walk = await Walk.options(hass, entry, "settings")
    commands = {"command_condition": ["{{ true }}"], "commands_per_minute": 0, "dry_run": True}
    await walk.submit(keep_alive=60, window=0.01, commands=commands)
    assert entry.options["command_condition"] == [{"condition": "template", "value_template": "{{ true }}"}]


@pytest.fixture
async def entry(hass: HomeAssistant, house: None, set_up: SetUp) -> MockConfigEntry:
    """Return an entry without bindings."""
    return await set_up()


async def test_condition_on_the_pages_of_bindings(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The forms of an entity, of own actions and of a service accept a valid condition and refuse an invalid one."""
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity="input_boolean.lamp")
    entered = {"aspect": "power", "identifier": "LightSwitch", "access": "both", "conversion": {}, "reporting": {}}
    await walk.submit(**entered, own_actions={"condition": [{"no": "condition"}]})
    assert walk.errors == {"own_actions": "invalid_condition"}
    await walk.submit(**entered, own_actions={"condition": AT_HOME})
    assert walk.saved

    walk = await Walk.custom(hass, entry)
    own = {"identifier": "Brightness", "access": "control", "actions": [{"action": "test.run"}]}
    await walk.submit(**own, conversion={}, reporting={}, condition=[{"no": "condition"}])
    assert walk.errors == {"condition": "invalid_condition"}
    await walk.submit(**own, conversion={}, reporting={}, condition=AT_HOME)
    assert walk.saved

    walk = await Walk.edit(hass, entry, "LightSwitch")
    assert "own_actions" in walk.open_sections
    assert walk.values["own_actions"] == {"condition": AT_HOME}

    walk = await Walk.add_subentry(hass, entry, "service")
    await walk.submit(identifier="ReadMeter")
    await walk.submit(actions=[{"action": "test.run"}], condition=[{"no": "condition"}])
    assert walk.errors == {"condition": "invalid_condition"}
    await walk.submit(actions=[{"action": "test.run"}], condition=AT_HOME)
    assert walk.saved
    service = next(one for one in entry.subentries.values() if one.subentry_type == "service")
    assert service.data["condition"] == AT_HOME
    walk = await Walk.reconfigure_subentry(hass, entry, service.subentry_id)
    assert walk.values["condition"] == AT_HOME
