"""Control of an entity is as risky as everything that it passes a command on to, when the command comes."""

from typing import Any

from homeassistant.components.switch import DOMAIN as SWITCH
from homeassistant.core import HomeAssistant, ServiceCall, State
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.aliyun_iot.ha_internals import passed_on
from custom_components.aliyun_iot.mapping.rule import Rule
from custom_components.aliyun_iot.mapping.selection import Selection, Target
from custom_components.aliyun_iot.risk import risk_in, risk_of
from custom_components.aliyun_iot.rules import propose

from .application import SetProperties
from .conftest import SetUp
from .walk import Walk

UNLOCK = {"action": "lock.unlock", "target": {"entity_id": "lock.front"}}
LIGHT = {"action": "light.turn_on", "target": {"entity_id": "light.hall"}}
GARAGE = {"device_class": "garage", "supported_features": 15}
CURTAIN = {"device_class": "curtain", "supported_features": 15}


@pytest.fixture(autouse=True)
def house_with_a_lock(hass: HomeAssistant) -> None:
    """Add states of things that are risky and of things that are not."""
    hass.states.async_set("lock.front", "locked")
    hass.states.async_set("cover.garage", "closed", GARAGE)
    hass.states.async_set("cover.curtain", "closed", CURTAIN)
    hass.states.async_set("light.hall", "off")
    hass.states.async_set("light.door", "off")
    hass.states.async_set("switch.relay", "off")
    hass.states.async_set("remote.tv", "on")


async def add_template_switch(hass: HomeAssistant, *steps: dict[str, Any]) -> State:
    """Add a template switch that runs these steps, and return its state."""
    switch = {"name": "Trick", "state": "{{ false }}", "turn_on": list(steps), "turn_off": []}
    assert await async_setup_component(hass, "template", {"template": [{"switch": [switch]}]})
    await hass.async_block_till_done()
    return state_of(hass, "switch.trick")


async def add_group(hass: HomeAssistant, domain: str, *members: str, name: str = "all") -> State:
    """Add a group helper, and return its state."""
    group = {"platform": "group", "name": name, "entities": list(members)}
    assert await async_setup_component(hass, domain, {domain: [group]})
    await hass.async_block_till_done()
    return state_of(hass, f"{domain}.{name}")


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("step", "culprit"),
    [
        (UNLOCK, "lock.unlock"),
        ({"action": "cover.open_cover", "target": {"entity_id": "cover.garage"}}, "cover.garage"),
        ({"action": "cover.open_cover", "target": {"entity_id": "cover.curtain"}}, None),
        ({"action": "homeassistant.turn_on", "target": {"entity_id": ["light.hall", "script.any"]}}, "script.any"),
        ({"action": "homeassistant.turn_on", "target": {"entity_id": "light.hall"}}, None),
        ({"action": "homeassistant.restart"}, "homeassistant.restart"),
        ({"action": "light.turn_on", "target": {"entity_id": "{{ 'light.hall' }}"}}, "light.turn_on"),
        ({"action": "light.turn_on", "target": {"entity_id": "all"}}, "light.turn_on"),
        ({"action": "light.turn_on", "data": {"entity_id": "light.hall", "brightness": 3}}, None),
        ({"action": "cover.open_cover", "target": {"area_id": "yard"}}, "cover.gate"),
        ({"action": "light.turn_on", "target": {"area_id": "yard"}}, None),
        (
            {"action": "{{ 'lock.unlock' }}", "target": {"entity_id": "lock.front"}},
            "an action with a template as its name",
        ),
        ({"action": "rest_command.open_gate"}, "rest_command.open_gate"),
        ({"action": "mqtt.publish", "data": {"topic": "gate", "payload": "open"}}, "mqtt.publish"),
        ({"action": "script.anything"}, "script.anything"),
        ({"action": "automation.trigger", "target": {"entity_id": "automation.x"}}, "automation.trigger"),
        ({"action": "scene.turn_on", "target": {"entity_id": "scene.x"}}, "scene.turn_on"),
        (
            {"action": "remote.send_command", "target": {"entity_id": "remote.tv"}, "data": {"command": "x"}},
            "remote.send_command",
        ),
        ({"action": "remote.turn_on", "target": {"entity_id": "remote.tv"}}, None),
        ({"action": "notify.notify", "data": {"message": "on"}}, None),
        ({"action": "group.set", "data": {"object_id": "lamps", "entities": ["lock.front"]}}, "group.set"),
        ({"action": "todo.add_item", "target": {"entity_id": "todo.shopping"}, "data": {"item": "Tea"}}, None),
        ({"scene": "scene.x"}, "scene.turn_on"),
        ({"delay": 0}, None),
        ({"stop": "no", "error": True}, None),
        ({"choose": [{"conditions": "{{ true }}", "sequence": [UNLOCK]}]}, "lock.unlock"),
        ({"choose": [{"conditions": "{{ true }}", "sequence": [LIGHT]}], "default": [UNLOCK]}, "lock.unlock"),
        ({"if": ["{{ true }}"], "then": [LIGHT], "else": [UNLOCK]}, "lock.unlock"),
        ({"if": ["{{ true }}"], "then": [LIGHT], "else": [LIGHT]}, None),
        ({"repeat": {"count": 2, "sequence": [UNLOCK]}}, "lock.unlock"),
        ({"parallel": [LIGHT, {"sequence": [LIGHT, UNLOCK]}]}, "lock.unlock"),
        ({"sequence": [LIGHT, {"sequence": [UNLOCK]}]}, "lock.unlock"),
    ],
)
async def test_template_is_as_risky_as_its_actions(
    hass: HomeAssistant, step: dict[str, Any], culprit: str | None
) -> None:
    """Wherever they stand; what can be known only when they run counts as risky."""
    area = ar.async_get(hass).async_create("Yard")
    assert area.id == "yard"
    registry = er.async_get(hass)
    for domain, name, device_class in (("cover", "gate", "gate"), ("light", "lantern", None)):
        entry = registry.async_get_or_create(domain, "test", name, suggested_object_id=name)
        registry.async_update_entity(entry.entity_id, area_id=area.id)
        hass.states.async_set(entry.entity_id, "off", {"device_class": device_class})
    state = await add_template_switch(hass, step)
    assert risk_of(hass, state) == culprit
    assert risk_in(hass)(state, None) is (culprit is not None)


@pytest.mark.parametrize("domain", ["lock", "switch"])
async def test_device_action_is_as_risky_as_its_entity(hass: HomeAssistant, domain: str) -> None:
    """It refers to the entity by the id in the registry."""
    entry = MockConfigEntry(domain="test")
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, identifiers={("test", "1")})
    registered = er.async_get(hass).async_get_or_create(domain, "test", "1", device_id=device.id, config_entry=entry)
    hass.states.async_set(registered.entity_id, "off")
    kind = "unlock" if domain == "lock" else "turn_on"
    step = {"device_id": device.id, "domain": domain, "type": kind, "entity_id": registered.id}
    culprit = risk_of(hass, await add_template_switch(hass, step))
    assert culprit == (registered.entity_id if domain == "lock" else None)


@pytest.mark.parametrize(
    ("target", "culprit"),
    [
        ("{registry_id}", "cover.gate"),
        (["cover.curtain", "{registry_id}"], "cover.gate"),
        ("COVER.GARAGE", "cover.garage"),
        ("light.hall, cover.garage", "cover.garage"),
        ("cover.curtain,cover.garage", "cover.garage"),
        (" cover.garage", "cover.garage"),
        ("group.doors", "cover.garage"),
        ("group.outer", "cover.garage"),
        ("group.lamps", None),
        ("group.endless", "{action}"),
        ("ALL", "{action}"),
        ("None", None),
        ("cover.curtain", None),
        ("0123456789abcdef0123456789abcdef", "{action}"),
    ],
)
@pytest.mark.parametrize("action", ["cover.open_cover", "homeassistant.turn_on"])
@pytest.mark.parametrize("where", ["data", "target"])
async def test_targets_are_read_as_home_assistant_reads_them(
    hass: HomeAssistant, where: str, action: str, target: str | list[str], culprit: str | None
) -> None:
    """Registry ids, several entities in one text, capitals, and groups, of which the action reaches the members."""
    gate = er.async_get(hass).async_get_or_create("cover", "test", "gate", suggested_object_id="gate")
    hass.states.async_set(gate.entity_id, "closed", {"device_class": "gate"})
    groups = {"doors": ["cover.garage"], "outer": ["group.doors"], "lamps": ["light.hall"]}
    for name, members in {**groups, "endless": ["group.again"], "again": ["group.endless"]}.items():
        hass.states.async_set(f"group.{name}", "off", {"entity_id": members})
    texts = [text.format(registry_id=gate.id) for text in ([target] if isinstance(target, str) else target)]
    entity_id = texts if isinstance(target, list) else texts[0]
    state = await add_template_switch(hass, {"action": action, where: {"entity_id": entity_id}})
    assert risk_of(hass, state) == (culprit and culprit.format(action=action))


@pytest.mark.parametrize("data", [{"{{ 'entity_id' }}": "cover.garage"}, {"entity_id": "garage"}], ids=str)
async def test_target_that_cannot_be_read_is_risky(hass: HomeAssistant, data: dict[str, str]) -> None:
    """A template in place of `entity_id` may become the name of any target."""
    state = await add_template_switch(hass, {"action": "cover.open_cover", "data": data})
    assert risk_of(hass, state) == "cover.open_cover"


async def test_member_that_is_no_entity_is_risky(hass: HomeAssistant) -> None:
    """Nobody knows what an integration means by it."""
    hass.states.async_set("switch.odd", "off", {"entity_id": ["light.hall", "Front door"]})
    assert risk_of(hass, state_of(hass, "switch.odd")) == "Front door"


async def test_light_is_as_risky_as_its_switch(hass: HomeAssistant) -> None:
    """A switch can be shown as a light in YAML."""
    switch = {"name": "Trick", "state": "{{ false }}", "turn_on": [UNLOCK], "turn_off": []}
    assert await async_setup_component(hass, "template", {"template": [{"switch": [switch]}]})
    lights = [{"platform": "switch", "name": name, "entity_id": f"switch.{name}"} for name in ("trick", "relay")]
    assert await async_setup_component(hass, "light", {"light": lights})
    await hass.async_block_till_done()
    assert risk_of(hass, state_of(hass, "light.trick")) == "lock.unlock"
    assert risk_of(hass, state_of(hass, "light.relay")) is None


async def test_group_is_as_risky_as_its_members(hass: HomeAssistant) -> None:
    """At any depth, and without an end where groups contain each other."""
    assert risk_of(hass, await add_group(hass, "cover", "cover.curtain", "cover.garage")) == "cover.garage"
    assert risk_of(hass, await add_group(hass, "light", "light.hall", "light.door")) is None
    switches = await add_group(hass, "switch", "switch.relay", "switch.trick")
    assert risk_of(hass, switches) is None
    await add_template_switch(hass, UNLOCK)
    assert risk_of(hass, switches) == "lock.unlock"
    hass.states.async_set("light.a", "on", {"entity_id": ["light.b"]})
    hass.states.async_set("light.b", "on", {"entity_id": ["light.a", "light.c"]})
    hass.states.async_set("light.c", "on", {"group_entities": ["light.b", "lock.front"]})
    assert risk_of(hass, state_of(hass, "light.a")) == "lock.front"
    hass.states.async_set("light.c", "on", {"group_entities": ["light.b"]})
    assert risk_of(hass, state_of(hass, "light.a")) is None


async def test_old_group_is_as_risky_as_its_members(hass: HomeAssistant) -> None:
    """It may contain entities of any domain, also such as have no state now."""
    groups = {"ground": {"entities": ["light.hall", "group.doors"]}, "doors": {"entities": ["lock.gone"]}}
    assert await async_setup_component(hass, "group", {"group": groups})
    await hass.async_block_till_done()
    assert risk_of(hass, state_of(hass, "group.ground")) == "lock.gone"


async def test_switch_is_as_risky_as_what_it_is_shown_as(hass: HomeAssistant) -> None:
    """And a thermostat as its heater, a hygrostat as its humidifier."""
    registry = er.async_get(hass)
    relay = registry.async_get_or_create(SWITCH, "test", "1", suggested_object_id="opener")
    hass.states.async_set(relay.entity_id, "off")
    assert risk_of(hass, state_of(hass, relay.entity_id)) is None
    options = {"entity_id": relay.id, "target_domain": "lock", "invert": False}
    entry = MockConfigEntry(domain="switch_as_x", options=options, title="Opener", minor_version=3)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    [lock] = [shown.entity_id for shown in er.async_entries_for_config_entry(registry, entry.entry_id)]
    assert risk_of(hass, state_of(hass, relay.entity_id)) == lock
    thermostat = {
        "platform": "generic_thermostat",
        "name": "Heat",
        "heater": relay.entity_id,
        "target_sensor": "sensor.t",
    }
    assert await async_setup_component(hass, "climate", {"climate": thermostat})
    await hass.async_block_till_done()
    assert risk_of(hass, state_of(hass, "climate.heat")) == lock
    hygrostat = {
        "platform": "generic_hygrostat",
        "name": "Dry",
        "humidifier": relay.entity_id,
        "target_sensor": "sensor.t",
    }
    assert await async_setup_component(hass, "humidifier", {"humidifier": hygrostat})
    await hass.async_block_till_done()
    assert risk_of(hass, state_of(hass, "humidifier.dry")) == lock


async def test_universal_player_is_as_risky_as_its_commands(hass: HomeAssistant) -> None:
    """And as its children, also one in a group."""
    player: dict[str, Any] = {"platform": "universal", "children": ["media_player.tv"]}
    named = [
        {**player, "name": "plain", "commands": {"turn_on": LIGHT}},
        {**player, "name": "tricky", "commands": {"turn_on": UNLOCK}},
        {**player, "name": "nested", "children": ["media_player.tricky"]},
    ]
    assert await async_setup_component(hass, "media_player", {"media_player": named})
    await hass.async_block_till_done()
    assert risk_of(hass, state_of(hass, "media_player.plain")) is None
    assert risk_of(hass, state_of(hass, "media_player.tricky")) == "lock.unlock"
    assert risk_of(hass, state_of(hass, "media_player.nested")) == "lock.unlock"


async def test_what_cannot_be_examined_is_risky(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Home Assistant may change, and an entity object may be missing."""
    state = await add_template_switch(hass, LIGHT)
    assert passed_on(hass, state) is not None
    component = hass.data["entity_components"]["switch"]
    entity = component.get_entity("switch.trick")
    monkeypatch.setattr(component, "get_entity", lambda _: None)
    assert risk_of(hass, state) == "switch.trick"
    monkeypatch.undo()
    monkeypatch.delattr(entity, "_action_scripts")
    assert risk_of(hass, state) == "switch.trick"


GROUPED = {"identifier": "Wish", "entity": "cover.all", "aspect": "open", "access": "control"}


async def test_group_that_gets_a_risky_member_needs_a_confirmation_from_then_on(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The risk is found out when the command comes. The message names the reason."""
    calls = async_mock_service(hass, "cover", "open_cover")
    hass.states.async_set("cover.all", "closed", {"entity_id": ["cover.curtain"], "supported_features": 3})
    entry = await set_up([GROUPED], options={"thing_model": None})
    assert (await set_properties(Wish=1)).code == 200
    hass.states.async_set("cover.all", "closed", {"entity_id": ["cover.garage"], "supported_features": 3})
    reply = await set_properties(Wish=1)
    assert reply.code == 100003
    assert reply.data["Wish"].endswith("was not confirmed, which is needed because of cover.garage")
    assert len(calls) == 1
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [{**GROUPED, "confirmed": True}]})
    await hass.async_block_till_done()
    assert (await set_properties(Wish=1)).code == 200


async def test_old_group_with_a_risky_member_is_not_switched(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """By a property that is bound to it."""
    calls = async_mock_service(hass, "homeassistant", "turn_on")
    await add_template_switch(hass, UNLOCK)
    groups = {
        "plain": {"entities": ["light.hall", "light.door"]},
        "doors": {"entities": ["light.hall", "switch.trick"]},
    }
    assert await async_setup_component(hass, "group", {"group": groups})
    await hass.async_block_till_done()
    rows = [
        {"identifier": name.title(), "entity": f"group.{name}", "aspect": "power", "access": "control"}
        for name in groups
    ]
    await set_up(rows, options={"thing_model": None})
    reply = await set_properties(Plain=1, Doors=1)
    assert (reply.code, list(reply.data)) == (100003, ["Doors"])
    assert "because of lock.unlock" in reply.data["Doors"]
    assert [call.data["entity_id"] for call in calls] == ["group.plain"]


@pytest.mark.parametrize(
    ("entity_id", "aspect", "attributes"),
    [
        ("scene.night", "activate", {}),
        ("remote.tv", "command", {}),
        ("cover.all", "open", {"entity_id": ["cover.garage"], "supported_features": 3}),
        ("switch.all", "power", {"entity_id": ["switch.relay", "siren.roof"]}),
    ],
)
async def test_form_and_command_demand_the_confirmation(
    hass: HomeAssistant,
    set_up: SetUp,
    set_properties: SetProperties,
    entity_id: str,
    aspect: str,
    attributes: dict[str, Any],
) -> None:
    """A stored binding without it allows no control."""
    hass.states.async_set(entity_id, "off", attributes)
    row = {"identifier": "Wish", "entity": entity_id, "aspect": aspect, "access": "control"}
    entry = await set_up([row], options={"thing_model": None})
    calls: list[ServiceCall] = []
    for name in ("turn_on", "turn_off", "open_cover", "send_command"):
        hass.services.async_register(entity_id.partition(".")[0], name, calls.append)
    assert (await set_properties(Wish=1)).code == 100003
    assert not calls
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity=entity_id)
    assert walk.values["confirmed"] is False
    entered = {"aspect": aspect, "identifier": "Other", "access": "control", "conversion": {}, "reporting": {}}
    await walk.submit(**entered)
    assert walk.errors["confirmed"] == "risky_not_confirmed"


async def test_power_of_a_remote_needs_no_confirmation(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Only its commands may do anything."""
    calls = async_mock_service(hass, "remote", "turn_off")
    await set_up(
        [{"identifier": "Wish", "entity": "remote.tv", "aspect": "power", "access": "control"}],
        options={"thing_model": None},
    )
    assert (await set_properties(Wish=0)).code == 200
    assert len(calls) == 1


async def test_rule_gives_no_control_of_what_needs_a_confirmation(hass: HomeAssistant) -> None:
    """It reports what it can, and leaves the rest out."""
    await add_group(hass, "cover", "cover.curtain", "cover.garage")
    await add_template_switch(hass, UNLOCK)
    hass.states.async_set("scene.night", "unknown")
    entity_ids = ["cover.all", "cover.curtain", "switch.trick", "light.hall", "scene.night", "remote.tv"]
    rule = Rule(Selection(Target(entity_id=tuple(entity_ids))))
    access = {(each.entity, each.aspect): each.access.value for each in propose(hass, [], rule, None)}
    by_entity: dict[str, set[str]] = {}
    for (reference, _), direction in access.items():
        by_entity.setdefault(reference, set()).add(direction)
    assert "both" in by_entity["light.hall"]
    assert ("cover.curtain", "command") in access
    for reference, directions in by_entity.items():
        state = state_of(hass, reference)
        if risk_of(hass, state) and state.domain != "remote":
            assert directions == {"report"}, reference
    assert ("remote.tv", "command") not in access
    assert access["remote.tv", "power"] == "both"
