"""Rate limits as a sliding window (docs/protocol.md §1.4, §14)."""

from collections import deque


class SlidingWindow:
    """Allows `count` events in any period of `seconds`; refused events are not counted."""

    def __init__(self, count: int, seconds: float) -> None:
        """Start without any events."""
        self._count = count
        self._seconds = seconds
        self._taken: deque[float] = deque()

    def take(self, now: float, count: int = 1) -> bool:
        """Count events at `now` (seconds of a monotonic clock), all or none; return False if the limit has been reached."""
        while self._taken and now - self._taken[0] >= self._seconds:
            self._taken.popleft()
        if len(self._taken) + count > self._count:
            return False
        self._taken.extend([now] * count)
        return True


MESSAGES_PER_SECOND = {0: 30, 1: 10}
"""By QoS, for each device."""


def message_rates() -> dict[int, SlidingWindow]:
    """Return the limit of messages a second for each QoS."""
    return {qos: SlidingWindow(count, 1.0) for qos, count in MESSAGES_PER_SECOND.items()}
