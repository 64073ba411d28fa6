"""Topics of the user's own: `/{pk}/{dn}/user/…`, or without `user` (docs/protocol.md §12.7)."""

from ..core.clock import now_ms
from ..core.records import UserMessage
from .uplink import Answer, Uplink


def take_message(uplink: Uplink) -> list[Answer]:
    """Record a message; a topic without `user` is recorded as a whole."""
    topic = uplink.variables.get("topic", uplink.topic)
    uplink.device.user_messages.append(UserMessage(topic, uplink.payload, uplink.qos, now_ms()))
    return []
