"""Conversion of the values of aspects to each data type and back, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.util.percentage import percentage_to_ordered_list_item
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
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
from custom_components.aliyun_iot.mapping.aspect import Reason, Value
from custom_components.aliyun_iot.mapping.binding import Binding, Conversion
from custom_components.aliyun_iot.mapping.convert import Refused, clashing_units, to_cloud, to_ha, unmatched_options
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of
from custom_components.aliyun_iot.mapping.generic import aspect_for, attribute_aspect

SWITCH = State("switch.pump", "on")
LOCK = State("lock.door", "locked")
LAMP = State("light.lamp", "on", {"supported_color_modes": ["rgb"], "color_mode": "rgb"})
CELSIUS = State("sensor.room", "21", {"device_class": "temperature", "unit_of_measurement": "°C"})
FAHRENHEIT = State("sensor.room", "70", {"device_class": "temperature", "unit_of_measurement": "°F"})
BREEZE = State("sensor.wind", "3", {"device_class": "wind_speed", "unit_of_measurement": "Beaufort"})
BLIND = State("cover.blind", "open", {"supported_features": 15, "current_position": 30})
FAN_SPEEDS = State("climate.ac", "cool", {"supported_features": 8, "fan_modes": ["low", "medium", "high"]})
MODES = State("climate.ac", "cool", {"hvac_modes": ["off", "cool", "heat", "heat_cool", "dry", "fan_only"]})
WASHER = State("sensor.washer", "idle")
FINISH = State("sensor.finish", "2026-11-23T08:00:00+00:00", {"device_class": "timestamp"})

FINISH_NAIVE = datetime(2026, 11, 23)  # noqa: DTZ001 - invalid on purpose

RGB = StructType({name: Field(name, name, IntType(0, 255)) for name in ("Red", "Green", "Blue")})
NO_MAP = Conversion()


def to_property_value(value: Value, state: State, aspect: str, data_type: DataType, **conversion: Any) -> CloudValue:
    """Convert to the cloud."""
    return to_cloud(value, aspect_of(state.entity_id, aspect), data_type, Conversion(**conversion), state)


def to_aspect_value(value: CloudValue, state: State, aspect: str, data_type: DataType, **conversion: Any) -> Value:
    """Convert from the cloud."""
    return to_ha(value, aspect_of(state.entity_id, aspect), data_type, Conversion(**conversion), state)


@pytest.mark.parametrize(
    ("state", "aspect", "data_type", "conversion", "home", "cloud"),
    [
        # on and off
        (SWITCH, "power", BoolType(), {}, True, True),
        (SWITCH, "power", BoolType({0: "关", 1: "开"}), {}, True, True),
        (SWITCH, "power", BoolType({0: "开", 1: "关"}), {}, True, False),
        (SWITCH, "power", BoolType(), {"invert": True}, True, False),
        (SWITCH, "power", IntType(0, 1), {}, True, 1),
        (SWITCH, "power", TextType(8), {}, False, "off"),
        (SWITCH, "power", EnumType({0: "关闭", 1: "打开"}), {}, True, 1),
        (SWITCH, "power", EnumType({0: "打开", 1: "关闭"}), {}, True, 0),
        (SWITCH, "power", EnumType({0: "正常", 1: "报警"}), {}, True, 1),
        (SWITCH, "power", EnumType({5: "off", 7: "running"}), {}, True, 7),
        (SWITCH, "power", EnumType({3: "idle", 4: "busy"}), {"options": {"off": 3, "on": "busy"}}, True, 4),
        (SWITCH, "power", TextType(), {"options": {"off": "stop", "on": "run"}}, False, "stop"),
        (SWITCH, "power", BoolType(), {"options": {"off": 1, "on": 0}}, True, False),
        (LOCK, "locked", BoolType(), {}, True, True),
        (LOCK, "locked", EnumType({0: "上锁", 1: "开锁"}), {}, True, 0),
        (LOCK, "locked", TextType(), {}, True, "locked"),
        (LOCK, "locked", EnumType({0: "关", 1: "开"}), {"options": {"locked": 0, "unlocked": 1}}, True, 0),
        (BLIND, "open", EnumType({0: "close", 1: "open"}), {}, True, 1),
        # numbers
        (CELSIUS, "value", IntType(-40, 100), {}, 21, 21),
        (CELSIUS, "value", TextType(), {}, 21.5, "21.5"),
        (CELSIUS, "value", TextType(), {}, 21.0, "21"),
        (CELSIUS, "value", FloatType(-40, 125, 0.1, "°C"), {}, 21.4, 21.4),
        (FAHRENHEIT, "value", FloatType(-40, 125, 0.1, "°C"), {}, 71.6, 22.0),
        (FAHRENHEIT, "value", FloatType(-40, 125, 0.1, "℃"), {}, 71.6, 22.0),
        (FAHRENHEIT, "value", FloatType(unit="摄氏度"), {"scale": 2}, 70, 140.0),
        (CELSIUS, "value", IntType(), {"scale": 10}, 21.4, 214),
        (CELSIUS, "value", DoubleType(), {"scale": 0.5, "offset": -3}, 21, 7.5),
        (BLIND, "position", IntType(0, 100), {"invert": True}, 30, 70),
        (BLIND, "position", IntType(0, 255), {"scale": 2.55, "invert": True}, 80, 51),
        (BLIND, "position", IntType(0, 255), {}, 60, 153),
        (BLIND, "position", IntType(0, 255), {"invert": True}, 60, 102),
        (BLIND, "position", IntType(0, 255), {"unit": "%"}, 60, 60),
        (BLIND, "position", IntType(0, 255, 1, "%"), {}, 60, 60),
        (BLIND, "position", IntType(10, 1000), {}, 60, 600),
        (BLIND, "position", FloatType(0, 1, 0.01), {}, 60, 0.6),
        (BLIND, "position", IntType(0, 10), {}, 60, 6),
        (BLIND, "position", IntType(10, 90), {}, 60, 60),
        (BLIND, "position", IntType(), {}, 60, 60),
        (LAMP, "color_temp", IntType(unit="mired"), {}, 4000, 250),
        (BLIND, "position", EnumType({1: "a", 2: "b"}), {"options": {"0": 1, "50": 2}}, 50, 2),
        # options
        (FAN_SPEEDS, "fan_mode", EnumType({1: "低速", 2: "中速", 3: "高速"}), {}, "medium", 2),
        (FAN_SPEEDS, "fan_mode", TextType(), {}, "medium", "medium"),
        (FAN_SPEEDS, "fan_mode", IntType(), {"options": {"low": 1, "medium": 2, "high": "3"}}, "high", 3),
        (MODES, "mode", EnumType({0: "OFF", 1: "Heat", 2: "Fan only"}), {}, "fan_only", 2),
        (MODES, "mode", EnumType({1: "制冷", 2: "制热", 4: "除湿", 3: "送风"}), {}, "dry", 4),
        (MODES, "mode", EnumType({1: "制冷", 9: "x"}), {"options": {"cool": "制冷", "heat": 9}}, "cool", 1),
        (MODES, "mode", EnumType(), {"options": {"cool": 4}}, "cool", 4),
        # other kinds
        (WASHER, "text", TextType(10), {}, "洗衣中", "洗衣中"),
        (WASHER, "text", EnumType({1: "idle"}), {"options": {"idle": 1}}, "idle", 1),
        (LAMP, "color", RGB, {}, (255, 120, 0), {"Red": 255, "Green": 120, "Blue": 0}),
        (LAMP, "color", TextType(7), {}, (255, 120, 0), "#FF7800"),
        (FINISH, "moment", DateType(), {}, datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        (FINISH, "moment", TextType(), {}, datetime(2026, 11, 23, tzinfo=UTC), "2026-11-23T00:00:00+00:00"),
    ],
)
def test_values_are_converted_both_ways(
    state: State, aspect: str, data_type: DataType, conversion: dict[str, Any], home: Value, cloud: CloudValue
) -> None:
    """A converted value is converted back to the same value."""
    sent = to_property_value(home, state, aspect, data_type, **conversion)
    assert (sent, type(sent)) == (cloud, type(cloud))
    assert data_type.decode(data_type.encode(sent)) == cloud
    assert to_aspect_value(cloud, state, aspect, data_type, **conversion) == home


@pytest.mark.parametrize("level", range(1, 256))
def test_brightness_of_255_levels_is_reported_as_it_was_set(level: int) -> None:
    """The entity gets the level that the cloud sets, and the same level is reported."""
    percent = to_aspect_value(level, LAMP, "brightness", IntType(0, 255))
    (call,) = DOMAINS["light"].actions_for(LAMP, {"brightness": percent})
    assert call.data == {"brightness": level}
    lit = State(LAMP.entity_id, "on", {**LAMP.attributes, **call.data})
    assert (
        to_property_value(aspect_of(LAMP.entity_id, "brightness").read(lit), lit, "brightness", IntType(0, 255))
        == level
    )


@pytest.mark.parametrize("steps", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("gear", [1, 2])
def test_property_with_gears_sets_the_gear(steps: int, gear: int) -> None:
    """Home Assistant's conversion from percent to a gear gives the same gear."""
    fan = State("fan.ceiling", "on", {"supported_features": 1, "percentage_step": 100 / steps, "percentage": 100})
    percent = to_aspect_value(gear, fan, "speed", IntType(0, steps))
    (call,) = DOMAINS["fan"].actions_for(fan, {"speed": percent})
    gears = list(range(1, steps + 1))
    assert percentage_to_ordered_list_item(gears, call.data["percentage"]) == gear
    assert to_property_value(call.data["percentage"], fan, "speed", IntType(0, steps)) == gear


@pytest.mark.parametrize(
    ("value", "data_type", "conversion", "reported"),
    [
        (21.499999, FloatType(step=0.5), {}, 21.5),
        (21.449, FloatType(step=0.1), {}, 21.4),
        (21.449, FloatType(step=1), {}, 21),
        (21.449, FloatType(), {}, 21.449),
        (21.449, FloatType(step=0.001), {"digits": 1}, 21.4),
        (21.449, TextType(), {"digits": 1}, "21.4"),
        (45.7, IntType(0, 100), {}, 46),
        (22.5, IntType(0, 100), {}, 23),
        (23.5, IntType(0, 100), {}, 24),
        (-22.5, IntType(-40, 100), {}, -23),
        (22.5, FloatType(step=1), {}, 23),
        (22.45, FloatType(step=0.1), {}, 22.5),
        (2.675, FloatType(), {"digits": 2}, 2.68),
        (1.005, DoubleType(), {"digits": 2}, 1.01),
        (0.285, IntType(), {"scale": 100}, 29),
        (22.5, TextType(), {"digits": 0}, "23"),
        (-0.04, FloatType(step=0.1), {}, 0),
        (0.1 + 0.2, DoubleType(), {}, 0.3),
        (1234567890123.0, DoubleType(), {}, 1234567890123.0),
        (104, IntType(0, 100), {"clamp": True}, 100),
        (-50, FloatType(-40, 125), {"clamp": True}, -40),
    ],
)
def test_reported_number_is_rounded(
    value: float, data_type: DataType, conversion: dict[str, Any], reported: CloudValue
) -> None:
    """To the decimals of the thing model's step unless the binding has `digits`; 45.7 % is 46 for an integer."""
    assert to_property_value(value, CELSIUS, "value", data_type, **conversion) == reported


CLASHING = [
    (State("sensor.p", "5", {"unit_of_measurement": "hPa"}), "value", DoubleType(unit="mpa"), {}, 5.0),
    (State("sensor.p", "5", {"unit_of_measurement": "W"}), "value", IntType(unit="°C"), {}, 5),
    (State("sensor.p", "5", {"unit_of_measurement": "W"}), "value", TextType(), {"unit": "furlong"}, "5"),
    (State("sensor.p", "5", {"unit_of_measurement": "人"}), "value", FloatType(unit="次"), {}, 5.0),
    (State("sensor.p", "5", {"unit_of_measurement": "W"}), "raw_state", FloatType(unit="V"), {}, 5.0),
    (State("number.n", "5", {"unit_of_measurement": "W", "min": 0, "max": 9}), "value", IntType(unit="V"), {}, 5),
    (BLIND, "position", IntType(0, 100, 1, "lx"), {}, 30),
    (LAMP, "color_temp", IntType(unit="lx"), {}, 4000),
]
"""Each with a value that is the same on both sides if the units are."""


@pytest.mark.parametrize(("state", "aspect", "data_type", "conversion", "value"), CLASHING)
def test_units_that_cannot_be_converted_carry_nothing(
    state: State, aspect: str, data_type: DataType, conversion: dict[str, Any], value: Any
) -> None:
    """In neither direction, until there is a formula or the binding says that the units are the same."""
    bound = aspect_for(Binding("P", state.entity_id, aspect), state.entity_id)
    assert bound
    home = str(value) if aspect == "raw_state" else float(value)
    options = Conversion(**conversion)
    assert clashing_units(bound, data_type, options, state)
    with pytest.raises(Refused, match="can't be converted") as error:
        to_cloud(home, bound, data_type, options, state)
    assert error.value.reason is Reason.NOT_SUPPORTED
    with pytest.raises(Refused, match="can't be converted"):
        to_ha(value, bound, data_type, options, state)

    same = replace(options, same_unit=True)
    assert clashing_units(bound, data_type, same, state) is None
    assert to_cloud(home, bound, data_type, same, state) == value
    assert to_ha(value, bound, data_type, same, state) == float(value)
    double = replace(options, scale=2)
    assert clashing_units(bound, data_type, double, state) is None
    assert float(str(to_cloud(home, bound, data_type, double, state))) == 2 * float(value)


def test_units_of_members_and_elements_are_those_of_the_attribute() -> None:
    """Also where the whole is a structure or a list."""
    state = State("weather.home", "sunny", {"pressure": [1013.2], "pressure_unit": "hPa"})
    aspect = attribute_aspect("pressure")
    in_kpa = ArrayType(None, StructType({"P": Field("P", "P", FloatType(unit="千帕"))}))
    assert to_cloud([{"P": 1013.2}], aspect, in_kpa, NO_MAP, state) == [{"P": 101.32}]
    assert to_ha([{"P": 101.32}], aspect, in_kpa, NO_MAP, state) == [{"P": 1013.2}]
    in_celsius = ArrayType(None, StructType({"P": Field("P", "P", FloatType(unit="°C"))}))
    with pytest.raises(Refused, match="hPa can't be converted to °C"):
        to_cloud([{"P": 1013.2}], aspect, in_celsius, NO_MAP, state)
    with pytest.raises(Refused, match="°C can't be converted to hPa"):
        to_ha([{"P": 1013.2}], aspect, in_celsius, NO_MAP, state)
    same = Conversion(same_unit=True)
    assert to_cloud([{"P": 1013.2}], aspect, in_celsius, same, state) == [{"P": 1013.2}]
    assert to_ha([{"P": 1013.2}], aspect, in_celsius, same, state) == [{"P": 1013.2}]


def test_power_factor_without_unit_is_a_ratio() -> None:
    """Home Assistant says so; in a property without unit it stays as it is."""
    state = State("sensor.factor", "0.95", {"device_class": "power_factor"})
    assert to_property_value(0.95, state, "value", FloatType(unit="%")) == 95
    assert to_property_value(0.95, state, "value", FloatType()) == 0.95
    assert to_aspect_value(95.0, state, "value", FloatType(unit="%")) == 0.95


@pytest.mark.parametrize("unit", ["档", "gear", "级"])
def test_gears_may_have_a_unit(unit: str) -> None:
    """100 % is the highest gear, as in a property without unit."""
    fan = State("fan.ceiling", "on", {"supported_features": 1, "percentage": 100, "percentage_step": 100 / 3})
    assert to_property_value(100, fan, "speed", IntType(0, 3, 1, unit)) == 3
    assert to_aspect_value(3, fan, "speed", IntType(0, 3, 1, unit)) == 100
    assert to_property_value(50, fan, "speed", IntType(0, 100, 1, unit), same_unit=True) == 50


def test_concentration_of_a_gas_depends_on_the_gas() -> None:
    """The device class says which one it is."""
    ozone = State("sensor.ozone", "50", {"device_class": "ozone", "unit_of_measurement": "ppb"})
    assert to_property_value(50, ozone, "value", FloatType(step=1, unit="ug/m3")) == 100
    other = State("sensor.gas", "50", {"unit_of_measurement": "ppb"})
    with pytest.raises(Refused):
        to_property_value(50, other, "value", FloatType(step=1, unit="ug/m3"))


def test_temperature_difference_has_no_zero_point() -> None:
    """A difference of 9 °F is 5 °C, not -12.8 °C."""
    state = State("sensor.rise", "9", {"device_class": "temperature_delta", "unit_of_measurement": "°F"})
    assert to_property_value(9, state, "value", FloatType(step=0.1, unit="°C")) == 5


@pytest.mark.parametrize(
    ("unit", "value", "wanted_unit", "reported"),
    [
        ("kWh", 1.5, "W·h", 1500),
        ("hPa", 1013.2, "千帕", 101.32),
        ("hPa", 1013.2, "MPa", 0.10132),
        ("mS/cm", 1.35, "μS/cm", 1350),
        ("pieces", 5, "个", 5),
        ("furlong", 5, "furlong", 5),
        ("km/h", 36, "m/s", 10),
        ("km/h", 36, "", 36),
        ("", 36, "m/s", 36),
    ],
)
def test_units_are_converted(unit: str, value: float, wanted_unit: str, reported: float) -> None:
    """Unless both are the same, or one side has none."""
    state = State("sensor.meter", str(value), {"unit_of_measurement": unit})
    assert to_property_value(value, state, "value", DoubleType(unit=wanted_unit)) == reported


async def test_climate_temperatures_are_in_the_unit_of_the_installation(hass: HomeAssistant) -> None:
    """No climate state has a unit."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    thermostat = State(
        "climate.hall", "heat", {"supported_features": 1, "temperature": 70, "min_temp": 45, "max_temp": 95}
    )
    celsius = FloatType(5, 35, 0.5, "°C")
    assert to_property_value(70, thermostat, "target_temperature", celsius) == 21.1
    assert to_aspect_value(21.5, thermostat, "target_temperature", celsius) == 70.7


@pytest.mark.parametrize(
    ("state", "aspect", "data_type", "conversion", "home", "reason"),
    [
        (CELSIUS, "value", IntType(0, 20), {}, 21, Reason.OUT_OF_RANGE),
        (CELSIUS, "value", FloatType(-40, 20), {}, 21, Reason.OUT_OF_RANGE),
        (CELSIUS, "value", DoubleType(), {"scale": 1e308}, 21, Reason.OUT_OF_RANGE),
        (BREEZE, "value", FloatType(unit="m/s"), {}, -1, Reason.OUT_OF_RANGE),
        (BREEZE, "value", FloatType(unit="m/s"), {}, 1e308, Reason.OUT_OF_RANGE),
        (CELSIUS, "value", FloatType(), {}, float("nan"), Reason.WRONG_TYPE),
        (CELSIUS, "value", FloatType(), {}, float("inf"), Reason.WRONG_TYPE),
        (CELSIUS, "value", FloatType(), {}, "warm", Reason.WRONG_TYPE),
        (CELSIUS, "value", BoolType(), {}, 1.0, Reason.WRONG_TYPE),
        (CELSIUS, "value", FloatType(), {"invert": True}, 21, Reason.NOT_SUPPORTED),
        (SWITCH, "power", FloatType(), {}, True, Reason.WRONG_TYPE),
        (SWITCH, "power", EnumType({3: "idle", 4: "busy"}), {}, True, Reason.WRONG_TYPE),
        (SWITCH, "power", EnumType({0: "上锁", 1: "开锁"}), {}, True, Reason.WRONG_TYPE),
        (LOCK, "locked", BoolType({0: "关", 1: "开"}), {}, True, Reason.WRONG_TYPE),
        (SWITCH, "power", EnumType({3: "idle"}), {"options": {"on": 4}}, True, Reason.WRONG_TYPE),
        (SWITCH, "power", BoolType(), {"options": {"on": 4}}, True, Reason.WRONG_TYPE),
        (SWITCH, "power", BoolType(), {"options": {"on": 1}}, False, Reason.NOT_AN_OPTION),
        (MODES, "mode", EnumType({1: "制冷"}), {}, "heat", Reason.NOT_AN_OPTION),
        (MODES, "mode", EnumType({1: "cool", 2: "制冷", 3: "冷风"}), {}, "heat", Reason.NOT_AN_OPTION),
        (MODES, "mode", IntType(), {}, "heat", Reason.WRONG_TYPE),
        (FAN_SPEEDS, "fan_mode", EnumType({1: "低速", 2: "低风"}), {}, "low", Reason.NOT_AN_OPTION),
        (WASHER, "text", TextType(3), {}, "idle", Reason.OUT_OF_RANGE),
        (WASHER, "text", TextType(8), {}, "洗衣中", Reason.OUT_OF_RANGE),
        (WASHER, "text", TextType(8), {}, "\ud800", Reason.WRONG_TYPE),
        (WASHER, "text", IntType(), {}, "12", Reason.WRONG_TYPE),
        (LAMP, "color", StructType({"Red": Field("Red", "", IntType())}), {}, (1, 2, 3), Reason.WRONG_TYPE),
        (LAMP, "color", ArrayType(3, IntType()), {}, (1, 2, 3), Reason.WRONG_TYPE),
        (LAMP, "color", RGB, {}, (1, 2, 300), Reason.WRONG_TYPE),
        (FINISH, "moment", IntType(), {}, datetime(2026, 11, 23, tzinfo=UTC), Reason.WRONG_TYPE),
        (FINISH, "moment", DateType(), {}, FINISH_NAIVE, Reason.WRONG_TYPE),
        (
            FINISH,
            "moment",
            TextType(),
            {"options": {"x": "y"}},
            datetime(2026, 11, 23, tzinfo=UTC),
            Reason.NOT_AN_OPTION,
        ),
    ],
)
def test_value_without_counterpart_is_not_reported(
    state: State, aspect: str, data_type: DataType, conversion: dict[str, Any], home: Value, reason: Reason
) -> None:
    """Nothing is guessed, and no wrong value is sent."""
    with pytest.raises(Refused) as error:
        to_property_value(home, state, aspect, data_type, **conversion)
    assert error.value.reason is reason


@pytest.mark.parametrize(
    ("state", "aspect", "data_type", "conversion", "cloud"),
    [
        (SWITCH, "power", IntType(0, 5), {}, 2),
        (SWITCH, "power", TextType(), {}, "maybe"),
        (SWITCH, "power", EnumType({0: "off", 1: "on", 2: "later"}), {}, 2),
        (SWITCH, "power", BoolType(), {"options": {"on": 1}}, False),
        (SWITCH, "power", BoolType(), {"options": {"open": 1}}, True),
        (BLIND, "position", TextType(), {}, "half"),
        (BLIND, "position", IntType(), {"options": {"half": 1}}, 1),
        (BLIND, "position", BoolType(), {}, True),
        (MODES, "mode", EnumType({1: "制冷", 2: "自动"}), {}, 2),
        (MODES, "mode", IntType(), {}, 2),
        (LAMP, "color", TextType(), {}, "red"),
        (LAMP, "color", RGB, {}, {"Red": 1, "Green": 2}),
        (LAMP, "color", StructType({n: Field(n, n, IntType()) for n in "rgb"}), {}, {"r": 1, "g": 2, "b": 256}),
        (FINISH, "moment", TextType(), {}, "soon"),
        (FINISH, "moment", TextType(), {}, "2026-02-30T12:00:00+00:00"),
        (FINISH, "moment", TextType(), {}, "9999-12-31T23:59:59-14:00"),
        (FINISH, "moment", IntType(), {}, 5),
    ],
)
def test_value_without_counterpart_is_not_set(
    state: State, aspect: str, data_type: DataType, conversion: dict[str, Any], cloud: CloudValue
) -> None:
    """The message has the values that are possible."""
    with pytest.raises(Refused, match=r"takes|maps"):
        to_aspect_value(cloud, state, aspect, data_type, **conversion)


def test_set_outside_the_range_is_clamped_if_allowed() -> None:
    """Without `clamp` the check of the entity's range refuses it."""
    data_type = IntType(0, 120)
    assert to_aspect_value(110, BLIND, "position", data_type, clamp=True) == 100
    assert to_aspect_value(110, BLIND, "position", data_type) == 110


def test_several_options_for_one_property_value() -> None:
    """All are reported as that value; a set uses the first."""
    options = {"cool": 1, "heat": 2, "heat_cool": 2}
    data_type = EnumType({1: "cold", 2: "warm"})
    assert to_property_value("heat_cool", MODES, "mode", data_type, options=options) == 2
    assert to_aspect_value(2, MODES, "mode", data_type, options=options) == "heat"


def test_options_without_property_value_are_listed() -> None:
    """The user is warned about them before saving."""
    mode = aspect_of("climate.ac", "mode")
    data_type = EnumType({0: "关机", 1: "制冷", 2: "制热"})
    assert unmatched_options(mode, data_type, NO_MAP, MODES) == ("heat_cool", "dry", "fan_only")
    assert unmatched_options(mode, TextType(), NO_MAP, MODES) == ()
    assert unmatched_options(aspect_of("switch.x", "power"), BoolType(), NO_MAP, SWITCH) == ()
