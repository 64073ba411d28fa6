"""Colours: a structure of three numbers (`mapping/color.py`), or text like `#FF7800`."""

import re

from ...alink.model.datatypes import DataType, StructType, TextType, Value as CloudValue
from ...alink.model.numeric import rounded_whole
from ..aspect import Color
from ..color import COLOR_MAX, color_members
from .text import misfit, text_to_cloud

HEX_COLOR = re.compile("#?[0-9A-Fa-f]{6}")


def color_to_cloud(color: Color, data_type: DataType) -> CloudValue:
    """Return a colour as a structure or as text."""
    if not isinstance(data_type, StructType):
        return text_to_cloud("#{:02X}{:02X}{:02X}".format(*map(round, color)), data_type)
    members = color_members(data_type)
    if members is None:
        raise misfit(color, data_type)
    return members.write(color)


def color_to_ha(value: CloudValue, data_type: DataType) -> Color:
    """Return the colour of a structure or text."""
    color: Color | None = None
    if isinstance(data_type, StructType) and isinstance(value, dict) and (members := color_members(data_type)):
        color = members.read(value)
    elif isinstance(data_type, TextType) and isinstance(value, str):
        color = color_of([*hex_parts(value)])
    if color is None:
        raise misfit(value, data_type)
    return color


def hex_parts(text: str) -> bytes:
    """Return the three bytes of text like `#FF7800`, none if it is no colour."""
    return bytes.fromhex(text.removeprefix("#")) if HEX_COLOR.fullmatch(text) else b""


def color_of(parts: list[float | None]) -> Color | None:
    """Return the colour of three numbers from 0 to 255, None if they aren't."""
    match [rounded_whole(part) for part in parts if part is not None and 0 <= part <= COLOR_MAX]:
        case [red, green, blue]:
            return red, green, blue
        case _:
            return None
