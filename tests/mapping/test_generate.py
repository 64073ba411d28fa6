"""The generated thing model: the platform accepts it, whatever is bound."""

from collections.abc import Iterable
import json
from pathlib import Path
from typing import Any

from homeassistant.core import State
from hypothesis import given, strategies as st
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
from custom_components.aliyun_iot.alink.model.thing_model import Event, EventType, Property, ThingModel
from custom_components.aliyun_iot.mapping.binding import NO_CONVERSION, Access, Binding, Conversion
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from custom_components.aliyun_iot.mapping.model.generate import define, feature_name, importable, overflow, rename
from custom_components.aliyun_iot.mapping.model.infer import generate_identifier, infer_data_type, infer_raw_type
from custom_components.aliyun_iot.mapping.model.modules import document_text, module_document, modules_of
from simulator import Simulator

from .tsl_rules import own, violations

SDK_FILE = Path(__file__).parents[1] / "fixtures" / "tsl-generated.json"

NUMBERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["5", "0.1", "x", 0, 1e-7, 1e18, 2**31]),
)
OPTIONS = st.one_of(
    st.none(),
    st.lists(st.text(max_size=30), max_size=5),
    st.integers(95, 110).map(lambda count: [f"option {number}" for number in range(count)]),
)
NUMERIC = [
    "min",
    "max",
    "step",
    "minimum",
    "maximum",
    "initial",
    "percentage_step",
    "target_temp_step",
    "min_temp",
    "max_temp",
    "min_humidity",
    "max_humidity",
    "min_color_temp_kelvin",
    "max_color_temp_kelvin",
]
LISTED = [
    "options",
    "hvac_modes",
    "fan_modes",
    "preset_modes",
    "swing_modes",
    "available_modes",
    "operation_list",
    "effect_list",
    "fan_speed_list",
    "source_list",
    "sound_mode_list",
    "event_types",
    "activity_list",
    "available_tones",
]
ATTRIBUTES = st.fixed_dictionaries(
    {"supported_features": st.integers(0, 2**20)},
    optional={
        "friendly_name": st.text(max_size=60),
        "unit_of_measurement": st.sampled_from(["°C", "°F", "%", "kWh", "", "朵"]),
        "temperature_unit": st.sampled_from(["°C", "°F"]),
        "device_class": st.sampled_from(["temperature", "battery", "enum", "timestamp", "door", "curtain", "gas"]),
        "supported_color_modes": st.lists(st.sampled_from(["onoff", "brightness", "color_temp", "hs", "rgbww"])),
        **dict.fromkeys(NUMERIC, NUMBERS),
        **dict.fromkeys(LISTED, OPTIONS),
    },
)
# Not `State` objects, which have a random id, so that the test would not be repeatable.
STATES = st.tuples(
    st.sampled_from(sorted(DOMAINS)),
    st.sampled_from(["ke_ting_deng", "lamp_2", "0x00158d0002c9d2f1", "event", "a" * 80]),
    st.sampled_from(["on", "off", "20.5", "heat", "unavailable", "unknown"]),
    ATTRIBUTES,
)


CONVERSIONS = st.builds(
    Conversion,
    scale=st.sampled_from([1, 1, -1, 0.001, 1e9, 1 / 3]),
    offset=st.sampled_from([0, 0, -273.15, 1e6]),
    unit=st.sampled_from(["", "", "°C", "°F", "K", "Wh", "MWh"]),
    options=st.sampled_from([{}, {}, {"on": 1, "off": 0}, {"on": 7, "heat": -3}, {"on": "auf"}]),
)


def generated(states: Iterable[State], language: str, conversion: Conversion = NO_CONVERSION) -> ThingModel:
    """Return the thing model of all aspects of these entities."""
    properties: dict[str, Property] = {}
    names: set[str] = set()
    for state in states:
        for aspect in DOMAINS[state.domain].aspects:
            if not aspect.supported(state):
                continue
            identifier = generate_identifier(aspect, state, properties)
            name = feature_name(state.name, aspect.name_zh if language == "zh" else aspect.name_en, identifier, names)
            names.add(name)
            access = Access.BOTH if aspect.controllable(state) else Access.REPORT
            binding = Binding(identifier, state.entity_id, aspect.key, access)
            properties[identifier] = define(binding, infer_data_type(aspect, state, conversion), name)
    return ThingModel("a1HomeGw001", properties)


def texts_of(model: ThingModel) -> list[str]:
    """Return the file of each module."""
    return [document_text(module_document(model, module)) for module in modules_of(model)]


@given(states=st.lists(STATES, min_size=1, max_size=6), language=st.sampled_from(["en", "zh"]), conversion=CONVERSIONS)
def test_platform_accepts_the_thing_model_of_any_entities(
    states: list[tuple[str, str, str, dict[str, object]]], language: str, conversion: Conversion
) -> None:
    """The file complies with all rules, is read back the same, and the simulator accepts it."""
    entities = [State(f"{domain}.{name}", state, attributes) for domain, name, state, attributes in states]
    model = generated(entities, language, conversion)
    if not model.properties:
        return
    (text,) = texts_of(model)
    assert violations(text) == []
    assert ThingModel.parse(text) == model
    device = Simulator(strict_model=True, strict_values=True).add_device(
        "a1HomeGw001", "gw-1", "0" * 32, tsl=json.loads(text)
    )
    assert device.thing_model
    assert device.thing_model.properties.keys() == model.properties.keys()


SOME_OF_A_HOUSE = (
    State(
        "light.ke_ting_deng",
        "on",
        {
            "friendly_name": "客厅灯",
            "supported_color_modes": ["color_temp", "hs"],
            "min_color_temp_kelvin": 2000,
            "max_color_temp_kelvin": 6500,
        },
    ),
    State(
        "climate.bedroom",
        "heat",
        {
            "friendly_name": "Bedroom",
            "supported_features": 1 | 8,
            "hvac_modes": ["off", "heat", "cool"],
            "fan_modes": ["low", "high"],
            "min_temp": 7,
            "max_temp": 35,
            "target_temp_step": 0.5,
        },
    ),
    State("cover.curtain", "open", {"friendly_name": "窗帘", "supported_features": 15, "device_class": "curtain"}),
    State("sensor.meter", "1234.5", {"device_class": "energy", "unit_of_measurement": "kWh"}),
    State("binary_sensor.door", "off", {"device_class": "door"}),
    State("number.delay", "5", {"min": 0, "max": 60, "step": 1, "unit_of_measurement": "s"}),
    State("text.message", "hello"),
    State("button.restart", "unknown"),
)


def test_file_for_the_check_with_the_vendors_sdk() -> None:
    """scripts/sdk-check loads it into the SDK without Home Assistant; it must be the same as what is generated now."""
    (text,) = texts_of(generated(SOME_OF_A_HOUSE, "zh"))
    assert violations(text) == []
    assert f"{text}\n" == SDK_FILE.read_text(encoding="utf-8")


RAW = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=60),
    max_leaves=60,
)


@given(value=RAW)
def test_platform_accepts_the_type_of_any_attribute(value: object) -> None:
    """A value that no structure can hold becomes text."""
    binding = Binding("Raw", "light.lamp", "attribute", source="raw")
    model = ThingModel("a1HomeGw001", {"Raw": define(binding, infer_raw_type(value), "Raw")})
    (text,) = texts_of(model)
    assert violations(text) == []
    assert ThingModel.parse(text) == model


BYTE = Field("A", "A", IntType(0, 255, 1))
EVERY_BYTE = {f"M{number}": Field(f"M{number}", "M", IntType(0, 255, 1)) for number in range(51)}
TEXT = TextType(10240)


@pytest.mark.parametrize(
    ("wished", "taken"),
    [
        (TextType(), TEXT),
        (TextType(20_000), TEXT),
        (TextType(255), TextType(255)),
        (EnumType(), IntType(step=1)),
        (EnumType({number: str(number) for number in range(101)}), TEXT),
        (EnumType({number: str(number) for number in range(100)}), EnumType({n: str(n) for n in range(100)})),
        (EnumType({3: "HDMI 1", 5: "TV"}), EnumType({3: "HDMI-1", 5: "TV"})),
        (BoolType({0: "Away from home", 1: "-"}), BoolType({0: "Away-from-home", 1: "option_3973"})),
        (ArrayType(None, IntType(0, 9, 1)), ArrayType(512, IntType(0, 9, 1))),
        (ArrayType(600, TextType(8)), ArrayType(512, TextType(8))),
        (ArrayType(4, BoolType({0: "a", 1: "b"})), TEXT),
        (ArrayType(4, ArrayType(4, IntType(0, 9, 1))), TEXT),
        (ArrayType(4, StructType({"A": BYTE})), ArrayType(4, StructType({"A": BYTE}))),
        (ArrayType(4, StructType({})), TEXT),
        (StructType({}), TEXT),
        (StructType({"A": Field("A", "A", StructType({"A": BYTE}))}), TEXT),
        (StructType({"a b": Field("a b", "a b", IntType())}), TEXT),
        (StructType({"_a": Field("_a", "_a", BYTE.data_type)}), StructType({"_a": Field("_a", "a", BYTE.data_type)})),
        (
            StructType({"_": Field("_", "_", BYTE.data_type), "__": Field("__", "__", BYTE.data_type)}),
            StructType({"_": Field("_", "feature", BYTE.data_type), "__": Field("__", "feature_2", BYTE.data_type)}),
        ),
        (StructType(EVERY_BYTE), TEXT),
        (DoubleType(unit="V"), DoubleType(unit="V")),
    ],
)
def test_type_that_the_platform_does_not_accept_becomes_text(wished: DataType, taken: DataType) -> None:
    """Each limit of docs/protocol.md §14."""
    assert importable(wished) == taken


@pytest.mark.parametrize(
    ("entity", "aspect", "taken", "name"),
    [
        ("Lamp", "", (), "Lamp"),
        ("Lamp", "Color temperature", (), "Lamp_Color_temperature"),
        ("客厅灯", "亮度", (), "客厅灯亮度"),
        ("客厅 · 灯（北）", "亮度", (), "客厅_灯_北亮度"),
        ("Lampe für Küche", "", (), "Lampe_fur_Kuche"),
        ("A very long name of an entity indeed", "Brightness", (), "A_very_long_name_of_Brightness"),
        ("Lamp", "", ("Lamp", "Lamp_2"), "Lamp_3"),
        ("Lamp of the living room, north", "", ("Lamp_of_the_living_room_north",), "Lamp_of_the_living_room_nort_2"),
        ("🔔", "", (), "sensor_1"),
        ("🔔", "Text", (), "Text"),
        ("_-x", "", (), "x"),
        ("🔔", "", ("sensor_1",), "sensor_1_2"),
    ],
)
def test_names_of_properties(entity: str, aspect: str, taken: tuple[str, ...], name: str) -> None:
    """A long name is cut where the least is lost."""
    assert feature_name(entity, aspect, "sensor_1", taken) == name


def _many(count: int, data_type: DataType | None = None, prefix: str = "P") -> dict[str, Property]:
    chosen = data_type or DoubleType(unit="°C")
    return {
        f"{prefix}{number}": define(
            Binding(f"{prefix}{number}", "sensor.s", "value", Access.BOTH), chosen, f"n{number}"
        )
        for number in range(count)
    }


def test_module_holds_three_hundred_features() -> None:
    """Only the next one needs another module."""
    assert overflow(ThingModel("pk", _many(300)), ()) == {}
    assert overflow(ThingModel("pk", _many(301)), ()) == {"P300": "module_2:P300"}


def test_events_and_services_count_and_are_not_moved() -> None:
    """Only properties are moved, except for those that the cloud knows."""
    event = Event("Alarm", "Alarm", EventType.INFO, {})
    model = ThingModel("pk", _many(300), {"Alarm": event})
    assert overflow(model, ()) == {"P299": "module_2:P299"}
    assert overflow(model, {"P299"}) == {"P298": "module_2:P298"}
    assert overflow(model, model.properties) == {}


def test_modules_are_filled_one_after_the_other() -> None:
    """Features that are already in a module stay there and count."""
    there: dict[str, Any] = {
        f"module_2:{prop.identifier}": Property(
            f"module_2:{prop.identifier}",
            prop.name,
            True,
            True,
            False,
            prop.data_type,
        )
        for prop in _many(299, prefix="Q").values()
    }
    model = ThingModel("a1HomeGw001", there | _many(303))
    renamed = overflow(model, ())
    assert renamed == {"P300": "module_2:P300", "P301": "module_3:P301", "P302": "module_3:P302"}
    split = rename(model, renamed)
    assert split.properties.keys() == {renamed.get(identifier, identifier) for identifier in model.properties}
    assert overflow(split, ()) == {}


def test_identifier_is_free_in_its_module() -> None:
    """A property that the module already has keeps its identifier."""
    other = define(Binding("module_2:P300", "sensor.s", "value"), DoubleType(), "other")
    assert overflow(ThingModel("pk", {"module_2:P300": other} | _many(301)), ()) == {"P300": "module_3:P300"}


def test_large_definitions_fill_a_module_sooner() -> None:
    """The size of the file is limited too, and it has every definition four times."""
    items = EnumType({number: f"一个相当长的选项名称 {number}" for number in range(100)})
    model = ThingModel("a1HomeGw001", _many(60, items))
    renamed = overflow(model, ())
    assert 0 < len(renamed) < 60
    split = rename(model, renamed)
    texts = texts_of(split)
    assert len(texts) > 1
    assert [violations(text) for text in texts] == [[]] * len(texts)
    assert ThingModel.parse([json.loads(text) for text in texts]) == split


def test_each_part_of_a_split_thing_model_is_valid() -> None:
    """Each file is complete, and together they are the whole thing model."""
    model = ThingModel("a1HomeGw001", _many(750))
    split = rename(model, overflow(model, ()))
    documents = [json.loads(text) for text in texts_of(split)]
    assert [document.get("functionBlockId") for document in documents] == [None, "module_2", "module_3"]
    assert [len(own(document, "properties")) for document in documents] == [300, 300, 150]
    assert [violations(json.dumps(document)) for document in documents] == [[], [], []]
    assert ThingModel.parse(documents) == split
    device = Simulator(strict_model=True, strict_values=True).add_device("a1HomeGw001", "gw-1", "0" * 32, tsl=documents)
    assert device.thing_model
    assert device.thing_model.properties.keys() == split.properties.keys()


@pytest.mark.parametrize(("module", "name"), [("pool", "pool"), ("a", "module_a"), ("a" * 30, "a" * 30)])
def test_name_of_a_module_is_long_enough(module: str, name: str) -> None:
    """The console asks for four characters, and the identifier may be shorter."""
    prop = define(Binding(f"{module}:P", "sensor.s", "value"), DoubleType(), "n")
    (text,) = texts_of(ThingModel("a1HomeGw001", {prop.identifier: prop}))
    assert violations(text) == []
    assert json.loads(text)["functionBlockName"] == name


def test_description_says_which_labels_were_changed() -> None:
    """As many as there is room for."""
    sources = ["HDMI 1", "TV", *(f"A rather long source number {number}" for number in range(9))]
    prop = define(Binding("Source", "media_player.tv", "source"), EnumType(dict(enumerate(sources))), "n")
    assert prop.description == ("HDMI 1 → HDMI-1, A rather long source number 0 → A-rather_e-number-0 (+8)")
    plain = define(Binding("Mode", "climate.ac", "mode"), EnumType({0: "off", 1: "fan_only"}), "n")
    assert plain.description == ""


def test_product_without_features_is_a_valid_file() -> None:
    """An empty thing model is read back empty."""
    (text,) = texts_of(ThingModel("a1HomeGw001"))
    assert ThingModel.parse(text) == ThingModel("a1HomeGw001")
