"""Events and raw frames that an automation sends, and raw frames from the cloud."""

from ..cloud import DEVICE_NAME, PRODUCT_KEY, base64_text
from ..conversation import Conversation, Step
from ..home_client import HomeEvent
from ..words import Words

FRAME_UP = bytes.fromhex("0001fe5a")
FRAME_DOWN = bytes.fromhex("a55a0102")


async def post_event(conversation: Conversation) -> None:
    """Post an event of the thing model, as an automation does."""
    await conversation.run_action(
        "aliyun_iot.post_event",
        config_entry_id=conversation.entry_id,
        identifier="HighTemperatureAlarm",
        output={"Temperature": 61, "Zone": "kitchen"},
    )
    arrived = await conversation.wait_for(
        lambda: any(event.identifier == "HighTemperatureAlarm" for event in conversation.cloud.device.events)
    )
    conversation.expect(
        arrived and conversation.cloud.device.events[-1].output == {"Temperature": 61.0, "Zone": "kitchen"},
        "the cloud has the event with its output",
        "云端收到事件及其输出参数",
    )


async def raw_up(conversation: Conversation) -> None:
    """Send a raw frame, as an automation does."""
    await conversation.run_action("aliyun_iot.send_raw", config_entry_id=conversation.entry_id, data=FRAME_UP.hex())
    arrived = await conversation.wait_for(lambda: FRAME_UP in conversation.cloud.device.raw_up)
    await conversation.settle()
    conversation.expect(arrived, "the frame arrived at the cloud byte by byte", "云端逐字节收到该数据帧")


async def raw_down(conversation: Conversation) -> None:
    """Send a raw frame from the cloud; the event of the bus does not contain it, automations get it from their trigger."""
    events: list[HomeEvent] = []
    await conversation.home.follow("aliyun_iot_raw", events.append)
    topic = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/model/down_raw"
    await conversation.call("Pub", TopicFullName=topic, MessageContent=base64_text(FRAME_DOWN), Qos=0)
    await conversation.settle()
    conversation.expect(
        [event.data["size"] for event in events] == [len(FRAME_DOWN)],
        "Home Assistant has fired an event aliyun_iot_raw, without the frame itself",
        "Home Assistant 触发事件 aliyun_iot_raw（不含数据帧本身）",
    )


FRAMES = (
    Step(Words("An event", "事件"), post_event),
    Step(Words("A raw frame from home", "上行透传数据"), raw_up),
    Step(Words("A raw frame to home", "下行透传数据"), raw_down),
)
