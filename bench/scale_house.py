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

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from custom_components.aliyun_iot.mapping.rule import Rule
from custom_components.aliyun_iot.mapping.selection import Selection, Target
from custom_components.aliyun_iot.rules import changes_in_slices
from custom_components.aliyun_iot.stored_device import thing_model_of

from .device import Device
from .home import connect_device, home
from .process import resident_mb
from .sensors import Sensors


@dataclass(frozen=True, slots=True)
class ScaleCost:
    """The cost of a set-up: milliseconds, processor milliseconds, and megabytes of resident memory.

    `rule_ms` is the cost of finding out that a rule for all sensors changes nothing, as after a change of a registry, and
    `rule_pause_ms` the longest time in which the event loop does nothing else meanwhile.
    """

    milliseconds: float
    processor_ms: float
    resident_mb: float
    rule_ms: float
    rule_pause_ms: float


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
        entry = await connect_device(hass, device, port, bindings, model)
        cost = ScaleCost(
            (time.monotonic() - began) * 1000,
            (time.process_time() - worked) * 1000,
            resident_mb() - resident,
            *_rule_cost(hass, entry, [row["entity"] for row in bindings]),
        )
        sys.stdout.write(json.dumps(asdict(cost)) + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _rule_cost(hass: HomeAssistant, entry: ConfigEntry, entity_ids: list[str]) -> tuple[float, float]:
    """Return the sum and the longest of the slices in milliseconds."""
    rules = {"rule": Rule(Selection(Target(entity_id=tuple(entity_ids))))}
    slices = changes_in_slices(hass, entry, rules, thing_model_of(entry))
    spent: list[float] = []
    while True:
        began = time.process_time()
        try:
            next(slices)
        except StopIteration:
            return sum(spent) * 1000, max(spent) * 1000
        finally:
            spent.append(time.process_time() - began)


if __name__ == "__main__":
    asyncio.run(_set_up(int(sys.argv[1]), int(sys.argv[2]), Device(sys.argv[3], sys.argv[4])))
