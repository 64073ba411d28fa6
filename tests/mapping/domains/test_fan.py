"""Fans: one action for power, speed and preset, and gears with their usual names."""

from homeassistant.components.fan import FanEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import aspect_of

from ..domain_helpers import actions_for, changed, read

ALL = sum(FanEntityFeature)
FAN = State(
    "fan.ceiling",
    "on",
    {
        "supported_features": ALL,
        "percentage": 66,
        "percentage_step": 100 / 3,
        "preset_mode": None,
        "preset_modes": ["breeze", "sleep"],
        "oscillating": True,
        "direction": "forward",
    },
)


def test_values_of_a_fan() -> None:
    """Every aspect has its own value; the speed is a percentage and a gear."""
    assert read(FAN) == {
        "power": True,
        "speed": 66,
        "gear": "medium",
        "preset_mode": None,
        "oscillating": True,
        "direction": "forward",
    }
    assert read(State("fan.plain", "on")) == {"power": True}


@pytest.mark.parametrize(
    ("step", "gears", "limits"),
    [
        (100 / 3, ("low", "medium", "high"), Range(0, 100, 1)),
        (50, ("low", "high"), Range(0, 100, 50)),
        (25, ("1", "2", "3", "4"), Range(0, 100, 25)),
        (100 / 7, ("1", "2", "3", "4", "5", "6", "7"), Range(0, 100, 1)),
        (100, (), Range(0, 100, 100)),
        (1, (), Range(0, 100, 1)),
        (None, (), Range(0, 100, 1)),
        (0, (), Range(0, 100, 1)),
    ],
)
def test_gears_depend_on_the_step(step: float | None, gears: tuple[str, ...], limits: Range) -> None:
    """A few gears have names or numbers; a fan with too many has only a percentage."""
    fan = changed(FAN, percentage_step=step)
    assert aspect_of("fan.ceiling", "gear").options(fan) == gears
    assert ("gear" in read(fan)) is bool(gears)
    assert aspect_of("fan.ceiling", "speed").range(fan) == limits


@pytest.mark.parametrize(("percentage", "gear"), [(0, None), (1, "low"), (33, "low"), (34, "medium"), (100, "high")])
def test_every_speed_has_a_gear(percentage: int, gear: str | None) -> None:
    """A fan that is off has none."""
    assert read(changed(FAN, percentage=percentage))["gear"] == gear


@pytest.mark.parametrize(
    ("values", "calls"),
    [
        ({"power": True}, [ActionCall("fan", "turn_on")]),
        ({"power": True, "speed": 30}, [ActionCall("fan", "turn_on", {"percentage": 30})]),
        ({"power": True, "gear": "high"}, [ActionCall("fan", "turn_on", {"percentage": 100})]),
        ({"power": True, "preset_mode": "sleep"}, [ActionCall("fan", "turn_on", {"preset_mode": "sleep"})]),
        ({"speed": 30.4}, [ActionCall("fan", "set_percentage", {"percentage": 30})]),
        ({"speed": 0.2}, [ActionCall("fan", "set_percentage", {"percentage": 1})]),
        ({"preset_mode": "sleep"}, [ActionCall("fan", "set_preset_mode", {"preset_mode": "sleep"})]),
        ({"speed": 0}, [ActionCall("fan", "turn_off")]),
        ({"power": True, "speed": 0, "oscillating": True}, [ActionCall("fan", "turn_off")]),
        ({"power": False, "speed": 30, "preset_mode": "sleep"}, [ActionCall("fan", "turn_off")]),
        ({"command": "faster"}, [ActionCall("fan", "increase_speed")]),
        ({"command": "slower", "power": True}, [ActionCall("fan", "turn_on"), ActionCall("fan", "decrease_speed")]),
        ({"command": "faster", "power": False}, [ActionCall("fan", "turn_off")]),
        (
            {"direction": "reverse", "oscillating": False, "speed": 50},
            [
                ActionCall("fan", "set_percentage", {"percentage": 50}),
                ActionCall("fan", "oscillate", {"oscillating": False}),
                ActionCall("fan", "set_direction", {"direction": "reverse"}),
            ],
        ),
    ],
)
def test_fewest_actions_in_the_right_order(values: dict[str, Value], calls: list[ActionCall]) -> None:
    """Off wins; power and speed are one action; the rest follows."""
    assert actions_for(FAN, values) == calls


@pytest.mark.parametrize(
    "values",
    [
        {"speed": 30, "preset_mode": "sleep"},
        {"speed": 30, "gear": "low"},
        {"speed": 30, "command": "faster"},
        {"gear": "low", "command": "faster"},
        {"preset_mode": "sleep", "command": "faster"},
    ],
)
def test_contradicting_values_are_refused(values: dict[str, Value]) -> None:
    """A fan has only one speed at a time."""
    with pytest.raises(Refused) as refused:
        actions_for(FAN, values)
    assert refused.value.reason is Reason.CONFLICT


def test_fan_without_turn_on_and_off_is_controlled_by_its_speed() -> None:
    """It is turned off by 0 %, and on only by a speed or a preset."""
    speed_only = changed(FAN, supported_features=int(FanEntityFeature.SET_SPEED | FanEntityFeature.TURN_ON))
    assert actions_for(speed_only, {"power": False}) == [ActionCall("fan", "set_percentage", {"percentage": 0})]
    no_start = changed(FAN, supported_features=int(FanEntityFeature.SET_SPEED | FanEntityFeature.TURN_OFF))
    assert actions_for(no_start, {"power": True, "speed": 20}) == [
        ActionCall("fan", "set_percentage", {"percentage": 20})
    ]
    with pytest.raises(Refused) as refused:
        actions_for(no_start, {"power": True})
    assert refused.value.reason is Reason.NOT_SUPPORTED
    no_stop = changed(FAN, supported_features=int(FanEntityFeature.TURN_ON))
    with pytest.raises(Refused) as refused:
        actions_for(no_stop, {"power": False})
    assert refused.value.reason is Reason.NOT_SUPPORTED
