"""The simulator in a process of its own, and the requests of the benchmarks to it.

    python -m bench.cloud QOS '[["device-name", "secret"], …]' THING_MODEL

answers `{"port": …}`, and then each line `["wait_online", device]`, `["time_sets", device, first, count]`,
`["time_burst", device, sets, in_flight]` or `["flood", device, sets, rate, service, calls]`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
import json
import sys
from typing import Any

from simulator import CloudDevice, ServiceCall, Simulator

from .children import Child, child
from .device import PRODUCT_KEY, SWITCH, THING_MODEL, Device

TIMEOUT = 30.0
SUCCESS = 200
ANSWER_TIMEOUT = 5.0
FLOOD_PATIENCE = 300.0
LATE_ANSWER_WAIT = 0.2
"""Seconds to wait for a second answer, which would be wrong."""

type Sets = Sequence[tuple[str, int]]
"""Identifiers and values, in the order of sending."""


class Cloud:
    """The cloud in the other process."""

    def __init__(self, process: Child, port: int) -> None:
        """Devices connect to `port` on loopback."""
        self.port = port
        self._process = process

    async def wait_online(self, device: Device) -> None:
        """Wait until a device is connected."""
        await self._process.ask(["wait_online", device.device_name])

    async def time_sets(self, device: Device, first: int, count: int) -> list[float]:
        """Set the switch `count` times, each time after the reply to the previous set; return the milliseconds of each.

        They are counted from the moment when the cloud writes the set until it has read the reply. Raises ChildFailed if the
        device does not answer with success.
        """
        answer: list[float] = await self._process.ask(["time_sets", device.device_name, first, count])
        return answer

    async def time_burst(self, device: Device, sets: Sets, in_flight: int) -> list[list[float]]:
        """Send sets without waiting for their answers, with at most `in_flight` of them unanswered.

        Return the milliseconds of all answers to each set: there should be one, and there is none after ANSWER_TIMEOUT.
        Raises ChildFailed if the device does not answer with success.
        """
        answer: list[list[float]] = await self._process.ask(["time_burst", device.device_name, sets, in_flight])
        return answer

    async def flood(self, device: Device, sets: Sets, rate: float, service: str, calls: float) -> Flood:
        """Send `rate` sets and `calls` synchronous calls of a service a second, under the platform's limits.

        The last answers are waited for up to FLOOD_PATIENCE.
        """
        question = ["flood", device.device_name, sets, rate, service, calls]
        return Flood(**await self._process.ask(question))


@dataclass(slots=True)
class Flood:
    """The outcome of a flood: for each set the codes of its answers, and for each call its code and milliseconds."""

    sets: list[list[int]]
    calls: list[tuple[str, float]]


@asynccontextmanager
async def cloud_process(
    devices: Iterable[Device], qos: int = 0, thing_model: Mapping[str, Any] = THING_MODEL
) -> AsyncIterator[Cloud]:
    """Run the cloud in a child process; it sends its commands with this QoS."""
    triples = json.dumps([[device.device_name, device.secret] for device in devices])
    async with child(sys.executable, "-m", "bench.cloud", str(qos), triples, json.dumps(thing_model)) as process:
        yield Cloud(process, (await process.read())["port"])


async def time_sets(cloud: Simulator, device: CloudDevice, first: int, count: int) -> list[float]:
    """Do the same as `Cloud.time_sets`, in this process; raises RuntimeError."""
    milliseconds = []
    for number in range(first, first + count):
        answer: dict[str, Any] = await cloud.call(
            "SetDeviceProperty",
            ProductKey=device.product_key,
            DeviceName=device.device_name,
            Items={SWITCH: number % 2},
        )
        reply = await device.wait_reply(answer["Data"]["MessageId"], TIMEOUT)
        if reply.code != SUCCESS:
            raise RuntimeError(f"{device.name} answered {reply.code} {reply.message}")
        milliseconds.append(reply.round_trip * 1000)
    # The figures must not depend on earlier measurements.
    device.service_calls.clear()
    return milliseconds


async def time_burst(cloud: Simulator, device: CloudDevice, sets: Sets, in_flight: int) -> list[list[float]]:
    """Do the same as `Cloud.time_burst`, in this process; raises RuntimeError."""
    free = asyncio.Semaphore(in_flight)

    async def answered(message_id: str) -> ServiceCall:
        with suppress(TimeoutError):
            await device.wait_reply(message_id, ANSWER_TIMEOUT)
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
    await asyncio.sleep(LATE_ANSWER_WAIT)
    for call in calls:
        if any(reply.code != SUCCESS for reply in call.replies):
            raise RuntimeError(f"{device.name} answered {call.params} with {call.replies}")
    device.service_calls.clear()
    return [[reply.round_trip * 1000 for reply in call.replies] for call in calls]


async def flood(cloud: Simulator, device: CloudDevice, sets: Sets, rate: float, service: str, calls: float) -> Flood:
    """Do the same as `Cloud.flood`, in this process."""
    cloud.faults.set(rate_limit=True)
    device.service_calls.clear()
    loop = asyncio.get_running_loop()
    target = {"ProductKey": device.product_key, "DeviceName": device.device_name}
    outcomes: list[tuple[str, float]] = []

    async def call(number: int) -> None:
        began = loop.time()
        answer: dict[str, Any] = await cloud.call(
            "InvokeThingService", **target, Identifier=service, Args={"Value": number}
        )
        code = "200" if answer["Success"] else str(answer["Code"])
        outcomes.append((code, (loop.time() - began) * 1000))

    began = loop.time()
    moments = [(number / rate, "set", number) for number in range(len(sets))]
    moments += [(number / calls, "call", number) for number in range(int(len(sets) / rate * calls))]
    running: list[asyncio.Task[None]] = []
    ids: list[str] = []
    for moment, kind, number in sorted(moments):
        await asyncio.sleep(began + moment - loop.time())
        if kind == "call":
            running.append(asyncio.create_task(call(number)))
        else:
            identifier, value = sets[number]
            sent: dict[str, Any] = await cloud.call("SetDeviceProperty", **target, Items={identifier: value})
            ids.append(sent["Data"]["MessageId"])
    await asyncio.gather(*running)
    commands = [device.call(message_id) for message_id in ids]
    with suppress(TimeoutError):
        async with asyncio.timeout(FLOOD_PATIENCE):
            while not all(command.replies for command in commands):  # noqa: ASYNC110 - nothing tells about the last
                await asyncio.sleep(0.1)
    await asyncio.sleep(LATE_ANSWER_WAIT)
    cloud.faults.set(rate_limit=False)
    return Flood([[reply.code for reply in command.replies] for command in commands], outcomes)


async def _serve(qos: int, triples: list[list[str]], thing_model: dict[str, Any]) -> None:
    async with Simulator(connects_per_minute=None, strict_values=True, downlink_qos=qos) as cloud:
        devices = {name: cloud.add_device(PRODUCT_KEY, name, secret, thing_model) for name, secret in triples}
        _write_line({"port": cloud.port})
        questions = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
        while line := await questions.readline():
            match json.loads(line):
                case ["wait_online", str(name)]:
                    await devices[name].wait_for(lambda device: device.online, TIMEOUT)
                    _write_line(None)
                case ["time_sets", str(name), int(first), int(count)]:
                    _write_line(await time_sets(cloud, devices[name], first, count))
                case ["time_burst", str(name), list(sets), int(in_flight)]:
                    _write_line(await time_burst(cloud, devices[name], sets, in_flight))
                case ["flood", str(name), list(sets), float() | int() as rate, str(service), float() | int() as calls]:
                    _write_line(asdict(await flood(cloud, devices[name], sets, rate, service, calls)))


def _write_line(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])))
