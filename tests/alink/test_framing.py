"""Packets are cut from any pieces, and TLS is read in parts."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
import socket
import ssl
import time

import pytest

from custom_components.aliyun_iot.alink.errors import ConnectionLost
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.mqtt.framing import Framing, Packet
from custom_components.aliyun_iot.alink.mqtt.sockets import RECORD, TlsSocket, open_socket

from ..hostile_host import ACCEPTED, header, message
from ..waiting import until
from .certificates import Authority
from .scripted import ScriptedHost

pytestmark = pytest.mark.usefixtures("socket_enabled", "loop_errors")


def test_packets_are_cut_from_any_pieces() -> None:
    """Whatever the pieces, the packets are the same."""
    sent = [message("/a", bytes(size), packet_id=size) for size in (0, 1, 127, 128, 20_000)] * 3
    stream = ACCEPTED + b"".join(sent)
    for piece in (1, 2, 3, 7, 128, 16_384, len(stream)):
        framing = Framing()
        found: list[Packet] = []
        for start in range(0, len(stream), piece):
            framing.feed(stream[start : start + piece])
            while packet := framing.take():
                found.append(packet)
        assert b"".join(header(one.first, len(one.content)) + one.content for one in found) == stream
        assert framing.buffered == 0


@pytest.mark.parametrize("first", [0x00, 0x10, 0x21, 0x36, 0x41, 0x80, 0x91, 0xA2, 0xC0, 0xD1, 0xE0, 0xF0])
def test_first_bytes_that_no_host_sends_are_refused(first: int) -> None:
    """At once, before a length."""
    framing = Framing()
    framing.feed(ACCEPTED)
    assert framing.take()
    framing.feed(bytes([first]))
    with pytest.raises(ConnectionLost):
        framing.take()


async def test_tls_records_without_data_are_read_in_parts(tmp_path: Path) -> None:
    """Session tickets come after the handshake, in any number; one read handles only some."""
    authority = Authority(tmp_path)
    context = authority.server_context("127.0.0.1")
    context.num_tickets = 2000
    async with ScriptedHost(tls=context) as host:
        sock = await open_socket(Endpoint("127.0.0.1", host.port, Transport.TLS, authority.pem), 10)
        assert isinstance(sock, TlsSocket)
        sock.setblocking(False)
        await until(lambda: host.connections)
        host.send(b"the end")
        fills = 0
        with counted_fills(sock) as sizes:
            data = b""
            async with asyncio.timeout(10):
                while not data:
                    fills += 1
                    try:
                        data = sock.recv(RECORD)
                    except BlockingIOError:
                        await asyncio.sleep(0)
        assert data == b"the end"
        assert len(sizes) == fills > 2
        assert max(sizes) <= RECORD
        sock.close()


@contextmanager
def counted_fills(sock: TlsSocket) -> Iterator[list[int]]:
    """Yield the sizes of the reads from the network."""
    sizes: list[int] = []
    fill: Callable[[int], None] = sock._fill

    def counted(size: int) -> None:
        sizes.append(size)
        fill(size)

    sock._fill = counted  # type: ignore[method-assign]
    yield sizes
    sock._fill = fill  # type: ignore[method-assign]


async def test_slow_handshake_ends_in_time(tmp_path: Path) -> None:
    """A host that sends single bytes keeps no thread of the executor busy."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours, theirs = socket.socketpair()
    with theirs:
        secure = TlsSocket(ours, context, "localhost")
        dripping = asyncio.get_running_loop().run_in_executor(None, _drip, theirs)
        with pytest.raises(TimeoutError):
            await asyncio.get_running_loop().run_in_executor(None, secure.handshake, 0.3)
        secure.close()
        await dripping


def _drip(sock: socket.socket) -> None:
    """Send the header of a long record, and then byte by byte."""
    try:
        for byte in b"\x16\x03\x03\x3f\xff" + bytes(10_000):
            sock.send(bytes([byte]))
            time.sleep(0.01)
    except OSError:
        return
