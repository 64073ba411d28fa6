"""Everything that the Python SDK can do, against the simulator: `python -m sdk_check.children.python_device CONFIG.json`.

The SDK is used as in its manual. It knows only the fixed address of the HTTPS registration; connections to it are led to the
simulator.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
import json
import os
from pathlib import Path
import queue
import socket
import sys
import tempfile
from typing import Any

# Only available in the environment of the SDK.
from linkkit import linkkit  # type: ignore[import-not-found]

from sdk_check.children.cloud_api import TIMEOUT, CloudApi, wait_until
from sdk_check.children.report import check, expect

CONFIG: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
KEY, SECRET = CONFIG["product_key"], CONFIG["secret"]
SUB_KEY, SUB_SECRET, PRODUCT_SECRET = CONFIG["sub_key"], CONFIG["sub_secret"], CONFIG["product_secret"]
PLAIN, TLS = CONFIG["plain"], CONFIG["tls"]
TSL = CONFIG["tsl"]


class Device:
    """The SDK, with a queue for each callback."""

    def __init__(self, device_name: str, secret: str = SECRET, *, tls: bool = False, **options: Any) -> None:
        """Set up the SDK; it is not connected yet."""
        side = TLS if tls else PLAIN
        self.name = device_name
        self.api = CloudApi(side["api"], KEY, device_name)
        mqtt = {"port": side["port"], "secure": "TLS" if tls else ""} | options.pop("mqtt", {})
        if tls:
            mqtt["cadata"] = Path(CONFIG["certificate"]).read_text(encoding="utf-8")
        host = options.pop("host_name", "127.0.0.1")
        self.kit = linkkit.LinkKit(
            host_name=host, product_key=KEY, device_name=device_name, device_secret=secret, **options
        )
        self.kit.config_mqtt(**mqtt)
        self.connected = self.calls("on_connect")
        self.disconnected = self.calls("on_disconnect")
        self.messages = self.calls("on_topic_message")

    def calls(self, callback: str) -> Callable[..., tuple[Any, ...]]:
        """Set a callback and return what waits for its next call and returns the arguments, without the user's data."""
        calls: queue.Queue[tuple[Any, ...]] = queue.Queue()
        setattr(self.kit, callback, lambda *arguments: calls.put(arguments[:-1]))
        return lambda timeout=TIMEOUT: calls.get(timeout=timeout)

    def connect(self, *, model: bool = True) -> Device:
        """Connect and wait until the SDK takes orders."""
        if model:
            expect(self.kit.thing_setup(TSL), 0)
        enabled = self.calls("on_thing_enable")
        self.kit.connect_async()
        expect(self.connected()[1], 0)
        if model:
            enabled()
        return self

    def message(self, topic: str) -> bytes:
        """Return the payload of the next message on a topic."""
        while True:
            got, payload, *_ = self.messages()
            if got == topic:
                return bytes(payload)

    def disconnect(self) -> None:
        """Disconnect and wait for it."""
        self.kit.disconnect()
        self.disconnected()


def connect_over_tcp() -> None:
    """The device is online, and offline after it has disconnected."""
    device = Device("py-tcp").connect()
    expect(device.api.status(), "ONLINE")
    device.disconnect()
    wait_until(lambda: device.api.status() == "OFFLINE")


def connect_over_tls() -> None:
    """With the certificate of the simulator, and information about an interface in the client id."""
    device = Device("py-tls", tls=True)
    expect(device.kit.config_device_info("Eth|03ACDEFF0032|WIFI|03ACDEFF0033"), 0)
    device.connect()
    expect(device.api.status(), "ONLINE")
    device.disconnect()


def wrong_secret() -> None:
    """The SDK does not report the refusal, but the transcript has it."""
    device = Device("py-wrong", SECRET[::-1])
    device.kit.connect_async()
    notes = wait_until(lambda: device.api.notes(f"py-wrong&{KEY}"))
    expect(set(notes), {"refused with 4: signature does not match"})


def clean_session_0() -> None:
    """A message of QoS 1 waits for the device; the session is present."""
    session = {"clean_session": False}
    device = Device("py-session", mqtt=session).connect()
    topic = device.kit.to_full_topic("user/get")
    subscribed = device.calls("on_subscribe_topic")
    expect(device.kit.subscribe_topic(topic, 1)[0], 0)
    subscribed()
    device.disconnect()
    wait_until(lambda: device.api.status() == "OFFLINE")
    device.api.publish(topic, b"kept", Qos="1")
    again = Device("py-session", mqtt=session)
    again.kit.connect_async()
    expect(again.connected(), (1, 0))
    expect(again.message(topic), b"kept")
    again.disconnect()


def reconnect() -> None:
    """After the cloud has closed the connection."""
    device = Device("py-again").connect()
    device.api.inject(drop_connection=f"{KEY}/py-again")
    device.disconnected()
    expect(device.connected()[1], 0)
    expect(device.api.status(), "ONLINE")
    device.disconnect()


def property_post(device: Device) -> None:
    """The reply arrives, the cloud has the values, and the device learns which one is refused."""
    posted = device.calls("on_thing_prop_post")
    expect(device.kit.thing_post_property({"Brightness": 80, "TargetTemperature": 21.5})[0], 0)
    expect(posted()[1:], (200, {}, "success"))
    rows = device.api.call("QueryDevicePropertyStatus")["Data"]["List"]["PropertyStatusInfo"]
    values = {row["Identifier"]: row["Value"] for row in rows if "Value" in row}
    expect(values, {"Brightness": "80", "TargetTemperature": "21.5"})
    device.kit.thing_post_property({"Nope": 1})
    expect(posted()[2], {"Nope": "tsl parse: params not exist -> Nope"})


def generated_model() -> None:
    """The SDK takes it, and the cloud takes its properties."""
    device = Device("py-generated")
    expect(device.kit.thing_setup(CONFIG["generated_tsl"]), 0)
    enabled, posted = device.calls("on_thing_enable"), device.calls("on_thing_prop_post")
    device.kit.connect_async()
    enabled()
    values = {"LightSwitch": 1, "HVACMode": 2, "EnergyTotal": 1234.5, "RGBColor": {"Red": 1, "Green": 2, "Blue": 3}}
    expect(device.kit.thing_post_property(values)[0], 0)
    expect(posted()[1:], (200, {}, "success"))
    device.disconnect()


def event_post(device: Device) -> None:
    """The reply arrives, and the cloud has the event."""
    posted = device.calls("on_thing_event_post")
    expect(device.kit.thing_trigger_event(("SceneActivated", {"SceneName": "night"}))[0], 0)
    event, _, code, *_ = posted()
    expect((event, code), ("SceneActivated", 200))
    [row] = device.api.call("QueryDeviceEventData", Identifier="SceneActivated")["Data"]["List"]["EventInfo"]
    expect(row["OutputData"], '{"SceneName":"night"}')


def property_set(device: Device) -> None:
    """The device gets the values, and its reply arrives."""
    changed = device.calls("on_thing_prop_changed")
    device.api.call("SetDeviceProperty", Items='{"LightSwitch": 1}')
    expect(changed()[0], {"LightSwitch": 1})
    expect(device.api.outcome("set")["code"], 200)


def services(device: Device) -> None:
    """Answer services as they come."""
    outputs = {"ReadMeter": {"Energy": 1.5}}

    def serve(identifier: str, request_id: str, _: object, __: object) -> None:
        device.kit.thing_answer_service(identifier, request_id, 200, outputs.get(identifier, {}))

    device.kit.on_thing_call_service = serve


def asynchronous_service(device: Device) -> None:
    """The reply arrives afterwards."""
    services(device)
    device.api.call("InvokeThingService", Identifier="RunScene", Args='{"SceneName": "night"}')
    expect(device.api.outcome("RunScene")["code"], 200)


def synchronous_service(device: Device) -> None:
    """The caller gets the output; the long RRPC topic is used in both directions."""
    services(device)
    answer = device.api.call("InvokeThingService", Identifier="ReadMeter", Args='{"Channel": 1}')
    expect(answer["Data"]["Result"], '{"Energy":1.5}')
    topics = [message["topic"] for message in device.api.wire() if "ReadMeter" in message.get("topic", "")]
    expect([topic[:10] for topic in topics], ["/ext/rrpc/"] * 2)


def raw_data(device: Device) -> None:
    """Frames in both directions, and their replies."""
    answered, arrived = device.calls("on_thing_raw_data_post"), device.calls("on_thing_raw_data_arrived")
    expect(device.kit.thing_raw_post_data(b"\x00\xff"), 0)
    expect(json.loads(answered()[0])["code"], 200)
    device.api.publish(f"/sys/{KEY}/{device.name}/thing/model/down_raw", b"\x01\xfe")
    expect(bytes(arrived()[0]), b"\x01\xfe")
    expect(device.kit.thing_raw_data_reply(b"\x02"), 0)


def without_subscribe(device: Device) -> None:
    """All that was checked with this device before."""
    expect([note for note in device.api.notes(f"{KEY}/{device.name}") if note == "subscribed"], [])


def user_topics(device: Device) -> None:
    """Subscribed, received, published, unsubscribed."""
    kit, topic = device.kit, device.kit.to_full_topic("user/get")
    subscribed, unsubscribed = device.calls("on_subscribe_topic"), device.calls("on_unsubscribe_topic")
    expect(kit.subscribe_topic([(topic, 1), (kit.to_full_topic("user/other"), 0)])[0], 0)
    expect(list(subscribed()[1]), [1, 0])
    device.api.publish(topic, "你好".encode())
    expect(device.message(topic).decode(), "你好")
    expect(kit.unsubscribe_topic(topic)[0], 0)
    unsubscribed()
    device.api.publish(topic, b"unheard")
    published = device.calls("on_publish_topic")
    expect(kit.publish_topic(kit.to_full_topic("user/update"), "up", 1)[0], 0)
    published()
    wire = [message for message in device.api.wire() if message.get("topic", "").endswith("/user/update")]
    expect([message["payload"] for message in wire], ["up"])
    expect([note for note in device.api.notes(f"{KEY}/{device.name}") if note == "undelivered"], ["undelivered"])


def rrpc_on_user_topics(device: Device) -> None:
    """The caller gets the payload of the answer."""
    topic = device.kit.to_full_topic("user/ask")

    def answer(rrpc_id: str, _: str, payload: bytes, *__: object) -> None:
        device.kit.thing_answer_rrpc(rrpc_id, b"re: " + payload)

    device.kit.on_topic_rrpc_message = answer
    expect(device.kit.subscribe_rrpc_topic(topic)[0], 0)
    wait_until(lambda: "subscribed" in device.api.notes(f"{KEY}/{device.name}"))
    question = base64.b64encode(b"ping").decode()
    reply = device.api.call("RRpc", Timeout="8000", RequestBase64Byte=question, Topic=topic)
    expect(base64.b64decode(reply["PayloadBase64Byte"]), b"re: ping")
    expect(device.kit.unsubscribe_rrpc_topic(topic)[0], 0)


def broadcast(device: Device) -> None:
    """To all devices without a subscription, and to those that have subscribed."""
    content = base64.b64encode(b"to all").decode()
    message_id = device.api.call("PubBroadcast", MessageContent=content)["MessageId"]
    expect(device.message(f"/sys/{KEY}/{device.name}/broadcast/request/{message_id}"), b"to all")
    topic = f"/broadcast/{KEY}/news"
    subscribed = device.calls("on_subscribe_topic")
    device.kit.subscribe_topic(topic)
    subscribed()
    device.api.call("PubBroadcast", MessageContent=content, TopicFullName=topic)
    expect(device.message(topic), b"to all")


def tags(device: Device) -> None:
    """Set and removed; the console sees them."""
    updated, deleted = device.calls("on_thing_device_info_update"), device.calls("on_thing_device_info_delete")
    expect(device.kit.thing_update_tags({"room": "hall", "floor": "1"})[0], 0)
    expect(updated()[1], 200)
    expect(json.loads(device.api.call("QueryDeviceProp")["Props"]), {"room": "hall", "floor": "1"})
    expect(device.kit.thing_remove_tags(["floor"])[0], 0)
    expect(deleted()[1], 200)
    expect(json.loads(device.api.call("QueryDeviceProp")["Props"]), {"room": "hall"})


def shadow(device: Device) -> None:
    """Reported, asked for, and desired by an application."""
    got = device.calls("on_thing_shadow_get")
    expect(device.kit.thing_update_shadow({"color": "red"}, 1)[0], 0)
    expect(got()[0]["payload"], {"status": "success", "version": 1})
    expect(device.kit.thing_get_shadow()[0], 0)
    expect(got()[0]["payload"]["state"], {"reported": {"color": "red"}})
    message = {"method": "update", "state": {"desired": {"color": "green"}}, "version": 2}
    device.api.call("UpdateDeviceShadow", ShadowMessage=json.dumps(message))
    control = got()[0]
    expect((control["method"], control["payload"]["state"]["desired"]), ("control", {"color": "green"}))
    latest = device.kit.local_get_latest_shadow()
    expect((latest.get_version(), latest.get_state()["desired"]), (2, {"color": "green"}))


def ota(device: Device) -> None:
    """Told, asked for, downloaded and checked; done when the version is reported.

    The SDK returns an error for every report and question, since it does not look at the right value; both are sent.
    """
    arrived = device.calls("on_ota_message_arrived")
    content = b"firmware" * 10_000
    for method, version in (("MD5", "2.0"), ("SHA256", "3.0")):
        device.kit.ota_report_version("MCU", "1.0")
        fields = {"FirmwareName": f"v{version}", "DestVersion": version, "ModuleName": "MCU", "SignMethod": method}
        encoded = base64.b64encode(content).decode()
        firmware = device.api.call("CreateOTAFirmware", FirmwareContent=encoded, **fields)["Data"]["FirmwareId"]
        target = {"TargetSelection": "SPECIFIC", "TargetDeviceName.1": device.name}
        job = device.api.call("CreateOTAStaticUpgradeJob", FirmwareId=firmware, **target)["Data"]["JobId"]
        pushed = arrived()
        expect((pushed[0], pushed[1], pushed[6]), (1, version, "MCU"))
        device.kit.query_ota_firmware("MCU")
        asked = arrived()
        expect((asked[0], asked[1:7]), (2, pushed[1:7]))
        _, _, _, url, sign_method, sign, *_ = asked
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "firmware")
            outcome = device.kit.download_ota_firmware(url, path, sign_method, sign)
            expect(outcome, linkkit.LinkKit.ErrorCode.SUCCESS)
            expect(Path(path).read_bytes(), content)
        device.kit.ota_report_version("MCU", version)

        def succeeded(job: str = job) -> bool:
            [task] = device.api.call("ListOTATaskByJob", JobId=job)["Data"]["SimpleOTATaskInfo"]
            return bool(task["TaskStatus"] == "SUCCEEDED")

        wait_until(succeeded)


def registration_over_https() -> None:
    """The secret is that of the device; the SDK then connects with it."""
    device = Device("py-https", "", tls=True, host_name="cn-shanghai", product_secret=PRODUCT_SECRET, mqtt=LOOPBACK)
    registered = device.calls("on_device_dynamic_register")
    device.kit.connect_async()
    expect(registered(), (0, SECRET))
    expect(device.connected()[1], 0)
    device.disconnect()


def registration_over_mqtt() -> None:
    """The secret is that of the device; with it, a second device object connects."""
    device = Device("py-mqtt", "", tls=True, auth_type="register", product_secret=PRODUCT_SECRET)
    registered = device.calls("on_device_dynamic_register")
    device.kit.connect_async()
    expect(registered()[:2], (0, SECRET))
    Device("py-mqtt", SECRET, tls=True).connect().disconnect()


def registration_without_pre_registration() -> None:
    """A client id and a token instead of a secret, with which a second device object connects."""
    device = Device("py-new", "", tls=True, auth_type="regnwl", product_secret=PRODUCT_SECRET)
    got: queue.Queue[tuple[Any, ...]] = queue.Queue()
    device.kit.on_device_dynamic_register_nwl_reply = lambda *arguments: got.put(arguments)
    device.kit.connect_async()
    code, client_id, username, password = got.get(timeout=TIMEOUT)
    expect(code, 0)
    Device("py-new", "", tls=True, client_id=client_id, username=username, password=password).connect().disconnect()


LOOPBACK = {"endpoint": "127.0.0.1"}
AUTH_HOST = "iot-auth.cn-shanghai.aliyuncs.com"


def lead_to_simulator() -> None:
    """Lead HTTPS connections to the platform's registration service to the simulator; the SDK itself stays as it is."""
    create_connection = socket.create_connection

    def redirected(address: tuple[str, int], *arguments: Any, **more: Any) -> socket.socket:
        target = ("127.0.0.1", TLS["web_port"]) if address == (AUTH_HOST, 443) else address
        return create_connection(target, *arguments, **more)

    socket.create_connection = redirected  # type: ignore[assignment]


class Hub:
    """A gateway with some sub-devices."""

    def __init__(self) -> None:
        """Connect."""
        self.gateway = Device("py-gateway").connect()
        self.kit, self.api = self.gateway.kit, self.gateway.api
        self.changed = self.gateway.calls("on_gateway_topo_change")

    def ask(self, method: str, callback: str, devices: list[list[str]]) -> tuple[int, Any]:
        """Send a request of the SDK and return code and data of the reply."""
        replied = self.gateway.calls(callback)
        expect(getattr(self.kit, method)(devices)[0], 0)
        _, code, data, _ = replied()
        return code, data

    def add(self, *names: str) -> tuple[int, Any]:
        """Add sub-devices to the topology."""
        devices = [[SUB_KEY, name, SUB_SECRET] for name in names]
        return self.ask("gateway_add_subdev_topo", "on_gateway_add_subdev_topo_reply", devices)

    def log_in(self, *names: str) -> tuple[int, Any]:
        """Log sub-devices in."""
        devices = [[SUB_KEY, name, SUB_SECRET] for name in names]
        return self.ask("gateway_login_subdev", "on_gateway_login_subdev_reply", devices)

    def status(self, name: str) -> str:
        """Return the status of a sub-device."""
        return CloudApi(PLAIN["api"], SUB_KEY, name).status()


def named(*names: str) -> list[dict[str, str]]:
    """Return the names of sub-devices as replies have them."""
    return [{"productKey": SUB_KEY, "deviceName": name} for name in names]


def topology(hub: Hub) -> None:
    """Several at once; a wrong secret adds none."""
    code, data = hub.add("py-sub-1", "py-sub-2")
    expect((code, data), (200, named("py-sub-1", "py-sub-2")))
    wrong = [[SUB_KEY, "py-sub-3", SUB_SECRET[::-1]]]
    expect(hub.ask("gateway_add_subdev_topo", "on_gateway_add_subdev_topo_reply", wrong)[0], 401)
    topology = hub.api.call("GetThingTopo")["Data"]["List"]["deviceInfo"]
    expect([row["DeviceName"] for row in topology], ["py-sub-1", "py-sub-2"])
    deleted = hub.ask("gateway_delete_subdev_topo", "on_gateway_delete_subdev_topo_reply", [[SUB_KEY, "py-sub-2"]])
    expect(deleted[0], 200)
    expect(hub.api.call("GetThingTopo")["Data"]["Total"], 1)


def topology_change(hub: Hub) -> None:
    """The gateway is told what an application has changed."""
    hub.add("py-sub-3")
    hub.api.call("RemoveThingTopo", ProductKey=SUB_KEY, DeviceName="py-sub-3")
    expect(hub.changed()[1], {"status": 1, "subList": named("py-sub-3")})


def sessions(hub: Hub) -> None:
    """In batches; online after the login, offline after the logout."""
    hub.add("py-sub-1", "py-sub-2")
    expect(hub.log_in("py-sub-1", "py-sub-2"), (200, named("py-sub-1", "py-sub-2")))
    expect(hub.status("py-sub-1"), "ONLINE")
    out = hub.ask("gateway_logout_subdev", "on_gateway_logout_subdev_reply", [[SUB_KEY, "py-sub-2"]])
    expect(out, (200, named("py-sub-2")))
    expect(hub.status("py-sub-2"), "OFFLINE")


def sub_device_data(hub: Hub) -> None:
    """The SDK only has topics for it: posts, their replies, and sets on the topics of the sub-device."""
    system = f"/sys/{SUB_KEY}/py-sub-1/thing/"
    post = {"id": "7", "version": "1.0", "params": {"Brightness": 7}, "method": "thing.event.property.post"}
    expect(hub.kit.publish_topic(f"{system}event/property/post", json.dumps(post), 0)[0], 0)
    expect(json.loads(hub.gateway.message(f"{system}event/property/post_reply"))["code"], 200)
    lamp = CloudApi(PLAIN["api"], SUB_KEY, "py-sub-1")
    lamp.call("SetDeviceProperty", Items='{"LightSwitch": 1}')
    request = json.loads(hub.gateway.message(f"{system}service/property/set"))
    expect(request["params"], {"LightSwitch": 1})
    reply = {"id": request["id"], "code": 200, "data": {}}
    hub.kit.publish_topic(f"{system}service/property/set_reply", json.dumps(reply), 0)
    expect(lamp.outcome("set")["code"], 200)


def sub_device_lifecycle(hub: Hub) -> None:
    """The gateway is told on its own topic; the sub-device's topics, which the SDK passes on, need a subscription."""
    topics = [f"/sys/{SUB_KEY}/py-sub-1/thing/{what}" for what in ("disable", "enable", "delete")]
    subscribed = hub.gateway.calls("on_subscribe_topic")
    hub.kit.subscribe_topic([(topic, 0) for topic in topics])
    subscribed()
    lamp = CloudApi(PLAIN["api"], SUB_KEY, "py-sub-1")
    for action, topic, status in zip(("DisableThing", "EnableThing", "DeleteDevice"), topics, (8, 2, 1), strict=True):
        lamp.call(action)
        hub.gateway.message(topic)
        expect(hub.changed()[1], {"status": status, "subList": named("py-sub-1")})


def sub_device_registration(hub: Hub) -> None:
    """A new secret, with which the sub-device can be added."""
    request = "gateway_register_subdev", "on_gateway_register_subdev_reply"
    code, [data] = hub.ask(*request, [[SUB_KEY, "py-sub-4"]])
    expect((code, data["deviceName"]), (200, "py-sub-4"))
    added = [[SUB_KEY, "py-sub-4", data["deviceSecret"]]]
    expect(hub.ask("gateway_add_subdev_topo", "on_gateway_add_subdev_topo_reply", added)[0], 200)


def sub_device_registration_by_product_secret(hub: Hub) -> None:
    """The same with the secret of the product."""
    request = "gateway_product_register_subdev", "on_gateway_product_register_subdev_reply"
    code, data = hub.ask(*request, [[SUB_KEY, "py-sub-5", PRODUCT_SECRET]])
    expect((code, data["failures"]), (200, []))
    added = [[SUB_KEY, "py-sub-5", data["successes"][0]["deviceSecret"]]]
    expect(hub.ask("gateway_add_subdev_topo", "on_gateway_add_subdev_topo_reply", added)[0], 200)


def main() -> None:
    """Check everything, one after the other."""
    lead_to_simulator()
    check("connect over TCP", connect_over_tcp)
    check("connect over TLS", connect_over_tls)
    check("wrong secret refused", wrong_secret)
    check("clean session 0", clean_session_0)
    check("reconnect by itself", reconnect)
    model = Device("py-model").connect()
    for feature, with_model in (
        ("property post", property_post),
        ("event post", event_post),
        ("property set", property_set),
        ("asynchronous service", asynchronous_service),
        ("synchronous service", synchronous_service),
        ("raw data", raw_data),
        ("tags", tags),
        ("shadow", shadow),
        ("OTA", ota),
        ("system topics without SUBSCRIBE", without_subscribe),
        ("broadcast", broadcast),
    ):
        check(feature, partial(with_model, model))
    check("thing model generated by our integration", generated_model)
    topics = Device("py-topics").connect()
    check("user topics", partial(user_topics, topics))
    other = Device("py-rrpc").connect()
    check("RRPC on user topics", partial(rrpc_on_user_topics, other))
    check("dynamic registration over HTTPS", registration_over_https)
    check("dynamic registration over MQTT", registration_over_mqtt)
    check("registration without pre-registration", registration_without_pre_registration)
    hub = Hub()
    for feature, with_hub in (
        ("topology add and delete", topology),
        ("topology change", topology_change),
        ("sub-device login and logout", sessions),
        ("sub-device data", sub_device_data),
        ("sub-device disabled, enabled, deleted", sub_device_lifecycle),
        ("sub-device registration", sub_device_registration),
        ("sub-device registration by product secret", sub_device_registration_by_product_secret),
    ):
        check(feature, partial(with_hub, hub))
    # Don't wait for the threads of the SDK.
    os._exit(0)


if __name__ == "__main__":
    main()
