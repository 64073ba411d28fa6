"""Subscriptions: which filters a device needs, and how they are set on a connection (`docs/protocol.md` §0.5)."""

import asyncio
from collections.abc import Collection, Iterable
from itertools import batched, islice
from typing import Final

from .errors import RequestTimeout
from .features import Feature, feature_filters
from .foreign import logger_of
from .mqtt.transport import MqttConnection
from .topics import Topics, long_rrpc_filter, reply_topic

_LOGGER = logger_of(__name__)

SUBSCRIPTION_LIMIT: Final = 100
"""Subscriptions that the platform allows one device."""

FILTERS_PER_PACKET: Final = 8
"""Filters that the platform accepts in one SUBSCRIBE."""

USER_TOPIC_LIMIT: Final = 30
"""User topics at once: each needs two subscriptions, and some must be left for services."""

SUBSCRIBE_TIMEOUT = 10.0


def filters_for(
    topics: Topics,
    services: Iterable[str] = (),
    user_topics: Iterable[str] = (),
    features: Iterable[Feature] = (),
    others: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return every topic filter the device needs, the required ones first; `others` are those that it needs besides.

    `services` are the known identifiers. Each has its own filters, in both forms, because not every host accepts a wildcard
    for the service. The wildcard is subscribed as well, so that calls of unknown services can be answered, and those of
    services beyond the platform's limit are received.

    `features` are those of device management in use. `user_topics` are suffixes as for `Topics.user_filters`. Raises
    `ValueError` for a suffix that is not a topic, for more of them than `USER_TOPIC_LIMIT`, and for an identifier that is not
    a level of a topic.
    """
    wanted = user_filters(topics, user_topics)
    any_service = topics.service_filter
    required = (
        topics.property_set,
        reply_topic(topics.property_post),
        topics.event_reply_filter,
        topics.rrpc_request_filter,
        long_rrpc_filter(any_service),
        topics.property_get,
        any_service,
        reply_topic(topics.dsltemplate_get),
        reply_topic(topics.desired_get),
        reply_topic(topics.desired_delete),
        reply_topic(topics.property_batch_post),
        reply_topic(topics.property_history_post),
        topics.raw_down,
        topics.raw_up_reply,
        long_rrpc_filter(topics.raw_down),
        topics.ntp_response,
        *(topic_filter for feature in features for topic_filter in feature_filters(topics, feature)),
        *wanted,
        *others,
    )
    known = (topics.service(identifier) for identifier in dict.fromkeys(services))
    both_forms = (topic_filter for service in known for topic_filter in (service, long_rrpc_filter(service)))
    return (*required, *islice(both_forms, SUBSCRIPTION_LIMIT - len(required)))


def user_filters(topics: Topics, suffixes: Iterable[str]) -> tuple[str, ...]:
    """Return the filters of user topics; raises `ValueError` as `filters_for`."""
    wanted = tuple(dict.fromkeys(suffixes))
    if len(wanted) > USER_TOPIC_LIMIT:
        raise ValueError(f"{len(wanted)} user topics are more than the {USER_TOPIC_LIMIT} that can be listened to")
    return tuple(topic_filter for suffix in wanted for topic_filter in topics.user_filters(suffix))


def missing_filters(
    topics: Topics, services: Iterable[str], held: Collection[str], *, events: bool, rrpc: bool = True
) -> tuple[str, ...]:
    """Return filters without which a device does not work, where no filter that is `held` does the same.

    They are for property sets, for replies to reports (with `events` to events as well), and for calls of the known services in
    both forms, of which a host without `rrpc` has one.
    """
    any_service = topics.service_filter
    needs = [(topics.property_set,), (reply_topic(topics.property_post), topics.event_reply_filter)]
    if events:
        needs.append((topics.event_reply_filter,))
    for service in map(topics.service, services):
        needs.append((service, any_service))
        if rrpc:
            needs.append((topics.rrpc_request_filter, long_rrpc_filter(service), long_rrpc_filter(any_service)))
    return tuple(dict.fromkeys(ways[0] for ways in needs if not any(way in held for way in ways)))


class Subscriber:
    """The subscriptions of one connection."""

    def __init__(self, connection: MqttConnection) -> None:
        """Start without any."""
        self.refused: frozenset[str] = frozenset()
        """The filters that the cloud has refused."""
        self._connection = connection
        self._acknowledged: frozenset[str] = frozenset()
        self._in_turn = asyncio.Lock()

    async def hold(self, filters: Iterable[str], ended: Collection[str] = ()) -> None:
        """Subscribe and unsubscribe so that exactly `filters` are left.

        Those that have `ended` before are made again; see `forget`.

        A filter that was refused is not tried again on this connection. Raises NotConnected or RequestTimeout; then a part
        may have been done, and the next call does the rest.
        """
        async with self._in_turn:
            self.forget(ended)  # an earlier call may have been about to make them
            wanted = dict.fromkeys(filters)
            # Unsubscribe first, or there might be too many.
            for packet in batched(self._acknowledged - wanted.keys(), FILTERS_PER_PACKET, strict=False):
                await self._unsubscribe(packet)
            missing = [topic_filter for topic_filter in wanted if topic_filter not in self._acknowledged]
            for packet in batched(missing, FILTERS_PER_PACKET, strict=False):
                await self._subscribe(packet)

    def forget(self, filters: Collection[str]) -> None:
        """Note that subscriptions have ended without UNSUBSCRIBE: those of a sub-device end with its login."""
        self._acknowledged -= frozenset(filters)
        self.refused -= frozenset(filters)

    async def _subscribe(self, packet: tuple[str, ...]) -> None:
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                refused = await self._connection.subscribe(packet)
        except TimeoutError:
            raise RequestTimeout("the cloud does not acknowledge subscriptions") from None
        self._acknowledged |= frozenset(packet)
        self.refused |= frozenset(refused)
        if refused:
            # Some instances refuse wildcards; replies and the services of the thing model have filters without one.
            _LOGGER.debug("The cloud refused the subscriptions %s", ", ".join(refused))

    async def _unsubscribe(self, packet: tuple[str, ...]) -> None:
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                await self._connection.unsubscribe(packet)
        except TimeoutError:
            raise RequestTimeout("the cloud does not acknowledge that subscriptions end") from None
        self._acknowledged -= frozenset(packet)
        self.refused -= frozenset(packet)
