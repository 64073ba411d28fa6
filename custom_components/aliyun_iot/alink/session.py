"""The session of one connection: requests and their replies, subscriptions, the clock, and publishing.

Everything in here ends with the connection. What outlives it belongs to the link (`link.py`), what concerns one identity to
the device (`device.py`).
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from itertools import count
import random
from typing import Any, Final

from .codes import Code
from .errors import CloudSilent, ConnectError, ConnectionLost, MessageError, NotConnected, RequestTimeout, Unanswered
from .foreign import logger_of
from .messages import JsonValue, Reply, decode_reply, encode_request
from .mqtt.connecting import LinkConfig, connect
from .mqtt.pacing import RateLimit, Turns
from .mqtt.transport import Delivery, MqttConnection
from .ntp import ClockReading, TimeService
from .reply_watch import ReplyWatch
from .subscriptions import Subscriber
from .topics import identity_of, is_reply, is_time, kind_of, reply_topic
from .traffic import Traffic

_LOGGER = logger_of(__name__)

MAX_ID: Final = 2**32
MAX_PENDING: Final = 64

PUBLISH_TIMEOUT = 10.0
"""Seconds to wait for the PUBACK of a message that has no reply."""

SHORT_REPLY: Final = 4096
"""Bytes. A longer reply is only read if it contains the id of a request that waits for it, since reading it takes time."""

RESUBSCRIBE_DELAY = 30.0
"""Seconds until a subscription that was not acknowledged is tried again."""

_IDS: Final = count(random.randrange(MAX_ID))  # noqa: S311
"""Ids need to be unique for a day (docs/protocol.md §0.3), also over connections and restarts."""


def next_id() -> str:
    """Return the id of a new message."""
    return str(next(_IDS) % MAX_ID)


class Session:
    """A connection, which `open` makes and `close` ends."""

    def __init__(
        self,
        limit: RateLimit,
        on_downlink: Callable[[Delivery], None],
        on_code: Callable[[int], None],
        traffic: Traffic | None = None,
        reply_watch: ReplyWatch | None = None,
    ) -> None:
        """`limit` applies to every message except answers to commands.

        `on_downlink` is called with all deliveries except replies, `on_code` with every code of a reply but 200.
        `traffic` counts all messages, `reply_watch` judges the replies.
        """
        self.reply_watch = reply_watch or ReplyWatch()
        self._limit = limit
        self._on_downlink = on_downlink
        self._on_code = on_code
        self._traffic = traffic or Traffic()
        self._pending: dict[tuple[str, str], asyncio.Future[Reply]] = {}
        self._slots = Turns(MAX_PENDING)
        self._time_service = TimeService()
        self._connection: MqttConnection
        self._subscriber: Subscriber
        self._filters: tuple[str, ...] = ()
        self._resubscribing: asyncio.Task[None] | None = None

    async def open(self, config: LinkConfig) -> None:
        """Connect; raises a ConnectError that names the cause."""
        self._connection = await connect(config, self._received, self._traffic.sent)
        self._subscriber = Subscriber(self._connection)

    async def wait_lost(self) -> ConnectError:
        """Wait until the connection is lost and return why."""
        return await self._connection.lost

    def lost(self, default: Exception) -> ConnectError:
        """Return why the connection was lost; if it was not, a ConnectionLost with the text of `default`."""
        return self._connection.lost.result() if self._connection.lost.done() else ConnectionLost(str(default))

    async def close(self) -> None:
        """Fail the requests that wait for a reply, and disconnect."""
        if self._resubscribing:
            self._resubscribing.cancel()
        pending: list[asyncio.Future[Any]] = [*self._pending.values(), *self._time_service.pending]
        for waiting in pending:
            if not waiting.done():
                waiting.set_exception(NotConnected("the connection was lost before the reply came"))
        await self._connection.close()

    @property
    def refused_filters(self) -> frozenset[str]:
        """The topic filters that the cloud refused."""
        return self._subscriber.refused

    async def subscribe(self, filters: Iterable[str]) -> None:
        """Set the subscriptions; raises NotConnected, or RequestTimeout when some are not acknowledged."""
        await self._subscriber.hold(filters)

    async def change_subscriptions(self, filters: Iterable[str], ended: Collection[str] = ()) -> None:
        """Set the subscriptions; those that are not acknowledged are tried again for as long as the connection lives.

        `ended` is as for `Subscriber.hold`.
        """
        self._filters = tuple(filters)
        if not await self._set_filters(ended) and not self._resubscribing:
            self._resubscribing = asyncio.get_running_loop().create_task(self._resubscribe())

    async def request(
        self,
        topic: str,
        method: str,
        params: JsonValue,
        *,
        qos: int,
        timeout: float,
        basic: bool = False,
        first: bool = False,
        on_code: Callable[[int], None] | None = None,
    ) -> Reply:
        """Publish a request and return its reply, whatever its code; `timeout` is in seconds.

        Every host replies to `basic` requests. Others are given up on this connection after several without a reply. One that
        is to be `first` passes all that wait to be sent. `on_code` is called instead of the session's, with each code, when
        the request is not about the device that has connected.

        Raises NotConnected, RequestTimeout when no reply came in time, Unanswered (a RequestTimeout) when this kind of
        request was given up, and MessageError when `params` can't be sent.
        """
        kind = kind_of(topic)
        if not basic and self.reply_watch.is_unknown(kind):
            raise Unanswered(f"this host does not reply to {method}")
        message_id = next_id()
        payload = encode_request(message_id, method, params)
        key = (reply_topic(topic), message_id)
        device = identity_of(topic)
        async with self._slots.of(device, first=first):
            await self._limit.wait(device, first=first)
            self._connection.publish(topic, payload, qos)
            self._limit.under_way += 1
            waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            self._pending[key] = waiting
            try:
                async with asyncio.timeout(timeout):
                    reply = await waiting
            except TimeoutError as err:
                self._missed(kind, basic=basic)
                raise RequestTimeout(f"no reply to {method} within {timeout:g} s") from err
            finally:
                self._limit.under_way -= 1
                self._limit.count()
                del self._pending[key]
        self.reply_watch.replied(kind, Code.SUCCESS if on_code else reply.code)
        if on_code:
            on_code(reply.code)
        elif reply.code != Code.SUCCESS:
            self._on_code(reply.code)
        return reply

    async def publish(self, topic: str, payload: bytes, qos: int) -> None:
        """Publish a message that has no reply; at QoS 1 wait for the PUBACK.

        Raises NotConnected, or RequestTimeout without a PUBACK in time: then it is unknown whether the message arrived.
        """
        await self._limit.wait(identity_of(topic))
        if not qos:
            self._connection.publish(topic, payload, qos)
            self._limit.count()
            return
        acknowledged = self._connection.publish_acknowledged(topic, payload)
        self._limit.count()
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT):
                await acknowledged
        except TimeoutError as err:
            self._connection.doubt()
            raise RequestTimeout(f"the host did not acknowledge the message within {PUBLISH_TIMEOUT:g} s") from err

    def answer(self, topic: str, payload: bytes) -> None:
        """Send an answer at once, at QoS 0 as RRPC requires (docs/protocol.md §6.4); raises NotConnected."""
        self._connection.publish(topic, payload, 0)

    @property
    def proven_until(self) -> float:
        """What was sent before this monotonic time has arrived."""
        return self._connection.proven_until

    async def reach(self, timeout: float) -> None:
        """Wait until all that was sent is known to have arrived, at most `timeout` seconds."""
        await self._connection.reach(timeout)

    async def read_clock(self, topic: str, timeout: float) -> ClockReading:
        """Ask the time service on `topic`; raises NotConnected, RequestTimeout or Unanswered."""
        if self.reply_watch.is_unknown(kind_of(topic)):
            raise Unanswered("this host has no time service")
        await self._limit.wait(identity_of(topic))
        self._limit.count()
        try:
            reading = await self._time_service.ask(self._connection, topic, timeout)
        except RequestTimeout:
            self._missed(kind_of(topic), basic=False)
            raise
        self.reply_watch.replied(kind_of(topic), 200)
        return reading

    def end(self, prefix: str, filters: Iterable[str]) -> None:
        """End what a device has on the connection, when it was logged out: its requests fail, its subscriptions are forgotten.

        Its topics begin with `prefix`.
        """
        for (topic, _), waiting in self._pending.items():
            if topic.startswith(prefix) and not waiting.done():
                waiting.set_exception(NotConnected("the sub-device was logged out before the reply came"))
        self._subscriber.forget(frozenset(filters))

    def _received(self, delivery: Delivery) -> None:
        self._traffic.received(delivery.topic, delivery.payload)
        if is_reply(delivery.topic):
            self._replied(delivery)
        elif is_time(delivery.topic):
            self._time_service.received(delivery.payload)
        else:
            self._on_downlink(delivery)

    def _replied(self, delivery: Delivery) -> None:
        payload = delivery.payload
        may_answer = any(topic == delivery.topic and key.encode() in payload for topic, key in self._pending)
        if len(payload) > SHORT_REPLY and not may_answer:
            _LOGGER.debug("No request waits for a reply of %d bytes on %s", len(payload), delivery.topic)
            return
        try:
            reply = decode_reply(payload)
        except MessageError as err:
            _LOGGER.debug("Unreadable reply on %s: %s", delivery.topic, err)
            return
        waiting = self._pending.get((delivery.topic, reply.id))
        if waiting is None or waiting.done():
            _LOGGER.debug("No request waits for the reply %s on %s", reply.id, delivery.topic)
        else:
            waiting.set_result(reply)

    def _missed(self, kind: str, *, basic: bool) -> None:
        """Record a reply that did not come, and have the connection checked."""
        self.reply_watch.missed(kind, basic=basic)
        self._connection.doubt()
        if self.reply_watch.is_deaf():
            self._connection.give_up(CloudSilent("the cloud replies to nothing any more"))

    async def _resubscribe(self) -> None:
        held = False
        while not held:
            await asyncio.sleep(RESUBSCRIBE_DELAY)
            held = await self._set_filters()
        self._resubscribing = None

    async def _set_filters(self, ended: Collection[str] = ()) -> bool:
        """Set the subscriptions that are wanted now; return False when that has to be tried again."""
        try:
            await self._subscriber.hold(self._filters, ended)
        except NotConnected as err:  # the next session subscribes to everything again
            _LOGGER.debug("Cannot change the subscriptions: %s", err)
        except RequestTimeout as err:
            _LOGGER.debug("The subscriptions are changed again in %g s: %s", RESUBSCRIBE_DELAY, err)
            self._connection.doubt()
            return False
        return True
