"""Every action of the API by an official SDK: `python -m sdk_check.children.openapi CONFIG.json v3|v1`.

v3 is alibabacloud-iot20180120 with signature V3, v1 aliyun-python-sdk-iot with signature V1. Both run the same calls. With
v3, each answer must also have the fields and the types that the SDK's own models declare.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import os
from pathlib import Path
import re
import sys
import time
import typing
from typing import Any

# Only available in the environment of the SDKs.
from linkkit import linkkit  # type: ignore[import-not-found]

from sdk_check.children.cloud_api import wait_until
from sdk_check.children.report import expect, report

CONFIG: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
FORM = sys.argv[2]
API = CONFIG["signed"]
HOST = API["api"].removeprefix("http://").rstrip("/")
OWN_FIELDS = {"QueryDeviceServiceData": {"MessageId", "Replies"}}
"""What the simulator adds to the answers of the platform."""


class Refused(Exception):  # noqa: N818 - named after what happened
    """The API has refused a call with this code."""


class SdkV3:
    """alibabacloud-iot20180120."""

    def __init__(self, key_id: str, secret: str) -> None:
        """Use this AccessKey."""
        client = importlib.import_module("alibabacloud_iot20180120.client")
        core = importlib.import_module("alibabacloud_tea_openapi.models")
        self._models = importlib.import_module("alibabacloud_iot20180120.models")
        config = core.Config(access_key_id=key_id, access_key_secret=secret, endpoint=HOST, protocol="http")
        self._client = client.Client(config)
        methods = [name for name in dir(self._client) if not name.startswith("_")]
        self._methods = {name.replace("_", ""): getattr(self._client, name) for name in methods}
        self._raw: Any = None
        call_api = self._client.call_api

        def keep(*arguments: Any) -> Any:
            self._raw = call_api(*arguments)
            return self._raw

        self._client.call_api = keep

    def call(self, action: str, fields: dict[str, Any]) -> Any:
        """Run an action and return its answer; raise Refused."""
        request = getattr(self._models, f"{action}Request")().from_map(fields)
        declared = set(request.to_map())
        expect(sorted(fields.keys() - declared), [])
        try:
            response = self._methods[action.lower()](request)
        except Exception as error:
            if (code := getattr(error, "code", None)) is None:
                raise
            raise Refused(code) from error
        raw = self._raw["body"]
        expect(_unknown(raw, response.body.to_map(), OWN_FIELDS.get(action, set())), [])
        expect(_wrong_types(response.body, action), [])
        return raw


class SdkV1:
    """aliyun-python-sdk-iot."""

    def __init__(self, key_id: str, secret: str) -> None:
        """Use this AccessKey."""
        core = importlib.import_module("aliyunsdkcore.client")
        self._errors = importlib.import_module("aliyunsdkcore.acs_exception.exceptions")
        self._client = core.AcsClient(key_id, secret, "cn-shanghai")

    def call(self, action: str, fields: dict[str, Any]) -> Any:
        """Run an action and return its answer; raise Refused."""
        module = importlib.import_module(f"aliyunsdkiot.request.v20180120.{action}Request")
        request = getattr(module, f"{action}Request")()
        request.set_endpoint(HOST)
        request.set_protocol_type("http")
        for name, value in fields.items():
            setter = getattr(request, f"set_{name}", None) or getattr(request, f"set_{name}s")
            setter(json.dumps(value) if isinstance(value, dict) else value)
        try:
            return json.loads(self._client.do_action_with_exception(request))
        except self._errors.ServerException as error:
            raise Refused(error.get_error_code()) from error


def _unknown(raw: Any, known: Any, own: set[str], path: str = "") -> list[str]:
    """Return the places in an answer that the models of the SDK do not have."""
    found = []
    if isinstance(raw, dict):
        for key, value in raw.items():
            if not isinstance(known, dict) or key not in known:
                found += [f"{path}.{key}"] if key not in own else []
            else:
                found += _unknown(value, known[key], own, f"{path}.{key}")
    elif isinstance(raw, list) and isinstance(known, list):
        for item, other in zip(raw, known, strict=True):
            found += _unknown(item, other, own, f"{path}[]")
    return found


def _wrong_types(model: Any, path: str) -> list[str]:
    """Return the places in an answer whose values have another type than the models of the SDK declare."""
    found = []
    for name, hint in typing.get_type_hints(type(model).__init__).items():
        value = getattr(model, name, None)
        if value is None:
            continue
        items = value if typing.get_origin(hint) is list else [value]
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is list else hint
        if not isinstance(items, list):
            found.append(f"{path}.{name} is no list")
            continue
        for item in items:
            if hasattr(item, "to_map"):
                found += _wrong_types(item, f"{path}.{name}")
            elif inner in (str, int, bool) and type(item) is not inner:
                found.append(f"{path}.{name} is {item!r}, not {inner.__name__}")
    return found


SDK = (SdkV3 if FORM == "v3" else SdkV1)(CONFIG["access_key"]["id"], CONFIG["access_key"]["secret"])
DONE: set[str] = set()


def call(action: str, **fields: Any) -> Any:
    """Run an action; report it if it fails, else once at the end."""
    try:
        answer = SDK.call(action, fields)
    except Exception as error:
        report(action, passed=False, detail=f"{type(error).__name__}: {error}")
        raise
    if not answer["Success"]:
        report(action, passed=False, detail=f"{answer['Code']} {answer['ErrorMessage']}")
        raise Refused(answer["Code"])
    DONE.add(action)
    return answer


def refusal(action: str, **fields: Any) -> str:
    """Return the code with which an action is refused."""
    try:
        return str(SDK.call(action, fields)["Code"])
    except Refused as error:
        return str(error)


class Device:
    """A device, which answers commands, by the SDK for devices."""

    def __init__(self, product_key: str, device_name: str, secret: str) -> None:
        """Connect."""
        self.kit = linkkit.LinkKit(
            host_name="127.0.0.1", product_key=product_key, device_name=device_name, device_secret=secret
        )
        self.kit.config_mqtt(port=API["port"], secure="")
        self.kit.thing_setup(CONFIG["tsl"])
        self.enabled = False
        self.kit.on_thing_enable = self._enable
        self.kit.on_thing_call_service = self._serve
        self.kit.on_thing_prop_changed = lambda *_: None
        self.kit.on_topic_rrpc_message = self._answer
        self.kit.connect_async()
        wait_until(lambda: self.enabled)

    def _enable(self, _: object) -> None:
        self.enabled = True

    def _serve(self, identifier: str, request_id: str, *_: object) -> None:
        self.kit.thing_answer_service(identifier, request_id, 200, {"Energy": 1.5} if identifier == "ReadMeter" else {})

    def _answer(self, rrpc_id: str, *_: object) -> None:
        self.kit.thing_answer_rrpc(rrpc_id, b"pong")


class Story:
    """One calling of all actions, in the order in which an application may use them."""

    def __init__(self) -> None:
        """Begin without anything."""
        self.suffix = FORM
        self.key = ""
        self.gateway: dict[str, str] = {}
        self.lamp: dict[str, str] = {}

    def run(self) -> None:
        """Run the chapters; after a failure, go on with the next one."""
        for chapter in (
            self.products,
            self.thing_models,
            self.registration,
            self.devices,
            self.tags,
            self.things,
            self.records,
            self.desired,
            self.topology,
            self.shadow,
            self.firmware,
            self.jobs,
            self.messages,
            self.end,
        ):
            try:
                chapter()
            except Exception as error:  # noqa: BLE001 - whatever the SDK raises
                report(chapter.__name__, passed=False, detail=f"{type(error).__name__}: {error}")

    def products(self) -> None:
        """A product for gateways with a thing model, renamed, published and unpublished."""
        made = call(
            "CreateProduct",
            ProductName=f"网关_{self.suffix}",
            NodeType=1,
            AliyunCommodityCode="iothub_senior",
            DataFormat=1,
            NetType="WIFI",
            Description="made by an SDK",
        )
        self.key = made["ProductKey"]
        expect(made["Data"]["ProductKey"], self.key)
        call("UpdateProduct", ProductKey=self.key, ProductName=f"gateway_{self.suffix}", Description="renamed")
        data = call("QueryProduct", ProductKey=self.key)["Data"]
        expect((data["ProductName"], data["NodeType"], data["NetType"]), (f"gateway_{self.suffix}", 1, 3))
        listed = call("QueryProductList", CurrentPage=1, PageSize=200)["Data"]["List"]["ProductInfo"]
        expect([row["ProductName"] for row in listed if row["ProductKey"] == self.key], [f"gateway_{self.suffix}"])
        call("ReleaseProduct", ProductKey=self.key)
        expect(refusal("DeleteThingModel", ProductKey=self.key), "iot.prod.AlreadyPublishedProduct")
        call("CancelReleaseProduct", ProductKey=self.key)

    def thing_models(self) -> None:
        """Edited in both forms, published, and read."""
        features = {
            "properties": [
                {
                    "identifier": "Power",
                    "name": "开关",
                    "rwFlag": "READ_WRITE",
                    "dataType": "BOOL",
                    "dataSpecsList": [
                        {"dataType": "BOOL", "name": "关", "value": 0},
                        {"dataType": "BOOL", "name": "开", "value": 1},
                    ],
                }
            ],
        }
        call("CreateThingModel", ProductKey=self.key, ThingModelJson=json.dumps(features))
        features["properties"][0]["name"] = "Power"
        update = {"Identifier": "Power", "ThingModelJson": json.dumps(features)}
        call("UpdateThingModel", ProductKey=self.key, **update)
        model = json.loads(call("QueryThingModel", ProductKey=self.key)["Data"]["ThingModelJson"])
        expect([one["name"] for one in model["properties"]], ["Power"])
        call("DeleteThingModel", ProductKey=self.key, PropertyIdentifier=["Power"])
        tsl = json.loads(Path(CONFIG["tsl"]).read_text(encoding="utf-8"))
        named = json.dumps(tsl, ensure_ascii=False)
        expect(refusal("ImportThingModelTsl", ProductKey=self.key, TslStr=named), "iot.tsl.InvalidThingModel")
        # The console takes no spaces in names.
        named = re.sub(r'("name": ")([^"]*)', lambda match: match[1] + match[2].replace(" ", "_"), named)
        call("ImportThingModelTsl", ProductKey=self.key, TslStr=named)
        call("PublishThingModel", ProductKey=self.key, ModelVersion="1.0.0", Description="first")
        versions = call("ListThingModelVersion", ProductKey=self.key)["Data"]["ModelVersions"]
        expect(versions[0]["ModelVersion"], "1.0.0")
        for action in ("GetThingModelTsl", "GetThingModelTslPublished"):
            read = json.loads(call(action, ProductKey=self.key)["Data"]["TslStr"])
            expect(len(read["properties"]), len(tsl["properties"]))
        model = json.loads(call("QueryThingModelPublished", ProductKey=self.key)["Data"]["ThingModelJson"])
        expect(model["_ppk"], {"version": "1.0.0", "description": "first"})

    def registration(self) -> None:
        """One device, some by chance, some by chosen names."""
        self.gateway = call("RegisterDevice", ProductKey=self.key, DeviceName="gw-1", Nickname="gateway")["Data"]
        applied = call("BatchRegisterDevice", ProductKey=self.key, Count=2)["Data"]["ApplyId"]
        status = call("QueryBatchRegisterDeviceStatus", ProductKey=self.key, ApplyId=applied)["Data"]
        expect(status["Status"], "CREATE_SUCCESS")
        names = [
            {"DeviceName": "lamp-1", "DeviceNickname": "客厅灯"},
            {"DeviceName": "lamp-2", "DeviceNickname": "卧室灯"},
        ]
        applied = call("BatchCheckDeviceNames", ProductKey=self.key, DeviceNameList=names)["Data"]["ApplyId"]
        call("BatchRegisterDeviceWithApplyId", ProductKey=self.key, ApplyId=applied)
        page = call("QueryPageByApplyId", ApplyId=applied, CurrentPage=1, PageSize=10)
        rows = page["ApplyDeviceList"]["ApplyDeviceInfo"]
        expect([row["DeviceName"] for row in rows], ["lamp-1", "lamp-2"])
        self.lamp = rows[0]

    def devices(self) -> None:
        """Listed, described, renamed, disabled and enabled."""
        listed = call("QueryDevice", ProductKey=self.key, PageSize=50, CurrentPage=1)["Data"]["DeviceInfo"]
        expect(len(listed), 5)
        self.device = Device(self.key, "gw-1", self.gateway["DeviceSecret"])
        named = self.named("gw-1")
        expect(call("GetDeviceStatus", **named)["Data"]["Status"], "ONLINE")
        states = call("BatchGetDeviceState", ProductKey=self.key, DeviceName=["gw-1", "lamp-1"])
        states = states["DeviceStatusList"]["DeviceStatus"]
        expect([state["Status"] for state in states], ["ONLINE", "UNACTIVE"])
        expect(call("QueryDeviceDetail", IotId=self.gateway["IotId"])["Data"]["Nickname"], "gateway")
        renamed = [{"IotId": self.lamp["IotId"], "Nickname": "lamp"}]
        call("BatchUpdateDeviceNickname", DeviceNicknameInfo=renamed)
        details = call("BatchQueryDeviceDetail", ProductKey=self.key, DeviceName=["lamp-1"])["Data"]["Data"]
        expect([detail["Nickname"] for detail in details], ["lamp"])
        call("DisableThing", **self.named("lamp-1"))
        call("EnableThing", **self.named("lamp-1"))

    def tags(self) -> None:
        """Saved, read, deleted."""
        named = self.named("gw-1")
        call("SaveDeviceProp", Props='{"color":"红"}', **named)
        expect(json.loads(call("QueryDeviceProp", **named)["Props"])["color"], "红")
        call("DeleteDeviceProp", PropKey="color", **named)

    def things(self) -> None:
        """Properties and services, of one device and of several."""
        named, several = self.named("gw-1"), {"ProductKey": self.key, "DeviceName": ["gw-1", "lamp-1"]}
        self.device.kit.thing_post_property({"Brightness": 80, "CurrentTemperature": 20.5})
        self.device.kit.thing_trigger_event(("SceneActivated", {"SceneName": "night"}))
        call("SetDeviceProperty", Items='{"LightSwitch":1}', **named)
        call("SetDevicesProperty", Items='{"Brightness":5}', **several)
        answer = call("InvokeThingService", Identifier="ReadMeter", Args='{"Channel":1}', **named)
        expect(answer["Data"]["Result"], '{"Energy":1.5}')
        call("InvokeThingService", Identifier="RunScene", Args="{}", **named)
        call("InvokeThingsService", Identifier="RunScene", Args="{}", **several)

    def records(self) -> None:
        """What the device has posted, and how it has answered."""
        named = self.named("gw-1")
        period = {"StartTime": 0, "EndTime": int(time.time() * 1000) + 60_000, "PageSize": 10, "Asc": 1}

        def values() -> dict[str, str]:
            rows = call("QueryDevicePropertyStatus", **named)["Data"]["List"]["PropertyStatusInfo"]
            return {row["Identifier"]: row["Value"] for row in rows if "Value" in row}

        wait_until(lambda: values() == {"Brightness": "80", "CurrentTemperature": "20.5"})
        rows = call("QueryDevicePropertyData", Identifier="Brightness", **named, **period)["Data"]["List"]
        expect([row["Value"] for row in rows["PropertyInfo"]], ["80"])
        both = ["Brightness", "CurrentTemperature"]
        found = call("QueryDevicePropertiesData", Identifier=both, **named, **period)["PropertyDataInfos"]
        expect([row["Identifier"] for row in found["PropertyDataInfo"]], both)
        rows = call("QueryDeviceEventData", EventType="info", **named, **period)["Data"]["List"]["EventInfo"]
        expect([row["Identifier"] for row in rows], ["SceneActivated"])

        def answered() -> bool:
            rows = call("QueryDeviceServiceData", **named, **period)["Data"]["List"]["ServiceInfo"]
            return len(rows) == 5 and all(row["OutputData"] for row in rows)

        wait_until(answered)

    def desired(self) -> None:
        """Set for a device that is offline, read, cleared."""
        named = self.named("lamp-1")
        call("SetDeviceDesiredProperty", Items='{"Brightness":30}', Versions='{"Brightness":0}', **named)
        rows = call("QueryDeviceDesiredProperty", Identifier=["Brightness"], **named)["Data"]["List"]
        expect([row["Value"] for row in rows["DesiredPropertyInfo"]], ["30"])
        call("ClearDeviceDesiredProperty", Identifies=["Brightness"], **named)

    def topology(self) -> None:
        """A sub-device is proposed, added, found, removed."""
        gateway = {"GwProductKey": self.key, "GwDeviceName": "gw-1"}
        listed = json.dumps([{"productKey": self.key, "deviceName": "lamp-1"}])
        call("NotifyAddThingTopo", DeviceListStr=listed, **gateway)
        content = f"clientIdcdeviceNamelamp-1productKey{self.key}timestamp1"
        sign = hmac.new(self.lamp["DeviceSecret"].encode(), content.encode(), hashlib.sha1).hexdigest()
        item = {"ClientId": "c", "Timestamp": "1", "SignMethod": "hmacSha1", "Sign": sign, **self.named("lamp-1")}
        call("BatchAddThingTopo", TopoAddItem=[item], **gateway)
        topology = call("GetThingTopo", PageNo=1, PageSize=10, **self.named("gw-1"))["Data"]
        expect([row["DeviceName"] for row in topology["List"]["deviceInfo"]], ["lamp-1"])
        expect(call("GetGatewayBySubDevice", **self.named("lamp-1"))["Data"]["DeviceName"], "gw-1")
        call("RemoveThingTopo", **self.named("lamp-1"))

    def shadow(self) -> None:
        """Updated and read."""
        message = {"method": "update", "state": {"desired": {"color": "green"}}, "version": 1}
        call("UpdateDeviceShadow", ShadowMessage=json.dumps(message), DeltaUpdate=True, **self.named("gw-1"))
        shadow = json.loads(call("GetDeviceShadow", **self.named("gw-1"))["ShadowMessage"])
        expect(shadow["state"]["desired"], {"color": "green"})

    def firmware(self) -> None:
        """An upgrade; the SDK has no field for the bytes of the firmware, so it gives their address."""
        made = call(
            "CreateOTAFirmware",
            ProductKey=self.key,
            FirmwareName="demo",
            DestVersion="2.0",
            FirmwareUrl=API["firmware_url"],
            FirmwareSign=API["firmware_md5"],
            SignMethod="MD5",
            FirmwareSize=API["firmware_size"],
            Type=0,
        )
        firmware = made["Data"]["FirmwareId"]
        expect(call("QueryOTAFirmware", FirmwareId=firmware)["FirmwareInfo"]["DestVersion"], "2.0")
        target = {"TargetSelection": "SPECIFIC", "TargetDeviceName": ["gw-1"], "ProductKey": self.key}
        job = call("CreateOTAStaticUpgradeJob", FirmwareId=firmware, **target)["Data"]["JobId"]
        tasks = call("ListOTATaskByJob", JobId=job, CurrentPage=1, PageSize=10)["Data"]["SimpleOTATaskInfo"]
        expect([task["DeviceName"] for task in tasks], ["gw-1"])
        call("CancelOTATaskByJob", JobId=job, CancelQueuedTask=True, CancelNotifiedTask=True)

    def jobs(self) -> None:
        """A job for one device."""
        target = {"targetType": "DEVICES", "targetDevices": [{"productKey": self.key, "deviceName": "gw-1"}]}
        document = json.dumps({"action": "reboot"})
        made = call("CreateJob", JobName="demo", Type="CUSTOM_JOB", JobDocument=document, TargetConfig=target)
        [task] = call("ListTask", JobId=made["JobId"])["Data"]["data"]
        expect(call("QueryTask", TaskId=task["TaskId"])["Data"]["DeviceName"], "gw-1")
        call("CancelJob", JobId=made["JobId"])

    def messages(self) -> None:
        """To one device, to all, and with an answer; files that a device has uploaded."""
        topic, content = f"/{self.key}/gw-1/user/get", base64.b64encode(b"hello").decode()
        call("Pub", ProductKey=self.key, TopicFullName=topic, MessageContent=content, Qos=0)
        call("PubBroadcast", ProductKey=self.key, MessageContent=content)
        self.device.kit.subscribe_rrpc_topic(f"/{self.key}/gw-1/user/ask")
        ask = {"Topic": f"/{self.key}/gw-1/user/ask", "RequestBase64Byte": content, "Timeout": 5000}
        time.sleep(0.2)
        answer = call("RRpc", **ask, **self.named("gw-1"))
        expect(base64.b64decode(answer["PayloadBase64Byte"]), b"pong")
        file = {"ProductKey": CONFIG["product_key"], "DeviceName": API["uploader"]}
        files = call("QueryDeviceFileList", CurrentPage=1, PageSize=10, **file)["Data"]["FileSummary"]
        file["FileId"] = files[-1]["FileId"]
        expect(call("QueryDeviceFile", **file)["Data"]["Name"], files[-1]["Name"])
        call("DeleteDeviceFile", **file)

    def end(self) -> None:
        """Everything is reset and deleted."""
        call("ResetThing", **self.named("gw-1"))
        expect(refusal("DeleteProduct", ProductKey=self.key), "iot.prod.ProductHasDevices")
        for row in call("QueryDevice", ProductKey=self.key, PageSize=50, CurrentPage=1)["Data"]["DeviceInfo"]:
            call("DeleteDevice", IotId=row["IotId"])
        call("DeleteProduct", ProductKey=self.key)

    def named(self, device_name: str) -> dict[str, str]:
        """Return what names a device."""
        return {"ProductKey": self.key, "DeviceName": device_name}


def check_signatures() -> None:
    """Requests with a wrong secret or an unknown key are refused."""
    key = CONFIG["access_key"]
    codes = []
    for key_id, secret in ((key["id"], "wrong"), ("LTAIunknown", key["secret"])):
        try:
            type(SDK)(key_id, secret).call("QueryProductList", {"CurrentPage": 1, "PageSize": 1})
        except Refused as error:
            codes.append(str(error))
    # The older SDK compares the text that was signed, and finds that the secret must be wrong.
    wrong = "SignatureDoesNotMatch" if FORM == "v3" else "InvalidAccessKeySecret"
    expect(codes, [wrong, "InvalidAccessKeyId.NotFound"])


def main() -> None:
    """Run everything, then report what was called and has not failed."""
    Story().run()
    for action in sorted(DONE):
        report(action, passed=True)
    try:
        check_signatures()
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises
        report("signature of a wrong key refused", passed=False, detail=str(error))
    else:
        report("signature of a wrong key refused", passed=True)
    # Don't wait for the threads of the SDK.
    os._exit(0)


if __name__ == "__main__":
    main()
