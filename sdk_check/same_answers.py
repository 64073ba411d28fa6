"""The same calls by the client of the integration and by the official SDK: the simulator must answer both with the same bytes.

Each of them gets a simulator of its own, in which keys, secrets, ids and times are the same.
"""

from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
import json
from pathlib import Path
import random
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

# Home Assistant must be loaded before anything imports voluptuous.
import homeassistant.core  # noqa: F401  # isort: skip
from yarl import URL

from custom_components.aliyun_iot.account.client import Account
from custom_components.aliyun_iot.account.errors import ApiError
from custom_components.aliyun_iot.account.signing import AccessKey as Key
from simulator import Simulator
from simulator.console import http
from simulator.core.jsontext import JsonValue, dump

from .cloud import ACCESS_KEY, GENERATED_TSL
from .environments import ROOT
from .results import Result

NAME = "the same answers as the client of the integration"
NOW_MS = 1_796_000_000_000
CHILD = "sdk_check.children.replay"

type Call = tuple[str, dict[str, str]]


async def same_answers(python: Path, folder: Path) -> Result:
    """Return whether the answers are the same; the SDK runs with the interpreter `python`."""
    calls: list[Call] = []
    ours = await _run(lambda cloud: _by_our_client(cloud, calls))
    theirs = await _run(lambda cloud: _by_the_sdk(cloud, calls, python, folder))
    if len(ours) != len(calls) or len(ours) < MINIMUM:
        return Result(passed=False, detail=f"{len(calls)} calls and {len(ours)} answers")
    for (action, _), our, their in zip(calls, ours, [*theirs, *[""] * len(ours)], strict=False):
        if our != their:
            return Result(passed=False, detail=f"{action}: {our} and {their}")
    return Result(passed=len(ours) == len(theirs), detail=f"{len(ours)} and {len(theirs)} answers")


MINIMUM = 20
"""Calls that are compared at least."""


async def _run(work: Callable[[Simulator], Awaitable[None]]) -> list[str]:
    """Return the answers of a new simulator, in the order in which they were given."""
    answers: list[str] = []
    with _deterministic(), patch.object(http, "_json", _recording(answers)):
        async with Simulator(connects_per_minute=None, access_key=ACCESS_KEY) as cloud:
            await work(cloud)
    return answers


async def _by_our_client(cloud: Simulator, calls: list[Call]) -> None:
    """Make every call of the client, with some that are refused."""
    host = f"{cloud.host}:{cloud.api_port}"
    async with aiohttp.ClientSession() as session:

        async def send(query: str, headers: Mapping[str, str]) -> bytes:
            calls.append((headers["x-acs-action"], dict(parse_qsl(query, keep_blank_values=True))))
            url = URL(f"http://{host}/?{query}", encoded=True)
            async with session.post(url, headers=headers) as response:
                return await response.read()

        account = Account(send, Key(ACCESS_KEY.id, ACCESS_KEY.secret), host)
        model = json.loads(GENERATED_TSL.read_text(encoding="utf-8"))
        key = await account.create_product("Gateways", "Home Assistant, 网关 *~+&=/%", gateway=True)
        lamps = await account.create_product("Lamps_灯", "", gateway=False)
        await _refused(account.create_product("Lamps_灯", "", gateway=False))
        await account.import_model(lamps, {"properties": model["properties"]})
        block = {"functionBlockId": "module_2", "functionBlockName": "module_2"}
        await account.import_model(lamps, {"properties": model["properties"][:1], **block})
        await _refused(account.import_model(lamps, {"properties": [{"identifier": "no name"}]}))
        await account.publish_model(lamps)
        await account.thing_model(lamps, published=True)
        await account.delete_module(lamps, "module_2")
        await account.thing_model(lamps, published=False)
        await account.register_devices(key, ["gw-1"])
        await account.register_devices(lamps, ["lamp-1", "lamp-2"])
        await _refused(account.register_devices(lamps, ["lamp-1"]))
        (gateway,) = await account.devices(key, ["gw-1"])
        await account.add_topology(gateway, await account.devices(lamps, ["lamp-1", "lamp-2", "lamp-3"]))
        await account.products()
        await account.product(key)
        await _refused(account.product("a1Nowhere01"))
        await _refused(account.delete_product(lamps))
        for product, name in ((lamps, "lamp-1"), (lamps, "lamp-2"), (key, "gw-1"), (key, "gw-1")):
            await account.delete_device(product, name)
        for product in (lamps, key):
            await account.delete_product(product)


async def _refused(call: Awaitable[object]) -> None:
    try:
        await call
    except ApiError:
        return
    raise AssertionError("the call was not refused")


async def _by_the_sdk(cloud: Simulator, calls: list[Call], python: Path, folder: Path) -> None:
    config = folder / "replay.json"
    config.write_text(
        json.dumps(
            {
                "host": f"{cloud.host}:{cloud.api_port}",
                "access_key": {"id": ACCESS_KEY.id, "secret": ACCESS_KEY.secret},
                "calls": calls,
            }
        ),
        encoding="utf-8",
    )
    process = await create_subprocess_exec(python, "-m", CHILD, config, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    _, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(err.decode(errors="replace")[-2000:])


def _recording(answers: list[str]) -> Callable[..., web.Response]:
    answer = http._json  # noqa: SLF001 - everything that the API answers

    def record(content: JsonValue, *, status: int = 200) -> web.Response:
        answers.append(dump(content))
        return answer(content, status=status)

    return record


@contextmanager
def _deterministic() -> Iterator[None]:
    """Make everything that a simulator invents the same each time."""
    chance = random.Random(0)  # noqa: S311 - nothing is secret here
    numbers = iter(range(1, 1_000_000))
    with ExitStack() as stack:
        stack.enter_context(patch("secrets.token_hex", lambda size=32: chance.randbytes(size).hex()))
        stack.enter_context(patch("secrets.choice", chance.choice))
        stack.enter_context(
            patch("simulator.openapi.api.uuid", SimpleNamespace(uuid4=lambda: f"request-{next(numbers)}"))
        )
        stack.enter_context(patch("simulator.core.clock.time", SimpleNamespace(time_ns=lambda: NOW_MS * 1_000_000)))
        yield
