"""Raw frames, as products with a data parsing script use them (docs/protocol.md §3)."""

from ..core.codes import text_of
from ..core.jsontext import JsonValue
from .uplink import Answer, Uplink, answer


def take_frame(uplink: Uplink) -> list[Answer]:
    """Record a frame and answer as a product without a script for answers: with Alink JSON."""
    uplink.device.raw_up.append(uplink.payload)
    code = uplink.platform.faults.take_answer_code() or 200
    reply: JsonValue = {
        "code": code,
        "data": {},
        "id": uplink.platform.commands.next_message_id(),
        "message": text_of(code),
        "method": "thing.model.up_raw",
        "version": "1.0",
    }
    return [answer(uplink, "/sys/{pk}/{dn}/thing/model/up_raw_reply", reply)]


def take_reply(uplink: Uplink) -> bool:
    """Record the reply to a frame; the platform expects none in particular."""
    uplink.device.raw_down_replies.append(uplink.payload)
    return True
