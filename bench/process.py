"""Figures of this process from the operating system."""

from pathlib import Path
import resource

MEGABYTE = 1024 * 1024


def resident_mb() -> float:
    """Return the resident memory in megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MEGABYTE


def peak_mb() -> float:
    """Return the peak of the resident memory since `reset_peak` in megabytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def reset_peak() -> None:
    """Let the peak begin with the present memory."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
