"""Signed requests: those of the official SDKs, as they were recorded (tests/fixtures/openapi-requests.json), and bad ones."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
import hashlib
import json
import time
from typing import Any

import aiohttp
import pytest

from simulator import AccessKey, Simulator
from simulator.console.http import HttpApi
from simulator.core.faults import Faults
from simulator.core.transcript import Transcript
from simulator.openapi.authentication import (
    VALID_SECONDS,
    Verifier,
    canonical_request_v3,
    sign_v1,
    sign_v3,
    string_to_sign_v1,
    string_to_sign_v3,
)
from simulator.openapi.errors import ApiError
from simulator.openapi.request import ApiRequest

from .conftest import FIXTURES, KEY, NAME, SECRET

RECORDED = json.loads((FIXTURES / "openapi-requests.json").read_text())
ACCESS_KEY = AccessKey(**RECORDED["access_key"])
REQUESTS = [pytest.param(request, id=f"{request['sdk']}: {request['name']}") for request in RECORDED["requests"]]
V1 = next(request for request in RECORDED["requests"] if request["name"] == "query and form, signature V1")
V3 = next(request for request in RECORDED["requests"] if request["name"] == "query and form, signature V3")

type Receive = Callable[[Mapping[str, Any]], Awaitable[ApiRequest]]


@pytest.fixture
async def receive(socket_enabled: None) -> AsyncGenerator[Receive]:
    """Send recorded bytes to the API and return the request that it reads."""
    requests: list[ApiRequest] = []

    async def keep(request: ApiRequest) -> tuple[int, Any]:
        requests.append(request)
        return 200, {}

    api = HttpApi(keep, Faults(lambda _: pytest.fail("no device")), Transcript(None))
    port = await api.start("127.0.0.1", 0)

    async def receive(recorded: Mapping[str, Any]) -> ApiRequest:
        headers = "".join(f"{name}: {value}\r\n" for name, value in recorded["headers"].items())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"{recorded['method']} {recorded['target']} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
        writer.write(head.encode() + recorded["body"].encode())
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()
        return requests[-1]

    yield receive
    await api.stop()


def _refusal(request: ApiRequest, now: float, verifier: Verifier | None = None) -> ApiError:
    with pytest.raises(ApiError) as caught:
        (verifier or Verifier(ACCESS_KEY, lambda: now)).check(request)
    assert ACCESS_KEY.secret not in caught.value.message
    return caught.value


@pytest.mark.parametrize("recorded", REQUESTS)
async def test_requests_of_the_sdks_are_read_and_verified(receive: Receive, recorded: dict[str, Any]) -> None:
    """Query, form and headers together; the parameters are those that the program passed to the SDK."""
    request = await receive(recorded)
    assert request.version == "2018-01-20"
    assert request.action in {"BatchAddThingTopo", "BatchCheckDeviceNames", "BatchGetDeviceState", "CreateProduct"} | {
        "QueryDeviceDetail",
        "SetDeviceProperty",
    }
    assert recorded["fields"].items() <= request.fields.items()
    Verifier(ACCESS_KEY, lambda: recorded["now"]).check(request)


@pytest.mark.parametrize("recorded", REQUESTS)
async def test_any_change_is_noticed(receive: Receive, recorded: dict[str, Any]) -> None:
    """Of a parameter in the query or in the form, of the method, and of the secret."""
    request, now = await receive(recorded), recorded["now"]
    own = request.query.keys() & recorded["fields"].keys()
    bodies = request.body + b"&Extra=1", {**request.content, "Extra": "1"}
    changed = [
        replace(request, query={**request.query, "Extra": "1"}),
        replace(request, query={**request.query, min(own): "changed"}),
        replace(request, body=bodies[0], content=bodies[1]),
        replace(request, method="PUT"),
    ]
    if "authorization" in request.headers:
        changed += [
            replace(request, headers=request.headers | {"x-acs-action": "DeleteDevice"}),
            replace(request, headers=request.headers | {"x-acs-version": "2017-04-20"}),
            replace(request, path="/other"),
        ]
    for other in changed:
        error = _refusal(other, now)
        assert (error.status, error.code) == (400, "SignatureDoesNotMatch")
    verifier = Verifier(AccessKey(ACCESS_KEY.id, "another-secret"), lambda: now)
    assert _refusal(request, now, verifier).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("recorded", [V1, V3])
async def test_requests_are_valid_once_and_for_a_while(receive: Receive, recorded: dict[str, Any]) -> None:
    """Fifteen minutes before and after; a refused signature does not use up the nonce."""
    request, now = await receive(recorded), float(recorded["now"])
    for late in (VALID_SECONDS + 2, -VALID_SECONDS - 2):
        assert _refusal(request, now + late).code == "InvalidTimeStamp.Expired"
    clock = [now]
    verifier = Verifier(ACCESS_KEY, lambda: clock[0])
    assert _refusal(replace(request, method="PUT"), now, verifier).code == "SignatureDoesNotMatch"
    verifier.check(request)
    clock[0] += VALID_SECONDS - 1
    error = _refusal(request, now, verifier)
    assert (error.status, error.code) == (400, "SignatureNonceUsed")


def test_nonces_are_forgotten() -> None:
    """Once requests with them would be too old anyway."""
    clock = [float(NOON)]
    verifier = Verifier(ACCESS_KEY, lambda: clock[0])
    for number in range(3):
        verifier.check(_v1(SignatureNonce=str(number)))
    clock[0] += 2 * VALID_SECONDS
    verifier.check(_v1(SignatureNonce="0", Timestamp="2026-01-31T12:30:00Z"))
    assert list(verifier._nonces) == ["0"]


def _v1(**changes: str) -> ApiRequest:
    """Return a request with signature V1 over these parameters; an empty one is left out."""
    parameters = {
        "Action": "GetDeviceStatus",
        "AccessKeyId": ACCESS_KEY.id,
        "SignatureMethod": "HMAC-SHA1",
        "Timestamp": "2026-01-31T12:00:00Z",
        "SignatureNonce": "n",
    } | changes
    signed = {name: value for name, value in parameters.items() if value}
    signature = sign_v1(string_to_sign_v1("GET", signed), ACCESS_KEY.secret)
    return ApiRequest("GET", "/", {"Signature": signature, **signed}, {"host": "h"}, b"", {})


def _v3(
    headers: Mapping[str, str] | None = None, method: str = "ACS3-HMAC-SHA256", key: str = ACCESS_KEY.id
) -> ApiRequest:
    """Return a request with signature V3 over these headers; an empty one is left out."""
    all_headers = {
        "host": "h",
        "x-acs-action": "GetDeviceStatus",
        "x-acs-date": "2026-01-31T12:00:00Z",
        "x-acs-signature-nonce": "n",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
    } | (headers or {})
    signed = {name: value for name, value in all_headers.items() if value}
    request = ApiRequest("POST", "/", {}, signed, b"", {})
    signature = sign_v3(string_to_sign_v3(canonical_request_v3(request, list(signed))), ACCESS_KEY.secret)
    authorization = f"{method} Credential={key},SignedHeaders={';'.join(sorted(signed))},Signature={signature}"
    return replace(request, headers=signed | {"authorization": authorization})


def _with_header(request: ApiRequest, name: str, value: str) -> ApiRequest:
    return replace(request, headers={**request.headers, name: value})


NOON = 1769860800
"""2026-01-31T12:00:00Z."""


def test_what_the_next_test_changes_is_right() -> None:
    """Otherwise it would test nothing."""
    for request in (_v1(), _v3()):
        Verifier(ACCESS_KEY, lambda: NOON).check(request)


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (ApiRequest("POST", "/", {}, {}, b"", {}), 400, "MissingAccessKeyId"),
        (ApiRequest("POST", "/", {}, {}, b"", {"Action": "Pub", "Items": {}}), 400, "IncompleteSignature"),
        (_v1(AccessKeyId=""), 400, "MissingAccessKeyId"),
        (_v1(AccessKeyId="LTAIother"), 404, "InvalidAccessKeyId.NotFound"),
        (replace(_v1(), query={**_v1().query, "Signature": ""}), 400, "MissingSignature"),
        (replace(_v1(), query={**_v1().query, "Signature": "签名"}), 400, "SignatureDoesNotMatch"),
        (_v1(SignatureMethod=""), 400, "MissingSignatureMethod"),
        (_v1(SignatureMethod="HMAC-SHA256"), 400, "IncompleteSignature"),
        (_v1(Timestamp=""), 400, "MissingTimestamp"),
        (_v1(Timestamp="2026-01-31 12:00:00"), 400, "InvalidTimeStamp.Format"),
        (_v1(Timestamp="2026-01-31T11:44:59Z"), 400, "InvalidTimeStamp.Expired"),
        (_v1(SignatureNonce=""), 400, "MissingSignatureNonce"),
        (_with_header(_v3(), "authorization", "ACS3-HMAC-SHA256"), 400, "IncompleteSignature"),
        (_with_header(_v3(), "authorization", "Bearer abc"), 400, "IncompleteSignature"),
        (_with_header(_v3(), "authorization", ""), 400, "IncompleteSignature"),
        (_v3(method="ACS3-HMAC-SM3"), 400, "IncompleteSignature"),
        (_v3(key="LTAIother"), 404, "InvalidAccessKeyId.NotFound"),
        (_with_header(_v3(), "x-acs-security-token", "t"), 400, "IncompleteSignature"),
        (_v3({"x-acs-date": ""}), 400, "Missingx-acs-date"),
        (_v3({"x-acs-date": "today"}), 400, "InvalidTimeStamp.Format"),
        (_v3({"x-acs-date": "2026-01-31T12:15:01Z"}), 400, "InvalidTimeStamp.Expired"),
        (_v3({"x-acs-signature-nonce": ""}), 400, "Missingx-acs-signature-nonce"),
        (_v3({"x-acs-content-sha256": ""}), 400, "Missingx-acs-content-sha256"),
        (_v3({"x-acs-content-sha256": "0" * 64}), 400, "SignatureDoesNotMatch"),
    ],
)
def test_refusals(request_: ApiRequest, status: int, code: str) -> None:
    """Each with the gateway's code and status."""
    error = _refusal(request_, NOON)
    assert (error.status, error.code) == (status, code)


def test_the_older_sdk_recognizes_a_wrong_secret() -> None:
    """It takes what follows the only colon for the text that the server signed."""
    parameters = _v1().query
    request = replace(_v1(), query={**parameters, "Signature": "wrong"})
    assert _refusal(request, NOON).message.split(":")[1] == string_to_sign_v1("GET", parameters)


def test_the_text_that_was_signed_is_shown_for_v3() -> None:
    """A developer can compare it with the one of the own program."""
    request = _with_header(_v3(), "user-agent", "changed")
    Verifier(ACCESS_KEY, lambda: NOON).check(request)
    wrong = _v3().headers["authorization"].replace("Signature=", "Signature=0")
    message = _refusal(_with_header(_v3(), "authorization", wrong), NOON).message
    assert "x-acs-action:GetDeviceStatus\n" in message


@pytest.mark.parametrize("cloud", [{"access_key": ACCESS_KEY}], indirect=True)
async def test_simulator_with_an_access_key(cloud: Simulator) -> None:
    """Actions over HTTP must be signed, also GET requests; those in the same process and the faults need not be."""
    cloud.add_device(KEY, NAME, SECRET)
    parameters = {"ProductKey": KEY, "DeviceName": NAME, "Version": "2018-01-20", "Format": "JSON"}
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    async with aiohttp.ClientSession(f"http://127.0.0.1:{cloud.api_port}") as session:
        async with session.get("/", params=_v1(**parameters, Timestamp=moment).query) as response:
            answer = await response.json()
        assert (response.status, answer["Data"]["Status"]) == (200, "UNACTIVE")
        async with session.post("/", data={"Action": "GetDeviceStatus", **parameters}) as response:
            answer = await response.json()
        assert (response.status, answer["Code"], answer["Success"]) == (400, "MissingAccessKeyId", False)
        async with session.get("/faults") as response:
            assert response.status == 200
    assert (await cloud.call("GetDeviceStatus", **parameters))["Success"]


async def test_a_thing_model_fits_into_the_query(cloud: Simulator) -> None:
    """The SDKs send it there, up to its limit of half a megabyte."""
    padding = "x" * 500_000
    async with aiohttp.ClientSession(f"http://127.0.0.1:{cloud.api_port}") as session:
        parameters = {"Action": "GetDeviceStatus", "ProductKey": padding, "DeviceName": "d"}
        async with session.post("/", params=parameters) as response:
            assert (await response.json())["Code"] == "iot.prod.NotExistedProduct"
