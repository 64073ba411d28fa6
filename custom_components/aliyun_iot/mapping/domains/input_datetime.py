"""Date and time helpers: a day, a time of day or both, depending on the helper.

The state of a helper with both is local time without a time zone, which is ambiguous in the hour when summer time ends.
So the attribute `timestamp` is read and set instead.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from homeassistant.components.input_datetime import ATTR_TIMESTAMP
from homeassistant.components.input_datetime.const import InputDatetimeEntityCapabilityAttribute as Capability
from homeassistant.const import ATTR_DATE, ATTR_TIME
from homeassistant.core import State
from homeassistant.util import dt as dt_util

from ..aspect import ActionCall, Domain, FromAttributes, Value
from ..attributes import number
from ..clock import DAY, MOMENT, TIME, day_aspect, local, moment_aspect, time_aspect, wanted_time

NAME = "input_datetime"
SET_DATETIME = "set_datetime"
"""Home Assistant has no constant for this action."""


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    data: dict[str, object] = {}
    if isinstance(value := values.get(DAY), datetime):
        data[ATTR_DATE] = local(value).date().isoformat()
    elif isinstance(value := values.get(MOMENT), datetime):
        data[ATTR_TIMESTAMP] = local(value).timestamp()
    else:
        data[ATTR_TIME] = wanted_time(str(values[TIME]))
    return [ActionCall(NAME, SET_DATETIME, data)]


def _has(*, date: bool, time: bool) -> Callable[[State], bool]:
    def test(state: State) -> bool:
        parts = (state.attributes.get(Capability.HAS_DATE), state.attributes.get(Capability.HAS_TIME))
        return (parts[0] is True, parts[1] is True) == (date, time)

    return test


@FromAttributes
def _moment(state: State) -> datetime | None:
    timestamp = number(state.attributes.get(ATTR_TIMESTAMP))
    try:
        return None if timestamp is None else dt_util.utc_from_timestamp(timestamp)
    except ValueError, OverflowError, OSError:  # outside the calendar
        return None


DOMAIN = Domain(
    name=NAME,
    aspects=(
        moment_aspect(source=_moment, supported=_has(date=True, time=True)),
        day_aspect(supported=_has(date=True, time=False)),
        time_aspect(supported=_has(date=False, time=True)),
    ),
    plan=_plan,
)
