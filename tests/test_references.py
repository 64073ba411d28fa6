"""Entities that were stored by their entity id, because they were not registered, and are registered later."""

from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import entity_sources
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.aliyun_iot.const import (
    CONF_BINDINGS,
    CONF_THING_MODEL,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
    SUBENTRY_RULE,
)
from custom_components.aliyun_iot.exposures import add_bindings, exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Binding
from custom_components.aliyun_iot.mapping.rule import EntityAspect
from custom_components.aliyun_iot.rules import rules_of
from simulator import CloudDevice

from .application import SetProperties
from .conftest import SetUp
from .labelled_house import OWNER, LabelledHouse

LAMP = "switch.lamp"
ROW = {"identifier": "LightSwitch", "entity": LAMP, "aspect": "power", "access": "both"}
NO_MODEL = {CONF_THING_MODEL: None}


def add_subentry(hass: HomeAssistant, entry: MockConfigEntry, kind: str, data: dict[str, Any], **keys: str) -> str:
    """Add a subentry as it is stored, and return its id."""
    subentry = ConfigSubentry(
        data=MappingProxyType(data), subentry_type=kind, title="Title", unique_id=keys.get("unique_id")
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    return subentry.subentry_id


async def test_entity_is_registered_and_renamed(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The binding follows it, and another entity that gets the old entity id is not controlled in its place."""
    house = LabelledHouse(hass)
    turned_on = async_mock_service(hass, "switch", "turn_on")
    entry = await set_up([ROW])
    registry_id = house.register(LAMP)
    await hass.async_block_till_done()
    assert exposed_bindings(entry)[0].entity == registry_id

    house.registry.async_update_entity(LAMP, new_entity_id="switch.corner")
    house.add(LAMP.replace("lamp", "other"), state="off")
    hass.states.async_remove("switch.other")
    house.registry.async_update_entity("switch.other", new_entity_id=LAMP)
    for entity_id in (LAMP, "switch.corner"):
        hass.states.async_set(entity_id, "off")
        entity_sources(hass)[entity_id] = {"domain": OWNER}
    await hass.async_block_till_done()
    assert (await set_properties(LightSwitch=1)).code == 200
    assert [call.data["entity_id"] for call in turned_on] == ["switch.corner"]


async def test_everything_that_was_stored_before_the_start(hass: HomeAssistant, set_up: SetUp) -> None:
    """A script, an event, and a rule with its selection, what it left out and what it has bound."""
    house = LabelledHouse(hass)
    entry = await set_up(options=NO_MODEL)
    assert await hass.config_entries.async_unload(entry.entry_id)
    lamp, pump, bell = house.add(LAMP), house.add("switch.pump"), house.add("event.bell")
    script = house.add("script.night")
    rule = add_subentry(
        hass,
        entry,
        SUBENTRY_RULE,
        {
            "selection": {"include": {"entity_id": [LAMP, "switch.pump"]}, "exclude": {"entity_id": ["event.bell"]}},
            "left_out": [{"entity": "switch.pump", "aspect": "power"}],
            "bound": [{"entity": LAMP, "aspect": "power"}],
        },
    )
    add_subentry(hass, entry, SUBENTRY_EXPOSURE, {CONF_BINDINGS: [{**ROW, "rule": rule}]})
    event = add_subentry(hass, entry, SUBENTRY_EVENT, {"identifier": "Ring", "entity": "event.bell"})
    service = add_subentry(hass, entry, "service", {"identifier": "Night", "script": "script.night"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    settled = rules_of(entry)[rule]
    assert set(settled.selection.include.entity_id) == {lamp, pump}
    assert settled.selection.exclude.entity_id == (bell,)
    assert (settled.left_out, settled.bound) == ({EntityAspect(pump, "power")}, {EntityAspect(lamp, "power")})
    assert [(row.identifier, row.entity, row.rule) for row in exposed_bindings(entry)] == [("LightSwitch", lamp, rule)]
    assert entry.subentries[event].data["entity"] == bell
    assert entry.subentries[service].data["script"] == script


@pytest.mark.parametrize("has_device", [False, True])
@pytest.mark.parametrize("has_other", [False, True])
async def test_exposure_becomes_that_of_the_entity_or_its_device(
    hass: HomeAssistant, set_up: SetUp, has_device: bool, has_other: bool
) -> None:
    """It keeps its place unless there is one for the device already; other rows of an exposure stay where they are."""
    house = LabelledHouse(hass)
    entry = await set_up(options=NO_MODEL)
    add_bindings(hass, entry, [Binding("LightSwitch", LAMP, "power")])
    [exposure] = entry.subentries.values()
    assert exposure.unique_id == f"entity:{LAMP}"
    device = house.device("Lamp")
    if has_other:
        other = house.add("switch.other", device_id=device if has_device else None)
        add_bindings(hass, entry, [Binding("PowerSwitch", other, "power")])
    lamp = house.register(LAMP, device_id=device if has_device else None)
    await hass.async_block_till_done()
    key = f"device:{device}" if has_device else f"entity:{lamp}"
    found = {one.unique_id: [row["identifier"] for row in one.data[CONF_BINDINGS]] for one in entry.subentries.values()}
    assert "LightSwitch" in found[key]
    assert len(found) == (2 if has_other and not has_device else 1)
    assert {binding.entity for binding in exposed_bindings(entry)} >= {lamp}
    add_bindings(hass, entry, [Binding("LastChange", lamp, "raw_state")])
    assert len(entry.subentries) == len(found)


async def test_same_identifier_twice(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Only the first one works; the second one is still the user's."""
    house = LabelledHouse(hass)
    entry = await set_up([ROW, {**ROW, "entity": "switch.second"}, {"damaged": True}])
    first, second = house.register(LAMP), house.register("switch.second")
    await hass.async_block_till_done()
    assert [binding.entity for binding in exposed_bindings(entry)] == [first, second]
    assert next(iter(entry.subentries.values())).data[CONF_BINDINGS][2] == {"damaged": True}


async def test_unregistered_entity_is_left_alone(hass: HomeAssistant, set_up: SetUp) -> None:
    """What is not registered keeps its entity id, and nothing is written for it."""
    hass.states.async_set(LAMP, "on")
    entry = await set_up([ROW])
    data = next(iter(entry.subentries.values())).data
    er.async_get(hass).async_get_or_create("switch", "test", "another")
    await hass.async_block_till_done()
    assert next(iter(entry.subentries.values())).data is data
