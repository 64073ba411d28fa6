"""The time service (docs/protocol.md §12.3)."""

from collections.abc import Callable

from ..core.clock import now_ms
from ..core.jsontext import JsonValue, NotJsonError, dump, parse
from .uplink import Uplink


def answer_time(uplink: Uplink) -> None:
    """Answer in the type of the request, text or number."""
    ahead = int(uplink.platform.faults.clock_ahead * 1000)
    received = now_ms() + ahead
    try:
        request = parse(uplink.payload)
    except NotJsonError:
        return
    sent = request.get("deviceSendTime") if isinstance(request, dict) else None
    if not isinstance(sent, str | int):
        return
    write: Callable[[int], JsonValue] = str if isinstance(sent, str) else int
    answer: JsonValue = {
        "deviceSendTime": sent,
        "serverRecvTime": write(received),
        "serverSendTime": write(now_ms() + ahead),
    }
    topic = uplink.device.topics.expand("/ext/ntp/{pk}/{dn}/response")
    uplink.platform.delivery.answer(uplink.device, topic, dump(answer).encode())
