"""Why a device is not connected, as states of its entities."""

from collections.abc import Mapping
from typing import Final

from .alink.errors import CloudSilent, ConnectError, ConnectionClosed

DISCONNECT_REASONS: Final[Mapping[type[ConnectError], str]] = {CloudSilent: "cloud_silent", ConnectionClosed: "closed"}
"""States for errors that share one key; for all other errors the state is the key."""


def reason_of(error: ConnectError) -> str:
    """Return the state for an error."""
    return DISCONNECT_REASONS.get(type(error), error.key)


def all_reasons() -> list[str]:
    """Return every state."""
    keys = {error.key for error in ConnectError.__subclasses__()} | set(DISCONNECT_REASONS.values())
    return sorted(keys)
