"""The connection is lost and restored; then a check of Home Assistant's log."""

import asyncio

from ..cloud import DEVICE_NAME
from ..conversation import Conversation, Step
from ..words import Words


async def outage(conversation: Conversation) -> None:
    """Drop the connection: what changes in the meantime is posted after the reconnect."""
    connected = await _connection_sensor(conversation)
    before = conversation.cloud.device.connections
    posts = len(conversation.cloud.device.samples["LightSwitch"])
    await conversation.cloud.fault(conversation.session, drop_connection=DEVICE_NAME)
    await conversation.run_action("input_number.set_value", entity_id="input_number.room_humidity", value=61)
    await conversation.settle()
    away = await conversation.home.state(connected)
    await conversation.show_state(connected)
    conversation.expect(
        away.state == "off", "Home Assistant shows that the device is offline", "Home Assistant 显示设备已断线"
    )
    back = await conversation.wait_for(lambda: conversation.cloud.device.connections == before + 1)
    conversation.expect(back, "it has reconnected by itself", "已自动重新连接")
    complete = await conversation.wait_for(
        lambda: (
            conversation.cloud.value("CurrentHumidity") == 61
            and len(conversation.cloud.device.samples["LightSwitch"]) > posts
        )
    )
    await conversation.settle()
    await conversation.show_state(connected)
    conversation.expect(
        complete, "a snapshot was posted, with the change made during the outage", "已补报全部状态，包括断线期间的变化"
    )


async def log(conversation: Conversation) -> None:
    """Check that the log has no warnings and no secret, and that a browser gets the descriptions of the actions."""
    text = await asyncio.to_thread(conversation.log.read_text, errors="replace")
    complaints = [
        line
        for line in text.splitlines()
        if (" WARNING " in line or " ERROR " in line) and "aliyun_iot" in line and "has not been tested" not in line
    ]
    conversation.expect(
        not complaints,
        "the integration has neither errors nor warnings in the log"
        + "".join(f"\n      {line}" for line in complaints),
        "日志中没有本集成的错误或警告" + "".join(f"\n      {line}" for line in complaints),
    )
    conversation.expect(
        conversation.cloud.secret not in text, "the device secret is not in the log", "日志中没有设备密钥"
    )
    described = await conversation.home.command("get_services")
    actions = described.get("aliyun_iot") if isinstance(described, dict) else None
    conversation.expect(
        isinstance(actions, dict) and actions.keys() >= {"post_properties", "post_event", "send_raw"},
        "the browser gets the descriptions of all actions",
        "浏览器可获取所有动作的说明",
    )


async def _connection_sensor(conversation: Conversation) -> str:
    """Return the connectivity sensor; its entity id depends on the language."""
    rows = await conversation.home.command("config/entity_registry/list")
    assert isinstance(rows, list)  # noqa: S101 - for the type checker
    return next(str(row["entity_id"]) for row in rows if isinstance(row, dict) and row["platform"] == "aliyun_iot")


OUTAGE = (
    Step(Words("The connection is lost and restored", "断线与重连"), outage),
    Step(Words("Home Assistant itself", "Home Assistant 自身"), log),
)
