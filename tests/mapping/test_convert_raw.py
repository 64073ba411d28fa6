"""Conversion of any state, attribute or template result to each data type and back, and what is refused."""

from datetime import UTC, datetime
from typing import Any

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import (
    ArrayType,
    BoolType,
    DataType,
    DateType,
    DoubleType,
    EnumType,
    Field,
    FloatType,
    IntType,
    StructType,
    TextType,
    Value as CloudValue,
)
from custom_components.aliyun_iot.mapping.aspect import Location, Raw, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.binding import Conversion
from custom_components.aliyun_iot.mapping.convert import carries, to_cloud, to_ha
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.generic import NO_ENTITY_STATE, RENDERED, STATE_ASPECTS, attribute_aspect
from custom_components.aliyun_iot.mapping.kinds.raw import TRUTHS, kind_of_raw

MODES = EnumType({0: "关闭", 1: "制冷", 2: "制热", 7: ""})
TWINS = EnumType({1: "low", 2: "low", 3: "2"})
POINT = StructType({"x": Field("x", "x", IntType(0, 9)), "on": Field("on", "on", BoolType())})
POINTS = ArrayType(2, POINT)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIMMER = State("number.dimmer", "64", {"min": 0, "max": 255, "step": 1})


def to_property_value(value: Raw, data_type: DataType, state: State = NO_ENTITY_STATE, **conversion: Any) -> CloudValue:
    """Convert to the cloud."""
    assert value is not None
    return to_cloud(value, STATE_ASPECTS[0], data_type, Conversion(**conversion), state)


def to_aspect_value(value: CloudValue, data_type: DataType, state: State = NO_ENTITY_STATE, **conversion: Any) -> Value:
    """Convert from the cloud."""
    return to_ha(value, STATE_ASPECTS[0], data_type, Conversion(**conversion), state)


@pytest.mark.parametrize(
    ("raw", "data_type", "conversion", "cloud", "returned"),
    [
        # yes and no
        ("on", BoolType(), {}, True, True),
        ("Home", BoolType(), {}, True, True),
        ("not_home", BoolType(), {}, False, False),
        (0, BoolType(), {}, False, False),
        (True, BoolType(), {"invert": True}, False, True),
        ("on", BoolType({0: "开", 1: "关"}), {}, False, True),
        ("报警", BoolType({0: "正常", 1: "报警"}), {}, True, True),
        ("unlocked", BoolType({0: "上锁", 1: "开锁"}), {}, True, "开锁"),
        ("unlocked", BoolType({0: "上锁", 1: "开锁"}), {"invert": True}, False, "开锁"),
        (True, IntType(0, 1), {}, 1, 1),
        # numbers
        ("21.5", FloatType(step=0.1), {}, 21.5, 21.5),
        (21, DoubleType(), {}, 21.0, 21.0),
        ("21.5", IntType(), {"scale": 10}, 215, 21.5),
        (120, IntType(0, 100), {"clamp": True}, 100, 100),
        (1.26, DoubleType(), {"digits": 1}, 1.3, 1.3),
        # items
        ("制热", MODES, {}, 2, "制热"),
        ("heat", MODES, {}, 2, "制热"),
        (2, MODES, {}, 2, "制热"),
        ("7", MODES, {}, 7, 7),
        (True, EnumType({0: "off", 1: "on"}), {}, 1, "on"),
        (1, TWINS, {}, 1, 1),
        ("2", TWINS, {}, 3, "2"),
        (5, EnumType(), {}, 5, 5),
        ("boost", EnumType({1: "a", 2: "b"}), {"options": {"eco": 1, "boost": "b"}}, 2, "boost"),
        (50, TextType(), {"options": {"50": "half"}}, "half", "50"),
        # text
        ("洗衣中", TextType(10), {}, "洗衣中", "洗衣中"),
        (21.0, TextType(), {}, "21", "21"),
        (True, TextType(), {}, "on", "on"),
        (True, TextType(), {"invert": True}, "off", "off"),
        ([1, "二"], TextType(), {}, '[1, "二"]', '[1, "二"]'),
        ("3", TextType(), {"scale": 2}, "6", 3.0),
        # moments
        ("2026-11-23T20:00:00+08:00", DateType(), {}, NOON, "2026-11-23T12:00:00+00:00"),
        (NOON.timestamp(), DateType(), {}, NOON, "2026-11-23T12:00:00+00:00"),
        ("1795435200", DateType(), {}, NOON, "2026-11-23T12:00:00+00:00"),
        (1795435200000, DateType(), {}, NOON, "2026-11-23T12:00:00+00:00"),
        # structures
        ({"x": "3", "on": "yes"}, POINT, {}, {"x": 3, "on": True}, {"x": 3, "on": True}),
        ([{"x": 1, "on": 0}], POINTS, {}, [{"x": 1, "on": False}], [{"x": 1, "on": False}]),
        ([], ArrayType(4, IntType()), {}, [], []),
    ],
)  # fmt: skip
def test_any_value_is_converted_both_ways(
    raw: Raw, data_type: DataType, conversion: dict[str, Any], cloud: CloudValue, returned: Value
) -> None:
    """The value may come back in another form, which is converted to the same property value."""
    sent = to_property_value(raw, data_type, **conversion)
    assert (sent, type(sent)) == (cloud, type(cloud))
    assert data_type.decode(data_type.encode(sent)) == cloud
    home = to_aspect_value(cloud, data_type, **conversion)
    assert (home, type(home)) == (returned, type(returned))
    if "clamp" not in conversion and "invert" not in conversion:
        assert to_property_value(returned, data_type, **conversion) == cloud


@pytest.mark.parametrize(
    ("raw", "data_type", "conversion", "reason"),
    [
        ("maybe", BoolType(), {}, Reason.WRONG_TYPE),
        (2, BoolType(), {}, Reason.WRONG_TYPE),
        ([], BoolType(), {}, Reason.WRONG_TYPE),
        (True, BoolType({0: "上锁", 1: "开锁"}), {}, Reason.WRONG_TYPE),
        ("on", IntType(), {}, Reason.WRONG_TYPE),
        (True, DoubleType(), {}, Reason.WRONG_TYPE),
        ({}, DoubleType(), {}, Reason.WRONG_TYPE),
        (101, IntType(0, 100), {}, Reason.OUT_OF_RANGE),
        (10, IntType(0, 100), {"invert": True}, Reason.NOT_SUPPORTED),
        ("dry", MODES, {}, Reason.NOT_AN_OPTION),
        (3, MODES, {}, Reason.NOT_AN_OPTION),
        (1.5, EnumType(), {}, Reason.NOT_AN_OPTION),
        ("low", TWINS, {}, Reason.NOT_AN_OPTION),
        (True, MODES, {"options": {"off": 0}}, Reason.NOT_AN_OPTION),
        ("longer than five", TextType(5), {}, Reason.OUT_OF_RANGE),
        ("tomorrow", DateType(), {}, Reason.WRONG_TYPE),
        (1e18, DateType(), {}, Reason.WRONG_TYPE),
        (17_954_352_000, DateType(), {}, Reason.WRONG_TYPE),
        (86_400, DateType(), {}, Reason.WRONG_TYPE),
        ([1], DateType(), {}, Reason.WRONG_TYPE),
        ({"x": 1}, POINT, {}, Reason.WRONG_TYPE),
        ({"x": 1, "on": "maybe"}, POINT, {}, Reason.WRONG_TYPE),
        ([[1]], ArrayType(2, IntType()), {}, Reason.WRONG_TYPE),
        ([None], ArrayType(2, TextType()), {}, Reason.WRONG_TYPE),
        ("text", ArrayType(2, TextType()), {}, Reason.WRONG_TYPE),
    ],
)
def test_nothing_is_guessed(raw: Raw, data_type: DataType, conversion: dict[str, Any], reason: Reason) -> None:
    """A value without a counterpart is refused, with the reason."""
    with pytest.raises(Refused) as error:
        to_property_value(raw, data_type, **conversion)
    assert error.value.reason is reason


def test_number_of_any_entity_is_inverted_in_its_range() -> None:
    """The range is that of the entity, whatever aspect reads the number."""
    assert to_property_value("64", IntType(0, 255), DIMMER, invert=True) == 191
    assert to_aspect_value(191, IntType(0, 255), DIMMER, invert=True) == 64


def test_attribute_is_converted_from_the_unit_in_another_attribute() -> None:
    """Weather entities have the unit of each attribute in another attribute."""
    outside = State("weather.home", "sunny", {"temperature": 50, "temperature_unit": "°F"})
    aspect = attribute_aspect("temperature")
    conversion = Conversion(unit="°C")
    assert to_cloud(50, aspect, FloatType(), conversion, outside) == 10.0
    assert to_cloud(50, aspect, TextType(), conversion, outside) == "10"
    assert to_ha(10.0, aspect, FloatType(), conversion, outside) == 50.0


def test_words_for_yes_and_no_are_few_and_in_pairs() -> None:
    """A word whose meaning depends on the entity must not be among them."""
    assert list(TRUTHS.values()) == [True, False] * (len(TRUTHS) // 2)
    assert not TRUTHS.keys() & {"locked", "unlocked", "detected", "clear", "idle"}


@pytest.mark.parametrize("data_type", [BoolType(), IntType(), MODES, TextType(), DateType(), POINT, POINTS])
def test_every_data_type_carries_a_raw_aspect(data_type: DataType) -> None:
    """Whether it fits depends on the value; an explicit map needs a type whose values can be listed."""
    assert carries(RENDERED, data_type, Conversion())
    mapped = carries(RENDERED, data_type, Conversion(options={"a": 1}))
    assert mapped == isinstance(data_type, BoolType | EnumType | IntType | TextType)


@pytest.mark.parametrize(
    ("entity_id", "aspect", "raw", "value"),
    [
        ("switch.a", "power", "yes", True),
        ("lock.a", "locked", "locked", True),
        ("number.a", "value", "1.5", 1.5),
        ("climate.a", "mode", "heat", "heat"),
        ("select.a", "option", 2.0, "2"),
        ("sensor.a", "text", True, "on"),
        ("sensor.a", "moment", "2026-11-23T12:00:00+00:00", NOON),
        ("light.a", "color", "#ff7800", (255, 120, 0)),
        ("light.a", "color", [255, "120", 0], (255, 120, 0)),
        ("device_tracker.a", "location", "31.2,121.5", Location(31.2, 121.5)),
        ("device_tracker.a", "location", [31.2, 121.5, 4], Location(31.2, 121.5, 4)),
    ],
)
def test_template_result_becomes_the_kind_of_the_aspect(entity_id: str, aspect: str, raw: Raw, value: Value) -> None:
    """A template gives text, numbers and lists; an aspect needs its own kind."""
    target = aspect_of(entity_id, aspect)
    assert target
    assert kind_of_raw(raw, target) == value


@pytest.mark.parametrize(
    ("entity_id", "aspect", "raw"),
    [
        ("switch.a", "power", "maybe"),
        ("number.a", "value", "high"),
        ("climate.a", "mode", ["heat"]),
        ("sensor.a", "moment", "soon"),
        ("light.a", "color", "red"),
        ("light.a", "color", [256, 0, 0]),
        ("light.a", "color", 7),
        ("device_tracker.a", "location", "here"),
        ("device_tracker.a", "location", [91, 0]),
        ("switch.a", "power", None),
    ],
)
def test_template_result_of_the_wrong_kind_is_refused(entity_id: str, aspect: str, raw: Raw) -> None:
    """Nothing is guessed."""
    target = aspect_of(entity_id, aspect)
    assert target
    with pytest.raises(Refused):
        kind_of_raw(raw, target)
