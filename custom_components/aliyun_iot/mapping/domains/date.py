"""Dates that can be set."""

from collections.abc import Mapping
from datetime import datetime

from homeassistant.components.date.const import SERVICE_SET_VALUE
from homeassistant.const import ATTR_DATE
from homeassistant.core import State

from ..aspect import ActionCall, Domain, Value
from ..clock import DAY, day_aspect, local

NAME = "date"


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    match values.get(DAY):
        case datetime() as value:
            return [ActionCall(NAME, SERVICE_SET_VALUE, {ATTR_DATE: local(value).date().isoformat()})]
    return []


DOMAIN = Domain(name=NAME, aspects=(day_aspect(),), plan=_plan)
