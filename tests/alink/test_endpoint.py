"""Hosts and ports of the cloud (docs/protocol.md §1)."""

import pytest

from custom_components.aliyun_iot.alink.mqtt.endpoint import REGIONS, Endpoint, SecureMode, Transport


@pytest.mark.parametrize(
    ("transport", "port", "expected"),
    [(Transport.TLS, None, 1883), (Transport.TCP, None, 1883), (Transport.TLS, 443, 443)],
)
def test_region(transport: Transport, port: int | None, expected: int) -> None:
    """A legacy public instance has a host for each product, and ports that accept both TLS and plain TCP."""
    endpoint = Endpoint.for_region("a1HomeGw001", "cn-shanghai", transport, port)
    assert endpoint == Endpoint("a1HomeGw001.iot-as-mqtt.cn-shanghai.aliyuncs.com", expected, transport)


@pytest.mark.parametrize(
    ("transport", "port", "expected"),
    [(Transport.TLS, None, 8883), (Transport.TCP, None, 1883), (Transport.TLS, 443, 443)],
)
def test_instance(transport: Transport, port: int | None, expected: int) -> None:
    """An instance with an id has its own host, whose port 8883 accepts TLS only."""
    endpoint = Endpoint.for_instance("iot-06z00abcdefghij", transport, port)
    assert endpoint == Endpoint("iot-06z00abcdefghij.mqtt.iothub.aliyuncs.com", expected, transport)


def test_tls_is_the_default() -> None:
    """The client id declares the transport."""
    assert Endpoint.for_instance("iot-06z00abcdefghij").transport is Transport.TLS
    assert Endpoint.for_region("a1HomeGw001", REGIONS[0]).transport is Transport.TLS
    assert Endpoint("mqtt.example.com", 8883).secure_mode is SecureMode.TLS == "2"
    assert Endpoint("mqtt.example.com", 1883, Transport.TCP).secure_mode is SecureMode.TCP == "3"
