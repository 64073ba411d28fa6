"""Values in an action, held to the thing model."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import ServiceCall

from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.datatypes import Field
from ..alink.model.thing_model import Property
from ..mapping.wire import to_wire
from .call import enumerated, misuse


def wire_values(
    call: ServiceCall,
    values: Mapping[str, Any],
    fields: Mapping[str, Property] | Mapping[str, Field] | None,
    unknown: str,
) -> dict[str, JsonValue]:
    """Return values as the thing model wants them, or without one (`fields` is None) as they are.

    Raises ServiceValidationError: `unknown` for what is not among the fields, or what a field takes instead.
    """
    if fields is None:
        return {name: int(value) if isinstance(value, bool) else value for name, value in values.items()}
    return {name: _one(call, name, value, fields, unknown) for name, value in values.items()}


def _one(
    call: ServiceCall, name: str, value: object, fields: Mapping[str, Property] | Mapping[str, Field], unknown: str
) -> JsonValue:
    if name not in fields:
        raise misuse(unknown, identifier=name, known=enumerated(fields))
    try:
        return to_wire(fields[name].data_type, value, name)
    except InvalidValue as err:
        raise misuse("invalid_value", path=err.path, wanted=err.wanted(call.hass.config.language)) from err
