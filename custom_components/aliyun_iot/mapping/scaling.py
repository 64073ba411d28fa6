"""Conversion of numbers between an entity and a property: inversion, unit or formula, rounding, limits.

A percentage that can be set, such as a brightness, is scaled to the range of a property without unit: to 0–255, or to the
three gears of a fan.
"""

from decimal import Decimal
from functools import lru_cache
from math import isfinite

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import PERCENTAGE
from homeassistant.core import State

from ..alink.model.datatypes import DataType, DoubleType, FloatType, IntType
from ..alink.model.numeric import rounded, rounded_whole, shortest
from .aspect import Aspect, Range, Reason, Refused
from .attributes import device_class
from .binding import NO_CONVERSION, Conversion
from .units import RATIO, converter, counts_steps

NOISE_FREE_DECIMALS = 9
"""Decimals that are the same after a unit conversion and back; further ones are floating-point noise."""

MAX_STEPS = 32
"""The largest maximum of a property that counts steps, such as the gears of a fan or the steps of a volume."""

FULL_SCALES = frozenset({254, 255, 1000, 65535})
"""Maximums that stand for 100 %: Zigbee levels, one byte, tenths of a percent, two bytes."""


def to_property(value: float, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> float:
    """Return the property's number for an entity's number; raises `Refused`.

    It is rounded to `digits`, else to the decimals of the thing model's step (0.5 has one). The step itself isn't
    enforced.
    """
    if conversion.invert:
        value = _mirrored(value, aspect, state)
    if conversion is not NO_CONVERSION and has_formula(conversion):
        value = value * conversion.scale + conversion.offset
    elif aspect.writable and (whole := full_scale(aspect, data_type, conversion, state)):
        value = value * whole / 100
    else:
        source, target = entity_unit(aspect, state), property_unit(data_type, conversion)
        value = value if source == target else in_unit(value, source, target, conversion, device_class(state))
    return _within(_rounded(value, data_type, conversion.digits), data_type, clamp=conversion.clamp)


def to_entity(value: float, aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> float:
    """Return the entity's number for a property's number; raises `Refused`."""
    if conversion is not NO_CONVERSION and has_formula(conversion):
        value = (value - conversion.offset) / conversion.scale
    elif aspect.writable and (whole := full_scale(aspect, data_type, conversion, state)):
        value = value * 100 / whole
    else:
        source, target = property_unit(data_type, conversion), entity_unit(aspect, state)
        value = value if source == target else in_unit(value, source, target, conversion, device_class(state))
    if conversion.invert:
        value = _mirrored(value, aspect, state)
    value = noise_free(value)
    limits = aspect.range(state)
    return limits.clamp(value) if conversion.clamp and limits else value


def entity_unit(aspect: Aspect, state: State) -> str | None:
    """Return the unit of an aspect; a power factor without unit is a ratio for Home Assistant, 1 is 100 %."""
    unit = aspect.unit(state)
    return RATIO if unit is None and device_class(state) == SensorDeviceClass.POWER_FACTOR else unit


def property_unit(data_type: DataType | None, conversion: Conversion = NO_CONVERSION) -> str | None:
    """Return the unit from the thing model, or else from the binding."""
    stated = data_type.unit if isinstance(data_type, IntType | FloatType | DoubleType) else ""
    return stated or conversion.unit or None


def has_formula(conversion: Conversion) -> bool:
    """Return whether a formula replaces the conversion between units."""
    return conversion.scale != 1 or conversion.offset != 0


def in_unit(
    value: float, source: str | None, target: str | None, conversion: Conversion, device_class: str | None = None
) -> float:
    """Return a number in another unit, unchanged where a side has none; raises `Refused` if it can't be converted."""
    if source is None or target is None or conversion.same_unit:
        return value
    convert = converter(source, target, device_class)
    if convert is None:
        raise Refused(
            Reason.NOT_SUPPORTED,
            (
                "{source} can't be converted to {target}: the binding needs a scale or has to say that they are the same unit",
                "{source} 无法换算为 {target}：请在绑定中填写倍率，或勾选“单位相同”",
            ),
            source=source,
            target=target,
        )
    try:
        return convert(value)
    except (OverflowError, TypeError, ZeroDivisionError) as err:
        # The Beaufort scale is a root, which negative numbers don't have; 0 K can't be converted to mired.
        raise Refused(
            Reason.OUT_OF_RANGE,
            ("{value} {source} can't be converted to {target}", "{value} {source} 无法换算为 {target}"),
            value=shortest(value),
            source=source,
            target=target,
        ) from err


def noise_free(value: float) -> float:
    """Return a number without floating-point noise; raises `Refused` if it isn't finite."""
    if not isfinite(value):
        raise Refused(Reason.OUT_OF_RANGE, ("{value} is not a finite number", "{value} 不是有限的数"), value=value)
    return round(value, NOISE_FREE_DECIMALS) if abs(value) >= 1 else float(f"{value:.{NOISE_FREE_DECIMALS}g}")


def full_scale(aspect: Aspect, data_type: DataType, conversion: Conversion, state: State) -> float | None:
    """Return the property's value for 100 % of an aspect that can be set, such as 255; None if the property is in percent.

    A property with a unit is in that unit, except that gears have one in some thing models. Any range that could be
    percent, such as 0 to 90, is taken for percent.
    """
    if not isinstance(data_type, IntType | FloatType | DoubleType) or conversion.same_unit:
        return None
    unit = property_unit(data_type, conversion)
    if (unit and not counts_steps(unit)) or aspect.unit(state) != PERCENTAGE:
        return None
    limits = aspect.range(state)
    if limits is None or (limits.min, limits.max) != (0, 100):
        return None
    low, high = data_type.min, data_type.max
    if low is None or high is None or low < 0:
        return None
    return high if high in FULL_SCALES or (low <= 1 and 1 <= high <= MAX_STEPS) else None


def _mirrored(value: float, aspect: Aspect, state: State) -> float:
    limits = aspect.range(state)
    if limits is None or limits.min is None or limits.max is None:
        raise Refused(
            Reason.NOT_SUPPORTED,
            ("{entity} has no range to invert {aspect} in", "{entity} 没有取值范围，{aspect}无法反转"),
            entity=state.entity_id,
            aspect=(aspect.name_en, aspect.name_zh),
        )
    return limits.min + limits.max - value


def _rounded(value: float, data_type: DataType, digits: int | None) -> float:
    value = noise_free(value)
    if digits is not None:
        value = rounded(value, digits)
    if isinstance(data_type, IntType):
        return rounded_whole(value)
    if digits is None and isinstance(data_type, FloatType | DoubleType) and data_type.step:
        return rounded(value, decimals(data_type.step))
    return value


def _within(value: float, data_type: DataType, *, clamp: bool) -> float:
    if not isinstance(data_type, IntType | FloatType | DoubleType):
        return value
    low, high = data_type.min, data_type.max
    if (low is None or value >= low) and (high is None or value <= high):
        return value
    if clamp:
        return Range(low, high).clamp(value)
    raise Refused(
        Reason.OUT_OF_RANGE,
        ("the property takes {wanted}, {value} is outside", "属性只接受{wanted}，{value} 超出范围"),
        wanted=data_type.describe,
        value=shortest(value),
    )


@lru_cache(maxsize=64)
def decimals(step: float) -> int:
    """Return the decimals of a step: 0.5 has one, 1 and 10 have none."""
    exponent = Decimal(repr(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
