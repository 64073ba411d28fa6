"""Rules that make sub-devices: each matching device of Home Assistant becomes a device of the cloud, and is removed again."""

import asyncio
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot import follower, rule_sub_devices
from custom_components.aliyun_iot.const import OWN, SUBENTRY_RULE
from custom_components.aliyun_iot.exposures import bindings_of, change_bindings, exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.mapping.document.difference import Mode
from custom_components.aliyun_iot.mapping.document.document import Document
from custom_components.aliyun_iot.mapping.document.fault import DocumentError
from custom_components.aliyun_iot.panel.editing import add_to_rule
from custom_components.aliyun_iot.panel.rows import digest_of, row_id
from custom_components.aliyun_iot.rules import rules_of
from custom_components.aliyun_iot.stored_device import options_with_model
from custom_components.aliyun_iot.sub_device_row import SubDeviceRow, add_sub_devices, identities_of, sub_device_row
from custom_components.aliyun_iot.transfer import async_carry_out, mapping_document, plan_import
from custom_components.aliyun_iot.words.labels import Labels
from simulator import Simulator

from .conftest import SetUp
from .house import selected
from .sub_house import LAMPS, add_device, lamp_binding, new_lamp
from .waiting import until
from .walk import Walk

NAMES = ("lamp-1", "lamp-2", "lamp-3")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply rules without waiting, and begin at once after a connect."""
    monkeypatch.setattr(follower, "COOLDOWN", 0.01)
    monkeypatch.setattr("custom_components.aliyun_iot.alink.gateway.RECONNECT_SPREAD", 0.0)


@pytest.fixture
async def entry(set_up: SetUp, cloud: Simulator) -> MockConfigEntry:
    """Return the entry of a gateway without sub-devices; the lamps exist in the cloud and may be registered."""
    cloud.add_product(LAMPS, dynamic_registration=True)
    for name in NAMES:
        cloud.add_device(LAMPS, name, "unknown")
    return await set_up(options={"thing_model": None})


@pytest.fixture
def study(hass: HomeAssistant) -> str:
    """Return the id of an area."""
    return ar.async_get(hass).async_get_or_create("Study").id


def follow(hass: HomeAssistant, entry: MockConfigEntry, area: str, **more: Any) -> str:
    """Add a rule that makes sub-devices of everything in an area, and return its id."""
    data = {"selection": {"include": {"area_id": [area]}}, "product_key": LAMPS, **more}
    rule = ConfigSubentry(data=MappingProxyType(data), subentry_type=SUBENTRY_RULE, title="Follow", unique_id=None)
    hass.config_entries.async_add_subentry(entry, rule)
    return rule.subentry_id


def names(entry: MockConfigEntry) -> set[str]:
    """Return the DeviceNames of the sub-devices."""
    return {identity.device_name for identity in identities_of(entry)}


def owner_of(entry: MockConfigEntry, name: str) -> str:
    """Return the owner of a sub-device."""
    return {identity.device_name: owner for identity, owner in identities_of(entry).items()}[name]


def bound(entry: MockConfigEntry, name: str) -> dict[str, str]:
    """Return the rules of the bindings of a sub-device, by identifier."""
    return {binding.identifier: binding.rule for binding in exposed_bindings(entry, owner_of(entry, name))}


async def settled(hass: HomeAssistant) -> None:
    """Wait until all events are processed."""
    await asyncio.sleep(0.03)
    await hass.async_block_till_done()


def move(hass: HomeAssistant, device_id: str, area: str | None) -> None:
    """Move a device to an area, or out of all."""
    dr.async_get(hass).async_update_device(device_id, area_id=area)


async def test_matching_devices_come_and_go(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, study: str
) -> None:
    """A device in the area becomes a sub-device and posts; out of the area it is removed; it gets the same name again."""
    first, _ = add_device(hass, "Lamp 1", area="Study")
    rule = follow(hass, entry, study)
    lamp = cloud.device(LAMPS, "lamp-1")
    await lamp.wait_for(lambda device: "LightSwitch" in device.properties)
    assert bound(entry, "lamp-1") == {"LightSwitch": rule}
    assert not exposed_bindings(entry)
    row = sub_device_row(entry.subentries[owner_of(entry, "lamp-1")])
    assert isinstance(row, SubDeviceRow)
    assert row.stands_for == f"device:{first}"

    second, _ = add_device(hass, "Lamp 2", area="Study")
    await until(lambda: names(entry) == {"lamp-1", "lamp-2"})
    await settled(hass)
    assert rules_of(entry)[rule].made == {f"device:{first}", f"device:{second}"}

    move(hass, first, None)
    await until(lambda: names(entry) == {"lamp-2"})
    await lamp.wait_for(lambda device: not device.online)
    await settled(hass)
    assert rules_of(entry)[rule].made == {f"device:{second}"}
    move(hass, first, study)
    await until(lambda: names(entry) == {"lamp-1", "lamp-2"})

    hass.config_entries.async_remove_subentry(entry, rule)
    await until(lambda: not names(entry))


async def test_later_entity_of_a_device_is_bound(hass: HomeAssistant, entry: MockConfigEntry, study: str) -> None:
    """It belongs to the sub-device that the rule made; the sub-devices of the user are left alone."""
    lamp = new_lamp(hass, "Lamp 3", "lamp-3", area="Study")
    owners = add_sub_devices(hass, entry, [lamp])
    mine = bindings_of(entry.subentries[owners[0]])
    device_id, _ = add_device(hass, "Lamp 1", area="Study")
    rule = follow(hass, entry, study)
    await until(lambda: names(entry) == {"lamp-1", "lamp-3"})
    for of_device, name in ((device_id, "plug"), (lamp.row.stands_for.removeprefix("device:"), "other")):
        demo = hass.config_entries.async_entries("demo")[0]
        registered = er.async_get(hass).async_get_or_create(
            "switch", "demo", name, config_entry=demo, device_id=of_device, original_name=name
        )
        hass.states.async_set(registered.entity_id, "on", {"friendly_name": name})
    await until(lambda: len(bound(entry, "lamp-1")) == 2)
    await settled(hass)
    assert set(bound(entry, "lamp-1").values()) == {rule}
    assert bindings_of(entry.subentries[owners[0]]) == mine
    move(hass, device_id, None)
    await until(lambda: names(entry) == {"lamp-3"})


async def test_removed_sub_device_is_not_made_again(hass: HomeAssistant, entry: MockConfigEntry, study: str) -> None:
    """The rule excludes the device that the user has removed, also for entities that come later."""
    device_id, _ = add_device(hass, "Lamp 1", area="Study")
    rule = follow(hass, entry, study)
    await until(lambda: bool(rules_of(entry)[rule].made))
    hass.config_entries.async_remove_subentry(entry, owner_of(entry, "lamp-1"))
    await settled(hass)
    add_device(hass, "Lamp 2", area="Study")
    await until(lambda: names(entry) == {"lamp-2"})
    assert rules_of(entry)[rule].selection.exclude.device_id == (device_id,)

    walk = await Walk.reconfigure_subentry(hass, entry, rule, "select")
    assert walk.values["leave_out"]["target"] == {"device_id": [device_id]}
    await walk.submit(**selected(target={"area_id": [study]}), product_key=LAMPS)
    assert "lamp-1 · Lamp 1 · LightSwitch" in walk.description()
    await walk.submit()
    await until(lambda: names(entry) == {"lamp-1", "lamp-2"})


async def test_what_the_user_has_changed_stays(hass: HomeAssistant, entry: MockConfigEntry, study: str) -> None:
    """A removed binding is not added again, and a sub-device with a binding of the user is kept without the others."""
    device_id, entity_id = add_device(
        hass, "Lamp 1", area="Study", supported_color_modes=["brightness"], brightness=128
    )
    rule = follow(hass, entry, study)
    await until(lambda: "lamp-1" in names(entry))
    await settled(hass)
    assert set(bound(entry, "lamp-1")) == {"LightSwitch", "Brightness"}
    owner = owner_of(entry, "lamp-1")
    change_bindings(hass, entry, owner, removed=["Brightness"])
    await until(lambda: bool(rules_of(entry)[rule].left_out))
    await settled(hass)
    assert set(bound(entry, "lamp-1")) == {"LightSwitch"}
    reference = er.async_get(hass).async_get(entity_id)
    assert reference
    change_bindings(hass, entry, owner, added=[Binding("Mine", reference.id, "power", Access.REPORT)])
    move(hass, device_id, None)
    await until(lambda: bound(entry, "lamp-1") == {"Mine": ""})


async def test_thing_model_decides(hass: HomeAssistant, entry: MockConfigEntry, study: str) -> None:
    """Only what the product has is bound, and a device without any of it is no sub-device."""
    document = {
        "schema": "",
        "profile": {"productKey": LAMPS},
        "properties": [
            {
                "identifier": "LightSwitch",
                "name": "Power",
                "accessMode": "rw",
                "required": False,
                "dataType": {"type": "bool", "specs": {"0": "off", "1": "on"}},
            }
        ],
    }
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, document, LAMPS))
    add_device(hass, "Lamp 1", area="Study", supported_color_modes=["brightness"], brightness=128)
    add_device(hass, "Plug", area="Study", domain="sensor", model="Meter")
    rule = follow(hass, entry, study)
    await until(lambda: names(entry) == {"lamp-1"})
    await settled(hass)
    assert bound(entry, "lamp-1") == {"LightSwitch": rule}


async def test_a_gateway_has_room_for_so_many(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    study: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The rest is said in the log, and added when there is room."""
    monkeypatch.setattr(rule_sub_devices, "MAX_SUB_DEVICES", 2)
    devices = [add_device(hass, f"Lamp {number}", area="Study")[0] for number in (1, 2, 3)]
    walk = await Walk.add_subentry(hass, entry, "rule")
    await walk.submit(**selected(target={"area_id": [study]}), product_key=LAMPS)
    assert "Sub-devices to be added: 2" in walk.description()
    assert "Not added: 1." in walk.description()
    follow(hass, entry, study)
    await until(lambda: len(names(entry)) == 2)
    await settled(hass)
    assert len(names(entry)) == 2
    assert "has no room for sub-devices of 1 devices" in caplog.text
    there = {str(subentry.data.get("stands_for")) for subentry in entry.subentries.values()}
    move(hass, next(device for device in devices if f"device:{device}" in there), None)
    await until(lambda: {str(each.data.get("stands_for")) for each in entry.subentries.values()} != there)
    await until(lambda: len(names(entry)) == 2)


async def test_flow_shows_what_is_made(hass: HomeAssistant, entry: MockConfigEntry, study: str) -> None:
    """The product is checked, the preview has the names, and the changed rule takes its sub-devices back."""
    add_device(hass, "Lamp 1", area="Study")
    add_device(hass, "客厅灯", area="Study")
    target = selected(target={"area_id": [study]})
    walk = await Walk.add_subentry(hass, entry, "rule")
    await walk.submit(**target, product_key="not a key")
    assert walk.errors == {"product_key": "invalid_product_key"}
    await walk.submit(**target, product_key=entry.data["product_key"])
    assert walk.errors == {"product_key": "product_of_gateway"}
    await walk.submit(**target, product_key=LAMPS)
    assert walk.step == "preview"
    assert "Sub-devices to be added: 2" in walk.description()
    assert "lamp-1 · Lamp 1 · LightSwitch" in walk.description()
    assert "ke-ting-deng · 客厅灯 · LightSwitch" in walk.description()
    assert not names(entry)
    await walk.submit()
    assert walk.saved
    await until(lambda: names(entry) == {"lamp-1", "ke-ting-deng"})
    await settled(hass)
    (rule,) = rules_of(entry)

    walk = await Walk.reconfigure_subentry(hass, entry, rule, "select")
    assert walk.values["product_key"] == LAMPS
    assert LAMPS in walk.choices("product_key")
    await walk.submit(**target)
    assert walk.step == "suggestions"
    await walk.submit(**walk.values)
    assert "Sub-devices to be removed: 2" in walk.description()
    await walk.submit()
    assert walk.aborted == "reconfigure_successful"
    await settled(hass)
    assert not names(entry)
    assert {binding.rule for binding in exposed_bindings(entry)} == {rule}
    assert len(exposed_bindings(entry)) == 2
    assert not rules_of(entry)[rule].left_out

    walk = await Walk.reconfigure_subentry(hass, entry, rule, "select")
    await walk.submit(**target, product_key=LAMPS)
    assert "To be unbound: 2" in walk.description()
    await walk.submit()
    await until(lambda: names(entry) == {"lamp-1", "ke-ting-deng"})
    assert not exposed_bindings(entry)
    await settled(hass)
    assert not rules_of(entry)[rule].left_out

    walk = await Walk.reconfigure_subentry(hass, entry, rule, "keep")
    await walk.submit()
    assert walk.aborted == "kept"
    await settled(hass)
    assert names(entry) == {"lamp-1", "ke-ting-deng"}
    assert bound(entry, "lamp-1") == {"LightSwitch": ""}


async def test_rule_takes_no_binding_of_the_gateway(hass: HomeAssistant, entry: MockConfigEntry, study: str) -> None:
    """The panel says why."""
    _, entity_id = add_device(hass, "Lamp 1")
    rule = follow(hass, entry, study)
    binding = lamp_binding(hass, entity_id)
    change_bindings(hass, entry, added=[binding])
    row = row_id(OWN, binding.identifier)
    refused = add_to_rule(await Labels.load(hass), entry, {row: digest_of(binding)}, rule)
    assert refused == {row: "This rule adds sub-devices. It binds nothing of the gateway itself."}
    await settled(hass)
    assert exposed_bindings(entry) == [binding]


async def test_mapping_document_has_the_product(hass: HomeAssistant, entry: MockConfigEntry, study: str) -> None:
    """Another installation makes its own sub-devices; importing it where it came from changes nothing."""
    add_device(hass, "Lamp 1", area="Study")
    rule = follow(hass, entry, study)
    await until(lambda: bool(rules_of(entry)[rule].made))
    data = mapping_document(hass, entry).as_dict()
    assert data["rules"]["Follow"]["product_key"] == LAMPS
    document = Document.parse(data)
    assert not plan_import(hass, entry, document, Mode.REPLACE).difference.rules
    del data["sub_devices"]
    without = Document.parse(data)
    del data["rules"]["Follow"]["product_key"]
    plan = plan_import(hass, entry, Document.parse(data), Mode.MERGE)
    await async_carry_out(hass, entry, plan.difference)
    await until(lambda: not names(entry))
    await settled(hass)
    assert len(exposed_bindings(entry)) == 1
    await async_carry_out(hass, entry, plan_import(hass, entry, without, Mode.MERGE).difference)
    await until(lambda: names(entry) == {"lamp-1"})
    await settled(hass)
    assert bound(entry, "lamp-1") == {"LightSwitch": rule}

    hass.config_entries.async_remove_subentry(entry, rule)
    await until(lambda: not names(entry))
    await async_carry_out(hass, entry, plan_import(hass, entry, document, Mode.MERGE).difference)
    await settled(hass)
    assert names(entry) == {"lamp-1"}
    [rule] = rules_of(entry)
    assert bound(entry, "lamp-1") == {"LightSwitch": rule}
    assert rules_of(entry)[rule].made
    assert mapping_document(hass, entry).as_dict() == document.as_dict()


@pytest.mark.parametrize("product_key", ["no key", 5, None])
def test_wrong_product_in_a_document(product_key: object) -> None:
    """The fault has the path of the field."""
    data = {"format": "aliyun_iot_mapping", "version": 1, "rules": {"Follow": {"product_key": product_key}}}
    with pytest.raises(DocumentError) as raised:
        Document.parse(data)
    assert [fault.path for fault in raised.value.faults] == [("rules", "Follow", "product_key")]
