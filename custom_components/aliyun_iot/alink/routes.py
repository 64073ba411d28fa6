"""The kind of a downlink, which follows from its topic alone (`docs/protocol.md` §3 to §9 and §12)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .topics import LONG_RRPC, REPLY_SUFFIX, Topics, reply_topic

_PROPERTY_SERVICES: Final = ("property/set", "property/get")


class RouteKind(StrEnum):
    """The kinds of downlinks."""

    PROPERTY_SET = "property_set"
    PROPERTY_GET = "property_get"
    SERVICE = "service"
    RRPC = "rrpc"
    SYNC_SERVICE = "sync_service"
    RAW_DOWN = "raw_down"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Route:
    """The meaning of an incoming topic.

    `identifier` is the service called (in the long form of RRPC also `property/set` and `property/get`), or the part of a user
    topic after `user/`. `reply_to` is the topic for the answer, and `message_id` the id that an RRPC has in its topic. Each
    is None where the kind has none.
    """

    kind: RouteKind
    identifier: str | None = None
    reply_to: str | None = None
    message_id: str | None = None


def route(topics: Topics, topic: str) -> Route | None:
    """Return the route of a message on `topic`, None when it is not a downlink to this device."""
    if topic.startswith(LONG_RRPC):
        message_id, slash, called = topic.removeprefix(LONG_RRPC).partition("/")
        return _long_rrpc(topics, topic, message_id, slash + called) if message_id else None
    if topic.startswith(topics.users):
        suffix = topic.removeprefix(topics.users)
        return Route(RouteKind.USER, suffix) if suffix else None
    if topic.startswith(topics.system):
        return _system(topics, topic)
    return None


def _system(topics: Topics, topic: str) -> Route | None:
    match topic.removeprefix(topics.system).split("/"):
        case ["thing", "service", "property", "set"]:
            return Route(RouteKind.PROPERTY_SET, reply_to=reply_topic(topic))
        case ["thing", "service", "property", "get"]:
            return Route(RouteKind.PROPERTY_GET, reply_to=reply_topic(topic))
        case ["thing", "service", identifier] if _is_service(identifier):
            return Route(RouteKind.SERVICE, identifier, reply_topic(topic))
        case ["thing", "model", "down_raw"]:
            return Route(RouteKind.RAW_DOWN, reply_to=topics.raw_down_reply)
        case ["rrpc", "request", message_id] if message_id:
            return Route(RouteKind.RRPC, reply_to=f"{topics.system}rrpc/response/{message_id}", message_id=message_id)
    return None


def _long_rrpc(topics: Topics, topic: str, message_id: str, called: str) -> Route | None:
    """Route a call on the topic `called` of this device; the answer goes to the topic of the request."""
    if called == topics.raw_down:
        return Route(RouteKind.RAW_DOWN, None, topic, message_id)
    if suffix := _behind(topics.users, called):
        return Route(RouteKind.USER, suffix, topic, message_id)
    identifier = _behind(f"{topics.system}thing/service/", called)
    if identifier in _PROPERTY_SERVICES or _is_service(identifier):
        return Route(RouteKind.SYNC_SERVICE, identifier, topic, message_id)
    return None


def _behind(prefix: str, topic: str) -> str:
    return topic.removeprefix(prefix) if topic.startswith(prefix) else ""


def _is_service(level: str) -> bool:
    """Return whether a level names a service and not the device's own answer.

    A plain MQTT broker returns an answer to the device, since `thing/service/+` matches it as well. Answering it would never
    end.
    """
    return bool(level) and "/" not in level and not level.endswith(REPLY_SUFFIX)
