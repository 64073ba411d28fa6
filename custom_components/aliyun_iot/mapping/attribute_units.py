"""The units of attributes that Home Assistant defines: a state has them in another attribute, or in none."""

from collections.abc import Callable, Mapping
from typing import Final

from homeassistant.const import DEGREE, UnitOfLength, UnitOfTemperature
from homeassistant.core import State

from .attributes import percent, seconds, system_temperature_unit, text_of

type UnitReader = Callable[[State], str | None]


def _all(reader: UnitReader, *names: str) -> Mapping[str, UnitReader]:
    return dict.fromkeys(names, reader)


def _fixed(unit: str) -> UnitReader:
    return lambda _: unit


_PLACE: Final = {
    **_all(_fixed(DEGREE), "latitude", "longitude"),
    **_all(_fixed(UnitOfLength.METERS), "altitude", "gps_accuracy", "radius"),
}
_TEMPERATURES: Final = _all(
    system_temperature_unit,
    "current_temperature",
    "max_temp",
    "min_temp",
    "target_temp_high",
    "target_temp_low",
    "temperature",
)
_HUMIDITIES: Final = _all(percent, "current_humidity", "humidity", "max_humidity", "min_humidity")
_POSITIONS: Final = _all(percent, "current_position", "current_tilt_position")

_UNITS: Final[Mapping[str, Mapping[str, UnitReader]]] = {
    "climate": {**_TEMPERATURES, **_HUMIDITIES},
    "cover": _POSITIONS,
    "device_tracker": _PLACE,
    "fan": _all(percent, "percentage", "percentage_step"),
    "humidifier": _HUMIDITIES,
    "light": _all(
        _fixed(UnitOfTemperature.KELVIN), "color_temp_kelvin", "max_color_temp_kelvin", "min_color_temp_kelvin"
    ),
    "media_player": _all(seconds, "media_duration", "media_position"),
    "person": _PLACE,
    "sun": _all(_fixed(DEGREE), "azimuth", "elevation"),
    "valve": _POSITIONS,
    "water_heater": _TEMPERATURES,
    "weather": {
        **_all(text_of("temperature_unit"), "apparent_temperature", "dew_point"),
        **_all(text_of("wind_speed_unit"), "wind_gust_speed"),
        **_all(percent, "cloud_coverage", "humidity"),
        **_all(_fixed(DEGREE), "wind_bearing"),
    },
    "zone": _PLACE,
}


def attribute_unit(state: State, name: str) -> str | None:
    """Return the unit of an attribute: that in an attribute like `pressure_unit`, or else the one of this domain."""
    if unit := text_of(f"{name}_unit")(state):
        return unit
    reader = percent if name == "battery_level" else _UNITS.get(state.domain, {}).get(name)
    return reader(state) if reader else None
