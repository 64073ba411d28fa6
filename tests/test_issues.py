"""Each problem has an issue that says what to do, for as long as it exists."""

from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.alink.mqtt.pacing import ConnectPacer
from custom_components.aliyun_iot.const import (
    CONF_DEVICE_SECRET,
    CONF_THING_MODEL,
    DOMAIN,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
)
from custom_components.aliyun_iot.health.issues import MAX_LISTED, Issue
from custom_components.aliyun_iot.health.throttling import SOLVED_AFTER, THROTTLED_REPLIES
from custom_components.aliyun_iot.stored_device import options_with_model
from simulator import CloudDevice, Simulator

from .application import SetProperties, invoke
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .outages import POWER, all_sent, end_outage, lose_connection, measure, quick_to_return
from .test_connection_issues import fix
from .test_reporter import CELSIUS, SWITCH, TEMPERATURE, posted
from .vendor import Lamp, Vendor
from .waiting import until
from .walk import placeholders, translations

NO_MODEL = {CONF_THING_MODEL: None}


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let retries happen at once."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr(ConnectPacer, "delay", lambda _pacer: 0.0)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.0)
    monkeypatch.setattr("custom_components.aliyun_iot.health.binding_issues.COOLDOWN", 0.0)


ADDED = {"panel", "state"}
"""Placeholders that only the pages of a fix flow have."""


def first_page(words: dict[str, Any]) -> dict[str, Any]:
    """Return the texts of the first page of a fix flow."""
    steps: dict[str, Any] = words["fix_flow"]["step"]
    return next(iter(steps.values()))


def shown_issues(hass: HomeAssistant) -> dict[str, dict[str, str]]:
    """Return the placeholders of all active issues, and check that their texts exist in both languages."""
    shown = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN and issue.active]
    for issue in shown:
        for language in ("en", "zh-Hans"):
            words = translations(language)["issues"][issue.translation_key]
            page = first_page(words) if issue.is_fixable else words
            used = placeholders(words["title"] + page["title"] + page["description"])
            assert issue.translation_placeholders
            assert used - ADDED == issue.translation_placeholders.keys()
    return {issue.translation_key or "": issue.translation_placeholders or {} for issue in shown}


async def wait_for_issue(hass: HomeAssistant, issue: Issue) -> dict[str, str]:
    """Wait until an issue exists, and return its placeholders."""
    await until(lambda: issue in shown_issues(hass))
    return shown_issues(hass)[issue]


def renamed(model: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    """Return a thing model in which a property has another identifier."""
    rows = [{**one, "identifier": after} if one["identifier"] == before else one for one in model["properties"]]
    return {**model, "properties": rows}


async def change_model(hass: HomeAssistant, entry: MockConfigEntry, model: dict[str, Any] | None) -> None:
    """Store another thing model."""
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, model))
    await hass.async_block_till_done()


class TestThingModel:
    """Bindings that do not fit a thing model."""

    async def test_bindings_that_do_not_fit_the_stored_model(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
    ) -> None:
        """Properties and services that it does not have, and properties with another definition."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        hass.states.async_set("switch.lamp", "on")
        service = {"identifier": "RunScene", "actions": [{"stop": "done"}]}
        entry = await set_up([TEMPERATURE, SWITCH], [service])
        assert shown_issues(hass) == {}

        other = renamed(thing_model_document, "CurrentTemperature", "RoomTemperature")
        lamp = next(one for one in other["properties"] if one["identifier"] == "LightSwitch")
        read_only = {**lamp, "accessMode": "r", "dataType": {"type": "date", "specs": {}}}
        other["properties"] = [read_only if one is lamp else one for one in other["properties"]]
        other["services"] = []
        await change_model(hass, entry, other)
        facts = shown_issues(hass)[Issue.THING_MODEL_MISMATCH]
        assert facts["count"] == "4"
        lines = facts["problems"].splitlines()
        assert lines[0] == "- CurrentTemperature: the thing model has no such property."
        assert lines[1] == "- RunScene: the thing model has no such service."
        assert "does not let the cloud set" in lines[2]
        assert "can't hold" in lines[3]

        await change_model(hass, entry, {**other, "services": thing_model_document["services"]})
        assert shown_issues(hass)[Issue.THING_MODEL_MISMATCH]["count"] == "3"
        await change_model(hass, entry, None)
        assert shown_issues(hass) == {}
        await change_model(hass, entry, {**other, "services": thing_model_document["services"]})
        assert Issue.THING_MODEL_MISMATCH in shown_issues(hass)
        [exposure] = [key for key, one in entry.subentries.items() if one.subentry_type == SUBENTRY_EXPOSURE]
        hass.config_entries.async_remove_subentry(entry, exposure)
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}

    async def test_values_that_do_not_fit_the_model_of_the_cloud(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        set_up: SetUp,
        entry_data: dict[str, Any],
        thing_model_document: dict[str, Any],
    ) -> None:
        """The cloud refuses a value for its thing model only if that differs from the one stored here."""
        other = renamed(thing_model_document, "CurrentTemperature", "RoomTemperature")
        changed = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET, tsl=other)
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        entry = await set_up([TEMPERATURE])
        facts = await wait_for_issue(hass, Issue.THING_MODEL_MISMATCH)
        assert facts["count"] == "1"
        assert "the cloud refuses values that the thing model stored here allows" in facts["problems"]

        changed.thing_model = None  # it was corrected in the console
        hass.states.async_set("sensor.living_room", "21", CELSIUS)
        await posted(changed, "CurrentTemperature", 21.0)
        await until(lambda: not entry.runtime_data.device.reporter.outbox.refusals)
        assert shown_issues(hass) == {}

    async def test_other_refusals_are_not_about_the_model(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """Other codes do not cause the issue, and neither do those codes without a stored thing model."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        cloud.faults.set(answer_code={"code": 6813})
        entry = await set_up([TEMPERATURE])
        await until(lambda: entry.runtime_data.device.reporter.outbox.refusals)
        assert shown_issues(hass).keys() == {"property_rejected"}
        cloud.faults.set(answer_code={"code": 6307})
        hass.states.async_set("sensor.living_room", "21", CELSIUS)
        await wait_for_issue(hass, Issue.THING_MODEL_MISMATCH)
        await change_model(hass, entry, None)
        assert Issue.THING_MODEL_MISMATCH not in shown_issues(hass)

    async def test_long_list_is_cut(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
    ) -> None:
        """With the wrong thing model the list could have a thousand lines."""
        rows = [{**TEMPERATURE, "identifier": f"Room{number}"} for number in range(MAX_LISTED + 3)]
        await set_up(rows)
        facts = shown_issues(hass)[Issue.THING_MODEL_MISMATCH]
        assert facts["count"] == str(MAX_LISTED + 3)
        assert len(facts["problems"].splitlines()) == MAX_LISTED + 1
        assert facts["problems"].endswith("3 more")


class TestRemovedEntity:
    """Bindings whose entity was removed from Home Assistant."""

    async def test_binding_is_listed_until_its_entity_comes_back(
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
        assert shown_issues(hass) == {}

        er.async_get(hass).async_remove(vendor.entity_id(Lamp))
        er.async_get(hass).async_remove("event.bell")
        await hass.async_block_till_done()
        facts = {"device": DEVICE_NAME, "count": "2", "bindings": "- LightSwitch\n- SceneActivated"}
        assert shown_issues(hass) == {Issue.ENTITY_GONE: facts}

        await vendor.unload()
        await vendor.set_up()
        assert shown_issues(hass)[Issue.ENTITY_GONE]["bindings"] == "- SceneActivated"
        er.async_get(hass).async_get_or_create("event", "door", "bell")
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}

    async def test_issue_is_deleted_with_the_binding(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp
    ) -> None:
        """The entity was removed while the entry was not loaded; removing the binding solves it."""
        entry = await set_up([{**SWITCH, "entity": "0123456789"}])
        assert shown_issues(hass)[Issue.ENTITY_GONE]["bindings"] == "- LightSwitch"
        hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}

    async def test_no_issue_while_the_credentials_are_refused(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
    ) -> None:
        """The user is asked for another secret first; other problems are checked once the entry is set up."""
        entry_data[CONF_DEVICE_SECRET] = "0" * 32
        entry = await set_up([{**SWITCH, "entity": "0123456789"}])
        assert entry.state is ConfigEntryState.SETUP_ERROR
        assert shown_issues(hass) == {}

    async def test_removed_script_of_a_service(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        device: CloudDevice,
        set_up: SetUp,
        hass_client: ClientSessionGenerator,
    ) -> None:
        """It is listed like an entity, and the answer and the diagnostics say the same; a rename changes nothing."""
        config = {"script": {"scene": {"sequence": []}}}
        assert await async_setup_component(hass, "diagnostics", {})
        assert await async_setup_component(hass, "script", config)
        registry = er.async_get(hass)
        reference = registry.async_get("script.scene").id
        entry = await set_up(services=[{"identifier": "RunScene", "script": reference}])
        registry.async_update_entity("script.scene", new_entity_id="script.evening")
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}

        with patch("homeassistant.config.load_yaml_config_file", return_value={}):
            await hass.services.async_call("script", "reload", blocking=True)
        registry.async_remove("script.evening")
        await hass.async_block_till_done()
        assert shown_issues(hass)[Issue.ENTITY_GONE]["bindings"] == "- RunScene"
        reply = await device.wait_reply((await invoke(cloud, device, "RunScene", {}))["Data"]["MessageId"])
        assert (reply.code, "was removed from Home Assistant" in reply.message) == (100005, True)
        client = await hass_client()
        response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
        absent = (await response.json())["data"]["bindings"]["absent"]
        assert absent == {"RunScene": "was removed from Home Assistant"}

        with patch("homeassistant.config.load_yaml_config_file", return_value=config):
            await hass.services.async_call("script", "reload", blocking=True)
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}
        result = await invoke(cloud, device, "RunScene", {})
        assert (await device.wait_reply(result["Data"]["MessageId"])).code == 200

    async def test_missing_entity_that_was_never_registered(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp
    ) -> None:
        """It is known by its state only, so it may be late while Home Assistant starts, and is missing afterwards."""
        hass.set_state(CoreState.starting)
        await set_up([SWITCH])
        assert shown_issues(hass) == {}
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await hass.async_block_till_done()
        assert shown_issues(hass)[Issue.ENTITY_GONE]["bindings"] == "- LightSwitch"
        hass.states.async_set("switch.lamp", "on")
        await until(lambda: not shown_issues(hass))
        hass.states.async_remove("switch.lamp")
        await until(lambda: Issue.ENTITY_GONE in shown_issues(hass))


class TestDisabledEntity:
    """Bindings whose entity is disabled."""

    async def test_binding_is_listed_until_its_entity_is_enabled(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
    ) -> None:
        """A lamp, an event and a script have their own issue, and a set says why; all of it ends when they are enabled."""
        vendor = Vendor(hass, [Lamp])
        await vendor.set_up()
        assert await async_setup_component(hass, "script", {"script": {"scene": {"sequence": []}}})
        registry = er.async_get(hass)
        bell = registry.async_get_or_create("event", "door", "bell", suggested_object_id="bell")
        row = {"identifier": "LightSwitch", "entity": vendor.reference(Lamp), "aspect": "power", "access": "both"}
        script = registry.async_get("script.scene").id
        entry = await set_up([row], [{"identifier": "RunScene", "script": script}])
        event = MappingProxyType({"identifier": "SceneActivated", "entity": bell.id})
        hass.config_entries.async_add_subentry(
            entry, ConfigSubentry(data=event, subentry_type=SUBENTRY_EVENT, title="SceneActivated", unique_id=None)
        )
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}

        lamp_id = vendor.entity_id(Lamp)
        for entity_id in (lamp_id, "event.bell", "script.scene"):
            registry.async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
        await hass.async_block_till_done()
        facts = shown_issues(hass)
        assert facts.keys() == {Issue.ENTITY_DISABLED}
        rows = f"- LightSwitch: {lamp_id}\n- RunScene: script.scene\n- SceneActivated: event.bell"
        assert facts[Issue.ENTITY_DISABLED] == {"device": DEVICE_NAME, "count": "3", "bindings": rows}
        reply = await set_properties(LightSwitch=1)
        assert (reply.code, f"{lamp_id} is disabled in Home Assistant" in reply.message) == (100004, True)
        assert entry.runtime_data.device.events.problems == {
            "SceneActivated": "its entity is disabled in Home Assistant"
        }

        for entity_id in (lamp_id, "event.bell", "script.scene"):
            registry.async_update_entity(entity_id, disabled_by=None)
        await vendor.unload()
        await vendor.set_up()
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}
        assert not entry.runtime_data.device.events.problems
        assert (await set_properties(LightSwitch=1)).code == 200

    async def test_entity_that_is_already_disabled(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp
    ) -> None:
        """It is reported at the start, also of a binding that has the entity id."""
        registered = er.async_get(hass).async_get_or_create(
            "switch", "test", "a", suggested_object_id="lamp", disabled_by=er.RegistryEntryDisabler.DEVICE
        )
        await set_up([SWITCH, {**SWITCH, "identifier": "PowerSwitch", "entity": registered.id}], options=NO_MODEL)
        assert shown_issues(hass)[Issue.ENTITY_DISABLED]["count"] == "2"


class TestRateLimit:
    """A cloud that replies that it gets too many messages."""

    async def test_issue_after_repeated_throttling(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """The issue is created when such replies repeat, and deleted after half an hour without; nothing is lost."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        entry = await set_up([TEMPERATURE])
        await posted(device, "CurrentTemperature", 20.0)
        cloud.faults.set(answer_code={"code": 429, "count": THROTTLED_REPLIES - 1})
        hass.states.async_set("sensor.living_room", "21", CELSIUS)
        await posted(device, "CurrentTemperature", 21.0)
        assert shown_issues(hass) == {}

        cloud.faults.set(answer_code={"code": 429, "count": 1})
        hass.states.async_set("sensor.living_room", "22", CELSIUS)
        await posted(device, "CurrentTemperature", 22.0)
        assert shown_issues(hass) == {Issue.RATE_LIMIT: {"device": DEVICE_NAME, "rate": "9"}}
        assert entry.runtime_data.device.reporter.counters.retried == THROTTLED_REPLIES

        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=SOLVED_AFTER + 1))
        await hass.async_block_till_done()
        assert shown_issues(hass) == {}

    async def test_unloading_deletes_the_issue(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """Without a connection there are no such replies."""
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        cloud.faults.set(answer_code={"code": 429, "count": THROTTLED_REPLIES})
        entry = await set_up([TEMPERATURE])
        await wait_for_issue(hass, Issue.RATE_LIMIT)
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert shown_issues(hass) == {}


class TestOverflow:
    """Samples that are lost for good."""

    @pytest.fixture(autouse=True)
    def small_buffer(self, monkeypatch: pytest.MonkeyPatch, device: CloudDevice) -> None:
        """Let the buffer hold a few samples only."""
        monkeypatch.setattr("custom_components.aliyun_iot.reports.reporter.CAPACITY", 3)
        device.thing_model = None

    async def overflow(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> MockConfigEntry:
        """Return an entry with an outage that was too long."""
        measure(hass, "sensor.power", 0)
        entry = await set_up([POWER], options={CONF_THING_MODEL: None})
        await all_sent(entry)
        await lose_connection(cloud, device, entry)
        for watt in range(1, 4):
            measure(hass, "sensor.power", watt)
        assert shown_issues(hass) == {}
        measure(hass, "sensor.power", 5)
        return entry

    async def test_issue_stays_until_confirmed(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        device: CloudDevice,
        set_up: SetUp,
        hass_client: ClientSessionGenerator,
    ) -> None:
        """The samples are lost for good, so only the user can delete the issue."""
        entry = await self.overflow(hass, cloud, device, set_up)
        assert shown_issues(hass)[Issue.BUFFER_OVERFLOW]["capacity"] == "3"
        end_outage(cloud)
        await all_sent(entry)
        assert await hass.config_entries.async_reload(entry.entry_id)
        assert Issue.BUFFER_OVERFLOW in shown_issues(hass)
        await fix(hass, hass_client)
        assert shown_issues(hass) == {}

    async def test_removal_deletes_the_issue(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """A removed device has no issues."""
        entry = await self.overflow(hass, cloud, device, set_up)
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert Issue.BUFFER_OVERFLOW in shown_issues(hass)
        await hass.config_entries.async_remove(entry.entry_id)
        assert shown_issues(hass) == {}


async def test_issues_are_in_the_diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, device: CloudDevice, set_up: SetUp
) -> None:
    """The diagnostics contain the issues that the user sees."""
    assert await async_setup_component(hass, "diagnostics", {})
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([{**TEMPERATURE, "identifier": "Nothing"}])
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert response.status == HTTPStatus.OK
    [issue] = (await response.json())["data"]["issues"]
    assert issue["issue"] == Issue.THING_MODEL_MISMATCH
    assert issue["facts"]["count"] == "1"


def test_every_issue_has_texts() -> None:
    """Each issue has a text."""
    assert set(Issue) == translations()["issues"].keys()
