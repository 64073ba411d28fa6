"""Opening the TCP or TLS connection, with a class for every way in which that fails.

Everything here blocks (name resolution, trust store, handshake) and therefore runs in the executor.
"""

import contextlib
from functools import cache
from pathlib import Path
import socket
import ssl

from .endpoint import Endpoint, Transport
from .errors import (
    CertificateInvalid,
    ConnectionRefused,
    ConnectTimeout,
    HostNotFound,
    HostUnreachable,
    TlsFailed,
)

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
        sock = socket.create_connection((endpoint.host, endpoint.port), timeout)
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


def _handshake(sock: socket.socket, endpoint: Endpoint, where: str, timeout: float) -> ssl.SSLSocket:
    try:
        return tls_context(endpoint.ca).wrap_socket(sock, server_hostname=endpoint.host)
    except ssl.SSLCertVerificationError as err:
        raise CertificateInvalid(f"{where}: {err.verify_message}") from err
    except TimeoutError as err:
        raise ConnectTimeout(f"{where} did not answer within {timeout:g} s") from err
    except OSError as err:
        raise TlsFailed(f"{where} does not speak TLS: {getattr(err, 'reason', None) or err}") from err
