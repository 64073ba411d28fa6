"""Problems that keep a device from connecting have an issue or a reauth flow until they are solved."""

from datetime import timedelta
from http import HTTPStatus

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.alink.errors import KickedOut
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.pacing import KICKS_BEFORE_PAUSE, ConnectPacer
from custom_components.aliyun_iot.const import CONF_ENDPOINT, DOMAIN
from custom_components.aliyun_iot.health.connection_issues import STABLE_AFTER
from custom_components.aliyun_iot.health.issues import issues_of
from simulator import CloudDevice, Simulator

from .alink.scripted import ScriptedHost
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .waiting import until
from .walk import placeholders, translations

FLOW = "/api/repairs/issues/fix"
DEVICE = {"ProductKey": PRODUCT_KEY, "DeviceName": DEVICE_NAME}


@pytest.fixture(autouse=True)
def quick_reconnects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect soon and without a limit; the long pauses stay long."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.01)
    monkeypatch.setattr(ConnectPacer, "delay", lambda _pacer: 0.0)


def issues(hass: HomeAssistant) -> list[str]:
    """Return the keys of the active issues, and check that their texts have all placeholders."""
    active = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN and issue.active]
    for issue in active:
        words = translations()["issues"][issue.translation_key]
        shown = words["fix_flow"]["step"]["confirm"] if issue.is_fixable else words
        assert placeholders(words["title"] + shown["description"]) <= issue.translation_placeholders.keys()
    return [issue.translation_key for issue in active]


async def fix(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """Submit the form of the only issue."""
    assert await async_setup_component(hass, "repairs", {})
    [(_, issue_id)] = ir.async_get(hass).issues
    client = await hass_client()
    page = await (await client.post(FLOW, json={"handler": DOMAIN, "issue_id": issue_id})).json()
    assert page["step_id"] == "confirm"
    done = await client.post(f"{FLOW}/{page['flow_id']}", json={})
    assert done.status == HTTPStatus.OK
    assert (await done.json())["type"] == "create_entry"


async def kick(cloud: Simulator, link: Link) -> None:
    """Let the cloud close the connection, as it does when another client connects.

    A socket that is closed while it has unread data resets the connection, so everything sent is handled first.
    """
    await until(lambda: link.state is LinkState.ONLINE)
    await link.device.fetch_thing_model()
    cloud.faults.set(kick=DEVICE_NAME)


async def kicked_out(cloud: Simulator, device: CloudDevice, entry: MockConfigEntry) -> None:
    """Let another client take the place of the device until the device pauses."""
    link = entry.runtime_data.link
    for _ in range(KICKS_BEFORE_PAUSE):
        connections = device.connections
        await kick(cloud, link)
        await until(lambda: device.connections > connections or isinstance(link.last_error, KickedOut))  # noqa: B023
    await until(lambda: isinstance(link.last_error, KickedOut))


async def test_issue_about_another_client(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
) -> None:
    """The issue is created after several kicks, and deleted after a connection that lasts; its fix ends the pause."""
    entry = await set_up()
    await kicked_out(cloud, device, entry)
    assert issues(hass) == ["kicked_out"]

    link = entry.runtime_data.link
    link.retry()
    await until(lambda: link.state is LinkState.ONLINE)
    assert issues(hass) == ["kicked_out"]  # the other client may be about to reconnect
    await kick(cloud, link)
    await until(lambda: isinstance(link.last_error, KickedOut))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=STABLE_AFTER + 1))
    assert issues(hass) == ["kicked_out"]

    await fix(hass, hass_client)
    assert issues(hass) == []
    await kick(cloud, link)
    await until(lambda: isinstance(link.last_error, KickedOut))
    assert issues(hass) == ["kicked_out"]

    link.retry()
    await until(lambda: link.state is LinkState.ONLINE)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=STABLE_AFTER + 1))
    assert issues(hass) == []


async def send_too_much(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """Let the host begin a message of 256 MB, and wait until the device has disconnected."""
    await until(lambda: link.state is LinkState.ONLINE and device.connection)
    cloud.faults.set(exceed=DEVICE_NAME)
    await until(lambda: link.state is LinkState.BACKING_OFF)


@pytest.mark.parametrize(("language", "reason"), [("en", "268,435,455 bytes"), ("zh-Hans", "268,435,455 字节")])
async def test_issue_about_a_host_that_is_not_the_platform(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
    language: str,
    reason: str,
) -> None:
    """Something between may damage one packet; the second time it is an issue, until the host behaves."""
    hass.config.language = language
    entry = await set_up()
    link = entry.runtime_data.link
    await send_too_much(cloud, device, link)
    assert issues(hass) == []
    assert hass.states.get("binary_sensor.gw_1_connected").attributes["reason"] == "packet_refused"

    link.retry()
    await send_too_much(cloud, device, link)
    (issue,) = issues_of(hass, entry.entry_id)
    assert issues(hass) == ["packet_refused"]
    assert reason in issue.translation_placeholders["reason"]

    await fix(hass, hass_client)
    await until(lambda: link.state is LinkState.ONLINE)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=STABLE_AFTER + 1))
    assert issues(hass) == []


async def test_unloading_deletes_the_issue(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """An entry that is not loaded has no issues."""
    entry = await set_up()
    await kicked_out(cloud, device, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert issues(hass) == []


async def test_disabled_device_does_not_start_reauth(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """When the cloud says that the device is disabled, another secret does not help."""
    entry = await set_up()
    link = entry.runtime_data.link
    cloud.faults.set(answer_code={"code": 522, "count": 1})
    await link.device.fetch_thing_model()
    await cloud.call("DisableThing", **DEVICE)
    await until(lambda: link.state is LinkState.AUTH_FAILED)
    assert issues(hass) == ["device_disabled"]
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)

    await cloud.call("EnableThing", **DEVICE)
    await fix(hass, hass_client)
    await until(lambda: link.state is LinkState.ONLINE)
    assert issues(hass) == []


async def test_deleted_device_starts_reauth(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """It may have been created again with another secret, so the user is asked for it."""
    entry = await set_up()
    link = entry.runtime_data.link
    cloud.faults.set(answer_code={"code": 521, "count": 1})
    await link.device.fetch_thing_model()
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, "1" * 32)
    await until(lambda: link.state is LinkState.AUTH_FAILED)
    assert issues(hass) == ["device_deleted"]
    await hass.async_block_till_done()
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH

    done = await hass.config_entries.flow.async_configure(flow["flow_id"], {"device_secret": "1" * 32})
    assert done["type"] is FlowResultType.ABORT
    await hass.async_block_till_done()
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    assert issues(hass) == []


async def test_wrong_secret_is_corrected_in_the_form(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The form is shown again after a wrong secret, and sets the entry up with the right one."""
    device = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, "1" * 32)
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)

    async def enter(secret: str) -> FlowResultType:
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"device_secret": secret})
        await hass.async_block_till_done()
        kind: FlowResultType = result["type"]
        return kind

    assert await enter(DEVICE_SECRET) is FlowResultType.FORM
    assert await enter("1" * 32) is FlowResultType.ABORT
    assert entry.state is ConfigEntryState.LOADED
    assert device.online
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def test_stop_during_the_first_connect(hass: HomeAssistant, set_up: SetUp, entry_data: dict[str, str]) -> None:
    """The set-up does not wait for a cloud that does not reply."""
    async with ScriptedHost(connack=b"") as host:
        entry_data[CONF_ENDPOINT] = f"127.0.0.1:{host.port}"
        setting_up = hass.async_create_task(set_up())
        await until(lambda: host.received)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        entry = await setting_up
        assert entry.state is not ConfigEntryState.LOADED
        await until(lambda: len(host.received) == 2)  # CONNECT, DISCONNECT
        assert host.connections == 1
