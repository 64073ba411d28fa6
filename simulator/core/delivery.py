"""Sending commands and replies to devices, and the faults that keep them from arriving."""

import asyncio
from functools import partial

from .codes import text_of
from .device import CloudDevice, Connection, RrpcForm
from .faults import Faults
from .jsontext import JsonValue, dump
from .transcript import Direction, Note, Transcript

GARBAGE = b'{"id": \xff, "code": [200'
"""Neither UTF-8 nor JSON."""


class Delivery:
    """Writes to the present connection of a device."""

    def __init__(self, transcript: Transcript, faults: Faults, qos: int) -> None:
        """`qos` is 0 or 1, since the platform does not document which it uses; RRPC is always sent with 0."""
        self._transcript = transcript
        self._faults = faults
        self._qos = qos
        self._delayed: set[asyncio.TimerHandle] = set()

    def command(
        self,
        device: CloudDevice,
        topic: str,
        payload: bytes,
        *,
        qos: int | None = None,
        connection: Connection | None = None,
        subscribed: bool = False,
    ) -> bool:
        """Send a command; return whether it is going to arrive.

        It can be sent on another connection than the device's; `subscribed` is for topics that need no subscription.
        """
        qos = self._qos if qos is None else qos
        twice = self._faults.take_duplicate()
        return self._send(device, topic, payload, qos, twice=twice, connection=connection, subscribed=subscribed)

    def reply(self, device: CloudDevice, topic: str, request: dict[str, JsonValue], code: int, data: JsonValue) -> None:
        """Answer an uplink with the same `id`; the other fields are those of the platform (docs/protocol.md §0.4)."""
        answer: dict[str, JsonValue] = {
            "code": code,
            "data": data,
            "id": request.get("id", ""),
            "message": text_of(code),
        }
        if topic.startswith(device.topics.system):
            answer |= {"method": topic.removeprefix(device.topics.system).replace("/", "."), "version": "1.0"}
        self.answer(device, f"{topic}_reply", dump(answer).encode())

    def answer(self, device: CloudDevice, topic: str, payload: bytes) -> None:
        """Send the answer to an uplink, unless a fault garbles, delays or loses it."""
        if self._faults.take_garbling():
            payload = GARBAGE
        if self._faults.take_loss():
            self._transcript.record(
                Direction.DOWN, device.name, topic=topic, qos=self._qos, payload=payload, note=Note.LOST
            )
        elif self._faults.delay_replies:
            self._later(self._faults.delay_replies, device, topic, payload)
        else:
            self._send(device, topic, payload, self._qos)

    def close(self) -> None:
        """Drop the answers that are still delayed."""
        for timer in self._delayed:
            timer.cancel()
        self._delayed.clear()

    def _later(self, seconds: float, device: CloudDevice, topic: str, payload: bytes) -> None:
        def send() -> None:
            self._delayed.discard(timer)
            self._send(device, topic, payload, self._qos)

        timer = asyncio.get_running_loop().call_later(seconds, send)
        self._delayed.add(timer)

    def _send(
        self,
        device: CloudDevice,
        topic: str,
        payload: bytes,
        qos: int,
        *,
        twice: bool = False,
        connection: Connection | None = None,
        subscribed: bool = False,
    ) -> bool:
        record = partial(self._transcript.record, Direction.DOWN, device.name, topic=topic, qos=qos, payload=payload)
        if (connection := connection or device.connection) is None:
            record(note=_queue(device, topic, payload, qos))
        elif topic.startswith("/ext/rrpc/") and not takes_long_rrpc(device):
            record(note=Note.NO_EXT)
        elif not subscribed and not connection.subscriptions.match(topic):
            record(note=Note.UNDELIVERED)
        elif not connection.send(topic, payload, qos, twice=twice):
            record(note=Note.IN_FLIGHT_FULL)
        else:
            record()
            if twice:
                record()
            return True
        return False


def _queue(device: CloudDevice, topic: str, payload: bytes, qos: int) -> Note:
    """Keep a message for a device that is offline, if it has asked for it with clean session 0 (§1.4)."""
    session = device.mqtt_session
    if session is None or not session.persistent or not qos or not session.subscriptions.match(topic):
        return Note.OFFLINE
    session.queue(topic, payload)
    return Note.QUEUED


def takes_long_rrpc(device: CloudDevice) -> bool:
    """Return whether the device accepts /ext/rrpc/…: it has declared bit 0 of `ext`, or the form is forced (§6.5)."""
    declared = device.connection is not None and device.connection.takes_long_rrpc
    return declared or device.rrpc is RrpcForm.EXT
