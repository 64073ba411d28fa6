"""The cloud side of the conversation: the simulator, used by its control API."""

import base64
from collections.abc import Callable, Mapping
import json
from pathlib import Path
import re
import secrets
import shlex
from typing import cast

import aiohttp

from simulator import CloudDevice, DeviceReply, Simulator, WireMessage

from .home_client import Json
from .words import Language

THING_MODEL = Path(__file__).with_name("thing_model.json")
PRODUCT_KEY = "a1HomeDemo1"
DEVICE_NAME = "demo-house"

_NAME = re.compile(r'"name": "(?P<en>[ -~]+) (?P<zh>[^ -~][^"]*)"')


class ActionRefused(Exception):  # noqa: N818 - named after what happened
    """The control API refused an action; the text has the platform's code."""


def thing_model(language: Language) -> str:
    """Return the thing model with its names in one language; the file has both, as in “Lamp 台灯”."""

    def name(match: re.Match[str]) -> str:
        return f'"name": "{match["zh"] if language is Language.CHINESE else match["en"]}"'

    return _NAME.sub(name, THING_MODEL.read_text())


class Cloud:
    """A simulated cloud with one device, the demo house."""

    def __init__(self, port: int, api_port: int, on_wire: Callable[[WireMessage], None], language: Language) -> None:
        """Prepare; `async with simulator` starts it. The secret is new at each start and never printed."""
        self.secret = secrets.token_hex(16)
        self.thing_model = thing_model(language)
        self.simulator = Simulator(port=port, api_port=api_port, on_wire=on_wire, strict_values=True)
        self.device: CloudDevice = self.simulator.add_device(
            PRODUCT_KEY, DEVICE_NAME, self.secret, json.loads(self.thing_model)
        )

    @property
    def api(self) -> str:
        """The address of the control API."""
        return f"http://127.0.0.1:{self.simulator.api_port}/"

    def value(self, identifier: str) -> object:
        """Return the value of a property in the cloud, None if it has none."""
        return self.device.properties.get(identifier, (None, 0))[0]

    async def call(self, session: aiohttp.ClientSession, action: str, **fields: Json) -> dict[str, Json]:
        """Run an action on the device and return the answer; raises ActionRefused."""
        async with session.post(self.api, data=form(action, fields)) as response:
            answer = cast("dict[str, Json]", await response.json())
        if not answer["Success"]:
            raise ActionRefused(f"{answer['Code']} {answer.get('ErrorMessage', '')}")
        return answer

    async def reply(self, message_id: str, timeout: float = 10.0) -> DeviceReply:
        """Return the device's reply to a command; raises TimeoutError."""
        return await self.device.wait_reply(message_id, timeout)

    async def fault(self, session: aiohttp.ClientSession, **switches: Json) -> None:
        """Set fault switches of the simulator."""
        async with session.post(f"{self.api}faults", json=switches) as response:
            response.raise_for_status()

    def curl(self, action: str, **fields: Json) -> str:
        """Return a command line that runs an action."""
        parts = [_option(name, value) for name, value in form(action, fields).items()]
        return f"curl -s {self.api} {' '.join(parts)}"


def form(action: str, fields: Mapping[str, Json]) -> dict[str, str]:
    """Return the form fields of an action on the demo house; objects are sent as JSON."""
    named = {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in fields.items()
    }
    return {"Action": action, "ProductKey": PRODUCT_KEY, "DeviceName": DEVICE_NAME, **named}


def base64_text(frame: bytes) -> str:
    """Return bytes as Base64, as in the control API."""
    return base64.b64encode(frame).decode()


def _option(name: str, value: str) -> str:
    """Return a field as an argument of curl, encoded only where needed."""
    option = "--data-urlencode" if set("%&+") & set(value) else "-d"
    return f"{option} {shlex.quote(f'{name}={value}')}"
