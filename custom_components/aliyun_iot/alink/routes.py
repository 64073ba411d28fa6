"""What an incoming message is, judged by its topic alone (`docs/protocol.md` §3 to §9 and §12)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .topics import LONG_RRPC, Topics, is_reply, reply_topic

_PROPERTY_SERVICES: Final = ("property/set", "property/get")


class RouteKind(StrEnum):
    """The kinds of messages that the cloud sends."""

    REPLY = "reply"
    PROPERTY_SET = "property_set"
    PROPERTY_GET = "property_get"
    SERVICE = "service"
    RRPC = "rrpc"
    SYNC_SERVICE = "sync_service"
    RAW_DOWN = "raw_down"
    RAW_UP_REPLY = "raw_up_reply"
    USER = "user"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Route:
    """The meaning of an incoming topic.

    `identifier` is the service called (in the long form of RRPC also `property/set` and `property/get`), for a user topic
    what stands behind `user/`. `reply_to` is the topic an answer goes to, and `message_id` the id that an RRPC carries in
    its topic. Each is None where the kind has none.
    """

    kind: RouteKind
    identifier: str | None = None
    reply_to: str | None = None
    message_id: str | None = None


def route(topics: Topics, topic: str) -> Route | None:
    """Say what a message on `topic` is, or None when it is none of this device's business."""
    if topic.startswith(LONG_RRPC):
        message_id, slash, called = topic.removeprefix(LONG_RRPC).partition("/")
        return _long_rrpc(topics, topic, message_id, slash + called) if message_id else None
    if topic.startswith(topics.users):
        suffix = topic.removeprefix(topics.users)
        return Route(RouteKind.USER, suffix) if suffix else None
    if topic == topics.ntp_response:
        return Route(RouteKind.TIME)
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
        case ["thing", "service", *_]:
            return None
        case ["thing", "model", "down_raw"]:
            return Route(RouteKind.RAW_DOWN, reply_to=topics.raw_down_reply)
        case ["thing", "model", "up_raw_reply"]:
            return Route(RouteKind.RAW_UP_REPLY)
        case ["thing", _, *_, last] if is_reply(last):
            return Route(RouteKind.REPLY)
        case ["rrpc", "request", message_id] if message_id:
            return Route(RouteKind.RRPC, reply_to=f"{topics.system}rrpc/response/{message_id}", message_id=message_id)
    return None


def _long_rrpc(topics: Topics, topic: str, message_id: str, called: str) -> Route | None:
    """Route a call on the topic `called` of this device; the answer goes to the very topic of the request."""
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
    """Tell a service from the device's own answer.

    A plain MQTT broker sends an answer back to its author, since `thing/service/+` matches it too; answering the answer
    would never end.
    """
    return bool(level) and "/" not in level and not is_reply(level)
