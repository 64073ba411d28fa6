"""Locations: the standard structure `GeoLocation`, or text like `31.2304,121.4737` (latitude first).

`GeoLocation` has the members Longitude, Latitude, Altitude and CoordinateSystem. 1 is WGS 84, which Home Assistant uses;
2 is GCJ-02, the shifted coordinates of Chinese maps, which is refused because the same numbers are another place. A
structure must be complete, so an unknown altitude is 0, as phones send it.
"""

from collections.abc import Iterator, Mapping

from homeassistant.const import DEGREE, UnitOfLength

from ...alink.model.datatypes import (
    DataType,
    DoubleType,
    EnumType,
    FloatType,
    IntType,
    StructType,
    TextType,
    Value as CloudValue,
)
from ...alink.model.numeric import rounded_whole
from ..aspect import Location, Reason, Refused
from ..attributes import number
from ..binding import Conversion
from ..scaling import in_unit, noise_free, property_unit
from .text import misfit, plain, text_to_cloud

LONGITUDE = "longitude"
LATITUDE = "latitude"
ALTITUDE = "altitude"
COORDINATE_SYSTEM = "coordinatesystem"
WGS_84 = 1

_MEMBERS: Mapping[str, str] = {
    "longitude": LONGITUDE,
    "lon": LONGITUDE,
    "lng": LONGITUDE,
    "latitude": LATITUDE,
    "lat": LATITUDE,
    "altitude": ALTITUDE,
    "alt": ALTITUDE,
    "coordinatesystem": COORDINATE_SYSTEM,
}
_UNITS: Mapping[str, str] = {LONGITUDE: DEGREE, LATITUDE: DEGREE, ALTITUDE: UnitOfLength.METERS}
_UNKNOWN_ALTITUDE = 0.0


def location_members(data_type: StructType) -> Mapping[str, str] | None:
    """Return the identifiers of the members by their role, None if the structure isn't a location."""
    members: dict[str, str] = {}
    for key, member in data_type.members.items():
        role = _MEMBERS.get(key.casefold().replace("_", ""))
        fitting = EnumType | IntType if role == COORDINATE_SYSTEM else IntType | FloatType | DoubleType
        if role is None or role in members or not isinstance(member.data_type, fitting):
            return None
        members[role] = key
    return members if {LONGITUDE, LATITUDE} <= members.keys() else None


def location_units(data_type: StructType) -> Iterator[tuple[str, str]]:
    """Yield Home Assistant's unit and the structure's for each member that has one."""
    for role, key in (location_members(data_type) or {}).items():
        unit = property_unit(data_type.members[key].data_type)
        if role in _UNITS and unit:
            yield _UNITS[role], unit


def location_to_cloud(location: Location, data_type: DataType, conversion: Conversion) -> CloudValue:
    """Return a location as a structure or as text."""
    if not isinstance(data_type, StructType):
        return text_to_cloud(f"{plain(location.latitude)},{plain(location.longitude)}", data_type)
    members = location_members(data_type)
    if members is None:
        raise misfit(location, data_type)
    values: dict[str, float] = {
        LONGITUDE: location.longitude,
        LATITUDE: location.latitude,
        ALTITUDE: _UNKNOWN_ALTITUDE if location.altitude is None else location.altitude,
        COORDINATE_SYSTEM: WGS_84,
    }
    return {
        key: _fitted(values[role], _UNITS.get(role), data_type.members[key].data_type, conversion)
        for role, key in members.items()
    }


def location_to_ha(value: CloudValue, data_type: DataType, conversion: Conversion) -> Location:
    """Return the location of a structure or text."""
    if isinstance(data_type, StructType) and isinstance(value, dict) and (members := location_members(data_type)):
        if members.keys() >= {COORDINATE_SYSTEM} and value.get(members[COORDINATE_SYSTEM]) != WGS_84:
            raise Refused(Reason.NOT_SUPPORTED, "only locations in WGS 84 (coordinate system 1) are supported")
        parts = [
            None
            if (part := number(value.get(key))) is None
            else in_unit(part, property_unit(data_type.members[key].data_type), _UNITS[role], conversion)
            for role in (LATITUDE, LONGITUDE, ALTITUDE)
            if (key := members.get(role))
        ]
    elif isinstance(data_type, TextType) and isinstance(value, str):
        parts = [number(part.strip(" ")) for part in value.split(",")]
    else:
        parts = []
    location = location_of(parts)
    if location is None:
        raise misfit(value, data_type)
    return location


def location_of(parts: list[float | None]) -> Location | None:
    """Return the location of a latitude, a longitude and an optional altitude, None if they are none."""
    match parts:
        case [float() as latitude, float() as longitude] if abs(latitude) <= 90 and abs(longitude) <= 180:
            return Location(latitude, longitude)
        case [float() as latitude, float() as longitude, float() as altitude] if (
            abs(latitude) <= 90 and abs(longitude) <= 180
        ):
            return Location(latitude, longitude, altitude)
        case _:
            return None


def _fitted(value: float, unit: str | None, data_type: DataType, conversion: Conversion) -> CloudValue:
    value = in_unit(value, unit, property_unit(data_type), conversion)
    return noise_free(value) if isinstance(data_type, FloatType | DoubleType) else rounded_whole(value)
