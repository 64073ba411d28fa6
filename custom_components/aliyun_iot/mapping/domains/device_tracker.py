"""Tracked devices: report only. A few still have an attribute for the battery; the others have a sensor for it."""

from homeassistant.const import ATTR_BATTERY_LEVEL

from ..aspect import Aspect, Domain, Kind
from ..attributes import PERCENT_RANGE, fixed_range, number_of, percent
from ..presence import WHEREABOUTS

BATTERY = Aspect(
    key="battery",
    kind=Kind.NUMBER,
    name_en="Battery level",
    name_zh="电量",
    source=number_of(ATTR_BATTERY_LEVEL),
    supported=lambda state: ATTR_BATTERY_LEVEL in state.attributes,
    range=fixed_range(PERCENT_RANGE),
    unit=percent,
    identifiers=("BatteryPercentage", "Battery", "BatteryLevel"),
)

DOMAIN = Domain(name="device_tracker", aspects=(*WHEREABOUTS, BATTERY))
