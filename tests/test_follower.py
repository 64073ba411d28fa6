"""Rules at work: what begins to match is bound and posted, what stops matching is released, on one connection."""

import asyncio
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot import follower
from custom_components.aliyun_iot.const import SUBENTRY_EXPOSURE, SUBENTRY_RULE
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Access
from custom_components.aliyun_iot.mapping.rule import EntityAspect
from custom_components.aliyun_iot.rules import rules_of
from simulator import CloudDevice

from .conftest import SetUp
from .labelled_house import OWNER, LabelledHouse, followed, rule_id
from .waiting import until
from .walk import Walk


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settle at once."""
    monkeypatch.setattr(follower, "COOLDOWN", 0.01)


@pytest.fixture
def house(hass: HomeAssistant) -> LabelledHouse:
    """Return a house without entities."""
    return LabelledHouse(hass)


@pytest.fixture
async def entry(hass: HomeAssistant, device: CloudDevice, set_up: SetUp, house: LabelledHouse) -> MockConfigEntry:
    """Return a running entry without a thing model that follows the label; nothing has it yet."""
    device.thing_model = None
    entry = await set_up(options={"thing_model": None})
    follow(hass, entry, house.rule)
    await hass.async_block_till_done()
    return entry


def follow(hass: HomeAssistant, entry: MockConfigEntry, data: dict[str, Any]) -> str:
    """Add a rule and return its id."""
    rule = ConfigSubentry(data=MappingProxyType(data), subentry_type=SUBENTRY_RULE, title="Follow", unique_id=None)
    hass.config_entries.async_add_subentry(entry, rule)
    return rule.subentry_id


async def settled(hass: HomeAssistant) -> None:
    """Wait until whatever happened has been taken note of, to show that nothing came of it."""
    await asyncio.sleep(0.03)
    await hass.async_block_till_done()


async def test_a_label_binds_and_releases(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Added, the entity is bound and posted; taken away, it is released; nothing reconnects."""
    lamp = house.add("switch.lamp")
    await settled(hass)
    assert not followed(entry)

    house.put_label("switch.lamp")
    await device.wait_for(lambda one: one.properties.get("PowerSwitch"))
    assert followed(entry) == {"PowerSwitch": lamp}
    (binding,) = exposed_bindings(entry)
    assert (binding.rule, binding.access) == (rule_id(entry), Access.BOTH)

    house.take_label("switch.lamp")
    await until(lambda: not followed(entry))
    assert [one.subentry_type for one in entry.subentries.values()] == [SUBENTRY_RULE]
    await until(lambda: not entry.runtime_data.device.bound.by_identifier)
    assert device.connections == 1


@pytest.mark.parametrize("bearer", ["device", "area", "floor"])
async def test_whatever_an_entity_belongs_to_counts(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, bearer: str
) -> None:
    """A label on the device or the area, an area moved to a followed floor, a device moved into a followed area."""
    device_id = house.device("Lamp")
    lamp = house.add("switch.lamp", device_id=device_id)
    area = ar.async_get(hass).async_create("Hall")
    floor = fr.async_get(hass).async_create("Ground")
    devices, areas = dr.async_get(hass), ar.async_get(hass)
    if bearer == "device":
        devices.async_update_device(device_id, labels={house.label})
    elif bearer == "area":
        areas.async_update(area.id, labels={house.label})
        await settled(hass)
        assert not followed(entry)
        devices.async_update_device(device_id, area_id=area.id)
    else:
        follow(hass, entry, {"selection": {"include": {"floor_id": [floor.floor_id]}}})
        devices.async_update_device(device_id, area_id=area.id)
        await settled(hass)
        assert not followed(entry)
        areas.async_update(area.id, floor_id=floor.floor_id)
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})

    if bearer == "device":
        devices.async_update_device(device_id, labels=set())
    elif bearer == "area":
        areas.async_delete(area.id)
    else:
        fr.async_get(hass).async_delete(floor.floor_id)
    await until(lambda: not followed(entry))


async def test_an_entity_that_appears_later(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """The registry knows it first; it is bound when it has a state, which says what it can do."""
    lamp = house.register("switch.lamp", labelled=True)
    await settled(hass)
    assert not followed(entry)
    hass.states.async_set("switch.lamp", "off")
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})
    await device.wait_for(lambda one: "PowerSwitch" in one.properties)


async def test_what_is_not_there_for_a_while_still_matches(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Unavailable, unloaded or renamed: none of it is a reason to release."""
    lamp = house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    binding = exposed_bindings(entry)
    hass.states.async_set("switch.lamp", "unavailable")
    await settled(hass)
    hass.states.async_remove("switch.lamp")
    await settled(hass)
    house.registry.async_update_entity("switch.lamp", new_entity_id="switch.reading_lamp")
    hass.states.async_set("switch.reading_lamp", "on")
    await settled(hass)
    assert exposed_bindings(entry) == binding
    assert followed(entry) == {"PowerSwitch": lamp}
    assert entry.runtime_data.device.bound.by_identifier["PowerSwitch"].entity_id == "switch.reading_lamp"


@pytest.mark.parametrize("named", ["entity", "label", "device", "area", "integration"])
async def test_what_is_disabled_still_matches(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, named: str
) -> None:
    """By whatever the rule names it; a binding that went and came back could have another identifier."""
    device_id = house.device("Lamp")
    area_id = ar.async_get(hass).async_create("Hall").id
    dr.async_get(hass).async_update_device(device_id, area_id=area_id)
    lamp = house.add("switch.lamp", device_id=device_id, labelled=named == "label")
    ids = {"entity_id": lamp, "label_id": house.label, "device_id": device_id, "area_id": area_id, "integration": OWNER}
    include = {key: [one] for key, one in ids.items() if key.startswith(named)}
    follow(hass, entry, {"selection": {"include": include}})
    await until(lambda: followed(entry))
    house.registry.async_update_entity("switch.lamp", disabled_by=er.RegistryEntryDisabler.USER)
    hass.states.async_remove("switch.lamp")
    await settled(hass)
    assert followed(entry) == {"PowerSwitch": lamp}


async def test_removed_and_added_again(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """An entity that leaves the registry is released; when it returns with its label it is bound again."""
    lamp = house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    house.registry.async_remove("switch.lamp")
    hass.states.async_remove("switch.lamp")
    await until(lambda: not followed(entry))
    assert house.add("switch.lamp", labelled=True) == lamp
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})
    assert device.connections == 1


async def test_a_hidden_entity_is_not_followed(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Hiding an entity releases it, showing it again binds it again."""
    house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    house.registry.async_update_entity("switch.lamp", hidden_by=er.RegistryEntryHider.USER)
    await until(lambda: not followed(entry))
    house.registry.async_update_entity("switch.lamp", hidden_by=None)
    await until(lambda: followed(entry))


async def test_an_entity_without_registration_is_waited_for(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """It can only be named, and its name is all that is known before it is there."""
    follow(hass, entry, {"selection": {"include": {"entity_id": ["input_boolean.lamp"]}}})
    await settled(hass)
    hass.states.async_set("input_boolean.lamp", "on")
    await until(lambda: list(followed(entry).values()) == ["input_boolean.lamp"])
    hass.states.async_remove("input_boolean.lamp")
    await settled(hass)
    assert list(followed(entry).values()) == ["input_boolean.lamp"]


async def test_identifiers_stay(hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse) -> None:
    """What came first keeps its name when something of its kind joins it."""
    first = house.add("switch.first", labelled=True)
    await until(lambda: followed(entry))
    second = house.add("switch.second", labelled=True)
    await until(lambda: len(followed(entry)) == 2)
    assert followed(entry) == {"PowerSwitch": first, "PowerSwitch_second": second}


async def test_risky_entities_are_only_reported(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Nobody confirmed that the cloud may open the door."""
    house.add("lock.door", labelled=True, state="locked")
    await until(lambda: followed(entry))
    assert {binding.access for binding in exposed_bindings(entry)} == {Access.REPORT}


async def test_with_a_thing_model_only_its_properties_are_used(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    house: LabelledHouse,
    thing_model_document: dict[str, Any],
) -> None:
    """What it has no property for stays unbound, and is bound when the thing model has one."""
    entry = await set_up()
    follow(hass, entry, house.rule)
    lamp = house.add("light.lamp", labelled=True)
    pump = house.add("switch.pump", labelled=True)
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    assert followed(entry) == {"LightSwitch": lamp}

    switch = next(one for one in thing_model_document["properties"] if one["identifier"] == "LightSwitch")
    model = {**thing_model_document}
    model["properties"] = [*model["properties"], {**switch, "identifier": "PumpSwitch", "name": "水泵开关"}]
    hass.config_entries.async_update_entry(entry, options={**entry.options, "thing_model": model})
    await until(lambda: followed(entry) == {"LightSwitch": lamp, "PumpSwitch": pump})


async def test_removed_by_hand_never_comes_back(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """By the options, or by deleting the exposed device; another entity changes nothing about it."""
    first, second = house.add("switch.first", labelled=True), house.add("switch.second", labelled=True)
    await until(lambda: len(followed(entry)) == 2)
    gone, kept = (key for key, value in sorted(followed(entry).items(), key=lambda one: one[1] != first))
    walk = await Walk.options(hass, entry, "remove")
    await walk.submit(bindings=[gone])
    await until(lambda: rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(first, "power")})

    (exposure,) = (one for one in entry.subentries.values() if one.subentry_type == SUBENTRY_EXPOSURE)
    hass.config_entries.async_remove_subentry(entry, exposure.subentry_id)
    await until(
        lambda: (
            rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(first, "power"), EntityAspect(second, "power")}
        )
    )

    third = house.add("switch.third", labelled=True)
    await until(lambda: list(followed(entry).values()) == [third])
    assert kept not in followed(entry)


async def test_removed_while_the_entry_was_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """What somebody decided meanwhile holds."""
    lamp = house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    assert await hass.config_entries.async_unload(entry.entry_id)
    (exposure,) = (one for one in entry.subentries.values() if one.subentry_type == SUBENTRY_EXPOSURE)
    hass.config_entries.async_remove_subentry(entry, exposure.subentry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass)
    assert not followed(entry)
    assert rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(lamp, "power")}


async def test_edited_by_hand_it_is_the_users_own(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """The rule neither takes it away nor makes another one."""
    house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    walk = await Walk.options(hass, entry, "edit")
    await walk.submit(binding="PowerSwitch")
    await walk.submit(**walk.values | {"access": "report"})
    await until(lambda: not followed(entry))
    house.take_label("switch.lamp")
    await settled(hass)
    house.put_label("switch.lamp")
    await settled(hass)
    (binding,) = exposed_bindings(entry)
    assert (binding.identifier, binding.access, binding.rule) == ("PowerSwitch", Access.REPORT, "")


async def test_a_deleted_rule_releases_its_bindings(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Those that another rule means as well are passed on to it, with their identifiers."""
    house.add("switch.first", labelled=True)
    await until(lambda: followed(entry))
    second = house.add("switch.second", labelled=True)
    await until(lambda: len(followed(entry)) == 2)
    first_rule = rule_id(entry)
    other_rule = follow(hass, entry, {"selection": {"include": {"entity_id": [second]}}})
    await settled(hass)
    hass.config_entries.async_remove_subentry(entry, first_rule)
    await until(lambda: followed(entry) == {"PowerSwitch_second": second})
    assert [binding.rule for binding in exposed_bindings(entry)] == [other_rule]

    hass.config_entries.async_remove_subentry(entry, other_rule)
    await until(lambda: not exposed_bindings(entry))


async def test_rules_are_carried_out_once_home_assistant_has_started(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, house: LabelledHouse
) -> None:
    """While entities are still being set up, nothing is bound and nothing is released."""
    lamp = house.add("switch.lamp", labelled=True)
    device.thing_model = None
    hass.set_state(CoreState.starting)
    entry = await set_up(options={"thing_model": None})
    follow(hass, entry, house.rule)
    await settled(hass)
    assert not followed(entry)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})


async def test_without_rules_nothing_is_listened_to(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """With the last rule the listeners go; unloading in the middle of it leaves no timer."""

    def listeners() -> int:
        return hass.bus.async_listeners().get(fr.EVENT_FLOOR_REGISTRY_UPDATED, 0)

    followed_listeners = listeners()
    hass.config_entries.async_remove_subentry(entry, rule_id(entry))
    await hass.async_block_till_done()
    assert listeners() == followed_listeners - 1

    follow(hass, entry, house.rule)
    await hass.async_block_till_done()
    assert listeners() == followed_listeners
    house.add("switch.lamp", labelled=True)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await settled(hass)
    assert listeners() == followed_listeners - 1
    assert not followed(entry)
