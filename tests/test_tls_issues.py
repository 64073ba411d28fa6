"""Failures of TLS are reported as issues until a connection succeeds."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.alink.mqtt.pacing import ConnectPacer
from custom_components.aliyun_iot.const import CONF_CA, CONF_ENDPOINT, CONF_TRANSPORT
from custom_components.aliyun_iot.health.issues import Issue
from custom_components.aliyun_iot.health.tls_watch import FAILURES_FOR_ISSUE
from simulator import CloudDevice, Simulator

from .alink.certificates import Authority
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .outages import quick_to_return, try_again
from .test_issues import shown_issues, wait_for_issue
from .waiting import until


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lost connections come back at once."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr(ConnectPacer, "delay", lambda _pacer: 0.0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return the issuer of the certificates of the clouds below."""
    return Authority(tmp_path)


@pytest.fixture
async def expired_cloud(socket_enabled: None, authority: Authority) -> AsyncGenerator[Simulator]:
    """Run a cloud whose certificate has expired."""
    simulator = Simulator(tls=authority.server_context("127.0.0.1", expired=True), connects_per_minute=None)
    await simulator.start()
    simulator.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
    yield simulator
    await simulator.stop()


@pytest.fixture
async def encrypted_cloud(socket_enabled: None, authority: Authority) -> AsyncGenerator[Simulator]:
    """Run a cloud with a valid certificate."""
    simulator = Simulator(tls=authority.server_context("127.0.0.1"), connects_per_minute=None)
    await simulator.start()
    simulator.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
    yield simulator
    await simulator.stop()


async def move(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """Let a device connect to another cloud from now on."""
    data = {**entry.data, CONF_ENDPOINT: f"127.0.0.1:{cloud.port}"}
    hass.config_entries.async_update_entry(entry, data=data)
    await try_again(hass, entry)


async def set_up_expired(
    expired_cloud: Simulator, authority: Authority, set_up: SetUp, entry_data: dict[str, Any]
) -> MockConfigEntry:
    """Return an entry whose cloud has a certificate that has expired."""
    entry_data |= {
        CONF_ENDPOINT: f"127.0.0.1:{expired_cloud.port}",
        CONF_TRANSPORT: "tls",
        CONF_CA: authority.pem,
    }
    return await set_up()


async def test_expired_certificate(
    hass: HomeAssistant,
    expired_cloud: Simulator,
    encrypted_cloud: Simulator,
    authority: Authority,
    set_up: SetUp,
    entry_data: dict[str, Any],
) -> None:
    """The issue is created after several attempts to set the entry up, and deleted by the first that succeeds."""
    entry = await set_up_expired(expired_cloud, authority, set_up, entry_data)
    for _ in range(FAILURES_FOR_ISSUE - 1):
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert shown_issues(hass) == {}
        await try_again(hass, entry)
    assert "certificate has expired" in shown_issues(hass)[Issue.CERTIFICATE_INVALID]["reason"]
    await try_again(hass, entry)
    assert shown_issues(hass).keys() == {Issue.CERTIFICATE_INVALID}

    await move(hass, entry, encrypted_cloud)
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    assert shown_issues(hass) == {}


async def test_disabling_deletes_the_issue(
    hass: HomeAssistant,
    expired_cloud: Simulator,
    authority: Authority,
    set_up: SetUp,
    entry_data: dict[str, Any],
) -> None:
    """An entry in setup retry is not unloaded, but the issue is deleted as well."""
    entry = await set_up_expired(expired_cloud, authority, set_up, entry_data)
    for _ in range(FAILURES_FOR_ISSUE - 1):
        await try_again(hass, entry)
    assert Issue.CERTIFICATE_INVALID in shown_issues(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert shown_issues(hass) == {}


async def test_host_without_tls(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
) -> None:
    """The issue says what to try; it is deleted once the transport is corrected."""
    entry_data[CONF_TRANSPORT] = "tls"
    entry = await set_up()
    for _ in range(FAILURES_FOR_ISSUE - 1):
        await try_again(hass, entry)
    assert shown_issues(hass).keys() == {Issue.TLS_FAILED}
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_TRANSPORT: "tcp"})
    await try_again(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert shown_issues(hass) == {}


async def test_certificate_that_expires_while_connected(
    hass: HomeAssistant,
    authority: Authority,
    encrypted_cloud: Simulator,
    set_up: SetUp,
    entry_data: dict[str, Any],
) -> None:
    """The link reconnects by itself; its failures count as well."""
    entry_data |= {
        CONF_ENDPOINT: f"127.0.0.1:{encrypted_cloud.port}",
        CONF_TRANSPORT: "tls",
        CONF_CA: authority.pem,
    }
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    port = encrypted_cloud.port
    await encrypted_cloud.stop()
    expired = Simulator(port=port, tls=authority.server_context("127.0.0.1", expired=True), connects_per_minute=None)
    await expired.start()
    try:
        await wait_for_issue(hass, Issue.CERTIFICATE_INVALID)
    finally:
        await expired.stop()
    await encrypted_cloud.start()
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    assert shown_issues(hass) == {}
