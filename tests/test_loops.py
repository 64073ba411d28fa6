"""A loop between a cloud rule and an automation is interrupted; a person who uses a slider is not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.commands.loops import PAUSE, TURNS
from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, Simulator

from .application import LAMP, SetProperties
from .conftest import SetUp
from .waiting import until

NUMBERS = {"min": 0, "max": 10_000, "initial": 0}
BINDINGS = [
    {"identifier": "A", "entity": "input_number.a", "aspect": "value", "access": "both"},
    {"identifier": "B", "entity": "input_number.b", "aspect": "value", "access": "both"},
    LAMP,
]


def automation(target: str, value: str) -> dict[str, Any]:
    """Return an automation that sets a number whenever B changes."""
    return {
        "alias": "Answer",
        "triggers": {"trigger": "state", "entity_id": "input_number.b"},
        "actions": {
            "action": "input_number.set_value",
            "target": {"entity_id": target},
            "data": {"value": value},
        },
        "mode": "queued",
    }


COPY = automation("input_number.a", "{{ states('input_number.b') | int }}")
INCREMENT = automation("input_number.a", "{{ states('input_number.b') | int + 1 }}")


@pytest.fixture
async def entry(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> MockConfigEntry:
    """Return an entry with two numbers and a lamp, without a thing model."""
    device.thing_model = None
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"lamp": None}})
    assert await async_setup_component(hass, "input_number", {"input_number": {"a": NUMBERS, "b": NUMBERS}})
    entry = await set_up(BINDINGS, options={"thing_model": None})
    await device.wait_for(lambda one: {"A", "B"} <= one.properties.keys())
    return entry


@asynccontextmanager
async def cloud_rule(
    cloud: Simulator, device: CloudDevice, calculate: Callable[[float], float] = lambda value: value
) -> AsyncIterator[None]:
    """Run a rule in the cloud that sets B to A, or to a value calculated from A, whenever A is posted."""

    async def copy() -> None:
        for number in count(len(device.samples["A"])):
            await device.wait_for(lambda one, number=number: len(one.samples["A"]) > number, timeout=60)
            value, _ = device.samples["A"][number]
            await cloud.call(
                "SetDeviceProperty",
                ProductKey=device.product_key,
                DeviceName=device.device_name,
                Items={"B": calculate(value)},
            )

    rule = asyncio.create_task(copy())
    try:
        yield
    finally:
        rule.cancel()
        with suppress(asyncio.CancelledError):
            await rule


def issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the repair issues of this integration."""
    return [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]


async def test_loop_is_interrupted(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    entry: MockConfigEntry,
    set_properties: SetProperties,
    hass_client: ClientSessionGenerator,
) -> None:
    """After twelve turns, with a repair issue; other properties can be set, and this one again after the repair."""
    assert await async_setup_component(hass, "automation", {"automation": INCREMENT})
    assert await async_setup_component(hass, "repairs", {})
    loops = entry.runtime_data.device.loops
    async with cloud_rule(cloud, device):
        await set_properties(B=100)
        await until(loops.paused)
        await hass.async_block_till_done()
        assert loops.paused() == ["B"]
        await until(lambda: (last := device.service_calls[-1].reply) and last.code == Code.LOOP)
        assert len(device.service_calls) <= TURNS + 4

        [issue] = issues(hass)
        assert (issue.translation_key, issue.is_fixable) == ("loop", True)
        assert issue.translation_placeholders == {"device": "gw-1", "identifier": "B", "echo": "A"}
        reply = await set_properties(LightSwitch=1, B=5)
        assert (reply.code, set(reply.data)) == (Code.LOOP, {"B"})
        assert hass.states.get("input_boolean.lamp").state == "on"

    await hass.services.async_call("automation", "turn_off", {"entity_id": "automation.answer"}, blocking=True)
    client = await hass_client()
    page = await (
        await client.post("/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue.issue_id})
    ).json()
    assert page["step_id"] == "confirm"
    done = await (await client.post(f"/api/repairs/issues/fix/{page['flow_id']}", json={})).json()
    assert done["type"] == "create_entry"
    assert not issues(hass)
    assert (await set_properties(B=5)).code == 200
    assert hass.states.get("input_number.b").state == "5.0"


async def test_rule_that_calculates_is_recognised_by_the_number_of_turns(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    entry: MockConfigEntry,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its values are no copies. The pause ends after a while."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.loops.ENDLESS_TURNS", 16)
    assert await async_setup_component(hass, "automation", {"automation": COPY})
    loops = entry.runtime_data.device.loops
    async with cloud_rule(cloud, device, lambda value: value + 1):
        await set_properties(B=100)
        await until(loops.paused)
        await until(lambda: all(call.replies for call in device.service_calls))
    assert len(device.service_calls) > 16
    assert (await set_properties(B=5)).code == Code.LOOP
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=PAUSE + 1))
    await hass.async_block_till_done()
    assert not issues(hass)
    assert (await set_properties(B=5)).code == 200


@pytest.mark.parametrize(
    "reaction",
    [
        None,
        COPY,
        INCREMENT,
        {
            **COPY,
            "actions": {"action": "input_boolean.toggle", "target": {"entity_id": "input_boolean.lamp"}},
        },
    ],
    ids=["none", "copies", "increments", "toggles"],
)
async def test_slider_is_no_loop(
    hass: HomeAssistant,
    device: CloudDevice,
    entry: MockConfigEntry,
    set_properties: SetProperties,
    reaction: dict[str, Any] | None,
) -> None:
    """However fast it is moved, and even if an automation reacts to every move."""
    if reaction:
        assert await async_setup_component(hass, "automation", {"automation": reaction})
    for value in [*range(0, 100, 2), *range(100, 0, -2)]:
        assert (await set_properties(B=value)).code == 200
        await hass.async_block_till_done()
    assert not entry.runtime_data.device.loops.paused()
    assert not issues(hass)


async def test_rule_and_automation_that_settle_are_no_loop(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, set_properties: SetProperties
) -> None:
    """If both copy values, nothing changes after one turn."""
    assert await async_setup_component(hass, "automation", {"automation": COPY})
    async with cloud_rule(cloud, device):
        for value in range(1, TURNS + 4):
            await set_properties(B=value)
            # Wait until the rule has repeated it: two values at once would follow each other endlessly.
            await until(lambda value=value: [bool(one.replies) for one in device.service_calls] == [True] * 2 * value)
        await hass.async_block_till_done()
    assert not entry.runtime_data.device.loops.paused()


async def test_unloading_ends_a_pause(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, set_properties: SetProperties
) -> None:
    """With its issue and its timer."""
    assert await async_setup_component(hass, "automation", {"automation": INCREMENT})
    async with cloud_rule(cloud, device):
        await set_properties(B=100)
        await until(entry.runtime_data.device.loops.paused)
    await hass.config_entries.async_unload(entry.entry_id)
    assert not issues(hass)
