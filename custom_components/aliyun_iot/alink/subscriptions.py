"""What the device listens to: which filters, and how one connection comes to hold them (`docs/protocol.md` §0.5)."""

import asyncio
from collections.abc import Iterable
from itertools import batched, islice
import logging
from typing import Final

from .errors import RequestTimeout
from .mqtt.transport import MqttConnection
from .topics import Topics, long_rrpc_filter, reply_topic

_LOGGER = logging.getLogger(__name__)

SUBSCRIPTION_LIMIT: Final = 100
"""Subscriptions that the platform allows one device."""

FILTERS_PER_PACKET: Final = 8
"""What the platform takes in one SUBSCRIBE."""

USER_TOPIC_LIMIT: Final = 30
"""User topics to listen to at once: each takes two subscriptions, and some are to be left for services."""

SUBSCRIBE_TIMEOUT = 10.0


def filters_for(topics: Topics, services: Iterable[str] = (), user_topics: Iterable[str] = ()) -> tuple[str, ...]:
    """Return every topic filter the device needs, the indispensable first.

    `services` are the identifiers that are known. They are named one by one, in both forms, because not every host takes a
    wildcard in place of a service; the wildcard stands beside them so that calls of unknown services can be answered as
    well. What would exceed the platform's limit is left to the wildcard.

    `user_topics` are suffixes as `Topics.user_filters` takes them. Raises `ValueError` for one that is no topic, for more of
    them than `USER_TOPIC_LIMIT`, and for an identifier that is no level of a topic.
    """
    wanted = tuple(dict.fromkeys(user_topics))
    if len(wanted) > USER_TOPIC_LIMIT:
        raise ValueError(f"{len(wanted)} user topics are more than the {USER_TOPIC_LIMIT} that can be listened to")
    any_service = topics.service_filter
    indispensable = (
        topics.property_set,
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
        *(one for suffix in wanted for one in topics.user_filters(suffix)),
    )
    known = (topics.service(identifier) for identifier in dict.fromkeys(services))
    both_forms = (one for service in known for one in (service, long_rrpc_filter(service)))
    return (*indispensable, *islice(both_forms, SUBSCRIPTION_LIMIT - len(indispensable)))


class Subscriber:
    """The subscriptions of one connection."""

    def __init__(self, connection: MqttConnection) -> None:
        """Begin without any."""
        self.refused: frozenset[str] = frozenset()
        """Which of the filters to hold the cloud has refused."""
        self._connection = connection
        self._asked: frozenset[str] = frozenset()
        self._in_turn = asyncio.Lock()

    async def hold(self, filters: Iterable[str]) -> None:
        """Subscribe to what is missing and unsubscribe from the rest, so that exactly `filters` are left.

        A filter that was refused is not asked for again on this connection. Raises NotConnected or RequestTimeout; then
        some of it may have been done, and the next call does what is left.
        """
        async with self._in_turn:
            wanted = dict.fromkeys(filters)
            # First, or the new ones might be too many.
            for packet in batched(self._asked - wanted.keys(), FILTERS_PER_PACKET, strict=False):
                await self._unsubscribe(packet)
            missing = [one for one in wanted if one not in self._asked]
            for packet in batched(missing, FILTERS_PER_PACKET, strict=False):
                await self._subscribe(packet)

    async def _subscribe(self, packet: tuple[str, ...]) -> None:
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                refused = await self._connection.subscribe(packet)
        except TimeoutError:
            raise RequestTimeout("the cloud does not acknowledge subscriptions") from None
        self._asked |= frozenset(packet)
        self.refused |= frozenset(refused)
        if refused:
            # Some instances refuse wildcards; the services of the thing model are subscribed by name as well.
            _LOGGER.debug("The cloud refused to subscribe %s", ", ".join(refused))

    async def _unsubscribe(self, packet: tuple[str, ...]) -> None:
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                await self._connection.unsubscribe(packet)
        except TimeoutError:
            raise RequestTimeout("the cloud does not acknowledge the end of subscriptions") from None
        self._asked -= frozenset(packet)
        self.refused -= frozenset(packet)
