"""The check of values against the thing model (docs/protocol.md §4.1, §7.2, §8)."""

import json
from typing import Any

import pytest

from simulator import BadValueError, ThingModel, ThingModelError
from simulator.core.jsontext import NotJsonError, parse

LIMITS = "value is not in the range"


@pytest.fixture(scope="module")
def model(tsl: dict[str, Any]) -> ThingModel:
    """The thing model of the home gateway."""
    return ThingModel.parse(tsl, strict_values=True)


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("LightSwitch", "0"),
        ("LightSwitch", "1"),
        ("Brightness", "0"),
        ("Brightness", "100"),
        ("RGBColor", '{"Red": 255, "Green": 0, "Blue": 7}'),
        ("TargetTemperature", "21.5"),
        ("TargetTemperature", "10.0"),
        ("CurrentTemperature", "-40.0"),
        ("EnergyTotal", "0.001"),
        ("HVACMode", "4"),
        ("GatewayName", '"网关"'),
        ("GatewayName", f'"{"网" * 21}1"'),
        ("GatewayName", '""'),
        ("LastSeen", '"1700000000000"'),
        ("ZoneLevels", "[]"),
        ("ZoneLevels", "[1, 2, 3]"),
        ("Schedule", '[{"Enabled": 1, "Cron": "0 7 * * *", "TargetTemperature": 21.0}]'),
    ],
)
def test_fitting_values_are_accepted(model: ThingModel, identifier: str, text: str) -> None:
    """As JSON on the wire, where 10 and 10.0 differ."""
    model.check_property(identifier, parse(text))


@pytest.mark.parametrize(
    ("identifier", "text", "code", "problem"),
    [
        ("Nope", "1", 6320, "params not exist -> Nope"),
        ("LightSwitch", "true", 6308, "data type is not bool -> LightSwitch"),
        ("LightSwitch", "2", 6308, "6308 bool value is not 0 or 1 -> LightSwitch"),
        ("LightSwitch", '"1"', 6308, "data type is not bool -> LightSwitch"),
        ("Brightness", "10.0", 6306, "data type is not int -> Brightness"),
        ("Brightness", '"10"', 6306, "data type is not int -> Brightness"),
        ("Brightness", "null", 6306, "data type is not int -> Brightness"),
        ("Brightness", "101", 6306, f"6306 {LIMITS} 0 to 100 -> Brightness"),
        ("Brightness", "-1", 6306, f"6306 {LIMITS} 0 to 100 -> Brightness"),
        ("Brightness", "4294967296", 6306, "data type is not int -> Brightness"),
        ("TargetTemperature", "10", 6307, "data type is not float -> TargetTemperature"),
        ("TargetTemperature", "35.5", 6307, f"6307 {LIMITS} 5 to 35 -> TargetTemperature"),
        ("EnergyTotal", "1", 6322, "data type is not double -> EnergyTotal"),
        ("HVACMode", "9", 6309, "6309 enum value 9 is not in the enumeration -> HVACMode"),
        ("HVACMode", '"heat"', 6309, "data type is not enum -> HVACMode"),
        ("GatewayName", f'"{"x" * 65}"', 6310, "6310 text is longer than 64 bytes -> GatewayName"),
        ("GatewayName", f'"{"网" * 22}"', 6310, "6310 text is longer than 64 bytes -> GatewayName"),
        ("GatewayName", "1", 6310, "data type is not text -> GatewayName"),
        ("LastSeen", "1700000000000", 6311, "data type is not date -> LastSeen"),
        ("LastSeen", '"yesterday"', 6311, "data type is not date -> LastSeen"),
        ("RGBColor", "[1, 2, 3]", 6312, "data type is not struct -> RGBColor"),
        ("RGBColor", '{"Red": 1, "Green": 1}', 6312, "6312 struct member is missing -> RGBColor.Blue"),
        ("RGBColor", '{"Red": 1, "Green": 1, "Blue": 1, "White": 1}', 6312, "params not exist -> RGBColor.White"),
        ("RGBColor", '{"Red": 256, "Green": 1, "Blue": 1}', 6306, f"6306 {LIMITS} 0 to 255 -> RGBColor.Red"),
        ("ZoneLevels", "5", 6328, "data type is not array -> ZoneLevels"),
        ("ZoneLevels", "[1, 2.0]", 6306, "data type is not int -> ZoneLevels[1]"),
        ("ZoneLevels", str([1] * 17), 6324, "6324 array has more than 16 elements -> ZoneLevels"),
        ("Schedule", '[{"Enabled": 1}]', 6312, "6312 struct member is missing -> Schedule[0].Cron"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    model: ThingModel, identifier: str, text: str, code: int, problem: str
) -> None:
    """With the platform's code and text, and the path of the member or element."""
    with pytest.raises(BadValueError) as error:
        model.check_property(identifier, parse(text))
    assert (error.value.code, str(error.value)) == (code, f"tsl parse: {problem}")


def test_identifiers_of_modules_have_prefixes() -> None:
    """`module:identifier` in a custom module; the default module has no prefix."""
    document = [
        {"properties": [{"identifier": "Level", "name": "Level", "accessMode": "rw", "dataType": {"type": "int"}}]},
        {
            "functionBlockId": "pool",
            "properties": [{"identifier": "Level", "name": "Level", "accessMode": "r", "dataType": {"type": "text"}}],
            "events": [{"identifier": "Leak", "name": "Leak", "type": "alert"}],
            "services": [{"identifier": "Drain", "name": "Drain", "callType": "sync"}],
        },
    ]
    model = ThingModel.parse(json.loads(json.dumps(document)))
    assert {name: known.writable for name, known in model.properties.items()} == {"Level": True, "pool:Level": False}
    assert model.events["pool:Leak"].kind == "alert"
    assert model.services["pool:Drain"].sync
    model.check_property("pool:Level", "full")


def test_missing_limits_are_not_checked() -> None:
    """`specs` may be empty, or lack a limit."""
    document = {
        "properties": [
            {"identifier": "A", "dataType": {"type": "float", "specs": {"max": "1"}}},
            {"identifier": "B", "dataType": {"type": "array", "specs": {}}},
            {"identifier": "C", "dataType": {"type": "enum", "specs": []}},
        ]
    }
    model = ThingModel.parse(json.loads(json.dumps(document)))
    model.check_property("A", -1e30)
    model.check_property("B", [1, "a"])
    model.check_property("C", 99)
    with pytest.raises(BadValueError, match="range  to 1"):
        model.check_property("A", 2.0)


@pytest.mark.parametrize(("low", "high"), [("-4.9E-324", "1.797E308"), ("1.4E-45", "3.4E38"), ("0", "3.4028235E38")])
def test_limits_of_number_types_are_no_limits(low: str, high: str) -> None:
    """Java's constants bound nothing; a real limit on the other side still counts."""
    specs = {"min": low, "max": high}
    model = ThingModel.parse({"properties": [{"identifier": "A", "dataType": {"type": "double", "specs": specs}}]})
    model.check_property("A", 1e30)
    if low == "0":
        with pytest.raises(BadValueError):
            model.check_property("A", -0.5)
    else:
        model.check_property("A", -1e30)


@pytest.mark.parametrize(
    "document",
    [
        1,
        ["module"],
        {"properties": 1},
        {"properties": [{"identifier": 1}]},
        {"properties": [{"identifier": "A"}]},
        {"properties": [{"identifier": "A", "dataType": {"type": "int32"}}]},
    ],
)
def test_malformed_thing_models_are_refused(document: Any) -> None:
    """Their members have the wrong type."""
    with pytest.raises(ThingModelError):
        ThingModel.parse(document)


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": Infinity}', "[" * 100_000, b"\xff", "1" * 5000])
def test_text_that_is_not_json_is_refused(text: bytes | str) -> None:
    """Python's parser accepts more than JSON, and has errors of its own."""
    with pytest.raises(NotJsonError):
        parse(text)


@pytest.mark.parametrize(
    ("identifier", "value"),
    [
        ("TargetTemperature", 21),
        ("EnergyTotal", 1234),
        ("Schedule", [{"Enabled": 1, "Cron": "0 7 * * *", "TargetTemperature": 21}]),
    ],
)
def test_whole_numbers_for_floats(tsl: dict[str, Any], identifier: str, value: Any) -> None:
    """JavaScript writes no others; they are refused on demand only. Their range is checked."""
    ThingModel.parse(tsl).check_property(identifier, value)
    with pytest.raises(BadValueError):
        ThingModel.parse(tsl, strict_values=True).check_property(identifier, value)
    with pytest.raises(BadValueError, match=LIMITS):
        ThingModel.parse(tsl).check_property("TargetTemperature", 1000)
    for wrong in (True, "21", None):
        with pytest.raises(BadValueError):
            ThingModel.parse(tsl).check_property("TargetTemperature", wrong)
