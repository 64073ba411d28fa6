"""Requests of the device and the replies of the cloud, matched by reply topic and id."""

import asyncio
from collections.abc import Callable
import logging
import random

from .errors import MessageError, NotConnected, RequestTimeout
from .messages import JsonValue, Reply, decode_reply, encode_request
from .mqtt.pacing import TokenBucket
from .topics import reply_topic

_LOGGER = logging.getLogger(__name__)

MAX_ID = 2**32
MAX_PENDING = 64

type Publish = Callable[[str, bytes, int], None]


class Requests:
    """The requests that are waiting for their reply."""

    def __init__(self, publish: Publish, limiter: TokenBucket) -> None:
        """Publish by `publish` (topic, payload, QoS), which may raise NotConnected, and not faster than `limiter` lets."""
        self._publish = publish
        self._limiter = limiter
        self._pending: dict[tuple[str, str], asyncio.Future[Reply]] = {}
        self._slots = asyncio.Semaphore(MAX_PENDING)
        # Ids need to be unique for a day (docs/protocol.md §0.3), also over restarts.
        self._last_id = random.randrange(MAX_ID)  # noqa: S311

    async def request(self, topic: str, method: str, params: JsonValue, *, qos: int, timeout: float) -> Reply:
        """Publish a request and return its reply, whatever its code; `timeout` is in seconds.

        Raises NotConnected, or RequestTimeout when no reply came in time.
        """
        async with self._slots:
            await self._limiter.take()
            self._last_id = (self._last_id + 1) % MAX_ID
            key = (reply_topic(topic), str(self._last_id))
            waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            self._pending[key] = waiting
            try:
                self._publish(topic, encode_request(key[1], method, params), qos)
                async with asyncio.timeout(timeout):
                    return await waiting
            except TimeoutError as err:
                raise RequestTimeout(f"no reply to {method} within {timeout:g} s") from err
            finally:
                del self._pending[key]

    def received(self, topic: str, payload: bytes) -> None:
        """Hand a reply to the request that waits for it."""
        try:
            reply = decode_reply(payload)
        except MessageError as err:
            _LOGGER.debug("Unreadable reply on %s: %s", topic, err)
            return
        waiting = self._pending.get((topic, reply.id))
        if waiting is None or waiting.done():
            _LOGGER.debug("Nobody waits for reply %s on %s", reply.id, topic)
            return
        waiting.set_result(reply)

    def connection_lost(self) -> None:
        """Fail everything that waits: its replies went with the connection."""
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(NotConnected("the connection was lost before the reply came"))
