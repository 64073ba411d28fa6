"""Device management: its features, and what the cloud sends on its own for each (`docs/protocol.md` §12).

A feature costs nothing while it is not in use: a device subscribes to its topics only then.
"""

from enum import StrEnum

from .cloud_log import LogMode, read_log_mode
from .messages import decode_document, decode_request
from .ota import Upgrade, read_upgrade
from .remote_config import RemoteConfig, read_config
from .shadow import ShadowDocument
from .topics import Topics, reply_topic

type Notice = RemoteConfig | LogMode | Upgrade | ShadowDocument
"""What the cloud sends without being asked."""


class Feature(StrEnum):
    """A feature of device management."""

    TAGS = "tags"
    REMOTE_CONFIG = "remote_config"
    UPGRADES = "upgrades"
    CLOUD_LOG = "cloud_log"
    SHADOW = "shadow"


def feature_filters(topics: Topics, feature: Feature) -> tuple[str, ...]:
    """Return the topic filters that a feature needs."""
    match feature:
        case Feature.TAGS:
            return reply_topic(topics.tags_update), reply_topic(topics.tags_delete)
        case Feature.REMOTE_CONFIG:
            return topics.config_push, reply_topic(topics.config_get)
        case Feature.UPGRADES:
            return topics.upgrade, reply_topic(topics.upgrade_get)
        case Feature.CLOUD_LOG:
            return topics.log_config_push, reply_topic(topics.log_config_get), reply_topic(topics.log_post)
        case Feature.SHADOW:
            return (topics.shadow_get,)


def read_notice(topics: Topics, topic: str, payload: bytes) -> tuple[Notice, str | None] | None:
    """Return what the cloud says on a topic of device management, and the id to acknowledge if it expects that.

    None for another topic. Shadows are read by `shadow.Shadow`. Raises MessageError.
    """
    if topic == topics.config_push:
        request = decode_request(payload)
        return read_config(request.params), request.id
    if topic == topics.log_config_push:
        request = decode_request(payload)
        return read_log_mode(request.params), None
    if topic == topics.upgrade:
        return read_upgrade(decode_document(payload).get("data")), None
    return None
