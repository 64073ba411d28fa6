"""The MQTT server: which devices may connect, and the connection of each."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import ssl

from ..core.device import CloudDevice
from ..core.jsontext import dump
from ..core.platform import Platform
from ..core.transcript import Direction
from .admission import Admitted, Registered, admit
from .connection import MqttConnection
from .identity import RefusedError
from .packets import (
    Connect,
    Disconnect,
    MalformedPacketError,
    Publish,
    connect_acknowledgement,
    publish,
    read_packet,
)
from .streams import Stream, TcpStream
from .tls import begin_tls

CONNECT_TIMEOUT = 10.0
REGISTRATION_TIMEOUT = 15.0
"""Seconds after which a connection that has registered a device is closed (docs/protocol.md §11.1)."""


class Broker:
    """Listens, checks CONNECT (docs/protocol.md §2.5) and keeps one connection for each device."""

    def __init__(self, platform: Platform, on_publish: Callable[[CloudDevice, Publish], None]) -> None:
        """Serve the devices of the platform; `on_publish` gets what they publish."""
        self._platform = platform
        self._on_publish = on_publish
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen and return the port; raise OSError. asyncio itself sets TCP_NODELAY on every connection."""
        self._tls = tls
        self._server = await asyncio.start_server(self._accept, host, port)
        bound_port: int = self._server.sockets[0].getsockname()[1]
        return bound_port

    async def stop(self) -> None:
        """Close the socket and all connections, and wait until their tasks have ended."""
        if self._server is None:
            return
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening)
        for _ in range(2):  # what was just accepted is attached to the server, then passed to `_accept`
            await asyncio.sleep(0)
        self._server.close()
        for device in self._platform.registry.devices.values():
            if device.connection is not None:
                device.connection.close("the simulator stops")
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._tls is not None:
            try:
                reader, writer = await begin_tls(writer, self._tls)
            except OSError:
                return
        try:
            await self.converse(reader, TcpStream(writer, encrypted=self._tls is not None))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def converse(self, reader: asyncio.StreamReader, stream: Stream) -> None:
        """Speak MQTT with a device from its CONNECT to the end of the connection."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                packet = await read_packet(reader)
        except TimeoutError, MalformedPacketError:
            return
        if not isinstance(packet, Connect):
            return
        try:
            admitted = admit(self._platform, packet, encrypted=stream.encrypted)
        except RefusedError as refused:
            self._note(packet.username or "", packet, f"refused with {refused.code}: {refused.reason}")
            stream.write(connect_acknowledgement(refused.code))
            return
        if isinstance(admitted, Registered):
            self._note(admitted.name, packet, "registered")
            await self._hand_out(admitted, reader, stream)
            return
        await self._connect(admitted, packet, reader, stream)

    async def _connect(self, admitted: Admitted, packet: Connect, reader: asyncio.StreamReader, stream: Stream) -> None:
        device = admitted.device
        implicit = admitted.client.implicit_filters if self._platform.options.dialect.subscribes else ()
        session, present = device.open_session(implicit, persistent=not packet.clean_session)
        connection = MqttConnection(
            admitted,
            reader,
            stream,
            keep_alive=packet.keep_alive,
            session=session,
            platform=self._platform,
            on_publish=self._on_publish,
        )
        self._note(device.name, packet, "connected, session present" if present else "connected")
        stream.write(connect_acknowledgement(0, session_present=present))
        device.attach(connection)
        self._platform.came_online(device)
        await connection.run()

    async def _hand_out(self, registered: Registered, reader: asyncio.StreamReader, stream: Stream) -> None:
        """Send what registration gives to the device, and wait until it disconnects; it can do nothing else."""
        payload = dump(registered.content).encode()
        stream.write(connect_acknowledgement(0))
        self._platform.transcript.record(Direction.DOWN, registered.name, topic=registered.topic, payload=payload)
        stream.write(publish(registered.topic, payload))
        with suppress(TimeoutError, MalformedPacketError):
            async with asyncio.timeout(REGISTRATION_TIMEOUT):
                while not isinstance(await read_packet(reader), Disconnect | None):
                    pass

    def _note(self, name: str, packet: Connect, note: str) -> None:
        self._platform.transcript.record(Direction.LINK, name, payload=packet.client_id.encode(), note=note)
