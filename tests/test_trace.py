"""`scripts/trace` runs, and counts calls, functions and files as its report says."""

import asyncio
import json
from pathlib import Path
import sys

import pytest

from bench.trace import Call, TracedPath

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.long
async def test_trace_reports_three_paths(socket_enabled: None) -> None:
    """It runs in a process of its own, as from the command line; the sizes of the paths are not judged."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.trace", "--json"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    paths = json.loads(output)
    assert list(paths) == ["state_change", "property_set", "refused_set"]
    for totals in paths.values():
        assert 0 < totals["files"] <= totals["functions"] <= totals["calls"]


def test_report_lists_each_function_once() -> None:
    """Functions are in the order of their first calls; repeated calls are counted."""
    send, take = Call("reports/sender.py", "Sender.send"), Call("reports/outbox.py", "Outbox.take")
    path = TracedPath("State change", [send, take, take, send, Call("reports/outbox.py", "Outbox.settle"), take])
    assert list(path.lines()) == [
        "State change\n",
        "   1  reports/sender.py: Sender.send  ×2",
        "   2  reports/outbox.py: Outbox.take  ×3",
        "   3  reports/outbox.py: Outbox.settle",
        "\n6 calls, 3 functions, 2 files",
    ]
