"""The clock of the cloud."""

import time


def now_ms() -> int:
    """Return the time in milliseconds since 1970, the unit of Alink."""
    return time.time_ns() // 1_000_000
