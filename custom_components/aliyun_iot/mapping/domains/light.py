"""Lights: power, brightness in percent, colour temperature in kelvin, colour.

What one `property/set` asks of a light becomes one action: off wins over everything else, a brightness of 0 is off, any
other value turns the light on. Home Assistant takes one colour field per call (`LIGHT_TURN_ON_SCHEMA`), so colour and
colour temperature together are refused. A light that is off has no brightness and no colour: nothing is reported, and
the cloud keeps the last one.
"""

from collections.abc import Mapping

from homeassistant.components.light.const import (
    COLOR_MODES_BRIGHTNESS,
    COLOR_MODES_COLOR,
    DEFAULT_MAX_KELVIN,
    DEFAULT_MIN_KELVIN,
    ColorMode,
    LightEntityCapabilityAttribute as Capability,
    LightEntityStateAttribute as Attribute,
)
from homeassistant.const import SERVICE_TURN_ON, UnitOfTemperature
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Color, Domain, Kind, Range, Reason, Refused, Value
from ..attributes import PERCENT_RANGE, fixed_range, number, number_of, percent, text, texts
from ..on_off import POWER, power_aspect, turn

NAME = "light"
BRIGHTNESS = "brightness"
COLOR_TEMPERATURE = "color_temp"
COLOR = "color"


def _modes(state: State) -> tuple[str, ...]:
    return texts(state.attributes.get(Capability.SUPPORTED_COLOR_MODES))


def _brightness(state: State) -> float | None:
    level = number(state.attributes.get(Attribute.BRIGHTNESS))
    return None if level is None else to_percent(level)


def _kelvin_range(state: State) -> Range:
    low, high = (
        number(state.attributes.get(name))
        for name in (Capability.MIN_COLOR_TEMP_KELVIN, Capability.MAX_COLOR_TEMP_KELVIN)
    )
    return Range(low or DEFAULT_MIN_KELVIN, high or DEFAULT_MAX_KELVIN, 1)


def _color(state: State) -> Color | None:
    mode, raw = text(state.attributes.get(Attribute.COLOR_MODE)), state.attributes.get(Attribute.RGB_COLOR)
    if mode not in COLOR_MODES_COLOR or not isinstance(raw, list | tuple) or len(raw) != 3:
        return None
    parts = [part for part in map(number, raw) if part is not None and 0 <= part <= 255]
    return (int(parts[0]), int(parts[1]), int(parts[2])) if len(parts) == 3 else None


def to_percent(level: float) -> int:
    """Convert Home Assistant's 0-255 to percent; a lit lamp never says 0."""
    return max(1, round(level / 255 * 100)) if level > 0 else 0


def to_level(value: float) -> int:
    """Convert percent to 0-255; 1 % and less never becomes 0, and `to_percent` finds whole percents again."""
    return max(1, round(value * 255 / 100)) if value > 0 else 0


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if COLOR in values and COLOR_TEMPERATURE in values:
        raise Refused(Reason.CONFLICT, "a light takes a colour or a colour temperature, not both at once")
    if values.get(POWER) is False or values.get(BRIGHTNESS) == 0:
        return [turn(NAME, on=False)]
    data: dict[str, object] = {}
    if isinstance(value := values.get(BRIGHTNESS), int | float):
        data[Attribute.BRIGHTNESS.value] = to_level(value)
    if isinstance(value := values.get(COLOR_TEMPERATURE), int | float):
        data[Attribute.COLOR_TEMP_KELVIN.value] = round(value)
    if isinstance(value := values.get(COLOR), tuple):
        data[Attribute.RGB_COLOR.value] = list(value)
    return [ActionCall(NAME, SERVICE_TURN_ON, data)]


DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect("LightSwitch", "PowerSwitch"),
        Aspect(
            key=BRIGHTNESS,
            kind=Kind.NUMBER,
            name_en="Brightness",
            name_zh="亮度",
            source=_brightness,
            writable=True,
            supported=lambda state: not COLOR_MODES_BRIGHTNESS.isdisjoint(_modes(state)),
            range=fixed_range(PERCENT_RANGE),
            unit=percent,
            identifiers=("Brightness", "brightness"),
        ),
        Aspect(
            key=COLOR_TEMPERATURE,
            kind=Kind.NUMBER,
            name_en="Color temperature",
            name_zh="色温",
            source=number_of(Attribute.COLOR_TEMP_KELVIN),
            writable=True,
            supported=lambda state: ColorMode.COLOR_TEMP in _modes(state),
            range=_kelvin_range,
            unit=lambda _: UnitOfTemperature.KELVIN,
            identifiers=("ColorTemperature", "colorTemperature"),
        ),
        Aspect(
            key=COLOR,
            kind=Kind.COLOR,
            name_en="Color",
            name_zh="颜色",
            source=_color,
            writable=True,
            supported=lambda state: not COLOR_MODES_COLOR.isdisjoint(_modes(state)),
            identifiers=("RGBColor", "ColorRGB"),
        ),
    ),
    plan=_plan,
)
