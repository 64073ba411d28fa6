"""Child processes that read and answer lines of JSON, so that they don't share the event loop of Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LONGEST_LINE = 16 * 1024 * 1024


class ChildFailed(Exception):  # noqa: N818 - named after what happened
    """A child process has ended instead of answering; stderr has its messages."""


class Child:
    """A running child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Use a process whose stdin and stdout are pipes."""
        self._process = process

    @property
    def processor_seconds(self) -> float:
        """Return the processor time of the process so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        user, system = fields[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    async def ask(self, question: Any) -> Any:
        """Send a line and return the line in answer to it; raises ChildFailed."""
        assert self._process.stdin  # noqa: S101 - for the type checker
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        return await self.read()

    async def read(self) -> Any:
        """Return the next line; raises ChildFailed."""
        assert self._process.stdout  # noqa: S101 - for the type checker
        if line := await self._process.stdout.readline():
            return json.loads(line)
        raise ChildFailed(f"exit status {await self._process.wait()}")

    async def end(self) -> None:
        """Close its stdin, which makes it end, and wait until it has ended."""
        self._process.stdin.close()  # type: ignore[union-attr]
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def child(*command: str | Path) -> AsyncIterator[Child]:
    """Run a command in the project folder for the duration of the context."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE
    )
    running = Child(process)
    try:
        yield running
    finally:
        await running.end()
