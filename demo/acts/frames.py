"""What an automation sends by itself: an event, and raw frames both ways."""

from ..cloud import DEVICE_NAME, PRODUCT_KEY, base64_text
from ..home_client import HomeEvent
from ..stage import Stage, Step
from ..words import Words

FRAME_UP = bytes.fromhex("0001fe5a")
FRAME_DOWN = bytes.fromhex("a55a0102")


async def event(stage: Stage) -> None:
    """Post an event of the thing model, as an automation does."""
    await stage.act(
        "aliyun_iot.post_event",
        config_entry_id=stage.entry_id,
        identifier="HighTemperatureAlarm",
        output={"Temperature": 61, "Zone": "kitchen"},
    )
    arrived = await stage.happens(
        lambda: any(one.identifier == "HighTemperatureAlarm" for one in stage.cloud.device.events)
    )
    stage.expect(
        arrived and stage.cloud.device.events[-1].output == {"Temperature": 61.0, "Zone": "kitchen"},
        "the cloud has the event with its output",
        "云端收到事件及其输出参数",
    )


async def raw_up(stage: Stage) -> None:
    """Send a raw frame, as an automation does."""
    await stage.act("aliyun_iot.send_raw", config_entry_id=stage.entry_id, data=FRAME_UP.hex())
    arrived = await stage.happens(lambda: FRAME_UP in stage.cloud.device.raw_up)
    await stage.settle()
    stage.expect(arrived, "the frame came to the cloud byte by byte", "云端逐字节收到该数据帧")


async def raw_down(stage: Stage) -> None:
    """Send a raw frame from the cloud: automations get it as an event of Home Assistant's bus."""
    heard: list[HomeEvent] = []
    await stage.home.follow("aliyun_iot_raw", heard.append)
    topic = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/model/down_raw"
    await stage.call("Pub", TopicFullName=topic, MessageContent=base64_text(FRAME_DOWN), Qos=0)
    await stage.settle()
    stage.expect(
        [one.data["data"] for one in heard] == [base64_text(FRAME_DOWN)],
        "Home Assistant heard it as an event aliyun_iot_raw, in Base64",
        "Home Assistant 触发事件 aliyun_iot_raw（Base64）",
    )


FRAMES = (
    Step(Words("An event", "事件"), event),
    Step(Words("A raw frame from home", "上行透传数据"), raw_up),
    Step(Words("A raw frame to home", "下行透传数据"), raw_down),
)
