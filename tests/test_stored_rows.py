"""A stored row that cannot be read is a problem of that row: everything else works, and the row is kept as it is."""

from collections.abc import Callable
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.const import (
    CONF_BINDINGS,
    CONF_THING_MODEL,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
    SUBENTRY_RULE,
    SUBENTRY_SERVICE,
)
from custom_components.aliyun_iot.exposures import exposed_bindings, rows_of
from custom_components.aliyun_iot.health.issues import Issue
from custom_components.aliyun_iot.mapping.binding import Binding, ServiceBinding
from custom_components.aliyun_iot.mapping.event_binding import EventBinding
from custom_components.aliyun_iot.mapping.rule import Rule
from custom_components.aliyun_iot.mapping.stored import Unreadable
from custom_components.aliyun_iot.rules import rules_of
from custom_components.aliyun_iot.settings import Settings, read_settings
from simulator import CloudDevice, Simulator

from .application import SetProperties, invoke, wait_for_value
from .conftest import SetUp
from .labelled_house import LabelledHouse
from .test_issues import shown_issues
from .walk import Walk, exposure_of

LAMP = {"identifier": "LightSwitch", "entity": "input_boolean.lamp", "aspect": "power", "access": "both"}
TARGET = {"identifier": "TargetTemperature", "entity": "input_number.target", "aspect": "value", "access": "both"}
METER = {"identifier": "ReadMeter", "actions": [{"stop": "read"}]}
FUTURE = {**LAMP, "identifier": "Brightness", "only_at_night": True}

DAMAGED: dict[str, tuple[object, str]] = {
    "unknown field": (FUTURE, "Brightness: this version does not know the field only_at_night."),
    "unknown field of the conversion": (
        {**LAMP, "identifier": "Brightness", "conversion": {"scale": 2, "curve": [1]}},
        "Brightness: this version does not know the field conversion.curve.",
    ),
    "wrong type": (
        {**LAMP, "identifier": "Brightness", "access": 7},
        "Brightness: access has to be report, control or both.",
    ),
    "wrong value": (
        {**LAMP, "identifier": "Brightness", "conversion": {"scale": 0}},
        "Brightness: conversion.scale has to be a number other than 0.",
    ),
    "missing field": ({"identifier": "Brightness"}, "Brightness: entity has to be an entity ID such as light.lamp."),
    "no identifier": ({"entity": "light.x", "aspect": "power"}, "exposure: identifier has to be an identifier"),
    "text": ("Brightness", "exposure: it has to be a block of keys and values."),
    "number": (7, "exposure: it has to be a block of keys and values."),
    "nothing": (None, "exposure: it has to be a block of keys and values."),
    "list": ([LAMP], "exposure: it has to be a block of keys and values."),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["identifier", "entity", "aspect", "access", "conversion", "actions", "triggers", "script", "selection", "left_out"]
)


def add_subentry(hass: HomeAssistant, entry: MockConfigEntry, kind: str, data: dict[str, Any]) -> str:
    """Add a subentry as it is stored, and return its id."""
    subentry = ConfigSubentry(data=MappingProxyType(data), subentry_type=kind, title=f"A {kind}", unique_id=None)
    hass.config_entries.async_add_subentry(entry, subentry)
    return subentry.subentry_id


def stored(entry: MockConfigEntry) -> list[object]:
    """Return the rows of all exposures."""
    exposures = [one for one in entry.subentries.values() if one.subentry_type == SUBENTRY_EXPOSURE]
    return [row for exposure in exposures for row in exposure.data[CONF_BINDINGS]]


class TestBindings:
    """Rows of exposures."""

    @pytest.mark.parametrize("damage", DAMAGED)
    async def test_other_rows_work(
        self,
        hass: HomeAssistant,
        house: None,
        cloud: Simulator,
        device: CloudDevice,
        set_up: SetUp,
        set_properties: SetProperties,
        hass_client: ClientSessionGenerator,
        caplog: pytest.LogCaptureFixture,
        damage: str,
    ) -> None:
        """The others are reported and set; the issue, the log and the diagnostics name the row and the reason."""
        assert await async_setup_component(hass, "diagnostics", {})
        row, text = DAMAGED[damage]
        entry = await set_up([LAMP, row, TARGET], [METER])
        assert entry.state is ConfigEntryState.LOADED
        await wait_for_value(device, "TargetTemperature", 20.0)
        assert (await set_properties(LightSwitch=1)).code == 200
        assert (await invoke(cloud, device, "ReadMeter", {}))["Success"]
        assert (await set_properties(Brightness=1)).code == 100001

        facts = shown_issues(hass)[Issue.ROWS_UNREADABLE]
        assert facts["count"] == "1"
        assert facts["rows"].startswith(f"- {text}")
        assert caplog.text.count("stored rows cannot be read and do not work") == 1
        client = await hass_client()
        response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
        assert response.status == HTTPStatus.OK
        assert len((await response.json())["data"]["entry"]["unreadable"]) == 1

    async def test_exposure_without_rows(self, hass: HomeAssistant, house: None, set_up: SetUp) -> None:
        """Another kind of data than a list, and none at all."""
        entry = await set_up([LAMP])
        add_subentry(hass, entry, SUBENTRY_EXPOSURE, {CONF_BINDINGS: "damaged"})
        add_subentry(hass, entry, SUBENTRY_EXPOSURE, {"rows": []})
        add_subentry(hass, entry, "of_a_later_version", {"anything": 1})
        await hass.async_block_till_done()
        assert [binding.identifier for binding in exposed_bindings(entry)] == ["LightSwitch"]
        assert shown_issues(hass)[Issue.ROWS_UNREADABLE]["count"] == "1"

    async def test_row_is_kept_by_changes_beside_it(self, hass: HomeAssistant, house: None, set_up: SetUp) -> None:
        """Another row of the same exposure is changed and removed, and one is added; the row can only be removed."""
        entry = await set_up([LAMP, FUTURE, TARGET])
        walk = await Walk.reconfigure_subentry(hass, entry, exposure_of(entry, "LightSwitch"), "edit")
        assert list(walk.choices("binding")) == ["LightSwitch", "TargetTemperature"]
        await walk.submit(binding="LightSwitch")
        await walk.submit(aspect="power", identifier="LightSwitch", access="report", conversion={}, reporting={})
        assert walk.saved
        assert stored(entry)[1] == FUTURE
        assert exposed_bindings(entry)[0].access == "report"

        await Walk.remove(hass, entry, "TargetTemperature")
        [exposure] = entry.subentries.values()
        assert stored(entry) == [exposure.data[CONF_BINDINGS][0], FUTURE]

        walk = await Walk.reconfigure_subentry(hass, entry, exposure_of(entry, "LightSwitch"), "remove")
        [key] = [value for value, label in walk.choices("bindings").items() if "only_at_night" in label]
        await walk.submit(bindings=[key])
        await hass.async_block_till_done()
        assert len(stored(entry)) == 1
        assert Issue.ROWS_UNREADABLE not in shown_issues(hass)

    async def test_only_unreadable_rows_can_be_removed(self, hass: HomeAssistant, set_up: SetUp) -> None:
        """The menu of the exposure offers it, although nothing can be edited."""
        entry = await set_up([FUTURE, "damaged"])
        [exposure] = entry.subentries
        walk = await Walk.reconfigure_subentry(hass, entry, exposure, "remove")
        await walk.submit(bindings=[next(iter(walk.choices("bindings")))])
        assert stored(entry) == ["damaged"]
        await walk.choose("remove")
        await walk.submit(bindings=list(walk.choices("bindings")))
        assert not entry.subentries

    async def test_other_data_of_an_exposure_are_kept(self, hass: HomeAssistant, house: None, set_up: SetUp) -> None:
        """A later version may store more in an exposure than its rows."""
        entry = await set_up()
        exposure = add_subentry(hass, entry, SUBENTRY_EXPOSURE, {CONF_BINDINGS: [LAMP, TARGET], "paused": True})
        walk = await Walk.reconfigure_subentry(hass, entry, exposure, "remove")
        await walk.submit(bindings=["LightSwitch"])
        assert entry.subentries[exposure].data == {CONF_BINDINGS: [TARGET], "paused": True}

    async def test_import_replaces_the_row_of_the_same_property(
        self, hass: HomeAssistant, house: None, set_up: SetUp
    ) -> None:
        """The document says what the property is bound to; the answer says that the row is replaced, others are kept."""
        entry = await set_up([FUTURE, {**FUTURE, "identifier": "LightSwitch"}], [{**METER, "price": 5}])
        row = {name: value for name, value in LAMP.items() if name != "entity"}
        document = {
            "format": "aliyun_iot_mapping",
            "version": 1,
            "bindings": {LAMP["entity"]: [row]},
            "services": {"ReadMeter": {"actions": METER["actions"]}},
        }
        answer = await hass.services.async_call(
            "aliyun_iot",
            "import_mapping",
            {"config_entry_id": entry.entry_id, "mapping": document, "mode": "merge", "allow_risky": True},
            blocking=True,
            return_response=True,
        )
        assert [text for text in answer["warnings"] if "replaces" in text] == [
            "LightSwitch replaces a stored row that can't be read.",
            "ReadMeter replaces a stored row that can't be read.",
        ]
        await hass.async_block_till_done()
        assert FUTURE in stored(entry)
        assert [binding.identifier for binding in exposed_bindings(entry)] == ["LightSwitch"]
        assert shown_issues(hass)[Issue.ROWS_UNREADABLE]["count"] == "1"


class TestOtherRows:
    """Services, events and rules."""

    async def test_unreadable_service_is_not_called(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
    ) -> None:
        """Not by its actions, nor by an automation, since the row may have a condition; the other services work."""
        scene = {"identifier": "RunScene", "actions": [{"event": "ran"}], "price": 5}
        entry = await set_up(services=[scene, METER])
        automation = {
            "alias": "Answer",
            "triggers": [
                {
                    "trigger": "aliyun_iot.service_called",
                    "options": {"config_entry_id": entry.entry_id, "identifier": "RunScene"},
                }
            ],
            "actions": [{"event": "ran"}],
        }
        assert await async_setup_component(hass, "automation", {"automation": [automation]})
        ran: list[object] = []
        hass.bus.async_listen("ran", ran.append)
        result = await invoke(cloud, device, "RunScene", {})
        reply = await device.wait_reply(result["Data"]["MessageId"])
        assert (reply.code, "cannot be read" in reply.message) == (100001, True)
        assert (await invoke(cloud, device, "ReadMeter", {}))["Success"]
        assert not ran
        assert shown_issues(hass)[Issue.ROWS_UNREADABLE]["rows"] == (
            "- RunScene: this version does not know the field price."
        )

        walk = await Walk.add_subentry(hass, entry, "service")
        assert "RunScene" not in walk.choices("identifier")

    @pytest.mark.parametrize(
        ("kind", "data"),
        [
            (SUBENTRY_SERVICE, {**METER, "identifier": "RunScene", "price": 5}),
            (SUBENTRY_EVENT, {"identifier": "SceneActivated", "entity": "event.bell", "louder": True}),
            (SUBENTRY_RULE, {"selection": {"include": {"area_id": ["hall"], "moon": 1}}}),
            (SUBENTRY_RULE, {}),
        ],
    )
    async def test_unreadable_subentry_cannot_be_changed(
        self, hass: HomeAssistant, set_up: SetUp, kind: str, data: dict[str, Any]
    ) -> None:
        """Its page says why; it stays as it is, and the others are shown."""
        entry = await set_up()
        subentry_id = add_subentry(hass, entry, kind, data)
        await hass.async_block_till_done()
        assert shown_issues(hass)[Issue.ROWS_UNREADABLE]["count"] == "1"
        walk = await Walk.reconfigure_subentry(hass, entry, subentry_id)
        assert walk.aborted == "unreadable"
        assert dict(entry.subentries[subentry_id].data) == data

    async def test_bindings_of_an_unreadable_rule_stay(self, hass: HomeAssistant, set_up: SetUp) -> None:
        """Nothing tells which of them the rule would release; another rule is carried out."""
        house = LabelledHouse(hass)
        lamp = house.add("switch.lamp")
        entry = await set_up(options={CONF_THING_MODEL: None})
        rule = add_subentry(hass, entry, SUBENTRY_RULE, {"selection": {"include": {}}, "weekdays": [1]})
        row = {"identifier": "PowerSwitch", "entity": lamp, "aspect": "power", "access": "report", "rule": rule}
        add_subentry(hass, entry, SUBENTRY_EXPOSURE, {CONF_BINDINGS: [row]})
        house.add("switch.pump", labelled=True)
        add_subentry(hass, entry, SUBENTRY_RULE, house.rule)
        await hass.async_block_till_done()
        assert {binding.identifier for binding in exposed_bindings(entry)} == {"PowerSwitch", "PowerSwitch_pump"}
        assert stored(entry)[0] == row
        assert rule not in rules_of(entry)
        assert entry.subentries[rule].data["weekdays"] == [1]


class TestOptions:
    """Settings, and the thing model."""

    @pytest.mark.parametrize("name", ["keep_alive", "window", "uplink_rate", "desired_hours"])
    @pytest.mark.parametrize("value", ["often", None, -1, 10**9, [], True])
    async def test_unreadable_setting_has_its_default(
        self, hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, name: str, value: object
    ) -> None:
        """The device works, and the setting is kept until the settings are saved again."""
        entry = await set_up([LAMP], options={name: value})
        assert getattr(read_settings(entry.options)[0], name) == getattr(Settings(), name)
        assert (await set_properties(LightSwitch=1)).code == 200
        assert shown_issues(hass)[Issue.ROWS_UNREADABLE]["rows"] == f"- {name}: {name} has to be a number."
        assert entry.options[name] == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("command_condition", "always"),
            ("command_condition", ["always"]),
            ("commands_per_minute", "few"),
            ("dry_run", "no"),
        ],
    )
    async def test_unreadable_limit_forbids_everything(
        self, hass: HomeAssistant, house: None, set_up: SetUp, set_properties: SetProperties, name: str, value: object
    ) -> None:
        """Nothing tells what the user wanted to forbid; values are reported."""
        entry = await set_up([LAMP], options={name: value})
        reply = await set_properties(LightSwitch=1)
        assert (reply.code, "settings for commands cannot be read" in reply.message) == (100003, True)
        assert Issue.ROWS_UNREADABLE in shown_issues(hass)
        walk = await Walk.options(hass, entry, "settings")
        assert walk.step == "settings"

    async def test_unreadable_definition_affects_its_property_only(
        self,
        hass: HomeAssistant,
        house: None,
        cloud: Simulator,
        device: CloudDevice,
        set_up: SetUp,
        set_properties: SetProperties,
        thing_model_document: dict[str, Any],
    ) -> None:
        """Its property is neither reported nor set, and neither is a service called whose definition cannot be read."""
        model = {**thing_model_document}
        model["properties"] = [
            {**one, "dataType": {"type": "quaternion"}} if one["identifier"] == "LightSwitch" else one
            for one in model["properties"]
        ]
        model["services"] = [
            {**one, "callType": "later"} if one["identifier"] == "RunScene" else one for one in model["services"]
        ]
        scene = {"identifier": "RunScene", "actions": [{"stop": "done"}]}
        await set_up([LAMP, TARGET], [scene, METER], options={CONF_THING_MODEL: model})
        await wait_for_value(device, "TargetTemperature", 20.0)
        assert (await set_properties(LightSwitch=1)).code == 100007
        assert (await set_properties(TargetTemperature=21)).code == 200
        result = await invoke(cloud, device, "RunScene", {})
        assert (await device.wait_reply(result["Data"]["MessageId"])).code == 100001
        assert (await invoke(cloud, device, "ReadMeter", {}))["Success"]
        assert "LightSwitch" not in device.properties
        facts = shown_issues(hass)[Issue.ROWS_UNREADABLE]
        assert facts["count"] == "2"
        assert "- Thing model: properties[" in facts["rows"]

    @pytest.mark.parametrize("document", ["{", [], 7, {"properties": 7}, {"properties": [7], "services": {"a": 1}}])
    async def test_unreadable_thing_model_lets_nothing_pass(
        self, hass: HomeAssistant, house: None, device: CloudDevice, set_up: SetUp, document: object
    ) -> None:
        """Without a thing model the data types would be inferred; an unreadable one allows nothing."""
        entry = await set_up([LAMP], options={CONF_THING_MODEL: document})
        if document == []:
            assert entry.runtime_data.device.model is None
            return
        problems = entry.runtime_data.device.bound.problems
        assert {key: str(why) for key, why in problems.items()} == {
            "LightSwitch": "the thing model has no such property"
        }
        assert Issue.ROWS_UNREADABLE in shown_issues(hass)
        walk = await Walk.options(hass, entry, "thing_model")
        assert "thing_model_generate" not in walk.result["menu_options"]


class TestVersions:
    """Entries that a later version of the integration has stored."""

    @pytest.mark.parametrize(
        ("version", "minor_version", "state"),
        [
            (1, 1, ConfigEntryState.LOADED),
            (1, 9, ConfigEntryState.LOADED),
            (2, 1, ConfigEntryState.MIGRATION_ERROR),
        ],
    )
    async def test_version(
        self, hass: HomeAssistant, set_up: SetUp, version: int, minor_version: int, state: ConfigEntryState
    ) -> None:
        """A later minor version works and keeps its number; Home Assistant refuses a later major one."""
        entry = await set_up()
        assert await hass.config_entries.async_unload(entry.entry_id)
        hass.config_entries.async_update_entry(entry, version=version, minor_version=minor_version)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert (entry.state, entry.version, entry.minor_version) == (state, version, minor_version)


@pytest.mark.parametrize(
    "read", [Binding.from_stored, ServiceBinding.from_stored, EventBinding.from_stored, Rule.from_stored]
)
def test_anything_can_be_read(read: Callable[[object], object]) -> None:
    """Whatever is stored gives a row or an unreadable one, and no exception."""

    @given(row=JSON | st.dictionaries(NAMES, JSON))
    def check(row: object) -> None:
        found = read(row)
        assert found is not None
        if isinstance(found, Unreadable):
            assert (found.raw is row, bool(found.reason)) == (True, True)

    check()


@given(rows=JSON)
def test_any_exposure_can_be_read(rows: object) -> None:
    """And its rows are as many as are stored."""
    data = MappingProxyType({CONF_BINDINGS: rows})
    exposure = ConfigSubentry(data=data, subentry_type=SUBENTRY_EXPOSURE, title="", unique_id=None)
    assert len(rows_of(exposure)) == (len(rows) if isinstance(rows, list) else 1)


@given(options=st.dictionaries(st.sampled_from([*Settings.__dataclass_fields__]), JSON))
def test_any_options_can_be_read(options: dict[str, object]) -> None:
    """Those that cannot be read are named."""
    _, unreadable = read_settings(options)
    assert {row.name for row in unreadable} <= options.keys()


@given(document=JSON | st.fixed_dictionaries({"properties": JSON, "events": JSON, "services": JSON}))
def test_any_thing_model_can_be_read(document: object) -> None:
    """What cannot be read of it is named, and left out."""
    model, faults = ThingModel.read(document)
    assert isinstance(model, ThingModel)
    assert all(fault.describe("zh-Hans") for fault in faults)
