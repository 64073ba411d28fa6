"""Humidifiers and water heaters: off wins, mode before target."""

from homeassistant.components.water_heater import WaterHeaterEntityFeature as Feature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..asking import changed, commands, read

HUMIDIFIER = State(
    "humidifier.room",
    "on",
    {
        "supported_features": 1,
        "available_modes": ["normal", "sleep"],
        "mode": "normal",
        "min_humidity": 30,
        "max_humidity": 80,
        "humidity": 45,
        "current_humidity": 41.5,
        "action": "humidifying",
    },
)
BOILER = State(
    "water_heater.boiler",
    "eco",
    {
        "supported_features": sum(Feature),
        "operation_list": ["eco", "gas"],
        "min_temp": 30,
        "max_temp": 75,
        "target_temp_step": 0.5,
        "temperature": 50,
        "current_temperature": 47.5,
        "target_temp_low": None,
        "target_temp_high": None,
        "away_mode": "off",
    },
)


def test_a_humidifier_says_what_it_does() -> None:
    """Its target is a whole number where it names no step, as Home Assistant's action takes it."""
    assert read(HUMIDIFIER) == {
        "power": True,
        "mode": "normal",
        "target_humidity": 45,
        "current_humidity": 41.5,
        "action": "humidifying",
    }
    target = aspect_of("humidifier.room", "target_humidity")
    assert target.range(HUMIDIFIER) == Range(30, 80, 1)
    assert target.range(State("humidifier.bare", "on")) == Range(0, 100, 1)
    assert target.range(changed(HUMIDIFIER, target_humidity_step=5)) == Range(30, 80, 5)


@pytest.mark.parametrize(
    ("values", "calls"),
    [
        ({"power": False, "mode": "sleep", "target_humidity": 50}, [ActionCall("humidifier", "turn_off")]),
        ({"target_humidity": 50.4}, [ActionCall("humidifier", "set_humidity", {"humidity": 50})]),
        (
            {"target_humidity": 50, "mode": "sleep", "power": True},
            [
                ActionCall("humidifier", "turn_on"),
                ActionCall("humidifier", "set_mode", {"mode": "sleep"}),
                ActionCall("humidifier", "set_humidity", {"humidity": 50}),
            ],
        ),
    ],
)
def test_a_humidifier_takes_the_mode_first(values: dict[str, Value], calls: list[ActionCall]) -> None:
    """A mode may bring its own target; neither turns the device on."""
    assert commands(HUMIDIFIER, values) == calls


def test_a_boiler_says_what_it_does() -> None:
    """The ends of a range are there only where the boiler has one, and nobody can set them."""
    assert read(BOILER) == {
        "power": True,
        "mode": "eco",
        "target_temperature": 50,
        "current_temperature": 47.5,
        "away_mode": False,
    }
    ranged = changed(BOILER, target_temp_low=45, target_temp_high=55)
    assert read(ranged)["target_temperature_low"] == 45
    assert not aspect_of("water_heater.boiler", "target_temperature_low").controllable(ranged)
    assert DOMAINS["water_heater"].risky(BOILER)


@pytest.mark.parametrize(
    ("values", "calls"),
    [
        ({"power": False, "mode": "gas", "target_temperature": 60}, [("turn_off", {})]),
        ({"power": True, "mode": "gas"}, [("set_operation_mode", {"operation_mode": "gas"})]),
        ({"power": True}, [("turn_on", {})]),
        ({"target_temperature": 60}, [("set_temperature", {"temperature": 60})]),
        (
            {"target_temperature": 60, "away_mode": False, "mode": "gas"},
            [
                ("set_operation_mode", {"operation_mode": "gas"}),
                ("set_away_mode", {"away_mode": False}),
                ("set_temperature", {"temperature": 60}),
            ],
        ),
    ],
)
def test_a_boiler_takes_the_mode_first(values: dict[str, Value], calls: list[tuple[str, dict[str, object]]]) -> None:
    """Off wins, and a mode is on."""
    assert commands(BOILER, values) == [ActionCall("water_heater", action, data) for action, data in calls]


def test_a_boiler_without_a_switch_is_off_by_its_mode() -> None:
    """Where `off` is a mode, it is that; turning on needs a mode then."""
    features = int(Feature.OPERATION_MODE | Feature.TARGET_TEMPERATURE)
    modal = changed(BOILER, supported_features=features, operation_list=["off", "eco"])
    off = [ActionCall("water_heater", "set_operation_mode", {"operation_mode": "off"})]
    assert commands(modal, {"power": False}) == off
    assert commands(modal, {"mode": "off", "target_temperature": 40}) == off
    assert read(changed(modal, "off"))["power"] is False
    with pytest.raises(Refused) as refused:
        commands(modal, {"power": True})
    assert refused.value.reason is Reason.NOT_SUPPORTED
    assert not aspect_of("water_heater.boiler", "power").controllable(changed(modal, operation_list=["eco"]))
