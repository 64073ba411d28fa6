"""Certificate authorities in the config flow: private hosts, and proxies that inspect TLS."""

from pathlib import Path
import socket
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.const import DOMAIN
from simulator import Simulator

from .certificates import self_signed
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from .connection_form import at, triple
from .walk import Walk


async def test_private_host_with_own_certificate_authority(
    hass: HomeAssistant, socket_enabled: None, tmp_path: Path
) -> None:
    """An unknown certificate is refused, and accepted once its authority is entered."""
    context, authority = self_signed(tmp_path)
    async with Simulator(tls=context, connects_per_minute=None) as cloud:
        cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        walk = await Walk.add_device(hass)
        await walk.submit(**triple(), **at(cloud, transport="tls"))
        assert walk.errors == {"base": "certificate_invalid"}

        await walk.submit(**triple(), **at(cloud, transport="tls", ca="no certificate"))
        assert walk.errors == {"advanced": "invalid_ca"}

        await walk.submit(**triple(), **at(cloud, transport="tls", ca=authority))
        assert walk.created
        assert walk.result["data"]["ca"] == authority.strip()
        await hass.async_block_till_done()
        await hass.config_entries.async_unload(walk.result["result"].entry_id)


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("cn-shanghai", f"{PRODUCT_KEY}.iot-as-mqtt.cn-shanghai.aliyuncs.com"),
        ("iot-06z00abcdefghij", "iot-06z00abcdefghij.mqtt.iothub.aliyuncs.com"),
    ],
)
async def test_platform_behind_a_proxy_that_inspects_tls(
    hass: HomeAssistant, socket_enabled: None, tmp_path: Path, endpoint: str, host: str
) -> None:
    """The user's certificate authority is used and stored for a region and an instance ID as well."""
    server_context, authority = self_signed(tmp_path, host)
    connection = {"endpoint": endpoint, "advanced": {"transport": "tls"}}
    async with Simulator(tls=server_context, connects_per_minute=None) as proxy:
        proxy.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        connection["advanced"] |= {"port": proxy.port}
        with patch("socket.getaddrinfo", answer_for(host)):
            walk = await Walk.add_device(hass)
            await walk.submit(**triple(), **connection)
            assert walk.errors == {"base": "certificate_invalid"}

            connection["advanced"] |= {"ca": "no certificate"}
            await walk.submit(**triple(), **connection)
            assert walk.errors == {"advanced": "invalid_ca"}

            connection["advanced"] |= {"ca": authority}
            await walk.submit(**triple(), **connection)
            assert walk.created
            entry = walk.result["result"]
            await hass.async_block_till_done()
            assert entry.state is ConfigEntryState.LOADED

            context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
            walk = Walk.config(hass, await hass.config_entries.flow.async_init(DOMAIN, context=context))
            assert walk.values["advanced"]["ca"] == authority.strip()
            await walk.submit(**connection)
            assert walk.aborted == "reconfigure_successful"
            assert entry.data["ca"] == authority.strip()
            await hass.config_entries.async_unload(entry.entry_id)


def answer_for(host: str) -> Any:
    """Return a replacement for `socket.getaddrinfo` that finds this host on the loopback interface."""
    look_up = socket.getaddrinfo

    def getaddrinfo(name: str, *args: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if name == host else name, *args, **options)

    return getaddrinfo
