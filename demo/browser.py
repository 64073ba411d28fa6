"""Instructions for the running demo: pages to open and commands to run."""

from .cloud import DEVICE_NAME, PRODUCT_KEY, Cloud, base64_text
from .home_client import PASSWORD, USER
from .words import Words


def guide(url: str, cloud: Cloud) -> list[Words]:
    """Return the lines to print while the demo waits."""
    return [
        Words(
            f"\nOpen {url}/demo-house and log in as {USER} with the password {PASSWORD}.",
            f"\n打开 {url}/demo-house ，用户名 {USER}，密码 {PASSWORD}。",
        ),
        Words(
            f"The integration: {url}/config/integrations/integration/aliyun_iot",
            f"集成页面：{url}/config/integrations/integration/aliyun_iot",
        ),
        Words(
            "Move “Temperature in the living room”: the new value is posted to the cloud and shown below.",
            "调整“客厅的温度”：新值会上报云端，并显示在下方。",
        ),
        Words("\nOr act as the cloud, in another terminal:", "\n或者在另一个终端里扮演云端："),
        *_commands(cloud),
        Words(
            "\nAll messages are shown here. Ctrl-C ends everything.\n", "\n所有消息都会显示在这里。按 Ctrl-C 结束。\n"
        ),
    ]


def _commands(cloud: Cloud) -> list[Words]:
    raw_down = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/model/down_raw"
    rows = [
        ("turn the lamp on", "开灯", cloud.curl("SetDeviceProperty", Items={"LightSwitch": 1, "Brightness": 80})),
        (
            "try to open the front door, and show the outcome",
            "尝试打开大门，并查看结果",
            cloud.curl("SetDeviceProperty", Items={"FrontDoorLocked": 0}),
        ),
        ("", "", cloud.curl("QueryDeviceServiceData", Identifier="set", PageSize=1)),
        ("read the meter", "抄表", cloud.curl("InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1})),
        ("show the properties in the cloud", "查询云端的属性", cloud.curl("QueryDevicePropertyStatus")),
        (
            "send a raw frame",
            "下发透传数据",
            cloud.curl("Pub", TopicFullName=raw_down, MessageContent=base64_text(b"\x01\x02")),
        ),
        (
            "drop the connection",
            "切断连接",
            f'curl -s {cloud.api}faults -d \'{{"drop_connection": "{DEVICE_NAME}"}}\'',
        ),
    ]
    return [
        Words(f"  # {en}\n  {command}", f"  # {zh}\n  {command}") if en else Words(f"  {command}", f"  {command}")
        for en, zh, command in rows
    ]
