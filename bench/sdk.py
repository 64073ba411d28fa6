"""The vendor's Python SDK, in an environment of its own, for comparison."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sdk_check.environments import LINKKIT_VERSION as VERSION, PYTHON, SdkUnavailable, install_python

from .children import Child, child
from .cloud import Cloud
from .device import PRODUCT_KEY, THING_MODEL, Device

__all__ = ["PYTHON", "VERSION", "SdkUnavailable", "install_sdk", "sdk_device", "succeeds"]


async def install_sdk() -> None:
    """Make the environment if it does not exist; raises SdkUnavailable."""
    await asyncio.to_thread(install_python)


@asynccontextmanager
async def sdk_device(
    cloud: Cloud, device: Device, thing_model: Mapping[str, Any] = THING_MODEL
) -> AsyncIterator[Child]:
    """Connect a device that uses the SDK to the cloud for the duration of the context; yield its process."""
    with TemporaryDirectory() as folder:
        tsl = Path(folder) / "tsl.json"
        tsl.write_text(json.dumps(thing_model), encoding="utf-8")
        script = Path(__file__).with_name("sdk_device.py")
        triple = (PRODUCT_KEY, device.device_name, device.secret)
        async with child(PYTHON, script, str(cloud.port), *triple, tsl) as process:
            await cloud.wait_online(device)
            yield process


async def succeeds(*command: str | Path) -> bool:
    """Run a command quietly and return whether it succeeds."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait() == 0
