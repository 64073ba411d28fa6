"""The Node SDK: our check of each feature, and its own tests."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
import hashlib
import hmac
import json
import os
from pathlib import Path
import re
import shutil
import sys

from .cloud import Clouds
from .environments import NODE_SDK, ROOT

NODE_DEVICES = [
    f"js-{name}" for name in ("tcp", "tls", "web", "wrong", "session", "again", "model", "https", "gateway")
]
CHILDREN = ROOT / "sdk_check" / "children"
TIMEOUT = 180.0
REGISTERED = ("device1", "device3")
"""The devices of the product with dynamic registration, in register.test.js."""
JOINED = "sub_device3", "sdk_gateway2"
"""A sub-device and the gateway in whose topology subdevice.test.js expects it."""


def node_command(config: Path) -> Sequence[str | Path]:
    """Return the command that checks each feature."""
    return ["node", CHILDREN / "node_device.js", config]


def node_environment(clouds: Clouds, modules: Path) -> dict[str, str]:
    """Return the environment of Node: where the SDK is, and whom to trust."""
    return {**os.environ, "NODE_PATH": str(modules), "NODE_EXTRA_CA_CERTS": str(clouds.certificate)}


async def own_tests(clouds: Clouds, modules: Path, source: Path) -> tuple[bool, str]:
    """Run the SDK's own tests with the SDK as it is published; return whether all pass, and a summary.

    The tests know only the platform's hosts, from which they are led to the simulator, and devices with secrets of their own,
    which are made in it.
    """
    folder = clouds.folder / "node-tests"
    shutil.copytree(source / "test", folder / "test")
    shutil.copytree(modules / NODE_SDK / "lib", folder / "lib")
    shutil.copy(modules / NODE_SDK / "package.json", folder)
    environment = node_environment(clouds, modules)
    await _make_devices(clouds, folder, environment)
    outcome = folder / "outcome.json"
    settings = {
        "rootDir": str(folder),
        "testEnvironment": "node",
        "modulePaths": [str(modules)],
        "setupFiles": [str(CHILDREN / "redirect.js")],
        "transform": {},
    }
    ports = {"port": clouds.plain.port, "web_port": clouds.tls.web_port}
    process = await asyncio.create_subprocess_exec(
        *("node", modules / "jest" / "bin" / "jest.js", "--config", json.dumps(settings)),
        *("--runInBand", "--ci", "--forceExit", "--json", f"--outputFile={outcome}"),
        cwd=folder,
        env=environment | {"SDK_CHECK_PORTS": json.dumps(ports)},
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            _, err = await process.communicate()
    except TimeoutError:
        process.kill()
        return False, f"stopped after {TIMEOUT:g} seconds"
    if not outcome.exists():
        return False, err.decode(errors="replace")[-2000:]
    counts = json.loads(outcome.read_text(encoding="utf-8"))
    passed, total = counts["numPassedTests"], counts["numTotalTests"]
    if passed < total or not counts["success"]:
        sys.stderr.write(err.decode(errors="replace"))
    return counts["success"] and passed == total > 0, f"{passed} of {total} pass"


async def _make_devices(clouds: Clouds, folder: Path, environment: Mapping[str, str]) -> None:
    """Make the devices of the tests, with the secrets in their own files."""
    script = "process.stdout.write(JSON.stringify(require('./test/fixtures')))"
    process = await asyncio.create_subprocess_exec(
        "node", "-e", script, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(err.decode(errors="replace"))
    devices = {
        name: {field[:1].lower() + field[1:]: value for field, value in triple.items()}
        for name, triple in json.loads(out).items()
        if isinstance(triple, dict) and not name.startswith("wrong")
    }
    for triple in devices.values():
        clouds.plain.add_device(triple["productKey"], triple["deviceName"], triple["deviceSecret"])
    await _join(clouds, *(devices[name] for name in JOINED))
    test = (folder / "test" / "auto" / "register.test.js").read_text(encoding="utf-8")
    [(key, secret)] = re.findall(r'productKey:"(\w+)",\s+productSecret:"(\w{16})"', test)
    for cloud in (clouds.plain, clouds.tls):
        cloud.add_product(key, secret=secret, dynamic_registration=True)
        for name in REGISTERED:
            cloud.add_device(key, name, secret * 2)


async def _join(clouds: Clouds, sub_device: Mapping[str, str], gateway: Mapping[str, str]) -> None:
    """Put a sub-device into the topology of a gateway."""
    signed = {"ClientId": "tests", "Timestamp": "1", "ProductKey": sub_device["productKey"]}
    signed["DeviceName"] = sub_device["deviceName"]
    content = "".join(f"{name[:1].lower()}{name[1:]}{signed[name]}" for name in sorted(signed))
    sign = hmac.new(sub_device["deviceSecret"].encode(), content.encode(), hashlib.sha256).hexdigest()
    await clouds.plain.call(
        "BatchAddThingTopo",
        GwProductKey=gateway["productKey"],
        GwDeviceName=gateway["deviceName"],
        TopoAddItem=[{**signed, "SignMethod": "hmacSha256", "Sign": sign}],
    )
