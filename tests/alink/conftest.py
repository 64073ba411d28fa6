"""Fixtures and helpers for the tests of the link."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.auth import DeviceTriple
from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Answer, Command, CommandHandler
from custom_components.aliyun_iot.alink.errors import ConnectError
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.mqtt.pacing import WINDOW, ConnectPacer
from custom_components.aliyun_iot.alink.samples import Sample
from simulator import CloudDevice, DeviceReply, Direction, Simulator, WireMessage

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .proxy import Proxy

TRIPLE = DeviceTriple(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)

DEVICE = {"ProductKey": PRODUCT_KEY, "DeviceName": DEVICE_NAME}
"""The parameters that identify the device in calls of the cloud's API."""

ALINK = "custom_components.aliyun_iot.alink"


async def _succeed(_command: Command) -> Answer:
    return Answer()


@dataclass(slots=True)
class Owner:
    """Takes the place of Home Assistant: records changes of the link, and carries commands out by `act`."""

    states: list[LinkState] = field(default_factory=list)
    errors: list[ConnectError | None] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    act: CommandHandler = _succeed

    def hear(self, state: LinkState, error: ConnectError | None) -> None:
        """Record a change of the link."""
        self.states.append(state)
        self.errors.append(error)

    async def obey(self, command: Command) -> Answer:
        """Record a command and carry it out."""
        self.commands.append(command)
        return await self.act(command)


type NewLink = Callable[..., Link]


@pytest.fixture(autouse=True)
def no_rate_limit() -> None:
    """Keep the rate limit, which this package tests; `unlimited` removes it."""


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Don't set Home Assistant up: nothing in this package uses it."""


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again at once after every failure."""
    for delay in ("FIRST_DELAY", "LONGEST_DELAY", "REFUSED_DELAY", "KICKED_DELAY"):
        monkeypatch.setattr(f"{ALINK}.mqtt.pacing.{delay}", 0.01)


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send without a rate limit."""
    monkeypatch.setattr(f"{ALINK}.mqtt.pacing.RateLimit.delay", lambda _limit, _spare=0: 0.0)


@pytest.fixture
async def proxy(cloud: Simulator) -> AsyncGenerator[Proxy]:
    """Return a router in front of the cloud."""
    async with Proxy(cloud.port) as proxy:
        yield proxy


@pytest.fixture
async def loop_errors() -> AsyncGenerator[list[dict[str, Any]]]:
    """Fail the test on exceptions that only the loop's exception handler gets."""
    errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    yield errors
    assert not errors


@pytest.fixture
def config(cloud: Simulator) -> LinkConfig:
    """Return the configuration that connects the device to the cloud."""
    return config_for(cloud.port)


def config_for(port: int, **fields: Any) -> LinkConfig:
    """Return a configuration for a port on loopback; the clock of its pacer advances by a minute on each call."""
    endpoint = Endpoint("127.0.0.1", port, fields.pop("transport", Transport.TCP), fields.pop("ca", None))
    return LinkConfig(fields.pop("triple", TRIPLE), endpoint, pacer=ConnectPacer(count(0.0, WINDOW).__next__), **fields)


@pytest.fixture
def owner() -> Owner:
    """Return the owner of the links that `new_link` makes."""
    return Owner()


@pytest.fixture
async def new_link(owner: Owner, loop_errors: list[dict[str, Any]], socket_enabled: None) -> AsyncGenerator[NewLink]:
    """Return a function that creates and starts links; they are stopped after the test."""
    links: list[Link] = []

    def make(config: LinkConfig, services: Iterable[str] = (), **options: Any) -> Link:
        link = Link(config, on_command=owner.obey, on_state=owner.hear, services=services, **options)
        links.append(link)
        link.start()
        return link

    yield make
    for link in links:
        await link.stop()


@pytest.fixture
async def link(new_link: NewLink, config: LinkConfig, device: CloudDevice) -> Link:
    """Return a link that is online."""
    link = new_link(config)
    await link.wait_online(30)
    return link


async def call(cloud: Simulator, action: str, **fields: Any) -> dict[str, Any]:
    """Call an action of the cloud's API for the device."""
    return await cloud.call(action, **DEVICE, **fields)


async def reply_to(device: CloudDevice, answer: dict[str, Any]) -> DeviceReply:
    """Return the device's answer to the command that an action has sent."""
    return await device.wait_reply(answer["Data"]["MessageId"])


async def publish(cloud: Simulator, topic: str, payload: bytes) -> None:
    """Publish a payload from the cloud on a topic of the device."""
    content = base64.b64encode(payload).decode()
    assert (await call(cloud, "Pub", TopicFullName=topic, MessageContent=content))["Success"]


def sent(cloud: Simulator, topic: str) -> list[WireMessage]:
    """Return the messages that the device published on a topic."""
    return [one for one in cloud.wire if one.direction is Direction.UP and one.topic == topic]


async def ask(cloud: Simulator, payload: bytes, topic: str | None = None) -> dict[str, Any]:
    """Call the device synchronously from the cloud with any payload, on the system topic or `topic`; wait a second at most.

    Return the response of the API, with the device's answer as `payload`.
    """
    content = base64.b64encode(payload).decode()
    answer = await call(cloud, "RRpc", RequestBase64Byte=content, Timeout=1000, Topic=topic)
    return answer | {"payload": base64.b64decode(answer.get("PayloadBase64Byte", ""))}


async def obeys(cloud: Simulator, device: CloudDevice) -> bool:
    """Return whether the device carries a command out."""
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 0}))
    return reply.code == Code.SUCCESS


async def works(cloud: Simulator, device: CloudDevice) -> bool:
    """Return whether the link works, on its first connection."""
    return await obeys(cloud, device) and device.connections == 1


async def is_back(link: Link, device: CloudDevice, connections: int) -> None:
    """Wait until the link is online on this connection or a later one, and check that it works."""
    await until(lambda: device.connections >= connections and link.state is LinkState.ONLINE)
    assert (await link.device.post_properties({"LightSwitch": Sample(1, 1_700_000_000_000)})).ok
