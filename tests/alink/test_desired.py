"""Desired properties are read, cleared by version, and never cleared by accident (docs/protocol.md §9)."""

import json
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.desired import DESIRED_LIMIT, Desired, read_desired
from custom_components.aliyun_iot.alink.errors import NotConnected, Rejected, RequestTimeout
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.messages import JsonValue, Reply
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.session import Session
from simulator import CloudDevice, Simulator

from .conftest import NewLink, Owner, call, sent


async def desire(cloud: Simulator, **items: Any) -> None:
    """Set desired values in the cloud."""
    assert (await call(cloud, "SetDeviceDesiredProperty", Items=items))["Success"]


async def test_values_desired_while_offline_are_read_and_cleared(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig
) -> None:
    """The device reads them after connecting, and clears those that it has applied."""
    await desire(cloud, Brightness=30, TargetTemperature=21.5)
    await desire(cloud, Brightness=40)
    link = new_link(config)
    await link.wait_online(30)
    wanted = await link.device.get_desired(["Brightness", "TargetTemperature", "LightSwitch"])
    assert wanted == {"Brightness": Desired(40, 2), "TargetTemperature": Desired(21.5, 1)}

    await link.device.delete_desired({identifier: desired.version for identifier, desired in wanted.items()})
    assert await link.device.get_desired(["Brightness", "TargetTemperature"]) == {}
    answer = await call(cloud, "QueryDeviceDesiredProperty")
    assert {row["Identifier"]: row.get("Value") for row in answer["Data"]["List"]["DesiredPropertyInfo"]} == {
        "Brightness": None,
        "TargetTemperature": None,
    }


async def test_value_desired_again_meanwhile_is_not_cleared(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """An outdated version clears nothing."""
    await desire(cloud, Brightness=30)
    (wanted,) = (await link.device.get_desired(["Brightness"])).values()
    await desire(cloud, Brightness=50)
    await link.device.delete_desired({"Brightness": wanted.version})
    assert await link.device.get_desired(["Brightness"]) == {"Brightness": Desired(50, 2)}


async def test_empty_requests_are_not_sent(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """The cloud would clear all values on an empty request."""
    await desire(cloud, Brightness=30)
    assert await link.device.get_desired([]) == {}
    await link.device.delete_desired({})
    assert not sent(cloud, link.device.topics.desired_get) + sent(cloud, link.device.topics.desired_delete)
    assert await link.device.get_desired(["Brightness"])


async def test_failures_raise_different_errors(
    cloud: Simulator, device: CloudDevice, link: Link, config: LinkConfig
) -> None:
    """For a code of the cloud, no reply, and no connection."""
    cloud.faults.set(answer_code={"code": 6661, "count": 2})
    with pytest.raises(Rejected, match="6661: request error") as rejected:
        await link.device.get_desired(["Brightness"])
    assert (rejected.value.code, rejected.value.message) == (6661, "request error")
    with pytest.raises(Rejected):
        await link.device.delete_desired({"Brightness": 1})

    cloud.faults.set(lose_replies=2)
    with pytest.raises(RequestTimeout):
        await link.device.get_desired(["Brightness"], timeout=0.02)
    with pytest.raises(RequestTimeout):
        await link.device.delete_desired({"Brightness": 1}, timeout=0.02)

    offline = Link(config, on_command=Owner().obey, on_state=Owner().hear)
    with pytest.raises(NotConnected):
        await offline.device.get_desired(["Brightness"])
    with pytest.raises(NotConnected):
        await offline.device.delete_desired({"Brightness": 1})


@pytest.mark.usefixtures("unlimited")
async def test_many_identifiers_are_sent_in_several_messages(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """Each identifier once."""
    identifiers = [f"P{number}" for number in range(DESIRED_LIMIT + 1)]
    assert await link.device.get_desired(identifiers * 2) == {}
    await link.device.delete_desired(dict.fromkeys(identifiers, 1))
    for topic in (link.device.topics.desired_get, link.device.topics.desired_delete):
        params = [json.loads(one.payload)["params"] for one in sent(cloud, topic)]
        assert [len(one) for one in params] == [DESIRED_LIMIT, 1]
        assert [identifier for one in params for identifier in one] == identifiers


async def test_only_what_was_asked_for_is_returned(
    cloud: Simulator, device: CloudDevice, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else the reply contains."""
    values: dict[str, Any] = {f"P{number}": {"value": number, "version": 1} for number in range(5000)}

    async def reply(*_: object, **__: object) -> Reply:
        return Reply("1", 200, "success", {**values, "Brightness": {"value": 40, "version": 3}})

    monkeypatch.setattr(Session, "request", reply)
    assert await link.device.get_desired(["Brightness", "LightSwitch"]) == {"Brightness": Desired(40, 3)}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"A": {"value": None, "version": 1}}, {"A": Desired(None, 1)}),
        ({"A": {"value": {"B": [1]}, "version": 0, "time": 5}}, {"A": Desired({"B": [1]}, 0)}),
        ({"A": {"value": 1}, "B": {"version": 1}, "C": 1, "D": None, "E": [], "F": {"value": 1, "version": 2}}, {"F": Desired(1, 2)}),
        ({"A": {"value": 1, "version": "2"}, "B": {"value": 1, "version": True}}, {}),
        ({}, {}),
        ([], {}),
        (None, {}),
        ("", {}),
    ],
)  # fmt: skip
def test_replies_are_read_tolerantly(data: JsonValue, expected: dict[str, Desired]) -> None:
    """Entries without a value and a version are ignored."""
    assert read_desired(data) == expected
