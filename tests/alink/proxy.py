"""A router between device and cloud, which can swallow data and reset connections."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Self


class Way(Enum):
    """The two directions."""

    UP = auto()
    """From the device to the cloud."""
    DOWN = auto()


BOTH = frozenset(Way)


@dataclass(slots=True, eq=False)
class _Path:
    """One connection through the router."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    swallowed: frozenset[Way] = field(default_factory=frozenset)


class Proxy:
    """Listens on loopback and forwards every connection to one port."""

    def __init__(self, target: int) -> None:
        """Forward to the port `target`."""
        self.port = 0
        self.target = target
        self.connections = 0
        self._paths: set[_Path] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close everything."""
        self._server.close()
        self.cut()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    def swallow(self, ways: frozenset[Way] = BOTH) -> None:
        """Drop all data on the present connections, like a firewall rule; new connections are forwarded."""
        for path in self._paths:
            path.swallowed = ways

    def cut(self) -> None:
        """Reset the present connections on both sides."""
        for path in self._paths:
            for writer in path.writers:
                writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_cloud, to_cloud = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        path = _Path((writer, to_cloud))
        self._paths.add(path)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass(path, Way.UP, reader, to_cloud))
                both.create_task(_pass(path, Way.DOWN, from_cloud, writer))
        finally:
            self._paths.discard(path)


async def _pass(path: _Path, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            if way not in path.swallowed:
                writer.write(data)
    except ConnectionError:
        pass
    if way not in path.swallowed:  # the end of a connection does not get through either
        writer.close()
