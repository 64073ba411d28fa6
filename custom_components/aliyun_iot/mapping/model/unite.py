"""One data type for what several devices of a product report as the same property."""

from collections.abc import Callable
from dataclasses import replace

from ...alink.model.datatypes import DataType, DoubleType, EnumType, FloatType, IntType


def united(first: DataType, second: DataType) -> DataType:
    """Return the data type that holds the values of both; the first if they have nothing in common.

    The items of an enum keep their numbers, so that a device that comes later changes nothing for the others.
    """
    match first, second:
        case EnumType(items), EnumType(others):
            new = [label for label in others.values() if label not in items.values()]
            start = max(items, default=-1) + 1
            return EnumType({**items, **dict(enumerate(new, start))})
        case IntType(), IntType():
            low, high = min(first.min, second.min), max(first.max, second.max)
            return replace(first, min=low, max=high, step=_both(min, first.step, second.step))
        case (FloatType() | DoubleType(), FloatType() | DoubleType()) if first.type == second.type:
            return replace(
                first,
                min=_both(min, first.min, second.min),
                max=_both(max, first.max, second.max),
                step=_both(min, first.step, second.step),
            )
        case _:
            return first


def _both[Number: float](
    choose: Callable[[Number, Number], Number], one: Number | None, other: Number | None
) -> Number | None:
    """Return the choice of two limits, None if one of them does not limit."""
    return None if one is None or other is None else choose(one, other)
