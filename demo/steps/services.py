"""Services of the thing model: a synchronous one, and an asynchronous one whose outcome is queried later."""

import json

from ..conversation import Conversation, Step, message_id
from ..home_client import Json
from ..lines import compact
from ..words import Words


async def read_meter(conversation: Conversation) -> None:
    """Call a synchronous service: a script runs, and the answer to the call has its response."""
    answer = await conversation.call("InvokeThingService", Identifier="ReadMeter", Args={"Channel": 2})
    result = _json_field(answer["Data"], "Result")
    conversation.expect(
        isinstance(result, dict) and result.get("Energy") == 1334.567,
        f"the caller got {compact(result)}",
        f"调用方得到 {compact(result)}",
    )
    conversation.expect(
        isinstance(result, dict) and str(result.get("ReadAt")).isdigit(),
        "ReadAt is a date of the thing model: milliseconds in a string",
        "ReadAt 为物模型的 date：毫秒字符串",
    )


async def run_scene(conversation: Conversation) -> None:
    """Call an asynchronous service, whose outcome is queried with QueryDeviceServiceData."""
    answer = await conversation.call("InvokeThingService", Identifier="RunScene", Args={"SceneName": "evening"})
    reply = await conversation.cloud.reply(message_id(answer))
    await conversation.settle()
    await conversation.show_state("light.desk_lamp")
    await conversation.show_state("cover.curtain")
    conversation.expect_code(reply, 200)
    rows = await conversation.call("QueryDeviceServiceData", Identifier="RunScene")
    outcome = _json_field(_first_row(rows["Data"], "ServiceInfo"), "OutputData")
    conversation.expect(
        isinstance(outcome, dict) and outcome.get("data") == {"Accepted": 1},
        f"the outcome can be queried: {compact(outcome)}",
        f"结果可供查询：{compact(outcome)}",
    )


async def unknown_scene(conversation: Conversation) -> None:
    """Call it with an unknown scene: the script refuses it in its output, which is not an error."""
    answer = await conversation.call("InvokeThingService", Identifier="RunScene", Args={"SceneName": "disco"})
    reply = await conversation.cloud.reply(message_id(answer))
    conversation.expect_code(reply, 200)
    conversation.expect(reply.data == {"Accepted": 0}, "the script did not accept this scene", "脚本未接受该场景")


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
    Step(Words("A service that refuses its argument", "服务拒绝"), unknown_scene),
)
