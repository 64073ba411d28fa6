"""Reading thing models: the complete example, variants, and invalid documents."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.errors import ThingModelError
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
from custom_components.aliyun_iot.alink.model.thing_model import EventType, Property, Service, ThingModel

from .generated import JSON_VALUES, LIKE_A_MODEL, places, thing_models

TEXT = (Path(__file__).parents[1] / "fixtures" / "tsl-home-gateway.json").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = json.loads(TEXT)
MODEL = ThingModel.parse(TEXT)


def model_with(**changes: object) -> dict[str, Any]:
    """Return a thing model with one property and some changed fields; None removes a field."""
    fields = {"identifier": "A", "name": "A", "accessMode": "rw", "dataType": {"type": "int"}, **changes}
    return {"properties": [{key: value for key, value in fields.items() if value is not None}]}


def model_of_type(data_type: object) -> dict[str, Any]:
    """Return a thing model with one property of a data type."""
    return model_with(dataType=data_type)


def test_example_is_read_completely() -> None:
    """All features except those that the platform generates."""
    assert MODEL.product_key == "a1HomeGw001"
    assert len(MODEL.properties) == 14
    assert list(MODEL.events) == ["HighTemperatureAlarm", "DeviceFault", "SceneActivated"]
    assert list(MODEL.services) == ["RunScene", "ReadMeter", "Restart"]


@pytest.mark.parametrize(
    ("identifier", "data_type"),
    [
        ("LightSwitch", BoolType({0: "off", 1: "on"})),
        ("Brightness", IntType(0, 100, 1, "%")),
        ("RGBColor", StructType({key: Field(key, key, IntType(0, 255, 1)) for key in ("Red", "Green", "Blue")})),
        ("TargetTemperature", FloatType(5, 35, 0.5, "°C")),
        ("HVACMode", EnumType({0: "off", 1: "heat", 2: "cool", 3: "auto", 4: "fan_only"})),
        ("EnergyTotal", DoubleType(0, 99999999, 0.001, "kWh")),
        (
            "Schedule",
            ArrayType(
                8,
                StructType(
                    {
                        "Enabled": Field("Enabled", "Enabled", BoolType({0: "no", 1: "yes"})),
                        "Cron": Field("Cron", "Cron expression", TextType(64)),
                        "TargetTemperature": Field(
                            "TargetTemperature", "Target temperature", FloatType(5, 35, 0.5, "°C")
                        ),
                    }
                ),
            ),
        ),
        ("ZoneLevels", ArrayType(16, IntType())),
        ("LastSeen", DateType()),
        ("GatewayName", TextType(64)),
    ],
)
def test_data_types_of_the_example(identifier: str, data_type: DataType) -> None:
    """Numbers are strings in the document; arrays and structures are nested."""
    assert MODEL.properties[identifier].data_type == data_type


def test_access_events_and_services_of_the_example() -> None:
    """Access modes, types of events and call types of services."""
    assert MODEL.properties["Brightness"].writable
    assert not MODEL.properties["CurrentHumidity"].writable
    assert MODEL.events["HighTemperatureAlarm"].type is EventType.ALERT
    assert list(MODEL.events["HighTemperatureAlarm"].output) == ["Temperature", "Threshold", "Zone"]
    assert MODEL.services["ReadMeter"].sync
    assert list(MODEL.services["ReadMeter"].input) == ["Channel"]
    assert MODEL.services["Restart"] == Service("Restart", "Restart", sync=False, input={}, output={})


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT,
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        [DOCUMENT],
        {"data": {**DOCUMENT, "link": "/sys/a1HomeGw001/gw-1/thing/"}, "code": 200, "id": "1"},
        {"Success": True, "Data": {"TslStr": TEXT}},
        {"Data": {"ThingModelJson": TEXT}},
        {"Data": {"TSL": DOCUMENT}},
        {"Data": {"TSL": TEXT}},
        {"RequestId": "1", "Success": True, "Data": {"Tsl": TEXT, "TslUri": "https://example.com/model.json"}},
        {"code": 200, "data": {"tsl": DOCUMENT}},
        {"data": json.dumps({"tsl": json.dumps(TEXT)})},
        {"headers": {}, "body": json.dumps({"Data": {"ThingModelJSON": TEXT}}), "statusCode": 200},
        {"a1HomeGw001": DOCUMENT},
        [TEXT],
        json.dumps(TEXT),
    ],
    ids=[
        "object",
        "bytes",
        "byte order mark",
        "list",
        "dsltemplate reply",
        "TslStr",
        "ThingModelJson",
        "TSL of an edge gateway",
        "TSL as text",
        "Tsl beside its address",
        "tsl",
        "text in text in text",
        "HTTP response",
        "by product",
        "list of texts",
        "twice encoded",
    ],
)
def test_thing_model_is_found_in_replies(document: object) -> None:
    """In replies to the device and of the cloud's API, also as text."""
    assert ThingModel.parse(document) == MODEL


@given(thing_models())
def test_exported_thing_model_is_read_back_equal(model: ThingModel) -> None:
    """Including its modules."""
    assert ThingModel.parse(json.dumps(model.to_tsl(), allow_nan=False)) == model


def test_identifiers_have_the_module_as_prefix() -> None:
    """In custom modules; those of the default module have none (docs/protocol.md §4.2)."""
    block = {
        "properties": [{"identifier": "Power", "dataType": {"type": "bool", "specs": {}}}],
        "events": [{"identifier": "Alarm"}, {"identifier": "post"}],
        "services": [{"identifier": "Run"}, {"identifier": "set"}, {"identifier": "get", "inputData": ["Power"]}],
    }
    modules = [
        {"functionBlockId": "Default", "functionBlockName": "默认模块", "profile": {"productKey": "pk"}, **block},
        {"functionBlockId": "light", **block},
    ]

    model = ThingModel.parse(modules)

    assert model.product_key == "pk"
    assert list(model.properties) == ["Power", "light:Power"]
    assert model.properties["light:Power"].identifier == "light:Power"
    assert list(model.events) == ["Alarm", "light:Alarm"]
    assert list(model.services) == ["Run", "light:Run"]
    assert ThingModel.parse({"functionBlocks": modules}) == model
    assert ThingModel.parse({"profile": {"productKey": "pk"}, **block, "functionBlocks": modules[1:]}) == model


def test_identifiers_may_be_written_with_their_module() -> None:
    """Some exports do so, with or without the module around them."""
    written = {"properties": [{"identifier": "light:Power", "dataType": {"type": "bool"}}]}
    default = {"properties": [{"identifier": "Default:Power", "dataType": {"type": "bool"}}]}

    assert list(ThingModel.parse(default).properties) == ["Power"]
    assert list(ThingModel.parse(written).properties) == ["light:Power"]
    assert list(ThingModel.parse({"functionBlockId": "light", **written}).properties) == ["light:Power"]
    with pytest.raises(ThingModelError, match=r"^properties\[0\].identifier: belongs to another module than 'meter'$"):
        ThingModel.parse({"functionBlockId": "meter", **written})


def test_notation_of_the_cloud_api_is_read() -> None:
    """QueryThingModel has types in capitals, with the specs beside the type."""
    switch = [{"dataType": "BOOL", "name": "off", "value": 0}, {"dataType": "BOOL", "name": "on", "value": "1"}]
    longitude = {
        "identifier": "Longitude",
        "childName": "经度",
        "childDataType": "DOUBLE",
        "childSpecsDTO": {"dataType": "DOUBLE", "min": "-180", "max": "180", "step": "0.01", "unit": "°"},
    }
    stored = {
        "_ppk": {"version": "1"},
        "productKey": "a1HomeGw001",
        "properties": [
            {"identifier": "Switch", "rwFlag": "READ_WRITE", "dataType": "BOOL", "dataSpecsList": switch},
            {"identifier": "Level", "rwFlag": "READ_ONLY", "dataType": "INT", "dataSpecs": {"min": "0", "max": 9}},
            {"identifier": "Place", "rwFlag": "READ_ONLY", "dataType": "STRUCT", "dataSpecsList": [longitude]},
            {
                "identifier": "Track",
                "dataType": "ARRAY",
                "dataSpecs": {"size": "4", "childDataType": "STRUCT", "dataSpecsList": [longitude]},
            },
            {"identifier": "Levels", "dataType": "ARRAY", "dataSpecs": {"size": "4", "childDataType": "INT"}},
        ],
        "events": [
            {
                "identifier": "Fault",
                "eventName": "故障",
                "eventType": "ERROR_EVENT_TYPE",
                "outputData": [{"identifier": "Code", "name": "Code", "dataType": "TEXT", "dataSpecs": {"length": 8}}],
            }
        ],
        "services": [
            {
                "identifier": "Run",
                "serviceName": "运行",
                "callType": "SYNC",
                "inputParams": [{"identifier": "At", "name": "At", "dataType": "DATE"}],
                "outputParams": [],
            }
        ],
    }
    place = StructType({"Longitude": Field("Longitude", "经度", DoubleType(-180, 180, 0.01, "°"))})

    model = ThingModel.parse({"Data": {"ThingModelJson": json.dumps(stored)}})

    assert model.product_key == "a1HomeGw001"
    assert {key: one.data_type for key, one in model.properties.items()} == {
        "Switch": BoolType({0: "off", 1: "on"}),
        "Level": IntType(0, 9),
        "Place": place,
        "Track": ArrayType(4, place),
        "Levels": ArrayType(4, IntType()),
    }
    assert model.properties["Switch"].writable
    assert model.events["Fault"].type is EventType.ERROR
    assert model.events["Fault"].name == "故障"
    assert model.events["Fault"].output["Code"].data_type == TextType(8)
    assert model.services["Run"] == Service(
        "Run", "运行", sync=True, input={"At": Field("At", "At", DateType())}, output={}
    )


def test_absent_parts_have_defaults() -> None:
    """Products without features omit lists, and old documents omit fields."""
    model = ThingModel.parse(
        {
            "profile": {},
            "properties": [{"identifier": "A", "dataType": {"type": "text"}}],
            "events": [{"identifier": "B"}],
            "services": [{"identifier": "C", "name": None, "inputData": None}],
        }
    )

    assert model.product_key is None
    assert model.properties["A"] == Property(
        "A", "A", writable=False, readable=True, required=False, data_type=TextType(None)
    )
    assert model.events["B"].type is EventType.INFO
    assert model.services["C"] == Service("C", "C", sync=False, input={}, output={})
    assert ThingModel.parse({"profile": None, "properties": None, "schema": "x"}) == ThingModel()


@pytest.mark.parametrize(
    ("mode", "readable", "writable"), [("r", True, False), ("rw", True, True), ("w", False, True), ("RW", True, True)]
)
def test_access_modes_are_read(mode: str, *, readable: bool, writable: bool) -> None:
    """`w` is used by other platforms only."""
    read = ThingModel.parse(model_with(accessMode=mode)).properties["A"]

    assert (read.readable, read.writable) == (readable, writable)


@pytest.mark.parametrize(
    ("written", "data_type"),
    [
        ({"type": "int"}, IntType()),
        ({"type": "int32", "specs": {"min": "-5", "max": "5.0", "step": ""}}, IntType(-5, 5)),
        ({"type": "int", "specs": {"min": 0, "max": 4294967295}}, IntType(0, INT_MAX)),
        ({"type": "int", "specs": {"min": "-1e300", "max": "1e300"}}, IntType(INT_MIN, INT_MAX)),
        ({"type": "float", "specs": []}, FloatType()),
        ({"type": "float", "specs": {"min": None, "unit": None, "precise": 7}}, FloatType()),
        ({"type": "DOUBLE", "specs": {"min": "-.5", "step": 1e-3}}, DoubleType(-0.5, None, 0.001)),
        ({"type": "bool"}, BoolType()),
        ({"type": "bool", "specs": {"0": "关", "1": 1, "2": "?"}}, BoolType({0: "关", 1: ""})),
        ({"type": "enum", "specs": {"-1": "a", "10": "b"}}, EnumType({-1: "a", 10: "b"})),
        ({"type": "enum", "specs": [{"value": 3, "name": "c"}]}, EnumType({3: "c"})),
        ({"type": "enum", "specs": []}, EnumType()),
        ({"type": "text", "specs": {"length": 2048}}, TextType(2048)),
        ({"type": "date", "specs": []}, DateType()),
        ({"type": "date", "specs": "whatever"}, DateType()),
        ({"type": "struct", "specs": []}, StructType({})),
        ({"type": "array", "specs": {"item": {"type": "float"}}}, ArrayType(None, FloatType())),
    ],
)
def test_data_types_are_read_tolerantly(written: object, data_type: DataType) -> None:
    """Numbers may be JSON numbers, specs a list or absent, and extra fields are ignored (docs/protocol.md §8.2)."""
    assert ThingModel.parse(model_of_type(written)).properties["A"].data_type == data_type


MEMBER = {"identifier": "B", "dataType": {"type": "int"}}


@pytest.mark.parametrize(
    ("document", "path", "problem"),
    [
        (None, "", "a thing model is an object, not nothing"),
        (17, "", "a thing model is an object, not a number"),
        (True, "", "a thing model is an object, not true or false"),
        ("null", "", "a thing model is an object, not nothing"),
        ("", "", "this is not JSON: Expecting value at line 1, column 1"),
        ('{"properties":\n  [}', "", "this is not JSON: Expecting value at line 2, column 4"),
        ("<html>", "", "this is not JSON"),
        (b"\xff\xfe{", "", "this is not text in UTF-8"),
        ('"\ud800"', "", "this is not text in UTF-8"),
        ("[" * 100_000, "", "this is nested too deeply"),
        ('{"properties":' + "9" * 5000 + "}", "", "a number in this is too long"),
        (" " * 600_000, "", "this has 600000 bytes; a thing model has at most 524288"),
        ({}, "", "a thing model has properties, events or services, but this has none of them"),
        ({"code": 200, "data": {}}, "", "a thing model has properties, events or services"),
        ({"data": {"a": {"data": {"data": {"data": {"data": {"data": {"data": {"data": DOCUMENT}}}}}}}}}, "", "a thing model has properties, events or services"),
        ([], "", "the list of modules is empty"),
        ([DOCUMENT, 1], "[1]", "must be an object, not a number"),
        ([DOCUMENT, {"functionBlockId": 5, "properties": []}], "[1].functionBlockId", "must be letters"),
        ({"functionBlocks": [{"functionBlockId": "a:b"}]}, "functionBlocks[0].functionBlockId", "must not contain a colon"),
        ({"functionBlocks": [5]}, "functionBlocks[0]", "must be an object, not a number"),
        ({"properties": {"A": 1}}, "properties", "must be a list, not an object"),
        ({"profile": "x"}, "profile", "must be an object, not text"),
        ({"properties": [[]]}, "properties[0]", "must be an object, not a list"),
        (model_with(identifier=None), "properties[0].identifier", "is missing"),
        (model_with(identifier=""), "properties[0].identifier", "must be letters, digits and underscores"),
        (model_with(identifier="a/b"), "properties[0].identifier", "must be letters, digits and underscores"),
        (model_with(identifier=[]), "properties[0].identifier", "must be letters, digits and underscores"),
        (model_with(accessMode="x"), "properties[0].accessMode", "must be r, rw or w"),
        (model_with(dataType=None), "properties[0].dataType", "is missing"),
        (model_of_type({}), "properties[0].dataType.type", "is missing"),
        (model_of_type({"type": "uuid"}), "properties[0].dataType.type", "must be int, float, double, bool, enum, text, date, struct or array, not 'uuid'"),
        (model_of_type({"type": 5}), "properties[0].dataType.type", "must be int, float"),
        (model_of_type({"type": "int", "specs": 5}), "properties[0].dataType.specs", "must be an object, not a number"),
        (model_of_type({"type": "int", "specs": {"min": "1,000"}}), "properties[0].dataType.specs.min", "must be a number"),
        (model_of_type({"type": "int", "specs": {"min": True}}), "properties[0].dataType.specs.min", "must be a number"),
        (model_of_type({"type": "int", "specs": {"step": "0.5"}}), "properties[0].dataType.specs.step", "must be a whole number"),
        (model_of_type({"type": "float", "specs": {"min": "2", "max": "1"}}), "properties[0].dataType.specs.min", "is greater than max"),
        (model_of_type({"type": "double", "specs": {"max": float("nan")}}), "properties[0].dataType.specs.max", "must be a number"),
        (model_of_type({"type": "text", "specs": {"length": "-1"}}), "properties[0].dataType.specs.length", "must be a whole number of at least 0"),
        (model_of_type({"type": "enum", "specs": {"on": "x"}}), "properties[0].dataType.specs.on", "must number its item by an integer"),
        (model_of_type({"type": "enum", "specs": {"1": "x", "01": "y"}}), "properties[0].dataType.specs", "has two items numbered 1"),
        (model_of_type({"type": "enum", "specs": [{"name": "x"}]}), "properties[0].dataType.specs[0].value", "must number its item by an integer"),
        (model_of_type({"type": "enum", "specs": "x"}), "properties[0].dataType.specs", "must be an object, not text"),
        (model_of_type({"type": "struct", "specs": {"B": 1}}), "properties[0].dataType.specs", "must be a list, not an object"),
        (model_of_type({"type": "struct", "specs": [MEMBER, MEMBER]}), "properties[0].dataType.specs[1].identifier", "'B' appears twice"),
        (model_of_type({"type": "array"}), "properties[0].dataType.specs.item", "is missing"),
        (model_of_type({"type": "array", "specs": {"item": {}}}), "properties[0].dataType.specs.item.type", "is missing"),
        ({"properties": model_with()["properties"] * 2}, "properties[1].identifier", "'A' appears twice"),
        ({"events": [{"identifier": "A", "type": "fatal"}]}, "events[0].type", "must be info, alert or error"),
        ({"events": [{"identifier": "A", "outputData": ["x"]}]}, "events[0].outputData[0]", "must be an object, not text"),
        ({"services": [{"identifier": "A", "callType": "later"}]}, "services[0].callType", "must be async or sync"),
        ({"services": [{"identifier": "A", "inputData": [MEMBER, {}]}]}, "services[0].inputData[1].identifier", "is missing"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_errors_have_the_path_and_the_problem(document: object, path: str, problem: str) -> None:
    """Or the line and column of the text."""
    with pytest.raises(ThingModelError) as refused:
        ThingModel.parse(document)
    assert refused.value.path == path
    assert refused.value.problem.startswith(problem)
    assert str(refused.value) == (f"{path}: {refused.value.problem}" if path else refused.value.problem)


def test_deeply_nested_types_are_refused() -> None:
    """Before they exhaust the stack."""
    data_type: dict[str, Any] = {"type": "int"}
    for _ in range(10_000):
        data_type = {"type": "array", "specs": {"item": data_type}}

    with pytest.raises(ThingModelError, match="is nested too deeply"):
        ThingModel.parse(model_of_type(data_type))


def parse_or_refuse(document: object) -> None:
    """Parse a document; if it is accepted, use all of it."""
    try:
        model = ThingModel.parse(document)
    except ThingModelError:
        return
    assert ThingModel.parse(model.to_tsl()) == model


@given(JSON_VALUES | LIKE_A_MODEL | JSON_VALUES.map(json.dumps) | st.binary(max_size=40) | st.text(max_size=40))
def test_parsing_raises_only_thing_model_errors(document: object) -> None:
    """Documents are pasted by users or come from any broker."""
    parse_or_refuse(document)


PLACES = len(places(DOCUMENT))


@given(index=st.integers(0, PLACES - 1), replacement=JSON_VALUES, remove=st.booleans())
def test_damaged_example_is_read_or_refused(index: int, replacement: object, *, remove: bool) -> None:
    """One place of the complete example is replaced or removed."""
    document = copy.deepcopy(DOCUMENT)
    container, key = places(document)[index]
    if remove:
        del container[key]
    else:
        container[key] = replacement

    parse_or_refuse(document)


@pytest.mark.parametrize("kind", ["float", "double", "int"])
@pytest.mark.parametrize(
    ("lowest", "highest"),
    [
        ("-4.9E-324", "1.797E308"),
        ("4.9E-324", "1.7976931348623157E308"),
        ("1.4E-45", "3.4028235E38"),
        ("-1.7976931348623157E308", "1.7976931348623157E308"),
        ("-3.4E38", "3.4E38"),
        ("-2147483648", "2147483647"),
        ("-9223372036854775808", "9223372036854775807"),
        (-1.7976931348623157e308, 1.7976931348623157e308),
    ],
)
def test_range_of_a_number_type_is_no_limit(kind: str, lowest: object, highest: object) -> None:
    """Negative values are taken, and a generated file doesn't repeat the constants."""
    specs = {"min": lowest, "max": highest, "step": "1", "unit": "°C"}
    data_type = ThingModel.parse(model_of_type({"type": kind, "specs": specs})).properties["A"].data_type
    for value in (-40, 0, 40, -(2**31), 2**31 - 1):
        assert data_type.decode(value) == value
    assert "E-" not in json.dumps(data_type.to_tsl()).upper()
    if "E" in str(lowest).upper():
        assert "range" not in data_type.describe()
        assert not any(digit in data_type.describe().replace("step 1", "") for digit in "0123456789")


def test_only_the_other_bound_is_left() -> None:
    """A range may be open on one side."""
    specs = {"min": "0", "max": "3.4028235E38"}
    data_type = ThingModel.parse(model_of_type({"type": "float", "specs": specs})).properties["A"].data_type
    assert (data_type.min, data_type.max) == (0, None)


@pytest.mark.parametrize("written", ["无", "None", "null", "-", "/", "无单位", "N/A", " ", "1"])
@pytest.mark.parametrize("key", ["unit", "unitName"])
def test_word_for_no_unit_is_no_unit(key: str, written: str) -> None:
    """It must not be compared with the unit of an entity."""
    data_type = ThingModel.parse(model_of_type({"type": "int", "specs": {key: written}})).properties["A"].data_type
    assert data_type == IntType()


def test_name_of_a_unit_counts_without_a_symbol() -> None:
    """The symbol is a word for none here."""
    specs = {"unit": "-", "unitName": "千瓦时"}
    assert ThingModel.parse(model_of_type({"type": "int", "specs": specs})).properties["A"].data_type == IntType(
        unit="千瓦时"
    )


@pytest.mark.parametrize("written", ["1_000", "١٢", "inf", "nan", "0x10", "1 000"])
@pytest.mark.parametrize("key", ["min", "max", "step"])
def test_limit_in_a_spelling_of_python_is_refused(key: str, written: str) -> None:
    """White space around a limit is tolerated, other spellings aren't."""
    ThingModel.parse(model_of_type({"type": "int", "specs": {key: " 5 "}}))
    with pytest.raises(ThingModelError):
        ThingModel.parse(model_of_type({"type": "int", "specs": {key: written}}))
