"""Two thousand sub-devices of one gateway, the most that the platform allows (docs/protocol.md §10.4)."""

import asyncio
from itertools import batched
import json
import sys
import time
import tracemalloc
from typing import Any

import pytest

from simulator import Note, Simulator
from simulator.broker import packets

from .conftest import KEY, NAME, SECRET
from .gateway_client import SUB_KEY, SUB_SECRET, Key, signed_entry
from .mqtt_device import signed

COUNT = 2000
KEYS: list[Key] = [(SUB_KEY, f"lamp-{number}") for number in range(COUNT)]
SESSION = f"/ext/session/{KEY}/{NAME}/combine/batch_login"


class Wire:
    """The socket of a gateway; paho's thread would be most of what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over a socket."""
        self._reader, self._writer = reader, writer

    async def connect(self) -> None:
        """Send CONNECT and read CONNACK."""
        body = _text("MQTT") + b"\x04\xc2\x00\x3c" + b"".join(map(_text, signed(KEY, NAME, SECRET)))
        self._writer.write(b"\x10" + bytes([len(body) % 128 | 128, len(body) // 128]) + body)
        assert await self._reader.readexactly(4) == b"\x20\x02\x00\x00"

    def publish(self, topic: str, content: object) -> None:
        """Send a message."""
        self._writer.write(packets.publish(topic, json.dumps(content).encode()))

    def request(self, topic: str, params: object) -> None:
        """Send a request."""
        self.publish(topic, {"id": "1", "params": params})

    async def receive(self) -> tuple[str, Any]:
        """Return topic and content of the next PUBLISH."""
        packet = await packets.read_packet(self._reader)
        assert isinstance(packet, packets.Publish), packet
        return packet.topic, json.loads(packet.payload)

    async def replies(self, count: int) -> None:
        """Expect that many replies with code 200."""
        for _ in range(count):
            topic, reply = await self.receive()
            assert (reply["code"], topic.endswith("_reply")) == (200, True), (topic, reply)


def _text(text: str) -> bytes:
    return len(text).to_bytes(2) + text.encode()


@pytest.mark.long
async def test_two_thousand_sub_devices(
    socket_enabled: None, tsl: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are added, log in, post and are set; printed is how long it takes and what they need."""
    async with asyncio.timeout(120), Simulator(logins_per_second=None) as cloud:
        gateway = cloud.add_device(KEY, NAME, SECRET, tsl)
        cloud.add_product(SUB_KEY, tsl)
        tracemalloc.start()
        lamps = [cloud.add_device(*key, SUB_SECRET) for key in KEYS]
        wire = Wire(*await asyncio.open_connection("127.0.0.1", cloud.port))
        await wire.connect()
        for keys in batched(KEYS, 30, strict=False):
            wire.request(f"/sys/{KEY}/{NAME}/thing/topo/add", [signed_entry(key) for key in keys])
            await wire.replies(1)
        for keys in batched(KEYS, 50, strict=True):
            wire.request(SESSION, {"deviceList": [signed_entry(key) for key in keys]})
            await wire.replies(1)
        memory = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert memory < 40e6
        assert all(lamp.online for lamp in lamps)
        started = time.perf_counter()
        for number, (key, name) in enumerate(KEYS):
            wire.request(f"/sys/{key}/{name}/thing/event/property/post", {"Brightness": number % 101})
        await wire.replies(COUNT)
        posted = time.perf_counter() - started
        assert [lamp.properties["Brightness"][0] for lamp in lamps] == [number % 101 for number in range(COUNT)]
        started = time.perf_counter()
        for key, name in KEYS:
            answer = await cloud.call("SetDeviceProperty", ProductKey=key, DeviceName=name, Items={"LightSwitch": 1})
            assert answer["Success"]
            topic, command = await wire.receive()
            assert topic == f"/sys/{key}/{name}/thing/service/property/set"
            wire.publish(f"{topic}_reply", {"id": command["id"], "code": 200, "data": {}})
        await lamps[-1].wait_for(lambda lamp: lamp.service_calls[0].reply is not None)
        commanded = time.perf_counter() - started
        assert all(reply and reply.code == 200 for reply in (lamp.service_calls[0].reply for lamp in lamps))
        assert len(gateway.sub_devices) == COUNT
        assert Note.UNDELIVERED not in {message.note for message in cloud.wire}
    with capsys.disabled():
        sys.stdout.write(
            f"\n{COUNT} sub-devices: {memory / 1e6:.1f} MB after login, "
            f"{COUNT} posts in {posted:.1f} s, {COUNT} sets in {commanded:.1f} s\n"
        )
