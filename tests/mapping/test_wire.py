"""Values of users and templates in the types of the thing model, at any depth."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
import json
from typing import Any

from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.errors import InvalidValue
from custom_components.aliyun_iot.alink.model.datatypes import (
    ArrayType,
    BoolType,
    DataType,
    DateType,
    DoubleType,
    EnumType,
    Field,
    IntType,
    StructType,
    TextType,
)
from custom_components.aliyun_iot.mapping.attributes import any_moment
from custom_components.aliyun_iot.mapping.wire import to_wire, untyped_to_wire

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_MS = "1795435200000"

MODES = EnumType({0: "关闭", 1: "制冷", 2: "heat"})

VALUES: list[tuple[DataType, Any, Any]] = [
    (BoolType(), "on", 1),
    (BoolType(), "Off", 0),
    (BoolType(), "yes", 1),
    (BoolType(), "disable", 0),
    (BoolType(), True, 1),
    (BoolType(), "false", 0),
    (BoolType(), 0, 0),
    (BoolType({0: "关闭", 1: "打开"}), "on", 1),
    (BoolType({0: "打开", 1: "关闭"}), "on", 0),
    (BoolType({0: "打开", 1: "关闭"}), "关闭", 1),
    (BoolType({0: "打开", 1: "关闭"}), "true", 1),
    (BoolType({0: "正常", 1: "报警"}), "on", 1),
    (BoolType({0: "正常", 1: "报警"}), "报警", 1),
    (MODES, "heat", 2),
    (MODES, "cool", 1),
    (MODES, "1", 1),
    (IntType(), "7", 7),
    (DoubleType(), "7", 7.0),
    (TextType(), 7, "7"),
    (TextType(), 1.5, "1.5"),
    (TextType(), "007", "007"),
    (DateType(), NOON, NOON_MS),
    (DateType(), NOON.replace(tzinfo=None), "1795464000000"),
    (DateType(), date(2026, 11, 23), "1795420800000"),
    (DateType(), "2026-11-23T20:00:00+08:00", NOON_MS),
    (DateType(), "2026-11-23 04:00:00", NOON_MS),
    (DateType(), 1795435200, NOON_MS),
    (DateType(), "1795435200", NOON_MS),
    (DateType(), 1795435200.5, "1795435200500"),
    (DateType(), 1795435200000, NOON_MS),
    (DateType(), NOON_MS, NOON_MS),
    (DateType(), "1795435200000.9", NOON_MS),
    (DateType(), 0, "0"),
]

REFUSED: list[tuple[DataType, Any]] = [
    (BoolType(), "home"),
    (BoolType(), "open"),
    (BoolType(), "unavailable"),
    (BoolType(), 2),
    (BoolType({0: "locked", 1: "unlocked"}), "on"),
    (MODES, "dry"),
    (MODES, True),
    (IntType(), "7.5"),
    (IntType(), "on"),
    (TextType(), True),
    (TextType(3), 1234),
    (DateType(), "tomorrow"),
    (DateType(), ""),
    (DateType(), 86_400),
    (DateType(), 17_954_352_000),
    (DateType(), 10**17),
    (DateType(), True),
]


def nested(data_type: DataType, value: object) -> list[tuple[DataType, Any]]:
    """Return the value by itself, in a structure, in a list, and in both."""
    struct = StructType({"a": Field("a", "a", data_type)})
    return [
        (data_type, value),
        (struct, {"a": value}),
        (ArrayType(2, data_type), [value, value]),
        (ArrayType(2, data_type), (value,)),
        (ArrayType(1, struct), [{"a": value}]),
        (StructType({"b": Field("b", "b", ArrayType(None, data_type))}), {"b": [value]}),
    ]


@pytest.fixture(autouse=True)
def local_time(hass: HomeAssistant) -> None:
    """Times without a zone are local."""
    assert hass.config.time_zone == "US/Pacific"


@pytest.mark.parametrize(("data_type", "value", "wire"), VALUES)
def test_value_is_converted_at_any_depth(data_type: DataType, value: object, wire: object) -> None:
    """By the same rules as on the top level."""
    for (outer, written), (_, expected) in zip(nested(data_type, value), nested(data_type, wire), strict=True):
        sent = to_wire(outer, written, "A")
        assert json.dumps(sent) == json.dumps(expected)


@pytest.mark.parametrize(("data_type", "value"), REFUSED)
def test_value_that_does_not_fit_is_refused_at_any_depth(data_type: DataType, value: object) -> None:
    """With the path of the value at fault and what is wanted, in both languages."""
    paths = ["A", "A.a", "A[0]", "A[0]", "A[0].a", "A.b[0]"]
    for (outer, written), path in zip(nested(data_type, value), paths, strict=True):
        with pytest.raises(InvalidValue) as refused:
            to_wire(outer, written, "A")
        assert refused.value.path == path
        assert refused.value.wanted("en") != refused.value.wanted("zh-Hans")


@pytest.mark.parametrize("value", [{}, {"a": 1, "b": 2}, {"b": 1}, [], "a", None])
def test_structure_needs_exactly_its_members(value: object) -> None:
    """A member is never added or left out silently."""
    with pytest.raises(InvalidValue):
        to_wire(StructType({"a": Field("a", "a", IntType())}), value, "A")


@pytest.mark.parametrize("value", [[1, 2, 3], {"0": 1}, "12", {1, 2}, None])
def test_list_that_does_not_fit_is_refused(value: object) -> None:
    """It is too long, or no list."""
    with pytest.raises(InvalidValue):
        to_wire(ArrayType(2, IntType()), value, "A")


def test_date_names_the_units_that_it_takes() -> None:
    """So that nobody takes seconds for milliseconds."""
    with pytest.raises(InvalidValue) as refused:
        to_wire(DateType(), 17_954_352_000, "ReadAt")
    for words in ("ISO 8601", "milliseconds (13 digits)", "seconds (10 digits)"):
        assert words in refused.value.wanted("en")
    for words in ("ISO 8601", "毫秒数（13 位）", "秒数（10 位）"):
        assert words in refused.value.wanted("zh-Hans")


@given(st.integers(10**8, 10**10 - 1))
def test_seconds_and_milliseconds_are_told_apart(seconds: int) -> None:
    """For every time that people write as a number: those from 1973 to 2286."""
    at = datetime.fromtimestamp(seconds, UTC)
    assert any_moment(seconds) == any_moment(str(seconds)) == any_moment(seconds * 1000) == at


@given(st.integers(-(10**18), 10**18) | st.floats(allow_nan=False))
def test_no_number_becomes_a_time_near_1970(number: float) -> None:
    """Except for 0, which is 1970 by any count."""
    at = any_moment(number)
    assert at is None or number == 0 or abs(at.timestamp()) > 1e8 - 1


UNTYPED: list[tuple[Any, Any]] = [
    (True, 1),
    ({"a": [True, {"b": False}], "c": "on"}, {"a": [1, {"b": 0}], "c": "on"}),
    ((1.5, None), [1.5, None]),
    ({"at": NOON}, {"at": NOON_MS}),
]


@pytest.mark.parametrize(("value", "wire"), UNTYPED)
def test_value_without_a_thing_model(value: object, wire: object) -> None:
    """Booleans are 0 and 1 at any depth, as the platform wants them."""
    assert json.dumps(untyped_to_wire(value)) == json.dumps(wire)


def test_mapping_of_another_kind_is_a_structure() -> None:
    """Home Assistant has read-only mappings."""

    class Attributes(dict[str, object]):
        """As a template gives them."""

    value: Mapping[str, object] = Attributes(a="7")
    assert to_wire(StructType({"a": Field("a", "a", IntType())}), value, "A") == {"a": 7}
