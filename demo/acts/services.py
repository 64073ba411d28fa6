"""Services of the thing model: one that the caller waits for, one whose outcome is looked up later."""

import json

from ..home_client import Json
from ..lines import compact
from ..stage import Stage, Step, message_id
from ..words import Words


async def read_meter(stage: Stage) -> None:
    """Call a synchronous service: a script runs, and its response is in the answer to the very call."""
    answer = await stage.call("InvokeThingService", Identifier="ReadMeter", Args={"Channel": 2})
    result = _json_field(answer["Data"], "Result")
    stage.expect(
        isinstance(result, dict) and result.get("Energy") == 1334.567,
        f"the caller got {compact(result)}",
        f"调用方得到 {compact(result)}",
    )
    stage.expect(
        isinstance(result, dict) and str(result.get("ReadAt")).isdigit(),
        "ReadAt is a date of the thing model: milliseconds in a string",
        "ReadAt 为物模型的 date：毫秒字符串",
    )


async def run_scene(stage: Stage) -> None:
    """Call an asynchronous service: its outcome is found later, with QueryDeviceServiceData."""
    answer = await stage.call("InvokeThingService", Identifier="RunScene", Args={"SceneName": "evening"})
    reply = await stage.cloud.reply(message_id(answer))
    await stage.settle()
    await stage.show("light.desk_lamp")
    await stage.show("cover.curtain")
    stage.expect_code(reply, 200)
    rows = await stage.call("QueryDeviceServiceData", Identifier="RunScene")
    outcome = _json_field(_first_row(rows["Data"], "ServiceInfo"), "OutputData")
    stage.expect(
        isinstance(outcome, dict) and outcome.get("data") == {"Accepted": 1},
        f"the outcome is there to be looked up: {compact(outcome)}",
        f"结果可供查询：{compact(outcome)}",
    )


async def unknown_scene(stage: Stage) -> None:
    """Call it with a scene that is not known: the script says no by its output, which is not an error."""
    answer = await stage.call("InvokeThingService", Identifier="RunScene", Args={"SceneName": "disco"})
    reply = await stage.cloud.reply(message_id(answer))
    stage.expect_code(reply, 200)
    stage.expect(reply.data == {"Accepted": 0}, "the script did not accept this scene", "脚本未接受该场景")


def _first_row(data: Json, name: str) -> Json:
    rows = data["List"] if isinstance(data, dict) else None
    found = rows[name] if isinstance(rows, dict) else None
    return found[0] if isinstance(found, list) and found else None


def _json_field(data: Json, name: str) -> Json:
    """Return a field that holds JSON as text."""
    text = data.get(name) if isinstance(data, dict) else None
    result: Json = json.loads(text) if isinstance(text, str) and text else None
    return result


SERVICES = (
    Step(Words("A synchronous service with output data", "带输出参数的同步服务"), read_meter),
    Step(Words("An asynchronous service and its outcome", "异步服务及其结果"), run_scene),
    Step(Words("A service that says no", "服务拒绝"), unknown_scene),
)
