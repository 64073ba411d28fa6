"""A value that the cloud sets is reported as the same value: raw aspects, locations, units, formulas, templates."""

from contextlib import suppress
import json

from homeassistant.core import HomeAssistant, State
from hypothesis import HealthCheck, given, settings, strategies as st
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
)
from custom_components.aliyun_iot.mapping.aspect import Aspect, Kind, Location, Refused
from custom_components.aliyun_iot.mapping.attributes import as_raw
from custom_components.aliyun_iot.mapping.binding import Binding, Conversion
from custom_components.aliyun_iot.mapping.convert import to_cloud, to_ha
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.generic import NO_ENTITY_STATE, RENDERED
from custom_components.aliyun_iot.mapping.kinds.raw import kind_of_raw
from custom_components.aliyun_iot.mapping.model.infer import infer_data_type, infer_raw_type
from custom_components.aliyun_iot.mapping.templates import Templates, render

LABELS = st.sampled_from(["", "off", "on", "关", "开", "low", "低", "2", "heat", "制热", "自动"])
NAMES = st.text("abcXYZ", min_size=1, max_size=4)


def simple_types() -> st.SearchStrategy[DataType]:
    """Return data types without members, with labels as in thing models."""
    return st.one_of(
        st.builds(IntType, st.integers(-1000, 0), st.integers(1, 10000)),
        st.builds(FloatType, st.just(-1000.0), st.just(1000.0), st.sampled_from([None, 0.1, 0.5])),
        st.builds(DoubleType),
        st.builds(BoolType, st.fixed_dictionaries({0: LABELS, 1: LABELS})),
        st.builds(EnumType, st.dictionaries(st.integers(0, 9), LABELS, max_size=5)),
        st.builds(TextType, st.just(64)),
        st.builds(DateType),
    )


def structures() -> st.SearchStrategy[DataType]:
    """Return data types with members, also nested ones."""
    parts = st.recursive(
        simple_types(),
        lambda inner: st.one_of(
            st.builds(ArrayType, st.just(4), inner),
            st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(
                lambda members: StructType({name: Field(name, name, field) for name, field in members.items()})
            ),
        ),
        max_leaves=4,
    )
    return simple_types() | parts


def wire_of(data_type: DataType) -> st.SearchStrategy[object]:
    """Return the values that a cloud application may set."""
    match data_type:
        case BoolType():
            return st.sampled_from([0, 1])
        case EnumType(items):
            return st.sampled_from(sorted(items)) if items else st.integers(0, 99)
        case IntType():
            return st.integers(data_type.min, data_type.max)
        case FloatType() | DoubleType():
            return st.integers(-9990, 9990).map(lambda tenths: tenths / 10)
        case TextType():
            return st.text(st.characters(codec="utf-8"), max_size=20)
        case DateType():
            return st.integers(10**10, 4 * 10**12).map(str)
        case ArrayType(size, item):
            return st.lists(wire_of(item), max_size=size)
        case StructType(members):
            return st.fixed_dictionaries({name: wire_of(field.data_type) for name, field in members.items()})
        case _:
            raise AssertionError(data_type)


def same(value: object, other: object) -> bool:
    """Return whether two values are the same on the wire."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), data_type=structures(), invert=st.booleans())
def test_any_value_is_reported_as_it_was_set(data: st.DataObject, data_type: DataType, invert: bool) -> None:
    """Wire → value for actions and templates → wire, for any type."""
    conversion = Conversion(invert=invert and isinstance(data_type, BoolType))
    wire = data.draw(wire_of(data_type))
    home = to_ha(data_type.decode(wire), RENDERED, data_type, conversion, NO_ENTITY_STATE)
    json.dumps(home)
    again = data_type.encode(to_cloud(home, RENDERED, data_type, conversion, NO_ENTITY_STATE))
    assert same(again, wire)


@settings(max_examples=300, deadline=None)
@given(
    value=st.recursive(
        st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=5,
    ),
    data_type=structures(),
)
def test_any_attribute_is_valid_for_the_type_or_refused(value: object, data_type: DataType) -> None:
    """A conversion raises no other exception, and no value is sent that the type does not allow."""
    raw = as_raw(value)
    if raw is None:
        return
    sent = None
    with suppress(Refused):
        sent = to_cloud(raw, RENDERED, data_type, Conversion(), NO_ENTITY_STATE)
    if sent is not None and not isinstance(data_type, ArrayType | StructType | TextType):
        assert data_type.encode(sent) is not None


@given(value=st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.floats(-1e9, 1e9) | st.text("abc", max_size=9))
def test_value_has_its_own_type_without_a_thing_model(value: bool | float | str) -> None:
    """It is posted and set unchanged."""
    data_type = infer_raw_type(value)
    wire = data_type.encode(to_cloud(value, RENDERED, data_type, Conversion(), NO_ENTITY_STATE))
    assert to_ha(data_type.decode(wire), RENDERED, data_type, Conversion(), NO_ENTITY_STATE) == pytest.approx(
        value, rel=1e-8
    )


@given(
    latitude=st.integers(-9 * 10**7, 9 * 10**7).map(lambda part: part / 10**6),
    longitude=st.integers(-18 * 10**7, 18 * 10**7).map(lambda part: part / 10**6),
    altitude=st.none() | st.integers(0, 9000).map(float),
)
def test_locations_are_reported_as_they_were_set(latitude: float, longitude: float, altitude: float | None) -> None:
    """With all digits of a GPS receiver, as a structure and as text."""
    aspect = Aspect(key="place", kind=Kind.LOCATION, name_en="Place", name_zh="位置", source=lambda _: None)
    parts = {name: Field(name, name, DoubleType()) for name in ("Longitude", "Latitude", "Altitude")}
    system = Field("CoordinateSystem", "CoordinateSystem", EnumType({1: "WGS_84", 2: "GCJ_02"}))
    place = Location(latitude, longitude, altitude)
    for data_type in (StructType({**parts, "CoordinateSystem": system}), TextType()):
        wire = data_type.encode(to_cloud(place, aspect, data_type, Conversion(), NO_ENTITY_STATE))
        home = to_ha(data_type.decode(wire), aspect, data_type, Conversion(), NO_ENTITY_STATE)
        assert isinstance(home, Location)
        assert home[:2] == place[:2]
        assert data_type.encode(to_cloud(home, aspect, data_type, Conversion(), NO_ENTITY_STATE)) == wire


@given(data=st.data(), low=st.integers(-40, 100), span=st.integers(1, 200), step=st.sampled_from([0.1, 0.5, 1, 5]))
def test_unit_of_the_binding_is_converted_both_ways(data: st.DataObject, low: int, span: int, step: float) -> None:
    """A °F entity, a °C property and no thing model: the whole range can be set, and is reported as it was set."""
    attributes = {"min": low, "max": low + span, "step": step, "unit_of_measurement": "°F"}
    state = State("number.kettle", str(low), attributes)
    aspect = aspect_of("number.kettle", "value")
    assert aspect
    conversion = Conversion(unit="°C", clamp=True)
    data_type = infer_data_type(aspect, state, conversion)
    fahrenheit = data.draw(st.floats(low, low + span))
    wire = data_type.encode(to_cloud(fahrenheit, aspect, data_type, conversion, state))
    home = to_ha(data_type.decode(wire), aspect, data_type, conversion, state)
    limits = aspect.range(state)
    assert limits
    assert limits.holds(home)
    inside = limits.min < home < limits.max
    assert not inside or data_type.encode(to_cloud(home, aspect, data_type, conversion, state)) == wire


@given(share=st.integers(0, 100), invert=st.booleans(), clamp=st.booleans())
def test_percentages_are_reported_as_they_were_set_in_255ths(share: int, invert: bool, clamp: bool) -> None:
    """With any conversion, each of the 101 values has its own value among the 256."""
    state = State("number.level", "0", {"min": 0, "max": 255, "step": 1})
    aspect = aspect_of("number.level", "value")
    assert aspect
    conversion = Conversion(scale=100 / 255, invert=invert, clamp=clamp)
    home = to_ha(share, aspect, IntType(0, 100), conversion, state)
    assert to_cloud(round(float(home)), aspect, IntType(0, 100), conversion, state) == share


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.integers(-500, 500), factor=st.sampled_from([2, 10, -4]), key=st.sampled_from([1, 2, 3]))
def test_value_is_the_same_after_templates_that_reverse_each_other(
    hass: HomeAssistant, value: int, factor: int, key: int
) -> None:
    """The rest of the conversion is applied between the template and the property."""
    conversion = Conversion(
        scale=0.5, template=f"{{{{ value * {factor} }}}}", template_back=f"{{{{ value / {factor} }}}}"
    )
    number = aspect_of("number.level", "value")
    assert number
    compiled = Templates.of(hass, Binding("A", "number.level", "value", conversion=conversion))
    data_type = DoubleType()
    rendered = to_ha(float(value), RENDERED, data_type, conversion, NO_ENTITY_STATE)
    assert compiled.to_ha
    home = kind_of_raw(render(compiled.to_ha, {"value": rendered}), number)
    assert compiled.to_cloud
    rendered_back = render(compiled.to_cloud, {"value": home})
    assert rendered_back is not None
    assert to_cloud(rendered_back, RENDERED, data_type, conversion, NO_ENTITY_STATE) == value

    named = Conversion(options={"eco": 1, "boost": 2, "off": 3})
    assert (
        to_cloud(to_ha(key, RENDERED, EnumType(), named, NO_ENTITY_STATE), RENDERED, EnumType(), named, NO_ENTITY_STATE)
        == key
    )
