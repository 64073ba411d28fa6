"""The answers of the control API: queries, and errors with the platform's codes."""

import json
from typing import Any

import pytest

from simulator import CloudDevice, EventRecord, Simulator

from .conftest import KEY, NAME, SECRET, Call
from .mqtt_device import MqttDevice


async def _rows(call: Call, action: str, name: str, **fields: Any) -> list[dict[str, Any]]:
    return (await call(action, **fields))["Data"]["List"][name]


async def test_device_status(cloud: Simulator, call: Call, gateway: CloudDevice, connect: Any) -> None:
    """From never online to disabled."""

    async def status() -> str:
        return (await call("GetDeviceStatus"))["Data"]["Status"]

    assert await status() == "UNACTIVE"
    device = await connect()
    assert await status() == "ONLINE"
    cloud.faults.set(drop_connection=NAME)
    await device.closed.wait()
    assert await status() == "OFFLINE"
    await connect()
    await call("DisableThing")
    assert await status() == "DISABLE"
    await call("EnableThing")
    assert await status() == "OFFLINE"
    assert (await call("GetDeviceStatus"))["Data"]["Timestamp"] == gateway.status_time


async def test_query_of_the_newest_values(call: Call, gateway: CloudDevice) -> None:
    """A row for each property of the thing model, and for other reported ones; values and times are texts."""
    gateway.record_sample("Brightness", 80, 1)
    gateway.record_sample("RGBColor", {"Red": 1, "Green": 2, "Blue": 3}, 2)
    gateway.record_sample("GatewayName", "网关", 3)
    gateway.record_sample("TargetTemperature", 21.0, 4)
    gateway.record_sample("Unknown", True, 5)
    rows = {row["Identifier"]: row for row in await _rows(call, "QueryDevicePropertyStatus", "PropertyStatusInfo")}
    assert len(rows) == 15
    assert rows["Brightness"] == {
        "Identifier": "Brightness",
        "Name": "Brightness",
        "DataType": "int",
        "Unit": "%",
        "Value": "80",
        "Time": "1",
    }
    assert json.loads(rows["RGBColor"]["Value"]) == {"Red": 1, "Green": 2, "Blue": 3}
    assert rows["GatewayName"]["Value"] == "网关"
    assert rows["TargetTemperature"]["Value"] == "21.0"
    assert rows["Unknown"]["Value"] == "true"
    assert "Value" not in rows["HVACMode"]


@pytest.mark.parametrize(
    ("fields", "values", "more"),
    [
        ({}, ["4", "3", "2", "1"], False),
        ({"Asc": "1"}, ["1", "2", "3", "4"], False),
        ({"Asc": 1, "PageSize": "3"}, ["1", "2", "3"], True),
        ({"Asc": 0, "PageSize": 3}, ["4", "3", "2"], True),
        ({"Asc": 1, "StartTime": "20", "EndTime": 30}, ["2", "3"], False),
        ({"Asc": 0, "StartTime": 30, "EndTime": 20}, ["3", "2"], False),
        ({"StartTime": 50, "EndTime": 60}, [], False),
    ],
)
async def test_query_of_the_values_of_a_property(
    call: Call, gateway: CloudDevice, fields: dict[str, Any], values: list[str], more: bool
) -> None:
    """Pages in either order and for any period."""
    for number in (2, 1, 4, 3):
        gateway.record_sample("Brightness", number, number * 10)
    data = (await call("QueryDevicePropertyData", Identifier="Brightness", **fields))["Data"]
    assert [row["Value"] for row in data["List"]["PropertyInfo"]] == values
    assert data["NextValid"] is more
    assert ("NextTime" in data) is more


async def test_query_of_events(call: Call, gateway: CloudDevice) -> None:
    """All events, or those of an identifier or a type."""
    gateway.events += [
        EventRecord("SceneActivated", {"SceneName": "夜"}, 1),
        EventRecord("DeviceFault", {"ErrorCode": 1}, 2),
        EventRecord("Unknown", {}, 3),
    ]
    rows = await _rows(call, "QueryDeviceEventData", "EventInfo", Asc=1)
    assert rows[0] == {
        "EventType": "info",
        "Identifier": "SceneActivated",
        "Name": "Scene activated",
        "OutputData": '{"SceneName":"夜"}',
        "Time": "1",
    }
    assert [row["EventType"] for row in rows] == ["info", "error", ""]
    assert [row["Time"] for row in await _rows(call, "QueryDeviceEventData", "EventInfo", EventType="error")] == ["2"]
    assert [row["Time"] for row in await _rows(call, "QueryDeviceEventData", "EventInfo", Identifier="Unknown")] == [
        "3"
    ]


async def test_unanswered_command_has_no_output(call: Call, device: MqttDevice) -> None:
    """Until the device answers."""
    await call("InvokeThingService", Identifier="RunScene", Args={})
    await call("SetDeviceProperty", Items={"Brightness": 1})
    [row] = await _rows(call, "QueryDeviceServiceData", "ServiceInfo", Identifier="RunScene")
    assert (row["Name"], row["InputData"], row["OutputData"], row["Replies"]) == ("Run scene", "{}", "", 0)
    assert len(await _rows(call, "QueryDeviceServiceData", "ServiceInfo")) == 2


@pytest.mark.parametrize(
    "asked",
    [{}, {"Identifier": ["Brightness"]}, {"Identifier": "Brightness"}, {"Identifier.1": "Brightness"}],
)
async def test_query_of_desired_values(call: Call, gateway: CloudDevice, asked: dict[str, Any]) -> None:
    """Identifiers may be given in all forms of a list."""
    await call("SetDeviceDesiredProperty", Items='{"Brightness": 30}')
    [row] = await _rows(call, "QueryDeviceDesiredProperty", "DesiredPropertyInfo", **asked)
    assert (row["Identifier"], row["Value"], row["Version"], row["DataType"]) == ("Brightness", "30", 1, "int")


async def test_desired_value_that_was_never_set_has_no_version(call: Call) -> None:
    """The row only describes the property."""
    [row] = await _rows(call, "QueryDeviceDesiredProperty", "DesiredPropertyInfo", Identifier="HVACMode")
    assert row.keys() == {"Identifier", "Name", "DataType", "Unit"}


async def test_successful_answer(call: Call) -> None:
    """It has an empty code, a request id, and no error message."""
    answer = await call("EnableThing")
    assert answer == {"RequestId": answer["RequestId"], "Success": True, "Code": ""}
    assert len(answer["RequestId"]) == 36


BAD_PARAMETER = "iot.common.InvalidFormattedParameter"
BAD_TOPIC = "iot.messagebroker.InvalidFormattedTopicName"
SERVICE = {"Identifier": "RunScene", "Args": {}}
PUB = {"TopicFullName": f"/{KEY}/{NAME}/user/get", "MessageContent": "AA=="}
RRPC = {"RequestBase64Byte": "AA==", "Timeout": 1000}
SET_FAILED = "iot.device.SetDevicePropertyFailed"


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("", {}, "MissingAction"),
        ("Reboot", {}, "InvalidAction.NotFound"),
        ("GetDeviceStatus", {"ProductKey": None}, "MissingProductKey"),
        ("GetDeviceStatus", {"DeviceName": ""}, "MissingDeviceName"),
        ("GetDeviceStatus", {"DeviceName": 1}, BAD_PARAMETER),
        ("GetDeviceStatus", {"DeviceName": "gw-9"}, "iot.device.NotExistedDevice"),
        ("GetDeviceStatus", {"ProductKey": "pk9"}, "iot.prod.NotExistedProduct"),
        ("SetDeviceProperty", {}, "MissingItems"),
        ("SetDeviceProperty", {"Items": "{"}, BAD_PARAMETER),
        ("SetDeviceProperty", {"Items": "[1]"}, BAD_PARAMETER),
        ("SetDeviceProperty", {"Items": '{"Brightness": NaN}'}, BAD_PARAMETER),
        ("SetDeviceDesiredProperty", {"Items": {}}, BAD_PARAMETER),
        ("SetDeviceDesiredProperty", {"Items": {f"P{number}": 1 for number in range(11)}}, BAD_PARAMETER),
        ("SetDeviceDesiredProperty", {"Items": {"CurrentTemperature": 1.0}}, SET_FAILED),
        ("SetDeviceDesiredProperty", {"Items": {"Nope": 1}}, SET_FAILED),
        ("SetDeviceDesiredProperty", {"Items": {"Brightness": 1}, "Versions": '{"Brightness": 3}'}, SET_FAILED),
        ("ClearDeviceDesiredProperty", {}, "MissingIdentifies"),
        ("ClearDeviceDesiredProperty", {"Identifies": [f"P{number}" for number in range(11)]}, BAD_PARAMETER),
        ("InvokeThingService", {"Args": {}}, "MissingIdentifier"),
        ("InvokeThingService", {"Identifier": "RunScene"}, "MissingArgs"),
        ("InvokeThingService", {"Identifier": "Nope", "Args": {}}, "iot.device.InvokeThingServiceFailed"),
        ("RRpc", RRPC | {"Timeout": 999}, "iot.messagebroker.InvalidTimeoutValue"),
        ("RRpc", RRPC | {"Timeout": "8001"}, "iot.messagebroker.InvalidTimeoutValue"),
        ("RRpc", RRPC | {"Timeout": "soon"}, BAD_PARAMETER),
        ("RRpc", RRPC | {"Timeout": True}, BAD_PARAMETER),
        ("RRpc", {"RequestBase64Byte": "AA=="}, "MissingTimeout"),
        ("RRpc", RRPC | {"Topic": f"/{KEY}/gw-2/user/get"}, BAD_TOPIC),
        ("RRpc", RRPC | {"Topic": f"/{KEY}/{NAME}/user/+"}, BAD_TOPIC),
        ("RRpc", RRPC | {"RequestBase64Byte": "%"}, "iot.messagebroker.MessageContentIsNotBase64Encode"),
        ("Pub", PUB | {"MessageContent": "a"}, "iot.messagebroker.MessageContentIsNotBase64Encode"),
        ("Pub", PUB | {"TopicFullName": f"/{KEY}/gw-9/user/get"}, BAD_TOPIC),
        ("Pub", PUB | {"TopicFullName": f"/{KEY}/{NAME}/user/+"}, BAD_TOPIC),
        ("Pub", PUB | {"Qos": 2}, BAD_PARAMETER),
        ("Pub", PUB | {"ProductKey": "pk9"}, "iot.prod.NotExistedProduct"),
        ("QueryDevicePropertyData", {}, "MissingIdentifier"),
        ("QueryDevicePropertyData", {"Identifier": "A", "PageSize": 0}, "iot.common.InvalidPageParams"),
        ("QueryDeviceEventData", {"Asc": 2}, "iot.common.InvalidPageParams"),
        ("QueryDeviceDesiredProperty", {"Identifier": [1]}, BAD_PARAMETER),
    ],
)
async def test_errors_have_the_platforms_codes(
    call: Call, gateway: CloudDevice, device: MqttDevice, action: str, fields: dict[str, Any], code: str
) -> None:
    """A failed action changes nothing."""
    answer = await call(action, **fields)
    assert answer["Success"] is False
    assert answer["Code"] == code
    assert answer["ErrorMessage"]
    assert gateway.service_calls == []
    assert gateway.desired == {}


async def test_answers_have_no_secret(call: Call, device: MqttDevice) -> None:
    """The secret is not in the status nor in the answers of queries."""
    actions = ["GetDeviceStatus", "QueryDevicePropertyStatus", "QueryDeviceServiceData", "QueryDeviceEventData"]
    assert SECRET not in json.dumps([await call(action) for action in actions])
