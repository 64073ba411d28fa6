"""The simulator in a process of its own, which keeps account of every value that arrives.

    python -m bench.ledger '[["device-name", "secret"], …]' COUNT RATE_LIMIT

knows devices with COUNT sensors (`sensors.py`), drops what exceeds the platform's rate if RATE_LIMIT is 1, and answers
`{"port": …}`, and then each line `["wait_online", device]`, `["wait_values", device, values, seconds]`, `["tally", device]`
or `["refuse", bool]`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
import json
import sys
from typing import Any

from simulator import Direction, Note, Simulator, WireMessage

from .children import Child, child
from .device import PRODUCT_KEY, Device
from .sensors import Sensors

PATIENCE = 30.0
LOOK = 0.005

type Arrival = tuple[str, int, int, int]
"""Property, value, its own time and that of its arrival, in UTC milliseconds; own time 0 where the message has none."""


@dataclass(slots=True)
class Tally:
    """What one device has sent: messages, how many the platform dropped, how many had values, and those values."""

    messages: int = 0
    dropped: int = 0
    with_values: int = 0
    most_values: int = 0
    most_bytes: int = 0
    arrivals: list[Arrival] = field(default_factory=list)


class Ledger:
    """The cloud in the other process."""

    def __init__(self, process: Child, port: int) -> None:
        """Talk to it by `process`; devices connect to `port` on loopback."""
        self.port = port
        self._process = process

    async def wait_online(self, device: Device) -> None:
        """Wait until a device is connected."""
        await self._process.ask(["wait_online", device.device_name])

    async def wait_values(self, device: Device, values: Mapping[str, int], seconds: float) -> int:
        """Wait until the newest value of each property is this; return how many are not when the time is over."""
        missing: int = await self._process.ask(["wait_values", device.device_name, values, seconds])
        return missing

    async def tally(self, device: Device) -> Tally:
        """Return what a device has sent since this was asked last."""
        answer = await self._process.ask(["tally", device.device_name])
        return Tally(**answer)

    async def refuse(self, *, everybody: bool) -> None:
        """Break all connections and let nobody in, or do so no more."""
        await self._process.ask(["refuse", everybody])


@asynccontextmanager
async def ledger_process(devices: Iterable[Device], count: int, *, rate_limit: bool = False) -> AsyncIterator[Ledger]:
    """Run the cloud beside this process."""
    triples = json.dumps([[device.device_name, device.secret] for device in devices])
    async with child(sys.executable, "-m", "bench.ledger", triples, str(count), str(int(rate_limit))) as process:
        yield Ledger(process, (await process.hear())["port"])


class _Accounts:
    """Every device's tally, and the newest value of each property."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self.newest: dict[str, dict[str, int]] = {}

    def take(self, message: WireMessage) -> None:
        """Enter a message."""
        if message.direction is not Direction.UP:
            return
        name = message.device.partition("/")[2]
        tally = self.tallies.setdefault(name, Tally())
        tally.messages += 1
        if message.note == Note.RATE_LIMITED:
            tally.dropped += 1
            return
        arrived = int(message.at * 1000)
        past = message.topic.endswith("/history/post")
        values = 0
        for identifier, value, at in _values(message):
            values += 1
            tally.arrivals.append((identifier, value, at, arrived))
            if not past:
                self.newest.setdefault(name, {})[identifier] = value
        tally.with_values += values > 0
        tally.most_values = max(tally.most_values, values)
        tally.most_bytes = max(tally.most_bytes, len(message.payload))

    def missing(self, name: str, values: Mapping[str, int]) -> int:
        """Return how many of these values are not the newest ones."""
        newest = self.newest.get(name, {})
        return sum(newest.get(identifier) != value for identifier, value in values.items())


def _values(message: WireMessage) -> Iterator[tuple[str, int, int]]:
    """Return the values in a message: property, value and its time."""
    if "/user/" in message.topic:  # of mqtt_statestream: …/sensor/power_7/state
        *_, name, kind = message.topic.split("/")
        if kind == "state":
            yield name.capitalize(), int(message.payload), 0
        return
    if not message.topic.endswith("/property/post") and "/property/" not in message.topic:
        return
    params = json.loads(message.payload)["params"]
    if message.topic.endswith("/history/post"):
        pairs = [pair for part in params for group in part["properties"] for pair in group.items()]
    elif message.topic.endswith("/batch/post"):
        pairs = [(identifier, one) for identifier, row in params["properties"].items() for one in row]
    elif message.topic.endswith("/event/property/post"):
        pairs = list(params.items())
    else:
        return
    for identifier, one in pairs:
        yield (identifier, one["value"], one["time"]) if isinstance(one, dict) else (identifier, one, 0)


async def _serve(triples: list[list[str]], count: int, *, rate_limit: bool) -> None:
    accounts = _Accounts()
    async with Simulator(connects_per_minute=None, rate_limit=rate_limit, on_wire=accounts.take) as cloud:
        model = Sensors(count).thing_model() | {"profile": {"productKey": PRODUCT_KEY}}
        devices = {name: cloud.add_device(PRODUCT_KEY, name, secret, model) for name, secret in triples}
        _say({"port": cloud.port})
        questions = asyncio.StreamReader(limit=2**24)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
        while line := await questions.readline():
            match json.loads(line):
                case ["wait_online", str(name)]:
                    await devices[name].wait_for(lambda device: device.online, PATIENCE)
                    _say(None)
                case ["wait_values", str(name), dict(values), float() | int() as seconds]:
                    _say(await _wait(accounts, name, values, seconds))
                case ["tally", str(name)]:
                    _say(asdict(accounts.tallies.pop(name, Tally())))
                    _forget(devices[name].samples, devices[name].user_messages)
                case ["refuse", bool(everybody)]:
                    cloud.faults.set(refuse_connect={"code": 3} if everybody else None)
                    for device in devices.values():
                        if everybody and device.connection:
                            device.connection.close("an outage")
                    _say(None)


async def _wait(accounts: _Accounts, name: str, values: Mapping[str, int], seconds: float) -> int:
    try:
        async with asyncio.timeout(seconds):
            while accounts.missing(name, values):  # noqa: ASYNC110 - asking costs less than telling at every message
                await asyncio.sleep(LOOK)
    except TimeoutError:
        pass
    return accounts.missing(name, values)


def _forget(*records: dict[str, Any] | list[Any]) -> None:
    """Nothing measured is to depend on how much was measured before."""
    for one in records:
        one.clear()


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1]), int(sys.argv[2]), rate_limit=sys.argv[3] == "1"))
