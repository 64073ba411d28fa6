"""Actions of device management: the remote configuration and the shadow (docs/protocol.md §12.2, §12.6)."""

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..addressed import DEVICE
from ..alink.features import Feature
from ..alink.shadow import Shadow
from ..management.fetching import FetchFailed
from ..mapping.validators import whole
from .call import cloud_device_of, failure, misuse, translated_errors

ATTR_CLEAR_DESIRED = "clear_desired"
ATTR_KEYS = "keys"
ATTR_REPORTED = "reported"
ATTR_VERSION = "version"

_VERSION = {vol.Optional(ATTR_VERSION): vol.All(whole, vol.Range(min=-1))}

GET_CONFIG_SCHEMA = vol.Schema(DEVICE)
GET_SHADOW_SCHEMA = vol.Schema(DEVICE)
UPDATE_SHADOW_SCHEMA = vol.Schema(
    {
        **DEVICE,
        vol.Optional(ATTR_REPORTED, default=dict): {cv.string: object},
        vol.Optional(ATTR_CLEAR_DESIRED, default=False): cv.boolean,
        **_VERSION,
    }
)
DELETE_SHADOW_SCHEMA = vol.Schema(
    {**DEVICE, vol.Required(ATTR_KEYS): vol.All(cv.ensure_list, [cv.string], vol.Length(min=1)), **_VERSION}
)


async def get_config(call: ServiceCall) -> ServiceResponse:
    """Return the present remote configuration of the product."""
    with translated_errors(call):
        try:
            config_id, content = await cloud_device_of(call).management.get_config()
        except FetchFailed as err:
            raise failure("not_downloaded", reason=str(err)) from err
    return {"config_id": config_id, "content": content}


async def get_shadow(call: ServiceCall) -> ServiceResponse:
    """Return the shadow."""
    with translated_errors(call):
        document = await (await _shadow(call)).get()
    return {"reported": dict(document.reported), "desired": dict(document.desired), "version": document.version}


async def update_shadow(call: ServiceCall) -> ServiceResponse:
    """Report attributes, and perhaps clear what applications desire, in one message each."""
    reported, clear, version = call.data[ATTR_REPORTED], call.data[ATTR_CLEAR_DESIRED], call.data.get(ATTR_VERSION)
    if not reported and not clear:
        raise misuse("shadow_unchanged")
    with translated_errors(call):
        shadow = await _shadow(call)
        new = await shadow.update(reported, clear_desired=clear, version=version)
    return {"version": new}


async def delete_shadow(call: ServiceCall) -> ServiceResponse:
    """Delete reported attributes."""
    with translated_errors(call):
        new = await (await _shadow(call)).delete(call.data[ATTR_KEYS], version=call.data.get(ATTR_VERSION))
    return {"version": new}


async def _shadow(call: ServiceCall) -> Shadow:
    device = cloud_device_of(call)
    await device.management.use(Feature.SHADOW)
    return device.device.shadow
