"""Times of day that can be set."""

from collections.abc import Mapping

from homeassistant.components.time.const import SERVICE_SET_VALUE
from homeassistant.const import ATTR_TIME
from homeassistant.core import State

from ..aspect import ActionCall, Domain, Value
from ..clock import TIME, time_aspect, wanted_time

NAME = "time"


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    return [ActionCall(NAME, SERVICE_SET_VALUE, {ATTR_TIME: wanted_time(str(values[TIME]))})]


DOMAIN = Domain(name=NAME, aspects=(time_aspect(),), plan=_plan)
