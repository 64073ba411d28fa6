"""The vendor's Python SDK, in an environment of its own, for comparison."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
import sys
from tempfile import TemporaryDirectory
from typing import Any

from .children import ROOT, Child, child
from .cloud import Cloud
from .device import PRODUCT_KEY, THING_MODEL, Device

VERSION = "1.2.13"
REQUIREMENTS = (f"aliyun-iot-linkkit=={VERSION}", "paho-mqtt<2", "crcmod")
"""This SDK needs paho-mqtt 1.x."""

ENVIRONMENT = ROOT / ".python" / "sdk"
PYTHON = ENVIRONMENT / "bin" / "python"


class SdkUnavailable(Exception):  # noqa: N818 - named after what happened
    """The SDK can't be installed here."""


async def install_sdk() -> None:
    """Make the environment if it does not exist; raises SdkUnavailable."""
    if PYTHON.exists() and await succeeds(PYTHON, "-c", "from linkkit import linkkit"):
        return
    # The Python of this environment may lack pip and venv.
    python = shutil.which("python3") or sys.executable
    if not (
        await succeeds(python, "-m", "venv", "--clear", ENVIRONMENT)
        and await succeeds(PYTHON, "-m", "pip", "install", "--quiet", *REQUIREMENTS)
    ):
        raise SdkUnavailable(f"{', '.join(REQUIREMENTS)} cannot be installed into {ENVIRONMENT}")


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
