"""The shadow of a device (docs/protocol.md §12.6)."""

import json
import time
from typing import Any

import pytest

from simulator import CloudDevice, Simulator

from .conftest import KEY, NAME, Call
from .mqtt_device import MqttDevice

UPDATE, GET = f"/shadow/update/{KEY}/{NAME}", f"/shadow/get/{KEY}/{NAME}"


async def _ask(device: MqttDevice, request: object) -> Any:
    device.publish(UPDATE, request, 1)
    message = await device.receive()
    assert message.topic == GET
    assert abs(message.json["timestamp"] - time.time()) < 60
    return message.json


async def _report(device: MqttDevice, reported: object, version: object) -> Any:
    return (await _ask(device, {"method": "update", "state": {"reported": reported}, "version": version}))["payload"]


async def test_device_reports_and_reads(device: MqttDevice) -> None:
    """Attributes are merged, objects too; what is null is deleted; the version is the device's."""
    assert await _report(device, {"color": "red", "at": {"x": 1, "y": 2}}, 1) == {"status": "success", "version": 1}
    assert await _report(device, {"at": {"y": 3, "z": "null"}, "size": [1, 2]}, 7) == {
        "status": "success",
        "version": 7,
    }
    document = await _ask(device, {"method": "get"})
    assert (document["method"], document["version"]) == ("reply", 7)
    payload = document["payload"]
    assert payload["state"] == {"reported": {"color": "red", "at": {"x": 1, "y": 3}, "size": [1, 2]}}
    times = payload["metadata"]["reported"]
    assert times.keys() == {"color", "at", "size"}
    assert times["at"].keys() == {"x", "y"}
    assert abs(times["color"]["timestamp"] - time.time()) < 60
    await _report(device, {"color": "null"}, 8)
    assert (await _ask(device, {"method": "get"}))["payload"]["state"]["reported"].keys() == {"at", "size"}


async def test_device_deletes(device: MqttDevice) -> None:
    """Some attributes, or all."""
    await _report(device, {"a": 1, "b": 2, "c": 3}, 1)
    answer = await _ask(device, {"method": "delete", "state": {"reported": {"a": "null", "x": "null"}}, "version": 2})
    assert answer["payload"] == {"status": "success", "version": 2}
    payload = (await _ask(device, {"method": "get"}))["payload"]
    assert payload["state"] == {"reported": {"b": 2, "c": 3}}
    assert payload["metadata"]["reported"].keys() == {"b", "c"}
    await _ask(device, {"method": "delete", "state": {"reported": "null"}, "version": 3})
    assert (await _ask(device, {"method": "get"}))["payload"]["state"] == {"reported": {}}


async def test_empty_shadow_can_be_read(device: MqttDevice) -> None:
    """Version 0."""
    document = await _ask(device, {"method": "get"})
    assert (document["version"], document["payload"]["state"]) == (0, {"reported": {}})


async def test_version_minus_1_begins_anew(device: MqttDevice, call: Call) -> None:
    """The shadow is emptied, and its version is 0."""
    await _report(device, {"a": 1}, 5)
    await call("UpdateDeviceShadow", ShadowMessage={"method": "update", "state": {"desired": {"b": 1}}, "version": 6})
    await device.receive()
    assert await _report(device, {"c": 1}, -1) == {"status": "success", "version": 0}
    assert (await _ask(device, {"method": "get"}))["payload"]["state"] == {"reported": {"c": 1}}
    assert await _report(device, {"c": 2}, 1) == {"status": "success", "version": 1}


async def test_application_desires(device: MqttDevice, call: Call, gateway: CloudDevice) -> None:
    """The device receives the whole shadow, reports, and clears what was desired."""
    await _report(device, {"color": "red"}, 1)
    message = {"method": "update", "state": {"desired": {"color": "green"}}, "version": 2}
    assert (await call("UpdateDeviceShadow", ShadowMessage=json.dumps(message)))["Success"]
    control = (await device.receive()).json
    assert (control["method"], control["version"]) == ("control", 2)
    assert control["payload"]["status"] == "success"
    assert control["payload"]["state"] == {"reported": {"color": "red"}, "desired": {"color": "green"}}
    assert control["payload"]["metadata"]["desired"].keys() == {"color"}
    await _report(device, {"color": "green"}, 3)
    answer = await _ask(device, {"method": "update", "state": {"desired": "null"}, "version": 4})
    assert answer["payload"] == {"status": "success", "version": 4}
    shadow = json.loads((await call("GetDeviceShadow"))["ShadowMessage"])
    assert (shadow["state"], shadow["version"]) == ({"reported": {"color": "green"}}, 4)


async def test_application_desires_in_addition_or_instead(device: MqttDevice, call: Call, gateway: CloudDevice) -> None:
    """`DeltaUpdate` makes the difference; version 0 does not care for the version; a device that is offline reads it."""
    for desired, delta in (({"a": 1, "b": 2}, "false"), ({"b": 3}, "true"), ({"c": 4}, "false")):
        message = {"method": "update", "state": {"desired": desired}, "version": 0}
        assert (await call("UpdateDeviceShadow", ShadowMessage=message, DeltaUpdate=delta))["Success"]
    states = [(await device.receive()).json["payload"]["state"]["desired"] for _ in range(3)]
    assert states == [{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"c": 4}]
    assert gateway.shadow.version == 3
    await device.stop()
    await gateway.wait_for(lambda device: not device.online)
    message = {"method": "update", "state": {"desired": "null"}, "version": 0}
    assert (await call("UpdateDeviceShadow", ShadowMessage=message))["Success"]
    assert gateway.shadow.desired == {}


@pytest.mark.parametrize(
    ("message", "delta"),
    [
        ({"method": "get", "state": {"desired": {"a": 1}}, "version": 9}, "false"),
        ({"method": "update", "state": {"desired": {}}, "version": 9}, "false"),
        ({"method": "update", "state": {"desired": [1]}, "version": 9}, "false"),
        ({"method": "update", "state": {"desired": {"a": 1}}}, "false"),
        ({"method": "update", "state": {"desired": {"a": 1}}, "version": 1}, "false"),
        ({"method": "update", "version": 9}, "false"),
        ({"method": "update", "state": {"desired": {f"a{number}": 1 for number in range(129)}}, "version": 9}, "false"),
        ({"method": "update", "state": {"desired": {"a": 1}}, "version": 9}, "perhaps"),
    ],
)
async def test_refused_updates_of_applications(
    device: MqttDevice, call: Call, gateway: CloudDevice, message: dict[str, Any], delta: str
) -> None:
    """Nothing changes, and nothing is sent."""
    await _report(device, {"color": "red"}, 1)
    answer = await call("UpdateDeviceShadow", ShadowMessage=message, DeltaUpdate=delta)
    assert answer["Code"] == "iot.common.InvalidFormattedParameter"
    assert gateway.shadow.desired == {}
    await device.barrier()
    assert device.messages.empty()


def _update(reported: object, version: object = 2, **other: object) -> dict[str, Any]:
    return {"method": "update", "state": {"reported": reported}, "version": version} | other


DEEP = {"2": {"3": {"4": {"5": 1}}}}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(b"{", 400, id="not JSON"),
        pytest.param(b"[]", 400, id="not an object"),
        pytest.param(_update({"1": {"2": DEEP}}), 400, id="six levels"),
        pytest.param(_update({"a": "x" * 16384}), 400, id="more than 16 KB"),
        pytest.param({"state": {}}, 401, id="no method"),
        pytest.param({"method": "update", "version": 2}, 402, id="no state"),
        pytest.param({"method": "update", "state": [], "version": 2}, 402, id="state is a list"),
        pytest.param({"method": "delete", "version": 2}, 402, id="no state to delete"),
        pytest.param(_update({"a": 1}, None), 403, id="no version"),
        pytest.param(_update({"a": 1}, "2"), 403, id="version is a text"),
        pytest.param(_update({"a": 1}, True), 403, id="version is a bool"),
        pytest.param({"method": "update", "state": {}, "version": 2}, 404, id="no reported"),
        pytest.param(
            {"method": "update", "state": {"desired": {"a": 1}}, "version": 2}, 404, id="desired by the device"
        ),
        pytest.param({"method": "delete", "state": {}, "version": 2}, 404, id="nothing to delete"),
        pytest.param(_update({}), 405, id="reported is empty"),
        pytest.param(_update("red"), 405, id="reported is a text"),
        pytest.param({"method": "delete", "state": {"reported": {}}, "version": 2}, 405, id="deletes nothing"),
        pytest.param({"method": "put", "state": {}}, 406, id="unknown method"),
        pytest.param(b"", 407, id="no content"),
        pytest.param(_update({f"a{number}": 1 for number in range(128)}), 408, id="129 attributes"),
        pytest.param(_update({"a": 1}, 1), 409, id="the same version"),
        pytest.param({"method": "delete", "state": {"reported": "null"}, "version": 0}, 409, id="an older version"),
    ],
)
async def test_refused_requests(device: MqttDevice, gateway: CloudDevice, request_: Any, code: int) -> None:
    """The answer has the code, and the shadow stays as it is."""
    await _report(device, {"color": "red"}, 1)
    answer = await _ask(device, request_)
    assert (answer["method"], answer["payload"]["status"]) == ("reply", "error")
    assert answer["payload"]["content"]["errorcode"] == str(code)
    assert answer["payload"]["content"]["errormessage"]
    assert (gateway.shadow.reported, gateway.shadow.version) == ({"color": "red"}, 1)


async def test_limits_that_are_kept(device: MqttDevice) -> None:
    """Five levels, 128 attributes."""
    assert (await _report(device, {"1": DEEP}, 1))["status"] == "success"
    assert (await _report(device, {f"a{number}": 1 for number in range(127)}, 2))["status"] == "success"


async def test_server_error_on_demand(device: MqttDevice, cloud: Simulator) -> None:
    """500 has no cause that a device can bring about."""
    cloud.faults.set(answer_code={"code": 500, "count": 1})
    answer = await _ask(device, {"method": "get"})
    assert answer["payload"]["content"]["errorcode"] == "500"
