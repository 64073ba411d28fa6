"""Numbers, which clouds and thing models write as JSON numbers or as text such as "30.5"."""

from decimal import ROUND_HALF_UP, Decimal
import math
import re

_NUMERIC_TEXT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")

_LARGEST, _SMALLEST = 3.4e38, 1.2e-38
"""Bounds from the one on and down to the other are limits of number types; they are often written with few digits."""


def to_number(raw: object) -> float | None:
    """Return a finite number, also from text, or None for anything else.

    Text is a number in the spellings that people and JSON use: `5`, `-5`, `5.5`, `1e3`. Those that only Python reads
    (`1_000`, `١٢`, `inf`) and text with white space around it are none.
    """
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


def to_bound(number: float | None) -> float | None:
    """Return a minimum, a maximum or a step, or None if it is a limit of the number types of C and Java.

    Such a limit bounds nothing: 3.4028235E38 and 1.7976931348623157E308 are the largest numbers of float and double, and
    1.4E-45, 4.9E-324, 1.17549435E-38 and 2.2250738585072014E-308 are what programs take for the lowest, with any sign.
    """
    if number is None or abs(number) >= _LARGEST or 0 < abs(number) <= _SMALLEST:
        return None
    return number


def rounded(number: float, decimals: int = 0) -> float:
    """Return a finite number rounded as people do it: a half away from zero, so 22.5 is 23 and -22.5 is -23.

    The decimals are those that the number is written with: 2.675 is 2.68, although the binary number is a little less.
    """
    exact = Decimal(repr(number))
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -decimals:
        return number
    return float(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)) + 0.0  # not -0.0


def rounded_whole(number: float) -> int:
    """Return a finite number rounded to an integer, a half away from zero."""
    return int(rounded(number))


def shortest(number: float) -> str:
    """Return a number as text, without decimals where none are needed."""
    return str(int(number)) if abs(number) < 1e15 and number == int(number) else repr(number)


def plain(number: float) -> str:
    """Return a number as text for a thing model: like `shortest`, but never with an exponent."""
    return format(Decimal(shortest(number)), "f")
