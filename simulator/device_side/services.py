"""Replies to commands: property set and get, services and RRPC (docs/protocol.md §6)."""

from .uplink import Uplink


def take_reply(uplink: Uplink) -> bool:
    """Take the reply to a property set or get or to an asynchronous service; return whether it was awaited."""
    return uplink.platform.commands.take_reply(uplink.device, uplink.variables["identifier"], uplink.payload)


def take_response(uplink: Uplink) -> bool:
    """Take the response to an RRPC; return whether it is still awaited."""
    return uplink.platform.commands.take_response(uplink.device, uplink.variables["message_id"], uplink.payload)
