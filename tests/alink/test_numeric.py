"""Numbers: which text is one, how they are rounded, and which bounds are none."""

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.model.numeric import rounded, rounded_whole, to_bound, to_number, to_whole
from custom_components.aliyun_iot.mapping.attributes import number

NO_NUMBERS = [
    "1_000",
    "١٢",
    "１２",
    "²",
    "½",
    " 5 ",
    "5 ",
    "\t5",
    "5\n",
    "\u00a05",
    "inf",
    "-inf",
    "Infinity",
    "nan",
    "NaN",
    "0x10",
    "0b1",
    "1e",
    "e3",
    "1,5",
    "1 000",
    "−5",
    "--5",
    "5%",
    ".",
    "+",
    "",
    "1e999",
    "True",
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_text_that_only_looks_like_a_number_to_python(text: str) -> None:
    """It is no number on the wire, in a thing model, a state or an attribute."""
    assert to_number(text) is None
    assert to_whole(text) is None
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("5.5", 5.5),
        (".5", 0.5),
        ("5.", 5),
        ("007", 7),
        ("1e3", 1000),
        ("1.5E-3", 0.0015),
    ],
)
def test_numbers_as_people_write_them(text: str, value: float) -> None:
    """Home Assistant's states are numbers as text."""
    assert to_number(text) == value
    assert number(text) == value


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, True, None, [1], b"5"])
def test_other_values_are_no_numbers(value: object) -> None:
    """Nor are numbers that no float can hold."""
    assert to_number(value) is None


@pytest.mark.parametrize(
    ("value", "decimals", "result"),
    [
        (22.5, 0, 23),
        (23.5, 0, 24),
        (-22.5, 0, -23),
        (0.5, 0, 1),
        (-0.5, 0, -1),
        (22.49, 0, 22),
        (2.675, 2, 2.68),
        (1.005, 2, 1.01),
        (-1.005, 2, -1.01),
        (0.285, 2, 0.29),
        (5e-324, 9, 0),
        (-5e-324, 9, 0),
        (1e300, 2, 1e300),
        (123456789.987654321, 3, 123456789.988),
        (7, 2, 7),
    ],
)
def test_halves_are_rounded_away_from_zero(value: float, decimals: int, result: float) -> None:
    """As people do, by the decimals that are written: not to the even number, and without binary noise."""
    assert rounded(value, decimals) == result
    assert str(rounded(value, decimals)) != "-0.0"


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 20))
def test_rounding_loses_at_most_half_a_unit(value: float, decimals: int) -> None:
    """Of any number; to no decimals it gives an integer."""
    assert abs(rounded(value, decimals) - value) <= 0.5000001 * 10**-decimals
    assert rounded(rounded(value, decimals), decimals) == rounded(value, decimals)
    assert isinstance(rounded_whole(value), int)


@pytest.mark.parametrize(
    "text",
    [
        "4.9E-324",
        "1.4E-45",
        "1.401298464324817E-45",
        "1.17549435E-38",
        "2.2250738585072014E-308",
        "3.4E38",
        "3.4028235E38",
        "1.797E308",
        "1.7976931348623157E308",
    ],
)
def test_limits_of_number_types_are_no_bounds(text: str) -> None:
    """With either sign; programs take the smallest positive number for the lowest one."""
    assert to_bound(to_number(text)) is None
    assert to_bound(to_number(f"-{text}")) is None


@pytest.mark.parametrize("value", [0, -0.0, 1e-30, -1e-30, 1e30, 2147483647, -2147483648, 0.001])
def test_other_bounds_are_kept(value: float) -> None:
    """Zero above all."""
    assert to_bound(value) == value
    assert to_bound(None) is None
