"""Suggestions: a match with evidence is suggested, a merely possible one is not."""

import re

from homeassistant.core import State
from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import (
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
from custom_components.aliyun_iot.alink.model.thing_model import Property, ThingModel
from custom_components.aliyun_iot.mapping.binding import Binding
from custom_components.aliyun_iot.mapping.check import check
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of
from custom_components.aliyun_iot.mapping.model.infer import generate_identifier, infer_data_type
from custom_components.aliyun_iot.mapping.suggest.suggestions import (
    Obstacle,
    suggest,
    suggest_all,
    unmatched,
)


def model(**properties: DataType | tuple[str, DataType]) -> ThingModel:
    """Return a thing model of writable properties, by identifier: type, or name and type."""
    named = {key: value if isinstance(value, tuple) else (key, value) for key, value in properties.items()}
    return ThingModel(
        properties={
            key: Property(key, name, True, True, False, data_type, "") for key, (name, data_type) in named.items()
        }
    )


def sensor(name: str, device_class: str | None = None, unit: str | None = None, friendly: str = "") -> State:
    """Return a sensor with the state 21."""
    attributes = {"device_class": device_class, "unit_of_measurement": unit, "friendly_name": friendly or None}
    return State(f"sensor.{name}", "21", {key: value for key, value in attributes.items() if value})


def pairs(states: list[State], thing_model: ThingModel, taken: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the suggested property for each aspect."""
    return {
        suggestion.identifier: f"{suggestion.entity_id}.{suggestion.aspect}"
        for suggestion in suggest_all(states, thing_model, taken)
    }


def test_standard_identifiers_are_recognised(gateway_model: ThingModel, lamp: State, thermostat: State) -> None:
    """The direction depends on both sides."""
    found = {
        suggestion.identifier: (suggestion.aspect, str(suggestion.access))
        for suggestion in suggest_all([lamp, thermostat], gateway_model, ())
    }
    assert found == {
        "LightSwitch": ("power", "both"),
        "Brightness": ("brightness", "both"),
        "ColorTemperature": ("color_temp", "both"),
        "RGBColor": ("color", "both"),
        "HVACMode": ("mode", "both"),
        "TargetTemperature": ("target_temperature", "both"),
        "CurrentTemperature": ("current_temperature", "report"),
        "CurrentHumidity": ("current_humidity", "report"),
    }


def test_every_suggestion_can_be_saved(
    gateway_model: ThingModel, lamp: State, thermostat: State, curtain: State
) -> None:
    """It has no problems, with a thing model and without one."""
    for thing_model in (gateway_model, None):
        for state in (lamp, thermostat, curtain, State("lock.door", "locked"), sensor("room", "temperature", "°C")):
            for suggestion in suggest(state, thing_model, ()):
                binding = Binding(suggestion.identifier, suggestion.entity_id, suggestion.aspect, suggestion.access)
                definition = thing_model.properties[suggestion.identifier] if thing_model else None
                found = check(binding, aspect_of(state.entity_id, suggestion.aspect), definition, state)
                assert not [problem for problem in found if problem.blocking]


def test_best_suggestion_comes_first(gateway_model: ThingModel, lamp: State) -> None:
    """Suggestions for one entity are sorted by score; taken properties are left out."""
    found = suggest(lamp, gateway_model, ("Brightness",))
    assert "Brightness" not in {suggestion.identifier for suggestion in found}
    assert [suggestion.score for suggestion in found] == sorted(
        (suggestion.score for suggestion in found), reverse=True
    )


def test_one_of_two_lamps_gets_all_properties(gateway_model: ThingModel, lamp: State) -> None:
    """Not the switch of one and the brightness of the other; the one with more aspects wins, in any order."""
    plain = State("light.hall", "on", {"supported_color_modes": ["onoff"]})
    for states in ([plain, lamp], [lamp, plain]):
        assert {suggestion.entity_id for suggestion in suggest_all(states, gateway_model, ())} == {lamp.entity_id}


def test_sensor_is_preferred_to_a_secondary_aspect(gateway_model: ThingModel, thermostat: State) -> None:
    """One of several sensors is. Unless the property matches the other entity better, or the aspect can be set."""
    room = sensor("room", "temperature", "°C")
    found = pairs([thermostat, room, sensor("cellar", "temperature", "°C")], gateway_model)
    assert found["CurrentTemperature"] == "sensor.room.value"
    assert found["TargetTemperature"] == f"{thermostat.entity_id}.target_temperature"

    conditioner = State("climate.ac", "cool", {"friendly_name": "AC", "current_temperature": 22})
    for name, winner in (("AC temperature", "climate.ac.current_temperature"), ("x", "sensor.room.value")):
        assert pairs([conditioner, room], model(CurrentTemperature=(name, FloatType()))) == {
            "CurrentTemperature": winner
        }


@pytest.mark.parametrize(
    ("state", "thing_model", "expected"),
    [
        (sensor("living_room_temperature", "temperature", "°C"), model(T1=("客厅温度", FloatType(unit="℃"))), "T1"),
        (sensor("x1", "temperature", "°C", "卧室温度"), model(BedroomTemp=DoubleType()), "BedroomTemp"),
        (sensor("air", "pm25", "μg/m³"), model(PM25=IntType()), "PM25"),
        (sensor("meter", "energy", "kWh"), model(EnergyTotal=DoubleType(unit="kW·h")), "EnergyTotal"),
        (sensor("phone", "battery", "%"), model(BatteryPercentage=IntType(0, 100, 1, "%")), "BatteryPercentage"),
        (
            State("binary_sensor.hall", "on", {"device_class": "motion"}),
            model(MotionAlarmState=BoolType()),
            "MotionAlarmState",
        ),
        (State("switch.fountain_pump", "on"), model(PumpSwitch=("水泵开关", BoolType())), "PumpSwitch"),
        (State("switch.heater", "on"), model(m1=("Heater power", EnumType({0: "off", 1: "on"}))), "m1"),
    ],
)
def test_names_units_and_device_classes_are_evidence(state: State, thing_model: ThingModel, expected: str) -> None:
    """In English and in Chinese, by identifier or by name."""
    assert [suggestion.identifier for suggestion in suggest(state, thing_model, ())] == [expected]


@pytest.mark.parametrize(
    ("state", "thing_model"),
    [
        (
            sensor("outdoor_temperature", "temperature", "°C"),
            model(BedroomTemp=DoubleType(), IndoorTemperature=DoubleType()),
        ),
        (sensor("room", "temperature", "°C"), model(TargetTemperature=DoubleType(), Voltage=DoubleType())),
        (sensor("room", "temperature", "°C"), model(CurrentTemperature=BoolType())),
        (sensor("room", "temperature", "°C"), model(CurrentTemperature=DoubleType(unit="W"))),
        (
            State("light.lamp", "on", {"supported_color_modes": ["color_temp"]}),
            model(ColorTemperature=IntType(0, 100, 1, "%")),
        ),
        (State("switch.pump", "on"), model(LightSwitch=BoolType(), GarageDoor=BoolType(), PowerSwitch_2=BoolType())),
        (sensor("meter", "energy"), model(Power=DoubleType(), Current=DoubleType(), T=("时间", DoubleType()))),
        (State("input_boolean.vacation", "on"), model(PowerSwitch=BoolType())),
        (State("climate.ac", "cool", {"hvac_modes": ["cool"]}), model(WorkMode=EnumType({1: "brew", 2: "clean"}))),
        (State("camera.door", "idle"), model(PowerSwitch=BoolType())),
        (State("sensor.kitchen", "21"), model(KitchenTemperature=DoubleType(), Zone=StructType({}), Name=TextType())),
    ],
)
def test_no_suggestion_without_evidence(state: State, thing_model: ThingModel) -> None:
    """A wrong suggestion costs the user more than a missing one."""
    assert suggest(state, thing_model, ()) == []


def test_each_sensor_gets_its_own_property() -> None:
    """The more specific name wins over the standard identifier."""
    states = [
        sensor("bedroom_temperature", "temperature", "°C"),
        sensor("kitchen_temperature", "temperature", "°C", "厨房温度"),
        sensor("outdoor_temperature", "temperature", "°C"),
    ]
    thing_model = model(CurrentTemperature=FloatType(), BedroomTemperature=FloatType(), T3=("厨房温度", FloatType()))
    assert pairs(states, thing_model) == {
        "BedroomTemperature": "sensor.bedroom_temperature.value",
        "T3": "sensor.kitchen_temperature.value",
        "CurrentTemperature": "sensor.outdoor_temperature.value",
    }


def test_risky_entities_are_only_reported() -> None:
    """Control of a lock is never suggested."""
    lock, garage = (
        State("lock.door", "locked"),
        State("cover.garage", "open", {"device_class": "garage", "supported_features": 15}),
    )
    both = [
        suggestion
        for state in (lock, garage)
        for thing_model in (None, model(LockState=BoolType()))
        for suggestion in suggest(state, thing_model, ())
    ]
    assert {str(suggestion.access) for suggestion in both} == {"report"}
    assert {suggestion.entity_id for suggestion in both} == {"lock.door", "cover.garage"}


GARAGE = State("cover.garage", "open", {"device_class": "garage", "supported_features": 15})
PHONE = State("device_tracker.phone", "home", {"latitude": 30.1, "longitude": 120.2, "gps_accuracy": 8})


def test_commands_to_risky_entities_and_private_aspects_are_not_suggested() -> None:
    """Both are listed as left out."""
    thing_model = model(CoverCommand=EnumType({0: "open", 1: "close", 2: "stop"}), GeoLocation=StructType({}))
    for found in (suggest_all([GARAGE, PHONE], None, ()), suggest_all([GARAGE, PHONE], thing_model, ())):
        assert not {suggestion.aspect for suggestion in found} & {"command", "tilt_command", "location", "accuracy"}
    for wanted in (None, thing_model):
        reasons = {
            (suggestion.entity_id, suggestion.aspect.key): suggestion.obstacle
            for suggestion in unmatched([GARAGE, PHONE], wanted, ())
        }
        assert reasons[GARAGE.entity_id, "command"] is Obstacle.RISKY
        assert reasons[PHONE.entity_id, "location"] is Obstacle.PRIVATE
    curtain = State(GARAGE.entity_id, "open", GARAGE.attributes | {"device_class": "curtain"})
    assert "command" in {suggestion.aspect for suggestion in suggest(curtain, None, ())}


def test_commands_need_a_writable_property() -> None:
    """A read-only property is not suggested."""
    curtain = State("cover.curtain", "open", {"device_class": "curtain", "supported_features": 15})
    (aspect,) = (aspect for aspect in DOMAINS["cover"].aspects if aspect.key == "command")
    name, data_type = aspect.identifiers[0], EnumType({0: "open", 1: "close", 2: "stop"})
    for writable in (True, False):
        thing_model = ThingModel(properties={name: Property(name, name, writable, True, False, data_type, "")})
        assert [suggestion.aspect for suggestion in suggest(curtain, thing_model, ())] == (
            ["command"] if writable else []
        )


def test_bound_aspects_and_properties_are_left_out(gateway_model: ThingModel, lamp: State) -> None:
    """A bound aspect gets no other property and takes none from others."""
    hall = State("light.hall", "on", {"supported_color_modes": ["onoff"]})
    bound = {(lamp.entity_id, "power")}
    found = {
        suggestion.identifier: suggestion.entity_id
        for suggestion in suggest_all([lamp, hall], gateway_model, (), bound)
    }
    assert found["LightSwitch"] == hall.entity_id
    assert found["Brightness"] == lamp.entity_id


def test_why_an_aspect_gets_no_property() -> None:
    """It is taken, it can't hold the value, or there is none."""
    states = [
        sensor("bedroom_temperature", "temperature", "°C"),
        sensor("hall_temperature", "temperature", "°C"),
        sensor("hall_humidity", "humidity", "%"),
        sensor("meter", "energy", "kWh"),
    ]
    thing_model = model(CurrentTemperature=FloatType(), CurrentHumidity=BoolType())
    suggested = suggest_all(states, thing_model, ())
    (settled,) = {(suggestion.entity_id, suggestion.aspect) for suggestion in suggested}
    reasons = {
        suggestion.entity_id: (suggestion.obstacle, suggestion.identifier)
        for suggestion in unmatched(states, thing_model, {settled})
    }
    (other,) = {states[0].entity_id, states[1].entity_id} - {settled[0]}
    assert reasons == {
        other: (Obstacle.TAKEN, "CurrentTemperature"),
        "sensor.hall_humidity": (Obstacle.MISMATCH, "CurrentHumidity"),
        "sensor.meter": (Obstacle.NOTHING_FITS, ""),
    }
    assert not unmatched(states, None, {settled})


@pytest.mark.parametrize("unknown", ["unknown", "unavailable"])
def test_what_is_not_known_yet_is_not_suggested(unknown: str) -> None:
    """A sensor without a unit may be text or a number, and an unavailable entity has lost what it measures."""
    washer = State("sensor.washer", unknown)
    assert suggest(washer, None, ()) == []
    assert suggest(washer, model(washer=DoubleType()), ()) == []
    assert {one.aspect.key: one.obstacle for one in unmatched([washer], None, ())} == {
        "value": Obstacle.NOT_KNOWN_YET,
        "text": Obstacle.NOT_KNOWN_YET,
    }
    meter = State("sensor.meter", unknown, {"unit_of_measurement": "kWh"})
    assert [one.aspect for one in suggest(meter, None, ())] == ["value"]
    assert [one.aspect for one in suggest(State("sensor.washer", "idle"), None, ())] == ["text"]
    assert [one.aspect for one in suggest(State("button.bell", "unknown"), None, ())] == ["press", "last_pressed"]


def test_every_domain_is_suggested_the_same_before_and_after() -> None:
    """What is suggested of an unavailable entity is suggested of the available one too: nothing has to be taken back."""
    for name in DOMAINS:
        kept = {"supported_features": 2**20 - 1, "supported_color_modes": ["hs"], "hvac_modes": ["off", "heat"]}
        before = {one.aspect for one in suggest(State(f"{name}.x", "unavailable", kept), None, ())}
        for known in ("0", "x"):
            assert before <= {one.aspect for one in suggest(State(f"{name}.x", known, kept), None, ())}


@pytest.mark.parametrize(
    ("unit", "data_type", "fits"),
    [
        ("hPa", FloatType(unit="MPa"), True),
        ("hPa", FloatType(unit="毫米汞柱"), True),
        ("hPa", FloatType(), True),
        (None, FloatType(unit="MPa"), True),
        ("bananas", FloatType(unit="Bananas"), False),
        ("hPa", FloatType(unit="mpa"), False),
        ("hPa", FloatType(unit="furlong"), False),
        ("hPa", IntType(unit="°C"), False),
        ("furlong", FloatType(unit="hPa"), False),
    ],
)
def test_units_that_cannot_be_converted_are_not_suggested(unit: str | None, data_type: DataType, fits: bool) -> None:
    """Not for one entity and not for many; the units are named as the reason."""
    state = sensor("pressure", "atmospheric_pressure", unit)
    thing_model = model(AtmosphericPressure=data_type)
    assert bool(suggest(state, thing_model, ())) is fits
    assert bool(suggest_all([state], thing_model, ())) is fits
    if not fits:
        (left_out,) = unmatched([state], thing_model, ())
        assert (left_out.obstacle, left_out.units) == (Obstacle.UNITS, (unit, data_type.unit))


def test_write_only_properties_are_only_controlled() -> None:
    """And properties of a module are found without its prefix."""
    definition = Property("lamp:LightSwitch", "x", True, False, False, BoolType(), "")
    thing_model = ThingModel(properties={"lamp:LightSwitch": definition})
    (suggestion,) = suggest(State("light.lamp", "on"), thing_model, ())
    assert (suggestion.identifier, str(suggestion.access)) == ("lamp:LightSwitch", "control")
    assert suggest(State("binary_sensor.light_switch", "on", {"device_class": "light"}), thing_model, ()) == []
    assert suggest(State("lock.door", "locked"), ThingModel(properties={"LockState": definition}), ()) == []


def test_identifiers_are_generated_without_a_thing_model(lamp: State, thermostat: State) -> None:
    """Standard ones if they are unique; entities of the same type have their names in all of them."""
    assert [suggestion.identifier for suggestion in suggest(lamp, None, ())] == [
        "LightSwitch",
        "Brightness",
        "ColorTemperature",
        "RGBColor",
    ]
    hall = State("light.hall", "on", {"supported_color_modes": ["brightness"]})
    assert {
        suggestion.identifier for suggestion in suggest_all([lamp, hall, State("select.program", "eco")], None, ())
    } == {
        "LightSwitch_living_room_lamp",
        "Brightness_living_room_lamp",
        "ColorTemperature",
        "RGBColor",
        "LightSwitch_hall",
        "Brightness_hall",
        "program",
    }
    assert suggest(lamp, None, ("LightSwitch",))[0].identifier == "LightSwitch_living_room_lamp"


@given(
    names=st.lists(
        st.from_regex(r"\A[a-z0-9]([a-z0-9_]{0,88}[a-z0-9])?\Z").filter(lambda name: "__" not in name),
        min_size=1,
        max_size=8,
        unique=True,
    ),
    reserved=st.sampled_from(["time", "set"]),
)
def test_generated_identifiers_are_free_and_valid(names: list[str], reserved: str) -> None:
    """Also for long or reserved names of entities."""
    states = [
        State(f"{domain}.{name}", "21") for name in [*names, reserved] for domain in ("sensor", "switch", "select")
    ]
    identifiers = [suggestion.identifier for suggestion in suggest_all(states, None, ("program",))]
    assert len(set(identifiers)) == len(identifiers) == len(states)
    assert all(re.fullmatch(r"[A-Za-z0-9_]{1,50}", identifier) for identifier in identifiers)
    assert not {"time", "set", "program"} & set(identifiers)


def test_generated_identifiers_are_unique() -> None:
    """Names with the same first fifty letters get numbers."""
    aspect = DOMAINS["select"].aspects[0]
    taken: set[str] = set()
    for ending in "abcd":
        taken.add(generate_identifier(aspect, State(f"select.{'x' * 60}{ending}", "on"), taken))
    assert len(taken) == 4
    assert max(len(identifier) for identifier in taken) == 50


@pytest.mark.parametrize(
    ("state", "aspect", "expected"),
    [
        (State("switch.a", "on"), "power", BoolType({0: "off", 1: "on"})),
        (State("lock.a", "locked"), "locked", BoolType({0: "unlocked", 1: "locked"})),
        (State("light.a", "on"), "brightness", IntType(0, 100, 1, "%")),
        (
            State("light.a", "on", {"min_color_temp_kelvin": 2202, "max_color_temp_kelvin": 4000}),
            "color_temp",
            IntType(2202, 4000, 1, "K"),
        ),
        (State("number.a", "1", {"min": 0, "max": 10, "step": 0.5}), "value", DoubleType(0, 10, 0.5)),
        (State("sensor.a", "1", {"unit_of_measurement": "W"}), "value", DoubleType(unit="W")),
        (State("select.a", "x", {"options": ["x", "y"]}), "option", EnumType({0: "x", 1: "y"})),
        (State("select.a", "x"), "option", TextType(1020)),
        (State("sensor.a", "x"), "text", TextType(1020)),
        (State("sensor.a", "x", {"device_class": "timestamp"}), "moment", DateType()),
        (
            State("light.a", "on"),
            "color",
            StructType({name: Field(name, name, IntType(0, 255, 1)) for name in ("Red", "Green", "Blue")}),
        ),
    ],
)
def test_inferred_types_depend_on_the_entity(state: State, aspect: str, expected: DataType) -> None:
    """Without a thing model the attributes of the entity determine the type."""
    assert infer_data_type(aspect_of(state.entity_id, aspect), state) == expected
