"""Property sets: each is carried out or refused, and the answer says which."""

import asyncio
import json
from typing import Any

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import entity_sources
from homeassistant.setup import async_setup_component
import pytest

from simulator import CloudDevice, Simulator

from .application import (
    BRIGHTNESS,
    KELVIN,
    LAMP,
    TARGET,
    SetProperties,
)
from .conftest import SetUp

HALL = {
    "supported_color_modes": ["color_temp", "rgb"],
    "color_mode": "color_temp",
    "min_color_temp_kelvin": 2000,
    "max_color_temp_kelvin": 6500,
}


async def test_set_is_carried_out_answered_and_posted_once(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
) -> None:
    """200 means that it was done; the new value is posted once."""
    await set_up([LAMP])
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    reply = await set_properties(LightSwitch=1)
    assert (reply.code, reply.data) == (200, {})
    assert hass.states.get("input_boolean.lamp").state == STATE_ON
    await device.wait_for(lambda one: one.properties["LightSwitch"][0] == 1)
    await hass.async_block_till_done()
    assert [value for value, _ in device.samples["LightSwitch"]] == [0, 1]


async def test_set_to_the_present_value_is_posted(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The cloud takes values from posts only, so there is one even if nothing changes."""
    await set_up([LAMP])
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    assert (await set_properties(LightSwitch=0)).code == 200
    await device.wait_for(lambda one: len(one.samples["LightSwitch"]) == 2)
    assert device.properties["LightSwitch"][0] == 0


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"Nothing": 1}, 100007, "no such property"),
        ({"FirmwareVersion": "x"}, 100001, "not bound"),
        ({"CurrentTemperature": 20.0}, 100002, "read-only"),
        ({"Brightness": 50}, 100003, "does not allow"),
        ({"HVACMode": 3}, 100009, "heat"),
        ({"GatewayName": "dry"}, 100009, "heat"),
        ({"LightSwitch": "maybe"}, 100008, "LightSwitch"),
        ({"LightSwitch": None}, 100008, "LightSwitch"),
        ({"TargetTemperature": "warm"}, 100008, "TargetTemperature"),
        ({"TargetTemperature": 99.0}, 100009, "35"),
        ({"TargetTemperature": 8.0}, 100009, "10"),
        ({"ColorTemperature": 4000}, 100004, "unavailable"),
        ({"ZoneLevels": [1]}, 100004, "has gone"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_refusal_has_its_code(
    hass: HomeAssistant,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    values: dict[str, Any],
    code: int,
    words: str,
) -> None:
    """The message names the property and the reason, and nothing changes."""
    hass.states.async_set("light.hall", STATE_UNAVAILABLE, HALL)
    hass.states.async_set("sensor.outside", "5", {"unit_of_measurement": "°C"})
    hass.states.async_set("climate.room", "heat", {"hvac_modes": ["off", "heat"]})
    await set_up(
        [
            LAMP,
            TARGET,
            KELVIN,
            {"identifier": "CurrentTemperature", "entity": "sensor.outside", "aspect": "value"},
            {"identifier": "Brightness", "entity": "input_number.target", "aspect": "value", "access": "report"},
            {"identifier": "HVACMode", "entity": "climate.room", "aspect": "mode", "access": "both"},
            {"identifier": "GatewayName", "entity": "climate.room", "aspect": "mode", "access": "both"},
            {"identifier": "ZoneLevels", "entity": "input_number.gone", "aspect": "value", "access": "both"},
        ]
    )
    before = present_states(hass)
    reply = await set_properties(**values)
    assert reply.code == code
    assert words in reply.message
    assert set(reply.data) == set(values)
    assert present_states(hass) == before


def present_states(hass: HomeAssistant) -> dict[str, str]:
    """Return all states except those of the event entities."""
    return {one.entity_id: one.state for one in hass.states.async_all() if one.domain != "event"}


async def test_lock_needs_a_confirmation(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A lock cannot be controlled before the user has confirmed it, even if its binding allows control."""
    calls: list[ServiceCall] = []
    hass.services.async_register("lock", "lock", calls.append)
    hass.states.async_set("lock.door", "unlocked")
    row = {"identifier": "Locked", "entity": "lock.door", "aspect": "locked", "access": "both"}
    entry = await set_up([row], options={"thing_model": None})
    reply = await set_properties(Locked=1)
    assert reply.code == 100003
    assert not calls

    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [{**row, "confirmed": True}]})
    await hass.async_block_till_done()
    assert (await set_properties(Locked=1)).code == 200
    assert [call.data["entity_id"] for call in calls] == ["lock.door"]


async def test_exception_of_an_action_is_answered(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """With the message of Home Assistant, also for an unexpected exception."""

    async def fail(_: ServiceCall) -> None:
        raise HomeAssistantError("the relay does not answer")

    async def explode(_: ServiceCall) -> None:
        raise ZeroDivisionError("oops")

    hass.states.async_set("switch.relay", "off")
    await set_up([{**LAMP, "entity": "switch.relay"}])
    hass.services.async_register("switch", "turn_on", fail)
    reply = await set_properties(LightSwitch=1)
    assert reply.code == 100005
    assert "the relay does not answer" in reply.message
    hass.services.async_register("switch", "turn_on", explode)
    assert (await set_properties(LightSwitch=1)).code == 100005


async def test_cancelled_action_is_a_failure(hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties) -> None:
    """An integration that gives up waiting cancels the action; the cloud gets an answer."""

    async def give_up(_: ServiceCall) -> None:
        raise asyncio.CancelledError

    hass.services.async_register("switch", "turn_on", give_up)
    hass.states.async_set("switch.lost", "off")
    await set_up([{**LAMP, "entity": "switch.lost"}])
    reply = await set_properties(LightSwitch=1)
    assert (reply.code, "cancelled" in reply.message) == (100005, True)


async def test_script_that_stops_early_is_a_failure(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A template entity whose script stops at a condition raises no exception, although nothing was done."""
    await async_setup_component(hass, "input_boolean", {"input_boolean": {"allowed": None, "done": None}})
    assert await async_setup_component(
        hass,
        "template",
        {
            "template": {
                "switch": {
                    "name": "Guarded",
                    "state": "{{ is_state('input_boolean.done', 'on') }}",
                    "turn_on": [
                        {"condition": "state", "entity_id": "input_boolean.allowed", "state": "on"},
                        {"action": "input_boolean.turn_on", "target": {"entity_id": "input_boolean.done"}},
                    ],
                    "turn_off": [],
                }
            }
        },
    )
    await hass.async_block_till_done()
    await set_up([{**LAMP, "entity": "switch.guarded"}])
    reply = await set_properties(LightSwitch=1)
    assert reply.code == 100005
    assert "stopped early" in reply.message
    await hass.services.async_call("input_boolean", "turn_on", {"entity_id": "input_boolean.allowed"}, blocking=True)
    assert (await set_properties(LightSwitch=1)).code == 200
    assert hass.states.get("switch.guarded").state == STATE_ON


async def test_script_triggered_by_the_change_is_no_failure(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A script that the change triggers may stop early: the change itself was made."""
    assert await async_setup_component(
        hass,
        "template",
        {
            "template": {
                "trigger": {"platform": "state", "entity_id": "input_boolean.lamp"},
                "action": [{"condition": "template", "value_template": "{{ false }}"}],
                "sensor": {"name": "Bystander", "state": "1"},
            }
        },
    )
    await hass.async_block_till_done()
    await set_up([LAMP])
    assert (await set_properties(LightSwitch=1)).code == 200
    assert hass.states.get("input_boolean.lamp").state == STATE_ON


async def test_action_continues_after_the_deadline(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says that it is still running."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.05)
    go_on = asyncio.Event()
    finished = asyncio.Event()

    async def slow(_: ServiceCall) -> None:
        await go_on.wait()
        finished.set()

    hass.services.async_register("switch", "turn_on", slow)
    hass.states.async_set("switch.slow", "off")
    await set_up([{**LAMP, "entity": "switch.slow"}])
    reply = await set_properties(LightSwitch=1)
    assert reply.code == 100006
    assert "still running" in reply.message
    go_on.set()
    await asyncio.wait_for(finished.wait(), 5)


@pytest.mark.parametrize("error", [HomeAssistantError("burnt out"), TimeoutError()])
async def test_action_that_fails_late_or_with_its_own_timeout(
    hass: HomeAssistant,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """A failure after the answer is logged; a time-out of the action itself is an ordinary failure."""
    go_on = asyncio.Event()

    async def slow(_: ServiceCall) -> None:
        await go_on.wait()
        raise error

    hass.services.async_register("switch", "turn_on", slow)
    hass.states.async_set("switch.slow", "off")
    await set_up([{**LAMP, "entity": "switch.slow"}])
    if isinstance(error, TimeoutError):
        go_on.set()
        reply = await set_properties(LightSwitch=1)
        assert (reply.code, "TimeoutError" in reply.message) == (100005, True)
        return
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.05)
    assert (await set_properties(LightSwitch=1)).code == 100006
    go_on.set()
    await hass.async_block_till_done()
    assert "failed after its deadline: burnt out" in caplog.text


async def test_light_gets_one_action(hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties) -> None:
    """Power, brightness and colour temperature of a light are one call of turn_on."""
    calls: list[ServiceCall] = []
    hass.services.async_register("light", "turn_on", calls.append)
    hass.states.async_set("light.hall", STATE_OFF, HALL)
    await set_up([{**LAMP, "entity": "light.hall"}, BRIGHTNESS, KELVIN])
    assert (await set_properties(LightSwitch=1, Brightness=40, ColorTemperature=3000)).code == 200
    assert [call.data for call in calls] == [{"entity_id": "light.hall", "brightness": 102, "color_temp_kelvin": 3000}]


async def test_failure_of_one_entity_does_not_affect_others(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Every failed property is named."""
    hass.states.async_set("light.hall", STATE_OFF, HALL)
    await set_up([LAMP, TARGET, BRIGHTNESS, KELVIN])
    reply = await set_properties(LightSwitch=1, TargetTemperature=500.0, Brightness=50, ColorTemperature="x")
    assert hass.states.get("input_boolean.lamp").state == STATE_ON
    assert reply.code == 100009
    assert set(reply.data) == {"TargetTemperature", "Brightness", "ColorTemperature"}
    assert "ColorTemperature was not" in reply.data["Brightness"]
    assert hass.states.get("light.hall").state == STATE_OFF


async def test_command_that_waits_too_long_is_refused(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not carried out after its deadline, nor before the earlier command."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.05)
    go_on = asyncio.Event()
    done: list[str] = []

    async def slow(call: ServiceCall) -> None:
        await go_on.wait()
        done.append(call.service)

    hass.services.async_register("switch", "turn_on", slow)
    hass.services.async_register("switch", "turn_off", slow)
    hass.states.async_set("switch.relay", "off")
    await set_up([{**LAMP, "entity": "switch.relay"}])
    assert "still running" in (await set_properties(LightSwitch=1)).message
    reply = await set_properties(LightSwitch=0)
    assert (reply.code, "not done" in reply.message) == (100006, True)
    go_on.set()
    assert (await set_properties(LightSwitch=1)).code == 200
    assert done == ["turn_on", "turn_on"]


async def test_contradicting_values_are_refused(
    hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Two properties bound to the same aspect may have the same value, but not different ones."""
    await set_up([LAMP, {**LAMP, "identifier": "Power"}], options={"thing_model": None})
    assert (await set_properties(LightSwitch=1, Power=1)).code == 200
    reply = await set_properties(LightSwitch=1, Power=0)
    assert reply.code == 460
    assert hass.states.get("input_boolean.lamp").state == STATE_ON


async def test_commands_to_one_entity_keep_their_order(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A slow command is finished before the next one starts."""
    order: list[str] = []

    async def slow(call: ServiceCall) -> None:
        order.append(f"{call.service} begins")
        await asyncio.sleep(0.05)
        order.append(f"{call.service} ends")

    hass.services.async_register("switch", "turn_on", slow)
    hass.services.async_register("switch", "turn_off", slow)
    hass.states.async_set("switch.relay", "off")
    await set_up([{**LAMP, "entity": "switch.relay"}])
    ids = [
        (
            await cloud.call(
                "SetDeviceProperty",
                ProductKey=device.product_key,
                DeviceName=device.device_name,
                Items=json.dumps({"LightSwitch": value}),
            )
        )["Data"]["MessageId"]
        for value in (1, 0)
    ]
    for message_id in ids:
        await device.wait_reply(message_id)
    assert order == ["turn_on begins", "turn_on ends", "turn_off begins", "turn_off ends"]


async def test_removed_entity(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Its property is answered as unavailable or not bound; other properties are set."""
    registry = er.async_get(hass)
    gone = registry.async_get_or_create("switch", "test", "gone")
    hass.states.async_set(gone.entity_id, "off")
    await set_up([LAMP, {**LAMP, "identifier": "ZoneLevels", "entity": gone.id}])
    hass.states.async_remove(gone.entity_id)
    assert (await set_properties(ZoneLevels=[1])).code == 100004
    registry.async_remove(gone.entity_id)
    await hass.async_block_till_done()
    reply = await set_properties(ZoneLevels=[1], LightSwitch=1)
    assert reply.code == 100001
    assert "removed" in reply.data["ZoneLevels"]
    assert hass.states.get("input_boolean.lamp").state == STATE_ON


async def test_state_without_an_entity_is_refused(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """An action for it would have no effect and raise no exception."""
    assert await async_setup_component(hass, "switch", {})
    hass.states.async_set("switch.ghost", "off")
    await set_up([{**LAMP, "entity": "switch.ghost"}])
    del entity_sources(hass)["switch.ghost"]
    reply = await set_properties(LightSwitch=1)
    assert (reply.code, "without an entity" in reply.message) == (100004, True)
