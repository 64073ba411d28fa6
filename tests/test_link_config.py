"""The endpoint that each entry of the user stands for."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.host import ALIYUN
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.link_config import EndpointInvalid, PortTwice, link_config, parse_endpoint

from .conftest import DEVICE_SECRET


@pytest.mark.parametrize(
    ("entered", "transport", "port", "host", "expected_port"),
    [
        ("cn-shanghai", Transport.TLS, None, "a1Key.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883),
        ("cn-shanghai", Transport.TLS, 443, "a1Key.iot-as-mqtt.cn-shanghai.aliyuncs.com", 443),
        ("华东2（上海）", Transport.TLS, None, "a1Key.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883),
        ("CN-Shanghai", Transport.TLS, None, "a1Key.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883),
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
        ("iot-server", Transport.TLS, None, "iot-server", 8883),
        ("iot-server:1883", Transport.TCP, None, "iot-server", 1883),
        ("iot-06z00abcdefghi", Transport.TLS, None, "iot-06z00abcdefghi", 8883),
        ("iot-06z00abcdefghijk", Transport.TLS, None, "iot-06z00abcdefghijk", 8883),
    ],
)
def test_endpoints(entered: str, transport: Transport, port: int | None, host: str, expected_port: int) -> None:
    """A region, an instance id or a host, with or without a port, becomes one endpoint."""
    assert parse_endpoint("a1Key", entered, transport, port, None) == Endpoint(host, expected_port, transport)


@pytest.mark.parametrize(
    ("entered", "transport", "port", "expected_port"),
    [
        ("tuya.example.com", "tls", None, 443),
        ("tuya.example.com", "tls", 8883, 8883),
        ("tuya.example.com:8883", "tls", None, 8883),
        ("tuya.example.com", "tcp", None, 1883),
        ("cn-shanghai", "tls", None, 1883),
    ],
)
async def test_port_of_the_tuya_edition(
    hass: HomeAssistant, entered: str, transport: str, port: int | None, expected_port: int
) -> None:
    """A host without a port has 443 for TLS, which public certificates are for."""
    data = {
        "product_key": "a1Key",
        "device_name": "gw-1",
        "device_secret": DEVICE_SECRET,
        "endpoint": entered,
        "transport": transport,
        "port": port,
        "host_kind": "tuya",
    }
    assert link_config(hass, data, {}).endpoint.port == expected_port
    assert link_config(hass, data | {"host_kind": "nonsense"}, {}).host == ALIYUN


@pytest.mark.parametrize("entered", ["cn-shanghai", "iot-06z00abcdefghij", "mqtt.example.com"])
def test_certificate_authority_is_kept_for_every_kind_of_endpoint(entered: str) -> None:
    """A proxy that inspects TLS stands in front of the platform as well as in front of a private host."""
    assert parse_endpoint("a1Key", entered, Transport.TLS, None, "PEM").ca == "PEM"


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
        "CN-SHANGHAI:1883",
        "iot-06z00abcdefghij:1883",
        "iot-",
    ],
)
def test_invalid_endpoints(entered: str) -> None:
    """Anything that is not an endpoint is refused; the port of a region or an instance has its own field."""
    with pytest.raises(EndpointInvalid):
        parse_endpoint("a1Key", entered, Transport.TLS, None, None)


def test_two_different_ports_are_refused() -> None:
    """It is unclear which of them to use."""
    with pytest.raises(PortTwice):
        parse_endpoint("a1Key", "example.com:1883", Transport.TLS, 443, None)


async def test_all_configurations_of_a_device_share_one_pacer(hass: HomeAssistant) -> None:
    """A reload, a reconfiguration and the running link share the five connects per minute."""
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
