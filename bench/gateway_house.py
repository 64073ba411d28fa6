"""A gateway with its sub-devices, in a new process.

    python -m bench.gateway_house COUNT PORT SECRET KIND

logs COUNT sub-devices in and reports their values. KIND is `home` for Home Assistant with the integration, whose sub-devices
have a binding for each value; `single` and `pack` for the library alone, with a message for each sub-device or for twenty of
them. It answers every line of its stdin with the cost since the previous one (`Cost` as JSON).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
import gc
import json
import sys
import time

from homeassistant.config_entries import ConfigSubentryData

from custom_components.aliyun_iot.alink.auth import DeviceTriple, Identity
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.errors import AlinkError
from custom_components.aliyun_iot.alink.gateway import Gateway
from custom_components.aliyun_iot.alink.gateway_requests import PACK_SUB_DEVICES
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.samples import Sample, utc_milliseconds
from custom_components.aliyun_iot.alink.sub_device import SubDevice, SubDeviceConfig, SubDeviceState
from custom_components.aliyun_iot.const import (
    CONF_BINDINGS,
    CONF_PRODUCT_KEY,
    CONF_THING_MODELS,
    DOMAIN,
    SUBENTRY_SUB_DEVICE,
)
from custom_components.aliyun_iot.sub_device_row import SubDeviceRow

from .device import Device
from .gateway_cloud import GATEWAY_KEY, GATEWAY_NAME, SUB_KEY, VALUES, identifier, sub_name
from .home import connect_device, home, set_up
from .process import resident_mb
from .sensors import Sensors

TICK = 0.01


@dataclass(slots=True)
class Cost:
    """Megabytes of resident memory, processor milliseconds and the longest block of the loop in milliseconds.

    `loop_work_ms` is the longest block in processor milliseconds without garbage collections, which does not depend on how
    busy the machine is; `collection_ms` is the longest of these.
    """

    resident_mb: float = 0.0
    processor_ms: float = 0.0
    loop_block_ms: float = 0.0
    loop_work_ms: float = 0.0
    collection_ms: float = 0.0


class _Meter:
    """Measures this process from its making."""

    def __init__(self) -> None:
        gc.collect()
        self._resident, self._worked = resident_mb(), time.process_time()
        self._block = self._work = self._collection = 0.0
        self._collecting_since = self._collected = 0.0
        gc.callbacks.append(self._collecting)

    async def watch_loop(self) -> None:
        """Record the longest block."""
        loop = asyncio.get_running_loop()
        while True:
            began, worked, collected = loop.time(), time.thread_time(), self._collected
            await asyncio.sleep(TICK)
            self._block = max(self._block, (loop.time() - began - TICK) * 1000)
            self._work = max(self._work, (time.thread_time() - worked - self._collected + collected) * 1000)

    def cost(self) -> Cost:
        """Return the cost since the previous call; the memory is that of everything."""
        worked = time.process_time()
        memory, processor = resident_mb() - self._resident, (worked - self._worked) * 1000
        cost = Cost(memory, processor, self._block, self._work, self._collection)
        self._worked, self._block, self._work, self._collection = worked, 0.0, 0.0, 0.0
        return cost

    def _collecting(self, phase: str, _info: object) -> None:
        if phase == "start":
            self._collecting_since = time.thread_time()
        else:
            seconds = time.thread_time() - self._collecting_since
            self._collected += seconds
            self._collection = max(self._collection, seconds * 1000)


@asynccontextmanager
async def _home(count: int, port: int, secret: str) -> AsyncIterator[_Meter]:
    """Run Home Assistant with a gateway; each sub-device stands for `VALUES` sensors."""
    sensors = Sensors(count * VALUES)
    async with home([]) as hass:
        for number in range(count * VALUES):
            sensors.change(hass, number)
        await hass.async_block_till_done()
        model = {
            **sensors.thing_model(),
            "properties": [
                {**entry, "identifier": identifier(number)}
                for number, entry in enumerate(Sensors(VALUES).thing_model()["properties"])
            ],
        }
        rows = [_row(sensors, number, secret) for number in range(count)]
        options, rows = json.loads(json.dumps([{CONF_THING_MODELS: {SUB_KEY: model}}, rows]))  # as from disk
        await set_up(hass, DOMAIN, {})  # which costs the same with and without sub-devices
        meter = _Meter()
        subentries = [
            ConfigSubentryData(
                data=row,
                subentry_type=SUBENTRY_SUB_DEVICE,
                title=row["device_name"],
                unique_id=f"{SUB_KEY}.{row['device_name']}",
            )
            for row in rows
        ]
        watch = asyncio.create_task(meter.watch_loop())
        await connect_device(
            hass,
            Device(GATEWAY_NAME, secret),
            port,
            [],
            {},
            options=options,
            data={CONF_PRODUCT_KEY: GATEWAY_KEY},
            sub_devices=subentries,
        )
        yield meter
        watch.cancel()


def _row(sensors: Sensors, number: int, secret: str) -> dict[str, object]:
    bindings = [
        {"identifier": identifier(value), "entity": sensors.entity_id(number * VALUES + value), "aspect": "value"}
        for value in range(VALUES)
    ]
    return {**SubDeviceRow(SUB_KEY, sub_name(number), secret).as_dict(), CONF_BINDINGS: bindings}


class _House:
    """The gateway, and the reports of its sub-devices."""

    def __init__(self, count: int, port: int, secret: str, *, pack: bool) -> None:
        self._pack = pack
        self._waiting: list[Identity] = []
        self._wake = asyncio.Event()
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
                await self.gateway.requests.post_pack(dict.fromkeys(batch, values))
            else:
                await self._devices[batch[0]].post_properties(values)
        except AlinkError:  # the next login reports again
            return


async def _ignore(_command: Command) -> Answer:
    return Answer()


async def _store_nothing(_secrets: object) -> None:
    return


@asynccontextmanager
async def _library(count: int, port: int, secret: str, *, pack: bool) -> AsyncIterator[_Meter]:
    """Run a gateway without Home Assistant."""
    meter = _Meter()
    house = _House(count, port, secret, pack=pack)
    house.gateway.start()
    house.link.start()
    tasks = [asyncio.create_task(house.report()), asyncio.create_task(meter.watch_loop())]
    yield meter
    for task in tasks:
        task.cancel()
    await house.gateway.stop()
    await house.link.stop()


async def _run(count: int, port: int, secret: str, kind: str) -> None:
    house = _home(count, port, secret) if kind == "home" else _library(count, port, secret, pack=kind == "pack")
    async with house as meter:
        questions = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
        while await questions.readline():
            sys.stdout.write(json.dumps(asdict(meter.cost())) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5]))
