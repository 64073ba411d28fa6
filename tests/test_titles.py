"""The titles of subentries follow the names of devices, entities, areas and labels."""

from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, floor_registry as fr, label_registry as lr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot import titles
from custom_components.aliyun_iot.const import CONF_THING_MODEL, SUBENTRY_EVENT, SUBENTRY_RULE
from custom_components.aliyun_iot.exposures import add_bindings
from custom_components.aliyun_iot.mapping.binding import Binding
from simulator import CloudDevice

from .conftest import SetUp
from .labelled_house import LabelledHouse
from .waiting import until
from .walk import Walk

NO_MODEL = {CONF_THING_MODEL: None}


@pytest.fixture(autouse=True)
def no_cooldown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store titles without waiting."""
    monkeypatch.setattr(titles, "COOLDOWN", 0.0)


@pytest.fixture
def house(hass: HomeAssistant) -> LabelledHouse:
    """Return a house without entities."""
    return LabelledHouse(hass)


def stored_titles(entry: MockConfigEntry) -> set[str]:
    """Return the titles of all subentries."""
    return {subentry.title for subentry in entry.subentries.values()}


def add_subentry(hass: HomeAssistant, entry: MockConfigEntry, kind: str, data: dict[str, Any], title: str) -> None:
    """Add a subentry as it is stored."""
    hass.config_entries.async_add_subentry(
        entry, ConfigSubentry(data=MappingProxyType(data), subentry_type=kind, title=title, unique_id=None)
    )


async def test_exposures_follow_their_devices_and_entities(
    hass: HomeAssistant, device: CloudDevice, house: LabelledHouse, set_up: SetUp
) -> None:
    """By the integration or by the user; a removed device keeps the last title, and nothing is posted or reconnected."""
    entry = await set_up(options=NO_MODEL)
    device_id = house.device("Lamp")
    lamp, sun = house.add("switch.lamp", device_id=device_id), house.add("sensor.sun", state="1")
    add_bindings(
        hass, entry, [Binding("A", lamp, "power"), Binding("B", sun, "value"), Binding("C", "", "template", source="1")]
    )
    assert stored_titles(entry) == {"Lamp · A", "sensor.sun · B", "Templates and actions · 模板与动作 · C"}
    registry = dr.async_get(hass)
    registry.async_update_device(device_id, name="Floor lamp")
    await until(lambda: "Floor lamp · A" in stored_titles(entry))
    registry.async_update_device(device_id, name_by_user="Reading lamp")
    house.registry.async_update_entity("sensor.sun", name="Brightness")
    hass.states.async_set("sensor.sun", "1", {"friendly_name": "Brightness"})
    await until(
        lambda: (
            stored_titles(entry)
            == {
                "Reading lamp · A",
                "Brightness · B",
                "Templates and actions · 模板与动作 · C",
            }
        )
    )
    house.registry.async_update_entity("switch.lamp", new_entity_id="switch.reading_lamp")
    registry.async_remove_device(device_id)
    registry.async_update_device(house.device("Other"), name_by_user="Another")
    await hass.async_block_till_done()
    assert "Reading lamp · A" in stored_titles(entry)
    assert device.connections == 1


async def test_new_title_is_nothing_to_apply(
    hass: HomeAssistant, house: LabelledHouse, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bindings are the same, so they are not bound again."""
    entry = await set_up(options=NO_MODEL)
    device_id = house.device("Lamp")
    add_bindings(hass, entry, [Binding("A", house.add("switch.lamp", device_id=device_id), "power")])
    await hass.async_block_till_done()
    applied: list[None] = []
    follow = entry.runtime_data.device.follow
    monkeypatch.setattr(entry.runtime_data.device, "follow", lambda: applied.append(None) or follow())
    dr.async_get(hass).async_update_device(device_id, name_by_user="Reading lamp")
    await until(lambda: stored_titles(entry) == {"Reading lamp · A"})
    await hass.async_block_till_done()
    assert not applied
    hass.config_entries.async_update_entry(entry, options={**entry.options, "window": 0.02})
    await hass.async_block_till_done()
    assert len(applied) == 1


async def test_device_that_was_renamed_while_the_entry_was_not_loaded(
    hass: HomeAssistant, house: LabelledHouse, set_up: SetUp
) -> None:
    """The title is stored at the next start."""
    entry = await set_up(options=NO_MODEL)
    device_id = house.device("Lamp")
    add_bindings(hass, entry, [Binding("A", house.add("switch.lamp", device_id=device_id), "power")])
    assert await hass.config_entries.async_unload(entry.entry_id)
    dr.async_get(hass).async_update_device(device_id, name_by_user="Reading lamp")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: stored_titles(entry) == {"Reading lamp · A"})


async def test_events_follow_their_entities(hass: HomeAssistant, house: LabelledHouse, set_up: SetUp) -> None:
    """The identifier stays; an event with triggers has no other title."""
    entry = await set_up(options=NO_MODEL)
    bell = house.add("event.bell", state="unknown")
    add_subentry(hass, entry, SUBENTRY_EVENT, {"identifier": "Ring", "entity": bell}, "Ring · Bell")
    trigger = {"trigger": "event", "event_type": "smoke"}
    add_subentry(hass, entry, SUBENTRY_EVENT, {"identifier": "Smoke", "triggers": [trigger]}, "Smoke")
    house.registry.async_update_entity("event.bell", name="Gong")
    hass.states.async_set("event.bell", "unknown", {"friendly_name": "Gong"})
    await until(lambda: stored_titles(entry) == {"Ring · Gong", "Smoke"})


async def test_rules_follow_what_they_select(hass: HomeAssistant, house: LabelledHouse, set_up: SetUp) -> None:
    """Areas, floors, labels and devices; the title of an imported rule is its own."""
    entry = await set_up(options=NO_MODEL)
    area, floor = ar.async_get(hass).async_create("Hall"), fr.async_get(hass).async_create("Ground")
    device_id = house.device("Lamp")
    include = {"area_id": [area.id], "floor_id": [floor.floor_id], "label_id": [house.label]}
    for number, selection in enumerate((include, {"device_id": [device_id]})):
        walk = await Walk.add_subentry(hass, entry, "rule")
        await walk.submit(target=selection, integrations=[], leave_out={"integrations": [], "domains": []}, also={})
        await walk.submit()
        assert len(entry.subentries) == number + 1
    add_subentry(
        hass, entry, SUBENTRY_RULE, {"selection": {"include": {"area_id": [area.id]}}}, "Everything in the hall"
    )
    assert stored_titles(entry) == {"Follow: floor Ground, Hall, label Cloud", "Follow: Lamp", "Everything in the hall"}
    await until(lambda: len(entry.runtime_data._titles._made) == 3)

    ar.async_get(hass).async_update(area.id, name="Foyer")
    fr.async_get(hass).async_update(floor.floor_id, name="First")
    await until(lambda: "Follow: floor First, Foyer, label Cloud" in stored_titles(entry))
    lr.async_get(hass).async_update(house.label, name="Remote")
    dr.async_get(hass).async_update_device(device_id, name_by_user="Desk lamp")
    await until(
        lambda: (
            stored_titles(entry)
            == {"Follow: floor First, Foyer, label Remote", "Follow: Desk lamp", "Everything in the hall"}
        )
    )


async def test_other_changes_are_not_looked_at(hass: HomeAssistant, house: LabelledHouse, set_up: SetUp) -> None:
    """Icons, areas, versions and the like leave all titles as they are, so nothing is done for them."""
    entry = await set_up(options=NO_MODEL)
    device_id = house.device("Lamp")
    house.add("switch.lamp", device_id=device_id)
    await hass.async_block_till_done()
    debouncer = entry.runtime_data._titles._debouncer
    assert not debouncer._timer_task
    dr.async_get(hass).async_update_device(
        device_id, sw_version="2", area_id=ar.async_get(hass).async_create("Hall").id
    )
    house.registry.async_update_entity("switch.lamp", icon="mdi:lamp", labels={house.label})
    await hass.async_block_till_done()
    assert not debouncer._timer_task
