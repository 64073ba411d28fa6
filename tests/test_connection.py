"""What the user enters as an endpoint, and what it means."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink import Endpoint, Transport
from custom_components.aliyun_iot.link_config import EndpointInvalid, PortTwice, link_config, parse_endpoint

from .conftest import DEVICE_SECRET


@pytest.mark.parametrize(
    ("entered", "transport", "port", "host", "expected_port"),
    [
        ("cn-shanghai", Transport.TLS, None, "a1Key.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883),
        ("cn-shanghai", Transport.TLS, 443, "a1Key.iot-as-mqtt.cn-shanghai.aliyuncs.com", 443),
        ("iot-06z00abcdefghij", Transport.TLS, None, "iot-06z00abcdefghij.mqtt.iothub.aliyuncs.com", 8883),
        ("IOT-06Z00ABCDEFGHIJ", Transport.TCP, None, "iot-06z00abcdefghij.mqtt.iothub.aliyuncs.com", 1883),
        (" mqtt.example.com ", Transport.TLS, None, "mqtt.example.com", 8883),
        ("mqtt.example.com", Transport.TCP, None, "mqtt.example.com", 1883),
        ("mqtt.example.com", Transport.TLS, 443, "mqtt.example.com", 443),
        ("127.0.0.1:2883", Transport.TCP, 2883, "127.0.0.1", 2883),
        ("mqtt://127.0.0.1:2883", Transport.TCP, None, "127.0.0.1", 2883),
        ("MQTTS://mqtt.example.com", Transport.TLS, None, "mqtt.example.com", 8883),
        ("ssl://iot-06z00abcdefghij", Transport.TLS, None, "iot-06z00abcdefghij.mqtt.iothub.aliyuncs.com", 8883),
        ("tcp://[::1]:1883", Transport.TCP, None, "::1", 1883),
        ("[::1]:1883", Transport.TCP, None, "::1", 1883),
    ],
)
def test_endpoints(entered: str, transport: Transport, port: int | None, host: str, expected_port: int) -> None:
    """A region, an instance or a host, with or without a port, leads to one endpoint."""
    assert parse_endpoint("a1Key", entered, transport, port, None) == Endpoint(host, expected_port, transport)


@pytest.mark.parametrize(
    "entered",
    [
        "",
        "https://example.com",
        "mqtt://",
        "a b",
        "example.com:0",
        "example.com:99999",
        "host:",
        "cn-shanghai:1883",
        "iot-",
    ],
)
def test_impossible_endpoints(entered: str) -> None:
    """What can't be an endpoint is refused at once."""
    with pytest.raises(EndpointInvalid):
        parse_endpoint("a1Key", entered, Transport.TLS, None, None)


def test_two_ports() -> None:
    """Nobody can tell which of them is meant."""
    with pytest.raises(PortTwice):
        parse_endpoint("a1Key", "example.com:1883", Transport.TLS, 443, None)


async def test_one_pacer_for_each_device(hass: HomeAssistant) -> None:
    """A reload, a reconfiguration and the running link share the five connects a minute."""
    data = {
        "product_key": "a1Key",
        "device_name": "gw-1",
        "device_secret": DEVICE_SECRET,
        "endpoint": "127.0.0.1",
        "transport": "tls",
    }
    config = link_config(hass, data, {})
    assert link_config(hass, {**data, "endpoint": "example.com"}, {}).pacer is config.pacer
    assert link_config(hass, {**data, "device_name": "gw-2"}, {}).pacer is not config.pacer
