"""TLS on an accepted connection.

A TLS listener of asyncio would do this in one step, but it logs every failed handshake as an error. A client that does not
trust the certificate is no error of the simulator.
"""

import asyncio
import ssl

SHUTDOWN_TIMEOUT = 1.0


async def begin_tls(
    plain: asyncio.StreamWriter, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Do the handshake and return the encrypted streams; raise OSError, after closing the connection.

    Nothing may have been read from the connection yet. The caller has to keep `plain` until the connection ends, and must
    not wait for it.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport = await loop.start_tls(
        plain.transport, protocol, context, server_side=True, ssl_shutdown_timeout=SHUTDOWN_TIMEOUT
    )
    if transport is None:
        raise ConnectionAbortedError("closed during the TLS handshake")
    protocol.connection_made(transport)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
