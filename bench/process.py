"""Figures of this process from the operating system."""

from pathlib import Path
import resource

MEGABYTE = 1024 * 1024


def resident_mb() -> float:
    """Return the resident memory in megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MEGABYTE
