"""Numbers, within the entity's limits."""

from collections.abc import Mapping

from homeassistant.components.number.const import (
    ATTR_MAX,
    ATTR_MIN,
    ATTR_STEP,
    ATTR_VALUE,
    SERVICE_SET_VALUE,
    NumberDeviceClass,
)

from ..aspect import ActionCall, Aspect, Domain, Kind, Value, WholeState
from ..attributes import number, own_unit, range_of

VALUE = "value"


def set_value(domain: str, values: Mapping[str, Value]) -> list[ActionCall]:
    """Return the action that sets the number."""
    return [ActionCall(domain, SERVICE_SET_VALUE, {ATTR_VALUE: values[VALUE]})]


def number_domain(name: str) -> Domain:
    """Return a domain whose entities hold one number; `number` and `input_number` differ only in their name."""
    value = Aspect(
        key=VALUE,
        kind=Kind.NUMBER,
        name_en="Value",
        name_zh="数值",
        source=WholeState(lambda state: number(state.state)),
        writable=True,
        range=range_of(ATTR_MIN, ATTR_MAX, ATTR_STEP),
        unit=own_unit,
        class_identifiers={
            NumberDeviceClass.HUMIDITY: ("TargetHumidity",),
            NumberDeviceClass.TEMPERATURE: ("TargetTemperature",),
        },
    )
    return Domain(name=name, aspects=(value,), plan=lambda _, values: set_value(name, values))


DOMAIN = number_domain("number")
