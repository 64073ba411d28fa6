"""Enter the secret of a device again, and change how it connects, against a cloud on real sockets."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .connection_form import OTHER_SECRET, PLAIN, at, connects, triple
from .walk import Walk


async def test_new_secret_reconnects_running_entry(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, thing_model_document: Mapping[str, Any]
) -> None:
    """The secret was reset in the console. The entry is reloaded by its own listener, once."""
    entry = await set_up()
    device = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, OTHER_SECRET, tsl=thing_model_document)
    walk = Walk.config(hass, await entry.start_reauth_flow(hass))
    assert walk.step == "reauth_confirm"
    assert walk.values == {}
    assert DEVICE_NAME in walk.description()

    await walk.submit(device_secret=f" {OTHER_SECRET} ")
    assert walk.aborted == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.data["device_secret"] == OTHER_SECRET
    assert entry.state is ConfigEntryState.LOADED
    assert device.online
    assert device.connections == 2


async def test_enabled_device_reconnects_with_stored_secret(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """While the device is disabled the page says so; once it is enabled, an empty field is enough."""
    device.disabled = True
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    walk = Walk.config(hass, await hass.config_entries.flow.async_configure(flow["flow_id"], None))
    await walk.submit()
    assert walk.errors == {"base": "still_refused"}

    device.disabled = False
    await walk.submit()
    assert walk.aborted == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["device_secret"] == DEVICE_SECRET
    assert device.online


async def test_stored_secret_reconnects_running_entry_at_once(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Submitting the empty field connects without waiting for the next attempt of the link."""
    entry = await set_up()
    device.disabled = True
    device.connection.close("device is disabled")
    await device.wait_for(lambda device: not device.online)
    walk = Walk.config(hass, await entry.start_reauth_flow(hass))
    device.disabled = False
    await walk.submit(device_secret=" ")
    assert walk.aborted == "reauth_successful"
    await device.wait_for(lambda device: device.online)
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("secret", "errors"),
    [(OTHER_SECRET, {"base": "still_refused"}), ("with blank", {"device_secret": "invalid_device_secret"})],
)
async def test_wrong_secret_does_not_affect_running_entry(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, secret: str, errors: dict[str, str]
) -> None:
    """The link is suspended during the test connection and resumed afterwards. The right secret ends the flow."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reauth_flow(hass))
    await walk.submit(device_secret=secret)
    assert walk.errors == errors
    await device.wait_for(lambda device: device.online)

    await walk.submit(device_secret=DEVICE_SECRET)
    assert walk.aborted == "reauth_successful"
    await device.wait_for(lambda device: device.online)
    assert entry.data["device_secret"] == DEVICE_SECRET


async def test_failed_entry_is_set_up_with_the_right_secret(
    hass: HomeAssistant, device: CloudDevice, entry_data: dict[str, Any], set_up: SetUp
) -> None:
    """Such an entry has no update listener, so the flow reloads it."""
    entry_data["device_secret"] = OTHER_SECRET
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    walk = Walk.config(hass, await hass.config_entries.flow.async_configure(flow["flow_id"], None))

    await walk.submit(device_secret=DEVICE_SECRET)
    assert walk.aborted == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert device.online


async def test_reconfigure_moves_device_to_another_host(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """The form starts with the stored values, the identity stays, and an empty secret keeps the stored one."""
    entry = await set_up()
    async with Simulator(connects_per_minute=None) as elsewhere:
        moved = elsewhere.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
        assert walk.step == "reconfigure"
        assert walk.values == {"endpoint": entry.data["endpoint"], "advanced": PLAIN}

        await walk.submit(**at(elsewhere))
        assert walk.aborted == "reconfigure_successful"
        await hass.async_block_till_done()
        assert entry.data == {**triple(), "endpoint": f"127.0.0.1:{elsewhere.port}", "transport": "tcp"}
        assert entry.state is ConfigEntryState.LOADED
        assert moved.online
        assert not device.online
        await hass.config_entries.async_unload(entry.entry_id)


async def test_reconfigure_keeps_the_working_host(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The input stays in the form, and the old connection is resumed. Submitting the old values changes nothing."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(endpoint="127.0.0.1", device_secret=OTHER_SECRET, advanced={**PLAIN, "port": 1})
    assert walk.errors == {"base": "refused"}
    assert walk.values == {"endpoint": "127.0.0.1", "advanced": {**PLAIN, "port": 1}}
    await device.wait_for(lambda device: device.online)

    before = entry.data
    await walk.submit(**at(cloud))
    assert walk.aborted == "reconfigure_successful"
    await device.wait_for(lambda device: device.online)
    assert entry.data == before


@pytest.mark.parametrize(
    ("mistake", "errors"),
    [
        ({"endpoint": "http://nonsense"}, {"endpoint": "invalid_endpoint"}),
        ({"device_secret": "with blank"}, {"device_secret": "invalid_device_secret"}),
        ({"advanced": {**PLAIN, "ca": "no certificate"}}, {"advanced": "invalid_ca"}),
    ],
)
async def test_invalid_input_does_not_disconnect_running_entry(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    mistake: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Errors that show without connecting do not use up one of the five connects per minute."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(**at(cloud) | mistake)
    assert walk.errors == errors
    await entry.runtime_data.link.wait_online(30)
    assert connects(cloud) == 1


async def test_rate_limited_device_stays_connected(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """With all connects of a minute used up, a suspended link could not connect again."""
    entry = await set_up()
    link = entry.runtime_data.link
    while not link.config.pacer.delay():
        link.config.pacer.connected()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(endpoint="127.0.0.1", advanced={**PLAIN, "port": 1})
    assert walk.errors == {"base": "too_many_attempts"}
    assert int(walk.result["description_placeholders"]["seconds"]) > 0
    assert link.state is LinkState.ONLINE


async def test_equivalent_connection_keeps_the_link(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The port moves to its own field: the data changes, but the connection is the same and is resumed."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(endpoint="127.0.0.1", advanced={**PLAIN, "port": cloud.port})
    assert walk.aborted == "reconfigure_successful"
    assert entry.data["port"] == cloud.port
    await entry.runtime_data.link.wait_online(30)
    assert device.online


async def test_unloaded_entry_is_not_resumed_after_test_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The entry is unloaded during the test connection."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))

    async def unload(_config: object) -> None:
        await hass.config_entries.async_unload(entry.entry_id)
        raise ZeroDivisionError

    with patch("custom_components.aliyun_iot.config_flow.probe", unload):
        await walk.submit(**at(cloud))
    assert walk.errors == {"base": "unknown"}
    assert not device.online
    assert connects(cloud) == 1
