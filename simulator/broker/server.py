"""The MQTT server: which devices may connect, and the connection of each."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import ssl

from ..core.device import CloudDevice
from ..core.platform import Platform
from ..core.transcript import Direction
from .connection import MqttConnection
from .identity import (
    MALFORMED_CLIENT_ID,
    NOT_AUTHORIZED,
    UNACCEPTABLE_PROTOCOL,
    UNAVAILABLE,
    ClientId,
    RefusedError,
    check_signature,
    parse_user_name,
)
from .packets import Connect, MalformedPacketError, Publish, connect_acknowledgement, read_packet
from .tls import begin_tls

CONNECT_TIMEOUT = 10.0
KEEP_ALIVE = range(30, 1201)
PROTOCOLS = {("MQTT", 4), ("MQIsdp", 3)}


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
            await self._converse(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                packet = await read_packet(reader)
        except TimeoutError, MalformedPacketError:
            return
        if not isinstance(packet, Connect):
            return
        try:
            device, client = self._admit(packet)
        except RefusedError as refused:
            self._platform.transcript.record(
                Direction.LINK, packet.username or "", note=f"refused with {refused.code}: {refused.reason}"
            )
            writer.write(connect_acknowledgement(refused.code))
            return
        connection = MqttConnection(
            device,
            client,
            reader,
            writer,
            keep_alive=packet.keep_alive,
            faults=self._platform.faults,
            transcript=self._platform.transcript,
            on_publish=self._on_publish,
        )
        self._platform.transcript.record(
            Direction.LINK, device.name, payload=packet.client_id.encode(), note="connected"
        )
        writer.write(connect_acknowledgement(0))
        device.attach(connection)
        await connection.run()

    def _admit(self, packet: Connect) -> tuple[CloudDevice, ClientId]:
        """Return the device that connects; raise RefusedError."""
        if (code := self._platform.faults.take_refusal()) is not None:
            raise RefusedError(code, "on demand")
        if packet.protocol not in PROTOCOLS:
            raise RefusedError(UNACCEPTABLE_PROTOCOL, "not MQTT 3.1 or 3.1.1")
        client = ClientId.parse(packet.client_id)
        product_key, device_name = parse_user_name(packet.username)
        device = self._platform.registry.devices.get((product_key, device_name))
        if device is None:
            raise RefusedError(NOT_AUTHORIZED, "no such device")
        if not device.may_connect(self._platform.options.connects_per_minute):
            raise RefusedError(UNAVAILABLE, f"more than {self._platform.options.connects_per_minute} connects in 60 s")
        check_signature(client, product_key, device_name, device.device_secret, packet.password)
        if device.disabled:
            raise RefusedError(NOT_AUTHORIZED, "device is disabled")
        if packet.keep_alive not in KEEP_ALIVE:
            raise RefusedError(MALFORMED_CLIENT_ID, f"keep-alive {packet.keep_alive} is not in 30 to 1200")
        return device, client
