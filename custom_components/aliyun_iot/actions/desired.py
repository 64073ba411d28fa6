"""The action that reads what an application in the cloud wants, `docs/protocol.md` §9."""

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..alink.link import REPLY_TIMEOUT
from .call import ENTRY, enumerated, misuse, runtime_of, told_to_the_user

ATTR_IDENTIFIERS = "identifiers"

GET_DESIRED_SCHEMA = vol.Schema(
    {**ENTRY, vol.Optional(ATTR_IDENTIFIERS, default=list): vol.All(cv.ensure_list, [cv.string])}
)


async def get_desired(call: ServiceCall) -> ServiceResponse:
    """Return the desired values of some properties, or of all that are bound, as they are in the cloud."""
    runtime = runtime_of(call)
    identifiers: list[str] = call.data[ATTR_IDENTIFIERS] or list(runtime.bound.by_identifier)
    known = runtime.model.properties if runtime.model else None
    if known is not None and (unknown := [one for one in identifiers if one not in known]):
        raise misuse("unknown_property", identifier=", ".join(unknown), known=enumerated(known))
    with told_to_the_user(call):
        desired = await runtime.link.device.get_desired(identifiers, REPLY_TIMEOUT)
    return {identifier: {"value": one.value, "version": one.version} for identifier, one in desired.items()}
