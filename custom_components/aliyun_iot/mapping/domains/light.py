"""Lights: power, brightness in percent, colour temperature in kelvin, colour, white, effect, flashing.

The values of one `property/set` become one action: off wins over everything else, a brightness of 0 is off and so is
black, any other value turns the light on. So `{LightSwitch: 0, Brightness: 50}` is off, and the brightness is not
remembered. Home Assistant takes one colour field per call (`LIGHT_TURN_ON_SCHEMA`), so only one of colour, colour temperature
and white can be set at once. A light that is off has no brightness and no colour: nothing is reported, and the cloud keeps the
last values.

There are two aspects for the colour. `color` is the colour at full brightness, like `rgb_color`. `hsv` is `HSVColor` of
the standard thing models: hue, saturation, and the brightness as value; a brightness in the same `property/set` wins.

`white` is the brightness of a colour light in its white mode. Setting it leaves the colour; it has no value in another mode.
"""

from collections.abc import Mapping

from homeassistant.components.light import ATTR_FLASH, ATTR_WHITE, FLASH_LONG, FLASH_SHORT
from homeassistant.components.light.const import (
    COLOR_MODES_BRIGHTNESS,
    COLOR_MODES_COLOR,
    DEFAULT_MAX_KELVIN,
    DEFAULT_MIN_KELVIN,
    ColorMode,
    LightEntityCapabilityAttribute as Capability,
    LightEntityFeature,
    LightEntityStateAttribute as Attribute,
)
from homeassistant.const import SERVICE_TURN_ON, UnitOfTemperature
from homeassistant.core import State

from ...alink.model.numeric import rounded, rounded_whole
from ..aspect import ActionCall, Aspect, Color, Domain, FromAttributes, Kind, Range, Reason, Refused, Value
from ..attributes import (
    PERCENT_RANGE,
    fixed_range,
    has_feature,
    number,
    number_of,
    percent,
    text,
    text_of,
    texts,
    texts_of,
)
from ..color import COLOR_MAX, HSV as HSV_STRUCT, HUE, PERCENT, color_hsv, hsv_color
from ..on_off import POWER, power_aspect, turn

NAME = "light"
BRIGHTNESS = "brightness"
COLOR_TEMPERATURE = "color_temp"
COLOR = "color"
HSV = "hsv"
EFFECT = "effect"
WHITE = "white"
FLASH = "flash"

MIN_PERCENT = 0.51
"""The lowest brightness of a light that is on; rounded it is 1 %, and 1 of 255 too."""

JUST_BELOW = 4e-10
"""Too little to be left in a percentage after `scaling.noise_free`, but not in a 255th."""


def _modes(state: State) -> tuple[str, ...]:
    return texts(state.attributes.get(Capability.SUPPORTED_COLOR_MODES))


def _has_color(state: State) -> bool:
    return not COLOR_MODES_COLOR.isdisjoint(_modes(state))


@FromAttributes
def _brightness(state: State) -> float | None:
    level = number(state.attributes.get(Attribute.BRIGHTNESS))
    return None if level is None else to_percent(level)


@FromAttributes
def _white(state: State) -> float | None:
    is_white = state.attributes.get(Attribute.COLOR_MODE) == ColorMode.WHITE
    return _brightness(state) if is_white else None


def _kelvin_range(state: State) -> Range:
    low, high = (
        number(state.attributes.get(name))
        for name in (Capability.MIN_COLOR_TEMP_KELVIN, Capability.MAX_COLOR_TEMP_KELVIN)
    )
    return Range(low or DEFAULT_MIN_KELVIN, high or DEFAULT_MAX_KELVIN, 1)


def _color_parts(state: State, name: str, *limits: float) -> list[float]:
    """Return the numbers of a colour attribute, none unless the light is in a colour mode and all are within limits."""
    mode, raw = text(state.attributes.get(Attribute.COLOR_MODE)), state.attributes.get(name)
    if mode not in COLOR_MODES_COLOR or not isinstance(raw, list | tuple) or len(raw) != len(limits):
        return []
    parts = zip(map(number, raw), limits, strict=True)
    within = [part for part, limit in parts if part is not None and 0 <= part <= limit]
    return within if len(within) == len(limits) else []


@FromAttributes
def _color(state: State) -> Color | None:
    match _color_parts(state, Attribute.RGB_COLOR, COLOR_MAX, COLOR_MAX, COLOR_MAX):
        case [red, green, blue]:
            return int(red), int(green), int(blue)
        case _:
            return None


@FromAttributes
def _hsv(state: State) -> Color | None:
    brightness = _brightness(state)
    match _color_parts(state, Attribute.HS_COLOR, HUE, PERCENT):
        case [hue, saturation] if brightness is not None and brightness <= PERCENT:
            return hsv_color(hue, saturation, brightness)
        case _:
            return None


def to_percent(level: float) -> float:
    """Convert Home Assistant's 0-255 to percent, to an integer if that converts back to the same level.

    A light that is on is never 0 %, also after rounding to integers or to 255ths.
    """
    whole = max(1, rounded_whole(level / 255 * 100)) if level > 0 else 0
    if to_level(whole) != level:
        return max(MIN_PERCENT, level / 255 * 100)
    # 30 % lies between two levels; a property of 255 steps, which rounds halves up, has to get the lower one, too.
    return whole - JUST_BELOW if whole * 255 / 100 - level == 0.5 else whole


def to_level(value: float) -> int:
    """Convert percent to 0-255; more than 0 % never becomes 0, and `to_percent` converts integers back.

    Halves are rounded as Home Assistant rounds its own percentages: 30 % is 76.
    """
    return max(1, round(value * 255 / 100)) if value > 0 else 0


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if sum(key in values for key in (COLOR, HSV, COLOR_TEMPERATURE, WHITE)) > 1:
        raise Refused(Reason.CONFLICT, "a light takes a colour, a colour temperature or white, not several at once")
    brightness = values.get(BRIGHTNESS, values.get(WHITE))
    data: dict[str, object] = {}
    if isinstance(value := values.get(COLOR_TEMPERATURE), int | float):
        data[Attribute.COLOR_TEMP_KELVIN.value] = rounded_whole(value)
    if wanted := _wanted_color(values, COLOR):
        data[Attribute.RGB_COLOR.value] = parts = [rounded_whole(part) for part in wanted]
        # Home Assistant uses only hue and saturation of a colour, so black would turn the light on white.
        brightness = 0 if brightness is None and not any(parts) else brightness
    if wanted := _wanted_color(values, HSV):
        hue, saturation, level = color_hsv(wanted)
        data[Attribute.HS_COLOR.value] = [rounded(hue, 3), rounded(saturation, 3)]
        brightness = level if brightness is None else brightness
    if EFFECT in values:
        data[Attribute.EFFECT.value] = values[EFFECT]
    if FLASH in values:
        data[ATTR_FLASH] = values[FLASH]
    if values.get(POWER) is False or brightness == 0:
        return [turn(NAME, on=False)]
    if isinstance(brightness, int | float):
        data[ATTR_WHITE if WHITE in values else Attribute.BRIGHTNESS.value] = to_level(brightness)
    return [ActionCall(NAME, SERVICE_TURN_ON, data)]


def _wanted_color(values: Mapping[str, Value], key: str) -> Color | None:
    match values.get(key):
        case (int() | float() as red, int() | float() as green, int() | float() as blue):
            return red, green, blue
        case _:
            return None


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
            supported=_has_color,
            identifiers=("RGBColor", "ColorRGB"),
        ),
        Aspect(
            key=HSV,
            kind=Kind.COLOR,
            name_en="Color and brightness",
            name_zh="颜色和亮度",
            source=_hsv,
            writable=True,
            supported=_has_color,
            alternative=True,
            data_type=HSV_STRUCT,
            identifiers=("HSVColor",),
        ),
        Aspect(
            key=EFFECT,
            kind=Kind.ENUM,
            name_en="Effect",
            name_zh="灯效",
            source=text_of(Attribute.EFFECT),
            writable=True,
            supported=has_feature(LightEntityFeature.EFFECT),
            options=texts_of(Capability.EFFECT_LIST),
            identifiers=("LightEffect", "LightMode", "ColorfulMode"),
        ),
        Aspect(
            key=WHITE,
            kind=Kind.NUMBER,
            name_en="White brightness",
            name_zh="白光亮度",
            source=_white,
            writable=True,
            supported=lambda state: ColorMode.WHITE in _modes(state),
            range=fixed_range(PERCENT_RANGE),
            unit=percent,
            identifiers=("WhiteBrightness", "White"),
        ),
        Aspect(
            key=FLASH,
            kind=Kind.ENUM,
            name_en="Flash",
            name_zh="闪烁",
            source=lambda _: None,
            writable=True,
            supported=has_feature(LightEntityFeature.FLASH),
            options=lambda _: (FLASH_SHORT, FLASH_LONG),
            momentary=True,
            alternative=True,
            identifiers=("Flash", "LightFlash"),
        ),
    ),
    plan=_plan,
)
