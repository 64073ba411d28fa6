"""Numbers on their way between an entity and a property: mirror, unit or scale, rounding, limits.

What can be set in percent, such as a brightness, is told to a property that counts to 255 in 255ths, to one with three
gears in thirds.
"""

from decimal import Decimal
from functools import lru_cache
from math import isfinite

from homeassistant.const import PERCENTAGE
from homeassistant.core import State

from ..alink.model.datatypes import DataType, DoubleType, FloatType, IntType
from .aspect import Aspect, Range, Reason, Refused
from .attributes import device_class
from .binding import NO_CONVERSION, Conversion
from .units import converter

TEMPERATURE_DIFFERENCE = "temperature_delta"
NOISE_FREE_DECIMALS = 9
"""Decimals that survive a unit conversion and back; what comes after them is noise of binary fractions."""

MOST_STEPS = 32
"""Properties that count no further than this count steps, such as the gears of a fan or the marks of a volume knob."""

FULL_SCALES = frozenset({254, 255, 1000, 65535})
"""To what others count, beyond percent: the levels of Zigbee, a byte, tenths of a percent, two bytes."""


def to_property(value: float, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> float:
    """Return the number that a property says for the entity's; raises `Refused`.

    It is rounded to `digits`, else to as many decimals as the step of the thing model has (0.5 has one). The step
    itself isn't enforced.
    """
    if conversion.invert:
        value = _mirrored(value, aspect, state)
    if has_formula(conversion):
        value = value * conversion.scale + conversion.offset
    elif whole := _whole(aspect, data_type, conversion, state):
        value = value * whole / 100
    else:
        value = _in_unit(value, aspect.unit(state), property_unit(data_type, conversion), state)
    return _within(_rounded(value, data_type, conversion.digits), data_type, clamp=conversion.clamp)


def to_entity(value: float, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> float:
    """Return the number that an entity takes for the property's; raises `Refused`."""
    if has_formula(conversion):
        value = (value - conversion.offset) / conversion.scale
    elif whole := _whole(aspect, data_type, conversion, state):
        value = value * 100 / whole
    else:
        value = _in_unit(value, property_unit(data_type, conversion), aspect.unit(state), state)
    if conversion.invert:
        value = _mirrored(value, aspect, state)
    value = noise_free(value)
    limits = aspect.range(state)
    return limits.clamp(value) if conversion.clamp and limits else value


def property_unit(data_type: DataType, conversion: Conversion = NO_CONVERSION) -> str | None:
    """Return the unit that the thing model states, or else the binding."""
    stated = data_type.unit if isinstance(data_type, IntType | FloatType | DoubleType) else ""
    return stated or conversion.unit or None


def has_formula(conversion: Conversion) -> bool:
    """Tell whether a formula replaces the conversion between units."""
    return conversion.scale != 1 or conversion.offset != 0


def noise_free(value: float) -> float:
    """Return a number without the noise of binary fractions; raises `Refused` if it isn't finite."""
    if not isfinite(value):
        raise Refused(Reason.OUT_OF_RANGE, f"{value} is not a finite number")
    return round(value, NOISE_FREE_DECIMALS) if abs(value) >= 1 else float(f"{value:.{NOISE_FREE_DECIMALS}g}")


def _whole(aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> float | None:
    """Return what a property says for 100 % of something that can be set, such as 255; None if it says percent.

    A property with a unit means that. Whatever else could still be percent, such as 0 to 90, is taken for it.
    """
    if not aspect.writable or not isinstance(data_type, IntType | FloatType | DoubleType):
        return None
    if property_unit(data_type, conversion) or aspect.unit(state) != PERCENTAGE:
        return None
    share = aspect.range(state)
    if share is None or (share.min, share.max) != (0, 100):
        return None
    low, high = data_type.min, data_type.max
    if low is None or high is None or low < 0:
        return None
    return high if high in FULL_SCALES or (low <= 1 and 1 <= high <= MOST_STEPS) else None


def _in_unit(value: float, source: str | None, target: str | None, state: State) -> float:
    if source is None or target is None or source == target:
        return value
    convert = converter(source, target, difference=device_class(state) == TEMPERATURE_DIFFERENCE)
    if convert is None:
        return value
    try:
        return convert(value)
    except (OverflowError, TypeError, ZeroDivisionError) as err:
        # The Beaufort scale is a root, which negative numbers do not have; 0 K is no number of mireds.
        raise Refused(Reason.OUT_OF_RANGE, f"{value} {source} can't be said in {target}") from err


def _mirrored(value: float, aspect: Aspect, state: State) -> float:
    limits = aspect.range(state)
    if limits is None or limits.min is None or limits.max is None:
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} has no range in which {aspect.key} could be inverted")
    return limits.min + limits.max - value


def _rounded(value: float, data_type: DataType, digits: int | None) -> float:
    value = noise_free(value)
    if digits is not None:
        value = round(value, digits)
    if isinstance(data_type, IntType):
        return round(value)
    if digits is None and isinstance(data_type, FloatType | DoubleType) and data_type.step:
        return round(value, _decimals(data_type.step))
    return value


def _within(value: float, data_type: DataType, *, clamp: bool) -> float:
    if not isinstance(data_type, IntType | FloatType | DoubleType):
        return value
    limits = Range(data_type.min, data_type.max)
    if limits.holds(value):
        return value
    if clamp:
        return limits.clamp(value)
    raise Refused(Reason.OUT_OF_RANGE, f"the property takes {data_type.describe()}, {value} is outside")


@lru_cache(maxsize=64)
def _decimals(step: float) -> int:
    exponent = Decimal(repr(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
