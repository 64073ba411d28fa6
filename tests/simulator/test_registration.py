"""Dynamic registration of devices that connect directly (docs/protocol.md §11)."""

from collections.abc import AsyncGenerator, Mapping
import json
import ssl
from typing import Any

import aiohttp
import pytest

from simulator import CloudDevice, Simulator
from simulator.broker import server

from .conftest import FIXTURES, KEY, NAME, SECRET
from .gateway_client import PRODUCT_SECRET, hmac_hex
from .mqtt_device import MqttDevice, signed

VECTORS = json.loads((FIXTURES / "vectors.json").read_text())
REGISTER = "securemode=2,authType=register,signmethod=hmacsha256,random=abc"
UNLISTED = "securemode=-2,authType=regnwl,signmethod=hmacsha256,random=abc"


@pytest.fixture
async def tls_cloud(socket_enabled: None, server_tls: ssl.SSLContext) -> AsyncGenerator[Simulator]:
    """A simulator with TLS, a product with dynamic registration, and one without."""
    async with Simulator(tls=server_tls, connects_per_minute=None, device_limit=3) as cloud:
        cloud.add_product(KEY, secret=PRODUCT_SECRET, dynamic_registration=True)
        cloud.add_product("a1Closed001", secret=PRODUCT_SECRET)
        cloud.add_device("a1Closed001", NAME, SECRET)
        yield cloud


@pytest.fixture
def record(tls_cloud: Simulator) -> CloudDevice:
    """A device that may register."""
    return tls_cloud.add_device(KEY, NAME, SECRET)


def _credentials(
    parameters: str = REGISTER, key: str = KEY, name: str = NAME, secret: str = PRODUCT_SECRET
) -> tuple[str, str, str]:
    random = dict(pair.split("=") for pair in parameters.split(",")).get("random", "")
    content = {"deviceName": name, "productKey": key, "random": random}
    return f"any|{parameters}|", f"{name}&{key}", hmac_hex(secret, content)


async def _register(
    cloud: Simulator, tls: ssl.SSLContext | None, credentials: tuple[str, str, str], keep_alive: int = 5
) -> tuple[int, Any]:
    """Return the CONNACK code, and the topic and content of what the platform sends."""
    client = MqttDevice(cloud.port, credentials, tls=tls, keep_alive=keep_alive)
    try:
        code = await client.connect()
        if code:
            return code, None
        message = await client.receive()
        return code, (message.topic, message.json)
    finally:
        await client.stop()


async def _connect(cloud: Simulator, tls: ssl.SSLContext, credentials: tuple[str, str, str]) -> int:
    client = MqttDevice(cloud.port, credentials, tls=tls)
    try:
        return await client.connect()
    finally:
        await client.stop()


async def test_registered_device_gets_its_secret_once(
    tls_cloud: Simulator, client_tls: ssl.SSLContext, record: CloudDevice
) -> None:
    """Without subscription, and whatever the keep-alive; with it, the device connects. ResetThing allows it again."""
    code, answer = await _register(tls_cloud, client_tls, _credentials())
    assert code == 0
    assert answer == ("/ext/register", {"productKey": KEY, "deviceName": NAME, "deviceSecret": SECRET})
    assert (record.status, record.connections) == ("UNACTIVE", 0)
    assert SECRET not in repr(list(tls_cloud.wire))
    assert (await _register(tls_cloud, client_tls, _credentials()))[0] == 4
    assert tls_cloud.wire[-1].note == "refused with 4: registration refused with 6289"
    assert await _connect(tls_cloud, client_tls, signed(KEY, NAME, SECRET)) == 0
    await tls_cloud.call("ResetThing", ProductKey=KEY, DeviceName=NAME)
    assert (await _register(tls_cloud, client_tls, _credentials()))[1] == answer


async def test_device_that_was_online_cannot_register(
    tls_cloud: Simulator, client_tls: ssl.SSLContext, record: CloudDevice
) -> None:
    """6289: it is active already."""
    assert await _connect(tls_cloud, client_tls, signed(KEY, NAME, SECRET)) == 0
    assert (await _register(tls_cloud, client_tls, _credentials()))[0] == 4
    assert tls_cloud.wire[-1].note.endswith("6289")


@pytest.mark.parametrize("form", ["documented", "SDK"])
async def test_device_registers_without_pre_registration(
    tls_cloud: Simulator, client_tls: ssl.SSLContext, form: str
) -> None:
    """It exists then, and connects with client id and token, without a signature; securemode is -2, or 2 in the SDK."""
    parameters = UNLISTED.replace("-2", "2") if form == "SDK" else UNLISTED
    code, (where, content) = await _register(tls_cloud, client_tls, _credentials(parameters))
    assert (code, where) == (0, "/ext/regnwl")
    assert content.keys() == {"productKey", "deviceName", "clientId", "deviceToken"}
    assert content["deviceToken"] not in repr(list(tls_cloud.wire))
    username = f"{NAME}&{KEY}"
    right = f"{content['clientId']}|securemode=-2,authType=connwl,_ss=1|", username, content["deviceToken"]
    assert await _connect(tls_cloud, client_tls, right) == 0
    await tls_cloud.device(KEY, NAME).wait_for(lambda device: device.status == "OFFLINE")
    for client_id, password, refusal in (
        (right[0], "wrong", 4),
        (f"x{right[0]}", right[2], 4),
        (right[0].replace("-2", "2"), right[2], 2),
    ):
        assert await _connect(tls_cloud, client_tls, (client_id, username, password)) == refusal


async def test_five_devices_register_the_same_name(tls_cloud: Simulator, client_tls: ssl.SSLContext) -> None:
    """Each with a token of its own; the sixth is refused."""
    answers = [await _register(tls_cloud, client_tls, _credentials(UNLISTED)) for _ in range(6)]
    assert [code for code, _ in answers] == [0] * 5 + [4]
    assert len({content["clientId"] for _, (_, content) in answers[:5]}) == 5


async def test_instance_that_is_full(tls_cloud: Simulator, client_tls: ssl.SSLContext) -> None:
    """No device is made."""
    codes = [
        (await _register(tls_cloud, client_tls, _credentials(UNLISTED, name=f"gw-{number}")))[0] for number in range(3)
    ]
    assert codes == [0, 0, 4]
    assert tls_cloud.wire[-1].note.endswith("500")


@pytest.mark.parametrize(
    ("credentials", "code", "reason"),
    [
        (_credentials(secret="wrong"), 4, "6600"),
        (_credentials(key="a1Nothing01"), 4, "6250"),
        (_credentials(key="a1Closed001"), 4, "6288"),
        (_credentials(name="gw-9"), 4, "6100"),
        (_credentials(REGISTER.replace("hmacsha256", "sha256")), 2, "6292"),
        (_credentials(REGISTER.replace(",signmethod=hmacsha256", "")), 2, "6292"),
        (_credentials(REGISTER.replace(",random=abc", "")), 2, "random"),
        (_credentials(REGISTER.replace("securemode=2", "securemode=3")), 2, "securemode"),
        (_credentials(REGISTER.replace("securemode=2", "securemode=-2")), 2, "securemode"),
        (_credentials(REGISTER.replace("register", "id2")), 2, "authType id2"),
        (_credentials(UNLISTED.replace("-2", "3")), 2, "securemode"),
        (_credentials(UNLISTED, secret="wrong"), 4, "6600"),
        (_credentials(UNLISTED, key="a1Closed001"), 4, "6288"),
    ],
)
async def test_refused_registration(
    tls_cloud: Simulator,
    client_tls: ssl.SSLContext,
    record: CloudDevice,
    credentials: tuple[str, str, str],
    code: int,
    reason: str,
) -> None:
    """2 for parameters, 4 for authentication; the transcript tells why."""
    assert (await _register(tls_cloud, client_tls, credentials))[0] == code
    assert reason in tls_cloud.wire[-1].note
    assert not record.registered


@pytest.mark.parametrize(("cloud", "code"), [({}, 2), ({"plain_registration": True}, 0)], indirect=["cloud"])
async def test_registration_needs_tls(cloud: Simulator, code: int) -> None:
    """Code 2 without, unless the simulator is told otherwise."""
    cloud.add_product(KEY, secret=PRODUCT_SECRET, dynamic_registration=True)
    cloud.add_device(KEY, NAME, SECRET)
    for parameters in (REGISTER, UNLISTED):
        assert (await _register(cloud, None, _credentials(parameters)))[0] == code


@pytest.mark.parametrize("vector", VECTORS["dynamicRegisterMqtt"], ids=lambda vector: vector["name"])
async def test_every_registration_vector_is_accepted(
    tls_cloud: Simulator, client_tls: ssl.SSLContext, vector: Mapping[str, Any]
) -> None:
    """Those of the documentation, and those that the Python SDK sends."""
    given, expected = vector["input"], vector["expected"]
    tls_cloud.add_product(given["productKey"], secret=given["productSecret"], dynamic_registration=True)
    tls_cloud.add_device(given["productKey"], given["deviceName"], SECRET)
    credentials = expected["mqttClientId"], expected["username"], expected["password"]
    assert (await _register(tls_cloud, client_tls, credentials))[0] == 0


async def test_connection_that_has_registered_is_closed(
    tls_cloud: Simulator, client_tls: ssl.SSLContext, record: CloudDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 15 s, if the device does not do so; nothing that it sends has an effect."""
    monkeypatch.setattr(server, "REGISTRATION_TIMEOUT", 0.1)
    client = MqttDevice(tls_cloud.port, _credentials(), tls=client_tls)
    assert await client.connect() == 0
    client.publish(f"/sys/{KEY}/{NAME}/thing/event/property/post", {"id": "1", "params": {"A": 1}})
    await client.closed.wait()
    assert record.properties == {}
    await client.stop()


def _form(secret: str = PRODUCT_SECRET, method: str = "hmacsha1", **other: str) -> dict[str, str]:
    content = {"deviceName": NAME, "productKey": KEY, "random": "567345"} | other
    digest = method.removeprefix("hmac")
    return content | {
        "sign": hmac_hex(secret, content, digest if digest in ("md5", "sha1", "sha256") else "md5"),
        "signMethod": method,
    }


async def _post(url: str, form: dict[str, str], tls: ssl.SSLContext | None = None) -> Any:
    async with aiohttp.ClientSession() as session, session.post(url, data=form, ssl=tls or True) as response:
        assert response.status == 200
        return await response.json()


@pytest.mark.parametrize("method", ["hmacmd5", "hmacsha1", "hmacsha256"])
async def test_registration_over_https(
    tls_cloud: Simulator, client_tls: ssl.SSLContext, record: CloudDevice, method: str
) -> None:
    """Once; the second time it is 6289."""
    url = f"https://127.0.0.1:{tls_cloud.web_port}/auth/register/device"
    answer = await _post(url, _form(method=method), client_tls)
    assert answer == {
        "code": 200,
        "data": {"productKey": KEY, "deviceName": NAME, "deviceSecret": SECRET},
        "message": "success",
    }
    answer = await _post(url, _form(method=method), client_tls)
    assert (answer["code"], answer["message"]) == (6289, "device is already active")
    assert SECRET not in repr(list(tls_cloud.wire))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 460),
        (_form() | {"sign": ""}, 460),
        ({name: value for name, value in _form().items() if name != "random"}, 460),
        (_form(productKey="a1Nothing01"), 6250),
        (_form(productKey="a1Closed001"), 6288),
        (_form(deviceName="gw-9"), 6100),
        (_form(method="sha256"), 6292),
        (_form(secret="wrong"), 6600),
    ],
)
async def test_refused_registration_over_https(cloud: Simulator, form: dict[str, str], code: int) -> None:
    """With status 200, as the SDKs expect. Without TLS, the service speaks plain HTTP."""
    cloud.add_product(KEY, secret=PRODUCT_SECRET, dynamic_registration=True)
    cloud.add_product("a1Closed001", secret=PRODUCT_SECRET)
    record = cloud.add_device(KEY, NAME, SECRET)
    answer = await _post(f"http://127.0.0.1:{cloud.web_port}/auth/register/device", form)
    assert (answer["code"], answer["data"]) == (code, {})
    assert not record.registered


async def test_server_error_over_https(cloud: Simulator) -> None:
    """500 on demand."""
    cloud.faults.set(answer_code={"code": 500, "count": 1})
    answer = await _post(f"http://127.0.0.1:{cloud.web_port}/auth/register/device", _form())
    assert (answer["code"], answer["message"]) == (500, "server error")


async def test_https_vector_is_accepted(cloud: Simulator) -> None:
    """The form of the documentation."""
    [vector] = VECTORS["dynamicRegisterHttps"]
    given = vector["input"]
    cloud.add_product(given["productKey"], secret=given["productSecret"], dynamic_registration=True)
    cloud.add_device(given["productKey"], given["deviceName"], SECRET)
    url = f"http://127.0.0.1:{cloud.web_port}{vector['expected']['path']}"
    headers = {"Content-Type": vector["expected"]["contentType"]}
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=vector["expected"]["body"], headers=headers) as response:
            assert (await response.json())["data"]["deviceSecret"] == SECRET
        async with session.get(url) as response:
            assert response.status == 404
