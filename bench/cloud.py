"""The simulator in a process of its own, and what a benchmark asks of it.

    python -m bench.cloud QOS '[["device-name", "secret"], …]' THING_MODEL

answers `{"port": …}`, and then each line `["wait_online", device]`, `["time_sets", device, first, count]` or
`["time_burst", device, sets, in_flight]`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
import json
import sys
from typing import Any

from simulator import CloudDevice, Simulator
from simulator.device import ServiceCall

from .children import Child, child
from .device import PRODUCT_KEY, SWITCH, THING_MODEL, Device

PATIENCE = 30.0
SUCCESS = 200
LONGEST_WAIT = 5.0
AFTERMATH = 0.2
"""Seconds in which a second answer would come, if there was one."""

type Sets = Sequence[tuple[str, int]]
"""Identifiers and values, in the order in which they are sent."""


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

    async def time_burst(self, device: Device, sets: Sets, in_flight: int) -> list[list[float]]:
        """Send sets without waiting, as long as no more than `in_flight` are unanswered.

        Return for each the milliseconds of all its answers: one is right, none within LONGEST_WAIT means that there was
        none. Raises ChildFailed when a device answers anything but success.
        """
        answer: list[list[float]] = await self._process.ask(["time_burst", device.device_name, sets, in_flight])
        return answer


@asynccontextmanager
async def cloud_process(
    devices: Iterable[Device], qos: int = 0, thing_model: Mapping[str, Any] = THING_MODEL
) -> AsyncIterator[Cloud]:
    """Run the cloud beside this process; it sends its commands with this QoS."""
    triples = json.dumps([[device.device_name, device.secret] for device in devices])
    async with child(sys.executable, "-m", "bench.cloud", str(qos), triples, json.dumps(thing_model)) as process:
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


async def time_burst(cloud: Simulator, device: CloudDevice, sets: Sets, in_flight: int) -> list[list[float]]:
    """Do what `Cloud.time_burst` does, in this process; raises RuntimeError."""
    free = asyncio.Semaphore(in_flight)

    async def answered(message_id: str) -> ServiceCall:
        with suppress(TimeoutError):
            await device.wait_reply(message_id, LONGEST_WAIT)
        free.release()
        return device.call(message_id)

    waiting = []
    for identifier, value in sets:
        await free.acquire()
        answer: dict[str, Any] = await cloud.call(
            "SetDeviceProperty",
            ProductKey=device.product_key,
            DeviceName=device.device_name,
            Items={identifier: value},
        )
        waiting.append(asyncio.create_task(answered(answer["Data"]["MessageId"])))
    calls = await asyncio.gather(*waiting)
    await asyncio.sleep(AFTERMATH)
    for call in calls:
        if any(reply.code != SUCCESS for reply in call.replies):
            raise RuntimeError(f"{device.name} answered {call.params} with {call.replies}")
    device.service_calls.clear()
    return [[reply.round_trip * 1000 for reply in call.replies] for call in calls]


async def _serve(qos: int, triples: list[list[str]], thing_model: dict[str, Any]) -> None:
    async with Simulator(connects_per_minute=None, downlink_qos=qos) as cloud:
        devices = {name: cloud.add_device(PRODUCT_KEY, name, secret, thing_model) for name, secret in triples}
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
                case ["time_burst", str(name), list(sets), int(in_flight)]:
                    _say(await time_burst(cloud, devices[name], sets, in_flight))


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])))
