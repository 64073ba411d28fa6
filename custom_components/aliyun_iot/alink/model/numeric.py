"""Numbers, which clouds and thing models write as JSON numbers or as text such as "30.5"."""

from decimal import Decimal
import math
import re

_NUMERIC_TEXT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def to_number(raw: object) -> float | None:
    """Return a finite number, also from text in plain decimal notation, or None for anything else."""
    if isinstance(raw, str) and _NUMERIC_TEXT.fullmatch(raw):
        number = float(raw)
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            number = float(raw)
        except OverflowError:
            return None
    else:
        return None
    return number if math.isfinite(number) else None


def to_whole(raw: object) -> int | None:
    """Return a whole number, also from text such as "30" or "30.0", or None for anything else."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    number = to_number(raw)
    return int(number) if number is not None and number.is_integer() else None


def shortest(number: float) -> str:
    """Return a number as text, without decimals where none are needed."""
    return str(int(number)) if abs(number) < 1e15 and number == int(number) else repr(number)


def plain(number: float) -> str:
    """Return a number as text for a thing model: like `shortest`, but never with an exponent."""
    return format(Decimal(shortest(number)), "f")
