"""System health: number and state of the devices, and whether their cloud can be reached."""

import asyncio
import socket
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from custom_components.aliyun_iot.const import (
    CONF_DEVICE_NAME,
    CONF_ENDPOINT,
    CONF_PRODUCT_KEY,
    CONF_TRANSPORT,
    DOMAIN,
)
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .outages import lose_connection
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .walk import translations


async def health(hass: HomeAssistant) -> dict[str, Any]:
    """Return the information after all checks have finished."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    found = await get_system_health_info(hass, DOMAIN)
    shown = {key: await value if asyncio.iscoroutine(value) else value for key, value in found.items()}
    assert shown.keys() == translations()["system_health"]["info"].keys()
    for identity in (PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET):
        assert identity not in repr(shown)
    return shown


async def add(hass: HomeAssistant, data: dict[str, Any], name: str, **other: Any) -> MockConfigEntry:
    """Add another device."""
    entry = MockConfigEntry(domain=DOMAIN, title=name, data={**data, CONF_DEVICE_NAME: name, **other})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def test_connected_device(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """The check of the server does not use up a connect."""
    await set_up()
    assert await health(hass) == {
        "devices": 1,
        "connected_devices": 1,
        "states": "online: 1",
        "buffered_values": 0,
        "can_reach_server": "ok",
    }
    assert device.connections == 1


async def test_outage(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """Buffered values are counted, and the last error is included in the state."""
    hass.states.async_set("sensor.living_room", "1", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await posted(device, "CurrentTemperature", 1.0)
    await lose_connection(cloud, device, entry)
    hass.states.async_set("sensor.living_room", "2", CELSIUS)
    shown = await health(hass)
    assert shown["connected_devices"] == 0
    assert shown["states"] in ("backing_off (connection_lost): 1", "backing_off (server_unavailable): 1")
    assert shown["buffered_values"] == 1
    assert shown["can_reach_server"] == "ok"


async def test_several_devices(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
) -> None:
    """Entries that are not set up count as well, and one unreachable server is reported."""
    await set_up()
    await add(hass, entry_data, "second", **{CONF_ENDPOINT: "127.0.0.1:1"})
    await add(hass, entry_data, "third", **{CONF_PRODUCT_KEY: "not a key"})
    cloud.add_device(PRODUCT_KEY, "fourth", DEVICE_SECRET)
    await add(hass, entry_data, "fourth")
    shown = await health(hass)
    assert shown["devices"] == 4
    assert shown["connected_devices"] == 2
    assert shown["states"] == "online: 2, setup_error: 1, setup_retry: 1"
    assert shown["can_reach_server"] == {"type": "failed", "error": "refused"}


async def test_server_that_does_not_answer(
    hass: HomeAssistant, entry_data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check has a timeout, so that the page is not kept waiting."""
    monkeypatch.setattr("custom_components.aliyun_iot.system_health.REACH_TIMEOUT", 0.05)
    assert await async_setup_component(hass, DOMAIN, {})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = {CONF_ENDPOINT: f"127.0.0.1:{silent.getsockname()[1]}", CONF_TRANSPORT: "tls"}
        MockConfigEntry(domain=DOMAIN, data={**entry_data, **connection}).add_to_hass(hass)
        assert (await health(hass))["can_reach_server"] == {"type": "failed", "error": "timed_out"}
