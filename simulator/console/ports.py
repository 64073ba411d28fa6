"""Ports that stay free while nothing listens on them."""

from collections.abc import Iterator
from contextlib import contextmanager
import socket


@contextmanager
def reserved_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Yield a port on which only who asks for it can listen, so that a server can be stopped and started again.

    A connection to it is refused while nothing listens. The kernel gives a port that is bound to no one else.
    """
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind((host, 0))
        yield reservation.getsockname()[1]
