"""The units of a script's fields: what a service of the thing model hands to a script is converted into them."""

from collections.abc import Iterator, Mapping

from homeassistant.components.script import DOMAIN as SCRIPT_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.service import async_get_cached_service_description

from ..alink.model.datatypes import DoubleType, Field, FloatType, IntType
from ..mapping.aspect import Refused
from ..mapping.binding import NO_CONVERSION
from ..mapping.scaling import in_unit, noise_free


@callback
def in_script_units(
    hass: HomeAssistant, action: str, fields: Mapping[str, Field], variables: Mapping[str, object]
) -> dict[str, object]:
    """Return the input of a service in the units that the fields of the script have in their selectors.

    Where the thing model or the script has no unit, nothing is converted. Raises ServiceValidationError, with the name of the
    parameter, if the units can't be converted.
    """
    values = dict(variables)
    for name, unit in _units(hass, action):
        data_type = fields[name].data_type if name in fields else None
        value = values.get(name)
        if isinstance(data_type, IntType | FloatType | DoubleType) and isinstance(value, int | float):
            if not data_type.unit or data_type.unit == unit:
                continue
            try:
                values[name] = noise_free(in_unit(value, data_type.unit, unit, NO_CONVERSION))
            except Refused as err:
                raise ServiceValidationError(f"{name}: {data_type.unit} can't be converted to {unit}") from err
    return values


def _units(hass: HomeAssistant, action: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a script that have a unit."""
    description = async_get_cached_service_description(hass, SCRIPT_DOMAIN, action) or {}
    for name, field in description.get("fields", {}).items():
        match field:
            case {"selector": {"number": {"unit_of_measurement": str(unit)}} | {"color_temp": {"unit": str(unit)}}}:
                yield name, unit
