"""Remote configuration, logs, diagnostics, the reduced thing model, reset, broadcast, bootstrap (docs/protocol.md §12, §13)."""

import base64
import hashlib
import json
from typing import Any

import aiohttp
import pytest

from simulator import CloudDevice, Note, Simulator

from .conftest import KEY, NAME, SECRET, Call, Connect
from .mqtt_device import MqttDevice, rejected

GET = "thing/config/get"
PRODUCT = {"configScope": "product", "getType": "file"}
LOG_GET = "thing/config/log/get"
CONTENT = {"interval": 60, "房间": "客厅"}


async def _download(url: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.read(), dict(response.headers)


async def test_device_gets_the_configuration_of_its_product(device: MqttDevice, call: Call) -> None:
    """The reply says where it is, how long it is, and its SHA-256."""
    answer = await call("SetThingConfig", ConfigContent=json.dumps(CONTENT))
    reply = await device.ask(GET, PRODUCT)
    data = reply["data"]
    assert (reply["code"], data["configId"], data["getType"]) == (200, answer["Data"]["ConfigId"], "file")
    status, content, _ = await _download(data["url"])
    assert (status, json.loads(content)) == (200, CONTENT)
    assert data["configSize"] == len(content)
    assert (data["signMethod"], data["sign"]) == ("Sha256", hashlib.sha256(content).hexdigest())


async def test_configuration_is_pushed(
    cloud: Simulator, device: MqttDevice, call: Call, gateway: CloudDevice, connect: Connect
) -> None:
    """To all devices of the product that are online, or to one; the reply is recorded."""
    cloud.add_device(KEY, "gw-2", SECRET)
    other = await connect("gw-2")
    answer = await call("PushThingConfig", DeviceName=None, ConfigContent=CONTENT)
    pushed = await device.answer({})
    assert pushed.topic == f"{device.system}thing/config/push"
    assert pushed.json["params"]["configId"] == answer["Data"]["ConfigId"]
    assert (await other.receive()).json["params"] == pushed.json["params"]
    await gateway.wait_for(lambda device: bool(device.notifications[-1].replies))
    assert gateway.notifications[-1].replies[0].code == 200
    await call("PushThingConfig")
    assert (await device.receive()).json["params"] == pushed.json["params"]
    await other.barrier()
    assert other.messages.empty()


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 460),
        ({"configScope": "device", "getType": "file"}, 460),
        ({"configScope": "product", "getType": "content"}, 460),
        (PRODUCT, 6710),
    ],
)
async def test_refused_requests_for_the_configuration(device: MqttDevice, params: Any, code: int) -> None:
    """Other scopes, and a product without one."""
    assert (await device.ask(GET, params))["code"] == code


async def test_configuration_that_is_switched_off(device: MqttDevice, call: Call) -> None:
    """6713."""
    await call("SetThingConfig", ConfigContent="{}", Enabled="true")
    await call("SetThingConfig", Enabled="false")
    assert (await device.ask(GET, PRODUCT))["code"] == 6713
    assert (await call("PushThingConfig"))["Code"] == "iot.ota.NoThingConfig"


async def test_refused_configurations(call: Call) -> None:
    """Not JSON, larger than 64 KB, none at all."""
    for content in ("{", json.dumps("x" * 65536)):
        assert (await call("SetThingConfig", ConfigContent=content))["Code"] == "iot.common.InvalidFormattedParameter"
    assert (await call("PushThingConfig"))["Code"] == "iot.ota.NoThingConfig"


async def test_files_are_served_in_parts(cloud: Simulator, device: MqttDevice, call: Call) -> None:
    """As devices with little memory download them; other paths do not exist."""
    await call("SetThingConfig", ConfigContent='"0123456789"')
    url = (await device.ask(GET, PRODUCT))["data"]["url"]
    status, content, headers = await _download(url, {"Range": "bytes=1-4"})
    assert (status, content, headers["Content-Range"]) == (206, b"0123", "bytes 1-4/12")
    assert (await _download(url, {"Range": "bytes=8-"}))[1] == b'789"'
    assert (await _download(url, {"Range": "nonsense"}))[0] == 416
    assert (await _download(f"{url}x"))[0] == 404


async def test_urls_are_valid_for_a_day(device: MqttDevice, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """404 afterwards."""
    monkeypatch.setattr("simulator.core.files.VALID_SECONDS", -1.0)
    await call("SetThingConfig", ConfigContent="{}")
    url = (await device.ask(GET, PRODUCT))["data"]["url"]
    assert (await _download(url))[0] == 404


async def test_logs_are_wanted_or_not(device: MqttDevice, call: Call, gateway: CloudDevice) -> None:
    """The device asks for it, and is told of changes."""
    params = {"configScope": "device", "getType": "content"}
    assert (await device.ask(LOG_GET, params))["data"] == {"getType": "content", "content": {"mode": 0}}
    await call("SetDeviceLogConfig", Mode=1)
    pushed = await device.receive()
    assert pushed.topic == f"{device.system}thing/config/log/push"
    assert pushed.json["params"] == {"getType": "content", "content": {"mode": 1}}
    assert (await device.ask(LOG_GET, params))["data"]["content"] == {"mode": 1}
    assert not (await call("SetDeviceLogConfig", Mode=2))["Success"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"configScope": "device", "getType": "file"}, 6717),
        ({"configScope": "product", "getType": "content"}, 6718),
        ([], 460),
    ],
)
async def test_refused_requests_for_the_log_configuration(device: MqttDevice, params: Any, code: int) -> None:
    """By its two fields."""
    assert (await device.ask(LOG_GET, params))["code"] == code


LOG = {
    "utcTime": "2020-03-06T15:15:27.464+0800",
    "logLevel": "ERROR",
    "module": "MQTT",
    "code": "4103",
    "traceContext": "1",
    "logContent": "no network",
}


async def test_logs_are_kept_while_they_are_wanted(device: MqttDevice, call: Call, gateway: CloudDevice) -> None:
    """Up to forty in a message."""
    await device.subscribe(f"{device.system}thing/log/post_reply")
    assert rejected(await device.ask("thing/log/post", [LOG])) == (200, {})
    assert gateway.logs == []
    await call("SetDeviceLogConfig", Mode=1)
    await device.receive()
    assert (await device.ask("thing/log/post", [LOG] * 40))["code"] == 200
    assert (await call("QueryDeviceLogs"))["Data"]["List"]["LogInfo"] == [LOG] * 40


@pytest.mark.parametrize(
    "params",
    [
        [],
        {},
        [LOG] * 41,
        [1],
        [LOG | {"utcTime": "2020-03-06 15:15:27"}],
        [LOG | {"utcTime": 1}],
        [LOG | {"logLevel": "TRACE"}],
        [LOG | {"module": 1}],
        [{name: value for name, value in LOG.items() if name != "logContent"}],
    ],
)
async def test_refused_logs(device: MqttDevice, gateway: CloudDevice, params: Any) -> None:
    """460, and none is kept."""
    gateway.logs_enabled = True
    await device.subscribe(f"{device.system}thing/log/post_reply")
    assert (await device.ask("thing/log/post", params))["code"] == 460
    assert gateway.logs == []


async def test_diagnostics_are_recorded(device: MqttDevice, gateway: CloudDevice) -> None:
    """The status of the network."""
    await device.subscribe(f"{device.system}_thing/diag/post_reply")
    params = {"p": {"wifi": {"rssi": -60}, "_time": 1}, "model": "format=simple"}
    assert (await device.ask("_thing/diag/post", params))["code"] == 200
    assert gateway.diagnostics == [params]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {"identifier": "LightSwitch", "type": "bool"}),
        ({"nodes": ["identifier"], "addDefault": False}, {"identifier": "LightSwitch"}),
        ({"nodes": ["name", "identifier", "nope"]}, {"identifier": "LightSwitch", "name": "Main light switch"}),
    ],
)
async def test_reduced_thing_model(
    device: MqttDevice, tsl: dict[str, Any], params: Any, expected: dict[str, Any]
) -> None:
    """With the fields that are asked for, without the generated members."""
    data = (await device.ask("thing/dynamicTsl/get", params))["data"]
    [member] = [member for member in data["properties"] if member["identifier"] == "LightSwitch"]
    name = next(member["name"] for member in tsl["properties"] if member["identifier"] == "LightSwitch")
    assert member == (expected | {"name": name} if "name" in expected else expected)
    assert len(data["properties"]) == len(tsl["properties"])
    assert "post" not in [event.get("identifier") for event in data["events"]]
    assert "set" not in [service.get("identifier") for service in data["services"]]


async def test_reduced_thing_model_with_generated_members(device: MqttDevice) -> None:
    """On demand."""
    data = (await device.ask("thing/dynamicTsl/get", {"nodes": ["identifier"], "addDefault": True}))["data"]
    assert {"identifier": "post"} in data["events"]
    assert {"identifier": "set"} in data["services"]


async def test_reduced_thing_model_of_modules(cloud: Simulator, connect: Connect) -> None:
    """Each on its own."""
    module = {
        "functionBlockId": "kitchen",
        "properties": [{"identifier": "A", "accessMode": "r", "dataType": {"type": "int"}}],
    }
    cloud.add_device(KEY, NAME, SECRET, [{"properties": []}, module])
    data = (await (await connect()).ask("thing/dynamicTsl/get", {}))["data"]
    assert [part.get("functionBlockId") for part in data] == [None, "kitchen"]
    assert data[1]["properties"] == [{"type": "int", "identifier": "A"}]


@pytest.mark.parametrize("params", [[], {"nodes": []}, {"nodes": [1]}, {"nodes": "type"}, {"addDefault": 1}])
async def test_refused_requests_for_the_reduced_thing_model(device: MqttDevice, params: Any) -> None:
    """460."""
    assert (await device.ask("thing/dynamicTsl/get", params))["code"] == 460


async def test_reset_is_recorded(device: MqttDevice, gateway: CloudDevice) -> None:
    """There is no user whose binding could be reset."""
    assert rejected(await device.ask("thing/reset", {})) == (200, {})
    assert gateway.resets == 1


async def test_broadcast_to_a_product(
    cloud: Simulator, device: MqttDevice, gateway: CloudDevice, connect: Connect, call: Call
) -> None:
    """Every device that is online gets it, without a subscription."""
    cloud.add_device(KEY, "gw-2", SECRET)
    cloud.add_device(KEY, "gw-3", SECRET)
    other = await connect("gw-2", "securemode=3")
    answer = await call("PubBroadcast", MessageContent=base64.b64encode(b"hello").decode())
    for one in (device, other):
        message = await one.receive()
        assert message.topic == f"{one.system}broadcast/request/{answer['MessageId']}"
        assert message.payload == b"hello"


async def test_broadcast_to_subscribers(
    cloud: Simulator, device: MqttDevice, gateway: CloudDevice, connect: Connect, call: Call
) -> None:
    """Those that have subscribed to the topic."""
    cloud.add_device(KEY, "gw-2", SECRET)
    other = await connect("gw-2")
    await other.subscribe(f"/broadcast/{KEY}/news/+")
    answer = await call("PubBroadcast", TopicFullName=f"/broadcast/{KEY}/news/1", MessageContent="aGk=")
    assert answer["Success"]
    assert (await other.receive()).payload == b"hi"
    await device.barrier()
    assert device.messages.empty()
    for topic in (f"/broadcast/{KEY}/#", "/broadcast/other/news", f"/{KEY}/{NAME}/user/get"):
        assert not (await call("PubBroadcast", TopicFullName=topic, MessageContent="aGk="))["Success"]
    large = base64.b64encode(bytes(65537)).decode()
    assert not (await call("PubBroadcast", MessageContent=large))["Success"]
    device.publish(f"/broadcast/{KEY}/news/1", b"from a device")
    await device.barrier()
    assert Note.IGNORED in [message.note for message in cloud.wire]


async def test_device_is_told_to_ask_for_its_endpoint(
    cloud: Simulator, device: MqttDevice, call: Call, gateway: CloudDevice
) -> None:
    """It asks over HTTPS, and gets the one that it has."""
    await call("NotifyBootstrap")
    message = await device.answer({})
    assert (message.topic, message.json["params"]) == (f"{device.system}thing/bootstrap/notify", {"cmd": 0})
    await gateway.wait_for(lambda device: bool(device.notifications[-1].replies))
    url = f"http://127.0.0.1:{cloud.web_port}/auth/bootstrap"
    async with aiohttp.ClientSession() as session:
        for response in (
            await session.get(f"{url}/regionId/cn-shanghai"),
            await session.post(url, data={"productKey": KEY}),
        ):
            answer = await response.json()
            assert answer["code"] == 200
            assert answer["data"]["resources"]["mqtt"] == {"host": "127.0.0.1", "port": cloud.port}
