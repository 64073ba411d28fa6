"""Opening the TCP or TLS connection, with a class for every way in which that fails.

Everything here blocks (name resolution, trust store, handshake) and therefore runs in the executor.
"""

import contextlib
import fcntl
from functools import cache
from pathlib import Path
import socket
import ssl
import sys
import termios

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


@cache
def tls_context(ca: str | None) -> ssl.SSLContext:
    """Return a verifying context that trusts the system's roots, the platform's own and `ca` (PEM text).

    Port 8883 chains to the vendor's root and 1883/443 to GlobalSign R1; general trust stores lack both
    (docs/protocol.md §1.2).

    Raises CertificateInvalid when `ca` is not PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.load_verify_locations(cadata=ROOTS.read_text(encoding="ascii"))
    if ca is not None:
        try:
            context.load_verify_locations(cadata=ca)
        except (ssl.SSLError, TypeError, ValueError) as err:  # TypeError: not even ASCII
            raise CertificateInvalid("the certificate authority is not a PEM certificate") from err
    return context


def open_socket(endpoint: Endpoint, timeout: float) -> socket.socket:
    """Connect to the endpoint and return the socket, ready for MQTT.

    Small writes must not wait for the delayed acknowledgement of earlier ones, so Nagle's algorithm is off: a
    reply then takes less than a millisecond instead of 40.

    Raises a ConnectError that names the cause.
    """
    where = f"{endpoint.host}:{endpoint.port}"
    try:
        sock = _connect(endpoint, timeout)
    except (socket.gaierror, UnicodeError) as err:
        raise HostNotFound(f"no such host: {endpoint.host}") from err
    except ConnectionRefusedError as err:
        raise ConnectionRefused(f"nothing listens on {where}") from err
    except TimeoutError as err:
        raise ConnectTimeout(f"{where} did not answer within {timeout:g} s") from err
    except OSError as err:
        raise HostUnreachable(f"{where}: {err.strerror or err}") from err
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(sock.close)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.transport is Transport.TLS:
            sock = _handshake(sock, endpoint, where, timeout)
        on_failure.pop_all()
    return sock


def _connect(endpoint: Endpoint, timeout: float) -> socket.socket:
    """Connect to the first address of the host that answers, looked up anew each time.

    The addresses share the time: where IPv6 leads nowhere, the first one must not use up what the others need.
    """
    addresses = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    failure = OSError("the name has no address")
    for *_, address in addresses:
        try:
            return socket.create_connection((str(address[0]), int(address[1])), timeout / len(addresses))
        except OSError as err:
            failure = err
    raise failure


def source_address(sock: socket.socket) -> str | None:
    """Return the address of this machine from which the system would reach the other side of `sock` now.

    Another one than before means that the network has changed; None, that there is no way at all. Nothing is sent.
    """
    try:
        with socket.socket(sock.family, socket.SOCK_DGRAM) as asking:
            asking.connect(sock.getpeername())
            source: str = asking.getsockname()[0]
            return source
    except OSError:
        return None


def unacknowledged(sock: socket.socket) -> int:
    """Return how many of the bytes sent the other side's TCP has not confirmed yet; 0 where the system does not tell."""
    try:
        count = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError, ValueError:  # ValueError: it is closed
        return 0
    return int.from_bytes(count, sys.byteorder)


def _handshake(sock: socket.socket, endpoint: Endpoint, where: str, timeout: float) -> ssl.SSLSocket:
    try:
        return tls_context(endpoint.ca).wrap_socket(sock, server_hostname=endpoint.host)
    except ssl.SSLCertVerificationError as err:
        raise CertificateInvalid(f"{where}: {err.verify_message}") from err
    except TimeoutError as err:
        raise ConnectTimeout(f"{where} did not answer within {timeout:g} s") from err
    except OSError as err:
        raise TlsFailed(f"{where} does not speak TLS: {getattr(err, 'reason', None) or err}") from err
