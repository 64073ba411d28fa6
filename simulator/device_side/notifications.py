"""Replies to downlinks that are not commands: changes of the topology, configurations, jobs (docs/protocol.md §16)."""

from .uplink import Uplink


def take_reply(uplink: Uplink) -> bool:
    """Take the reply to a notification; return whether it was sent."""
    path = uplink.topic.removeprefix(uplink.device.topics.system).removesuffix("_reply")
    return uplink.platform.commands.take_notification_reply(uplink.device, path, uplink.payload)
