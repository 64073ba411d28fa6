"""Registration of the actions that send to the cloud or answer its commands."""

from homeassistant.core import HomeAssistant, SupportsResponse, callback

from .actions.desired import GET_DESIRED_SCHEMA, get_desired
from .actions.management import (
    DELETE_SHADOW_SCHEMA,
    GET_CONFIG_SCHEMA,
    GET_SHADOW_SCHEMA,
    UPDATE_SHADOW_SCHEMA,
    delete_shadow,
    get_config,
    get_shadow,
    update_shadow,
)
from .actions.messages import PUBLISH_SCHEMA, SEND_RAW_SCHEMA, publish, send_raw
from .actions.post import (
    POST_EVENT_SCHEMA,
    POST_PROPERTIES_SCHEMA,
    REQUEST_SYNC_SCHEMA,
    post_event,
    post_properties,
    request_sync,
)
from .actions.reply import REPLY_SCHEMA, reply
from .const import DOMAIN

_ACTIONS = (
    ("delete_shadow", delete_shadow, DELETE_SHADOW_SCHEMA, SupportsResponse.OPTIONAL),
    ("get_config", get_config, GET_CONFIG_SCHEMA, SupportsResponse.ONLY),
    ("get_desired", get_desired, GET_DESIRED_SCHEMA, SupportsResponse.ONLY),
    ("get_shadow", get_shadow, GET_SHADOW_SCHEMA, SupportsResponse.ONLY),
    ("post_event", post_event, POST_EVENT_SCHEMA, SupportsResponse.OPTIONAL),
    ("post_properties", post_properties, POST_PROPERTIES_SCHEMA, SupportsResponse.OPTIONAL),
    ("publish", publish, PUBLISH_SCHEMA, SupportsResponse.NONE),
    ("reply", reply, REPLY_SCHEMA, SupportsResponse.NONE),
    ("request_sync", request_sync, REQUEST_SYNC_SCHEMA, SupportsResponse.OPTIONAL),
    ("send_raw", send_raw, SEND_RAW_SCHEMA, SupportsResponse.NONE),
    ("update_shadow", update_shadow, UPDATE_SHADOW_SCHEMA, SupportsResponse.OPTIONAL),
)


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Register all actions."""
    for name, action, schema, supports_response in _ACTIONS:
        hass.services.async_register(DOMAIN, name, action, schema, supports_response=supports_response)
