"""A house with many bindings, in a new process.

    python -m bench.scale_house COUNT PORT DEVICE_NAME SECRET

connects a device with COUNT bindings, prints the cost (`ScaleCost` as JSON), and ends when its stdin ends.
"""

import asyncio
from dataclasses import asdict, dataclass
import gc
import json
import sys
import time

from .device import Device
from .home import connect_device, home
from .process import resident_mb
from .sensors import Sensors


@dataclass(frozen=True, slots=True)
class ScaleCost:
    """The cost of a set-up: milliseconds, processor milliseconds, and megabytes of resident memory."""

    milliseconds: float
    processor_ms: float
    resident_mb: float


async def _set_up(count: int, port: int, device: Device) -> None:
    sensors = Sensors(count)
    async with home([]) as hass:
        for number in range(count):
            sensors.change(hass, number)
        await hass.async_block_till_done()
        # Data from disk share no objects.
        bindings, model = json.loads(json.dumps([sensors.bindings(), sensors.thing_model()]))
        gc.collect()
        resident, worked, began = resident_mb(), time.process_time(), time.monotonic()
        await connect_device(hass, device, port, bindings, model)
        cost = ScaleCost(
            (time.monotonic() - began) * 1000,
            (time.process_time() - worked) * 1000,
            resident_mb() - resident,
        )
        sys.stdout.write(json.dumps(asdict(cost)) + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_set_up(int(sys.argv[1]), int(sys.argv[2]), Device(sys.argv[3], sys.argv[4])))
