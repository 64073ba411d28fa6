"""The difference to the cloud's clock, by the platform's time service (`docs/protocol.md` §12.3)."""

import asyncio
from dataclasses import dataclass
import json
import time
from typing import Final

from .errors import RequestTimeout
from .foreign import logger_of
from .mqtt.transport import MqttConnection

_LOGGER = logger_of(__name__)

MAX_DIGITS: Final = 14
"""Digits of a time in milliseconds: enough until the year 5138, and within the range of dates."""


MAX_ANSWER: Final = 1024
"""Bytes of an answer; it has three times and needs a tenth of them."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """How many seconds the cloud's clock is `ahead` of ours, with the possible error in either direction."""

    ahead: float
    uncertainty: float

    @property
    def skew(self) -> float:
        """The part of the difference that the round trip can't explain; never negative."""
        return max(0.0, abs(self.ahead) - self.uncertainty)


class TimeService:
    """Asks for the time, one request after the other."""

    def __init__(self) -> None:
        """Start without a request."""
        self._asked = ""
        self._answer: asyncio.Future[tuple[int, int]] | None = None
        self._in_turn = asyncio.Lock()

    async def ask(self, connection: MqttConnection, topic: str, timeout: float) -> ClockReading:
        """Return the difference of the clocks; `timeout` is in seconds. Raises NotConnected or RequestTimeout.

        The round trip is measured by the monotonic clock, since the wall clock may be set meanwhile.
        """
        async with self._in_turn:
            self._answer = asyncio.get_running_loop().create_future()
            sent_at, started = time.time(), time.monotonic()
            self._asked = str(int(sent_at * 1000))
            try:
                connection.publish(topic, json.dumps({"deviceSendTime": self._asked}).encode(), 0)
                async with asyncio.timeout(timeout):
                    received, answered = await self._answer
            except TimeoutError as err:
                raise RequestTimeout(f"the time service did not answer within {timeout:g} s") from err
            finally:
                self._answer = None
            elapsed = time.monotonic() - started
        ahead = (received + answered) / 2000 - (sent_at + elapsed / 2)
        return ClockReading(ahead, elapsed / 2)

    @property
    def pending(self) -> tuple[asyncio.Future[tuple[int, int]], ...]:
        """The answer that is awaited, if any."""
        return (self._answer,) if self._answer else ()

    def received(self, payload: bytes) -> None:
        """Handle an answer; one that is unreadable, far too large or was not asked for is ignored."""
        if self._answer is None or len(payload) > MAX_ANSWER:
            return
        try:
            document = json.loads(payload)
        except (ValueError, RecursionError) as err:
            _LOGGER.debug("Unreadable answer of the time service: %s", err)
            return
        match document:
            case {"deviceSendTime": asked, "serverRecvTime": received, "serverSendTime": answered}:
                first, second = _milliseconds(received), _milliseconds(answered)
            case _:
                _LOGGER.debug("The answer of the time service has no times")
                return
        if first is None or second is None or str(asked) != self._asked:
            return
        if self._answer and not self._answer.done():
            self._answer.set_result((first, second))


def _milliseconds(raw: object) -> int | None:
    """Return a time, which may be text or a number, or None for anything else."""
    text = str(raw)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None
