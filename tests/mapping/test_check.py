"""The problems that are found before a binding is saved."""

from dataclasses import replace
from typing import Any

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import (
    ArrayType,
    BoolType,
    DataType,
    DoubleType,
    EnumType,
    Field,
    FloatType,
    IntType,
    StructType,
    TextType,
)
from custom_components.aliyun_iot.alink.model.thing_model import Property
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.mapping.check import Problem, check
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.generic import NO_ENTITY_STATE, RENDERED, aspect_for

LOCK = State("lock.door", "locked")
SWITCH = State("switch.pump", "on")
ROOM = State("sensor.room", "21", {"unit_of_measurement": "°C"})
LAMP = State("light.lamp", "on", {"supported_color_modes": ["brightness"]})
AIR = State("sensor.air", "45.7", {"unit_of_measurement": "%", "device_class": "humidity"})
FINE_AIR = State("sensor.air", "45.72", {"unit_of_measurement": "%", "device_class": "humidity"})
PRESSURE = State("sensor.pressure", "1013.2", {"unit_of_measurement": "hPa"})
WEATHER = State("weather.home", "sunny", {"pressure": 1013.2, "pressure_unit": "hPa"})
FAN = State("fan.ceiling", "on", {"supported_features": 1, "percentage": 50, "percentage_step": 1})
PHONE = State("device_tracker.phone", "home", {"source_type": "gps", "latitude": 31.2, "longitude": 121.4})
PRESSURES = StructType({"P": Field("P", "P", FloatType(unit="MPa")), "T": Field("T", "T", FloatType(unit="°C"))})
PLACE = StructType({name: Field(name, name, DoubleType(unit="m")) for name in ("Longitude", "Latitude")})
LEVEL = State("number.level", "9", {"min": 0, "max": 10, "unit_of_measurement": "°C"})
ACTIONS = [{"action": "light.toggle"}]
TEMPLATE = {"template": "{{ value }}"}
TEMPLATE_BACK = {"template_back": "{{ value }}"}
AC = State("climate.ac", "cool", {"hvac_modes": ["off", "cool", "dry"]})


def problems(
    state: State, aspect: str, data_type: DataType | None = None, mode: str = "rw", **binding: Any
) -> dict[str, bool]:
    """Return the keys of all problems, and whether they are blocking."""
    definition = Property("P", "P", "w" in mode, "r" in mode, False, data_type, "") if data_type else None
    bound = Binding.from_dict({"identifier": "P", "entity": state.entity_id, "aspect": aspect} | binding)
    target = aspect_for(bound, state.entity_id)
    assert target
    found = check(bound, target, definition, state)
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
        (ROOM, "raw_state", BoolType(), {}),
        (ROOM, "attribute", EnumType({0: "x"}), {"source": "x"}),
        (SWITCH, "raw_state", BoolType(), {"conversion": {"invert": True}}),
        (LEVEL, "raw_state", IntType(0, 10), {"conversion": {"invert": True}}),
        (ROOM, "value", BoolType(), {"access": "both", "actions": ACTIONS, "conversion": {"options": {"21": 1}}}),
        (LOCK, "locked", BoolType(), {"access": "both", "actions": ACTIONS}),
        (LEVEL, "value", BoolType(), {"access": "both", "conversion": TEMPLATE | TEMPLATE_BACK}),
        (LEVEL, "value", None, {"access": "both", "conversion": {"unit": "°F"}}),
        (LEVEL, "value", None, {"conversion": {"unit": "furlong", "scale": 2}}),
        (ROOM, "value", FloatType(unit="摄氏度"), {"conversion": {"unit": "℃"}}),
        (ROOM, "value", FloatType(unit="°C"), {"conversion": {"unit": "°F", "scale": 1.8, "offset": 32}}),
        (AIR, "value", IntType(0, 100), {"conversion": {"digits": 0}}),
        (AIR, "value", IntType(0, 100), {"conversion": {"template": "{{ value }}"}}),
        (AIR, "value", IntType(0, 1000), {"conversion": {"scale": 10}}),
        (AIR, "value", IntType(0, 10), {"conversion": {"clamp": True}}),
        (AIR, "value", FloatType(0, 100, 0.1), {}),
        (AIR, "value", FloatType(0, 100, 1), {"conversion": {"digits": 1}}),
        (AIR, "value", DoubleType(0, 100), {}),
        (FINE_AIR, "value", FloatType(0, 100, 0.1), {}),
        (ROOM, "value", FloatType(unit="W"), {"conversion": {"scale": 2}}),
        (ROOM, "value", FloatType(unit="W"), {"conversion": {"same_unit": True}}),
        (ROOM, "value", TextType(), {"conversion": {"unit": "W", "same_unit": True}}),
        (PRESSURE, "value", FloatType(0, 1, 0.0001, "Mpa"), {}),
        (FAN, "speed", IntType(0, 3, 1, "档"), {"access": "both"}),
    ],
)
def test_valid_binding_has_no_problems(
    state: State, aspect: str, data_type: DataType | None, rest: dict[str, Any]
) -> None:
    """Also if decimals are dropped on purpose."""
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
        (ROOM, "raw_state", BoolType(), {"access": "both"}, {"entity_not_controllable": True}),
        (LEVEL, "value", FloatType(), {"access": "both", "conversion": TEMPLATE}, {"template_one_way": True}),
        (LEVEL, "value", IntType(), {"conversion": TEMPLATE | {"invert": True}}, {"not_invertible": True}),
        (SWITCH, "raw_state", EnumType(), {"conversion": {"invert": True}}, {"not_invertible": True}),
        (LEVEL, "value", None, {"conversion": {"unit": "furlong"}}, {"units_clash": True}),
        (LEVEL, "value", FloatType(), {"conversion": {"unit": "kWh"}}, {"units_clash": True}),
        (LEVEL, "value", TextType(), {"conversion": {"unit": "kWh"}}, {"units_clash": True}),
        (LEVEL, "raw_state", IntType(unit="个"), {}, {"units_clash": True}),
        (WEATHER, "attribute", ArrayType(None, IntType(unit="°C")), {"source": "pressure"}, {"units_clash": True}),
        (WEATHER, "attribute", PRESSURES, {"source": "pressure"}, {"units_clash": True}),
        (FAN, "speed", IntType(0, 90, 1, "档"), {}, {"units_clash": True}),
        (PHONE, "location", PLACE, {}, {"units_clash": True}),
        (
            SWITCH,
            "power",
            BoolType(),
            {"mode": "r", "access": "both", "actions": ACTIONS},
            {"read_only_property": True},
        ),
        (AIR, "value", IntType(0, 100), {}, {"value_rounded": False}),
        (AIR, "raw_state", IntType(0, 100), {}, {"value_rounded": False}),
        (AIR, "value", IntType(0, 200), {"conversion": {"scale": 2}}, {"value_rounded": False}),
        (AIR, "value", FloatType(0, 100, 1), {}, {"value_rounded_to_step": False}),
        (AIR, "raw_state", DoubleType(0, 100, 5), {}, {"value_rounded_to_step": False}),
        (PRESSURE, "value", FloatType(0, 10, 0.1, "MPa"), {}, {"value_rounded_to_step": False}),
        (ROOM, "value", FloatType(unit="W"), {}, {"units_clash": True}),
        (ROOM, "value", FloatType(unit="°C"), {"conversion": {"unit": "°F"}}, {"unit_of_model": False}),
        (LEVEL, "value", FloatType(unit="K"), {"conversion": {"unit": "furlong"}}, {"unit_of_model": False}),
        (AC, "mode", EnumType({0: "off", 1: "cool"}), {}, {"options_unmatched": False}),
        (AC, "mode", IntType(), {"conversion": {"options": {"off": 0, "cool": 1}}}, {"options_unmatched": False}),
        (
            AC,
            "mode",
            EnumType({0: "关闭", 1: "除湿", 2: "制冷"}),
            {"conversion": {"options": {"off": 0, "cool": 1, "dry": 2}}},
            {"options_crossed": False},
        ),
        (
            AC,
            "mode",
            EnumType({0: "关闭", 1: "其他", 2: "x"}),
            {"conversion": {"options": {"off": 0, "cool": 1, "dry": 1}}},
            {},
        ),
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
def test_problems_of_a_binding(
    state: State, aspect: str, data_type: DataType | None, rest: dict[str, Any], found: dict[str, bool]
) -> None:
    """Each problem is reported once; warnings don't block."""
    assert problems(state, aspect, data_type, **rest) == found


def test_problem_has_placeholders() -> None:
    """The translated texts contain names."""
    bound = Binding("Mode", "climate.ac", "mode")
    definition = Property("Mode", "Mode", False, True, False, EnumType({1: "制冷"}), "")
    assert check(bound, aspect_of("climate.ac", "mode"), definition, AC) == [
        Problem("options_unmatched", {"options": ("off", "dry")}, blocking=False)
    ]


def test_rounding_problem_has_both_values() -> None:
    """The sensor's state with its unit, and the value that would be posted."""
    bound = Binding("CurrentHumidity", "sensor.air", "value")
    definition = Property("CurrentHumidity", "", False, True, False, IntType(0, 100, 1, "%"), "")
    [problem] = check(bound, aspect_of("sensor.air", "value"), definition, AIR)
    assert problem.placeholders.items() >= {"identifier": "CurrentHumidity", "value": "45.7 %", "posted": "46"}.items()


def test_binding_without_an_entity_is_checked() -> None:
    """A template can only be reported; own actions may do anything."""
    definition = Property("P", "P", True, True, False, BoolType(), "")
    template = Binding("P", "", "template", source="{{ 1 }}")
    assert check(template, RENDERED, definition, NO_ENTITY_STATE) == []
    both = replace(template, access=Access.BOTH)
    assert [problem.key for problem in check(both, RENDERED, definition, NO_ENTITY_STATE)] == [
        "entity_not_controllable"
    ]
    assert check(replace(both, actions=ACTIONS), RENDERED, definition, NO_ENTITY_STATE) == []
