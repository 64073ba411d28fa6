"""Dynamic registration: the signature of the vectors, and hosts that do not answer as they should."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.aliyun_iot.alink import registration
from custom_components.aliyun_iot.alink.auth import DeviceTriple
from custom_components.aliyun_iot.alink.errors import CertificateInvalid, ServerUnavailable, TripleInvalid
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.registration import (
    Applicant,
    NoAnswer,
    NotOverMqtt,
    RegistrationFailed,
    RegistrationOff,
    RegistrationRefused,
    register_over_https,
    register_over_mqtt,
)
from simulator.broker.packets import connect_acknowledgement, publish

from .scripted import ScriptedHost

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures" / "vectors.json").read_text(encoding="utf-8"))
SIGNED = [
    vector
    for vector in VECTORS["dynamicRegisterMqtt"]
    if vector["input"]["authType"] == "register" and vector["input"]["signMethod"] == "hmacsha256"
]
APPLICANT = Applicant("a1Test12345", "gw-1", "productsecret16")
SECRET = "c0ffee00c0ffee00c0ffee00c0ffee00"


def endpoint_of(host: ScriptedHost) -> Endpoint:
    """Return the endpoint of a scripted host. It has no TLS, on which nothing here depends."""
    return Endpoint("127.0.0.1", host.port, Transport.TCP)


def answer(**fields: str) -> bytes:
    """Return the CONNACK and the message with the secret, as they come together."""
    content = {"productKey": APPLICANT.product_key, "deviceName": APPLICANT.device_name} | fields
    return connect_acknowledgement(0) + publish("/ext/register", json.dumps(content).encode())


def test_there_are_vectors() -> None:
    """The next test would pass without."""
    assert SIGNED


@pytest.mark.parametrize("vector", SIGNED, ids=lambda vector: vector["name"])
def test_signature(vector: dict[str, Any]) -> None:
    """The content is that of the documentation and of the official SDK."""
    given = vector["input"]
    applicant = Applicant(given["productKey"], given["deviceName"], given["productSecret"])
    assert applicant.signature(given["random"]) == vector["expected"]["password"]


def test_malformed_secret_is_named() -> None:
    """The field is that of the product, and the value is not in the text."""
    with pytest.raises(TripleInvalid) as caught:
        Applicant.parse("a1Test12345", "gw-1", "with blank")
    assert caught.value.field == "product_secret"
    assert "with blank" not in str(caught.value)
    assert "productsecret16" not in repr(APPLICANT)


async def test_secret_comes_together_with_the_connack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client id, the user name and the password are those of the vector."""
    monkeypatch.setattr(registration, "_random", lambda: "abc123")
    async with ScriptedHost(connack=answer(deviceSecret=SECRET)) as host:
        triple = await register_over_mqtt(APPLICANT, endpoint_of(host))
        packet = host.received[0]
    assert triple == DeviceTriple("a1Test12345", "gw-1", SECRET)
    expected = SIGNED[0]["expected"]
    given = (packet.client_id.partition("|")[2], packet.username, packet.password)
    assert given == (expected["mqttClientId"].partition("|")[2], expected["username"], expected["password"])


@pytest.mark.parametrize(
    ("connack", "error"),
    [
        (connect_acknowledgement(2), NotOverMqtt),
        (connect_acknowledgement(3), ServerUnavailable),
        (connect_acknowledgement(4), RegistrationRefused),
        (connect_acknowledgement(5), RegistrationRefused),
        (connect_acknowledgement(0), NoAnswer),
        (connect_acknowledgement(0) + publish("/ext/other", b"{}"), NoAnswer),
        (connect_acknowledgement(0) + publish("/ext/register", b"no JSON"), NoAnswer),
        (connect_acknowledgement(0) + publish("/ext/register", b"[" * 100_000), NoAnswer),
        (answer(), NoAnswer),
        (answer(deviceSecret="with blank"), NoAnswer),
    ],
)
async def test_host_that_does_not_register(socket_enabled: None, connack: bytes, error: type[Exception]) -> None:
    """Whatever it sends ends in an error that says what to do."""
    async with ScriptedHost(connack=connack) as host:
        with pytest.raises(error):
            await register_over_mqtt(APPLICANT, endpoint_of(host), timeout=0.3)


async def test_host_that_hangs_up_after_it_has_accepted(socket_enabled: None) -> None:
    """The device may have been registered, so the error is another one than for a host that refuses."""
    async with ScriptedHost() as host:
        with pytest.raises(NoAnswer):
            await register_over_mqtt(APPLICANT, endpoint_of(host), lambda: None, timeout=0.3)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"code": 460}', RegistrationFailed),
        (b'{"code": [6288]}', RegistrationFailed),
        (b'{"code": "6288"}', RegistrationOff),
        (b"<html>", RegistrationFailed),
        (b'{"code": 200, "data": []}', NoAnswer),
        (b'{"code": 200, "data": {"deviceSecret": 5}}', NoAnswer),
    ],
)
async def test_https_answer_that_is_none(body: bytes, error: type[Exception]) -> None:
    """A proxy may answer in its place."""

    async def post(form: Mapping[str, str]) -> bytes:
        assert APPLICANT.product_secret not in str(form)
        return body

    with pytest.raises(error):
        await register_over_https(APPLICANT, post)


async def test_code_as_text() -> None:
    """Some answers of the platform have it so; the secret comes only once."""

    async def post(_form: Mapping[str, str]) -> bytes:
        return json.dumps({"code": "200", "data": {"deviceSecret": SECRET}}).encode()

    assert (await register_over_https(APPLICANT, post)).device_secret == SECRET


async def test_error_of_the_request_is_passed_on() -> None:
    """It says what is wrong with the connection."""

    async def post(_form: Mapping[str, str]) -> bytes:
        raise CertificateInvalid("expired")

    with pytest.raises(CertificateInvalid):
        await register_over_https(APPLICANT, post)
