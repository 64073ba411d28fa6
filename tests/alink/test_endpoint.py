"""Hosts and ports of the cloud (docs/protocol.md §1)."""

import pytest

from custom_components.aliyun_iot.alink.mqtt.endpoint import (
    DEFAULT_REGION,
    REGIONS,
    Endpoint,
    SecureMode,
    Transport,
    region_of,
)


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
    assert Endpoint.for_region("a1HomeGw001", DEFAULT_REGION).transport is Transport.TLS
    assert Endpoint("mqtt.example.com", 8883).secure_mode is SecureMode.TLS == "2"
    assert Endpoint("mqtt.example.com", 1883, Transport.TCP).secure_mode is SecureMode.TCP == "3"


@pytest.mark.parametrize("region", REGIONS)
def test_regions_are_known_by_their_names_in_the_console(region: str) -> None:
    """In both languages, with any brackets, case and spaces."""
    chinese, english = REGIONS[region]
    narrow = chinese.replace("（", " (").replace("）", ")")
    assert {region_of(name) for name in (region.upper(), chinese, narrow, english, f" {english.lower()} ")} == {region}


@pytest.mark.parametrize(
    ("name", "region"), [("上海", "cn-shanghai"), ("硅谷", "us-west-1"), ("新加坡", "ap-southeast-1")]
)
def test_the_city_suffices(name: str, region: str) -> None:
    """As people say it."""
    assert region_of(name) == region


@pytest.mark.parametrize("name", ["", "shanghai", "中国", "cn-hangzhou", "iot-060a0bcd12345ab", "()"])
def test_other_names_are_no_region(name: str) -> None:
    """They may be hosts."""
    assert region_of(name) is None
