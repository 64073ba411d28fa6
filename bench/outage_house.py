"""A house without the cloud for a day, with a clock that runs as fast as the processor allows.

    python -m bench.outage_house SECONDS PORT DEVICE_NAME SECRET

connects a device with one binding that posts every sample, and prints `{"online": true}`. After a line on its stdin it waits
until the connection is lost, makes one change a second for SECONDS of its own clock, and prints an `OutageCost` as JSON. After
another line it waits, while its clock runs on, until it is connected again, and prints the seconds of its clock that this
took. It ends when its stdin ends.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
import gc
import json
from pathlib import Path
import sys
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import DOMAIN

from .device import Device
from .home import connect_device, home
from .process import MEGABYTE, resident_mb
from .sensors import Sensors

MINUTE = 60
POLL_INTERVAL = 0.01
SENSORS = Sensors(1, every_sample=True)

type Files = Mapping[Path, tuple[int, int, int]]
"""The files on the disk, each with its inode, its modification time and its size."""


@dataclass(frozen=True, slots=True)
class OutageCost:
    """The cost of an outage: samples kept, megabytes in memory, on disk and written, writes, and processor seconds."""

    kept: int
    resident_mb: float
    disk_mb: float
    writes: int
    written_mb: float
    processor_seconds: float


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be advanced, so that timers run at once."""

    ahead = 0.0

    def time(self) -> float:
        """Return the time of the loop in seconds."""
        return super().time() + self.ahead


async def _house(seconds: int, port: int, device: Device) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FastLoop)  # noqa: S101 - for the type checker
    start = time.time() - seconds
    async with home([]) as hass:
        SENSORS.change(hass, 0, start)
        entry = await connect_device(hass, device, port, SENSORS.bindings(), SENSORS.thing_model())
        entry.runtime_data.link.config.pacer.clock = loop.time
        _write_line({"online": True})
        await loop.run_in_executor(None, sys.stdin.readline)
        while entry.runtime_data.link.state is LinkState.ONLINE:  # noqa: ASYNC110 - the clock of the loop is used
            await asyncio.sleep(POLL_INTERVAL)
        _write_line(asdict(await _outage(hass, entry, loop, start, seconds)))
        await loop.run_in_executor(None, sys.stdin.readline)
        _write_line(await _return(entry, loop))
        await loop.run_in_executor(None, sys.stdin.read)


async def _return(entry: ConfigEntry, loop: FastLoop) -> float:
    """Wait for the connection, whose next attempt may be two minutes away, and return the seconds."""
    began = loop.time()
    while entry.runtime_data.link.state is not LinkState.ONLINE:
        loop.ahead += 1
        await asyncio.sleep(POLL_INTERVAL)
    return loop.time() - began


async def _outage(hass: HomeAssistant, entry: ConfigEntry, loop: FastLoop, start: float, seconds: int) -> OutageCost:
    """Make the changes of the outage, a minute at a time."""
    gc.collect()
    resident, worked = resident_mb(), time.process_time()
    folder = Path(hass.config.path(".storage"))
    files, writes, written = _files(folder), 0, 0
    for minute in range(seconds // MINUTE):
        for second in range(minute * MINUTE, (minute + 1) * MINUTE):
            SENSORS.change(hass, second + 1, start + second + 1)
        loop.ahead += MINUTE
        await asyncio.sleep(0)
        await hass.async_block_till_done()
        now = await loop.run_in_executor(None, _files, folder)
        changed = [status for path, status in now.items() if files.get(path) != status]
        writes += len(changed)
        written += sum(size for _, _, size in changed)
        files = now
    return OutageCost(
        entry.runtime_data.device.reporter.buffered,
        resident_mb() - resident,
        sum(size for _, _, size in files.values()) / MEGABYTE,
        writes,
        written / MEGABYTE,
        time.process_time() - worked,
    )


def _files(folder: Path) -> Files:
    """Return the present files of the integration."""
    found = {}
    for path in folder.glob(f"{DOMAIN}.*"):
        status = path.stat()
        found[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def _write_line(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_house(int(sys.argv[1]), int(sys.argv[2]), Device(*sys.argv[3:5])), loop_factory=FastLoop)
