"""Places: the standard structure `GeoLocation`, or text like `31.2304,121.4737` (latitude first).

`GeoLocation` has the members Longitude, Latitude, Altitude and CoordinateSystem (1 is WGS 84, which is what Home Assistant
has; 2 is GCJ-02, the shifted system of Chinese maps, which is refused rather than passed on as if it were the same). A
property's structure must come complete, so an altitude that nobody knows is 0, as phones send it too.
"""

from collections.abc import Mapping

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
from ..aspect import Location, Reason, Refused
from ..attributes import number
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
_UNKNOWN_ALTITUDE = 0.0


def location_members(data_type: StructType) -> Mapping[str, str] | None:
    """Return the identifiers of the members by what they hold; None if it is not the structure of a place."""
    members: dict[str, str] = {}
    for key, member in data_type.members.items():
        role = _MEMBERS.get(key.casefold().replace("_", ""))
        fitting = EnumType | IntType if role == COORDINATE_SYSTEM else IntType | FloatType | DoubleType
        if role is None or role in members or not isinstance(member.data_type, fitting):
            return None
        members[role] = key
    return members if {LONGITUDE, LATITUDE} <= members.keys() else None


def location_to_cloud(place: Location, data_type: DataType) -> CloudValue:
    """Return a place as a structure or as text."""
    if not isinstance(data_type, StructType):
        return text_to_cloud(f"{plain(place.latitude)},{plain(place.longitude)}", data_type)
    members = location_members(data_type)
    if members is None:
        raise misfit(place, data_type)
    values: dict[str, float] = {
        LONGITUDE: place.longitude,
        LATITUDE: place.latitude,
        ALTITUDE: _UNKNOWN_ALTITUDE if place.altitude is None else place.altitude,
        COORDINATE_SYSTEM: WGS_84,
    }
    return {key: _fitted(values[role], data_type.members[key].data_type) for role, key in members.items()}


def location_to_ha(value: CloudValue, data_type: DataType) -> Location:
    """Return the place that a structure or text names."""
    if isinstance(data_type, StructType) and isinstance(value, dict) and (members := location_members(data_type)):
        if members.keys() >= {COORDINATE_SYSTEM} and value.get(members[COORDINATE_SYSTEM]) != WGS_84:
            raise Refused(Reason.NOT_SUPPORTED, "only places in WGS 84 (coordinate system 1) are understood")
        parts = [number(value.get(members[role])) for role in (LATITUDE, LONGITUDE, ALTITUDE) if role in members]
    elif isinstance(data_type, TextType) and isinstance(value, str):
        parts = [number(part) for part in value.split(",")]
    else:
        parts = []
    place = location_of(parts)
    if place is None:
        raise misfit(value, data_type)
    return place


def location_of(parts: list[float | None]) -> Location | None:
    """Return the place of a latitude, a longitude and perhaps an altitude."""
    match parts:
        case [float() as latitude, float() as longitude] if abs(latitude) <= 90 and abs(longitude) <= 180:
            return Location(latitude, longitude)
        case [float() as latitude, float() as longitude, float() as altitude] if (
            abs(latitude) <= 90 and abs(longitude) <= 180
        ):
            return Location(latitude, longitude, altitude)
        case _:
            return None


def _fitted(value: float, data_type: DataType) -> CloudValue:
    return float(value) if isinstance(data_type, FloatType | DoubleType) else round(value)
