"""Fans: one action for what makes them run, and gears by the names people give them."""

from homeassistant.components.fan import FanEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import aspect_of

from ..asking import changed, commands, read

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


def test_a_fan_says_what_it_does() -> None:
    """Every facet has its own value; the speed comes as a percentage and as a gear."""
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
def test_gears_are_what_the_step_allows(step: float | None, gears: tuple[str, ...], limits: Range) -> None:
    """Few gears have names or numbers; a fan without them has a percentage only."""
    fan = changed(FAN, percentage_step=step)
    assert aspect_of("fan.ceiling", "gear").options(fan) == gears
    assert ("gear" in read(fan)) is bool(gears)
    assert aspect_of("fan.ceiling", "speed").range(fan) == limits


@pytest.mark.parametrize(("percentage", "gear"), [(0, None), (1, "low"), (33, "low"), (34, "medium"), (100, "high")])
def test_every_speed_is_in_a_gear(percentage: int, gear: str | None) -> None:
    """A fan that stands still is in none."""
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
def test_the_fewest_actions_in_the_right_order(values: dict[str, Value], calls: list[ActionCall]) -> None:
    """Off wins; power and speed are one action; the rest follows."""
    assert commands(FAN, values) == calls


@pytest.mark.parametrize("values", [{"speed": 30, "preset_mode": "sleep"}, {"speed": 30, "gear": "low"}])
def test_what_contradicts_itself_is_refused(values: dict[str, Value]) -> None:
    """A fan runs at one speed."""
    with pytest.raises(Refused) as refused:
        commands(FAN, values)
    assert refused.value.reason is Reason.CONFLICT


def test_a_fan_without_a_switch_is_driven_by_its_speed() -> None:
    """It is turned off by 0 %, and turned on by nothing but a speed or a preset."""
    speed_only = changed(FAN, supported_features=int(FanEntityFeature.SET_SPEED | FanEntityFeature.TURN_ON))
    assert commands(speed_only, {"power": False}) == [ActionCall("fan", "set_percentage", {"percentage": 0})]
    no_start = changed(FAN, supported_features=int(FanEntityFeature.SET_SPEED | FanEntityFeature.TURN_OFF))
    assert commands(no_start, {"power": True, "speed": 20}) == [ActionCall("fan", "set_percentage", {"percentage": 20})]
    with pytest.raises(Refused) as refused:
        commands(no_start, {"power": True})
    assert refused.value.reason is Reason.NOT_SUPPORTED
    no_stop = changed(FAN, supported_features=int(FanEntityFeature.TURN_ON))
    with pytest.raises(Refused) as refused:
        commands(no_stop, {"power": False})
    assert refused.value.reason is Reason.NOT_SUPPORTED
