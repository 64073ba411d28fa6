"""Humidifiers and water heaters: off wins, mode before target."""

from homeassistant.components.water_heater import WaterHeaterEntityFeature as Feature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..domain_helpers import actions_for, changed, read

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


def test_values_of_a_humidifier() -> None:
    """Its target is an integer if it has no step, as Home Assistant's action requires."""
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
def test_mode_of_a_humidifier_is_set_before_its_target(values: dict[str, Value], calls: list[ActionCall]) -> None:
    """A mode may have its own target; neither turns the device on."""
    assert actions_for(HUMIDIFIER, values) == calls


def test_values_of_a_boiler() -> None:
    """The limits of a range are supported only if the boiler has them, and can not be set."""
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
def test_mode_of_a_boiler_is_set_first(values: dict[str, Value], calls: list[tuple[str, dict[str, object]]]) -> None:
    """Off wins, and a mode turns the boiler on."""
    assert actions_for(BOILER, values) == [ActionCall("water_heater", action, data) for action, data in calls]


def test_boiler_without_on_off_feature_is_turned_off_by_its_mode() -> None:
    """If `off` is a mode; turning on then needs a mode."""
    features = int(Feature.OPERATION_MODE | Feature.TARGET_TEMPERATURE)
    modal = changed(BOILER, supported_features=features, operation_list=["off", "eco"])
    off = [ActionCall("water_heater", "set_operation_mode", {"operation_mode": "off"})]
    assert actions_for(modal, {"power": False}) == off
    assert actions_for(modal, {"mode": "off", "target_temperature": 40}) == off
    assert read(changed(modal, "off"))["power"] is False
    with pytest.raises(Refused) as refused:
        actions_for(modal, {"power": True})
    assert refused.value.reason is Reason.NOT_SUPPORTED
    assert not aspect_of("water_heater.boiler", "power").controllable(changed(modal, operation_list=["eco"]))
