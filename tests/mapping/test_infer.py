"""The data type of a property without a thing model, after its conversion."""

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
    IntType,
    StructType,
    TextType,
)
from custom_components.aliyun_iot.mapping.binding import Conversion
from custom_components.aliyun_iot.mapping.convert import to_cloud, to_ha
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.generic import attribute_aspect
from custom_components.aliyun_iot.mapping.model.infer import infer_data_type, infer_raw_type

KETTLE = State("number.kettle", "140", {"min": 104, "max": 212, "step": 1, "unit_of_measurement": "°F"})
LEVEL = State("number.level", "5", {"min": 0, "max": 200, "step": 1, "unit_of_measurement": "mL"})
SWITCH = State("switch.a", "on")
MODE = State("select.a", "eco", {"options": ["eco", "boost"]})


@pytest.mark.parametrize(
    ("state", "aspect", "conversion", "expected"),
    [
        (KETTLE, "value", {}, IntType(104, 212, 1, "°F")),
        (KETTLE, "value", {"unit": "°C"}, DoubleType(40, 100, 0.1, "°C")),
        (LEVEL, "value", {"scale": 0.5}, DoubleType(0, 100, 0.5)),
        (LEVEL, "value", {"scale": -1, "unit": "%"}, IntType(-200, 0, 1, "%")),
        (LEVEL, "value", {"scale": 10, "offset": 5}, IntType(5, 2005, 10)),
        (LEVEL, "value", {"unit": "L"}, DoubleType(0, 0.2, 0.001, "L")),
        (LEVEL, "value", {"template": "{{ value }}"}, TextType(10240)),
        (SWITCH, "power", {"options": {"off": 1, "on": 0}}, BoolType({0: "off", 1: "on"})),
        (SWITCH, "power", {"options": {"off": 3, "on": 4}}, EnumType({3: "off", 4: "on"})),
        (MODE, "option", {"options": {"eco": 1, "boost": 1}}, EnumType({1: "eco"})),
        (MODE, "option", {"options": {"eco": "E", "boost": "B"}}, TextType(1020)),
    ],
)
def test_types_follow_the_conversion(state: State, aspect: str, conversion: dict[str, Any], expected: DataType) -> None:
    """Range, step and unit are those of the posted values; the present value fits."""
    target = aspect_of(state.entity_id, aspect)
    assert target
    wish = Conversion(**conversion)
    data_type = infer_data_type(target, state, wish)
    assert data_type == expected
    if not wish.template:
        value = target.read(state)
        assert value is not None
        data_type.encode(to_cloud(value, target, data_type, wish, state))


@pytest.mark.parametrize("scale", [1e9, 1 / 3])
def test_limits_that_are_not_finite_are_left_out(scale: float) -> None:
    """Attributes may be anything; one broken entity must not affect the others."""
    level = State("number.level", "9", {"min": -5.4e307, "max": 100, "step": 1})
    value = aspect_of(level.entity_id, "value")
    assert value
    assert infer_data_type(value, level, Conversion(scale=scale)) == DoubleType()


@pytest.mark.parametrize("celsius", [40.0, 60.0, 71.3, 100.0])
def test_fahrenheit_entity_as_a_celsius_property(celsius: float) -> None:
    """A value that is set is reported as the same value, also at both limits."""
    target = aspect_of("number.kettle", "value")
    assert target
    wish = Conversion(unit="°C")
    data_type = infer_data_type(target, KETTLE, wish)
    home = to_ha(data_type.decode(celsius), target, data_type, wish, KETTLE)
    assert target.range(KETTLE).holds(home)
    assert data_type.encode(to_cloud(home, target, data_type, wish, KETTLE)) == celsius


@pytest.mark.parametrize(
    ("value", "conversion", "expected"),
    [
        (True, {}, BoolType({0: "off", 1: "on"})),
        (7, {}, IntType()),
        (7, {"scale": 0.5}, DoubleType()),
        (7, {"unit": "°C"}, DoubleType(unit="°C")),
        (2**40, {}, DoubleType()),
        (0.5, {}, DoubleType()),
        ("on", {}, TextType(10240)),
        ("on", {"options": {"on": 1, "off": 2}}, EnumType({1: "on", 2: "off"})),
        ([1, 2], {}, ArrayType(None, IntType())),
        ([], {}, ArrayType(None, TextType(10240))),
        ({"a": [True]}, {}, StructType({"a": Field("a", "a", ArrayType(None, BoolType({0: "off", 1: "on"})))})),
        (None, {}, TextType(10240)),
    ],
)
def test_type_of_a_raw_value(value: Any, conversion: dict[str, Any], expected: DataType) -> None:
    """Only the value shows its type."""
    assert infer_raw_type(value, Conversion(**conversion)) == expected
    state = State("zone.a", "1", {"x": value})
    assert infer_data_type(attribute_aspect("x"), state, Conversion(**conversion)) == expected


def test_same_arguments_return_the_same_object() -> None:
    """An enum with a hundred items is not made again for each value."""
    target = aspect_of("select.a", "option")
    assert target
    assert infer_data_type(target, MODE) is infer_data_type(target, State("select.a", "boost", MODE.attributes))
