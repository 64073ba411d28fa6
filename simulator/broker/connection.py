"""One MQTT connection, from its CONNACK to its end."""

import asyncio
from collections.abc import Callable
from itertools import cycle
from typing import cast

from ..core.device import CloudDevice, Connection
from ..core.faults import Faults
from ..core.jsontext import dump
from ..core.limits import message_rates
from ..core.topics import Subscriptions, is_valid_filter, is_wildcard, parse_topic, without_rrpc_id
from ..core.transcript import Direction, Transcript
from .identity import ClientId
from .packets import (
    Connect,
    Disconnect,
    MalformedPacketError,
    Packet,
    Ping,
    Publish,
    PublishAcknowledged,
    Subscribe,
    Unsubscribe,
    ping_response,
    publish,
    publish_acknowledgement,
    read_packet,
    subscribe_acknowledgement,
    unsubscribe_acknowledgement,
)

FILTERS_PER_PACKET = 8
FILTERS_PER_DEVICE = 100
IN_FLIGHT = 100
KEEP_ALIVE_FACTOR = 1.5
REFUSED_FILTER = 0x80


class MqttConnection:
    """Reads the packets of one device and writes to it, without waiting for a slow reader."""

    def __init__(
        self,
        device: CloudDevice,
        client: ClientId,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        keep_alive: int,
        faults: Faults,
        transcript: Transcript,
        on_publish: Callable[[CloudDevice, Publish], None],
    ) -> None:
        """Take over a socket whose CONNECT has been accepted."""
        self.subscriptions = Subscriptions(device.topics, client.implicit_filters)
        self.takes_long_rrpc = client.takes_long_rrpc
        self.keep_alive = keep_alive
        self.rates = message_rates()
        self.carried: dict[tuple[str, str], Connection] = {}
        self.ended: dict[tuple[str, str], Connection] = {}
        self.device = device
        self._reader = reader
        self._writer = writer
        self._transport = cast("asyncio.Transport", writer.transport)
        self._silence_allowed = keep_alive * KEEP_ALIVE_FACTOR
        self._faults = faults
        self._transcript = transcript
        self._on_publish = on_publish
        self._loop = asyncio.get_running_loop()
        self._last_heard = self._loop.time()
        self._packet_ids = cycle(range(1, 65536))
        self._unacknowledged: set[int] = set()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._held_back: list[bytes] = []
        self._end = ""
        self._watchdog: asyncio.TimerHandle

    @property
    def line(self) -> MqttConnection:
        """Itself."""
        return self

    async def run(self) -> None:
        """Serve the device until either side ends the connection."""
        self._watchdog = self._loop.call_later(self._silence_allowed, self._watch)
        try:
            while (packet := await read_packet(self._reader)) is not None:
                if not self._thawed.is_set():
                    await self._thawed.wait()
                if self._end:
                    break
                self._last_heard = self._loop.time()
                self._handle(packet)
        except MalformedPacketError as error:
            self.close(f"malformed packet: {error}")
        finally:
            self._watchdog.cancel()
            self.device.detach(self, lost=True)  # no effect if close() has ended the connection
            self._note(f"disconnected: {self._end or 'the device closed the socket'}")

    def send(self, topic: str, payload: bytes, qos: int, *, twice: bool = False) -> bool:
        """Write a PUBLISH; return False if too many messages are unacknowledged."""
        packet_id = None
        if qos:
            if len(self._unacknowledged) >= IN_FLIGHT:
                return False
            packet_id = next(number for number in self._packet_ids if number not in self._unacknowledged)
            self._unacknowledged.add(packet_id)
        self._write(publish(topic, payload, packet_id=packet_id))
        if twice:
            self._write(publish(topic, payload, packet_id=packet_id, duplicate=packet_id is not None))
        return True

    def close(self, reason: str, *, code: int = 0, lost: bool = False) -> None:
        """End the connection as the platform does: the socket is closed without a message; see Connection.close()."""
        del code
        self._end = self._end or reason
        self._thawed.set()
        self._transport.abort()
        self.device.detach(self, lost=lost)

    def freeze(self) -> None:
        """Make the connection half-open: nothing is read from the socket or written to it until unfreeze()."""
        self._thawed.clear()
        self._transport.pause_reading()
        self._note("frozen")

    def unfreeze(self) -> None:
        """Undo freeze(); data that were to be written in the meantime are written now, as by TCP."""
        self._thawed.set()
        self._last_heard = self._loop.time()
        self._transport.resume_reading()
        for data in self._held_back:
            self._writer.write(data)
        self._held_back.clear()
        self._note("unfrozen")

    def babble(self) -> None:
        """Send data that are not MQTT: an empty packet of the reserved type 15."""
        self._write(b"\xf0\x00")
        self._note("babbled")

    def _handle(self, packet: Packet) -> None:
        match packet:
            case Publish():
                self._take(packet)
            case PublishAcknowledged(packet_id):
                self._unacknowledged.discard(packet_id)
            case Subscribe():
                self._subscribe(packet)
            case Unsubscribe(packet_id, filters):
                for topic_filter in filters:
                    if (subscriptions := self._subscriptions_for(topic_filter)) is not None:
                        subscriptions.discard(topic_filter)
                self._write(unsubscribe_acknowledgement(packet_id))
                self._note("unsubscribed", dump(list(filters)))
            case Ping():
                self._write(ping_response())
            case Disconnect():
                self.close("DISCONNECT")
            case Connect():
                self.close("second CONNECT")

    def _take(self, packet: Publish) -> None:
        if packet.qos > 1:
            self.close("QoS 2 is not supported")
            return
        # The platform acknowledges messages before it drops them, so that the device does not notice.
        if packet.packet_id is not None:
            self._write(publish_acknowledgement(packet.packet_id))
        self._on_publish(self.device, packet)

    def _subscribe(self, packet: Subscribe) -> None:
        if any(qos > 1 for _, qos in packet.filters):
            self.close("QoS 2 is not supported")
            return
        codes = []
        for topic_filter, qos in packet.filters:
            subscriptions = self._may_subscribe(topic_filter) if len(packet.filters) <= FILTERS_PER_PACKET else None
            if subscriptions is not None:
                subscriptions.add(topic_filter)
            codes.append(REFUSED_FILTER if subscriptions is None else qos)
        self._write(subscribe_acknowledgement(packet.packet_id, codes))
        self._note("subscribed", dump({topic: code for (topic, _), code in zip(packet.filters, codes, strict=True)}))

    def _may_subscribe(self, topic_filter: str) -> Subscriptions | None:
        """Return the subscriptions to which a filter may be added, None if it is refused."""
        if not is_valid_filter(topic_filter):
            return None
        if self._faults.refuse_wildcards and is_wildcard(without_rrpc_id(topic_filter)):
            return None
        subscriptions = self._subscriptions_for(topic_filter)
        if subscriptions is None or (topic_filter not in subscriptions and len(subscriptions) >= FILTERS_PER_DEVICE):
            return None
        return subscriptions

    def _subscriptions_for(self, topic_filter: str) -> Subscriptions | None:
        """Return the subscriptions of the device that owns a filter: this one, or a sub-device that is logged in."""
        if self.device.topics.owns(topic_filter):
            return self.subscriptions
        address = parse_topic(topic_filter)
        carried = self.carried.get((address.product_key, address.device_name)) if address else None
        return carried.subscriptions if carried else None

    def _watch(self) -> None:
        """Close after 1.5 keep-alives of silence (docs/protocol.md §1.4). A packet does not restart the timer."""
        left = self._last_heard + self._silence_allowed - self._loop.time()
        if left <= 0 and self._thawed.is_set():
            self.close("keep-alive time-out")
        else:
            self._watchdog = self._loop.call_later(max(left, self._silence_allowed / 10), self._watch)

    def _write(self, data: bytes) -> None:
        if self._thawed.is_set():
            self._writer.write(data)
        else:
            self._held_back.append(data)

    def _note(self, note: str, payload: str = "") -> None:
        self._transcript.record(Direction.LINK, self.device.name, payload=payload.encode(), note=note)
