"""What the user hears before a binding is saved."""

from typing import Any

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.alink.datatypes import (
    BoolType,
    DataType,
    DoubleType,
    EnumType,
    FloatType,
    IntType,
    TextType,
)
from custom_components.aliyun_iot.alink.thing_model import Property
from custom_components.aliyun_iot.mapping.binding import Binding
from custom_components.aliyun_iot.mapping.check import Problem, check
from custom_components.aliyun_iot.mapping.domains import aspect_of

LOCK = State("lock.door", "locked")
SWITCH = State("switch.pump", "on")
ROOM = State("sensor.room", "21", {"unit_of_measurement": "°C"})
LAMP = State("light.lamp", "on", {"supported_color_modes": ["brightness"]})
AC = State("climate.ac", "cool", {"hvac_modes": ["off", "cool", "dry"]})


def problems(
    state: State, aspect: str, data_type: DataType | None = None, mode: str = "rw", **binding: Any
) -> dict[str, bool]:
    """Return the keys of all problems, and whether they are blocking."""
    definition = Property("P", "P", "w" in mode, "r" in mode, False, data_type, "") if data_type else None
    bound = Binding.from_dict({"identifier": "P", "entity": state.entity_id, "aspect": aspect} | binding)
    found = check(bound, aspect_of(state.entity_id, aspect), definition, state)
    assert all(problem.placeholders for problem in found)
    return {problem.key: problem.blocking for problem in found}


@pytest.mark.parametrize(
    ("state", "aspect", "data_type", "rest"),
    [
        (SWITCH, "power", BoolType(), {"access": "both"}),
        (SWITCH, "power", None, {"access": "both"}),
        (SWITCH, "power", BoolType(), {"conversion": {"invert": True}}),
        (LOCK, "locked", BoolType(), {}),
        (LOCK, "locked", BoolType(), {"access": "both", "confirmed": True}),
        (ROOM, "value", FloatType(unit="K"), {"mode": "r"}),
        (LAMP, "brightness", IntType(0, 255, 1, "%"), {"conversion": {"invert": True}}),
        (AC, "mode", EnumType({0: "关", 1: "制冷", 2: "除湿"}), {"access": "both"}),
    ],
)
def test_a_sound_binding_has_no_problems(
    state: State, aspect: str, data_type: DataType | None, rest: dict[str, Any]
) -> None:
    """Also one that loses nothing but decimals."""
    assert problems(state, aspect, data_type, **rest) == {}


@pytest.mark.parametrize(
    ("state", "aspect", "data_type", "rest", "found"),
    [
        (LAMP, "color", None, {}, {"aspect_not_supported": True}),
        (SWITCH, "power", BoolType(), {"mode": "r", "access": "both"}, {"read_only_property": True}),
        (SWITCH, "power", BoolType(), {"mode": "w"}, {"write_only_property": True}),
        (ROOM, "value", FloatType(), {"access": "control"}, {"entity_not_controllable": True}),
        (LOCK, "locked", BoolType(), {"access": "both"}, {"risky_not_confirmed": True}),
        (LOCK, "state", EnumType({0: "x"}), {}, {"options_unmatched": True}),
        (ROOM, "value", BoolType(), {}, {"type_mismatch": True}),
        (SWITCH, "power", DoubleType(), {}, {"type_mismatch": True}),
        (LOCK, "locked", BoolType({0: "关", 1: "开"}), {}, {"labels_unclear": True}),
        (SWITCH, "power", EnumType({3: "a", 4: "b"}), {}, {"labels_unclear": True}),
        (ROOM, "value", FloatType(unit="W"), {}, {"unit_mismatch": False}),
        (ROOM, "value", FloatType(unit="W"), {"conversion": {"scale": 2}}, {}),
        (AC, "mode", EnumType({0: "off", 1: "cool"}), {}, {"options_unmatched": False}),
        (AC, "mode", IntType(), {"conversion": {"options": {"off": 0, "cool": 1}}}, {"options_unmatched": False}),
        (ROOM, "value", FloatType(), {"conversion": {"invert": True}}, {"not_invertible": True}),
        (AC, "mode", TextType(), {"conversion": {"invert": True}}, {"not_invertible": True}),
        (
            LOCK,
            "locked",
            IntType(),
            {"mode": "r", "access": "both"},
            {"read_only_property": True, "risky_not_confirmed": True},
        ),
    ],
)
def test_a_faulty_binding_is_explained(
    state: State, aspect: str, data_type: DataType | None, rest: dict[str, Any], found: dict[str, bool]
) -> None:
    """Each problem once; warnings don't block."""
    assert problems(state, aspect, data_type, **rest) == found


def test_a_problem_names_what_it_is_about() -> None:
    """The texts are translated, the names go into them."""
    bound = Binding("Mode", "climate.ac", "mode")
    definition = Property("Mode", "Mode", False, True, False, EnumType({1: "制冷"}), "")
    assert check(bound, aspect_of("climate.ac", "mode"), definition, AC) == [
        Problem("options_unmatched", {"options": "off, dry"}, blocking=False)
    ]
