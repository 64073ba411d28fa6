"""Cloud → home: commands that can't be carried out, each answered with its own code."""

from collections.abc import Mapping
from functools import partial

from ..home_client import Json
from ..stage import Stage, Step
from ..words import Words


async def refused(stage: Stage, items: Mapping[str, Json], code: int, entity_id: str | None = None) -> None:
    """Set what can't be set: the answer has this code, and the entity stays as it is."""
    before = await stage.home.state(entity_id) if entity_id else None
    reply = await stage.set(items)
    await stage.settle()
    if entity_id:
        await stage.show(entity_id)
    stage.expect_code(reply, code)
    if entity_id and before:
        after = await stage.home.state(entity_id)
        stage.expect(after == before, f"{entity_id} stayed as it was", f"{entity_id} 保持不变")


def _step(en: str, zh: str, items: Mapping[str, Json], code: int, entity_id: str | None = None) -> Step:
    return Step(Words(en, zh), partial(refused, items=items, code=code, entity_id=entity_id))


REFUSALS = (
    _step("A set out of range", "超出范围", {"Brightness": 150}, 100009, "light.desk_lamp"),
    _step("A set of the wrong type", "类型错误", {"Brightness": "bright"}, 100008, "light.desk_lamp"),
    _step("A lock that the cloud may not open", "云端无权开锁", {"FrontDoorLocked": 0}, 100003, "lock.front_door"),
    _step("An action that raises", "动作执行出错", {"PumpSwitch": 1}, 100005, "switch.garden_pump"),
    _step("A property that can only be read", "只读属性", {"CurrentTemperature": 30.0}, 100002),
    _step("A property that is bound to nothing", "未绑定的属性", {"ZoneLevels": [1, 2, 3]}, 100001),
    _step("A property that does not exist", "不存在的属性", {"Teleporter": 1}, 100007),
)
