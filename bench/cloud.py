"""The simulator in a process of its own, and what a benchmark asks of it.

    python -m bench.cloud QOS '[["device-name", "secret"], …]'

answers `{"port": …}`, and then each line `["wait_online", device]` or `["time_sets", device, first, count]`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
import json
import sys
from typing import Any

from simulator import CloudDevice, Simulator

from .children import Child, child
from .device import PRODUCT_KEY, SWITCH, THING_MODEL, Device

PATIENCE = 30.0
SUCCESS = 200


class Cloud:
    """The cloud in the other process."""

    def __init__(self, process: Child, port: int) -> None:
        """Talk to it by `process`; devices connect to `port` on loopback."""
        self.port = port
        self._process = process

    async def wait_online(self, device: Device) -> None:
        """Wait until a device is connected."""
        await self._process.ask(["wait_online", device.device_name])

    async def time_sets(self, device: Device, first: int, count: int) -> list[float]:
        """Set the switch `count` times, each after the reply to the one before; return the milliseconds of each.

        Counted from the moment when the cloud writes the set until it has read the reply. Raises ChildFailed when a
        device answers anything but success.
        """
        answer: list[float] = await self._process.ask(["time_sets", device.device_name, first, count])
        return answer


@asynccontextmanager
async def cloud_process(devices: Iterable[Device], qos: int = 0) -> AsyncIterator[Cloud]:
    """Run the cloud beside this process; it sends its commands with this QoS."""
    triples = json.dumps([[device.device_name, device.secret] for device in devices])
    async with child(sys.executable, "-m", "bench.cloud", str(qos), triples) as process:
        yield Cloud(process, (await process.hear())["port"])


async def time_sets(cloud: Simulator, device: CloudDevice, first: int, count: int) -> list[float]:
    """Do what `Cloud.time_sets` does, in this process; raises RuntimeError."""
    milliseconds = []
    for number in range(first, first + count):
        answer: dict[str, Any] = await cloud.call(
            "SetDeviceProperty",
            ProductKey=device.product_key,
            DeviceName=device.device_name,
            Items={SWITCH: number % 2},
        )
        reply = await device.wait_reply(answer["Data"]["MessageId"], PATIENCE)
        if reply.code != SUCCESS:
            raise RuntimeError(f"{device.name} answered {reply.code} {reply.message}")
        milliseconds.append(reply.round_trip * 1000)
    # Nothing measured here is to depend on how much was measured before.
    device.service_calls.clear()
    return milliseconds


async def _serve(qos: int, triples: list[list[str]]) -> None:
    async with Simulator(connects_per_minute=None, downlink_qos=qos) as cloud:
        devices = {name: cloud.add_device(PRODUCT_KEY, name, secret, THING_MODEL) for name, secret in triples}
        _say({"port": cloud.port})
        questions = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
        while line := await questions.readline():
            match json.loads(line):
                case ["wait_online", str(name)]:
                    await devices[name].wait_for(lambda device: device.online, PATIENCE)
                    _say(None)
                case ["time_sets", str(name), int(first), int(count)]:
                    _say(await time_sets(cloud, devices[name], first, count))


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), json.loads(sys.argv[2])))
