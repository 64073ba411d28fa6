"""The time service (docs/protocol.md §12.3)."""

from collections.abc import Callable

from ..core.clock import now_ms
from ..core.jsontext import JsonValue, NotJsonError, parse
from ..core.transcript import Note
from .uplink import Answer, Uplink, answer


def answer_time(uplink: Uplink) -> list[Answer] | Note:
    """Answer in the type of the request, text or number."""
    ahead = int(uplink.platform.faults.clock_ahead * 1000)
    received = now_ms() + ahead
    try:
        request = parse(uplink.payload)
    except NotJsonError:
        return Note.MALFORMED
    sent = request.get("deviceSendTime") if isinstance(request, dict) else None
    if not isinstance(sent, str | int) or isinstance(sent, bool):
        return Note.MALFORMED
    write: Callable[[int], JsonValue] = str if isinstance(sent, str) else int
    times: JsonValue = {
        "deviceSendTime": sent,
        "serverRecvTime": write(received),
        "serverSendTime": write(now_ms() + ahead),
    }
    return [answer(uplink, "/ext/ntp/{pk}/{dn}/response", times)]
