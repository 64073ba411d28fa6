"""Topics of the user's own: `/{pk}/{dn}/user/…` (docs/protocol.md §12.7)."""

from ..core.clock import now_ms
from ..core.records import UserMessage
from .uplink import Uplink


def take_message(uplink: Uplink) -> None:
    """Record a message."""
    device = uplink.device
    device.user_messages.append(UserMessage(uplink.variables["topic"], uplink.payload, uplink.qos, now_ms()))
