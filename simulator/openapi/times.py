"""Times as the platform writes them in answers. Those that have not come are empty."""

from datetime import UTC, datetime


def utc(time_ms: int) -> str:
    """Return a time in UTC with milliseconds."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time_ms else ""


def gmt(time_ms: int) -> str:
    """Return a time in GMT with seconds."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if time_ms else ""
