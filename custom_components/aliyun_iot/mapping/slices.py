"""Long computations in slices, between which the event loop can do something else.

Such a computation is a generator: it yields after each slice, and returns the result. What it reads may change between two
slices, so who runs it in slices has to find out whether the result is still right.
"""

import asyncio
from collections.abc import Generator
from typing import Final

SLICE: Final = 10
"""Entities in a slice of work that takes some tenths of a millisecond for each of them."""

LARGE_SLICE: Final = 100
"""The same for work that takes some hundredths of a millisecond."""

type Slices[Result] = Generator[None, None, Result]


def at_once[Result](slices: Slices[Result]) -> Result:
    """Return the result of a computation without a pause."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: Result = end.value
            return result


async def in_slices[Result](slices: Slices[Result]) -> Result:
    """Return the result of a computation, and let the event loop do other things after each slice."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: Result = end.value
            return result
        await asyncio.sleep(0)
