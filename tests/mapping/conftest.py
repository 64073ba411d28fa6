"""Fixtures of the mapping tests: states as in Home Assistant, and the thing model of a home gateway."""

import json
from pathlib import Path

from homeassistant.components.climate.const import ClimateEntityFeature, HVACMode
from homeassistant.components.cover import CoverEntityFeature
from homeassistant.components.light import ColorMode
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.alink.model.thing_model import ThingModel

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(autouse=True, scope="session")
def auto_enable_custom_integrations() -> None:
    """Override the fixture of all other tests, which starts Home Assistant: most of these tests only need states."""


@pytest.fixture(scope="session")
def gateway_model() -> ThingModel:
    """Return the thing model of a gateway with a lamp, a thermostat and a meter."""
    return ThingModel.parse(json.loads((FIXTURES / "tsl-home-gateway.json").read_text()))


@pytest.fixture
def lamp() -> State:
    """Return a lamp with all features, white at about half brightness."""
    return State(
        "light.living_room_lamp",
        "on",
        {
            "friendly_name": "客厅灯",
            "supported_color_modes": [ColorMode.COLOR_TEMP, ColorMode.HS],
            "color_mode": ColorMode.COLOR_TEMP,
            "brightness": 128,
            "color_temp_kelvin": 4000,
            "min_color_temp_kelvin": 2000,
            "max_color_temp_kelvin": 6500,
            "rgb_color": (255, 206, 166),
        },
    )


@pytest.fixture
def thermostat() -> State:
    """Return a thermostat that heats."""
    return State(
        "climate.living_room",
        HVACMode.HEAT,
        {
            "friendly_name": "Living room thermostat",
            "hvac_modes": [HVACMode.OFF, HVACMode.HEAT, HVACMode.COOL, HVACMode.AUTO],
            "supported_features": ClimateEntityFeature.TARGET_TEMPERATURE
            | ClimateEntityFeature.FAN_MODE
            | ClimateEntityFeature.TURN_ON
            | ClimateEntityFeature.TURN_OFF,
            "min_temp": 7,
            "max_temp": 35,
            "target_temp_step": 0.5,
            "temperature": 21.5,
            "current_temperature": 20.3,
            "current_humidity": 45,
            "fan_mode": "low",
            "fan_modes": ["low", "medium", "high"],
        },
    )


@pytest.fixture
def curtain() -> State:
    """Return a curtain, half open."""
    return State(
        "cover.curtain",
        "open",
        {
            "device_class": "curtain",
            "current_position": 50,
            "supported_features": CoverEntityFeature.OPEN
            | CoverEntityFeature.CLOSE
            | CoverEntityFeature.SET_POSITION
            | CoverEntityFeature.STOP,
        },
    )
