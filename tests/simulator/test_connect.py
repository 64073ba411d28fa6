"""Which devices may connect (docs/protocol.md §2.5)."""

from collections.abc import AsyncGenerator
import json
from typing import Any

import pytest

from simulator import Direction, Simulator

from .conftest import FIXTURES, KEY, NAME, SECRET, Connect
from .mqtt_device import MqttDevice, signed

VECTORS = json.loads((FIXTURES / "vectors.json").read_text())


def _named(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in vectors]


async def _code(cloud: Simulator, credentials: tuple[str, str, str], **options: Any) -> int:
    client = MqttDevice(cloud.port, credentials, **options)
    try:
        return await client.connect()
    finally:
        await client.stop()


@pytest.mark.parametrize("vector", _named(VECTORS["connect"]))
async def test_every_signing_vector_is_accepted(cloud: Simulator, vector: dict[str, Any]) -> None:
    """All methods, with and without timestamp, unusual characters, lengths."""
    given, expected = vector["input"], vector["expected"]
    device = cloud.add_device(given["productKey"], given["deviceName"], given["deviceSecret"])
    credentials = expected["mqttClientId"], expected["username"], expected["password"]
    assert await _code(cloud, credentials) == 0
    assert device.connections == 1


@pytest.mark.parametrize("vector", _named(VECTORS["mustReject"]))
async def test_wrong_credentials_are_refused(cloud: Simulator, vector: dict[str, Any]) -> None:
    """Wrong order, wrong secret, extension signed, method mismatch, swapped user name, unsigned timestamp."""
    device = cloud.add_device("pk", "device", vector["deviceSecret"])
    code = await _code(cloud, (vector["mqttClientId"], vector["username"], vector["password"]))
    # A swapped user name is well-formed and names a device that does not exist.
    assert code == (5 if vector["name"] == "username-swapped" else 4)
    assert device.connections == 0


@pytest.mark.parametrize("vector", _named(VECTORS["mustAccept"]))
async def test_unusual_but_valid_credentials_are_accepted(cloud: Simulator, vector: dict[str, Any]) -> None:
    """Upper-case hexadecimal digits."""
    cloud.add_device("pk", "device", vector["deviceSecret"])
    assert await _code(cloud, (vector["mqttClientId"], vector["username"], vector["password"])) == 0


@pytest.mark.parametrize("method", ["hmacMD5", "HMACMD5"])
async def test_sign_method_is_case_insensitive(connect: Connect, gateway: Any, method: str) -> None:
    """Documents and SDKs spell it differently."""
    await connect(parameters=f"securemode=3,signmethod={method}")


@pytest.mark.parametrize(
    ("client_id", "code"),
    [
        ("test", 2),
        ("test|_ss=1", 2),
        ("|_ss=1|", 2),
        ("test|_ss|", 2),
        ("test|=1|", 2),
        ("test|_ss=1,|", 2),
        ("test| =1|", 2),
        (f"{'t' * 65}|_ss=1|", 2),
        ("test|signmethod=sha256|", 2),
        ("test|authType=register,random=1|", 2),
        ("test||", 0),
        ("test| |", 0),
        ("\n  test|securemode=3,\n  signmethod = hmacmd5 ,\n  lan=JS|\n", 0),
        ("test|unknown=1,_ss=1|", 0),
        ("test|sii=Eth|03ACDEFF0032|WIFI|03ACDEFF0033,_ss=1|", 0),
        ("test|x|_ss=1,y|", 2),
    ],
)
async def test_malformed_client_id_is_refused(cloud: Simulator, gateway: Any, client_id: str, code: int) -> None:
    """CONNACK 2, whatever the signature."""
    _, username, password = signed(KEY, NAME, SECRET)
    assert await _code(cloud, (client_id, username, password)) == code


@pytest.mark.parametrize(
    ("username", "code"), [(f"{NAME}", 4), (f"{NAME}&", 4), (f"&{KEY}", 4), (f"x&{NAME}&{KEY}", 4), (f"other&{KEY}", 5)]
)
async def test_wrong_user_name_is_refused(cloud: Simulator, gateway: Any, username: str, code: int) -> None:
    """CONNACK 4 if it is malformed, 5 if the device is unknown."""
    client_id, _, password = signed(KEY, NAME, SECRET)
    client = MqttDevice(cloud.port, (client_id, f"{NAME}&{KEY}", password))
    client.client.username_pw_set(username, password)
    try:
        assert await client.connect() == code
    finally:
        await client.stop()


async def test_connect_without_credentials_is_refused(cloud: Simulator, gateway: Any) -> None:
    """It has no user name."""
    client = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
    client.client.username_pw_set(None)
    try:
        assert await client.connect() == 4
    finally:
        await client.stop()


@pytest.mark.parametrize(("keep_alive", "code"), [(29, 2), (30, 0), (1200, 0), (1201, 2)])
async def test_keep_alive_must_be_in_range(cloud: Simulator, gateway: Any, keep_alive: int, code: int) -> None:
    """30 to 1200 seconds."""
    assert await _code(cloud, signed(KEY, NAME, SECRET), keep_alive=keep_alive) == code


@pytest.mark.parametrize(("protocol", "code"), [(3, 0), (4, 0)])
async def test_mqtt_3_is_accepted(cloud: Simulator, gateway: Any, protocol: int, code: int) -> None:
    """MQTT 3.1 and 3.1.1."""
    assert await _code(cloud, signed(KEY, NAME, SECRET), protocol=protocol) == code


async def test_disabled_device_is_refused(cloud: Simulator, gateway: Any) -> None:
    """CONNACK 5, until EnableThing."""
    await cloud.call("DisableThing", ProductKey=KEY, DeviceName=NAME)
    assert await _code(cloud, signed(KEY, NAME, SECRET)) == 5
    await cloud.call("EnableThing", ProductKey=KEY, DeviceName=NAME)
    assert await _code(cloud, signed(KEY, NAME, SECRET)) == 0


async def test_newer_connection_replaces_the_older(gateway: Any, connect: Connect) -> None:
    """The older one is closed without a message, whatever its client id."""
    first = await connect()
    second = await connect(parameters="_ss=1,lan=other")
    await first.closed.wait()
    assert gateway.online
    assert gateway.connections == 2
    assert (await second.ask("thing/event/property/post", {"Brightness": 1}))["code"] == 200


@pytest.fixture
async def strict_cloud(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """A simulator with the platform's limit on connects."""
    async with Simulator() as cloud:
        cloud.add_device(KEY, NAME, SECRET)
        cloud.add_device(KEY, "gw-2", SECRET)
        yield cloud


async def test_sixth_connect_in_a_minute_is_refused(strict_cloud: Simulator) -> None:
    """Refused connects are counted, those of other devices are not."""
    wrong = signed(KEY, NAME, "wrong")
    codes = [await _code(strict_cloud, credentials) for credentials in (wrong, *[signed(KEY, NAME, SECRET)] * 5)]
    assert codes == [4, 0, 0, 0, 0, 3]
    assert await _code(strict_cloud, signed(KEY, "gw-2", SECRET)) == 0


async def test_refusals_are_in_the_transcript(strict_cloud: Simulator) -> None:
    """With the reason, and without any secret."""
    await _code(strict_cloud, signed(KEY, NAME, "wrong"))
    [message] = strict_cloud.wire
    assert message.direction is Direction.LINK
    assert message.note == "refused with 4: signature does not match"
    assert message.payload == b"test|_ss=1|"
    assert SECRET not in repr(list(strict_cloud.wire))
    assert SECRET not in repr(strict_cloud.device(KEY, NAME))
