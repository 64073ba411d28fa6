"""Run the SDKs and print what works as a table."""

import argparse
import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
import json
from pathlib import Path
import sys

from . import gateways
from .cloud import Clouds, clouds
from .environments import NODE_TESTS, ROOT, SdkUnavailable, clone_node_tests, install_node, install_python
from .features import Sdk
from .node import NODE_DEVICES, node_command, node_environment, own_tests
from .results import Result, Results
from .same_answers import NAME, same_answers

PYTHON_DEVICES = [
    f"py-{name}"
    for name in ("tcp", "tls", "wrong", "session", "again", "model", "topics", "rrpc", "https", "mqtt", "gateway")
]
TIMEOUT = 180.0
"""Seconds for an SDK; some wait for a second or more before they connect again."""


def main() -> int:
    """Return 1 if anything that is expected of the SDKs that were run has failed."""
    parser = argparse.ArgumentParser(
        prog="scripts/sdk-check", description="Run the vendor's own SDKs, unchanged, against the simulator."
    )
    parser.add_argument(
        "--all", action="store_true", help="also the Node SDK and its own tests, which need node, npm and git"
    )
    parser.add_argument(
        "--node-tests",
        type=Path,
        metavar="DIR",
        help="a checkout of the repository of the Node SDK, aliyun/alibabacloud-iot-device-sdk (default: clone it)",
    )
    options = parser.parse_args()
    if options.node_tests is not None and not (options.node_tests / NODE_TESTS).exists():
        parser.error(f"{options.node_tests} has no {NODE_TESTS}")
    return asyncio.run(_run(everything=options.all, node_tests=options.node_tests))


async def _run(*, everything: bool, node_tests: Path | None) -> int:
    results, passed, suite = Results(), True, ""
    try:
        python = await asyncio.to_thread(install_python)
        modules = await asyncio.to_thread(install_node) if everything else None
    except SdkUnavailable as error:
        sys.exit(f"sdk-check: {error}")
    async with clouds() as running:
        running.add_devices(PYTHON_DEVICES, "py")
        if modules is not None:
            running.add_devices(NODE_DEVICES, "js")
        config = running.write_config()
        children = "sdk_check.children"
        await _run_child(results, Sdk.PYTHON, [python, "-m", f"{children}.python_device", config])
        print(f"running {Sdk.PYTHON}: {gateways.NAME}", file=sys.stderr, flush=True)
        results.add(Sdk.PYTHON, gateways.NAME, await gateways.same_requests(running.plain))
        for sdk, form in ((Sdk.API_V3, "v3"), (Sdk.API_V1, "v1")):
            await _run_child(results, sdk, [python, "-m", f"{children}.openapi", config, form])
        print(f"running {Sdk.API_V3}: {NAME}", file=sys.stderr, flush=True)
        results.add(Sdk.API_V3, NAME, await same_answers(python, running.folder))
        if modules is not None:
            await _run_child(results, Sdk.NODE, node_command(config), node_environment(running, modules))
            passed, suite = await _run_node_tests(running, modules, node_tests)
    print(results.table(), flush=True)
    if everything:
        print(f"\nthe Node SDK's own tests: {suite}")
    if failures := results.failures():
        print("\n" + "\n".join(failures), file=sys.stderr)
    return 1 if failures or not passed else 0


async def _run_node_tests(running: Clouds, modules: Path, tests: Path | None) -> tuple[bool, str]:
    """Return whether the Node SDK's own tests pass, and a summary; that they can't be had is no failure."""
    try:
        source = tests if tests is not None else await asyncio.to_thread(clone_node_tests)
    except SdkUnavailable as error:
        return True, f"not run, give --node-tests a checkout of its repository: {error}"
    return await own_tests(running, modules, source)


async def _run_child(
    results: Results, sdk: Sdk, command: Sequence[str | Path], environment: Mapping[str, str] | None = None
) -> None:
    """Run one SDK, and take what it reports; what it writes to stderr is shown only if something has failed."""
    results.begin(sdk)
    print(f"running {sdk}", file=sys.stderr, flush=True)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(TIMEOUT):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
        print(f"{sdk} was stopped after {TIMEOUT:g} seconds", file=sys.stderr)
    complete = True
    for line in out.decode(errors="replace").splitlines():
        if line.startswith('{"feature"'):
            outcome = json.loads(line)
            complete &= outcome["passed"]
            results.add(sdk, outcome["feature"], Result(outcome["passed"], outcome["detail"]))
    if process.returncode or not complete:
        print(err.decode(errors="replace")[-4000:], file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
