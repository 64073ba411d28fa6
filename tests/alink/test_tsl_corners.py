"""Variants of thing models from consoles, servers and users; the files in fixtures/tsl are named after the variant."""

import copy
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.errors import InvalidValue, ThingModelError
from custom_components.aliyun_iot.alink.model.datatypes import (
    INT_MAX,
    INT_MIN,
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
)
from custom_components.aliyun_iot.alink.model.thing_model import Event, EventType, Property, Service, ThingModel

from .generated import JSON_VALUES, places

FILES = {path.stem: path.read_bytes() for path in (Path(__file__).parents[1] / "fixtures" / "tsl").glob("*.json")}
GOOD = sorted(name for name in FILES if not name.startswith("refused_"))
BAD = sorted(FILES.keys() - GOOD)


def parsed(name: str) -> ThingModel:
    """Return the thing model in a file."""
    return ThingModel.parse(FILES[name])


def member(identifier: str, data_type: DataType, name: str = "") -> dict[str, Field]:
    """Return a member or a parameter by its identifier."""
    return {identifier: Field(identifier, name or identifier, data_type)}


SWITCH = BoolType({0: "off", 1: "on"})
GEAR = IntType(1, 5, 1)
GEAR_WITH_UNIT = IntType(1, 5, 1, "gear")

DATA_TYPES: dict[str, dict[str, DataType]] = {
    "numbers_as_text_and_as_numbers": {
        "TextNumbers": IntType(0, 100, 5),
        "PlainNumbers": IntType(0, 100, 5),
        "WholeDecimals": IntType(-10, 10, 1),
        "Blanks": FloatType(-1.5, 1.5, 0.5),
        "Exponents": DoubleType(-1000, 1000, 0.001),
        "Nothing": DoubleType(),
        "Length": TextType(128),
        "Size": ArrayType(8, IntType()),
    },
    "specs_empty_or_absent": {
        "IntNull": IntType(),
        "IntList": IntType(),
        "IntText": IntType(),
        "FloatAbsent": FloatType(),
        "DoubleObject": DoubleType(),
        "BoolNull": BoolType(),
        "BoolList": BoolType(),
        "BoolObject": BoolType(),
        "EnumList": EnumType(),
        "EnumNull": EnumType(),
        "TextAbsent": TextType(),
        "TextEmptyLength": TextType(),
        "DateList": DateType(),
        "DateObject": DateType(),
        "DateNull": DateType(),
        "StructList": StructType({}),
        "StructObject": StructType({}),
        "StructNull": StructType({}),
    },
    "specs_as_list": {
        "Switch": BoolType({0: "关", 1: "开"}),
        "Lock": BoolType({0: "未锁", 1: "已锁"}),
        "Mode": EnumType({-1: "未知", 3: "制冷"}),
        "Season": EnumType({0: "春", 1: "夏", 2: "秋", 3: "冬"}),
    },
    "specs_as_json_text": {
        "Level": IntType(0, 10, 1),
        "Mode": EnumType({0: "自动", 1: "手动"}),
        "Color": StructType(member("Hue", IntType(0, 360), "色相")),
        "Whole": TextType(16),
        "List": ArrayType(2, StructType(member("A", DoubleType()))),
    },
    "unit_name_only": {
        "Temperature": FloatType(-20, 60, 0.1, "摄氏度"),
        "Humidity": IntType(0, 100, None, "百分比"),
        "Count": IntType(),
        "Power": DoubleType(unit="W"),
        "Both": DoubleType(),
    },
    "arrays_and_structures": {
        "Schedule": ArrayType(
            8,
            StructType(member("At", TextType(5), "时间") | member("On", BoolType({0: "否", 1: "是"}), "开")),
        ),
        "Matrix": ArrayType(2, ArrayType(3, FloatType())),
        "Room": StructType(
            member("Name", TextType(20)) | member("Levels", ArrayType(4, IntType())) | member("Seen", DateType())
        ),
        "Open": ArrayType(None, TextType(10)),
        "Short": ArrayType(None, DoubleType()),
    },
    "int32_and_capitals": {
        "A": IntType(),
        "B": IntType(1, 2),
        "C": FloatType(None, 1),
        "D": EnumType({0: "x"}),
        "E": TextType(1),
        "F": ArrayType(1, IntType()),
    },
    "enum_keys": {
        "Negative": EnumType({-2: "b", -1: "a", 0: "-"}),
        "Gaps": EnumType({10: "ten", 2: "two", 300: "padded"}),
        "Empty": EnumType({1: "", 2: "", 3: ""}),
        "Spaces": EnumType({7: "seven"}),
    },
    "bool_keys": {
        "Words": BoolType({0: "关", 1: "开"}),
        "Capitals": BoolType({0: "no", 1: "yes"}),
        "Json": BoolType({0: "no", 1: "yes"}),
        "One": BoolType({1: "on"}),
        "More": BoolType({0: "a", 1: "b"}),
    },
    "huge_numbers": {
        "Unsigned": IntType(0, INT_MAX),
        "Long": IntType(INT_MIN, INT_MAX, 1),
        "Single": FloatType(),
        "Double": DoubleType(step=1e-6),
        "Digits": DoubleType(),
        "Text": TextType(10240),
    },
    "step_zero_or_less": {
        "Zero": IntType(0, 10),
        "Negative": FloatType(0, 1),
        "Null": DoubleType(),
        "Equal": IntType(5, 5, 1),
    },
    "byte_order_mark": {"Power": BoolType({0: "关", 1: "开"})},
    "utf16": {"Power": BoolType({0: "关", 1: "开"})},
    "text_in_data_wrapper": {"Power": SWITCH},
    "no_events_no_services": {"Temperature": FloatType(-40, 125, 0.1, "°C")},
}


def read_only(identifier: str, data_type: DataType, name: str = "") -> dict[str, Property]:
    """Return a property that the cloud can't set, by its identifier."""
    access = {"writable": False, "readable": True, "required": False}
    return {identifier: Property(identifier, name or identifier, **access, data_type=data_type)}


def writable(identifier: str, data_type: DataType, name: str = "", description: str = "") -> dict[str, Property]:
    """Return a property that the cloud can set, by its identifier."""
    access = {"writable": True, "readable": True, "required": False}
    return {
        identifier: Property(identifier, name or identifier, **access, data_type=data_type, description=description)
    }


def event(identifier: str, kind: EventType, output: dict[str, Field], name: str = "") -> dict[str, Event]:
    """Return an event by its identifier."""
    return {identifier: Event(identifier, name or identifier, kind, output)}


def service(identifier: str, name: str = "", *, sync: bool = False) -> dict[str, Service]:
    """Return a service without parameters by its identifier."""
    return {identifier: Service(identifier, name or identifier, sync=sync, input={}, output={})}


TWO_MODULES = ThingModel(
    "a1HomeGw001",
    writable("Power", SWITCH) | read_only("kitchen_1:Power", SWITCH, "Power"),
    event("Alarm", EventType.ALERT, {}) | event("kitchen_1:Alarm", EventType.ALERT, {}),
    service("Run", sync=True) | service("kitchen_1:Run", sync=True),
)

MODELS: dict[str, ThingModel] = {
    "only_what_is_needed": ThingModel(
        None,
        read_only("Power", BoolType()) | read_only("Level", IntType()) | read_only("Note", TextType()),
        event("Alarm", EventType.INFO, {}),
        service("Reset"),
    ),
    "only_events": ThingModel(
        "a1HomeGw001",
        events=event(
            "Overheat",
            EventType.ERROR,
            member("Temperature", FloatType(unit="°C"), "温度") | member("At", DateType(), "时间"),
            "过热",
        ),
    ),
    "modules_in_function_blocks": replace(TWO_MODULES, missing_modules=("empty",)),
    "modules_as_list": TWO_MODULES,
    "identifiers_with_their_module": ThingModel(
        "a1HomeGw001",
        read_only("kitchen_1:Power", BoolType()) | read_only("Power", BoolType(), "Default:Power"),
        event("kitchen_1:Alarm", EventType.INFO, {}),
    ),
    "chinese_labels_and_keys": ThingModel(
        "a1HomeGw001",
        writable("客厅灯_开关", BoolType({0: "关闭", 1: "打开"}), "客厅灯 · 开关", "客厅主灯（北侧）")
        | writable("空调模式", EnumType({0: "自动", 1: "制冷", 2: "制热", 3: "送风"}))
        | read_only("室内温度", FloatType(-40, 80, 0.1, "℃")),
        event("门铃", EventType.INFO, member("图片", TextType(2048)), "有人按门铃 🔔"),
    ),
    "unknown_fields": ThingModel(
        "a1HomeGw001",
        writable("Power", SWITCH) | read_only("Level", IntType(0, 9, 1)),
        event("Fault", EventType.ERROR, member("Code", EnumType({1: "a"}))),
        service("Run"),
    ),
    "thing_model_json_in_a_reply": ThingModel(
        "a1HomeGw001",
        writable("Power", BoolType({0: "关", 1: "开"}), "开关") | read_only("Level", IntType(0, 9, 1, "%"), "级别"),
        event("Fault", EventType.ALERT, {}, "故障"),
        service("Run", "运行"),
    ),
    "thing_model_json_nested": ThingModel(
        "a1HomeGw001",
        read_only(
            "Info",
            StructType(
                member("Ccid", TextType(20), "SIM 卡号")
                | member("Gear", GEAR_WITH_UNIT, "档位")
                | member("CoordinateSystem", EnumType({1: "WGS_84", 2: "GCJ_02"}), "坐标系")
                | member("Charging", BoolType({0: "否", 1: "是"}), "充电")
                | member("Longitude", DoubleType(-180, 180, 0.01, "°"), "经度")
            ),
            "设备信息",
        )
        | writable("Gears", ArrayType(4, GEAR), "各室档位")
        | writable("Schedule", ArrayType(8, StructType(member("Gear", GEAR, "档位"))), "日程")
        | read_only("Names", ArrayType(2, TextType(8)), "名称"),
        event("LowBattery", EventType.ALERT, member("Level", IntType(0, 20, 1), "电量"), "低电量"),
        {
            "Move": Service(
                "Move",
                "移动",
                sync=True,
                input=member("Target", StructType(member("Steps", IntType(1, 9, 1), "步数")), "目标"),
                output=member("Done", FloatType(0, 1), "进度"),
            )
        },
        missing_modules=("battery", "location0"),
    ),
    "keys_in_other_case": ThingModel(
        "a1HomeGw001",
        writable("Level", IntType(1, 5, 1, "档"), "级别") | read_only("Names", ArrayType(2, TextType(32))),
        event("LowIlluminance", EventType.ALERT, member("Lux", IntType(0, 9), "照度"), "光照度低告警")
        | event("Fault", EventType.ERROR, member("Code", TextType(8), "代码"), "故障"),
        {
            "Run": Service(
                "Run",
                "运行",
                sync=True,
                input=member("At", DateType(), "时间"),
                output=member("Done", BoolType({0: "否", 1: "是"}), "完成"),
            )
        },
    ),
    "wrapped_by_product": ThingModel(None, read_only("Power", SWITCH)),
    "lists_as_empty_objects": ThingModel(None, read_only("Power", BoolType()), {}, service("Run")),
}

REFUSED = {
    "refused_duplicate_identifier": ("properties[2].identifier", "'Power' appears twice"),
    "refused_min_above_max": ("properties[1].dataType.specs.min", "is greater than max"),
    "refused_fraction_in_int": ("properties[0].dataType.specs.min", "must be a whole number"),
    "refused_unknown_type": (
        "properties[0].dataType.specs[1].dataType.type",
        "must be int, float, double, bool, enum, text, date, struct or array, not 'uuid'",
    ),
    "refused_enum_of_words": ("properties[0].dataType.specs.auto", "must number its item by an integer"),
    "refused_nested_fault": (
        "services[0].inputData[0].dataType.specs.item.specs[0].dataType.specs.length",
        "must be a number",
    ),
    "refused_in_second_module": ("[1].functionBlockId", "must be letters, digits and underscores"),
    "refused_cut_off": ("", "this is not JSON: Expecting ',' delimiter at line 4, column 1"),
    "refused_identifier_with_blank": ("events[0].identifier", "must be letters, digits and underscores"),
}


@pytest.mark.parametrize(("name", "data_types"), DATA_TYPES.items(), ids=DATA_TYPES)
def test_data_types_are_read(name: str, data_types: dict[str, DataType]) -> None:
    """For every property."""
    assert {key: one.data_type for key, one in parsed(name).properties.items()} == data_types


@pytest.mark.parametrize(("name", "model"), MODELS.items(), ids=MODELS)
def test_whole_models_are_read(name: str, model: ThingModel) -> None:
    """Properties, events and services, and nothing else."""
    assert parsed(name) == model


@pytest.mark.parametrize(
    ("identifier", "value"),
    [
        ("Gears", [99]),
        ("Schedule", [{"Gear": 99}]),
        ("Names", ["longer than eight"]),
        ("Info", {"Ccid": "1", "Gear": 99, "CoordinateSystem": 1, "Charging": 0, "Longitude": 1.0}),
        ("Info", {"Ccid": "1", "Gear": 1, "CoordinateSystem": 3, "Charging": 0, "Longitude": 1.0}),
    ],
)
def test_specs_of_members_and_items_are_enforced(identifier: str, value: object) -> None:
    """In the notation of the cloud's API too."""
    with pytest.raises(InvalidValue):
        parsed("thing_model_json_nested").properties[identifier].data_type.decode(value)


def test_module_in_another_document_is_not_missing() -> None:
    """An archive has a file for each module; the one of the default module lists the others."""
    default = {"properties": [], "functionBlocks": [{"functionBlockId": "battery"}, {"functionBlockId": "location0"}]}
    battery = {"functionBlockId": "battery", "properties": []}
    assert ThingModel.parse(default).missing_modules == ("battery", "location0")
    assert ThingModel.parse([default, battery]).missing_modules == ("location0",)
    assert ThingModel.parse([battery, default]).missing_modules == ("location0",)
    power = [{"identifier": "location0:Power", "dataType": {"type": "bool"}}]
    assert ThingModel.parse([battery, {**default, "properties": power}]).missing_modules == ()


def test_access_is_read_only_by_default() -> None:
    """Where the document has no access mode."""
    access = {key: (one.readable, one.writable) for key, one in parsed("access_modes").properties.items()}
    assert access == {
        "Absent": (True, False),
        "Empty": (True, False),
        "Null": (True, False),
        "Write": (False, True),
        "Swapped": (True, True),
        "Capitals": (True, True),
    }


def test_name_is_the_identifier_by_default() -> None:
    """Where the document has no name."""
    properties = parsed("names_missing_or_odd").properties
    assert {key: one.name for key, one in properties.items()} == {key: key for key in "ABCDE"}
    assert properties["E"].data_type == StructType(member("F", IntType()))


def test_hundreds_of_properties_are_read() -> None:
    """In one file."""
    kinds = [{"type": "int", "specs": {"min": "0", "max": "9"}}, {"type": "text"}, {"type": "date", "specs": []}]
    properties = [
        {"identifier": f"Room{number}", "name": f"房间 {number}", "accessMode": "rw", "dataType": kinds[number % 3]}
        for number in range(280)
    ]
    model = ThingModel.parse(json.dumps({"properties": properties}))
    assert len(model.properties) == 280
    assert model.properties["Room279"] == writable("Room279", IntType(0, 9), "房间 279")["Room279"]


@pytest.mark.parametrize(("name", "path", "problem"), [(name, *fault) for name, fault in REFUSED.items()], ids=REFUSED)
def test_refused_files_have_the_path_and_the_problem(name: str, path: str, problem: str) -> None:
    """In both languages."""
    with pytest.raises(ThingModelError) as refused:
        parsed(name)
    assert (refused.value.path, refused.value.problem) == (path, problem)
    assert refused.value.describe() == problem
    chinese = refused.value.describe("zh-Hans")
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
    assert "{" not in chinese


def test_every_file_is_used() -> None:
    """By one of the tests above."""
    assert sorted(REFUSED) == BAD
    assert sorted({*DATA_TYPES, *MODELS, "access_modes", "names_missing_or_odd"}) == GOOD


@pytest.mark.parametrize("name", GOOD)
def test_models_are_exported_and_read_back_equal(name: str) -> None:
    """As they are stored in an entry."""
    model = parsed(name)
    assert ThingModel.parse(json.dumps(model.to_tsl(), allow_nan=False)) == model


def _content(name: str) -> Any:
    return json.loads(FILES[name].decode("utf-16" if name == "utf16" else "utf-8-sig"))


def read_or_refuse(document: object) -> None:
    """Parse a document; if it is accepted, its export is equal, and if not, the error is also in Chinese."""
    try:
        model = ThingModel.parse(document)
    except ThingModelError as refused:
        refused.describe("zh-Hans")
        return
    assert ThingModel.parse(json.dumps(model.to_tsl(), allow_nan=False)) == model


@given(data=st.data())
def test_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    """Up to three places of any file are replaced or removed."""
    document = _content(data.draw(st.sampled_from([name for name in FILES if name != "refused_cut_off"])))
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(document)
        container, key = found[data.draw(st.integers(0, len(found) - 1))]
        match data.draw(st.sampled_from(["replace", "remove", "move", "as text"])):
            case "replace":
                container[key] = data.draw(JSON_VALUES)
            case "remove":
                del container[key]
            case "move":
                other, place = found[data.draw(st.integers(0, len(found) - 1))]
                container[key] = copy.deepcopy(other[place])
            case "as text":
                container[key] = json.dumps(container[key])
        if not places(document):
            break
    read_or_refuse(document)


@given(
    name=st.sampled_from(sorted(FILES)),
    start=st.integers(0, 3000),
    length=st.integers(0, 60),
    put=st.binary(max_size=6),
)
def test_damaged_bytes_are_read_or_refused(name: str, start: int, length: int, put: bytes) -> None:
    """A file that was truncated or garbled."""
    content = FILES[name]
    read_or_refuse(content[:start] + put + content[start + length :])
