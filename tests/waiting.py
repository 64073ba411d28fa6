"""Wait for a condition instead of for a fixed time."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Wait until the condition is true; raises TimeoutError after `timeout` seconds."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.002)
