"""Values with a time, as in posts of properties and events."""

from ..core.clock import now_ms
from ..core.jsontext import JsonValue
from .uplink import rejected

DAY_MS = 24 * 60 * 60 * 1000
IDENTIFIERS = 200
"""Properties in one message."""


def value_and_time(entry: JsonValue, *, required: bool = False) -> tuple[JsonValue, int]:
    """Split `{value, time}`; anything else is a value of the present. `value` and `time` are reserved words."""
    if not isinstance(entry, dict) or "value" not in entry or not entry.keys() <= {"value", "time"}:
        if required:
            raise rejected(460)
        return entry, now_ms()
    time_ms = entry.get("time", None if required else now_ms())
    if not isinstance(time_ms, int) or isinstance(time_ms, bool) or not 0 <= time_ms <= now_ms() + DAY_MS:
        raise rejected(6326)
    return entry["value"], time_ms
