"""TLS on a connection that has been accepted.

A TLS listener of asyncio would do it in one step, but it reports every failed handshake as an error of the program, and
a client that does not trust a certificate is nothing of that sort.
"""

import asyncio
import ssl

SHUTDOWN_TIMEOUT = 1.0


async def begin_tls(
    plain: asyncio.StreamWriter, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Shake hands and return the streams inside; raise OSError, and then the connection is closed.

    Nothing may have been read yet. `plain` has to be kept until the end and is not to be waited for.
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
