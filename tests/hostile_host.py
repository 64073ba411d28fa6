"""A hostile MQTT host: it accepts any device, and then attacks it in one of many ways.

It runs in threads, so that the event loop of a test has only the client to do. `python -m tests.hostile_host` runs it in a
process of its own, for `scripts/bench hostile`: it prints its port and the attacks, then for each line `[attack, seconds]` the
outcome.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain, count, repeat
import json
from pathlib import Path
import re
import ssl
import struct
import sys
from tempfile import TemporaryDirectory
import threading
from typing import Any, Final, Self

from .alink.certificates import Authority

ACCEPTED: Final = b"\x20\x02\x00\x00"

PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 0x30, 0x40, 0x90, 0xB0, 0xD0
QOS_1, QOS_2, RETAIN, DUP = 0x02, 0x04, 0x01, 0x08

CHUNK: Final = 16 * 1024
"""Bytes that are sent at once; with TLS they are one record."""

MEGABYTE: Final = 1024 * 1024

SLOWLY: Final = 0.1
"""Seconds between single bytes."""

LARGEST: Final = 256 * 1024
"""Bytes of the largest payload of the platform."""


@dataclass(frozen=True, slots=True)
class Target:
    """The attacked device; `system` is `/sys/{ProductKey}/{DeviceName}/`."""

    system: str

    @property
    def property_set(self) -> str:
        """The topic on which the cloud sets properties."""
        return f"{self.system}thing/service/property/set"

    @property
    def post_reply(self) -> str:
        """The topic of the replies to property posts."""
        return f"{self.system}thing/event/property/post_reply"

    @property
    def time(self) -> str:
        """The topic of the time service."""
        return f"/ext/ntp/{self.system.removeprefix('/sys/')}response"

    def call(self, number: int) -> str:
        """The topic of a synchronous call."""
        return f"{self.system}rrpc/request/{number}"


type Attack = Callable[[Target], Iterable[bytes]]


def header(first: int, length: int) -> bytes:
    """Return a fixed header."""
    encoded = bytearray([first])
    while True:
        length, low = length >> 7, length & 0x7F
        encoded.append(low | 0x80 if length else low)
        if not length:
            return bytes(encoded)


def message(topic: str | bytes, payload: bytes, flags: int = 0, packet_id: int = 1) -> bytes:
    """Return a PUBLISH; `flags` are the low bits of its first byte."""
    name = topic.encode() if isinstance(topic, str) else topic
    identified = struct.pack("!H", packet_id % 65535 + 1) if flags & (QOS_1 | QOS_2) else b""
    content = struct.pack("!H", len(name)) + name + identified + payload
    return header(PUBLISH | flags, len(content)) + content


def command(number: int, params: bytes = b'{"LightSwitch":1}') -> bytes:
    """Return the payload of a command with an id of its own."""
    return b'{"id":"%d","params":%s}' % (number, params)


def wide(content: bytes) -> bytes:
    """Return params of about the largest size that repeat a piece of JSON."""
    return b'{"x":[%s0]}' % (content * ((LARGEST - 200) // len(content)))


def _in_chunks(packets: Iterable[bytes], first: int = CHUNK) -> Iterator[bytes]:
    """Cut a stream of packets into chunks; the first one has `first` bytes."""
    stream = bytearray()
    size = first
    for packet in packets:
        stream += packet
        while len(stream) >= size:
            yield bytes(stream[:size])
            del stream[:size]
            size = CHUNK


def _begun(topic: str, length: int, sent: int) -> Iterator[bytes]:
    """Begin a message of `length` bytes, and stop after `sent`."""
    yield header(PUBLISH, length) + struct.pack("!H", len(topic)) + topic.encode()
    yield from repeat(b"x" * CHUNK, sent // CHUNK)


def _aligned(target: Target) -> Iterator[bytes]:
    """Yield commands of 256 bytes, which divide a chunk."""
    for number in count():
        room = 256 - 3 - 2 - len(target.property_set)
        yield message(target.property_set, command(number).ljust(room))


def _slowly(data: bytes) -> Iterator[bytes]:
    """Yield byte by byte."""
    for byte in data:
        yield bytes([byte])


def _every_type(first: int) -> Attack:
    return lambda _target: chain([header(first, 2**28 - 1)], repeat(b"x" * CHUNK))


ATTACKS: Final[Mapping[str, Attack]] = {
    "records without an end of a packet": lambda to: _in_chunks(_aligned(to), first=CHUNK - 128),
    "messages of QoS 2": lambda to: _in_chunks(
        message(to.property_set, command(number), QOS_2, number) for number in range(60_000)
    ),
    "packets of QoS 2": lambda _: _in_chunks(repeat(b"\x62\x02\x00\x01")),
    "call of 100 MB": lambda to: _begun(to.call(1), 100 * MEGABYTE, 100 * MEGABYTE),
    "time of 20 MB": lambda to: _begun(to.time, 20 * MEGABYTE, 20 * MEGABYTE),
    "unfinished message of 200 MB": lambda to: _begun(to.property_set, 200 * MEGABYTE, 199 * MEGABYTE),
    "CONNACK of 256 MB": _every_type(0x20),
    "PUBACK of 256 MB": _every_type(PUBACK),
    "SUBACK of 256 MB": _every_type(SUBACK),
    "UNSUBACK of 256 MB": _every_type(UNSUBACK),
    "PINGRESP of 256 MB": _every_type(PINGRESP),
    "PINGRESP without end": lambda _: _in_chunks(repeat(b"\xd0\x00")),
    "PUBACK without end": lambda _: _in_chunks(struct.pack("!BBH", PUBACK, 2, 1 + n % 65535) for n in count()),
    "SUBACK without end": lambda _: _in_chunks(struct.pack("!BBHB", SUBACK, 3, 1 + n % 65535, 1) for n in count()),
    "UNSUBACK without end": lambda _: _in_chunks(struct.pack("!BBH", UNSUBACK, 2, 1 + n % 65535) for n in count()),
    "PINGREQ without end": lambda _: _in_chunks(repeat(b"\xc0\x00")),
    "CONNACK without end": lambda _: _in_chunks(repeat(ACCEPTED)),
    "length of five bytes": lambda _: chain([b"\x30\xff\xff\xff\xff\x01"], repeat(b"x" * CHUNK)),
    "slow header": lambda _: _slowly(header(PUBLISH, LARGEST)),
    "slow message": lambda to: _slowly(next(iter(_begun(to.property_set, LARGEST, 0)))),
    "messages of QoS 1": lambda to: _in_chunks(
        message(f"{to.system}thing/x", b"", QOS_1, number) for number in count()
    ),
    "commands without end": lambda to: _in_chunks(message(to.property_set, command(n)) for n in count()),
    "largest commands": lambda to: _in_chunks(
        message(to.property_set, command(n, b'{"x":"%s"}' % (b"y" * (LARGEST - 100)))) for n in count()
    ),
    "one command again and again": lambda to: _in_chunks(repeat(message(to.property_set, command(1), DUP | QOS_1))),
    "retained commands": lambda to: _in_chunks(message(to.property_set, command(n), RETAIN) for n in count()),
    "deep JSON": lambda to: _in_chunks(
        message(to.property_set, command(n, b'{"x":%s}' % (b"[" * 200_000))) for n in count()
    ),
    "wide JSON": lambda to: _in_chunks(message(to.property_set, command(n, wide(b"{},"))) for n in count()),
    "JSON of objects in objects": lambda to: _in_chunks(
        message(to.property_set, command(n, b'{"x":%s1}' % (b'{"a":' * 50_000))) for n in count()
    ),
    "JSON with 300 objects": lambda to: _in_chunks(
        message(to.property_set, command(n, b'{"x":[%s0]}' % (b'{"a":0},' * 300))) for n in count()
    ),
    "texts without an end": lambda to: _in_chunks(
        message(to.property_set, b"{" * 400 + rb'"\""' * 8_000 + b"\\") for _ in count()
    ),
    "JSON of large numbers": lambda to: _in_chunks(
        message(to.property_set, command(n, wide(b"9" * 4_200 + b","))) for n in count()
    ),
    "200 params": lambda to: _in_chunks(
        message(
            to.property_set,
            command(n, json.dumps({f"p{key}": [key] * 24 for key in range(200)}).encode()),
        )
        for n in count()
    ),
    "calls without end": lambda to: _in_chunks(message(to.call(n), command(n)) for n in count()),
    "long topics": lambda to: _in_chunks(message(f"{to.system}{'x/' * 32_000}", b"{}") for _ in count()),
    "topics of control characters": lambda to: _in_chunks(message(f"{to.system}\n\x1b[31m{n}", b"{}") for n in count()),
    "topics that are no text": lambda to: _in_chunks(repeat(message(b"\xff\xfe" * 100, b"{}"))),
    "replies to nothing": lambda to: _in_chunks(
        message(to.post_reply, b'{"id":"%d","code":200,"data":{}}' % n) for n in count()
    ),
    "large replies to nothing": lambda to: _in_chunks(
        message(to.post_reply, b'{"id":"%d","code":200,"data":[%s0]}' % (n, b'{"a":0},' * 12_000)) for n in count()
    ),
    "times that nobody asked for": lambda to: _in_chunks(
        message(to.time, json.dumps({"deviceSendTime": "1", "x": "y" * 250_000}).encode()) for _ in count()
    ),
}
"""What the host sends once the device has subscribed, by name."""

NOT_READ: Final = frozenset({"messages of QoS 1"})
"""Attacks in which the host reads nothing from then on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attack: bytes sent, and whether the device closed the connection."""

    attack: str
    sent: int
    closed: bool


class HostileHost:
    """Listens on loopback, accepts every device, and attacks the newest connection."""

    def __init__(self, *, connack: bytes = ACCEPTED, tls: ssl.SSLContext | None = None) -> None:
        """Answer CONNECT with `connack`; with `tls`, speak TLS."""
        self.port = 0
        self.connections = 0
        self.received: Counter[int] = Counter()
        """The packets of the device, by their first byte."""
        self._connack = connack
        self._tls = tls
        self._attacking = False
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._target: Target | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hostile host", daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close everything."""
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def start(self, name: str, seconds: float) -> Future[Outcome]:
        """Attack the newest connection until the device closes it, but no longer than `seconds`."""
        return asyncio.run_coroutine_threadsafe(self._attack(name, seconds), self._loop)

    def _do[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _stop(self) -> None:
        self._server.close()
        self._server.abort_clients()
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _attack(self, name: str, seconds: float) -> Outcome:
        connection, target = self._connection, self._target
        assert connection is not None
        assert target is not None
        reader, writer = connection
        self._attacking = True
        if name in NOT_READ:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(seconds):
                for chunk in ATTACKS[name](target):
                    writer.write(chunk)
                    await writer.drain()
                    await asyncio.sleep(0 if len(chunk) > 1 else SLOWLY)
                    sent += len(chunk)
                while not reader.at_eof():
                    await asyncio.sleep(0.01)
        closed = writer.transport.is_closing() or reader.at_eof()
        writer.transport.abort()
        return Outcome(name, sent, closed)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._connection = reader, writer
        self._attacking = False
        with suppress(OSError, asyncio.IncompleteReadError):
            while not reader.at_eof():
                first, content = await _read(reader)
                self.received[first] += 1
                if not self._attacking:  # an answer would get into the middle of a packet
                    writer.write(self._answer(first, content))

    def _answer(self, first: int, content: bytes) -> bytes:
        match first:
            case 0x10:
                return self._connack
            case 0x82:
                if device := re.search(rb"/sys/[^/]+/[^/]+/", content):
                    self._target = Target(device[0].decode())
                filters = _filters(content[2:])
                return header(SUBACK, 2 + filters) + content[:2] + b"\x01" * filters
            case 0xA2:
                return header(UNSUBACK, 2) + content[:2]
            case 0xC0:
                return header(PINGRESP, 0)
            case _ if first & 0xF6 == PUBLISH | QOS_1:
                topic_end = 2 + int.from_bytes(content[:2])
                return header(PUBACK, 2) + content[topic_end : topic_end + 2]
        return b""


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the first byte and the content of the next packet."""
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return first, await reader.readexactly(length)


def _filters(content: bytes) -> int:
    """Return how many filters a SUBSCRIBE has."""
    filters = 0
    while content:
        content = content[2 + int.from_bytes(content[:2]) + 1 :]
        filters += 1
    return filters


def main() -> None:
    """Attack as the lines on stdin say; with `--tls` over TLS."""
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder)) if "--tls" in sys.argv else None
        tls = authority.server_context("127.0.0.1") if authority else None
    with HostileHost(tls=tls) as host:
        start = {"port": host.port, "ca": authority.pem if authority else None, "attacks": list(ATTACKS)}
        print(json.dumps(start), flush=True)  # noqa: T201
        for line in sys.stdin:
            name, seconds = json.loads(line)
            outcome = host.start(name, seconds).result()
            print(json.dumps(asdict(outcome)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
