"""How far the clock of this machine is off, judged by the platform's time service (`docs/protocol.md` §12.3)."""

import asyncio
from dataclasses import dataclass
import json
import logging
import time
from typing import Final

from .errors import RequestTimeout
from .requests import Publish
from .topics import Topics

_LOGGER = logging.getLogger(__name__)

MAX_DIGITS: Final = 14
"""Digits of a time in milliseconds: that reaches to the year 5138, and to nothing that a date could not express."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Seconds by which the cloud's clock is ahead of ours, and by how much that may be wrong in either direction."""

    ahead: float
    uncertainty: float

    @property
    def skew(self) -> float:
        """The part of it that is certain, always positive: what is left after the way there and back is allowed for."""
        return max(0.0, abs(self.ahead) - self.uncertainty)


class TimeService:
    """Asks for the time; one question after the other."""

    def __init__(self, publish: Publish, topics: Topics) -> None:
        """Publish by `publish` (topic, payload, QoS), which may raise NotConnected."""
        self._publish = publish
        self._topics = topics
        self._asked = ""
        self._answer: asyncio.Future[tuple[int, int]] | None = None
        self._in_turn = asyncio.Lock()

    async def ask(self, timeout: float) -> ClockReading:
        """Return how the clocks differ; `timeout` is in seconds. Raises NotConnected or RequestTimeout.

        How long the answer took is measured by the monotonic clock, since the other one may be set meanwhile.
        """
        async with self._in_turn:
            self._answer = asyncio.get_running_loop().create_future()
            sent_at, started = time.time(), time.monotonic()
            self._asked = str(int(sent_at * 1000))
            try:
                self._publish(self._topics.ntp_request, json.dumps({"deviceSendTime": self._asked}).encode(), 0)
                async with asyncio.timeout(timeout):
                    received, answered = await self._answer
            except TimeoutError as err:
                raise RequestTimeout(f"the time service did not answer within {timeout:g} s") from err
            finally:
                self._answer = None
            elapsed = time.monotonic() - started
        ahead = (received + answered) / 2000 - (sent_at + elapsed / 2)
        return ClockReading(ahead, elapsed / 2)

    def received(self, payload: bytes) -> None:
        """Take an answer; what answers nothing, or is none, is passed over."""
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
    """Read a time, which comes as text or number, as it was asked for."""
    text = str(raw)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None
