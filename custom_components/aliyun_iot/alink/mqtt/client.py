"""The client of paho-mqtt, changed so that it runs on a socket inside the event loop.

It overrides and uses some private parts of paho, last checked with 2.1.0.
"""

import logging
import socket
from typing import Any, override

import paho.mqtt.client as mqtt
from paho.mqtt.enums import LogLevel, MQTTErrorCode

from .liveness import Liveness

_LOGGER = logging.getLogger(__name__)


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

    # paho reports a reset like an orderly close.

    @override
    def _sock_recv(self, bufsize: int) -> bytes:
        try:
            return super()._sock_recv(bufsize)
        except ConnectionResetError:
            self.was_reset = True
            raise

    @override
    def _sock_send(self, buf: bytes) -> int:
        try:
            return super()._sock_send(buf)
        except ConnectionResetError:
            self.was_reset = True
            raise

    @override
    def _handle_connack(self) -> MQTTErrorCode:
        # paho does not report code 1, but tries an older version of MQTT by itself.
        self.version_refused = self._in_packet["packet"][1:] == b"\x01"
        return super()._handle_connack()

    @override
    def _loop_rc_handle(self, rc: MQTTErrorCode) -> MQTTErrorCode:
        # paho passes on_disconnect the same reason for a closed socket and for a malformed packet.
        self.ended_by = rc
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

    @override
    def _easy_log(self, level: LogLevel, fmt: str, *args: Any) -> None:
        if _LOGGER.isEnabledFor(logging.DEBUG):  # checked each time, since debug logging can be enabled while connected
            _LOGGER.debug(fmt, *args)

    def ping(self) -> None:
        """Send a PINGREQ."""
        self._send_pingreq()

    def forget(self, packet: int) -> None:
        """Stop waiting for the PUBACK of a message."""
        with self._out_message_mutex:
            if self._out_messages.pop(packet, None):
                self._inflight_messages -= 1
