"""The topics of one device, and what an incoming topic means: `docs/protocol.md` §3 to §9 and §16."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

SUBSCRIPTION_LIMIT: Final = 100
"""Subscriptions that the platform allows one device (`docs/protocol.md` §0.5)."""

_REPLY_SUFFIX: Final = "_reply"
_PROPERTY_SERVICES: Final = ("property/set", "property/get")


class RouteKind(StrEnum):
    """What a message from the cloud is, judged by its topic alone."""

    REPLY = "reply"
    PROPERTY_SET = "property_set"
    PROPERTY_GET = "property_get"
    SERVICE = "service"
    RRPC = "rrpc"
    SYNC_SERVICE = "sync_service"
    RAW_DOWN = "raw_down"
    RAW_UP_REPLY = "raw_up_reply"


@dataclass(frozen=True, slots=True)
class Route:
    """The meaning of an incoming topic.

    `identifier` is the service called (in the long form of RRPC also `property/set` and `property/get`), `reply_to` the topic
    an answer goes to, and `message_id` the id that an RRPC carries in its topic; each is None where the kind has none.
    """

    kind: RouteKind
    identifier: str | None = None
    reply_to: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics of one device."""

    product_key: str
    device_name: str

    @property
    def property_post(self) -> str:
        """Report current property values (up)."""
        return self._thing("event/property/post")

    @property
    def property_batch_post(self) -> str:
        """Report several samples of each property at once (up)."""
        return self._thing("event/property/batch/post")

    @property
    def property_history_post(self) -> str:
        """Report samples of the past, which leave the current value alone (up)."""
        return self._thing("event/property/history/post")

    def event_post(self, identifier: str) -> str:
        """Return where an event is reported (up).

        Raises `ValueError` for an identifier that would end up on another topic.
        """
        if identifier == "property":
            raise ValueError("'property' is not the identifier of an event")
        return self._thing(f"event/{_level(identifier)}/post")

    @property
    def desired_get(self) -> str:
        """Ask for desired property values (up)."""
        return self._thing("property/desired/get")

    @property
    def desired_delete(self) -> str:
        """Clear desired property values (up)."""
        return self._thing("property/desired/delete")

    @property
    def dsltemplate_get(self) -> str:
        """Ask for the thing model (up)."""
        return self._thing("dsltemplate/get")

    @property
    def raw_up(self) -> str:
        """Send a raw frame (up)."""
        return self._thing("model/up_raw")

    @property
    def raw_up_reply(self) -> str:
        """The cloud's answer to a raw frame (down)."""
        return reply_topic(self.raw_up)

    @property
    def raw_down(self) -> str:
        """A raw frame from the cloud (down)."""
        return self._thing("model/down_raw")

    @property
    def raw_down_reply(self) -> str:
        """The device's answer to a raw frame (up)."""
        return reply_topic(self.raw_down)

    @property
    def property_set(self) -> str:
        """The cloud sets properties (down)."""
        return self._thing("service/property/set")

    @property
    def property_get(self) -> str:
        """The cloud asks for properties (down)."""
        return self._thing("service/property/get")

    def service(self, identifier: str) -> str:
        """Return where the cloud calls an asynchronous service (down).

        Raises `ValueError` for an identifier that would end up on another topic.
        """
        return self._thing(f"service/{_level(identifier)}")

    @property
    def rrpc_request_filter(self) -> str:
        """All synchronous calls in the short form (down)."""
        return f"{self._sys}/rrpc/request/+"

    @property
    def sync_service_filter(self) -> str:
        """All synchronous service calls in the long form, used when the client id declares `ext` bit 0 (down)."""
        return f"/ext/rrpc/+{self._thing('service/+')}"

    @property
    def sync_raw_filter(self) -> str:
        """All synchronous raw frames, also in the long form (down)."""
        return f"/ext/rrpc/+{self.raw_down}"

    def subscriptions(self, services: Iterable[str] = ()) -> tuple[str, ...]:
        """Return every topic filter the device needs, the indispensable first.

        `services` are the identifiers that are known. They are named one by one because not every host takes a wildcard in
        place of a service; the wildcard stands beside them so that calls of unknown services can be answered as well. What
        would exceed the platform's limit is left to the wildcard.
        """
        fixed = (
            self.property_set,
            self._thing("event/+/post_reply"),
            self.rrpc_request_filter,
            self.sync_service_filter,
            self.property_get,
            self._thing("service/+"),
            reply_topic(self.dsltemplate_get),
            reply_topic(self.desired_get),
            reply_topic(self.desired_delete),
            reply_topic(self.property_batch_post),
            reply_topic(self.property_history_post),
            self.raw_down,
            self.raw_up_reply,
            self.sync_raw_filter,
        )
        known = (self.service(identifier) for identifier in dict.fromkeys(services))
        return (*fixed, *islice(known, SUBSCRIPTION_LIMIT - len(fixed)))

    def route(self, topic: str) -> Route | None:
        """Say what a message on `topic` is, or None when it is none of this device's business."""
        if topic.startswith("/ext/rrpc/"):
            return self._route_long_rrpc(topic)
        if not topic.startswith(f"{self._sys}/"):
            return None

        match topic.removeprefix(f"{self._sys}/").split("/"):
            case ["thing", "service", "property", "set"]:
                return Route(RouteKind.PROPERTY_SET, reply_to=reply_topic(topic))
            case ["thing", "service", "property", "get"]:
                return Route(RouteKind.PROPERTY_GET, reply_to=reply_topic(topic))
            case ["thing", "service", identifier] if _is_service(identifier):
                return Route(RouteKind.SERVICE, identifier, reply_topic(topic))
            case ["thing", "service", *_]:
                return None
            case ["thing", "model", "down_raw"]:
                return Route(RouteKind.RAW_DOWN, reply_to=self.raw_down_reply)
            case ["thing", "model", "up_raw_reply"]:
                return Route(RouteKind.RAW_UP_REPLY)
            case ["thing", _, *_, last] if last.endswith(_REPLY_SUFFIX):
                return Route(RouteKind.REPLY)
            case ["rrpc", "request", message_id] if message_id:
                return Route(RouteKind.RRPC, reply_to=f"{self._sys}/rrpc/response/{message_id}", message_id=message_id)
        return None

    def _route_long_rrpc(self, topic: str) -> Route | None:
        """Route `/ext/rrpc/{messageId}{topic of this device}`; the answer goes to the very topic of the request."""
        message_id, slash, inner = topic.removeprefix("/ext/rrpc/").partition("/")
        inner = slash + inner
        if not message_id:
            return None
        if inner == self.raw_down:
            return Route(RouteKind.RAW_DOWN, reply_to=topic, message_id=message_id)
        prefix = self._thing("service/")
        identifier = inner.removeprefix(prefix)
        if inner.startswith(prefix) and (identifier in _PROPERTY_SERVICES or _is_service(identifier)):
            return Route(RouteKind.SYNC_SERVICE, identifier, topic, message_id)
        return None

    @property
    def _sys(self) -> str:
        return f"/sys/{self.product_key}/{self.device_name}"

    def _thing(self, rest: str) -> str:
        return f"{self._sys}/thing/{rest}"


def reply_topic(topic: str) -> str:
    """Return the topic on which a request on `topic` is answered (`docs/protocol.md` §0.4)."""
    return topic + _REPLY_SUFFIX


def _level(identifier: str) -> str:
    """Refuse an identifier that is not exactly one level of a topic."""
    if not identifier or not {"/", "+", "#", "\0"}.isdisjoint(identifier):
        raise ValueError(f"{identifier!r} can't be a level of a topic")
    return identifier


def _is_service(level: str) -> bool:
    """Tell a service from the device's own answer.

    A plain MQTT broker sends an answer back to its author, since `thing/service/+` matches it too; answering the answer
    would never end.
    """
    return bool(level) and "/" not in level and not level.endswith(_REPLY_SUFFIX)
