"""A value that the cloud sets is reported as the same value, for every aspect and every suitable data type."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
import json

from homeassistant.components.alarm_control_panel.const import AlarmControlPanelEntityFeature
from homeassistant.components.climate.const import ClimateEntityFeature, HVACMode
from homeassistant.components.cover import CoverEntityFeature
from homeassistant.components.fan import FanEntityFeature
from homeassistant.components.light.const import LightEntityFeature
from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.components.siren.const import SirenEntityFeature
from homeassistant.components.valve import ValveEntityFeature
from homeassistant.components.water_heater import WaterHeaterEntityFeature
from homeassistant.core import State
from hypothesis import given, settings, strategies as st
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
from custom_components.aliyun_iot.mapping.aspect import Aspect, Kind
from custom_components.aliyun_iot.mapping.attributes import day
from custom_components.aliyun_iot.mapping.binding import Conversion
from custom_components.aliyun_iot.mapping.convert import Refused, carries, to_cloud, to_ha
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of
from custom_components.aliyun_iot.mapping.model.infer import infer_data_type

from .house import after

ENTITIES = (
    State("switch.pump", "off"),
    State("input_boolean.guests", "on"),
    State(
        "light.lamp",
        "on",
        {
            "supported_color_modes": ["color_temp", "rgb", "hs"],
            "min_color_temp_kelvin": 2000,
            "max_color_temp_kelvin": 6500,
            "supported_features": LightEntityFeature.EFFECT,
            "effect_list": ["off", "彩虹"],
        },
    ),
    State("light.strip", "on", {"supported_color_modes": ["rgb", "white"]}),
    State(
        "climate.ac",
        HVACMode.COOL,
        {
            "supported_features": sum(ClimateEntityFeature) & ~ClimateEntityFeature.TARGET_TEMPERATURE_RANGE,
            "hvac_modes": ["off", "heat", "cool", "heat_cool", "dry", "fan_only"],
            "min_temp": 7,
            "max_temp": 35,
            "target_temp_step": 0.1,
            "min_humidity": 30,
            "max_humidity": 99,
            "fan_modes": ["auto", "low", "medium", "high"],
            "preset_modes": ["none", "eco", "away"],
            "swing_modes": ["off", "vertical"],
            "swing_horizontal_modes": ["off", "horizontal"],
        },
    ),
    State(
        "climate.heat_pump",
        HVACMode.HEAT_COOL,
        {
            "supported_features": ClimateEntityFeature.TARGET_TEMPERATURE_RANGE | ClimateEntityFeature.TURN_ON,
            "hvac_modes": ["off", "heat_cool"],
            "min_temp": 7,
            "max_temp": 35,
            "target_temp_low": 7,
            "target_temp_high": 35,
        },
    ),
    State("cover.blind", "open", {"supported_features": sum(CoverEntityFeature), "current_position": 1}),
    State("valve.garden", "open", {"supported_features": sum(ValveEntityFeature), "current_position": 1}),
    State(
        "fan.ceiling",
        "on",
        {
            "supported_features": sum(FanEntityFeature),
            "percentage": 1,
            "percentage_step": 100 / 3,
            "preset_modes": ["breeze", "sleep"],
        },
    ),
    State(
        "humidifier.room",
        "on",
        {"supported_features": 1, "min_humidity": 30, "max_humidity": 80, "available_modes": ["normal", "婴儿"]},
    ),
    State(
        "water_heater.boiler",
        "eco",
        {
            "supported_features": sum(WaterHeaterEntityFeature),
            "min_temp": 30,
            "max_temp": 75,
            "target_temp_step": 0.5,
            "operation_list": ["off", "eco", "gas"],
        },
    ),
    State("vacuum.robot", "docked", {"supported_features": 32, "fan_speed_list": ["quiet", "max"]}),
    State("alarm_control_panel.house", "disarmed", {"supported_features": sum(AlarmControlPanelEntityFeature)}),
    State("siren.roof", "off", {"supported_features": sum(SirenEntityFeature)}),
    State("remote.tv", "off", {"supported_features": 4, "activity_list": ["tv", "music"]}),
    State("counter.visitors", "3", {"minimum": 0, "maximum": 50, "step": 1}),
    State("timer.egg", "active", {"duration": "0:05:00"}),
    State("lock.door", "locked"),
    State("number.level", "1", {"min": -20, "max": 80, "step": 0.1}),
    State("input_number.level", "1", {"min": 0, "max": 1000, "step": 1}),
    State("select.program", "Eco 40", {"options": ["Eco 40", "cotton", "棉麻"]}),
    State("input_select.scene", "day", {"options": ["day", "night"]}),
    State("text.note", "", {"mode": "text", "min": 0, "max": 64}),
    State("input_text.note", "", {"mode": "text", "min": 0, "max": 64}),
    State("date.holiday", "2026-11-23"),
    State("time.alarm", "06:30:00"),
    State("datetime.appointment", "2026-11-23T08:00:00+00:00"),
    State("input_datetime.both", "2026-11-23 08:00:00", {"has_date": True, "has_time": True}),
    State("input_datetime.day", "2026-11-23", {"has_date": True, "has_time": False}),
    State("input_datetime.time", "08:00:00", {"has_date": False, "has_time": True}),
    State(
        "media_player.tv",
        "idle",
        {
            "supported_features": sum(MediaPlayerEntityFeature),
            "source_list": ["TV", "收音机"],
            "sound_mode_list": ["night", "party"],
        },
    ),
)
REPORT_ONLY = {"playback": {"off", "on", "buffering"}}
"""Options that are reported and can't be set."""

PRESSES = ("latch", "panic")
"""Aspects that are always reported as false."""

SET_TOGETHER = {("timer", "duration"): {"state": "active"}}
"""Values that have to be set together with an aspect."""

CONTROLS = [
    pytest.param(aspect, state, id=f"{state.entity_id}-{aspect.key}")
    for state in ENTITIES
    for aspect in DOMAINS[state.domain].aspects
    if aspect.controllable(state) and not aspect.momentary and aspect.key not in PRESSES
]


def suitable_types(aspect: Aspect, state: State) -> Iterator[DataType]:
    """Yield data types that a thing model may have for such a property."""
    limits = aspect.range(state)
    options = aspect.options(state)
    yield infer_data_type(aspect, state)
    if aspect.data_type is None:
        yield TextType(64)
    match aspect.kind:
        case Kind.BOOL:
            no, yes = aspect.words
            yield BoolType({0: no, 1: yes})
            yield EnumType({0: yes, 1: no})
            yield EnumType({7: yes.upper(), 3: no})
            yield IntType(0, 1)
        case Kind.NUMBER:
            yield IntType(-1000, 2**31 - 1)
            yield FloatType(step=0.5)
            yield FloatType(step=0.1, unit=aspect.unit(state) or "°C")
            yield DoubleType(limits.min if limits else None, limits.max if limits else None, 0.1)
        case Kind.ENUM:
            yield EnumType({key * 10: option.upper() for key, option in enumerate(options)})
        case Kind.COLOR if aspect.data_type:
            yield StructType({name: Field(name, name, DoubleType(0, 360)) for name in "HSV"})
        case Kind.COLOR:
            yield StructType({name: Field(name, name, DoubleType(0, 255)) for name in "rgb"})
        case Kind.DATE | Kind.TEXT:
            pass  # no further types
        case _:
            raise AssertionError("no writable aspect is of this kind")


def wire_values(aspect: Aspect, data_type: DataType, state: State) -> st.SearchStrategy[object]:
    """Return the values that a cloud application may set: in the entity's range, as multiples of its step."""
    match data_type:
        case BoolType():
            return st.sampled_from([0, 1])
        case EnumType(items):
            report_only = REPORT_ONLY.get(aspect.key, set())
            return st.sampled_from([key for key, label in sorted(items.items()) if label.casefold() not in report_only])
        case DateType():
            return moments(aspect).map(DateType().encode)
        case StructType(members) if aspect.data_type:
            whole = isinstance(next(iter(members.values())).data_type, IntType)
            hues = st.tuples(st.integers(0, 359), st.integers(1, 100), st.integers(1, 100))
            colors = hues | st.integers(0, 100).map(lambda value: (0, 0, value))
            return colors.map(lambda color: dict(zip(members, color if whole else map(float, color), strict=True)))
        case StructType(members):
            whole = isinstance(next(iter(members.values())).data_type, IntType)
            part = st.integers(0, 255) if whole else st.integers(0, 255).map(float)
            return st.fixed_dictionaries(dict.fromkeys(members, part))
        case TextType():
            match aspect.kind:
                case Kind.BOOL:
                    return st.sampled_from(aspect.words)
                case Kind.ENUM:
                    report_only = REPORT_ONLY.get(aspect.key, set())
                    return st.sampled_from([option for option in aspect.options(state) if option not in report_only])
                case Kind.DATE:
                    return moments(aspect).map(datetime.isoformat)
                case Kind.TEXT if aspect.key == "time":
                    return st.times().map(lambda time: time.isoformat("seconds"))
                case Kind.TEXT:
                    return st.text(max_size=16).filter(lambda text: text not in ("unknown", "unavailable"))
                case Kind.COLOR:
                    return st.binary(min_size=3, max_size=3).map(lambda color: f"#{color.hex().upper()}")
                case _:
                    return grid(aspect, data_type, state).map(lambda value: f"{Decimal(str(value)).normalize():f}")
        case IntType() if aspect.kind is Kind.BOOL:
            return st.sampled_from([0, 1])
        case IntType():
            return grid(aspect, IntType(step=1), state).map(int)
        case _:
            return grid(aspect, data_type, state)


def moments(aspect: Aspect) -> st.SearchStrategy[datetime]:
    """Return whole seconds or, for an aspect that is a day, beginnings of local days; in UTC."""
    if aspect.key == "date":
        return st.dates(date(1970, 5, 1), date(2200, 1, 1)).map(lambda date_: day(date_.isoformat())).filter(bool)
    return st.integers(10**7, 7 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def grid(aspect: Aspect, data_type: DataType, state: State) -> st.SearchStrategy[float]:
    """Return numbers in the entity's range that are multiples of both steps."""
    limits = aspect.range(state)
    assert limits
    assert limits.min is not None
    assert limits.max is not None
    type_step = getattr(data_type, "step", None)
    step = max(Decimal(str(limits.step or 0.1)), Decimal(str(type_step or 0.1)))
    first, last = (int(Decimal(str(limit)) / step) for limit in (limits.min, limits.max))
    return st.integers(first, last).map(lambda index: float(index * step))


@pytest.mark.parametrize(("aspect", "state"), CONTROLS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_value_is_reported_as_it_was_set(aspect: Aspect, state: State, data: st.DataObject) -> None:
    """Wire → entity → wire, with an entity that carries out all actions."""
    conversion = Conversion()
    data_type = data.draw(st.sampled_from(list(suitable_types(aspect, state))))
    assert carries(aspect, data_type, conversion)
    wire = data.draw(wire_values(aspect, data_type, state))
    value = to_ha(data_type.decode(wire), aspect, data_type, conversion, state)
    together = SET_TOGETHER.get((state.domain, aspect.key), {})
    new = after(state, DOMAINS[state.domain].actions_for(state, {aspect.key: value, **together}))
    if (aspect.key in ("brightness", "speed", "white") and value == 0) or (
        aspect.kind is Kind.COLOR and value == (0, 0, 0)
    ):
        assert new.state == "off"
        return
    reported = aspect.read(new)
    assert reported is not None
    again = data_type.encode(to_cloud(reported, aspect, data_type, conversion, new))
    assert json.dumps(again, sort_keys=True) == json.dumps(wire, sort_keys=True)


@given(
    value=st.integers(-400, 1250).map(lambda tenths: tenths / 10),
    unit=st.sampled_from(["°C", "°F", "K"]),
    wanted=st.sampled_from(["°C", "℉", "K"]),
)
def test_temperatures_are_the_same_after_unit_conversion_and_back(value: float, unit: str, wanted: str) -> None:
    """A property in tenths of a degree in one unit, an entity in another."""
    state = State("number.setpoint", "1", {"unit_of_measurement": unit})
    aspect = aspect_of("number.setpoint", "value")
    data_type = FloatType(step=0.1, unit=wanted)
    home = to_ha(value, aspect, data_type, Conversion(), state)
    assert to_cloud(home, aspect, data_type, Conversion(), state) == value


@given(
    value=st.integers(0, 1000),
    scale=st.floats(0.01, 100) | st.floats(-100, -0.01),
    offset=st.floats(-1000, 1000),
    invert=st.booleans(),
)
def test_any_formula_is_reversible(value: int, scale: float, offset: float, invert: bool) -> None:
    """With any scale and offset, an integer that the cloud sets is reported as the same."""
    state = State("number.level", "1", {"min": 0, "max": 100})
    aspect = aspect_of("number.level", "value")
    conversion = Conversion(scale=scale, offset=offset, invert=invert)
    home = to_ha(value, aspect, IntType(), conversion, state)
    assert to_cloud(home, aspect, IntType(), conversion, state) == value


@given(value=st.integers(10**10, 4 * 10**12).map(lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, UTC)))
def test_dates_are_exact_to_the_millisecond(value: datetime) -> None:
    """The wire format has milliseconds."""
    state = State("sensor.finish", value.isoformat(), {"device_class": "timestamp"})
    aspect = aspect_of("sensor.finish", "moment")
    read = aspect.read(state)
    assert read == value
    wire = DateType().encode(to_cloud(read, aspect, DateType(), Conversion(), state))
    home = to_ha(DateType().decode(wire), aspect, DateType(), Conversion(), state)
    assert abs(home - value).total_seconds() < 0.001


@given(value=st.floats() | st.integers() | st.text() | st.booleans() | st.none(), data=st.data())
def test_any_sensor_state_is_valid_for_the_type_or_refused(value: object, data: st.DataObject) -> None:
    """A conversion raises no other exception, and no value is sent that the type does not allow."""
    state = State("sensor.odd", str(value)[:255], data.draw(st.sampled_from([{}, {"unit_of_measurement": "°C"}])))
    data_type = data.draw(
        st.sampled_from(
            [IntType(-5, 5), FloatType(-5, 5, 0.1, "°F"), TextType(5), BoolType(), EnumType({1: "on"}), DateType()]
        )
    )
    for aspect in DOMAINS["sensor"].aspects:
        read = aspect.read(state) if aspect.supported(state) else None
        if read is None:
            continue
        sent = None
        with suppress(Refused):
            sent = to_cloud(read, aspect, data_type, Conversion(), state)
        if sent is not None:
            assert carries(aspect, data_type, Conversion())
            assert data_type.encode(sent) is not None
