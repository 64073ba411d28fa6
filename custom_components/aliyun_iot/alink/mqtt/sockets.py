"""Opening TCP and TLS connections, with an error class for each kind of failure."""

import asyncio
from collections.abc import Buffer
from contextlib import suppress
import fcntl
from functools import cache
from pathlib import Path
import socket
import ssl
import sys
import termios
import time
from typing import Final, override

from aiohappyeyeballs import start_connection

from ..errors import (
    CertificateInvalid,
    ConnectionRefused,
    ConnectTimeout,
    HostNotFound,
    HostUnreachable,
    TlsFailed,
)
from .endpoint import Endpoint, Transport

ROOTS = Path(__file__).with_name("roots.pem")

_TCP_CLOSE: Final = 7
"""The state in Linux's `tcp_states.h` of a connection that does not exist any more."""

RECORD: Final = 16 * 1024
"""Bytes of data in a TLS record."""

NEXT_ADDRESS_DELAY: Final = 0.25
"""Seconds after which the next address of the host is tried as well, as RFC 8305 §5 recommends."""


@cache
def tls_context(ca: str | None) -> ssl.SSLContext:
    """Return a verifying context that trusts the system's roots, the platform's own and `ca` (PEM text).

    Port 8883 chains to the vendor's root and 1883/443 to GlobalSign R1; general trust stores lack both
    (docs/protocol.md §1.2). Blocks: it reads the trust store.

    Raises CertificateInvalid when `ca` is not PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.load_verify_locations(cadata=ROOTS.read_text(encoding="ascii"))
    if ca is not None:
        try:
            context.load_verify_locations(cadata=ca)
        except (ssl.SSLError, TypeError, ValueError) as err:  # TypeError: not even ASCII
            raise CertificateInvalid("the certificate authority is not a PEM certificate") from err
    return context


class TlsSocket(socket.socket):
    """A connected socket with TLS on it.

    A read of `ssl.SSLSocket` handles all TLS records that have arrived before it returns. A hostile host could send any number
    of them that carry no data, such as session tickets, and so keep the event loop busy for seconds. Here each read handles a
    limited part.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str) -> None:
        """Take over a connected socket; the certificate has to be for `host`."""
        super().__init__(sock.family, sock.type, sock.proto, sock.detach())
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._encrypted = b""
        self._accepted = 0

    def handshake(self, timeout: float) -> None:
        """Do the handshake, within `timeout` seconds in all; blocks. Raises OSError, of which TimeoutError is one."""
        until = time.monotonic() + timeout
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._set_deadline(until)
                self._flush()
                self._fill(RECORD)
            except ssl.SSLError:
                with suppress(OSError):  # the alert that tells the host why
                    self._flush()
                raise
            else:
                self._set_deadline(until)
                self._flush()
                return

    @override
    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Return the data in the next `bufsize` bytes of the network, empty at the end; raises BlockingIOError without any.

        This may be as much as a TLS record more, of which the other part came before.
        """
        self._fill(bufsize)
        data = b""
        try:
            while part := self._tls.read(RECORD):
                data += part
        except ssl.SSLWantReadError:
            if not data:
                raise BlockingIOError from None
        except ssl.SSLEOFError:
            pass
        return data

    @override
    def send(self, data: Buffer, flags: int = 0, /) -> int:
        """Send the first part of `data` and return its length. After BlockingIOError the call has to be repeated."""
        if not self._accepted:
            self._accepted = self._tls.write(memoryview(data)[:RECORD])
        self._flush()
        sent, self._accepted = self._accepted, 0
        return sent

    def _set_deadline(self, until: float) -> None:
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError
        self.settimeout(left)

    def _fill(self, size: int) -> None:
        if received := super().recv(size):
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        self._encrypted += self._outgoing.read()
        while self._encrypted:
            self._encrypted = self._encrypted[super().send(self._encrypted) :]


async def open_socket(endpoint: Endpoint, timeout: float) -> socket.socket:
    """Connect to the endpoint and return the socket, ready for MQTT; the host's name is looked up each time.

    The addresses of the host are tried in parallel, so an unreachable one does not delay the others. `timeout` is in seconds
    from the call and limits the TLS handshake, which runs in the executor; the caller limits the rest.

    Nagle's algorithm is off: small writes must not wait for the delayed acknowledgement of earlier ones, which takes 40 ms.

    Raises a ConnectError that names the cause.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    sock = await _connect(endpoint)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    if endpoint.transport is Transport.TCP:
        return sock
    handshake = loop.run_in_executor(None, _handshake, sock, endpoint, timeout, timeout - (loop.time() - began))
    try:
        await asyncio.wait((handshake,))
    except asyncio.CancelledError:
        handshake.add_done_callback(_discard)  # the executor's job cannot be cancelled
        raise
    return handshake.result()


def source_address(sock: socket.socket) -> str | None:
    """Return the local address from which the system would reach the peer of `sock` now, or None without a route.

    A change means that the network has changed. Sends nothing.
    """
    try:
        with socket.socket(sock.family, socket.SOCK_DGRAM) as probe:
            probe.connect(sock.getpeername())
            source: str = probe.getsockname()[0]
            return source
    except OSError:
        return None


def unacknowledged(sock: socket.socket) -> int:
    """Return how many sent bytes the peer's TCP has not acknowledged yet; 0 where the system does not say."""
    try:
        count = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError, ValueError:  # ValueError: the socket is closed
        return 0
    return int.from_bytes(count, sys.byteorder)


def was_reset(sock: socket.socket) -> bool:
    """Return whether the peer, or something on the way, has reset the connection instead of closing it.

    After an orderly close the system waits for this side to close as well. False where the system does not tell.
    """
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_CLOSE
    except AttributeError, OSError:
        return False


async def _connect(endpoint: Endpoint) -> socket.socket:
    loop = asyncio.get_running_loop()
    where = f"{endpoint.host}:{endpoint.port}"
    try:
        addresses = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        return await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_DELAY, loop=loop)
    except (socket.gaierror, UnicodeError) as err:
        raise HostNotFound(f"no such host: {endpoint.host}") from err
    except ConnectionRefusedError as err:
        raise ConnectionRefused(f"nothing listens on {where}") from err
    except TimeoutError as err:
        raise ConnectTimeout(f"{where} did not answer") from err
    except OSError as err:
        raise HostUnreachable(f"{where}: {err.strerror or err}") from err


def _handshake(sock: socket.socket, endpoint: Endpoint, timeout: float, left: float) -> TlsSocket:
    """Wrap a connected socket in TLS; closes it when that fails. `left` is what remains of `timeout`, in seconds."""
    where = f"{endpoint.host}:{endpoint.port}"
    try:
        secure = TlsSocket(sock, tls_context(endpoint.ca), endpoint.host)
        sock = secure
        secure.handshake(left)
    except BaseException as err:
        sock.close()
        match err:
            case ssl.SSLCertVerificationError():
                raise CertificateInvalid(f"{where}: {err.verify_message}") from err
            case TimeoutError():
                raise ConnectTimeout(f"{where} did not answer within {timeout:g} s") from err
            case OSError():
                raise TlsFailed(f"{where} does not speak TLS: {getattr(err, 'reason', None) or err}") from err
        raise
    return secure


def _discard(handshake: asyncio.Future[TlsSocket]) -> None:
    if not handshake.cancelled() and handshake.exception() is None:
        handshake.result().close()
