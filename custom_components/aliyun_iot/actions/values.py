"""Values in the data of an action, converted by the thing model."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import ServiceCall

from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.datatypes import Field
from ..alink.model.thing_model import Property
from ..mapping.wire import to_wire, untyped_to_wire
from .call import listed, misuse


def wire_values(
    call: ServiceCall,
    values: Mapping[str, Any],
    fields: Mapping[str, Property] | Mapping[str, Field] | None,
    unknown: str,
) -> dict[str, JsonValue]:
    """Return values in the form that the thing model defines; without one (`fields` is None) as `untyped_to_wire` does.

    Raises ServiceValidationError for an unknown field, with the translation key `unknown`, and for an invalid value.
    """
    if fields is None:
        return {name: untyped_to_wire(value) for name, value in values.items()}
    return {name: _wire_value(call, name, value, fields, unknown) for name, value in values.items()}


def _wire_value(
    call: ServiceCall, name: str, value: object, fields: Mapping[str, Property] | Mapping[str, Field], unknown: str
) -> JsonValue:
    if name not in fields:
        raise misuse(unknown, identifier=name, known=listed(call, fields))
    try:
        return to_wire(fields[name].data_type, value, name)
    except InvalidValue as err:
        raise misuse("invalid_value", path=err.path, wanted=err.wanted(call.hass.config.language)) from err
