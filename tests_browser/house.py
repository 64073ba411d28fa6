"""The house that the browser visits: the demo's Home Assistant, the simulated cloud, and two devices of the cloud."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from functools import cache
import json
from pathlib import Path
import secrets
import socket
from typing import Any

import aiohttp

from demo.cloud import Cloud
from demo.flows import add_integration, bind_suggested, import_thing_model
from demo.home_assistant import home_assistant
from demo.home_client import HomeClient, Json
from demo.house import INTEGRATIONS, build, furnish
from demo.words import Language
from simulator import CloudDevice
from tests.interview import EXPORT

from .evidence import Evidence

LOGGER = "  default: warning\n  logs:\n    custom_components.aliyun_iot: info\n"
LOG_EVERYTHING = "  default: debug\n\nsystem_health:\n"

WATCHED = ("connected", "disconnected", "property_set_received", "property_rejected")
"""Triggers of an automation whose traces are searched for secrets."""

SHOWROOM = Path(__file__).with_name("showroom")
"""An integration with sixty devices."""

METERS = Path(__file__).with_name("meters")
"""An integration with as many sensors as a test asks for."""

NEW_PRODUCT_KEY = "a1FirstHour"
NEW_DEVICE = "my-house"
"""The device of the cloud that only the test of the first hour sets up."""


def _property(identifier: str, name: str, access: str, kind: str, specs: dict[str, str]) -> dict[str, Json]:
    return {
        "identifier": identifier,
        "name": name,
        "accessMode": access,
        "required": False,
        "dataType": {"type": kind, "specs": dict(specs)},
    }


def new_model(language: Language) -> dict[str, Json]:
    """Return the three properties of the README's first hour."""
    zh = language is Language.CHINESE
    temperature = {"min": "-40", "max": "125", "step": "0.1", "unit": "°C"}
    humidity = {"min": "0", "max": "100", "step": "0.1", "unit": "%"}
    switch = {"0": "关", "1": "开"} if zh else {"0": "off", "1": "on"}
    return {
        "schema": "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
        "profile": {"version": "1.0", "productKey": NEW_PRODUCT_KEY},
        "properties": [
            _property("CurrentTemperature", "温度" if zh else "Temperature", "r", "float", temperature),
            _property("CurrentHumidity", "湿度" if zh else "Humidity", "r", "float", humidity),
            _property("LightSwitch", "开关" if zh else "Switch", "rw", "bool", switch),
        ],
        "events": [],
        "services": [],
    }


@dataclass(frozen=True, slots=True)
class Running:
    """A Home Assistant that runs, and is furnished."""

    url: str
    token: str
    language: Language
    home: HomeClient
    session: aiohttp.ClientSession
    evidence: Evidence
    folder: Path

    @property
    def is_chinese(self) -> bool:
        """Whether everything is in Chinese."""
        return self.language is Language.CHINESE

    async def request(self, method: str, path: str, content: object = None) -> None:
        """Send an HTTP request below `/api/`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(method, f"{self.url}/api/{path}", json=content, headers=headers) as response:
            response.raise_for_status()

    def t(self, key: str, **placeholders: object) -> str:
        """Return a text of the integration by its path in the translation file; raises KeyError."""
        node: object = translations(self.language)
        for part in key.split("."):
            assert isinstance(node, dict)
            node = node[part]
        text = str(node)
        for name, value in placeholders.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text


@dataclass(frozen=True, slots=True)
class House(Running):
    """A running Home Assistant with one device set up, and its cloud."""

    cloud: Cloud
    entry_id: str
    new_device: CloudDevice


@cache
def translations(language: Language) -> dict[str, Json]:
    """Return the translation file of the integration."""
    texts: dict[str, Json] = json.loads((INTEGRATIONS / "aliyun_iot" / "translations" / f"{language}.json").read_text())
    return texts


@asynccontextmanager
async def running(
    folder: Path, language: Language, evidence: Evidence, *stand_ins: Path, more: str = ""
) -> AsyncIterator[Running]:
    """Run a furnished Home Assistant that logs everything for the duration of the context, with all files in `folder`.

    `more` is added to its configuration, and `stand_ins` to its custom integrations.
    """
    port = free_port()
    config = folder / "config"
    build(config, port)
    if stand_ins:
        components = config / "custom_components"
        components.unlink()
        components.mkdir()
        for component in (INTEGRATIONS / "aliyun_iot", *stand_ins):
            (components / component.name).symlink_to(component)
    configuration = config / "configuration.yaml"
    text = configuration.read_text(encoding="utf-8")
    assert LOGGER in text
    configuration.write_text(text.replace(LOGGER, LOG_EVERYTHING) + more, encoding="utf-8")
    evidence.add_house(folder)
    async with (
        home_assistant(config, folder / "hass.log", port, language) as process,
        aiohttp.ClientSession() as session,
    ):
        await process.wait_until_up(session)
        home = HomeClient(session, process.url)
        await home.onboard(language)
        listening = asyncio.create_task(home.listen_forever())
        try:
            await home.wait_until_started()
            await furnish(home, language)
            token = str(await home.command("auth/long_lived_access_token", client_name="browser", lifespan=1))
            here = Running(process.url, token, language, home, session, evidence, folder)
            await here.request("POST", f"config/automation/config/{EXPORT['id']}", EXPORT)
            yield here
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


@asynccontextmanager
async def house(folder: Path, language: Language, evidence: Evidence, *stand_ins: Path) -> AsyncIterator[House]:
    """Run the house for the duration of the context, with these custom integrations more."""
    cloud = Cloud(free_port(), free_port(), lambda _message: None, language)
    new_device = cloud.simulator.add_device(NEW_PRODUCT_KEY, NEW_DEVICE, secrets.token_hex(16), new_model(language))
    evidence.add_cloud(cloud.simulator)
    async with cloud.simulator, running(folder, language, evidence, *stand_ins) as here:
        home = here.home
        entry_id = await add_integration(home, cloud)
        await import_thing_model(home, entry_id, cloud.thing_model)
        await bind_suggested(home, entry_id)
        watch = {"alias": "Watch", "triggers": [trigger(kind, entry_id) for kind in WATCHED], "actions": [{"delay": 0}]}
        await here.request("POST", "config/automation/config/watch", watch)
        yield House(**parts_of(here), cloud=cloud, entry_id=entry_id, new_device=new_device)


def parts_of(home: Running) -> dict[str, Any]:
    """Return the fields of a Home Assistant, for one that is more."""
    return {field.name: getattr(home, field.name) for field in fields(Running)}


def trigger(kind: str, entry_id: str) -> dict[str, Json]:
    """Return a trigger of the integration."""
    return {"trigger": f"aliyun_iot.{kind}", "options": {"config_entry_id": entry_id}}


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
