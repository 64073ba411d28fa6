"""Units of both sides: which of them are the same, and how others are converted into each other.

Home Assistant's converters come first. Units that it doesn't have, but the console offers, are multiples of one that it has.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import pi
from typing import Final

from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.util.unit_conversion import (
    ApparentPowerConverter,
    AreaConverter,
    BaseUnitConverter,
    BloodGlucoseConcentrationConverter,
    ConductivityConverter,
    DataRateConverter,
    DistanceConverter,
    DurationConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    EnergyConverter,
    EnergyDistanceConverter,
    FrequencyConverter,
    InformationConverter,
    MassConverter,
    MassVolumeConcentrationConverter,
    PowerConverter,
    PressureConverter,
    RadiationConcentrationConverter,
    ReactiveEnergyConverter,
    ReactivePowerConverter,
    SpeedConverter,
    TemperatureConverter,
    UnitlessRatioConverter,
    VolumeConverter,
    VolumeFlowRateConverter,
)

from .unit_names import UnitNames

type Convert = Callable[[float], float]

CONVERTERS: Final[tuple[type[BaseUnitConverter], ...]] = (
    ApparentPowerConverter,
    AreaConverter,
    BloodGlucoseConcentrationConverter,
    ConductivityConverter,
    DataRateConverter,
    DistanceConverter,
    DurationConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    EnergyConverter,
    EnergyDistanceConverter,
    FrequencyConverter,
    InformationConverter,
    MassConverter,
    MassVolumeConcentrationConverter,
    PowerConverter,
    PressureConverter,
    RadiationConcentrationConverter,
    ReactiveEnergyConverter,
    ReactivePowerConverter,
    SpeedConverter,
    TemperatureConverter,
    UnitlessRatioConverter,
    VolumeConverter,
    VolumeFlowRateConverter,
)
"""The converters that need to know nothing but the units; those for the ppm of a gas need a device class."""

KELVIN: Final = "K"
MIRED: Final = "mired"
MEGA: Final = 1_000_000

RATIO: Final = "1"
"""The unit of a number without unit that Home Assistant takes for a ratio, such as a power factor of 0.95."""

STEPS: Final = "gear"
"""The unit of gears and levels, which 100 % has as many of as the property's range."""

MULTIPLES: Final[Mapping[str, Mapping[str, float]]] = {
    "%": {"‰": 0.1, RATIO: 100},
    "A": {"kA": 1e3, "nA": 1e-9},
    "Ah": {"mAh": 1e-3, "C": 1 / 3600},
    "Bq/m³": {"Bq/L": 1e3},
    "F": {"mF": 1e-3, "μF": 1e-6, "nF": 1e-9, "pF": 1e-12},
    "H": {"mH": 1e-3, "μH": 1e-6},
    "J": {"BTU": 1055.05585262, "eV": 1.602176634e-19, "thm": 1.054804e8},
    "N": {"kN": 1e3, "mN": 1e-3, "kgf": 9.80665},
    "N·m": {"kN·m": 1e3, "mN·m": 1e-3},
    "Nm³/h": {"Nm³/min": 60, "Nm³/s": 3600},
    "Pa": {"MPa": 1e6, "GPa": 1e9, "atm": 101325, "mmH₂O": 9.80665, "mH₂O": 9806.65, "kgf/cm²": 98066.5},
    "Pa·s": {"mPa·s": 1e-3, "cP": 1e-3},
    "S": {"mS": 1e-3, "μS": 1e-6},
    "S/cm": {"S/m": 1e-2, "dS/m": 1e-3, "mS/m": 1e-5, "μS/m": 1e-8},
    "T": {"mT": 1e-3, "μT": 1e-6, "nT": 1e-9, "Gs": 1e-4},
    "V/m": {"kV/m": 1e3, "mV/m": 1e-3, "N/C": 1},
    "VA": {"MVA": 1e6},
    "VAh": {"kVAh": 1e3},
    "W": {"μW": 1e-6, "kcal/h": 1.163},
    "W/m²": {"kW/m²": 1e3, "mW/m²": 1e-3, "mW/cm²": 10, "μW/cm²": 1e-2, "BTU/(h⋅ft²)": 3.15459074506305},
    "g": {"t": 1e6, "ng": 1e-9, "斤": 500, "两": 50},
    "kg/h": {"kg/s": 3600, "kg/min": 60, "t/h": 1e3, "g/s": 3.6, "g/min": 0.06, "g/h": 1e-3},
    "lx": {"klx": 1e3},
    "m": {"dm": 0.1, "μm": 1e-6, "nm": 1e-9},
    "m/s": {"cm/s": 1e-2, "km/s": 1e3, "m/h": 1 / 3600, "mm/min": 1e-3 / 60, "ft/min": 0.00508},
    "m/s²": {"grav": 9.80665},
    "mg/kg": {"g/kg": 1e3, "μg/kg": 1e-3},
    "mmol/L": {"mol/L": 1e3, "μmol/L": 1e-3},
    "mol": {"mmol": 1e-3, "μmol": 1e-6},
    "month": {"y": 12},
    "m²": {"dm²": 1e-2, "亩": 2000 / 3},
    "m²/s": {"mm²/s": 1e-6, "cSt": 1e-6},
    "m³": {"km³": 1e9, "dm³": 1e-3, "cm³": 1e-6, "mm³": 1e-9, "dL": 1e-4},
    "m³/h": {
        "m³/d": 1 / 24,
        "km³/s": 3.6e12,
        "km³/h": 1e9,
        "cm³/s": 3.6e-3,
        "cm³/min": 6e-5,
        "cm³/h": 1e-6,
        "L/d": 1e-3 / 24,
        "mL/min": 6e-5,
        "mL/h": 1e-6,
    },
    "rpm": {"r/s": 60, "rad/s": 30 / pi},
    "s": {"ns": 1e-9},
    "var": {"Mvar": 1e6},
    "varh": {"Mvarh": 1e6},
    "Ω": {"mΩ": 1e-3, "kΩ": 1e3, "MΩ": 1e6},
    "°": {"rad": 180 / pi, "′": 1 / 60, "″": 1 / 3600},
    "μSv/h": {"mSv/h": 1e3, "nSv/h": 1e-3},
    "μg/m³": {
        "kg/m³": 1e9,
        "ng/m³": 1e-3,
        "g/cm³": 1e12,
        "g/mL": 1e12,
        "g/L": 1e9,
        "mg/mL": 1e9,
        "mg/L": 1e6,
        "μg/L": 1e3,
        "ng/L": 1,
        "μg/ft³": 1 / 0.028316846592,
    },
}
"""Units that Home Assistant 2026.8 can't convert, as multiples of one that it may have."""

_MULTIPLES: Final = {
    unit: (base, factor) for base, multiples in MULTIPLES.items() for unit, factor in multiples.items()
}
_NAMES: Final = UnitNames(
    [
        *(str(unit) for each in (*CONVERTERS, *UNIT_CONVERTERS.values()) for unit in each.VALID_UNITS if unit),
        *MULTIPLES,
        *_MULTIPLES,
        MIRED,
    ]
)


@lru_cache(maxsize=2048)
def converter(source: str, target: str, device_class: str | None = None) -> Convert | None:
    """Return the function that converts a number from one unit into another, None if it can't be converted.

    It can't if either unit isn't known, both measure different things, or a spelling can mean several units that could be
    converted. The `device_class` of the entity tells a temperature from a difference of temperatures, and gases apart.
    """
    sources, targets = _NAMES.meant_by(source), _NAMES.meant_by(target)
    by_class = UNIT_CONVERTERS.get(device_class)
    found = [convert for one in sources for other in targets if (convert := _between(one, other, by_class))]
    if sources == targets or (found and all(convert is _unchanged for convert in found)):
        return _unchanged
    return found[0] if len(found) == 1 else None


def same(unit: str, other: str) -> bool:
    """Return whether two spellings mean the same unit."""
    return converter(unit, other) is _unchanged


def counts_steps(unit: str) -> bool:
    """Return whether a unit counts gears or levels."""
    return STEPS in _NAMES.meant_by(unit)


def quantities() -> Mapping[str, tuple[str, ...]]:
    """Return the units that can be converted into each other, by a key for what they measure.

    It is the name of Home Assistant's converter, or else the first unit. The units of the converters that need a device
    class are not among them.
    """
    table: dict[str, tuple[str, ...]] = {}
    for each in CONVERTERS:
        units = sorted(str(unit) for unit in each.VALID_UNITS if unit)
        table[each.UNIT_CLASS] = (
            *units,
            *(unit for base in units for unit in MULTIPLES.get(base, ()) if unit not in units),
        )
    listed = {unit for units in table.values() for unit in units}
    table |= {base: (base, *multiples) for base, multiples in MULTIPLES.items() if base not in listed}
    return table


def _unchanged(value: float) -> float:
    return value


def _between(source: str, target: str, by_class: type[BaseUnitConverter] | None) -> Convert | None:
    """Return the conversion between two units in the usual spelling."""
    if source == target:
        return _unchanged
    if {source, target} == {KELVIN, MIRED}:
        return lambda value: MEGA / value
    for candidate in (by_class, *CONVERTERS):
        if candidate and source in candidate.VALID_UNITS and target in candidate.VALID_UNITS:
            return candidate.converter_factory(source, target)
    (source_base, source_size), (target_base, target_size) = (
        _MULTIPLES.get(unit, (unit, 1.0)) for unit in (source, target)
    )
    between = None if (source_base, target_base) == (source, target) else _between(source_base, target_base, by_class)
    return between and (lambda value: between(value * source_size) / target_size)
