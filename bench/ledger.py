"""The simulator in a process of its own, which records every value that arrives.

    python -m bench.ledger '[["device-name", "secret"], …]' COUNT RATE_LIMIT

has devices with COUNT sensors (`sensors.py`), and applies the platform's rate limit if RATE_LIMIT is 1. It prints
`{"port": …}` and then answers each line `["wait_online", device]`, `["wait_values", device, values, seconds]`,
`["tally", device]` or `["set_outage", bool]`.
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

TIMEOUT = 30.0
POLL_INTERVAL = 0.005

type Arrival = tuple[str, int, int, int]
"""Property, value, its time and the time of arrival, in UTC milliseconds; its time is 0 if the message has none."""


@dataclass(slots=True)
class Tally:
    """The messages of one device: all, those that were dropped, those with values, and the values."""

    messages: int = 0
    dropped: int = 0
    with_values: int = 0
    most_values: int = 0
    most_bytes: int = 0
    arrivals: list[Arrival] = field(default_factory=list)


class Ledger:
    """The cloud in the other process."""

    def __init__(self, process: Child, port: int) -> None:
        """Devices connect to `port` on loopback."""
        self.port = port
        self._process = process

    async def wait_online(self, device: Device) -> None:
        """Wait until a device is connected."""
        await self._process.ask(["wait_online", device.device_name])

    async def wait_values(self, device: Device, values: Mapping[str, int], seconds: float) -> int:
        """Wait until each property has this newest value; return the number of those that differ after the time-out."""
        missing: int = await self._process.ask(["wait_values", device.device_name, values, seconds])
        return missing

    async def tally(self, device: Device) -> Tally:
        """Return the messages of a device since the previous call."""
        answer = await self._process.ask(["tally", device.device_name])
        return Tally(**answer)

    async def set_outage(self, *, on: bool) -> None:
        """Close all connections and refuse new ones, or accept connections again."""
        await self._process.ask(["set_outage", on])


@asynccontextmanager
async def ledger_process(devices: Iterable[Device], count: int, *, rate_limit: bool = False) -> AsyncIterator[Ledger]:
    """Run the cloud in a child process."""
    triples = json.dumps([[device.device_name, device.secret] for device in devices])
    async with child(sys.executable, "-m", "bench.ledger", triples, str(count), str(int(rate_limit))) as process:
        yield Ledger(process, (await process.read())["port"])


class _Accounts:
    """The tally of each device, and the newest value of each property."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self.newest: dict[str, dict[str, int]] = {}

    def record(self, message: WireMessage) -> None:
        """Record a message."""
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
        """Return how many properties have another newest value."""
        newest = self.newest.get(name, {})
        return sum(newest.get(identifier) != value for identifier, value in values.items())


def _values(message: WireMessage) -> Iterator[tuple[str, int, int]]:
    """Yield the values in a message: property, value and its time."""
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
        pairs = [(identifier, entry) for identifier, row in params["properties"].items() for entry in row]
    elif message.topic.endswith("/event/property/post"):
        pairs = list(params.items())
    else:
        return
    for identifier, entry in pairs:
        yield (identifier, entry["value"], entry["time"]) if isinstance(entry, dict) else (identifier, entry, 0)


async def _serve(triples: list[list[str]], count: int, *, rate_limit: bool) -> None:
    accounts = _Accounts()
    async with Simulator(
        connects_per_minute=None, strict_values=True, rate_limit=rate_limit, on_wire=accounts.record
    ) as cloud:
        model = Sensors(count).thing_model() | {"profile": {"productKey": PRODUCT_KEY}}
        devices = {name: cloud.add_device(PRODUCT_KEY, name, secret, model) for name, secret in triples}
        _write_line({"port": cloud.port})
        questions = asyncio.StreamReader(limit=2**24)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
        while line := await questions.readline():
            match json.loads(line):
                case ["wait_online", str(name)]:
                    await devices[name].wait_for(lambda device: device.online, TIMEOUT)
                    _write_line(None)
                case ["wait_values", str(name), dict(values), float() | int() as seconds]:
                    _write_line(await _wait(accounts, name, values, seconds))
                case ["tally", str(name)]:
                    _write_line(asdict(accounts.tallies.pop(name, Tally())))
                    _forget(devices[name].samples, devices[name].user_messages)
                case ["set_outage", bool(on)]:
                    cloud.faults.set(refuse_connect={"code": 3} if on else None)
                    for device in devices.values():
                        if on and device.connection:
                            device.connection.close("an outage")
                    _write_line(None)


async def _wait(accounts: _Accounts, name: str, values: Mapping[str, int], seconds: float) -> int:
    try:
        async with asyncio.timeout(seconds):
            while accounts.missing(name, values):  # noqa: ASYNC110 - polling costs less than an event for each message
                await asyncio.sleep(POLL_INTERVAL)
    except TimeoutError:
        pass
    return accounts.missing(name, values)


def _forget(*records: dict[str, Any] | list[Any]) -> None:
    """Clear records: the figures must not depend on earlier measurements."""
    for record in records:
        record.clear()


def _write_line(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1]), int(sys.argv[2]), rate_limit=sys.argv[3] == "1"))
