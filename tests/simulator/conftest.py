"""Fixtures of the simulator's tests: a simulator on loopback, a device in it, and real MQTT clients."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from pathlib import Path
import ssl
from typing import Any

import pytest

from simulator import CloudDevice, Simulator

from ..certificates import certificate_files
from .gateway_client import PRODUCT_SECRET, SUB_KEY, SUB_SECRET, Gateway
from .mqtt_device import MqttDevice, signed

FIXTURES = Path(__file__).parent.parent / "fixtures"
KEY, NAME, SECRET = "a1HomeGw001", "gw-1", "0123456789abcdef0123456789abcdef"

type Connect = Callable[..., Awaitable[MqttDevice]]
type Call = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="session")
def tsl() -> dict[str, Any]:
    """The thing model of the home gateway."""
    return json.loads((FIXTURES / "tsl-home-gateway.json").read_text())


@pytest.fixture
async def cloud(socket_enabled: None, request: pytest.FixtureRequest) -> AsyncGenerator[Simulator]:
    """A running simulator without a limit on connects; its options can be given by indirect parametrization."""
    options = {"connects_per_minute": None, "service_timeout": 0.2} | getattr(request, "param", {})
    async with Simulator(**options) as cloud:
        yield cloud


@pytest.fixture
def gateway(cloud: Simulator, tsl: dict[str, Any]) -> CloudDevice:
    """The cloud's record of a device with a thing model."""
    return cloud.add_device(KEY, NAME, SECRET, tsl)


@pytest.fixture
async def connect(cloud: Simulator) -> AsyncGenerator[Connect]:
    """Connect MQTT clients, as `gateway` by default."""
    clients: list[MqttDevice] = []

    async def connect(
        device_name: str = NAME,
        parameters: str = "_ss=1",
        *,
        product_key: str = KEY,
        secret: str = SECRET,
        **options: Any,
    ) -> MqttDevice:
        client = MqttDevice(cloud.port, signed(product_key, device_name, secret, parameters), **options)
        clients.append(client)
        assert await client.connect() == 0
        return client

    yield connect
    for client in clients:
        await client.stop()


@pytest.fixture
async def device(gateway: CloudDevice, connect: Connect) -> MqttDevice:
    """The device itself, online, with implicit subscriptions."""
    return await connect()


@pytest.fixture
def call(cloud: Simulator, gateway: CloudDevice) -> Call:
    """Call actions of the API for the gateway."""

    async def call(action: str, **fields: Any) -> dict[str, Any]:
        return await cloud.call(action, **({"ProductKey": KEY, "DeviceName": NAME} | fields))

    return call


@pytest.fixture
def lamps(cloud: Simulator, tsl: dict[str, Any]) -> list[CloudDevice]:
    """Three devices of a product that can be sub-devices, `lamp-0` to `lamp-2`, in no topology yet."""
    cloud.add_product(SUB_KEY, tsl, secret=PRODUCT_SECRET, dynamic_registration=True)
    return [cloud.add_device(SUB_KEY, f"lamp-{number}", SUB_SECRET) for number in range(3)]


@pytest.fixture
async def hub(device: MqttDevice, lamps: list[CloudDevice]) -> Gateway:
    """A gateway that is online, with an empty topology."""
    return Gateway(device)


@pytest.fixture
async def other_hub(cloud: Simulator, connect: Connect, hub: Gateway) -> Gateway:
    """A second gateway that is online."""
    cloud.add_device(KEY, "gw-2", SECRET)
    return Gateway(await connect("gw-2"))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    return certificate_files(tmp_path)


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """The TLS of a simulator."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def client_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """The TLS of a client that trusts this simulator."""
    return ssl.create_default_context(cafile=str(certificate[0]))
