"""The two ways to speak MQTT: over a TCP socket, with or without TLS, and over a WebSocket."""

import asyncio
from contextlib import suppress
from typing import Protocol, cast

from aiohttp import WSMsgType, web


class Stream(Protocol):
    """Where the packets for a device are written to."""

    @property
    def encrypted(self) -> bool:
        """Whether TLS is used."""

    def write(self, data: bytes) -> None:
        """Write without waiting."""

    def abort(self) -> None:
        """Close at once."""

    def pause_reading(self) -> None:
        """Leave what the device sends in the socket, as far as possible."""

    def resume_reading(self) -> None:
        """Undo pause_reading()."""


class TcpStream:
    """A TCP socket."""

    def __init__(self, writer: asyncio.StreamWriter, *, encrypted: bool) -> None:
        """Write to this socket."""
        self.encrypted = encrypted
        self._writer = writer
        self._transport = cast("asyncio.Transport", writer.transport)

    def write(self, data: bytes) -> None:
        """See Stream. What comes after the end of the connection is dropped; asyncio would log each such write."""
        if not self._transport.is_closing():
            self._writer.write(data)

    def abort(self) -> None:
        """See Stream."""
        self._transport.abort()

    def pause_reading(self) -> None:
        """See Stream."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See Stream."""
        self._transport.resume_reading()


class WebSocketStream:
    """A WebSocket. Its messages are a stream of bytes: packets need not begin or end with them."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, *, encrypted: bool) -> None:
        """Take over a WebSocket that is open."""
        self.encrypted = encrypted
        self.reader = asyncio.StreamReader()
        self._socket = socket
        self._transport = transport
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()

    def write(self, data: bytes) -> None:
        """See Stream."""
        self._outgoing.put_nowait(data)

    def abort(self) -> None:
        """See Stream."""
        self.reader.feed_eof()
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Do nothing: a connection that is frozen does not take what was read."""

    def resume_reading(self) -> None:
        """Do nothing."""

    async def read(self) -> None:
        """Pass on what the device sends, until it closes the WebSocket; a text ends it, too."""
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY:
                break
            self.reader.feed_data(message.data)
        self.reader.feed_eof()

    async def send(self) -> None:
        """Send what is written, until the WebSocket is closed."""
        with suppress(ConnectionError):
            while True:
                await self._socket.send_bytes(await self._outgoing.get())

    async def drain(self) -> None:
        """Wait until everything is sent, unless the WebSocket is closed."""
        with suppress(ConnectionError):
            while not self._outgoing.empty():
                await self._socket.send_bytes(self._outgoing.get_nowait())
