"""Conversion of locations: the standard structure, other structures, text."""

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import (
    BoolType,
    DataType,
    DoubleType,
    EnumType,
    Field,
    FloatType,
    IntType,
    StructType,
    TextType,
    Value as CloudValue,
)
from custom_components.aliyun_iot.mapping.aspect import Aspect, Kind, Location, Reason, Refused
from custom_components.aliyun_iot.mapping.binding import NO_CONVERSION
from custom_components.aliyun_iot.mapping.convert import carries, to_cloud, to_ha

PHONE = State("device_tracker.phone", "home")
PLACE = Aspect(key="place", kind=Kind.LOCATION, name_en="Place", name_zh="位置", source=lambda _: None)
SHANGHAI = Location(31.2304, 121.4737, 4.0)


def structure(**members: DataType) -> StructType:
    """Return a structure of these members."""
    return StructType({name: Field(name, name, data_type) for name, data_type in members.items()})


GEO = structure(
    Longitude=DoubleType(-180, 180),
    Latitude=DoubleType(-90, 90),
    Altitude=DoubleType(0, 9999),
    CoordinateSystem=EnumType({1: "WGS_84", 2: "GCJ_02"}),
)


@pytest.mark.parametrize(
    ("place", "data_type", "cloud"),
    [
        (SHANGHAI, GEO, {"Longitude": 121.4737, "Latitude": 31.2304, "Altitude": 4.0, "CoordinateSystem": 1}),
        (Location(1, 2), structure(lat=FloatType(), lng=FloatType()), {"lat": 1.0, "lng": 2.0}),
        (Location(1, 2), structure(lon=IntType(), LAT=IntType(), alt=IntType()), {"lon": 2, "LAT": 1, "alt": 0}),
        (SHANGHAI, TextType(), "31.2304,121.4737"),
        (Location(-31, 0.5), TextType(), "-31,0.5"),
    ],
)
def test_location_is_converted_both_ways(place: Location, data_type: DataType, cloud: CloudValue) -> None:
    """Only what the property has no member for is lost; an unknown altitude is 0 if it is required."""
    assert carries(PLACE, data_type, NO_CONVERSION)
    sent = to_cloud(place, PLACE, data_type, NO_CONVERSION, PHONE)
    assert sent == cloud
    wire = data_type.encode(sent)
    home = to_ha(data_type.decode(wire), PLACE, data_type, NO_CONVERSION, PHONE)
    assert isinstance(home, Location)
    assert home[:2] == place[:2]
    assert data_type.encode(to_cloud(home, PLACE, data_type, NO_CONVERSION, PHONE)) == wire


@pytest.mark.parametrize(
    "data_type",
    [
        structure(Longitude=DoubleType()),
        structure(Longitude=DoubleType(), lon=DoubleType(), Latitude=DoubleType()),
        structure(Longitude=DoubleType(), Latitude=DoubleType(), Speed=DoubleType()),
        structure(Longitude=TextType(), Latitude=DoubleType()),
        structure(Longitude=DoubleType(), Latitude=DoubleType(), CoordinateSystem=DoubleType()),
        BoolType(),
    ],
)
def test_other_structures_are_no_location(data_type: DataType) -> None:
    """Members with another meaning are not filled."""
    assert not carries(PLACE, data_type, NO_CONVERSION)
    with pytest.raises(Refused) as error:
        to_cloud(SHANGHAI, PLACE, data_type, NO_CONVERSION, PHONE)
    assert error.value.reason is Reason.WRONG_TYPE


@pytest.mark.parametrize(
    ("value", "data_type"),
    [
        ("31.2", TextType()),
        ("here,there", TextType()),
        ("91,0", TextType()),
        ("0,181,3", TextType()),
        ({"Longitude": 0.0, "Latitude": 91.0, "Altitude": 0.0, "CoordinateSystem": 1}, GEO),
        (True, BoolType()),
    ],
)
def test_invalid_location_is_refused(value: CloudValue, data_type: DataType) -> None:
    """Text that is no location, and coordinates that do not exist."""
    with pytest.raises(Refused):
        to_ha(value, PLACE, data_type, NO_CONVERSION, PHONE)


def test_the_shifted_coordinates_of_chinese_maps_are_refused() -> None:
    """As WGS 84 they would be some hundred metres off."""
    with pytest.raises(Refused, match="WGS 84"):
        to_ha(
            {"Longitude": 121.0, "Latitude": 31.0, "Altitude": 0.0, "CoordinateSystem": 2},
            PLACE,
            GEO,
            NO_CONVERSION,
            PHONE,
        )
