"""Sun and weather: numbers in the units of the entity."""

from datetime import UTC, datetime

from homeassistant.components.weather import ATTR_CONDITION_SUNNY
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import EnumType
from custom_components.aliyun_iot.mapping.binding import Conversion
from custom_components.aliyun_iot.mapping.convert import to_cloud
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..domain_helpers import read

WEATHER = State(
    "weather.home",
    ATTR_CONDITION_SUNNY,
    {
        "temperature": 68,
        "temperature_unit": "°F",
        "apparent_temperature": 66,
        "dew_point": 50,
        "humidity": 40,
        "pressure": 29.9,
        "pressure_unit": "inHg",
        "wind_speed": 5,
        "wind_gust_speed": 9,
        "wind_speed_unit": "mph",
        "wind_bearing": 180,
        "visibility": 10,
        "visibility_unit": "mi",
        "precipitation_unit": "in",
        "cloud_coverage": 20,
        "uv_index": 3,
        "ozone": 300,
    },
)


def test_values_and_units_of_the_weather() -> None:
    """The units are in attributes."""
    values = {
        aspect.key: (aspect.read(WEATHER), aspect.unit(WEATHER))
        for aspect in DOMAINS["weather"].aspects
        if aspect.supported(WEATHER)
    }
    assert values == {
        "condition": ("sunny", None),
        "temperature": (68, "°F"),
        "apparent_temperature": (66, "°F"),
        "dew_point": (50, "°F"),
        "humidity": (40, "%"),
        "pressure": (29.9, "inHg"),
        "wind_speed": (5, "mph"),
        "wind_gust_speed": (9, "mph"),
        "wind_bearing": (180, "°"),
        "visibility": (10, "mi"),
        "cloud_coverage": (20, "%"),
        "uv_index": (3, None),
        "ozone": (300, None),
    }


@pytest.mark.parametrize(
    ("bearing", "degrees"),
    [
        (270.5, 270.5),
        ("N", 0),
        ("nne", 22.5),
        ("SW", 225),
        ("NNW", 337.5),
        ("12", 12),
        ("somewhere", None),
        (None, None),
    ],
)
def test_wind_direction(bearing: object, degrees: float | None) -> None:
    """In degrees or as a compass point."""
    windy = State("weather.home", "windy", {"wind_bearing": bearing})
    assert aspect_of("weather.home", "wind_bearing").read(windy) == degrees


def test_weather_has_only_what_is_measured() -> None:
    """Aspects without an attribute are not supported."""
    assert read(State("weather.home", "rainy", {"temperature": 12})) == {"condition": "rainy", "temperature": 12}


def test_every_condition_of_home_assistant_is_an_option() -> None:
    """All fifteen, without duplicates."""
    options = aspect_of("weather.home", "condition").options(WEATHER)
    assert len(set(options)) == len(options) == 15
    assert "clear-night" in options


def test_chinese_conditions_are_recognised() -> None:
    """By the labels of the items."""
    items = EnumType({1: "晴", 2: "多云", 3: "阴", 4: "雨", 5: "雷阵雨", 6: "雪", 7: "雨夹雪", 8: "雾", 9: "大雨"})
    condition = aspect_of("weather.home", "condition")
    values = {
        option: to_cloud(option, condition, items, Conversion(), WEATHER)
        for option in (
            "sunny",
            "partlycloudy",
            "cloudy",
            "rainy",
            "lightning-rainy",
            "snowy",
            "snowy-rainy",
            "fog",
            "pouring",
        )
    }
    assert list(values.values()) == list(items.items)


@pytest.mark.parametrize(("state", "up"), [("above_horizon", True), ("below_horizon", False)])
def test_values_of_the_sun(state: str, up: bool) -> None:
    """Position, and the next times of its day."""
    sun = State(
        "sun.sun",
        state,
        {
            "elevation": -3.5,
            "azimuth": 271,
            "next_rising": "2026-11-24T06:30:00.123456+00:00",
            "next_setting": "2026-11-23T16:52:00+00:00",
            "next_dawn": "2026-11-24T06:00:00+00:00",
            "next_dusk": "2026-11-23T17:20:00+00:00",
            "next_noon": "2026-11-24T11:40:00+00:00",
            "next_midnight": "2026-11-23T23:40:00+00:00",
            "rising": False,
        },
    )
    assert read(sun) == {
        "above_horizon": up,
        "elevation": -3.5,
        "azimuth": 271,
        "next_rising": datetime(2026, 11, 24, 6, 30, 0, 123456, tzinfo=UTC),
        "next_setting": datetime(2026, 11, 23, 16, 52, tzinfo=UTC),
        "next_dawn": datetime(2026, 11, 24, 6, tzinfo=UTC),
        "next_dusk": datetime(2026, 11, 23, 17, 20, tzinfo=UTC),
        "next_noon": datetime(2026, 11, 24, 11, 40, tzinfo=UTC),
        "next_midnight": datetime(2026, 11, 23, 23, 40, tzinfo=UTC),
        "rising": False,
    }
