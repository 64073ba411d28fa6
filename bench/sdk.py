"""The vendor's Python SDK in an environment of its own, for comparison."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
import sys
from tempfile import TemporaryDirectory

from .children import ROOT, child
from .cloud import Cloud
from .device import PRODUCT_KEY, THING_MODEL, Device

VERSION = "1.2.13"
REQUIREMENTS = (f"aliyun-iot-linkkit=={VERSION}", "paho-mqtt<2", "crcmod")
"""paho-mqtt 1.x is the last that this SDK works with."""

ENVIRONMENT = ROOT / ".python" / "sdk"
PYTHON = ENVIRONMENT / "bin" / "python"


class SdkUnavailable(Exception):  # noqa: N818 - named after what happened
    """The SDK can't be installed here."""


async def install_sdk() -> None:
    """Make the environment, unless it is there; raises SdkUnavailable."""
    if PYTHON.exists() and await succeeds(PYTHON, "-c", "from linkkit import linkkit"):
        return
    # The environment's own Python may lack pip and venv, the system's has them.
    python = shutil.which("python3") or sys.executable
    if not (
        await succeeds(python, "-m", "venv", "--clear", ENVIRONMENT)
        and await succeeds(PYTHON, "-m", "pip", "install", "--quiet", *REQUIREMENTS)
    ):
        raise SdkUnavailable(f"{', '.join(REQUIREMENTS)} cannot be installed into {ENVIRONMENT}")


@asynccontextmanager
async def sdk_device(cloud: Cloud, device: Device) -> AsyncIterator[None]:
    """Connect a device made of the SDK to the cloud as long as the context lasts."""
    with TemporaryDirectory() as folder:
        thing_model = Path(folder) / "tsl.json"
        thing_model.write_text(json.dumps(THING_MODEL), encoding="utf-8")
        script = Path(__file__).with_name("sdk_device.py")
        async with child(PYTHON, script, str(cloud.port), PRODUCT_KEY, device.device_name, device.secret, thing_model):
            await cloud.wait_online(device)
            yield


async def succeeds(*command: str | Path) -> bool:
    """Run a command quietly and tell whether it succeeds."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait() == 0
