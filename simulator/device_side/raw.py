"""Raw frames, as products with a data parsing script use them (docs/protocol.md §3)."""

from ..core.jsontext import JsonValue
from .uplink import Uplink


def take_frame(uplink: Uplink) -> None:
    """Record a frame and answer as a product without a script for answers: with Alink JSON."""
    uplink.device.raw_up.append(uplink.payload)
    code = uplink.platform.faults.take_answer_code() or 200
    request: dict[str, JsonValue] = {"id": uplink.platform.commands.next_message_id()}
    uplink.platform.delivery.reply(uplink.device, uplink.topic, request, code, {})


def take_reply(uplink: Uplink) -> bool:
    """Record the reply to a frame; the platform expects none in particular."""
    uplink.device.raw_down_replies.append(uplink.payload)
    return True
