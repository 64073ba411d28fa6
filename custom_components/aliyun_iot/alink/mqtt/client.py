"""The client of paho-mqtt, changed so that it runs on a socket inside the event loop.

It overrides and uses some private parts of paho, last checked with 2.1.0.
"""

import socket
from typing import override

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

from .liveness import Liveness
from .sockets import was_reset


class SocketClient(mqtt.Client):
    """A paho client that uses a socket that is already open; opening one itself would block."""

    opened: socket.socket
    liveness: Liveness
    version_refused = False
    was_reset = False
    ended_by = mqtt.MQTT_ERR_CONN_LOST

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
        return super()._send_pingreq()

    def ping(self) -> None:
        """Send a PINGREQ."""
        self._send_pingreq()

    def forget(self, packet: int) -> None:
        """Stop waiting for the PUBACK of a message."""
        with self._out_message_mutex:
            if self._out_messages.pop(packet, None):
                self._inflight_messages -= 1
