"""Products and devices that are made at run time (docs/protocol.md §20.4)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from simulator import CloudDevice, Simulator

from .conftest import KEY, NAME, SECRET, Call, Connect
from .mqtt_device import MqttDevice

BAD_PARAMETER = "iot.common.InvalidFormattedParameter"
LAMP = {"ProductName": "客厅灯", "NodeType": 0, "AliyunCommodityCode": "iothub_senior", "DataFormat": 1}
"""What makes a product with a thing model."""

type Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def ask(cloud: Simulator) -> Ask:
    """Call an action that succeeds, and return its answer."""

    async def ask(action: str, **fields: Any) -> dict[str, Any]:
        answer = await cloud.call(action, **fields)
        assert answer["Success"], answer
        return answer

    return ask


async def _refused(cloud: Simulator, action: str, **fields: Any) -> str:
    answer = await cloud.call(action, **fields)
    assert answer["Success"] is False
    assert answer["ErrorMessage"]
    return answer["Code"]


async def test_product_from_its_creation_to_its_end(cloud: Simulator, ask: Ask) -> None:
    """Created, described, listed, renamed, published, and deleted once it is neither published nor has devices."""
    created = await ask("CreateProduct", **LAMP, Description="灯", NetType="ETHERNET", ProtocolType="zigbee")
    key = created["ProductKey"]
    assert created["Data"] == {
        "ProductKey": key,
        "ProductName": "客厅灯",
        "ProductSecret": cloud._platform.registry.products[key].secret,
        "NodeType": 0,
        "DataFormat": 1,
        "Description": "灯",
        "AuthType": "secret",
        "AliyunCommodityCode": "iothub_senior",
        "Id2": False,
        "ProtocolType": "zigbee",
    }
    device = (await ask("RegisterDevice", ProductKey=key))["Data"]
    data = (await ask("QueryProduct", ProductKey=key))["Data"]
    assert (data["NetType"], data["DeviceCount"], data["ProductStatus"]) == (7, 1, "DEVELOPMENT_STATUS")
    [row] = (await ask("QueryProductList", AliyunCommodityCode="iothub_senior"))["Data"]["List"]["ProductInfo"]
    assert (row["ProductKey"], row["ProductName"], row["DeviceCount"]) == (key, "客厅灯", 1)
    assert (await ask("QueryProductList", AliyunCommodityCode="iothub"))["Data"]["Total"] == 0

    await ask("UpdateProduct", ProductKey=key, ProductName="Lamp_1")
    await ask("UpdateProduct", ProductKey=key, ProductName="Lamp_1", Description="second")
    data = (await ask("QueryProduct", ProductKey=key))["Data"]
    assert (data["ProductName"], data["Description"]) == ("Lamp_1", "second")

    await ask("ReleaseProduct", ProductKey=key)
    assert (await ask("QueryProduct", ProductKey=key))["Data"]["ProductStatus"] == "RELEASE_STATUS"
    assert await _refused(cloud, "DeleteProduct", ProductKey=key) == "iot.prod.AlreadyPublishedProduct"
    await ask("CancelReleaseProduct", ProductKey=key)
    assert await _refused(cloud, "DeleteProduct", ProductKey=key) == "iot.prod.ProductHasDevices"
    await ask("DeleteDevice", IotId=device["IotId"])
    await ask("DeleteProduct", ProductKey=key)
    assert await _refused(cloud, "QueryProduct", ProductKey=key) == "iot.prod.NotExistedProduct"


async def test_device_registered_at_run_time_connects(cloud: Simulator, ask: Ask, connect: Connect) -> None:
    """Directly, with the secret of the answer; a product without a thing model takes everything."""
    key = (await ask("CreateProduct", ProductName="gateways", NodeType="1", DataFormat="1"))["ProductKey"]
    answer = await ask("RegisterDevice", ProductKey=key, DeviceName="gw-7", Nickname="网关")
    secret = answer["Data"]["DeviceSecret"]
    device = await connect("gw-7", product_key=key, secret=secret)
    assert (await device.ask("thing/event/property/post", {"Anything": 1}))["code"] == 200
    data = (await ask("QueryDeviceDetail", ProductKey=key, DeviceName="gw-7"))["Data"]
    assert (data["Status"], data["NodeType"], data["Nickname"]) == ("ONLINE", 1, "网关")


async def test_raw_product(cloud: Simulator, ask: Ask, connect: Connect) -> None:
    """DataFormat 0: its devices send frames."""
    key = (await ask("CreateProduct", ProductName="frames", NodeType=0, DataFormat=0))["ProductKey"]
    secret = (await ask("RegisterDevice", ProductKey=key, DeviceName="raw-1"))["Data"]["DeviceSecret"]
    await connect("raw-1", product_key=key, secret=secret)
    assert cloud.device(key, "raw-1").raw
    assert (await ask("QueryProduct", ProductKey=key))["Data"]["DataFormat"] == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ProductName": None}, "MissingProductName"),
        ({"ProductName": "灯"}, "iot.prod.InvalidFormattedProductName"),
        ({"ProductName": "abc"}, "iot.prod.InvalidFormattedProductName"),
        ({"ProductName": "a" * 31}, "iot.prod.InvalidFormattedProductName"),
        ({"ProductName": "灯" * 16}, "iot.prod.InvalidFormattedProductName"),
        ({"ProductName": "lamp!"}, "iot.prod.InvalidFormattedProductName"),
        ({"ProductName": "taken"}, "iot.prod.AlreadyExistedProductName"),
        ({"NodeType": None}, "MissingNodeType"),
        ({"NodeType": 2}, "iot.prod.InvalidNodeType"),
        ({"DataFormat": None}, "MissingDataFormat"),
        ({"DataFormat": 3}, BAD_PARAMETER),
        ({"NetType": "PIGEON"}, BAD_PARAMETER),
        ({"AliyunCommodityCode": "iothub_junior"}, "iot.prod.InvalidAliyunCommodityCode"),
        ({"Description": "x" * 101}, "iot.prod.LongProductDesc"),
        ({"PublishAuto": "perhaps"}, BAD_PARAMETER),
    ],
)
async def test_products_that_are_refused(cloud: Simulator, ask: Ask, fields: dict[str, Any], code: str) -> None:
    """Nothing is made."""
    key = (await ask("CreateProduct", ProductName="taken", NodeType=0))["ProductKey"]
    assert await _refused(cloud, "CreateProduct", **(LAMP | fields)) == code
    if fields.keys() & {"ProductName", "Description"} and fields.get("ProductName") != "taken":
        update = {"ProductKey": key, "ProductName": "taken"} | fields
        assert await _refused(cloud, "UpdateProduct", **update) == code
    assert (await ask("QueryProductList"))["Data"]["Total"] == 1


@pytest.mark.parametrize("name", ["灯光", "a_1b", "灯" * 15, "ランプ1", "A" * 30])
async def test_product_names(ask: Ask, name: str) -> None:
    """A Chinese or Japanese character counts as two."""
    await ask("CreateProduct", **LAMP | {"ProductName": name})


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("RegisterDevice", {"DeviceName": "abc"}, "iot.device.InvalidFormattedDeviceName"),
        ("RegisterDevice", {"DeviceName": "x" * 33}, "iot.device.InvalidFormattedDeviceName"),
        ("RegisterDevice", {"DeviceName": "灯光灯光"}, "iot.device.InvalidFormattedDeviceName"),
        ("RegisterDevice", {"DeviceName": NAME}, "iot.device.AlreadyExistedDeviceName"),
        ("RegisterDevice", {"DeviceName": "lamp-1", "Nickname": "a"}, BAD_PARAMETER),
        ("RegisterDevice", {"ProductKey": "a1None"}, "iot.prod.NotExistedProduct"),
        ("BatchRegisterDevice", {}, "MissingCount"),
        ("BatchRegisterDevice", {"Count": 0}, "iot.device.DeviceCountExceeded"),
        ("BatchRegisterDevice", {"Count": 10_001}, "iot.device.DeviceCountExceeded"),
        ("BatchCheckDeviceNames", {"DeviceName": None}, "iot.device.NoneDeviceNameElement"),
        ("BatchCheckDeviceNames", {"DeviceName": ["lamp-1", "x"]}, "iot.device.InvalidFormattedDeviceName"),
        ("BatchCheckDeviceNames", {"DeviceName": ["lamp-1", "lamp-1"]}, "iot.device.InvalidFormattedDeviceName"),
        ("BatchCheckDeviceNames", {"DeviceNameList": [{"DeviceNickname": "lamp"}]}, "MissingDeviceName"),
        ("BatchRegisterDeviceWithApplyId", {}, "MissingApplyId"),
        ("BatchRegisterDeviceWithApplyId", {"ApplyId": 1}, "iot.device.DeviceApplyIsNotFound"),
        ("QueryBatchRegisterDeviceStatus", {"ApplyId": 1}, "iot.device.DeviceApplyIsNotFound"),
        ("QueryBatchRegisterDeviceStatus", {"ApplyId": "first"}, BAD_PARAMETER),
        ("QueryPageByApplyId", {"ApplyId": 1}, "iot.device.DeviceApplyIsNotFound"),
        ("QueryDevice", {"PageSize": 51}, "iot.common.InvalidPageParams"),
        ("QueryDevice", {"CurrentPage": 0}, "iot.common.InvalidPageParams"),
        ("QueryProductList", {"PageSize": 201}, "iot.common.InvalidPageParams"),
        ("BatchGetDeviceState", {"DeviceName": None}, "MissingDeviceName"),
        ("BatchGetDeviceState", {"DeviceName": [f"gw-{number}" for number in range(51)]}, BAD_PARAMETER),
        ("BatchGetDeviceState", {"IotId": [str(number) for number in range(51)]}, BAD_PARAMETER),
        ("BatchQueryDeviceDetail", {"DeviceName": [f"gw-{number}" for number in range(101)]}, BAD_PARAMETER),
        ("BatchUpdateDeviceNickname", {}, "MissingDeviceNicknameInfo"),
        ("BatchUpdateDeviceNickname", {"DeviceNicknameInfo": [{"IotId": "x"}]}, "iot.device.NotExistedDevice"),
        (
            "BatchUpdateDeviceNickname",
            {"DeviceNicknameInfo": [{"ProductKey": KEY, "DeviceName": NAME, "Nickname": "!"}]},
            BAD_PARAMETER,
        ),
        ("SaveDeviceProp", {}, "MissingProps"),
        ("SaveDeviceProp", {"Props": "{}"}, "iot.device.InvalidFormattedDevicePropertiesString"),
        ("SaveDeviceProp", {"Props": '{"a": 1}'}, "iot.device.InvalidFormattedDevicePropertiesString"),
        ("SaveDeviceProp", {"Props": "[]"}, BAD_PARAMETER),
        ("SaveDeviceProp", {"Props": '{"1a": "b"}'}, "iot.device.InvalidFormattedDevicePropertyKey"),
        ("SaveDeviceProp", {"Props": {"a": "x" * 5200}}, "iot.device.LongDevicePropertiesString"),
        ("SaveDeviceProp", {"Props": {f"k{n}": "v" for n in range(101)}}, "iot.device.TooManyDevicePropertiesPerTime"),
        ("DeleteDeviceProp", {}, "MissingPropKey"),
        ("SetDevicesProperty", {"DeviceName": [NAME, "gw-9"], "Items": {}}, "iot.device.NotExistedDevice"),
        ("SetDevicesProperty", {"DeviceName": [f"n{n}" for n in range(101)], "Items": {}}, BAD_PARAMETER),
        ("SetDevicesProperty", {"DeviceName": [NAME]}, "MissingItems"),
        ("InvokeThingsService", {"DeviceName": [NAME], "Args": {}}, "MissingIdentifier"),
        ("InvokeThingsService", {"DeviceName": [NAME], "Identifier": "RunScene"}, "MissingArgs"),
        (
            "InvokeThingsService",
            {"DeviceName": [NAME], "Identifier": "ReadMeter", "Args": {}},
            "iot.device.InvokeThingServiceFailed",
        ),
        (
            "InvokeThingsService",
            {"DeviceName": [NAME], "Identifier": "Nope", "Args": {}},
            "iot.device.InvokeThingServiceFailed",
        ),
        ("QueryDevicePropertiesData", {}, "MissingIdentifier"),
        ("QueryDevicePropertiesData", {"Identifier": [f"P{n}" for n in range(11)]}, BAD_PARAMETER),
        ("QueryDevicePropertiesData", {"Identifier": ["A"], "PageSize": 101}, "iot.common.InvalidPageParams"),
    ],
)
async def test_errors_have_the_platforms_codes(
    cloud: Simulator,
    call: Call,
    gateway: CloudDevice,
    device: MqttDevice,
    action: str,
    fields: dict[str, Any],
    code: str,
) -> None:
    """A failed action changes nothing."""
    answer = await call(action, **fields)
    assert (answer["Success"], answer["Code"]) == (False, code)
    assert answer["ErrorMessage"]
    assert list(cloud._platform.registry.devices) == [(KEY, NAME)]
    assert (gateway.service_calls, gateway.tags, gateway.nickname) == ([], {}, "")


@pytest.mark.parametrize("cloud", [{"device_limit": 2}], indirect=True)
async def test_full_instance(cloud: Simulator, ask: Ask) -> None:
    """Of an application, as many devices as fit are registered."""
    key = (await ask("CreateProduct", **LAMP))["ProductKey"]
    applied = (await ask("BatchRegisterDevice", ProductKey=key, Count=3))["Data"]["ApplyId"]
    status = (await ask("QueryBatchRegisterDeviceStatus", ProductKey=key, ApplyId=applied))["Data"]
    assert status["Status"] == "CREATE_FAILED"
    assert (len(status["ValidList"]["Name"]), len(status["InvalidList"]["Name"])) == (2, 1)
    [detail] = status["InvalidDetailList"]["invalidDetailList"]
    assert "more than 2 devices" in detail["ErrorMsg"]
    assert await _refused(cloud, "RegisterDevice", ProductKey=key) == "iot.device.DeviceCountExceeded"


async def test_many_devices_with_random_names(ask: Ask) -> None:
    """They are there at once, by pages."""
    key = (await ask("CreateProduct", **LAMP))["ProductKey"]
    applied = (await ask("BatchRegisterDevice", ProductKey=key, Count="12"))["Data"]["ApplyId"]
    status = (await ask("QueryBatchRegisterDeviceStatus", ProductKey=key, ApplyId=str(applied)))["Data"]
    assert status["Status"] == "CREATE_SUCCESS"
    assert (status["ValidList"], status["InvalidList"]) == ({"Name": []}, {"Name": []})
    pages = [await ask("QueryPageByApplyId", ApplyId=applied, CurrentPage=number, PageSize=10) for number in (1, 2)]
    assert [(one["Page"], one["PageCount"], one["Total"]) for one in pages] == [(1, 2, 12), (2, 2, 12)]
    registered = {row["DeviceName"] for one in pages for row in one["ApplyDeviceList"]["ApplyDeviceInfo"]}
    listed = await ask("QueryDevice", ProductKey=key, PageSize=50)
    assert {row["DeviceName"] for row in listed["Data"]["DeviceInfo"]} == registered
    assert (len(registered), listed["Page"], listed["Total"]) == (12, 1, 12)


async def test_many_devices_with_chosen_names(cloud: Simulator, ask: Ask, gateway: CloudDevice) -> None:
    """Names are checked first; a name that exists fails the check, one that was taken since then the registration."""
    names = [{"DeviceName": "lamp-1", "DeviceNickname": "客厅灯"}, {"DeviceName": "lamp-2"}]
    applied = (await ask("BatchCheckDeviceNames", ProductKey=KEY, DeviceNameList=names))["Data"]["ApplyId"]
    query = {"ProductKey": KEY, "ApplyId": applied}
    assert (await ask("QueryBatchRegisterDeviceStatus", **query))["Data"]["Status"] == "CHECK_SUCCESS"
    assert (await ask("QueryPageByApplyId", ApplyId=applied))["Total"] == 0
    await ask("RegisterDevice", ProductKey=KEY, DeviceName="lamp-2")
    await ask("BatchRegisterDeviceWithApplyId", **query)
    status = (await ask("QueryBatchRegisterDeviceStatus", **query))["Data"]
    assert (status["Status"], status["ValidList"]["Name"]) == ("CREATE_FAILED", ["lamp-1"])
    assert status["InvalidList"]["Name"] == ["lamp-2"]
    assert cloud.device(KEY, "lamp-1").nickname == "客厅灯"
    code = await _refused(cloud, "BatchRegisterDeviceWithApplyId", **query)
    assert code == "iot.device.IncorrentDeviceApplyInfo"

    applied = (await ask("BatchCheckDeviceNames", ProductKey=KEY, DeviceName=["lamp-3", NAME]))["Data"]["ApplyId"]
    status = (await ask("QueryBatchRegisterDeviceStatus", ProductKey=KEY, ApplyId=applied))["Data"]
    assert (status["Status"], status["InvalidList"]["Name"]) == ("CHECK_FAILED", [NAME])
    code = await _refused(cloud, "BatchRegisterDeviceWithApplyId", ProductKey=KEY, ApplyId=applied)
    assert code == "iot.device.IncorrentDeviceApplyInfo"
    other = (await ask("CreateProduct", **LAMP))["ProductKey"]
    code = await _refused(cloud, "QueryBatchRegisterDeviceStatus", ProductKey=other, ApplyId=applied)
    assert code == "iot.device.DeviceApplyIsNotFound"


async def test_names_that_are_refused_are_listed(call: Call, gateway: CloudDevice) -> None:
    """By what is wrong with them."""
    names = [
        {"DeviceName": "x"},
        {"DeviceName": "lamp-1", "DeviceNickname": "?"},
        {"DeviceName": "lamp-2"},
        {"DeviceName": "lamp-2"},
    ]
    data = (await call("BatchCheckDeviceNames", DeviceNameList=names))["Data"]
    assert data["InvalidDeviceNameList"] == {"InvalidDeviceName": ["x"]}
    assert data["InvalidDeviceNicknameList"] == {"InvalidDeviceNickname": ["?"]}
    assert data["RepeatedDeviceNameList"] == {"RepeatDevieNameList": ["lamp-2"]}


async def test_states_and_details_of_several_devices(
    cloud: Simulator, call: Call, gateway: CloudDevice, device: MqttDevice
) -> None:
    """Those that do not exist are left out; ids may be of different products."""
    cloud.add_device(KEY, "gw-2", SECRET)
    other = cloud.add_device("a1Other0001", "gw-3", SECRET)
    answer = await call("BatchGetDeviceState", DeviceName=[NAME, "gw-2", "gw-9"])
    rows = answer["DeviceStatusList"]["DeviceStatus"]
    assert [(row["DeviceName"], row["Status"]) for row in rows] == [(NAME, "ONLINE"), ("gw-2", "UNACTIVE")]
    assert [row["LastOnlineTime"] for row in rows] == [str(gateway.last_online), ""]
    answer = await call("BatchGetDeviceState", **{"IotId.1": other.iot_id, "IotId.2": gateway.iot_id})
    assert {row["DeviceName"] for row in answer["DeviceStatusList"]["DeviceStatus"]} == {NAME, "gw-3"}
    rows = (await call("BatchQueryDeviceDetail", DeviceName=[NAME, "gw-9"]))["Data"]["Data"]
    assert [(row["DeviceName"], row["DeviceSecret"]) for row in rows] == [(NAME, SECRET)]


async def test_nicknames(cloud: Simulator, call: Call, gateway: CloudDevice) -> None:
    """Of several devices, by either name; an empty one removes it."""
    other = cloud.add_device(KEY, "gw-2", SECRET)
    named = [{"ProductKey": KEY, "DeviceName": NAME, "Nickname": "网关"}, {"IotId": other.iot_id, "Nickname": "second"}]
    assert (await call("BatchUpdateDeviceNickname", DeviceNicknameInfo=named))["Success"]
    assert (gateway.nickname, other.nickname) == ("网关", "second")
    await call("BatchUpdateDeviceNickname", DeviceNicknameInfo=[{"IotId": other.iot_id}])
    assert other.nickname == ""


async def test_tags_of_applications_and_devices(call: Call, gateway: CloudDevice, device: MqttDevice) -> None:
    """They are the same tags."""
    await device.ask("thing/deviceinfo/update", [{"attrKey": "room", "attrValue": "hall"}])
    assert (await call("SaveDeviceProp", Props='{"color": "红", "shape": "round"}'))["Success"]
    assert (await call("QueryDeviceProp"))["Props"] == '{"room":"hall","color":"红","shape":"round"}'
    await call("DeleteDeviceProp", PropKey="room")
    await call("DeleteDeviceProp", PropKey="never-there")
    assert gateway.tags == {"color": "红", "shape": "round"}


async def test_properties_and_services_of_many(
    cloud: Simulator, call: Call, gateway: CloudDevice, connect: Connect, tsl: dict[str, Any]
) -> None:
    """All that are online get the command; those that are offline are passed over."""
    second = cloud.add_device(KEY, "gw-2", SECRET, tsl)
    third = cloud.add_device(KEY, "gw-3", SECRET, tsl)
    clients = [await connect(), await connect("gw-2")]
    names = [NAME, "gw-2", "gw-3", NAME]
    assert (await call("SetDevicesProperty", DeviceName=names, Items='{"Brightness": 5}'))["Success"]
    assert (await call("InvokeThingsService", DeviceName=names, Identifier="RunScene", Args="{}"))["Success"]
    for client in clients:
        assert (await client.receive()).json["params"] == {"Brightness": 5}
        assert (await client.receive()).topic.endswith("/thing/service/RunScene")
    assert [len(one.service_calls) for one in (gateway, second, third)] == [2, 2, 0]


async def test_history_of_several_properties(call: Call, gateway: CloudDevice) -> None:
    """When one has more than a page, the query goes on at NextTime; every value is returned once."""
    for time in range(1, 8):
        gateway.record_sample("Brightness", time, time * 10)
    for time in (5, 35, 75):
        gateway.record_sample("CurrentTemperature", time / 10, time)
    query = {"Identifier.1": "Brightness", "Identifier.2": "CurrentTemperature", "Identifier.3": "HVACMode"}
    for ascending, first, end in ((1, 0, 100), (0, 100, 0)):
        values: dict[str, list[int]] = {"Brightness": [], "CurrentTemperature": [], "HVACMode": []}
        turns, start = 0, first
        while True:
            turns += 1
            answer = await call(
                "QueryDevicePropertiesData", **query, Asc=ascending, StartTime=start, EndTime=end, PageSize=3
            )
            for row in answer["PropertyDataInfos"]["PropertyDataInfo"]:
                assert len(row["List"]["PropertyInfo"]) <= 3
                values[row["Identifier"]] += [one["Time"] for one in row["List"]["PropertyInfo"]]
            if not answer["NextValid"]:
                break
            start = answer["NextTime"]
        order = 1 if ascending else -1
        assert turns == 3
        assert values["Brightness"] == list(range(10, 80, 10))[::order]
        assert values["CurrentTemperature"] == [5, 35, 75][::order]
        assert values["HVACMode"] == []


async def test_history_with_more_values_at_one_time_than_fit(call: Call, gateway: CloudDevice) -> None:
    """It ends all the same."""
    for value in range(5):
        gateway.record_sample("Brightness", value, 10)
    gateway.record_sample("Brightness", 9, 11)
    query = {"Identifier": ["Brightness"], "Asc": 1, "PageSize": 2, "EndTime": 20}
    first = await call("QueryDevicePropertiesData", **query, StartTime=0)
    [row] = first["PropertyDataInfos"]["PropertyDataInfo"]
    assert [one["Value"] for one in row["List"]["PropertyInfo"]] == ["0", "1"]
    second = await call("QueryDevicePropertiesData", **query, StartTime=first["NextTime"])
    [row] = second["PropertyDataInfos"]["PropertyDataInfo"]
    assert [one["Value"] for one in row["List"]["PropertyInfo"]] == ["9"]
    assert second["NextValid"] is False
