"""Starting, stopping, several devices, TLS. The test harness fails if a task, timer, thread or socket is left."""

import asyncio
from contextlib import suppress
import logging
from pathlib import Path
import ssl

import pytest

from simulator import RrpcForm, Simulator, WireMessage, reserved_port

from .conftest import KEY, NAME, SECRET
from .mqtt_device import MqttDevice, signed

POST = "thing/event/property/post"


async def test_ports(socket_enabled: None) -> None:
    """Free ones by default, so that two simulators can run at once, or given ones."""
    async with Simulator() as one, Simulator() as two:
        ports = {one.port, one.api_port, two.port, two.api_port}
        assert len(ports) == 4
    async with Simulator(port=one.port, api_port=one.api_port) as again:
        assert (again.port, again.api_port) == (one.port, one.api_port)


async def test_port_in_use_is_an_error(socket_enabled: None) -> None:
    """Nothing is left open, neither for MQTT nor for the API."""
    async with Simulator() as first:
        with pytest.raises(OSError, match="in use"):
            await Simulator(port=first.port).start()
        half = Simulator(api_port=first.api_port)
        with pytest.raises(OSError, match="in use"):
            await half.start()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", half.port)


async def test_reserved_port_is_kept_between_a_stop_and_the_next_start(socket_enabled: None) -> None:
    """Without a simulator a connection is refused, and nobody who asks for any free port gets this one."""
    with reserved_port() as port:
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            async with Simulator(port=port) as cloud:
                assert cloud.port == port


async def test_stop_while_clients_connect(socket_enabled: None, caplog: pytest.LogCaptureFixture) -> None:
    """A connection that was accepted a moment before is closed like all others."""
    for turns in range(12):
        cloud = Simulator()
        await cloud.start()
        connecting = [asyncio.create_task(asyncio.open_connection("127.0.0.1", cloud.port)) for _ in range(5)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await cloud.stop()
        for outcome in await asyncio.gather(*connecting, return_exceptions=True):
            if isinstance(outcome, tuple):
                with suppress(ConnectionResetError):
                    assert await outcome[0].read() == b""
                outcome[1].close()
            else:
                assert isinstance(outcome, OSError)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_stop_closes_every_connection(socket_enabled: None) -> None:
    """Also frozen ones, and those that have not sent CONNECT; stopping twice does no harm."""
    cloud = Simulator()
    record = cloud.add_device(KEY, NAME, SECRET)
    await cloud.start()
    device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
    await device.connect()
    cloud.faults.set(freeze=NAME)
    reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
    await cloud.stop()
    await cloud.stop()
    await device.closed.wait()
    assert not record.online
    assert await reader.read() == b""
    writer.close()
    await device.stop()


async def test_stopped_simulator_can_start_again(socket_enabled: None) -> None:
    """On the same ports, with the same devices and records."""
    cloud = Simulator()
    record = cloud.add_device(KEY, NAME, SECRET)
    for _ in range(2):
        async with cloud:
            device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
            assert await device.connect() == 0
            await device.stop()
    assert record.connections == 2


async def test_several_devices_share_a_simulator(socket_enabled: None) -> None:
    """Each gets only its own messages; a listener gets them all."""
    seen: list[WireMessage] = []
    async with Simulator(on_wire=seen.append) as cloud:
        names = [f"gw-{number}" for number in range(3)]
        records = [cloud.add_device(KEY, name, f"{name}-secret") for name in names]
        devices = [MqttDevice(cloud.port, signed(KEY, name, f"{name}-secret")) for name in names]
        for number, device in enumerate(devices):
            assert await device.connect() == 0
            assert (await device.ask(POST, {"Number": number}))["code"] == 200
        for device in devices:
            assert device.messages.empty()
            await device.stop()
        assert [record.properties["Number"][0] for record in records] == [0, 1, 2]
        assert cloud.device(KEY, "gw-1") is records[1]
    assert seen == list(cloud.wire)
    assert [message.number for message in seen] == list(range(1, len(seen) + 1))


def test_invalid_rrpc_form_is_refused() -> None:
    """When the device is created, not when a service is invoked."""
    cloud = Simulator()
    assert cloud.add_device(KEY, NAME, SECRET, rrpc="ext").rrpc is RrpcForm.EXT
    with pytest.raises(ValueError, match="long"):
        cloud.add_device(KEY, NAME, SECRET, rrpc="long")


async def test_downlinks_can_have_qos_1(socket_enabled: None) -> None:
    """Both commands and replies."""
    async with Simulator(downlink_qos=1) as cloud:
        cloud.add_device(KEY, NAME, SECRET)
        device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
        await device.connect()
        await cloud.call("SetDeviceProperty", ProductKey=KEY, DeviceName=NAME, Items={"A": 1})
        assert (await device.receive()).qos == 1
        device.publish(device.system + POST, {"id": "1", "params": {"A": 1}})
        assert (await device.receive()).qos == 1
        await device.stop()


async def test_tls(socket_enabled: None, certificate: tuple[Path, Path]) -> None:
    """Everything works over TLS, including a frozen connection."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*certificate)
    async with Simulator(tls=server, service_timeout=0.1) as cloud:
        record = cloud.add_device(KEY, NAME, SECRET)
        client = ssl.create_default_context(cafile=str(certificate[0]))
        device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET), tls=client)
        assert await device.connect() == 0
        assert (await device.ask(POST, {"A": 1}))["code"] == 200
        cloud.faults.set(freeze=NAME)
        await cloud.call("SetDeviceProperty", ProductKey=KEY, DeviceName=NAME, Items={"A": 1})
        with pytest.raises(TimeoutError):
            await record.wait_for(lambda device: "B" in device.properties, timeout=0.1)
        assert device.messages.empty()
        cloud.faults.set(unfreeze=NAME)
        await device.receive()
        cloud.faults.set(drop_connection=NAME)
        await device.closed.wait()
        await device.stop()


async def test_plain_client_on_a_tls_port(socket_enabled: None, certificate: tuple[Path, Path]) -> None:
    """It is disconnected at once if it sends plain MQTT, otherwise when the simulator stops."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*certificate)
    async with Simulator(tls=server) as cloud:
        reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
        writer.write(b"\x10\x10\x00\x04MQTT")
        assert b"MQTT" not in await reader.read()
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
    assert await reader.read() == b""
    writer.close()


async def test_client_that_does_not_trust_the_certificate(socket_enabled: None, certificate: tuple[Path, Path]) -> None:
    """It disconnects, which is no error of the simulator; other clients are served."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*certificate)
    async with Simulator(tls=server) as cloud:
        cloud.add_device(KEY, NAME, SECRET)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", cloud.port, ssl=ssl.create_default_context())
        client = ssl.create_default_context(cafile=str(certificate[0]))
        device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET), tls=client)
        assert await device.connect() == 0
        await device.stop()


async def test_replaced_device_loses_its_connection(socket_enabled: None) -> None:
    """And its records."""
    async with Simulator() as cloud:
        cloud.add_device(KEY, NAME, SECRET)
        device = MqttDevice(cloud.port, signed(KEY, NAME, SECRET))
        await device.connect()
        replacement = cloud.add_device(KEY, NAME, SECRET)
        await device.closed.wait()
        assert replacement.connections == 0
        await device.stop()
