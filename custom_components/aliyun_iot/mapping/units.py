"""Units of both sides: other spellings of a unit, and conversion by Home Assistant's converters."""

from collections.abc import Callable
from functools import lru_cache

from homeassistant.const import PERCENTAGE
from homeassistant.util.unit_conversion import (
    AreaConverter,
    BaseUnitConverter,
    DataRateConverter,
    DistanceConverter,
    DurationConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    EnergyConverter,
    FrequencyConverter,
    InformationConverter,
    MassConverter,
    MassVolumeConcentrationConverter,
    PowerConverter,
    PressureConverter,
    SpeedConverter,
    TemperatureConverter,
    TemperatureDeltaConverter,
    VolumeConverter,
    VolumeFlowRateConverter,
)

# Only converters that need to know nothing but the units: ppm depends on the gas.
CONVERTERS: tuple[type[BaseUnitConverter], ...] = (
    AreaConverter,
    DataRateConverter,
    DistanceConverter,
    DurationConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    EnergyConverter,
    FrequencyConverter,
    InformationConverter,
    MassConverter,
    MassVolumeConcentrationConverter,
    PowerConverter,
    PressureConverter,
    SpeedConverter,
    TemperatureConverter,
    VolumeConverter,
    VolumeFlowRateConverter,
)

KELVIN = "K"
MIRED = "mired"
MEGA = 1_000_000

# Spellings in thing models that differ from Home Assistant's.
ALIASES = {
    "℃": "°C",
    "摄氏度": "°C",
    "℉": "°F",
    "华氏度": "°F",
    "百分比": "%",
    "%RH": "%",
    "开尔文": "K",
    "mireds": "mired",
    "Mired": "mired",
    "麦尔德": "mired",
    "瓦": "W",
    "千瓦": "kW",
    "kW·h": "kWh",
    "千瓦时": "kWh",
    "度": "kWh",
    "W·h": "Wh",
    "瓦时": "Wh",
    "伏": "V",
    "伏特": "V",
    "安": "A",
    "安培": "A",
    "帕斯卡": "Pa",
    "百帕": "hPa",
    "千帕": "kPa",
    "赫兹": "Hz",
    "Lux": "lx",
    "lux": "lx",
    "照度": "lx",
    "秒": "s",
    "分钟": "min",
    "小时": "h",
    "day": "d",
    "天": "d",
    "米": "m",
    "毫米": "mm",
    "千克": "kg",
    "升": "L",
    "立方米": "m³",
    "m3": "m³",
    "ug/m3": "μg/m³",
    "ug/m³": "μg/m³",
    "μg/m3": "μg/m³",
    "mg/m3": "mg/m³",
}


def canonical(unit: str) -> str:
    """Return a unit in Home Assistant's spelling, unchanged if it is not known."""
    unit = unit.strip().replace("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")
    return ALIASES.get(unit, unit)


@lru_cache(maxsize=256)
def converter(source: str, target: str, *, difference: bool = False) -> Callable[[float], float] | None:
    """Return a function that converts between two units, None if they are the same or can't be converted.

    For a `difference` of temperatures the zero points of the scales don't matter.
    """
    source, target = canonical(source), canonical(target)
    if source == target:
        return None
    if {source, target} == {KELVIN, MIRED}:
        return lambda value: MEGA / value
    for candidate in CONVERTERS:
        if source in candidate.VALID_UNITS and target in candidate.VALID_UNITS:
            chosen = TemperatureDeltaConverter if difference and candidate is TemperatureConverter else candidate
            return chosen.converter_factory(source, target)
    return None


@lru_cache(maxsize=256)
def contradict(unit: str, other: str) -> bool:
    """Return whether both units are known and measure different quantities."""
    measured = [_measured(canonical(each)) for each in (unit, other)]
    return all(measured) and measured[0].isdisjoint(measured[1])


def _measured(unit: str) -> set[str]:
    """Return the quantities that a unit measures, as names of the converters that have it."""
    if unit == PERCENTAGE:
        return {PERCENTAGE}
    return {each.__name__ for each in CONVERTERS if (KELVIN if unit == MIRED else unit) in each.VALID_UNITS}
