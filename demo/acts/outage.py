"""The line is cut, life goes on, and the house comes back by itself; then a look at Home Assistant itself."""

import asyncio

from ..cloud import DEVICE_NAME
from ..stage import Stage, Step
from ..words import Words


async def outage(stage: Stage) -> None:
    """Drop the connection: what changes meanwhile is there after the come-back."""
    connected = await _connection_sensor(stage)
    before = stage.cloud.device.connections
    posts = len(stage.cloud.device.samples["LightSwitch"])
    await stage.cloud.fault(stage.session, drop_connection=DEVICE_NAME)
    await stage.act("input_number.set_value", entity_id="input_number.room_humidity", value=61)
    await stage.settle()
    away = await stage.home.state(connected)
    await stage.show(connected)
    stage.expect(away.state == "off", "the house knows that it is offline", "家中知道已断线")
    back = await stage.happens(lambda: stage.cloud.device.connections == before + 1)
    stage.expect(back, "it connected again by itself", "已自动重新连接")
    complete = await stage.happens(
        lambda: stage.cloud.value("CurrentHumidity") == 61 and len(stage.cloud.device.samples["LightSwitch"]) > posts
    )
    await stage.settle()
    await stage.show(connected)
    stage.expect(
        complete, "a snapshot came, and the change made meanwhile was in it", "已补报全部状态，包括断线期间的变化"
    )


async def log(stage: Stage) -> None:
    """Look for complaints of the integration, for the secret, which must be nowhere, and for what a browser needs."""
    text = await asyncio.to_thread(stage.log.read_text, errors="replace")
    complaints = [
        line
        for line in text.splitlines()
        if (" WARNING " in line or " ERROR " in line) and "aliyun_iot" in line and "has not been tested" not in line
    ]
    stage.expect(
        not complaints,
        "the integration has neither errors nor warnings in the log"
        + "".join(f"\n      {line}" for line in complaints),
        "日志中没有本集成的错误或警告" + "".join(f"\n      {line}" for line in complaints),
    )
    stage.expect(stage.cloud.secret not in text, "the device secret is not in the log", "日志中没有设备密钥")
    described = await stage.home.command("get_services")
    actions = described.get("aliyun_iot") if isinstance(described, dict) else None
    stage.expect(
        isinstance(actions, dict) and actions.keys() >= {"post_properties", "post_event", "send_raw"},
        "the browser gets the descriptions of all actions",
        "浏览器可获取所有动作的说明",
    )


async def _connection_sensor(stage: Stage) -> str:
    """Return the entity that tells whether the device is connected; its id depends on the language."""
    rows = await stage.home.command("config/entity_registry/list")
    assert isinstance(rows, list)  # noqa: S101 - what this command returns
    return next(str(row["entity_id"]) for row in rows if isinstance(row, dict) and row["platform"] == "aliyun_iot")


OUTAGE = (
    Step(Words("The line is cut, and the house comes back", "断线与重连"), outage),
    Step(Words("Home Assistant itself", "Home Assistant 自身"), log),
)
