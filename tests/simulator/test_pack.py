"""Posts of a gateway for itself and its sub-devices (docs/protocol.md §4.4, §4.5)."""

from typing import Any

import pytest

from simulator import CloudDevice, EventRecord

from .conftest import KEY, NAME
from .gateway_client import SUB_KEY, Gateway, named

LAMPS = [(SUB_KEY, f"lamp-{number}") for number in range(3)]
PACK = "thing/event/property/pack/post"
HISTORY = "thing/event/property/history/post"
AT = 1_700_000_000_000


def _value(value: object) -> dict[str, object]:
    return {"value": value, "time": AT}


def _part(key: tuple[str, str], properties: dict[str, Any], events: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"identity": named(key), "properties": properties, "events": events or {}}


@pytest.fixture(autouse=True)
async def subscribed(hub: Gateway) -> None:
    """The reply to a pack post is not implicit; two of the lamps are in the topology, none is logged in."""
    await hub.device.subscribe(f"{hub.system}{PACK}_reply")
    await hub.add(*LAMPS[:2])


async def test_pack_has_values_of_all_devices(hub: Gateway, gateway: CloudDevice, lamps: list[CloudDevice]) -> None:
    """Of the gateway and of its sub-devices."""
    reply = await hub.ask(
        PACK,
        {
            "properties": {"GatewayName": _value("hall")},
            "events": {"SceneActivated": _value({"SceneName": "night"})},
            "subDevices": [
                _part(LAMPS[0], {"Brightness": _value(1), "LightSwitch": _value(0)}),
                _part(LAMPS[1], {}, {"SceneActivated": _value({"SceneName": "day"})}),
            ],
        },
    )
    assert (reply["code"], reply["data"]) == (200, {})
    assert gateway.properties == {"GatewayName": ("hall", AT)}
    assert gateway.events == [EventRecord("SceneActivated", {"SceneName": "night"}, AT)]
    assert lamps[0].properties == {"Brightness": (1, AT), "LightSwitch": (0, AT)}
    assert lamps[1].events == [EventRecord("SceneActivated", {"SceneName": "day"}, AT)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"subDevices": [_part((SUB_KEY, "lamp-9"), {"Brightness": _value(1)})]}, 6100, id="unknown"),
        pytest.param({"subDevices": [_part(LAMPS[2], {"Brightness": _value(1)})]}, 6401, id="not in the topology"),
        pytest.param({"subDevices": [_part(LAMPS[1], {"Nope": _value(1)})]}, 6320, id="unknown property"),
        pytest.param({"subDevices": [_part(LAMPS[1], {"Brightness": _value(101)})]}, 6306, id="out of range"),
        pytest.param({"subDevices": [_part(LAMPS[1], {"Brightness": 1})]}, 460, id="plain value"),
        pytest.param({"subDevices": [_part(LAMPS[1], {}, {"Nope": _value({})})]}, 5160, id="unknown event"),
        pytest.param({"subDevices": [{"properties": {"Brightness": _value(1)}}]}, 460, id="no identity"),
        pytest.param({"subDevices": [1]}, 460, id="not an object"),
        pytest.param({"subDevices": {}, "properties": {}}, 460, id="nothing"),
        pytest.param({"properties": {"Brightness": {"value": 1, "time": "x"}}}, 6326, id="bad time"),
        pytest.param({"properties": [1]}, 460, id="properties are a list"),
        pytest.param({"subDevices": [_part(LAMPS[1], {})] * 21}, 6357, id="21 sub-devices"),
        pytest.param({"properties": {f"P{number}": _value(1) for number in range(201)}}, 6106, id="201 properties"),
        pytest.param(
            {"subDevices": [_part(LAMPS[1], {f"P{number}": _value(1) for number in range(200)})]},
            6106,
            id="201 properties of all devices",
        ),
        pytest.param({"events": {f"E{number}": _value({}) for number in range(21)}}, 6356, id="21 events"),
    ],
)
async def test_one_failure_refuses_the_message(
    hub: Gateway, gateway: CloudDevice, lamps: list[CloudDevice], change: dict[str, Any], code: int
) -> None:
    """Nothing of it is recorded."""
    good = {"properties": {"Brightness": _value(1)}}
    reply = await hub.ask(PACK, good | change)
    assert reply["code"] == code
    assert gateway.properties == {}
    assert all(lamp.properties == {} and lamp.events == [] for lamp in lamps)


async def test_history_of_sub_devices(hub: Gateway, gateway: CloudDevice, lamps: list[CloudDevice]) -> None:
    """A gateway posts the past of its own devices, and of no others."""
    past = [
        {"identity": named(key), "properties": [{"Brightness": _value(number)}], "events": []}
        for number, key in enumerate([(KEY, NAME), LAMPS[0]])
    ]
    assert (await hub.ask(HISTORY, past))["code"] == 200
    assert gateway.samples["Brightness"] == [(0, AT)]
    assert lamps[0].samples["Brightness"] == [(1, AT)]
    assert lamps[0].properties == {}
    foreign = {"identity": named(LAMPS[2]), "properties": [{"Brightness": _value(1)}]}
    assert (await hub.ask(HISTORY, [*past, foreign]))["code"] == 6401
    assert gateway.samples["Brightness"] == [(0, AT)]
    assert lamps[2].samples == {}
