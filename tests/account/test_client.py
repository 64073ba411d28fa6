"""The calls of the OpenAPI against the simulated cloud, which verifies their signatures."""

import ast
from collections.abc import Mapping
import inspect
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from custom_components.aliyun_iot.account import client, errors
from custom_components.aliyun_iot.account.client import ACTIONS, Account, ProductInfo, is_product_name, policy
from custom_components.aliyun_iot.account.errors import (
    AccessKeyRefused,
    AnswerUnreadable,
    ApiError,
    LimitReached,
    ModelInvalid,
    NameTaken,
    NotThere,
    ProductInUse,
    ProductLocked,
    Throttled,
)
from custom_components.aliyun_iot.account.signing import AccessKey, authorization, encoded_query
from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from simulator import Simulator

from .conftest import KEY_SECRET, Connect

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORDED = json.loads((FIXTURES / "openapi-requests.json").read_text(encoding="utf-8"))
SIGNED_V3 = [one for one in RECORDED["requests"] if "Authorization" in one["headers"]]
MODEL = {
    "properties": [
        {
            "identifier": "PowerSwitch",
            "name": "Power",
            "accessMode": "rw",
            "required": False,
            "dataType": {"type": "bool", "specs": {"0": "off", "1": "on"}},
        }
    ]
}


def test_there_are_recorded_requests() -> None:
    """The next test would pass without."""
    assert len(SIGNED_V3) >= 4


@pytest.mark.parametrize("recorded", SIGNED_V3, ids=lambda recorded: recorded["name"])
def test_signature_is_that_of_the_official_sdk(recorded: dict[str, Any]) -> None:
    """The same request gets the same header, to the last byte."""
    expected = recorded["headers"]["Authorization"]
    headers = {name.lower(): value for name, value in recorded["headers"].items()}
    names = expected.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    query = encoded_query(dict(parse_qsl(recorded["target"].partition("?")[2], keep_blank_values=True)))
    key = AccessKey(**RECORDED["access_key"])
    signed = authorization(key, query, {name: headers[name] for name in names}, recorded["body"].encode())
    assert signed == expected
    assert key.secret not in repr(key)


def test_policy_has_every_action_that_is_called() -> None:
    """And no other one."""
    called = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(client.Account)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isalnum()
        if node.value.startswith(("Batch", "Create", "Delete", "Get", "Import", "PublishThing", "Query", "Register"))
    }
    called = {name for name in called if name not in ("QueryThingModel", "GetThingModelTsl")} | {
        f"{name}{suffix}" for name in ("QueryThingModel", "GetThingModelTsl") for suffix in ("", "Published")
    }
    assert called == set(ACTIONS)
    assert json.loads(policy())["Statement"][0]["Action"] == [f"iot:{action}" for action in ACTIONS]


async def test_product_and_devices_are_made(cloud: Simulator, account: Account) -> None:
    """A product with a thing model, and devices one by one and many at once."""
    assert await account.products() == []
    key = await account.create_product("Home_家", "made by a test", gateway=True)
    assert await account.products() == [ProductInfo(key, "Home_家", gateway=True, description="made by a test")]
    assert await account.product(key) == ProductInfo(key, "Home_家", gateway=True, description="made by a test")

    await account.import_model(key, MODEL)
    block = {"functionBlockId": "module_2", "functionBlockName": "module_2"}
    await account.import_model(key, {**MODEL, **block})
    await account.publish_model(key)
    model = ThingModel.parse(await account.thing_model(key, published=True))
    assert set(model.properties) == {"PowerSwitch", "module_2:PowerSwitch"}
    await account.delete_module(key, "module_2")
    assert len(await account.thing_model(key, published=False) or []) == 1

    names = ["gw-1", "gw-2", "gw-3"]
    assert await account.devices(key, names) == []
    await account.register_devices(key, names[:1])
    await account.register_devices(key, names[1:])
    triples = await account.devices(key, names)
    assert {one.device_name: one.device_secret for one in triples} == {
        name: cloud.device(key, name).device_secret for name in names
    }
    with pytest.raises(ProductInUse):
        await account.delete_product(key)
    for name in (*names, *names):
        await account.delete_device(key, name)
    await account.delete_product(key)
    await account.delete_product(key)
    assert await account.products() == []


async def test_many_products_have_several_pages(cloud: Simulator, account: Account) -> None:
    """A page has at most 200."""
    for number in range(201):
        await cloud.call(
            "CreateProduct",
            ProductName=f"Product_{number}",
            NodeType=0,
            DataFormat=1,
            AliyunCommodityCode="iothub_senior",
        )
    assert len(await account.products()) == 201


async def test_topology(cloud: Simulator, account: Account) -> None:
    """Sub-devices are signed with their secrets, and can be added twice."""
    key = await account.create_product("Gateways", "", gateway=True)
    lamps = await account.create_product("Lamps", "", gateway=False)
    await account.register_devices(key, ["gw-1"])
    await account.register_devices(lamps, ["lamp-1", "lamp-2"])
    (gateway,) = await account.devices(key, ["gw-1"])
    sub_devices = await account.devices(lamps, ["lamp-1", "lamp-2"])
    for _ in range(2):
        await account.add_topology(gateway, sub_devices)
    assert set(cloud.device(key, "gw-1").sub_devices) == {(lamps, "lamp-1"), (lamps, "lamp-2")}


async def test_refusals(cloud: Simulator, account: Account, connect: Connect) -> None:
    """Each has its own class; the secret of the key is in no text."""
    key = await account.create_product("Home", "", gateway=False)
    await account.import_model(key, MODEL)
    assert await account.thing_model(key, published=True) is not None
    await account.register_devices(key, ["lamp"])
    bad = {"properties": [MODEL["properties"][0] | {"name": "a name with blanks"}]}
    refused = [
        (NameTaken, account.create_product("Home", "", gateway=False)),
        (NameTaken, account.register_devices(key, ["lamp"])),
        (ModelInvalid, account.import_model(key, bad)),
        (NotThere, account.product("a1Nowhere01")),
        (ApiError, account.create_product("x", "", gateway=False)),
        (ApiError, account.register_devices(key, ["lamp", "lamp-2"])),
        (AccessKeyRefused, connect(secret="0ther").products()),
        (AccessKeyRefused, connect(key_id="LTAI5tOther").products()),
    ]
    for kind, call in refused:
        with pytest.raises(kind) as caught:
            await call
        assert KEY_SECRET not in str(caught.value)
        assert caught.value.placeholders.keys() == {"action", "code", "message"}
    await cloud.call("ReleaseProduct", ProductKey=key)
    with pytest.raises(ProductLocked):
        await account.import_model(key, MODEL)
    assert (await account.product(key)).locked


def answering(*bodies: bytes) -> Account:
    """Return an account whose host gives these answers, the last one again and again."""
    left = list(bodies)

    async def send(_query: str, _headers: Mapping[str, str]) -> bytes:
        return left.pop(0) if len(left) > 1 else left[0]

    return Account(send, AccessKey("id", "secret"), "host")


def refusal(code: str) -> bytes:
    """Return the answer to a failed call."""
    return json.dumps({"Success": False, "Code": code, "ErrorMessage": "no"}).encode()


async def test_throttled_call_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few times; then the user can resume."""
    monkeypatch.setattr(client, "THROTTLED_WAITS", (0.0, 0.001))
    success = b'{"Success": true, "Data": {"ProductKey": "a1b2"}}'
    key = await answering(refusal("Throttling.User"), success).create_product("Home", "", gateway=False)
    assert key == "a1b2"
    with pytest.raises(Throttled):
        await answering(refusal("Throttling")).product("a1b2")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("iot.prod.ProductCountExceedMax", LimitReached),
        ("Forbidden.RAM", errors.NoPermission),
        ("Forbidden.NoRAMPermission", errors.NoPermission),
        ("iot.common.RamActionPermissionDeny", errors.NoPermission),
        ("InvalidTimeStamp.Expired", errors.ClockWrong),
        ("InvalidAccessKeyId.Inactive", AccessKeyRefused),
        ("iot.system.InstanceNotFound", errors.InstanceUnknown),
        ("iot.system.UidNotFound", errors.AccountInactive),
        ("iot.tsl.NotExistedModelVersion", errors.ModelNotPublished),
        ("iot.something.New", ApiError),
    ],
)
async def test_codes(code: str, kind: type[ApiError]) -> None:
    """Codes that the simulator does not send, from the platform's list."""
    with pytest.raises(kind) as caught:
        await answering(refusal(code)).product("a1b2")
    assert type(caught.value) is kind


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"[" * 100_000])
async def test_host_that_is_not_the_api(body: bytes) -> None:
    """A proxy, or a wrong address."""
    with pytest.raises(AnswerUnreadable):
        await answering(body).products()


async def test_device_without_secret() -> None:
    """Some answers leave it out."""
    answer = b'{"Success": true, "Data": {"Data": [{"DeviceName": "lamp-1", "DeviceSecret": ""}]}}'
    with pytest.raises(AnswerUnreadable, match="device_secret"):
        await answering(answer).devices("a1b2", ["lamp-1"])


async def test_devices_that_are_not_registered_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform works on many devices for minutes."""
    monkeypatch.setattr(client, "APPLICATION_POLL", 0.0)
    monkeypatch.setattr(client, "APPLICATION_POLLS", 3)
    waiting = b'{"Success": true, "Data": {"ApplyId": 1, "Status": "CREATE"}}'
    with pytest.raises(ApiError):
        await answering(waiting).register_devices("a1b2", ["lamp-1", "lamp-2"])


@pytest.mark.parametrize(
    ("name", "valid"),
    [("Home", True), ("家庭", True), ("家", False), ("a" * 30, True), ("a" * 31, False), ("a-b-c", False)],
)
def test_names_of_products(name: str, valid: bool) -> None:
    """They are checked before anything is made."""
    assert is_product_name(name) is valid
