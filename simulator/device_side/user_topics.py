"""Topics of the user's own: `/{pk}/{dn}/user/…` (docs/protocol.md §12.7)."""

from ..core.device import UserMessage, now_ms
from .uplink import Uplink


def take_message(uplink: Uplink) -> None:
    """Record a message."""
    device = uplink.device
    device.user_messages.append(UserMessage(uplink.variables["topic"], uplink.payload, uplink.qos, now_ms()))
