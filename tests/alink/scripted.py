"""A host that is controlled by the test, for behaviour that the simulated cloud does not have."""

import asyncio
import json
import socket
import ssl
import struct
from typing import Self

from simulator.broker.packets import (
    Connect,
    Packet,
    Publish,
    Subscribe,
    Unsubscribe,
    connect_acknowledgement,
    publish,
    publish_acknowledgement,
    read_packet,
    subscribe_acknowledgement,
    unsubscribe_acknowledgement,
)

ACCEPTED = connect_acknowledgement(0)


class ScriptedHost:
    """Listens on loopback, accepts connections and records the packets that it receives."""

    def __init__(
        self, *, connack: bytes = ACCEPTED, acknowledges: bool = True, tls: ssl.SSLContext | None = None
    ) -> None:
        """Answer CONNECT with `connack`, which may be empty; `acknowledges` says whether subscriptions are acknowledged."""
        self.port = 0
        self.received: list[Packet] = []
        self.connections = 0
        self._connack = connack
        self.acknowledges = acknowledges
        self.acknowledges_messages = True
        self.replies_to: frozenset[str] = frozenset()
        """The topics on which requests get a reply with code 200."""
        self._tls = tls
        self._writer: asyncio.StreamWriter
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close everything."""
        self._server.close()
        self._server.abort_clients()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def published(self) -> list[Publish]:
        """The PUBLISH packets of the device."""
        return [packet for packet in self.received if isinstance(packet, Publish)]

    def send(self, data: bytes) -> None:
        """Write bytes to the newest connection."""
        self._writer.write(data)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish to the newest connection, on any topic."""
        self.send(publish(topic, payload))

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the newest connection at once, or reset it."""
        if reset:
            linger = struct.pack("ii", 1, 0)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while packet := await read_packet(reader):
            self.received.append(packet)
            match packet:
                case Connect():
                    writer.write(self._connack)
                case Subscribe() if self.acknowledges:
                    writer.write(subscribe_acknowledgement(packet.packet_id, [qos for _, qos in packet.filters]))
                case Unsubscribe() if self.acknowledges:
                    writer.write(unsubscribe_acknowledgement(packet.packet_id))
                case Publish():
                    self._answer(packet)
        writer.close()

    def _answer(self, packet: Publish) -> None:
        if packet.packet_id is not None and self.acknowledges_messages:
            self.send(publish_acknowledgement(packet.packet_id))
        if packet.topic in self.replies_to:
            reply = {"id": json.loads(packet.payload)["id"], "code": 200, "data": {}}
            self.publish(f"{packet.topic}_reply", json.dumps(reply).encode())
