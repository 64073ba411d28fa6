"""A gateway of the library (without Home Assistant) with its sub-devices, in a new process.

    python -m bench.gateway_house COUNT PORT SECRET POSTS

connects, logs COUNT sub-devices in and reports their values, with POSTS `single` in a message each, with `pack` for twenty of
them in one. It answers every line of its stdin with the cost so far (`Cost` as JSON).
"""

import asyncio
from dataclasses import asdict, dataclass
import gc
import json
import sys
import time

from custom_components.aliyun_iot.alink.auth import DeviceTriple, Identity
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.errors import AlinkError
from custom_components.aliyun_iot.alink.gateway import PACK_SUB_DEVICES, Gateway
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.samples import Sample, utc_milliseconds
from custom_components.aliyun_iot.alink.sub_device import SubDevice, SubDeviceConfig, SubDeviceState

from .gateway_cloud import GATEWAY_KEY, GATEWAY_NAME, SUB_KEY, VALUES, identifier, sub_name
from .process import resident_mb

TICK = 0.01


@dataclass(slots=True)
class Cost:
    """Megabytes of resident memory, processor milliseconds and the longest block of the loop in milliseconds."""

    resident_mb: float = 0.0
    processor_ms: float = 0.0
    loop_block_ms: float = 0.0


class _House:
    """The gateway, and the reports of its sub-devices."""

    def __init__(self, count: int, port: int, secret: str, *, pack: bool) -> None:
        self._pack = pack
        self._waiting: list[Identity] = []
        self._wake = asyncio.Event()
        self.cost = Cost()
        endpoint = Endpoint("127.0.0.1", port, Transport.TCP, None)
        config = LinkConfig(DeviceTriple(GATEWAY_KEY, GATEWAY_NAME, secret), endpoint)
        self.link = Link(config, on_command=_ignore, on_state=lambda _state, _error: None)
        self.gateway = Gateway(self.link, on_change=self._changed, store_secrets=_store_nothing)
        self._devices = {}
        for number in range(count):
            identity = Identity(SUB_KEY, sub_name(number))
            self._devices[identity] = self.link.attach(identity, _ignore)
            self.gateway.put(SubDeviceConfig(identity, secret))
            self.gateway.want(identity, online=True)

    def _changed(self, sub: SubDevice) -> None:
        if sub.state is SubDeviceState.ONLINE:
            self._waiting.append(sub.identity)
            self._wake.set()

    async def report(self) -> None:
        """Report the values of each sub-device after each login."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    size = PACK_SUB_DEVICES if self._pack else 1
                    batch, self._waiting = self._waiting[:size], self._waiting[size:]
                    if self._pack:
                        await asyncio.sleep(0)
                        await self._post(batch)
                    else:
                        tasks.create_task(self._post(batch))

    async def _post(self, batch: list[Identity]) -> None:
        at = utc_milliseconds()
        values = {identifier(number): Sample(number, at) for number in range(VALUES)}
        try:
            if self._pack:
                await self.gateway.post_pack(dict.fromkeys(batch, values))
            else:
                await self._devices[batch[0]].post_properties(values)
        except AlinkError:  # the next login reports again
            return

    async def watch_loop(self) -> None:
        """Record the longest block."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(TICK)
            self.cost.loop_block_ms = max(self.cost.loop_block_ms, (loop.time() - began - TICK) * 1000)


async def _ignore(_command: Command) -> Answer:
    return Answer()


async def _store_nothing(_secrets: object) -> None:
    return


async def _run(count: int, port: int, secret: str, *, pack: bool) -> None:
    gc.collect()
    resident, worked = resident_mb(), time.process_time()
    house = _House(count, port, secret, pack=pack)
    house.gateway.start()
    house.link.start()
    questions = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    tasks = [asyncio.create_task(house.report()), asyncio.create_task(house.watch_loop())]
    while await questions.readline():
        house.cost.resident_mb = resident_mb() - resident
        house.cost.processor_ms = (time.process_time() - worked) * 1000
        sys.stdout.write(json.dumps(asdict(house.cost)) + "\n")
        sys.stdout.flush()
        house.cost.loop_block_ms = 0.0
        worked = time.process_time()
    for task in tasks:
        task.cancel()
    await house.gateway.stop()
    await house.link.stop()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], pack=sys.argv[4] == "pack"))
