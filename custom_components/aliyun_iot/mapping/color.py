"""Colours as structures of three numbers: red, green and blue, or hue in degrees, saturation and value in percent.

The first letters of the members show which. Conversions between HSV and RGB keep fractions, because 255 steps can't
distinguish the hues of pale and dark colours. White has no hue and black no saturation: both become 0.
"""

from collections.abc import Mapping
import colorsys
from dataclasses import dataclass

from ..alink.model.datatypes import DataType, DoubleType, Field, FloatType, IntType, StructType, Value as CloudValue
from ..alink.model.numeric import rounded, rounded_whole
from .aspect import Color
from .attributes import number

HUE, PERCENT, COLOR_MAX = 360, 100, 255
FRACTION_DIGITS = 3
"""Decimals of reported colours, as Home Assistant rounds them (`homeassistant.util.color`)."""


HSV = StructType(
    {
        name: Field(name, name, IntType(0, limit, 1))
        for name, limit in (("Hue", HUE), ("Saturation", PERCENT), ("Value", PERCENT))
    }
)
"""The structure in the standard thing models."""


@dataclass(frozen=True, slots=True)
class ColorMembers:
    """The three members of a colour structure: red, green, blue, or hue, saturation, value."""

    first: str
    second: str
    third: str
    whole: frozenset[str]
    """The members that are integers."""
    hsv: bool

    def write(self, color: Color) -> dict[str, CloudValue]:
        """Return the colour as a value of the structure."""
        parts = color_hsv(color) if self.hsv else color
        return {
            name: rounded_whole(part) if name in self.whole else rounded(float(part), FRACTION_DIGITS)
            for name, part in zip((self.first, self.second, self.third), parts, strict=True)
        }

    def read(self, value: Mapping[str, CloudValue]) -> Color | None:
        """Return the colour of a value of the structure, None if it isn't one."""
        parts = [number(value.get(name)) for name in (self.first, self.second, self.third)]
        limits = (HUE, PERCENT, PERCENT) if self.hsv else (COLOR_MAX,) * 3
        match [part for part, limit in zip(parts, limits, strict=True) if part is not None and 0 <= part <= limit]:
            case [first, second, third]:
                return (
                    hsv_color(first, second, third)
                    if self.hsv
                    else (rounded_whole(first), rounded_whole(second), rounded_whole(third))
                )
            case _:
                return None


def color_members(data_type: StructType) -> ColorMembers | None:
    """Return the members of a colour structure, None for any other structure."""
    by_letter = {key[:1].casefold(): key for key, member in data_type.members.items() if _numeric(member.data_type)}
    whole = frozenset(key for key, member in data_type.members.items() if isinstance(member.data_type, IntType))
    for letters, hsv in (("rgb", False), ("hsv", True)):
        if len(data_type.members) == 3 and by_letter.keys() == set(letters):
            first, second, third = (by_letter[letter] for letter in letters)
            return ColorMembers(first, second, third, whole, hsv)
    return None


def hsv_color(hue: float, saturation: float, value: float) -> Color:
    """Return red, green and blue, with fractions, for a hue in degrees and a saturation and value in percent."""
    red, green, blue = colorsys.hsv_to_rgb(hue / HUE, saturation / PERCENT, value / PERCENT)
    return red * COLOR_MAX, green * COLOR_MAX, blue * COLOR_MAX


def color_hsv(color: Color) -> tuple[float, float, float]:
    """Return the hue in degrees, saturation and value in percent."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / COLOR_MAX for part in color))
    return hue * HUE, saturation * PERCENT, value * PERCENT


def _numeric(data_type: DataType) -> bool:
    return isinstance(data_type, IntType | FloatType | DoubleType)
