"""MQTT over WebSocket (docs/protocol.md §1.1)."""

from collections.abc import AsyncGenerator
import ssl
from typing import Any

import aiohttp
import pytest

from simulator import CloudDevice, Simulator

from .conftest import KEY, NAME, SECRET
from .mqtt_device import MqttDevice, signed

POST = "thing/event/property/post"


@pytest.fixture
async def browser(cloud: Simulator, gateway: CloudDevice) -> AsyncGenerator[MqttDevice]:
    """A device that connects as in a browser."""
    client = MqttDevice(cloud.web_port, signed(KEY, NAME, SECRET), transport="websockets")
    assert await client.connect() == 0
    yield client
    await client.stop()


async def test_device_over_websocket(cloud: Simulator, gateway: CloudDevice, browser: MqttDevice) -> None:
    """Everything works as over TCP."""
    assert gateway.online
    assert (await browser.ask(POST, {"Brightness": 5}))["code"] == 200
    await cloud.call("SetDeviceProperty", ProductKey=KEY, DeviceName=NAME, Items={"Brightness": 6})
    await browser.answer({})
    large = {"GatewayName": "x" * 60_000}
    assert "GatewayName" in (await browser.ask(POST, large))["data"]
    await browser.stop()
    await gateway.wait_for(lambda device: not device.online)
    assert cloud.wire[-1].note == "disconnected: DISCONNECT"


async def test_faults_over_websocket(cloud: Simulator, gateway: CloudDevice, browser: MqttDevice) -> None:
    """Frozen, thawed, dropped."""
    cloud.faults.set(freeze=NAME)
    await cloud.call("SetDeviceProperty", ProductKey=KEY, DeviceName=NAME, Items={"Brightness": 6})
    browser.publish(browser.system + POST, {"id": "1", "params": {"Brightness": 5}})
    with pytest.raises(TimeoutError):
        await gateway.wait_for(lambda device: bool(device.properties), timeout=0.1)
    assert browser.messages.empty()
    cloud.faults.set(unfreeze=NAME)
    await browser.receive()
    await gateway.wait_for(lambda device: bool(device.properties))
    cloud.faults.set(drop_connection=NAME)
    await browser.closed.wait()
    assert not gateway.online


async def test_refused_over_websocket(cloud: Simulator, gateway: CloudDevice) -> None:
    """The CONNACK arrives before the WebSocket is closed."""
    client = MqttDevice(cloud.web_port, signed(KEY, NAME, "wrong"), transport="websockets")
    assert await client.connect() == 4
    await client.stop()


async def test_tcp_replaces_websocket(cloud: Simulator, gateway: CloudDevice, browser: MqttDevice) -> None:
    """It is the same device."""
    client = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
    assert await client.connect() == 0
    await browser.closed.wait()
    assert gateway.online
    await client.stop()


async def test_wss(socket_enabled: None, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """With TLS."""
    async with Simulator(tls=server_tls) as cloud:
        cloud.add_device(KEY, NAME, SECRET)
        client = MqttDevice(cloud.web_port, signed(KEY, NAME, SECRET), transport="websockets", tls=client_tls)
        assert await client.connect() == 0
        assert (await client.ask(POST, {"A": 1}))["code"] == 200
        await client.stop()


@pytest.mark.parametrize("send", ["text", "garbage", "close"])
async def test_what_is_not_mqtt_ends_the_websocket(cloud: Simulator, gateway: CloudDevice, send: str) -> None:
    """And nothing else."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{cloud.web_port}/mqtt", protocols=("mqtt",)) as socket,
    ):
        assert socket.protocol == "mqtt"
        match send:
            case "text":
                await socket.send_str("hello")
            case "garbage":
                await socket.send_bytes(b"\xc0\x00")
            case "close":
                await socket.close()
        message: Any = await socket.receive()
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)


async def test_stop_closes_websockets(socket_enabled: None) -> None:
    """As every connection."""
    cloud = Simulator()
    record = cloud.add_device(KEY, NAME, SECRET)
    await cloud.start()
    client = MqttDevice(cloud.web_port, signed(KEY, NAME, SECRET), transport="websockets")
    await client.connect()
    await cloud.stop()
    await client.closed.wait()
    assert not record.online
    await client.stop()
