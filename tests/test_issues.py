"""Each problem is told with what to do about it, while it is one, and no longer."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.alink.mqtt.pacing import ConnectPacer
from custom_components.aliyun_iot.const import (
    CONF_CA,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_THING_MODEL,
    CONF_TRANSPORT,
    DOMAIN,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
)
from custom_components.aliyun_iot.health.issues import Issue
from custom_components.aliyun_iot.health.mismatch import MAX_LISTED
from custom_components.aliyun_iot.health.throttling import COMPLAINTS, QUIET
from custom_components.aliyun_iot.health.tls_watch import PATIENCE
from simulator import CloudDevice, Simulator

from .alink.certificates import Authority
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .outages import POWER, all_sent, end_outage, lose_connection, measure, quick_to_return, try_again
from .test_connection_issues import fix
from .test_reporter import CELSIUS, SWITCH, TEMPERATURE, posted
from .vendor import Lamp, Vendor
from .waiting import until
from .walk import placeholders, translations


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try everything again at once."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr(ConnectPacer, "delay", lambda _pacer: 0.0)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.0)


def told(hass: HomeAssistant) -> dict[str, dict[str, str]]:
    """Return what is told of all devices, and see that there are words for it in both languages."""
    shown = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN and issue.active]
    for issue in shown:
        for language in ("en", "zh-Hans"):
            words = translations(language)["issues"][issue.translation_key]
            page = words["fix_flow"]["step"]["confirm"] if issue.is_fixable else words
            used = placeholders(words["title"] + page["title"] + page["description"])
            assert issue.translation_placeholders
            assert used == issue.translation_placeholders.keys()
    return {issue.translation_key or "": issue.translation_placeholders or {} for issue in shown}


async def wait_for_issue(hass: HomeAssistant, issue: Issue) -> dict[str, str]:
    """Wait until an issue is told, and return the facts in its text."""
    await until(lambda: issue in told(hass))
    return told(hass)[issue]


def renamed(model: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    """Return a thing model in which a property has another identifier."""
    rows = [{**one, "identifier": after} if one["identifier"] == before else one for one in model["properties"]]
    return {**model, "properties": rows}


async def change_model(hass: HomeAssistant, entry: MockConfigEntry, model: dict[str, Any] | None) -> None:
    """Store another thing model."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_THING_MODEL: model})
    await hass.async_block_till_done()


class TestThingModel:
    """Bindings and thing models that have grown apart."""

    async def test_the_stored_one(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
    ) -> None:
        """Properties and services that are not in it, and properties that have become something else."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        hass.states.async_set("switch.lamp", "on")
        service = {"identifier": "RunScene", "script": "script.scene"}
        entry = await set_up([TEMPERATURE, SWITCH], [service])
        assert told(hass) == {}

        other = renamed(thing_model_document, "CurrentTemperature", "RoomTemperature")
        lamp = next(one for one in other["properties"] if one["identifier"] == "LightSwitch")
        read_only = {**lamp, "accessMode": "r", "dataType": {"type": "date", "specs": {}}}
        other["properties"] = [read_only if one is lamp else one for one in other["properties"]]
        other["services"] = []
        await change_model(hass, entry, other)
        facts = told(hass)[Issue.THING_MODEL_MISMATCH]
        assert facts["count"] == "4"
        lines = facts["problems"].splitlines()
        assert lines[0] == "- CurrentTemperature: the thing model has no such property."
        assert lines[1] == "- RunScene: the thing model has no such service."
        assert "does not let the cloud set" in lines[2]
        assert "can't hold" in lines[3]

        await change_model(hass, entry, {**other, "services": thing_model_document["services"]})
        assert told(hass)[Issue.THING_MODEL_MISMATCH]["count"] == "3"
        await change_model(hass, entry, None)
        assert told(hass) == {}
        await change_model(hass, entry, {**other, "services": thing_model_document["services"]})
        assert Issue.THING_MODEL_MISMATCH in told(hass)
        [exposure] = [key for key, one in entry.subentries.items() if one.subentry_type == SUBENTRY_EXPOSURE]
        hass.config_entries.async_remove_subentry(entry, exposure)
        await hass.async_block_till_done()
        assert told(hass) == {}

    async def test_the_one_of_the_cloud(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        set_up: SetUp,
        entry_data: dict[str, Any],
        thing_model_document: dict[str, Any],
    ) -> None:
        """What is sent breaks a thing model only if it is another one than the one stored here."""
        other = renamed(thing_model_document, "CurrentTemperature", "RoomTemperature")
        changed = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET, tsl=other)
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        entry = await set_up([TEMPERATURE])
        facts = await wait_for_issue(hass, Issue.THING_MODEL_MISMATCH)
        assert facts["count"] == "1"
        assert "the cloud refuses values that the thing model stored here allows" in facts["problems"]

        changed.thing_model = None  # it was put right in the console
        hass.states.async_set("sensor.living_room", "21", CELSIUS)
        await posted(changed, "CurrentTemperature", 21.0)
        await until(lambda: not entry.runtime_data.device.reporter.outbox.refusals)
        assert told(hass) == {}

    async def test_another_refusal_is_not_about_the_model(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """Codes that have to do with something else leave the thing model alone, and without one there is no other."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        cloud.faults.set(answer_code={"code": 6813})
        entry = await set_up([TEMPERATURE])
        await until(lambda: entry.runtime_data.device.reporter.outbox.refusals)
        assert told(hass).keys() == {"property_rejected"}
        cloud.faults.set(answer_code={"code": 6307})
        hass.states.async_set("sensor.living_room", "21", CELSIUS)
        await wait_for_issue(hass, Issue.THING_MODEL_MISMATCH)
        await change_model(hass, entry, None)
        assert Issue.THING_MODEL_MISMATCH not in told(hass)

    async def test_a_long_list_is_cut(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
    ) -> None:
        """Whoever takes over the wrong thing model is not shown a thousand lines."""
        rows = [{**TEMPERATURE, "identifier": f"Room{number}"} for number in range(MAX_LISTED + 3)]
        await set_up(rows)
        facts = told(hass)[Issue.THING_MODEL_MISMATCH]
        assert facts["count"] == str(MAX_LISTED + 3)
        assert len(facts["problems"].splitlines()) == MAX_LISTED + 1
        assert facts["problems"].endswith("3 more")


class TestRemovedEntity:
    """Bindings whose entity was removed from Home Assistant."""

    async def test_it_is_named_until_it_comes_back(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp
    ) -> None:
        """A lamp is bound to a property and a bell to an event; both are removed, then added again one after the other."""
        vendor = Vendor(hass, [Lamp])
        await vendor.set_up()
        bell = er.async_get(hass).async_get_or_create("event", "door", "bell", suggested_object_id="bell")
        entry = await set_up([{"identifier": "LightSwitch", "entity": vendor.reference(Lamp), "aspect": "power"}])
        event = {"identifier": "SceneActivated", "entity": bell.id}
        hass.config_entries.async_add_subentry(
            entry,
            ConfigSubentry(
                data=MappingProxyType(event), subentry_type=SUBENTRY_EVENT, title="SceneActivated", unique_id=None
            ),
        )
        await hass.async_block_till_done()
        assert told(hass) == {}

        er.async_get(hass).async_remove(vendor.entity_id(Lamp))
        er.async_get(hass).async_remove("event.bell")
        await hass.async_block_till_done()
        facts = {"device": DEVICE_NAME, "count": "2", "bindings": "- LightSwitch\n- SceneActivated"}
        assert told(hass) == {Issue.ENTITY_GONE: facts}

        await vendor.unload()
        await vendor.set_up()
        assert told(hass)[Issue.ENTITY_GONE]["bindings"] == "- SceneActivated"
        er.async_get(hass).async_get_or_create("event", "door", "bell")
        await hass.async_block_till_done()
        assert told(hass) == {}

    async def test_it_goes_with_the_binding(self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
        """It was removed while the device did not run; whoever removes the binding has solved it."""
        entry = await set_up([{**SWITCH, "entity": "0123456789"}])
        assert told(hass)[Issue.ENTITY_GONE]["bindings"] == "- LightSwitch"
        hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
        await hass.async_block_till_done()
        assert told(hass) == {}

    async def test_nothing_is_told_of_a_device_that_is_refused(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
    ) -> None:
        """The question for another secret comes first; what else is wrong is looked at once it runs."""
        entry_data[CONF_DEVICE_SECRET] = "0" * 32
        entry = await set_up([{**SWITCH, "entity": "0123456789"}])
        assert entry.state is ConfigEntryState.SETUP_ERROR
        assert told(hass) == {}


class TestRateLimit:
    """A cloud that wants less."""

    async def test_complaints(self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
        """Told when they keep coming, withdrawn after half an hour without; nothing is lost by it."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        entry = await set_up([TEMPERATURE])
        await posted(device, "CurrentTemperature", 20.0)
        cloud.faults.set(answer_code={"code": 429, "count": COMPLAINTS - 1})
        hass.states.async_set("sensor.living_room", "21", CELSIUS)
        await posted(device, "CurrentTemperature", 21.0)
        assert told(hass) == {}

        cloud.faults.set(answer_code={"code": 429, "count": 1})
        hass.states.async_set("sensor.living_room", "22", CELSIUS)
        await posted(device, "CurrentTemperature", 22.0)
        assert told(hass) == {Issue.RATE_LIMIT: {"device": DEVICE_NAME, "rate": "9"}}
        assert entry.runtime_data.device.reporter.counters.retried == COMPLAINTS

        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=QUIET + 1))
        await hass.async_block_till_done()
        assert told(hass) == {}

    async def test_unloading_withdraws_it(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """Nobody listens to complaints any more."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        cloud.faults.set(answer_code={"code": 429, "count": COMPLAINTS})
        entry = await set_up([TEMPERATURE])
        await wait_for_issue(hass, Issue.RATE_LIMIT)
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert told(hass) == {}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return who issues the certificates of the clouds below."""
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


class TestTls:
    """A cloud that nobody can talk to in confidence."""

    async def test_an_expired_certificate(
        self,
        hass: HomeAssistant,
        expired_cloud: Simulator,
        encrypted_cloud: Simulator,
        authority: Authority,
        set_up: SetUp,
        entry_data: dict[str, Any],
    ) -> None:
        """Told after several attempts to set the device up, and withdrawn by the first that succeeds."""
        entry = await set_up_expired(expired_cloud, authority, set_up, entry_data)
        for _ in range(PATIENCE - 1):
            assert entry.state is ConfigEntryState.SETUP_RETRY
            assert told(hass) == {}
            await try_again(hass, entry)
        assert "certificate has expired" in told(hass)[Issue.CERTIFICATE_INVALID]["reason"]
        await try_again(hass, entry)
        assert told(hass).keys() == {Issue.CERTIFICATE_INVALID}

        await move(hass, entry, encrypted_cloud)
        await until(lambda: entry.state is ConfigEntryState.LOADED)
        assert told(hass) == {}

    async def test_disabling_withdraws_it(
        self,
        hass: HomeAssistant,
        expired_cloud: Simulator,
        authority: Authority,
        set_up: SetUp,
        entry_data: dict[str, Any],
    ) -> None:
        """An entry that was never set up is not unloaded by us, and yet nothing is left of what was told."""
        entry = await set_up_expired(expired_cloud, authority, set_up, entry_data)
        for _ in range(PATIENCE - 1):
            await try_again(hass, entry)
        assert Issue.CERTIFICATE_INVALID in told(hass)
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
        assert told(hass) == {}

    async def test_a_host_without_tls(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
    ) -> None:
        """What is told names what to try; once the transport is put right, it is gone."""
        entry_data[CONF_TRANSPORT] = "tls"
        entry = await set_up()
        for _ in range(PATIENCE - 1):
            await try_again(hass, entry)
        assert told(hass).keys() == {Issue.TLS_FAILED}
        hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_TRANSPORT: "tcp"})
        await try_again(hass, entry)
        assert entry.state is ConfigEntryState.LOADED
        assert told(hass) == {}

    async def test_a_certificate_that_expires_while_connected(
        self,
        hass: HomeAssistant,
        authority: Authority,
        encrypted_cloud: Simulator,
        set_up: SetUp,
        entry_data: dict[str, Any],
    ) -> None:
        """The link tries by itself, and what it meets is told just the same."""
        entry_data |= {
            CONF_ENDPOINT: f"127.0.0.1:{encrypted_cloud.port}",
            CONF_TRANSPORT: "tls",
            CONF_CA: authority.pem,
        }
        entry = await set_up()
        assert entry.state is ConfigEntryState.LOADED
        port = encrypted_cloud.port
        await encrypted_cloud.stop()
        expired = Simulator(
            port=port, tls=authority.server_context("127.0.0.1", expired=True), connects_per_minute=None
        )
        await expired.start()
        try:
            await wait_for_issue(hass, Issue.CERTIFICATE_INVALID)
        finally:
            await expired.stop()
        await encrypted_cloud.start()
        await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
        assert told(hass) == {}


class TestOverflow:
    """Samples that are lost for good."""

    @pytest.fixture(autouse=True)
    def small_buffer(self, monkeypatch: pytest.MonkeyPatch, device: CloudDevice) -> None:
        """Make room for a few samples only."""
        monkeypatch.setattr("custom_components.aliyun_iot.reports.reporter.CAPACITY", 3)
        device.thing_model = None

    async def overflow(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> MockConfigEntry:
        """Return an entry that was away for too long."""
        measure(hass, "sensor.power", 0)
        entry = await set_up([POWER], options={CONF_THING_MODEL: None})
        await all_sent(entry)
        await lose_connection(cloud, device, entry)
        for watt in range(1, 4):
            measure(hass, "sensor.power", watt)
        assert told(hass) == {}
        measure(hass, "sensor.power", 5)
        return entry

    async def test_it_stays_until_it_was_read(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        device: CloudDevice,
        set_up: SetUp,
        hass_client: ClientSessionGenerator,
    ) -> None:
        """The end of the outage brings nothing back, and a restart does not either; the user ticks it off."""
        entry = await self.overflow(hass, cloud, device, set_up)
        assert told(hass)[Issue.BUFFER_OVERFLOW]["capacity"] == "3"
        end_outage(cloud)
        await all_sent(entry)
        assert await hass.config_entries.async_reload(entry.entry_id)
        assert Issue.BUFFER_OVERFLOW in told(hass)
        await fix(hass, hass_client)
        assert told(hass) == {}

    async def test_it_goes_with_the_device(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """Nothing is told of a device that was removed."""
        entry = await self.overflow(hass, cloud, device, set_up)
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert Issue.BUFFER_OVERFLOW in told(hass)
        await hass.config_entries.async_remove(entry.entry_id)
        assert told(hass) == {}


async def test_what_is_told_is_in_the_diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, device: CloudDevice, set_up: SetUp
) -> None:
    """Whoever helps sees what the user was told."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await set_up([{**TEMPERATURE, "identifier": "Nothing"}])
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert response.status == HTTPStatus.OK
    [issue] = (await response.json())["data"]["issues"]
    assert issue["issue"] == Issue.THING_MODEL_MISMATCH
    assert issue["facts"]["count"] == "1"


def test_every_issue_has_words() -> None:
    """Whatever can be told has a text."""
    assert set(Issue) == translations()["issues"].keys()
