"""The topology of gateways (docs/protocol.md §10.1), from the gateway's and from the application's side."""

from typing import Any

import pytest

from simulator import CloudDevice, NodeType, Note, Simulator

from .conftest import KEY, NAME, SECRET, Call, Connect
from .gateway_client import CLIENT_ID, SUB_KEY, SUB_SECRET, Gateway, hmac_hex, keys, named, signed_entry

LAMPS = [(SUB_KEY, f"lamp-{number}") for number in range(3)]
ADD = "thing/topo/add"


async def test_gateway_adds_asks_for_and_deletes_sub_devices(
    hub: Gateway, gateway: CloudDevice, lamps: list[CloudDevice]
) -> None:
    """All replies name the devices; adding twice does no harm."""
    for _ in range(2):
        reply = await hub.add(*LAMPS)
        assert (reply["code"], keys(reply["data"])) == (200, LAMPS)
        assert (reply["method"], reply["message"]) == ("thing.topo.add", "success")
    assert all(lamp.gateway is gateway for lamp in lamps)
    for params in ({}, "{}"):
        reply = await hub.ask("thing/topo/get", params)
        assert keys(reply["data"]) == LAMPS
    reply = await hub.ask("thing/topo/delete", [named(LAMPS[1])])
    assert (reply["code"], keys(reply["data"])) == (200, [LAMPS[1]])
    assert lamps[1].gateway is None
    assert list(gateway.sub_devices) == [LAMPS[0], LAMPS[2]]


@pytest.mark.parametrize("method", ["hmacMd5", "hmacSha1", "hmacSha256", "HMACSHA256"])
@pytest.mark.parametrize("field", ["signmethod", "signMethod"])
@pytest.mark.parametrize("timestamp", ["789", 789])
async def test_every_form_of_signature_is_accepted(
    hub: Gateway, lamps: list[CloudDevice], method: str, field: str, timestamp: Any
) -> None:
    """SDKs spell the field differently and send the time as a text or a number."""
    content = named(LAMPS[0]) | {"clientId": CLIENT_ID, "timestamp": "789"}
    sign = hmac_hex(SUB_SECRET, content, method.lower().removeprefix("hmac")).upper()
    reply = await hub.ask(ADD, [content | {"timestamp": timestamp, field: method, "sign": sign}])
    assert reply["code"] == 200


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        pytest.param({}, 460, id="nothing"),
        pytest.param({"productKey": SUB_KEY}, 460, id="no name"),
        pytest.param(signed_entry(LAMPS[1], deviceName=1), 460, id="name is a number"),
        pytest.param(signed_entry(LAMPS[1], sign=None), 460, id="no signature"),
        pytest.param(signed_entry(LAMPS[1], clientId=1), 460, id="client id is a number"),
        pytest.param(signed_entry(LAMPS[1], timestamp=True), 460, id="time is a bool"),
        pytest.param(signed_entry(LAMPS[1], signMethod="sha256"), 460, id="unknown method"),
        pytest.param(signed_entry(LAMPS[1], signMethod=None), 460, id="no method"),
        pytest.param(signed_entry(LAMPS[1], SECRET), 401, id="another secret"),
        pytest.param(signed_entry(LAMPS[1], timestamp="790"), 401, id="another time"),
        pytest.param(signed_entry((KEY, NAME), SECRET), 6402, id="itself"),
        pytest.param(signed_entry((SUB_KEY, "lamp-9")), 6100, id="unknown device"),
        pytest.param(signed_entry(("a1Nothing01", "lamp-1")), 6100, id="unknown product"),
        pytest.param(signed_entry(LAMPS[2]), 6204, id="disabled"),
    ],
)
async def test_one_bad_entry_refuses_all(
    hub: Gateway, gateway: CloudDevice, lamps: list[CloudDevice], entry: dict[str, Any], code: int
) -> None:
    """The culprits are named."""
    lamps[2].disabled = True
    reply = await hub.ask(ADD, [signed_entry(LAMPS[0]), entry])
    culprit = {key: entry.get(key) for key in ("productKey", "deviceName")}
    assert (reply["code"], reply["data"]) == (code, [culprit])
    assert gateway.sub_devices == {}


async def test_all_culprits_with_the_first_code_are_named(hub: Gateway, lamps: list[CloudDevice]) -> None:
    """The others are not, since they fail for another reason."""
    unknown = [(SUB_KEY, "lamp-8"), (SUB_KEY, "lamp-9")]
    reply = await hub.ask(ADD, [signed_entry(unknown[0]), signed_entry(LAMPS[0], "wrong"), signed_entry(unknown[1])])
    assert (reply["code"], keys(reply["data"])) == (6100, unknown)


@pytest.mark.parametrize("path", [ADD, "thing/topo/delete", "thing/list/found", "thing/sub/register"])
@pytest.mark.parametrize("params", [None, {}, [], "[]", [1], [{}] * 31])
async def test_requests_name_1_to_30_devices(hub: Gateway, path: str, params: Any) -> None:
    """Anything else is 460."""
    assert (await hub.ask(path, params))["code"] == 460


@pytest.mark.parametrize("cloud", [{"sub_device_limit": 2}], indirect=True)
async def test_topology_has_a_limit(hub: Gateway) -> None:
    """6400, and nothing is added."""
    assert (await hub.add(*LAMPS))["code"] == 6400
    assert (await hub.add(*LAMPS[:2]))["code"] == 200
    assert (await hub.add(LAMPS[1]))["code"] == 200
    assert (await hub.add(LAMPS[2]))["code"] == 6400


@pytest.mark.parametrize(
    ("key", "code"), [((SUB_KEY, "lamp-9"), 6100), (LAMPS[1], 6401), (("", "lamp-1"), 460), (LAMPS[2], 6401)]
)
async def test_only_own_sub_devices_can_be_deleted(
    hub: Gateway, other_hub: Gateway, lamps: list[CloudDevice], key: tuple[str, str], code: int
) -> None:
    """All or none."""
    await hub.add(LAMPS[0])
    await other_hub.add(LAMPS[2])
    reply = await hub.ask("thing/topo/delete", [named(LAMPS[0]), named(key)])
    assert (reply["code"], keys(reply["data"])) == (code, [key])
    assert lamps[0].gateway is not None


@pytest.mark.parametrize("path", [ADD, "thing/topo/get", "thing/sub/register", "thing/event/property/pack/post"])
async def test_only_gateways_have_a_topology(cloud: Simulator, connect: Connect, hub: Gateway, path: str) -> None:
    """6203 for a device of a product that is no gateway, and for a gateway that uses a sub-device's topic."""
    cloud.add_product("a1Plain0001", node_type=NodeType.DEVICE)
    cloud.add_device("a1Plain0001", NAME, SECRET)
    plain = await connect(product_key="a1Plain0001")
    await plain.subscribe(f"{plain.system}{path}_reply")
    assert (await plain.ask(path, []))["code"] == 6203
    await hub.add(LAMPS[0])
    await hub.log_in(LAMPS[0])
    topic = f"/sys/{SUB_KEY}/lamp-0/{path}"
    await hub.device.subscribe(f"{topic}_reply")
    hub.device.publish(topic, {"id": "1", "params": []})
    assert (await hub.receive()).json["code"] == 6203


async def test_found_devices_are_recorded_once(hub: Gateway, gateway: CloudDevice) -> None:
    """They need not exist, but their product does."""
    found = [(SUB_KEY, "lamp-8"), (SUB_KEY, "lamp-9")]
    for names in (found[:1], found):
        assert (await hub.ask("thing/list/found", list(map(named, names))))["code"] == 200
    assert gateway.found == found


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (("a1Nothing01", "lamp-1"), 6250),
        ((SUB_KEY, "abc"), 6280),
        ((SUB_KEY, "a" * 33), 6280),
        ((SUB_KEY, "客厅的灯"), 6280),
        ((SUB_KEY, ""), 460),
    ],
)
async def test_found_devices_must_be_possible(
    hub: Gateway, gateway: CloudDevice, key: tuple[str, str], code: int
) -> None:
    """None is recorded otherwise."""
    reply = await hub.ask("thing/list/found", [named(LAMPS[0]), named(key)])
    assert (reply["code"], keys(reply["data"])) == (code, [key])
    assert gateway.found == []


async def test_second_gateway_takes_a_sub_device(
    hub: Gateway, other_hub: Gateway, cloud: Simulator, gateway: CloudDevice, lamps: list[CloudDevice]
) -> None:
    """The first is told that its topology has changed."""
    await hub.add(*LAMPS)
    await other_hub.add(LAMPS[0])
    message = await hub.receive()
    assert message.topic == f"{hub.system}thing/topo/change"
    assert message.json["method"] == "thing.topo.change"
    assert message.json["params"] == {"status": 1, "subList": [named(LAMPS[0])]}
    hub.device.publish(f"{message.topic}_reply", {"id": message.json["id"], "code": 200, "data": {}})
    await gateway.wait_for(lambda device: bool(device.notifications[-1].replies))
    assert list(gateway.sub_devices) == LAMPS[1:]
    assert lamps[0].gateway is cloud.device(KEY, "gw-2")


async def test_reply_that_belongs_to_nothing_is_late(hub: Gateway, cloud: Simulator) -> None:
    """As for commands."""
    for payload in ({"id": "7", "code": 200, "data": {}}, b"{", []):
        hub.device.publish(f"{hub.system}thing/topo/change_reply", payload)
    await hub.device.barrier()
    assert [message.note for message in cloud.wire if "change_reply" in message.topic] == [Note.LATE] * 3


def _item(key: tuple[str, str], secret: str = SUB_SECRET, **other: str) -> dict[str, str]:
    signed = {"productKey": key[0], "deviceName": key[1]} | {name.lower(): value for name, value in other.items()}
    sign = hmac_hex(secret, signed, "sha1")
    return {"ProductKey": key[0], "DeviceName": key[1], "SignMethod": "hmacSha1", "Sign": sign} | {
        name.capitalize(): value for name, value in other.items()
    }


async def test_application_adds_and_removes_sub_devices(
    hub: Gateway, call: Call, gateway: CloudDevice, lamps: list[CloudDevice]
) -> None:
    """The gateway is told; the signature covers the fields that are sent."""
    items = [_item(LAMPS[0]), _item(LAMPS[1], timestamp="789")]
    answer = await call("BatchAddThingTopo", GwProductKey=KEY, GwDeviceName=NAME, TopoAddItem=items)
    assert answer["Success"], answer
    message = await hub.receive()
    assert message.json["params"] == {"status": 0, "subList": [named(LAMPS[0]), named(LAMPS[1])]}
    rows = (await call("GetThingTopo", PageNo=2, PageSize=1))["Data"]
    assert (rows["Total"], rows["PageCount"], rows["CurrentPage"], rows["PageSize"]) == (2, 2, 2, 1)
    assert rows["List"]["deviceInfo"] == [
        {"ProductKey": SUB_KEY, "DeviceName": "lamp-1", "IotId": lamps[1].iot_id},
    ]
    data = (await call("GetGatewayBySubDevice", ProductKey=SUB_KEY, DeviceName="lamp-0"))["Data"]
    assert (data["DeviceName"], data["NodeType"], data["Status"]) == (NAME, "1", "ONLINE")
    assert (await call("RemoveThingTopo", ProductKey=SUB_KEY, DeviceName="lamp-0"))["Success"]
    assert (await hub.receive()).json["params"] == {"status": 1, "subList": [named(LAMPS[0])]}
    assert list(gateway.sub_devices) == [LAMPS[1]]
    answer = await call("GetGatewayBySubDevice", ProductKey=SUB_KEY, DeviceName="lamp-0")
    assert answer["Code"] == "iot.device.NoGateway"
    assert (await call("RemoveThingTopo"))["Success"]
    assert gateway.sub_devices == {}


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([], "MissingTopoAddItem"),
        ([_item(LAMPS[0])] * 11, "iot.common.InvalidFormattedParameter"),
        ([_item(LAMPS[0]), _item(LAMPS[1], "wrong")], "iot.device.InvalidSign"),
        ([_item((SUB_KEY, "lamp-9"))], "iot.device.NotExistedDevice"),
        ([_item((KEY, NAME), SECRET)], "iot.common.InvalidFormattedParameter"),
    ],
)
async def test_application_adds_all_or_none(
    hub: Gateway, call: Call, gateway: CloudDevice, items: list[dict[str, str]], code: str
) -> None:
    """The gateway is not told."""
    answer = await call("BatchAddThingTopo", GwProductKey=KEY, GwDeviceName=NAME, TopoAddItem=items)
    assert answer["Code"] == code
    assert gateway.sub_devices == {}
    assert gateway.notifications == []


async def test_application_asks_a_gateway_to_add_devices(
    hub: Gateway, call: Call, gateway: CloudDevice, lamps: list[CloudDevice]
) -> None:
    """The gateway subscribes to it, and answers; what it does then is its business."""
    await hub.device.subscribe(f"{hub.system}thing/topo/add/notify")
    answer = await call(
        "NotifyAddThingTopo",
        GwIotId=gateway.iot_id,
        DeviceListStr=f'[{{"productKey":"{SUB_KEY}","deviceName":"lamp-0"}}]',
    )
    message = await hub.device.answer({})
    assert message.json["params"] == [named(LAMPS[0])]
    assert answer["Data"]["MessageId"] == message.json["id"]
    await gateway.wait_for(lambda device: bool(device.notifications[-1].replies))
    for listed in ("[]", "{}", "[1]"):
        answer = await call("NotifyAddThingTopo", GwProductKey=KEY, GwDeviceName=NAME, DeviceListStr=listed)
        assert not answer["Success"]


async def test_details_of_a_device(hub: Gateway, call: Call, gateway: CloudDevice, lamps: list[CloudDevice]) -> None:
    """A gateway is told from its sub-devices by the node type."""
    data = (await call("QueryDeviceDetail"))["Data"]
    assert (data["NodeType"], data["Status"], data["IotId"]) == (1, "ONLINE", gateway.iot_id)
    assert data["UtcActive"].endswith("Z")
    data = (await call("QueryDeviceDetail", IotId=lamps[0].iot_id))["Data"]
    assert (data["DeviceName"], data["NodeType"], data["Status"]) == ("lamp-0", 0, "UNACTIVE")
    assert (data["DeviceSecret"], data["UtcActive"]) == (SUB_SECRET, "")
