"""What can be chosen when a simulator is made."""

from dataclasses import dataclass

SYNC_SERVICE_TIMEOUT = 5.0
"""Seconds, docs/protocol.md §6.4."""


@dataclass(frozen=True, slots=True)
class Options:
    """Limits and switches; the defaults are those of the platform."""

    connects_per_minute: int | None = 5
    """For each device; None means no limit."""
    service_timeout: float = SYNC_SERVICE_TIMEOUT
    """Seconds that a synchronous service waits for its reply."""
    downlink_qos: int = 0
    """0 or 1, since the platform does not document which it uses; RRPC is always sent with 0."""
    strict_model: bool = False
    """Whether thing models must obey the rules of the console (docs/protocol.md §8.3)."""
