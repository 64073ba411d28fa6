"""One MQTT connection, from its CONNACK to its end."""

import asyncio
from collections.abc import Callable

from ..core.device import CloudDevice, Connection
from ..core.jsontext import dump
from ..core.limits import message_rates
from ..core.mqtt_session import MqttSession, Outgoing
from ..core.platform import Platform
from ..core.topics import Subscriptions, is_too_long, is_valid_filter, is_wildcard, parse_topic, without_rrpc_id
from ..core.transcript import Direction
from .admission import Admitted
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
from .streams import Stream

FILTERS_PER_PACKET = 8
FILTERS_PER_DEVICE = 100
KEEP_ALIVE_FACTOR = 1.5
REFUSED_FILTER = 0x80

FLOOD_ROUNDS = 1000
"""How often each packet of a flood is sent."""
UNUSED_PACKET_ID = 65535
RETAIN = 0x01


class MqttConnection:
    """Reads the packets of one device and writes to it, without waiting for a slow reader."""

    def __init__(
        self,
        admitted: Admitted,
        reader: asyncio.StreamReader,
        stream: Stream,
        *,
        keep_alive: int,
        session: MqttSession,
        platform: Platform,
        on_publish: Callable[[CloudDevice, Publish], None],
    ) -> None:
        """Take over a socket whose CONNECT has been accepted."""
        self.device = admitted.device
        self.takes_long_rrpc = admitted.client.takes_long_rrpc
        self.keep_alive = keep_alive
        self.rates = message_rates()
        self.carried: dict[tuple[str, str], Connection] = {}
        self.ended: dict[tuple[str, str], Connection] = {}
        self._session = session
        self._reader = reader
        self._stream = stream
        self._silence_allowed = keep_alive * KEEP_ALIVE_FACTOR
        self._faults = platform.faults
        self._transcript = platform.transcript
        self._on_publish = on_publish
        self._loop = asyncio.get_running_loop()
        self._last_heard = self._loop.time()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._held_back: list[bytes] = []
        self._end = ""
        self._watchdog: asyncio.TimerHandle

    @property
    def line(self) -> MqttConnection:
        """Itself."""
        return self

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions of the session."""
        return self._session.subscriptions

    async def run(self) -> None:
        """Serve the device until either side ends the connection."""
        for packet_id, message in self._session.unacknowledged.items():
            self._record(message)
            self._write(publish(message.topic, message.payload, packet_id=packet_id, duplicate=True))
        self._send_queued()
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
            self._leave(lost=True)  # no effect if close() has ended the connection
            self._note(f"disconnected: {self._end or 'the device closed the socket'}")

    def send(self, topic: str, payload: bytes, qos: int, *, twice: bool = False) -> bool:
        """Write a PUBLISH; return False if too many messages are unacknowledged."""
        packet_id = None
        if qos:
            if self._session.is_full:
                return False
            packet_id = self._session.take_packet_id(topic, payload)
        self._write(publish(topic, payload, packet_id=packet_id))
        if twice:
            self._write(publish(topic, payload, packet_id=packet_id, duplicate=packet_id is not None))
        return True

    def close(self, reason: str, *, code: int = 0, lost: bool = False) -> None:
        """End the connection as the platform does: the socket is closed without a message; see Connection.close()."""
        del code
        self._end = self._end or reason
        self._thawed.set()
        self._stream.abort()
        self._leave(lost=lost)

    def freeze(self) -> None:
        """Make the connection half-open: nothing is read from the socket or written to it until unfreeze()."""
        self._thawed.clear()
        self._stream.pause_reading()
        self._note("frozen")

    def unfreeze(self) -> None:
        """Undo freeze(); data that were to be written in the meantime are written now, as by TCP."""
        self._thawed.set()
        self._last_heard = self._loop.time()
        self._stream.resume_reading()
        for data in self._held_back:
            self._stream.write(data)
        self._held_back.clear()
        self._note("unfrozen")

    def babble(self) -> None:
        """Send data that are not MQTT: an empty packet of the reserved type 15."""
        self._write(b"\xf0\x00")
        self._note("babbled")

    def flood(self) -> None:
        """Send what a hostile host sends to keep a device busy: nothing of it means anything, so nothing is recorded."""
        topics = self.device.topics
        command = publish(topics.service("property/set"), b'{"id": "retained", "params": {"LightSwitch": 1}}')
        reply = publish(f"{topics.system}thing/event/property/post_reply", b'{"id": "0", "code": 200, "data": {}}')
        retained = bytes([command[0] | RETAIN]) + command[1:]
        self._write((publish_acknowledgement(UNUSED_PACKET_ID) + ping_response() + reply + retained) * FLOOD_ROUNDS)
        self._note("flooded")

    def exceed(self) -> None:
        """Begin a message of the greatest length that MQTT can express."""
        self._write(b"\x30\xff\xff\xff\x7f")
        self._note("exceeded the length of a message")

    def _leave(self, *, lost: bool) -> None:
        self.device.detach(self, lost=lost)
        self.device.close_session(self._session)

    def _send_queued(self) -> None:
        """Send what was kept while the device was offline, as far as it acknowledges."""
        while not self._session.is_full and (message := self._session.take_queued()) is not None:
            self._record(message)
            self.send(message.topic, message.payload, 1)

    def _record(self, message: Outgoing) -> None:
        name, topic, payload = self.device.name, message.topic, message.payload
        self._transcript.record(Direction.DOWN, name, topic=topic, qos=1, payload=payload)

    def _handle(self, packet: Packet) -> None:
        match packet:
            case Publish():
                self._take(packet)
            case PublishAcknowledged(packet_id):
                self._session.unacknowledged.pop(packet_id, None)
                self._send_queued()
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
        if not is_valid_filter(topic_filter) or is_too_long(topic_filter):
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
            self._stream.write(data)
        else:
            self._held_back.append(data)

    def _note(self, note: str, payload: str = "") -> None:
        self._transcript.record(Direction.LINK, self.device.name, payload=payload.encode(), note=note)
