"""The action by which an automation answers a command that the cloud sent."""

from homeassistant.core import ServiceCall
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..addressed import ENTRY
from ..alink.codes import CODES, Code, describe
from ..alink.command import Answer
from ..alink.messages import MAX_PAYLOAD, encode_reply
from ..commands.commander import OpenCommand
from ..mapping.validators import whole
from .call import misuse, runtime_of, translated_errors
from .payload import ATTR_FORMAT, format_field, payload_bytes, payload_text
from .values import wire_values

ATTR_COMMAND_ID = "command_id"
ATTR_CODE = "code"
ATTR_MESSAGE = "message"
ATTR_DATA = "data"
ATTR_PAYLOAD = "payload"

DEVICE_CODES = range(100_000, 110_001)
"""Codes that a device may define itself (docs/protocol.md §7.1)."""

PLATFORM_CODES = frozenset({Code.SUCCESS, Code.INTERNAL_ERROR, Code.PARAMETER_ERROR, Code.TOO_BUSY})
"""Codes of the platform that a device may answer with (docs/protocol.md §7.1)."""

REPLY_SCHEMA = vol.Schema(
    {
        **ENTRY,
        vol.Optional(ATTR_COMMAND_ID, default=""): cv.string,
        vol.Optional(ATTR_CODE, default=int(Code.SUCCESS)): whole,
        vol.Optional(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_DATA): {cv.string: object},
        vol.Optional(ATTR_PAYLOAD): payload_text,
        **format_field("text"),
    }
)


async def reply(call: ServiceCall) -> None:
    """Answer a call of a service that is not bound, a raw frame, or a message whose sender waits.

    It may have come for any device of the entry.
    """
    # The id of a command is that of its context, which is the parent of the context of an automation that it triggers.
    command_id = str(call.data[ATTR_COMMAND_ID] or call.context.parent_id or "")
    found = (
        (device.commander.replies, command)
        for device in runtime_of(call).devices
        if (command := device.commander.replies.find(command_id))
    )
    replies, command = next(found, (None, None))
    if replies is None or command is None:
        raise misuse("no_open_command", command_id=command_id) if call.data[ATTR_COMMAND_ID] else misuse("no_trigger")
    answer = _data_answer(call) if command.is_data else _service_answer(call, command_id, command)
    replies.give(command_id, answer)


def _data_answer(call: ServiceCall) -> Answer:
    """Return the answer to a raw frame or a message: only bytes."""
    if ATTR_PAYLOAD not in call.data or ATTR_DATA in call.data:
        raise misuse("reply_needs_payload")
    raw = payload_bytes(call.data[ATTR_PAYLOAD], call.data[ATTR_FORMAT])
    if len(raw) > MAX_PAYLOAD:
        raise misuse("not_sendable", reason=f"{len(raw)} bytes are more than {MAX_PAYLOAD}")
    return Answer(raw=raw)


def _service_answer(call: ServiceCall, command_id: str, command: OpenCommand) -> Answer:
    """Return the answer to a service; only the data of a success must conform to the thing model."""
    if ATTR_PAYLOAD in call.data:
        raise misuse("reply_needs_data")
    code: int = call.data[ATTR_CODE]
    if code not in PLATFORM_CODES and code not in DEVICE_CODES:
        raise misuse("invalid_code", code=str(code))
    fields = command.service.output if command.service and code == Code.SUCCESS else None
    data = wire_values(call, call.data.get(ATTR_DATA, {}), fields, "unknown_output")
    answer = Answer(code, data, call.data.get(ATTR_MESSAGE) or _default_message(code))
    with translated_errors(call):
        encode_reply(command_id, answer.code, answer.data, answer.message)
    return answer


def _default_message(code: int) -> str:
    if code == Code.SUCCESS:
        return "success"
    return describe(code) if code in CODES else "failed"
