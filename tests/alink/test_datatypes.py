"""Data types: valid and invalid values, and their wire form."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
import json
import math

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
    FloatType,
    IntType,
    StructType,
    TextType,
    Value,
)
from simulator.core.thing_model import BadValueError, check_value

from .generated import typed_values

SWITCH = BoolType({0: "off", 1: "on"})
MODE = EnumType({0: "off", 1: "heat", 2: "cool"})
LEVEL = IntType(0, 100, 1, "%")
COLOR = StructType({key: Field(key, key, IntType(0, 255)) for key in ("Red", "Green", "Blue")})
LEVELS = ArrayType(3, IntType())
SCHEDULE = ArrayType(8, StructType({"Cron": Field("Cron", "Cron", TextType(64)), "On": Field("On", "On", SWITCH)}))
NOON = datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data_type", "value", "wire"),
    [
        (LEVEL, 80, "80"),
        (LEVEL, 80.0, "80"),
        (FloatType(), 10, "10.0"),
        (FloatType(5, 35), 21.5, "21.5"),
        (DoubleType(), -1234.5, "-1234.5"),
        (SWITCH, True, "1"),
        (SWITCH, 0, "0"),
        (MODE, 2, "2"),
        (EnumType(), -7, "-7"),
        (TextType(6), "客厅", '"客厅"'),
        (DateType(), NOON, '"1700000000500"'),
        (DateType(), NOON.astimezone(timezone(timedelta(hours=8))), '"1700000000500"'),
        (DateType(), NOON + timedelta(microseconds=999), '"1700000000500"'),
        (DateType(), 1_700_000_000_500, '"1700000000500"'),
        (DateType(), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), '"-1000"'),
        (COLOR, {"Blue": 0, "Red": 255, "Green": 120}, '{"Red": 255, "Green": 120, "Blue": 0}'),
        (LEVELS, [], "[]"),
        (LEVELS, (1, 2, 3), "[1, 2, 3]"),
        (SCHEDULE, [{"Cron": "0 7 * * *", "On": True}], '[{"Cron": "0 7 * * *", "On": 1}]'),
    ],
)
def test_python_values_on_the_wire(data_type: DataType, value: object, wire: str) -> None:
    """Floats keep their decimal, booleans are 0 or 1, dates are milliseconds in a string (docs/protocol.md §4.1)."""
    assert json.dumps(data_type.encode(value), ensure_ascii=False) == wire


@pytest.mark.parametrize(
    ("data_type", "raw", "value"),
    [
        (LEVEL, 80, 80),
        (LEVEL, 80.0, 80),
        (LEVEL, "80", 80),
        (LEVEL, "8e1", 80),
        (FloatType(), 30, 30.0),
        (FloatType(), "30.5", 30.5),
        (FloatType(), ".5", 0.5),
        (DoubleType(), "-1E-3", -0.001),
        (SWITCH, 1, True),
        (SWITCH, 0.0, False),
        (SWITCH, True, True),
        (SWITCH, "0", False),
        (SWITCH, "TRUE", True),
        (SWITCH, "false", False),
        (MODE, "1", 1),
        (TextType(), "2", "2"),
        (DateType(), "1700000000500", NOON),
        (DateType(), 1_700_000_000_500, NOON),
        (DateType(), "999999999", datetime(1970, 1, 12, 13, 46, 39, 999_000, tzinfo=UTC)),
        (DateType(), "-2208988800000", datetime(1900, 1, 1, tzinfo=UTC)),
        (COLOR, {"Red": "255", "Green": 120, "Blue": 0.0}, {"Red": 255, "Green": 120, "Blue": 0}),
        (LEVELS, ["1", 2], [1, 2]),
        (SCHEDULE, [{"Cron": "", "On": "1"}], [{"Cron": "", "On": True}]),
    ],
)
def test_values_from_the_wire_are_read_tolerantly(data_type: DataType, raw: object, value: Value) -> None:
    """Clouds send numbers as text, and booleans as JSON booleans."""
    decoded = data_type.decode(raw)

    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("data_type", "value", "code"),
    [
        (LEVEL, -1, 6306),
        (LEVEL, 101, 6306),
        (LEVEL, 1.5, 6306),
        (LEVEL, True, 6306),
        (LEVEL, None, 6306),
        (LEVEL, [], 6306),
        (LEVEL, math.nan, 6306),
        (IntType(), 2**31, 6306),
        (IntType(), -(2**31) - 1, 6306),
        (IntType(), 10**300, 6306),
        (FloatType(), math.nan, 6307),
        (FloatType(), math.inf, 6307),
        (FloatType(), 3.5e38, 6307),
        (FloatType(min=-1e300, max=1e300), -3.5e38, 6307),
        (FloatType(), 10**400, 6307),
        (FloatType(), False, 6307),
        (FloatType(max=35.0), 35.01, 6307),
        (FloatType(min=5.0), 4.99, 6307),
        (DoubleType(), math.inf, 6322),
        (DoubleType(), 10**400, 6322),
        (SWITCH, 2, 6308),
        (SWITCH, None, 6308),
        (MODE, 3, 6309),
        (MODE, True, 6309),
        (EnumType(), 2**31, 6309),
        (TextType(3), "four", 6310),
        (TextType(), 4, 6310),
        (TextType(), "\ud800", 6310),
        (DateType(), None, 6311),
        (DateType(), True, 6311),
        (DateType(), 1e30, 6311),
        (DateType(), 253_402_300_800_000, 6311),
        (DateType(), "1700000000", 6311),
        (DateType(), 9_999_999_999, 6311),
        (COLOR, {}, 6312),
        (COLOR, {"Red": 1, "Green": 2}, 6312),
        (COLOR, {"Red": 1, "Green": 2, "Blue": 3, "White": 4}, 6312),
        (COLOR, [1, 2, 3], 6312),
        (COLOR, {"Red": 1, "Green": 2, 3: 4}, 6312),
        (LEVELS, [1, 2, 3, 4], 6324),
        (LEVELS, "123", 6324),
        (LEVELS, {"0": 1}, 6324),
    ],
)
def test_invalid_values_are_refused_in_both_directions(data_type: DataType, value: object, code: int) -> None:
    """The error has the code with which the cloud would refuse the value (docs/protocol.md §7.2)."""
    for check in (data_type.encode, data_type.decode):
        with pytest.raises(InvalidValue) as refused:
            check(value, "Id")
        assert refused.value.code == code
        assert refused.value.path == "Id"
        assert refused.value.wanted("zh-Hans") == data_type.describe("zh-Hans")
        assert refused.value.got is value


@pytest.mark.parametrize(
    "raw",
    ["", " 1", "1 ", "1,5", "1.234,5", "1_000", "0x10", "nan", "inf", "-", "e5", "１", "9" * 5000, "1e999", "one"],
)
def test_text_that_is_not_a_number_is_refused(raw: str) -> None:
    """Only plain decimal notation is accepted."""
    for data_type in (IntType(), FloatType(), DoubleType(), EnumType(), DateType(), SWITCH):
        with pytest.raises(InvalidValue):
            data_type.decode(raw)


@pytest.mark.parametrize("data_type", [IntType(), FloatType(), DoubleType(), EnumType(), DateType(), SWITCH])
def test_number_in_text_is_not_encoded(data_type: DataType) -> None:
    """Text of Home Assistant has to be converted explicitly."""
    with pytest.raises(InvalidValue):
        data_type.encode("1")


def test_date_without_a_time_zone_is_refused() -> None:
    """Its moment would be unknown."""
    with pytest.raises(InvalidValue, match="wanted time in UTC milliseconds"):
        DateType().encode(datetime(2023, 11, 14))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("check", "value", "path", "wanted"),
    [
        (COLOR.encode, {"Red": 1, "Green": 256, "Blue": 3}, "Id.Green", "integer 0 to 255"),
        (LEVELS.decode, [1, "x"], "Id[1]", "integer"),
        (SCHEDULE.decode, [{"Cron": "", "On": 1}, {"Cron": "", "On": 2}], "Id[1].On", "0 (off) or 1 (on)"),
    ],
)
def test_errors_name_the_innermost_path(check: Callable[..., object], value: object, path: str, wanted: str) -> None:
    """With the valid values and the value."""
    with pytest.raises(InvalidValue) as refused:
        check(value, "Id")
    assert refused.value.path == path
    assert refused.value.wanted("en") == wanted
    assert str(refused.value).startswith(f"{path}: wanted {wanted}, got ")


@pytest.mark.parametrize(
    ("data_type", "fitting", "too_long", "path"),
    [
        (TextType(6), "网关", "网关1", "Id"),
        (TextType(4), "🔔", "🔔1", "Id"),
        (TextType(3), "é1", "é12", "Id"),
        (ArrayType(2, TextType(3)), ["abc", "网"], ["abc", "网1"], "Id[1]"),
        (StructType({"A": Field("A", "A", TextType(3))}), {"A": "网"}, {"A": "网1"}, "Id.A"),
    ],
)
def test_length_of_text_is_measured_in_bytes(data_type: DataType, fitting: object, too_long: object, path: str) -> None:
    """Of UTF-8, in both directions and in every nesting (docs/protocol.md §8.2)."""
    for check in (data_type.encode, data_type.decode):
        assert check(fitting, "Id") == fitting
        with pytest.raises(InvalidValue) as refused:
            check(too_long, "Id")
        assert (refused.value.path, refused.value.wrong_type) == (path, False)


@given(text=st.text(max_size=12), length=st.integers(0, 40))
def test_simulator_measures_text_in_the_same_way(text: str, length: int) -> None:
    """Both implement the rule of the documentation."""
    try:
        TextType(length).encode(text)
        fits = True
    except InvalidValue:
        fits = False
    try:
        check_value({"type": "text", "specs": {"length": str(length)}}, text, "Id")
    except BadValueError:
        assert not fits
    else:
        assert fits


def test_errors_are_short_and_work_without_a_path() -> None:
    """The invalid value may be large."""
    with pytest.raises(InvalidValue) as refused:
        TextType(10).encode("x" * 100_000)
    assert str(refused.value).startswith("value: wanted text of at most 10 bytes, got 'xxx")
    assert refused.value.describe("zh-Hans").startswith("值：应为文本，最多 10 字节，实际为 'xxx")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("data_type", "english", "chinese"),
    [
        (LEVEL, "integer 0 to 100 %, step 1", "整数 0 到 100 %，步长 1"),
        (IntType(), "integer", "整数"),
        (IntType(min=0, unit="lx"), "integer from 0 lx", "整数，不小于 0 lx"),
        (IntType(max=5), "integer up to 5", "整数，不大于 5"),
        (IntType(unit="K"), "integer in K", "整数，单位 K"),
        (FloatType(5.0, 35.0, 0.5, "°C"), "number 5 to 35 °C, step 0.5", "浮点数 5 到 35 °C，步长 0.5"),
        (DoubleType(max=1e20), "double-precision number up to 1e+20", "双精度浮点数，不大于 1e+20"),
        (SWITCH, "0 (off) or 1 (on)", "布尔值：0（off）、1（on）"),
        (BoolType(), "0 or 1", "布尔值：0、1"),
        (MODE, "one of 0 (off), 1 (heat), 2 (cool)", "以下之一：0（off）、1（heat）、2（cool）"),
        (EnumType(), "integer key of an item", "枚举项的整数编号"),
        (TextType(64), "text of at most 64 bytes", "文本，最多 64 字节"),
        (TextType(), "text", "文本"),
        (DateType(), "time in UTC milliseconds (13 digits)", "时间（UTC 毫秒数，13 位）"),
        (
            COLOR,
            "structure of Red (integer 0 to 255), Green (integer 0 to 255), Blue (integer 0 to 255)",
            "结构体：Red（整数 0 到 255）、Green（整数 0 到 255）、Blue（整数 0 到 255）",
        ),
        (LEVELS, "list of at most 3: integer", "数组，最多 3 个元素：整数"),
        (ArrayType(None, TextType()), "list of: text", "数组：文本"),
    ],
)
def test_descriptions(data_type: DataType, english: str, chinese: str) -> None:
    """Every type describes its valid values in both languages."""
    assert data_type.describe() == data_type.describe("de") == english
    assert data_type.describe("zh-Hans") == chinese


@given(typed_values())
def test_values_survive_the_wire(typed: tuple[DataType, Value]) -> None:
    """A value that is encoded, written, read and decoded is equal to the original."""
    data_type, value = typed

    wire = json.loads(json.dumps(data_type.encode(value), allow_nan=False))

    assert data_type.decode(wire) == value


@given(typed_values(), st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_checking_raises_nothing_but_invalid_value(typed: tuple[DataType, Value], value: object) -> None:
    """A value that is accepted from the wire can be encoded again."""
    data_type, _ = typed
    for check in (data_type.encode, data_type.decode):
        try:
            result = check(value)
        except InvalidValue:
            continue
        json.dumps(data_type.encode(result) if check == data_type.decode else result, allow_nan=False)
