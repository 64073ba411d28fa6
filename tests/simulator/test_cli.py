"""The command line; everything but the check of its arguments runs in a process of its own."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from pathlib import Path
import re
import signal
import socket
import sys
import tomllib
from typing import Any

import aiohttp
import pytest

from simulator import Note
from simulator.console.cli import main
from simulator.openapi.actions import ACTIONS
from simulator.routes import ROUTES

from .conftest import FIXTURES, KEY, NAME, SECRET
from .gateway_client import Gateway, hmac_hex, named
from .mqtt_device import MqttDevice, signed
from .test_architecture import ALLOWED

ROOT = Path(__file__).parent.parent.parent
TSL = FIXTURES / "tsl-home-gateway.json"

type Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(socket_enabled: None) -> AsyncGenerator[Start]:
    """Start simulators, and kill those that still run at the end of a test."""
    processes: list[Process] = []

    async def start(*arguments: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulator", *arguments, cwd=ROOT, stdout=PIPE, stderr=PIPE
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _line(process: Process) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return json.loads(await process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_output_of_the_command_line(start: Start, number: signal.Signals) -> None:
    """It prints the ports, then the wire, never a secret; a signal ends it cleanly."""
    process = await start("--device", f"{KEY},{NAME},{SECRET},{TSL}", "--device", f"{KEY},gw-2,{SECRET}")
    ports = await _line(process)
    assert ports["devices"] == [f"{KEY}/{NAME}", f"{KEY}/gw-2"]
    assert ports["tls"] is False
    assert ports["web"].startswith("http://127.0.0.1:")
    device = MqttDevice(ports["port"], signed(KEY, NAME, SECRET))
    assert await device.connect() == 0
    assert (await device.ask("thing/event/property/post", {"Brightness": 1, "Nope": 1}))["data"].keys() == {"Nope"}
    async with aiohttp.ClientSession() as session:
        fields = {"Action": "GetDeviceStatus", "ProductKey": KEY, "DeviceName": NAME}
        async with session.post(ports["api"], data=fields) as response:
            assert (await response.json())["Data"]["Status"] == "ONLINE"
    lines = [await _line(process) for _ in range(3)]
    assert [line["direction"] for line in lines] == ["link", "up", "down"]
    assert json.loads(lines[1]["payload"])["params"] == {"Brightness": 1, "Nope": 1}

    process.send_signal(number)
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert process.returncode == 0
    assert err == b""
    assert SECRET.encode() not in out
    await device.stop()


async def test_products_and_limits(start: Start) -> None:
    """A product of the command line takes dynamic registration, with its thing model; limits are applied."""
    process = await start(
        *("--product", f"{KEY},productsecret016,{TSL}", "--product", f"a1SubLamp01,{SECRET}"),
        *("--device", f"{KEY},{NAME},{SECRET}", "--device", f"a1SubLamp01,lamp-0,{SECRET}"),
        *("--sub-device-limit", "1", "--device-limit", "2", "--login-batch", "1", "--no-connect-limit"),
        *("--strict-values", "--plain-registration", "--access-key", "LTAIcli,key-secret"),
    )
    ports = await _line(process)
    gateway = Gateway(MqttDevice(ports["port"], signed(KEY, NAME, SECRET)))
    assert await gateway.device.connect() == 0
    assert (await gateway.ask("thing/event/property/post", {"Nope": 1}))["data"].keys() == {"Nope"}
    assert (await gateway.ask("thing/event/property/post", {"TargetTemperature": 21}))["data"] != {}
    client_id = "any|securemode=2,authType=regnwl,random=x,signmethod=hmacsha256|"
    password = hmac_hex("productsecret016", {"deviceName": "gw-9", "productKey": KEY, "random": "x"})
    device = MqttDevice(ports["port"], (client_id, f"gw-9&{KEY}", password))
    assert await device.connect() == 4
    await device.stop()
    lamp = ("a1SubLamp01", "lamp-0")
    [registered] = (await gateway.ask("thing/sub/register", [named(lamp)]))["data"]
    assert (await gateway.add(lamp, (KEY, "gw-9"), secret=registered["deviceSecret"]))["code"] == 6100
    assert (await gateway.add(lamp, secret=registered["deviceSecret"]))["code"] == 200
    assert (await gateway.log_in(lamp, lamp))["code"] == 460
    async with aiohttp.ClientSession() as session, session.post(ports["api"], data={"Action": "Pub"}) as response:
        assert (response.status, (await response.json())["Code"]) == (400, "MissingAccessKeyId")
    await gateway.device.stop()


async def test_simulator_ends_when_its_output_is_closed(start: Start) -> None:
    """As when the output is piped into `head`."""
    process = await start("--device", f"{KEY},{NAME},{SECRET}", "--no-connect-limit")
    ports = await _line(process)
    process._transport.get_pipe_transport(1).close()
    device = MqttDevice(ports["port"], signed(KEY, NAME, SECRET))
    await device.connect()
    async with asyncio.timeout(20):
        # The pipe is closed in the background, so the first lines may still be read.
        while process.returncode is None:
            device.publish(f"{device.system}thing/model/up_raw", b"")
            await asyncio.sleep(0.05)
    await device.stop()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--product", f"{KEY}"], "PK,SECRET"),
        (["--product", f"{KEY},{SECRET},/nowhere.json"], "/nowhere.json"),
        (["--login-batch", "many"], "--login-batch"),
        (["--access-key", SECRET], "ID,SECRET"),
        (["--access-key", f",{SECRET}"], "ID,SECRET"),
        (["--device", f"{KEY},{NAME}"], "PK,DN,SECRET"),
        (["--device", f"{KEY},,{SECRET}"], "PK,DN,SECRET"),
        (["--device", f"{KEY},{NAME},{SECRET},/nowhere.json"], "/nowhere.json"),
        (["--device", f"{KEY},{NAME},{SECRET},{ROOT / 'pyproject.toml'}"], "pyproject.toml"),
        (["--device", f"{KEY},{NAME},{SECRET}", "--tls", "/nowhere.pem,/nowhere.key"], "/nowhere.pem"),
    ],
)
def test_wrong_arguments_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    """The exit status is 2, and the secret is not repeated."""
    monkeypatch.setattr(sys, "argv", ["simulator", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert complaint in err
    assert SECRET not in err


def test_help_tells_everything(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All actions, faults, topics and notes: what is in a table is in the help."""
    monkeypatch.setattr(sys, "argv", ["simulator", "--help"])
    with pytest.raises(SystemExit):
        main()
    text = capsys.readouterr().out
    for name in (*ACTIONS, *ROUTES, *Note, "refuse_connect", "ignore_topics", "GET /wire?since=N"):
        assert name in text
    assert not [line for line in text.splitlines() if line.endswith(": ")]


def test_package_has_every_folder() -> None:
    """The simulator can be installed on its own, without Home Assistant."""
    project = tomllib.loads((ROOT / "simulator" / "pyproject.toml").read_text())
    folders = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in (ROOT / "simulator").rglob("*.py")
    }
    assert set(project["tool"]["setuptools"]["packages"]) == folders
    names = {re.split("[<>=]", text)[0] for text in project["project"]["dependencies"]}
    assert names | set(sys.stdlib_module_names) == ALLOWED


async def test_port_in_use_is_reported(start: Start) -> None:
    """In one line."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        process = await start("--port", str(port), "--device", f"{KEY},{NAME},{SECRET}")
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith("simulator: ")
    assert "Traceback" not in err.decode()
