"""The action that reads desired values from the cloud (docs/protocol.md §9)."""

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..addressed import DEVICE
from ..alink.device import REPLY_TIMEOUT
from .call import cloud_device_of, listed, misuse, translated_errors

ATTR_IDENTIFIERS = "identifiers"

GET_DESIRED_SCHEMA = vol.Schema(
    {**DEVICE, vol.Optional(ATTR_IDENTIFIERS, default=list): vol.All(cv.ensure_list, [cv.string])}
)


async def get_desired(call: ServiceCall) -> ServiceResponse:
    """Return the cloud's desired values of the given properties, or of all bound properties."""
    device = cloud_device_of(call)
    identifiers: list[str] = call.data[ATTR_IDENTIFIERS] or list(device.bound.by_identifier)
    known = device.model.properties if device.model else None
    if known is not None and (unknown := [identifier for identifier in identifiers if identifier not in known]):
        raise misuse("unknown_property", identifier=", ".join(unknown), known=listed(call, known))
    with translated_errors(call):
        desired = await device.device.get_desired(identifiers, REPLY_TIMEOUT)
    return {identifier: {"value": wanted.value, "version": wanted.version} for identifier, wanted in desired.items()}
