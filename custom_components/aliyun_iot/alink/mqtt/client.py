"""The client of paho-mqtt, changed so that it runs on a socket inside the event loop.

paho reads a packet of any length, and as many at once as have arrived, so this client reads by itself (`framing.py`), in
slices: a hostile host must not be able to keep the loop busy. It also limits what waits to be written.

It overrides and uses some private parts of paho, last checked with 2.1.0.
"""

from collections import deque
from collections.abc import Callable
import socket
import ssl
import time
from typing import Final, override

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

from ..errors import ConnectionLost
from .framing import Framing, Packet
from .liveness import Liveness
from .sockets import was_reset

READ_SIZE: Final = 16 * 1024
"""Bytes that are read at once, as many as a TLS record has."""

PACKETS_AT_ONCE: Final = 16
"""Packets that are handled at once."""

MAX_UNSENT_BYTES: Final = 8 * 1024 * 1024
MAX_UNSENT_PACKETS: Final = 4096
"""What may wait to be written. A line on which so much accumulates carries nothing, or its host does not read."""


class SocketClient(mqtt.Client):
    """A paho client that uses a socket that is already open; opening one itself would block."""

    opened: socket.socket
    liveness: Liveness
    pinged_at: deque[float]
    on_pong: Callable[[float], None]
    """Called with the time of the ping that the host has replied to, in monotonic seconds."""
    version_refused = False
    was_reset = False
    ended_by = mqtt.MQTT_ERR_CONN_LOST
    _unsent = 0

    def read(self, framing: Framing) -> bool:
        """Handle a slice of what has arrived; return whether more packets are there already.

        Raises a ConnectError when the connection cannot be continued, and any exception for a malformed packet.
        """
        if not framing.has_packet and not self._receive(framing):
            return False
        for _ in range(PACKETS_AT_ONCE):
            if (packet := framing.take()) is None:
                return False
            if (result := self._handle(packet)) > 0:
                self._loop_rc_handle(result)
            if self._sock is None:
                return False
        return framing.has_packet

    def _receive(self, framing: Framing) -> bool:
        """Read once; return whether anything came."""
        try:
            data = self._sock_recv(READ_SIZE)
        except BlockingIOError:
            return False
        except ssl.SSLError as err:
            raise ConnectionLost(f"TLS failed: {err.reason or err}") from err
        except OSError:
            data = b""
        if data:
            framing.feed(data)
        else:
            self._loop_rc_handle(mqtt.MQTT_ERR_CONN_LOST)
        return bool(data)

    def _handle(self, packet: Packet) -> MQTTErrorCode:
        self._in_packet = {
            "command": packet.first,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(packet.content),
            "packet": bytearray(packet.content),
            "to_process": 0,
            "pos": 0,
        }
        self._last_msg_in = mqtt.time_func()
        return self._packet_handle()

    @override
    def _packet_queue(
        self, command: int, packet: bytes, mid: int, qos: int, info: mqtt.MQTTMessageInfo | None = None
    ) -> MQTTErrorCode:
        self._unsent += len(packet)
        grows = command & 0xF0 in (mqtt.PUBLISH, mqtt.PUBACK)  # with the traffic, unlike pings and DISCONNECT
        if grows and (self._unsent > MAX_UNSENT_BYTES or len(self._out_packet) >= MAX_UNSENT_PACKETS):
            raise ConnectionLost("the host does not read what is sent to it")
        return super()._packet_queue(command, packet, mid, qos, info)

    @override
    def _sock_send(self, buf: bytes) -> int:
        sent = super()._sock_send(buf)
        self._unsent -= sent
        return sent

    @override
    def _create_socket(self) -> socket.socket:
        return self.opened

    @override
    def _handle_connack(self) -> MQTTErrorCode:
        # paho does not report code 1, but tries an older version of MQTT by itself.
        self.version_refused = self._in_packet["packet"][1:] == b"\x01"
        return super()._handle_connack()

    @override
    def _loop_rc_handle(self, rc: MQTTErrorCode) -> MQTTErrorCode:
        # paho passes on_disconnect the same reason for a connection that was closed or reset and for a malformed packet.
        self.ended_by = rc
        self.was_reset = was_reset(self.opened)
        return super()._loop_rc_handle(rc)

    @override
    def _mid_generate(self) -> int:
        # paho refuses to publish when the next id still waits for its PUBACK.
        while (packet := super()._mid_generate()) in self._out_messages:
            pass
        return packet

    @override
    def _send_pingreq(self) -> MQTTErrorCode:
        # paho pings by itself as well, but waits a whole keep-alive for the answer.
        self.liveness.pinged()
        self.pinged_at.append(time.monotonic())
        return super()._send_pingreq()

    @override
    def _handle_pingresp(self) -> MQTTErrorCode:
        if self.pinged_at:
            self.on_pong(self.pinged_at.popleft())
        return super()._handle_pingresp()

    def ping(self) -> None:
        """Send a PINGREQ."""
        self._send_pingreq()

    def forget(self, packet: int) -> None:
        """Stop waiting for the PUBACK of a message."""
        with self._out_message_mutex:
            if self._out_messages.pop(packet, None):
                self._inflight_messages -= 1


def topic_of(message: mqtt.MQTTMessage) -> str | None:
    """Return the topic of a message, None for one that is not valid or none of the platform's.

    A wildcard is not allowed by MQTT, and control characters are discouraged; an answer could not be published.
    """
    try:
        topic = message.topic
    except UnicodeDecodeError:
        return None
    is_valid = topic.isprintable() and {"+", "#"}.isdisjoint(topic)
    return topic if is_valid else None
