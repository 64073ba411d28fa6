"""Cloud → home: commands that are refused, each with a code of its own."""

from collections.abc import Mapping
from functools import partial

from ..conversation import Conversation, Step
from ..home_client import Json
from ..words import Words


async def refused(
    conversation: Conversation, items: Mapping[str, Json], code: int, entity_id: str | None = None
) -> None:
    """Set something that is refused: the answer has this code, and the entity does not change."""
    before = await conversation.home.state(entity_id) if entity_id else None
    reply = await conversation.set(items)
    await conversation.settle()
    if entity_id:
        await conversation.show_state(entity_id)
    conversation.expect_code(reply, code)
    if entity_id and before:
        after = await conversation.home.state(entity_id)
        conversation.expect(after == before, f"{entity_id} has not changed", f"{entity_id} 保持不变")


def _step(en: str, zh: str, items: Mapping[str, Json], code: int, entity_id: str | None = None) -> Step:
    return Step(Words(en, zh), partial(refused, items=items, code=code, entity_id=entity_id))


REFUSALS = (
    _step("A set out of range", "超出范围", {"Brightness": 150}, 100009, "light.desk_lamp"),
    _step("A set of the wrong type", "类型错误", {"Brightness": "bright"}, 100008, "light.desk_lamp"),
    _step("A lock that the cloud may not open", "云端无权开锁", {"FrontDoorLocked": 0}, 100003, "lock.front_door"),
    _step("An action that fails", "动作执行出错", {"PumpSwitch": 1}, 100005, "switch.garden_pump"),
    _step("A read-only property", "只读属性", {"CurrentTemperature": 30.0}, 100002),
    _step("A property that is not bound", "未绑定的属性", {"ZoneLevels": [1, 2, 3]}, 100001),
    _step("A property that does not exist", "不存在的属性", {"Teleporter": 1}, 100007),
)
