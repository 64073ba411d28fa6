"""Where a person or a tracked device is: at home or not, the zone, and the coordinates.

The coordinates are private: they are never suggested, and bound only when the user picks them.
"""

from homeassistant.const import (
    ATTR_GPS_ACCURACY,
    ATTR_LATITUDE,
    ATTR_LONGITUDE,
    STATE_HOME,
    UnitOfLength,
)
from homeassistant.core import State

from .aspect import Aspect, FromAttributes, Kind, Location
from .attributes import has_attribute, number, number_of, text, texts, unless_default
from .says import AT_HOME

IN_ZONES = "in_zones"


@FromAttributes
def _location(state: State) -> Location | None:
    latitude, longitude = (number(state.attributes.get(name)) for name in (ATTR_LATITUDE, ATTR_LONGITUDE))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Location(latitude, longitude)


@FromAttributes
def _zones(state: State) -> str | None:
    zones = state.attributes.get(IN_ZONES)
    return ", ".join(texts(zones)) if isinstance(zones, list | tuple) else None


WHEREABOUTS = (
    Aspect(
        key="home",
        kind=Kind.BOOL,
        name_en="At home",
        name_zh="在家",
        source=lambda state: state.state == STATE_HOME,
        words=("away", "home"),
        says=AT_HOME,
        identifiers=("AtHome", "PresenceState"),
    ),
    Aspect(
        key="zone",
        kind=Kind.TEXT,
        name_en="Zone",
        name_zh="区域",
        source=lambda state: text(state.state),
        identifiers=("Zone",),
    ),
    Aspect(
        key=IN_ZONES,
        kind=Kind.TEXT,
        name_en="All zones",
        name_zh="所在的全部区域",
        source=unless_default(_zones, ""),
        supported=has_attribute(IN_ZONES),
        alternative=True,
        identifiers=("InZones",),
    ),
    Aspect(
        key="location",
        kind=Kind.LOCATION,
        name_en="Location",
        name_zh="地理位置",
        source=_location,
        private=True,
        identifiers=("GeoLocation", "Location"),
    ),
    Aspect(
        key="accuracy",
        kind=Kind.NUMBER,
        name_en="Location accuracy",
        name_zh="定位精度",
        source=number_of(ATTR_GPS_ACCURACY),
        unit=lambda _: UnitOfLength.METERS,
        private=True,
        identifiers=("LocationAccuracy",),
    ),
)
"""`zone` is the name of the smallest zone, `home` or `not_home`. `in_zones` are the entity ids of all zones, the smallest
first, also of passive ones; it is empty outside all zones. `accuracy` is the radius of uncertainty."""
