"""The simulator with a gateway and its sub-devices, in a process of its own, with all limits of the platform.

    python -m bench.gateway_cloud COUNT SECRET

prints `{"port": …}` and then answers each line `["wait", seconds]` and `["cut"]`.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
import json
import sys
from typing import Any

from simulator import Direction, NodeType, Note, Simulator, WireMessage

from .children import Child, child

GATEWAY_KEY, GATEWAY_NAME = "a1GwBench01", "gateway"
SUB_KEY = "a1SubBench1"
VALUES = 3
"""Values of each sub-device."""
POLL_INTERVAL = 0.01


@dataclass(slots=True)
class Round:
    """What happened after a CONNACK.

    Seconds until all sub-devices were online and until all their values had arrived (None if they never did), the messages
    of the gateway by topic, those that were dropped, and the codes of replies other than 200.
    """

    online_seconds: float | None = None
    values_seconds: float | None = None
    messages: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    codes: dict[str, int] = field(default_factory=dict)


class GatewayCloud:
    """The cloud in the other process."""

    def __init__(self, process: Child, port: int) -> None:
        """Devices connect to `port` on loopback."""
        self.port = port
        self._process = process

    async def wait(self, seconds: float) -> Round:
        """Wait until all sub-devices are online with all values, and return what happened since the last CONNACK."""
        return Round(**await self._process.ask(["wait", seconds]))

    async def cut(self) -> None:
        """Close the connection of the gateway, and forget all values."""
        await self._process.ask(["cut"])


@asynccontextmanager
async def gateway_cloud(count: int, secret: str) -> AsyncIterator[GatewayCloud]:
    """Run the cloud in a child process; the gateway and its sub-devices have the same secret."""
    async with child(sys.executable, "-m", "bench.gateway_cloud", str(count), secret) as process:
        yield GatewayCloud(process, (await process.read())["port"])


def sub_name(number: int) -> str:
    """Return the name of a sub-device."""
    return f"sub-{number}"


def identifier(number: int) -> str:
    """Return the identifier of a property of each sub-device."""
    return f"Value{number}"


class _Account:
    """The messages since the last cut."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.messages: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.dropped = 0
        self.values: set[tuple[str, str]] = set()

    def record(self, message: WireMessage) -> None:
        """Record a message."""
        kind = (
            message.topic.split("/", 4)[-1] if message.topic.startswith("/sys/") else message.topic.rpartition("/")[2]
        )
        if message.direction is Direction.UP:
            self.messages[kind] += 1
            self.dropped += message.note in (Note.RATE_LIMITED, Note.NO_SESSION)
            if message.note:
                return
            if kind == "thing/event/property/post":
                name = message.topic.split("/")[3]
                self.values |= {(name, key) for key in json.loads(message.payload)["params"]}
            elif kind.endswith("pack/post"):
                for part in json.loads(message.payload)["params"]["subDevices"]:
                    self.values |= {(part["identity"]["deviceName"], key) for key in part["properties"]}
        elif message.topic.endswith("_reply") and (code := json.loads(message.payload).get("code")) != 200:
            self.codes[str(code)] += 1


async def _serve(count: int, secret: str) -> None:
    account = _Account()
    async with Simulator(rate_limit=True, on_wire=account.record) as cloud:
        cloud.add_product(GATEWAY_KEY, node_type=NodeType.GATEWAY)
        cloud.add_product(SUB_KEY)
        gateway = cloud.add_device(GATEWAY_KEY, GATEWAY_NAME, secret)
        subs = [cloud.add_device(SUB_KEY, sub_name(number), secret) for number in range(count)]
        _write_line({"port": cloud.port})
        questions = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
        loop = asyncio.get_running_loop()
        while line := await questions.readline():
            match json.loads(line):
                case ["wait", float() | int() as seconds]:
                    await gateway.wait_for(lambda device: device.online, seconds)
                    began, result = loop.time(), Round()
                    while loop.time() - began < seconds and result.values_seconds is None:
                        await asyncio.sleep(POLL_INTERVAL)
                        if result.online_seconds is None and all(sub.online for sub in subs):
                            result.online_seconds = loop.time() - began
                        if result.online_seconds is not None and len(account.values) == count * VALUES:
                            result.values_seconds = loop.time() - began
                    result.messages, result.codes = dict(account.messages), dict(account.codes)
                    result.dropped = account.dropped
                    _write_line(asdict(result))
                case ["cut"]:
                    account.clear()
                    if gateway.connection:
                        gateway.connection.close("an outage")
                    _write_line(None)


def _write_line(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))
