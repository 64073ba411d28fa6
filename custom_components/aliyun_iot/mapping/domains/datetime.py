"""Dates with time that can be set."""

from collections.abc import Mapping
from datetime import datetime

from homeassistant.components.datetime.const import ATTR_DATETIME, SERVICE_SET_VALUE
from homeassistant.core import State

from ..aspect import ActionCall, Domain, Value
from ..clock import MOMENT, local, moment_aspect

NAME = "datetime"


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    match values.get(MOMENT):
        case datetime() as value:
            return [ActionCall(NAME, SERVICE_SET_VALUE, {ATTR_DATETIME: local(value).isoformat()})]
    return []


DOMAIN = Domain(name=NAME, aspects=(moment_aspect(),), plan=_plan)
