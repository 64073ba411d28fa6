"""The current weather, in the units that the entity has in attributes. Forecasts are not part of a state."""

from functools import partial

from homeassistant.components.weather import (
    ATTR_CONDITION_CLEAR_NIGHT,
    ATTR_CONDITION_CLOUDY,
    ATTR_CONDITION_EXCEPTIONAL,
    ATTR_CONDITION_FOG,
    ATTR_CONDITION_HAIL,
    ATTR_CONDITION_LIGHTNING,
    ATTR_CONDITION_LIGHTNING_RAINY,
    ATTR_CONDITION_PARTLYCLOUDY,
    ATTR_CONDITION_POURING,
    ATTR_CONDITION_RAINY,
    ATTR_CONDITION_SNOWY,
    ATTR_CONDITION_SNOWY_RAINY,
    ATTR_CONDITION_SUNNY,
    ATTR_CONDITION_WINDY,
    ATTR_CONDITION_WINDY_VARIANT,
)
from homeassistant.components.weather.const import WeatherEntityStateAttribute as Attribute
from homeassistant.const import DEGREE
from homeassistant.core import State

from ..aspect import Aspect, Domain, FromAttributes, Kind, Range
from ..attributes import PERCENT_RANGE, fixed_range, has_attribute, number, number_of, percent, text, text_of

CONDITIONS = (
    ATTR_CONDITION_CLEAR_NIGHT,
    ATTR_CONDITION_CLOUDY,
    ATTR_CONDITION_EXCEPTIONAL,
    ATTR_CONDITION_FOG,
    ATTR_CONDITION_HAIL,
    ATTR_CONDITION_LIGHTNING,
    ATTR_CONDITION_LIGHTNING_RAINY,
    ATTR_CONDITION_PARTLYCLOUDY,
    ATTR_CONDITION_POURING,
    ATTR_CONDITION_RAINY,
    ATTR_CONDITION_SNOWY,
    ATTR_CONDITION_SNOWY_RAINY,
    ATTR_CONDITION_SUNNY,
    ATTR_CONDITION_WINDY,
    ATTR_CONDITION_WINDY_VARIANT,
)
COMPASS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


@FromAttributes
def _bearing(state: State) -> float | None:
    """Return the wind direction in degrees; some integrations have a compass point instead."""
    raw = state.attributes.get(Attribute.WIND_BEARING)
    point = (text(raw) or "").upper()
    return COMPASS.index(point) * 360 / len(COMPASS) if point in COMPASS else number(raw)


def measurement(
    attribute: Attribute,
    name_en: str,
    name_zh: str,
    *identifiers: str,
    unit: Attribute | None = None,
) -> Aspect:
    """Return the aspect for a numeric attribute; `unit` is the attribute with its unit."""
    return Aspect(
        key=attribute.value,
        kind=Kind.NUMBER,
        name_en=name_en,
        name_zh=name_zh,
        source=number_of(attribute),
        supported=has_attribute(attribute),
        unit=text_of(unit) if unit else lambda _: None,
        identifiers=identifiers,
    )


temperature = partial(measurement, unit=Attribute.TEMPERATURE_UNIT)
wind = partial(measurement, unit=Attribute.WIND_SPEED_UNIT)
share = partial(Aspect, kind=Kind.NUMBER, range=fixed_range(PERCENT_RANGE), unit=percent)

DOMAIN = Domain(
    name="weather",
    aspects=(
        Aspect(
            key="condition",
            kind=Kind.ENUM,
            name_en="Weather",
            name_zh="天气",
            source=lambda state: text(state.state),
            options=lambda _: CONDITIONS,
            identifiers=("WeatherCondition", "Weather"),
        ),
        temperature(Attribute.TEMPERATURE, "Temperature", "温度", "OutdoorTemperature", "Temperature"),
        temperature(Attribute.APPARENT_TEMPERATURE, "Apparent temperature", "体感温度", "ApparentTemperature"),
        temperature(Attribute.DEW_POINT, "Dew point", "露点", "DewPoint"),
        share(
            key=Attribute.HUMIDITY.value,
            name_en="Humidity",
            name_zh="湿度",
            source=number_of(Attribute.HUMIDITY),
            supported=has_attribute(Attribute.HUMIDITY),
            identifiers=("OutdoorHumidity", "Humidity"),
        ),
        measurement(
            Attribute.PRESSURE,
            "Air pressure",
            "气压",
            "AtmosphericPressure",
            "Pressure",
            unit=Attribute.PRESSURE_UNIT,
        ),
        wind(Attribute.WIND_SPEED, "Wind speed", "风速", "WindSpeed"),
        wind(Attribute.WIND_GUST_SPEED, "Gusts of wind", "阵风", "WindGustSpeed"),
        Aspect(
            key=Attribute.WIND_BEARING.value,
            kind=Kind.NUMBER,
            name_en="Wind direction",
            name_zh="风向",
            source=_bearing,
            supported=has_attribute(Attribute.WIND_BEARING),
            range=fixed_range(Range(0, 360)),
            unit=lambda _: DEGREE,
            identifiers=("WindDirection",),
        ),
        measurement(Attribute.VISIBILITY, "Visibility", "能见度", "Visibility", unit=Attribute.VISIBILITY_UNIT),
        share(
            key=Attribute.CLOUD_COVERAGE.value,
            name_en="Cloud cover",
            name_zh="云量",
            source=number_of(Attribute.CLOUD_COVERAGE),
            supported=has_attribute(Attribute.CLOUD_COVERAGE),
            identifiers=("CloudCover",),
        ),
        measurement(Attribute.UV_INDEX, "UV index", "紫外线指数", "UVIndex"),
        measurement(Attribute.OZONE, "Ozone", "臭氧", "Ozone", "O3"),
    ),
)
