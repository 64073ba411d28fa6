"""Control by the user's own actions: they run with the value, and the answer says whether they succeeded."""

import asyncio
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from simulator import CloudDevice

from .application import LAMP, TARGET, SetProperties
from .conftest import SetUp
from .test_reporter import CELSIUS, posted

TELL = [{"action": "test.tell", "data": {"value": "{{ value }}", "identifier": "{{ identifier }}"}}]


def custom(identifier: str, actions: list[dict[str, Any]] = TELL) -> dict[str, Any]:
    """Return a binding that has only actions."""
    return {"identifier": identifier, "entity": "", "aspect": "actions", "access": "control", "actions": actions}


@pytest.fixture
def recorded(hass: HomeAssistant) -> list[ServiceCall]:
    """Return the calls that the actions make."""
    return async_mock_service(hass, "test", "tell")


@pytest.mark.parametrize(
    ("identifier", "sent", "value"),
    [
        ("LightSwitch", 1, True),
        ("Brightness", 40, 40),
        ("TargetTemperature", 21.5, 21.5),
        ("HVACMode", 2, "cool"),
        ("GatewayName", "attic", "attic"),
        ("RGBColor", {"Red": 1, "Green": 2, "Blue": 3}, {"Red": 1, "Green": 2, "Blue": 3}),
        ("ZoneLevels", [1, 2], [1, 2]),
    ],
)
async def test_actions_get_the_value(
    set_up: SetUp,
    set_properties: SetProperties,
    recorded: list[ServiceCall],
    identifier: str,
    sent: object,
    value: object,
) -> None:
    """In Python types, an item of an enum by its name."""
    await set_up([custom(identifier)])
    assert (await set_properties(**{identifier: sent})).code == 200
    assert [dict(call.data) for call in recorded] == [{"value": value, "identifier": identifier}]


async def test_entity_is_reported_and_own_actions_control(
    hass: HomeAssistant,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    recorded: list[ServiceCall],
) -> None:
    """The capabilities and the availability of the entity do not matter to the actions."""
    hass.states.async_set("binary_sensor.light", "off")
    row = {"identifier": "LightSwitch", "entity": "binary_sensor.light", "aspect": "state", "access": "both"}
    await set_up([{**row, "actions": TELL, "conversion": {"invert": True}}])
    await posted(device, "LightSwitch", 1)
    assert (await set_properties(LightSwitch=1)).code == 200
    hass.states.async_set("binary_sensor.light", STATE_UNAVAILABLE)
    assert (await set_properties(LightSwitch=0)).code == 200
    hass.states.async_remove("binary_sensor.light")
    assert (await set_properties(LightSwitch=1)).code == 200
    assert [call.data["value"] for call in recorded] == [False, True, False]


async def test_own_actions_need_no_confirmation(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, recorded: list[ServiceCall]
) -> None:
    """The user wrote them and knows what they do."""
    hass.states.async_set("lock.door", "locked")
    row = {"identifier": "LightSwitch", "entity": "lock.door", "aspect": "locked", "access": "both"}
    await set_up([{**row, "actions": TELL, "conversion": {"options": {"locked": 1, "unlocked": 0}}}])
    assert (await set_properties(LightSwitch=0)).code == 200
    assert [call.data["value"] for call in recorded] == [False]


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ([{"action": "test.missing"}], "test.missing"),
        ([{"stop": "the door is open", "error": True}], "the door is open"),
        ([{"condition": "template", "value_template": "{{ value > 50 }}"}, *TELL], "stopped early"),
        ([{"action": "nonsense"}], "nonsense"),
        ([{"action": "test.fail"}], "no power"),
    ],
)
async def test_failing_actions_are_answered_as_failed(
    hass: HomeAssistant,
    set_up: SetUp,
    set_properties: SetProperties,
    recorded: list[ServiceCall],
    actions: list[dict[str, Any]],
    words: str,
) -> None:
    """Whatever the reason, also if the sequence is invalid."""

    async def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("no power")

    hass.services.async_register("test", "fail", fail)
    await set_up([custom("Brightness", actions)])
    reply = await set_properties(Brightness=40)
    assert reply.code == 100005
    assert words in reply.data["Brightness"]
    assert not recorded


async def test_invalid_value_does_not_run_the_actions(
    set_up: SetUp, set_properties: SetProperties, recorded: list[ServiceCall]
) -> None:
    """It is refused as for any property."""
    await set_up([custom("Brightness"), custom("HVACMode")])
    assert (await set_properties(Brightness=101)).code == 100009
    assert (await set_properties(HVACMode="warm")).code == 100008
    assert not recorded


async def test_own_actions_are_independent_of_other_properties_of_the_entity(
    hass: HomeAssistant,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    recorded: list[ServiceCall],
) -> None:
    """The other properties of the entity are set together or not at all."""
    aside = {**TARGET, "identifier": "Brightness", "actions": TELL}
    await set_up([TARGET, aside, LAMP])
    reply = await set_properties(TargetTemperature=8.0, Brightness=20, LightSwitch=1)
    assert (reply.code, list(reply.data)) == (100009, ["TargetTemperature"])
    assert [call.data["value"] for call in recorded] == [20]
    assert hass.states.get("input_boolean.lamp").state == "on"

    reply = await set_properties(TargetTemperature=25.0, Brightness=300)
    assert (reply.code, list(reply.data)) == (100009, ["Brightness"])
    assert hass.states.get("input_number.target").state == "25.0"


async def test_own_actions_of_one_property_run_one_after_the_other(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Those of different properties run at the same time."""
    started: list[str] = []
    go_on = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        started.append(f"{call.data['identifier']} {call.data['value']}")
        if call.data["identifier"] == "Brightness":
            await go_on.wait()

    hass.services.async_register("test", "slow", slow)
    actions = [{**TELL[0], "action": "test.slow"}]
    await set_up([custom("Brightness", actions), custom("TargetTemperature", actions)])
    first = asyncio.create_task(set_properties(Brightness=1))
    while not started:
        await asyncio.sleep(0)
    second = asyncio.create_task(set_properties(Brightness=2))
    assert (await set_properties(TargetTemperature=20.0)).code == 200
    assert started == ["Brightness 1", "TargetTemperature 20.0"]
    go_on.set()
    assert [(await first).code, (await second).code] == [200, 200]
    assert started[-1] == "Brightness 2"


async def test_own_actions_continue_after_the_deadline(
    hass: HomeAssistant,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer says so, and the next command waits until they end."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.05)
    go_on = asyncio.Event()
    done: list[object] = []

    async def slow(call: ServiceCall) -> None:
        await go_on.wait()
        done.append(call.data["value"])

    hass.services.async_register("test", "slow", slow)
    await set_up([custom("Brightness", [{**TELL[0], "action": "test.slow"}])])
    assert "still running" in (await set_properties(Brightness=1)).data["Brightness"]
    reply = await set_properties(Brightness=2)
    assert reply.code == 100006
    assert "has not finished" in reply.data["Brightness"]
    go_on.set()
    await hass.async_block_till_done()
    assert done == [1]


async def test_raw_state_without_own_actions_is_read_only(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A state or an attribute can only be reported."""
    hass.states.async_set("sensor.room", "20", CELSIUS)
    row = {"identifier": "TargetTemperature", "entity": "sensor.room", "aspect": "raw_state", "access": "both"}
    await set_up([row])
    await posted(device, "TargetTemperature", 20.0)
    assert (await set_properties(TargetTemperature=21.0)).code == 100002
