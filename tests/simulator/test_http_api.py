"""The control API over HTTP."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from simulator import CloudDevice, Simulator

from .conftest import KEY, NAME
from .mqtt_device import MqttDevice

WHO = {"ProductKey": KEY, "DeviceName": NAME}


@pytest.fixture
async def http(cloud: Simulator) -> AsyncGenerator[aiohttp.ClientSession]:
    """A client of the API."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{cloud.api_port}") as session:
        yield session


@pytest.mark.parametrize("body", ["data", "json"])
async def test_actions_accept_forms_and_json(
    http: aiohttp.ClientSession, gateway: CloudDevice, device: MqttDevice, body: str
) -> None:
    """The same action has the same answer."""
    fields = WHO | {"Action": "SetDeviceProperty", "Items": '{"Brightness": 5}', "Version": "2018-01-20"}
    async with http.post("/", **{body: fields}) as response:
        answer = await response.json()
    assert (response.status, answer["Success"], answer["Code"]) == (200, True, "")
    assert (await device.answer({})).json["params"] == {"Brightness": 5}
    assert (await gateway.wait_reply(answer["Data"]["MessageId"])).code == 200


async def test_json_fields_may_be_objects(http: aiohttp.ClientSession, device: MqttDevice) -> None:
    """10.0 stays 10.0."""
    items = (
        b'{"Action": "SetDeviceProperty", "ProductKey": "%s", "DeviceName": "%s", "Items": {"TargetTemperature": 10.0}}'
    )
    body = items % (KEY.encode(), NAME.encode())
    async with http.post("/", data=body, headers={"Content-Type": "application/json"}) as response:
        assert (await response.json())["Success"]
    assert b'"TargetTemperature":10.0' in (await device.receive()).payload


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"Action": "GetDeviceStatus"}, 400, "MissingProductKey"),
        ({}, 400, "MissingAction"),
        ({"Action": 1}, 400, "MissingAction"),
        (WHO | {"Action": "GetDeviceStatus", "Version": "2017-04-20"}, 400, "InvalidVersion"),
        (WHO | {"Action": "Reboot"}, 404, "InvalidAction.NotFound"),
        (WHO | {"Action": "GetDeviceStatus"}, 200, "iot.prod.NotExistedProduct"),
    ],
)
async def test_status_of_failed_actions(
    http: aiohttp.ClientSession, fields: dict[str, Any], status: int, code: str
) -> None:
    """4xx from the gateway, which speaks of a `Message`, 200 from the platform itself."""
    async with http.post("/", json=fields) as response:
        answer = await response.json()
    assert (response.status, answer["Code"], answer["Success"]) == (status, code, False)
    assert answer["ErrorMessage"]
    assert answer["RequestId"]
    assert answer.get("Message") == (answer["ErrorMessage"] if status >= 400 else None)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", b"{"),
        ("/", b"[]"),
        ("/faults", b"x"),
        ("/faults", b'{"lose_replies": -1}'),
        ("/faults", b'{"unknown": 1}'),
    ],
)
async def test_malformed_requests_are_answered_with_status_400(
    http: aiohttp.ClientSession, path: str, body: bytes
) -> None:
    """With a reason."""
    async with http.post(path, data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 400
        assert (await response.json())["ErrorMessage"]


async def test_faults(http: aiohttp.ClientSession, cloud: Simulator, gateway: CloudDevice, device: MqttDevice) -> None:
    """They are set, shown, and take effect; the body needs no content type."""
    async with http.post("/faults", data=b'{"lose_replies": 2}') as response:
        assert (await response.json())["lose_replies"] == 2
    assert cloud.faults.lose_replies == 2
    async with http.get("/faults") as response:
        assert await response.json() == cloud.faults.as_dict()
    async with http.post("/faults", json={"drop_connection": NAME}):
        await device.closed.wait()


async def test_wire(http: aiohttp.ClientSession, device: MqttDevice) -> None:
    """After any message; payloads are text or, if they are not UTF-8, Base64."""
    await device.acknowledged(f"{device.system}thing/model/up_raw", "网".encode())
    await device.acknowledged(f"{device.system}thing/model/up_raw", b"\xff")
    async with http.get("/wire") as response:
        everything = await response.json()
    assert [message["direction"] for message in everything] == ["link", "up", "down", "up", "down"]
    assert everything[0]["note"] == "connected"
    assert everything[1]["payload"] == "网"
    assert everything[1]["device"] == f"{KEY}/{NAME}"
    async with http.get("/wire", params={"since": everything[2]["number"]}) as response:
        rest = await response.json()
    assert rest == everything[3:]
    assert rest[0]["payload_base64"] == "/w=="
    async with http.get("/wire", params={"since": "x"}) as response:
        assert response.status == 400
