"""The subentry flow of a rule: following a selection, changing it, and removing it."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, floor_registry as fr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import SUBENTRY_RULE
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.mapping.rule import EntityAspect
from custom_components.aliyun_iot.rules import rules_of
from simulator import CloudDevice

from .conftest import SetUp
from .house import entry_with, selected
from .labelled_house import LabelledHouse, followed, rule_id
from .waiting import until
from .walk import Walk


@pytest.fixture
def house(hass: HomeAssistant) -> LabelledHouse:
    """Return a house without entities."""
    return LabelledHouse(hass)


@pytest.fixture
async def entry(device: CloudDevice, set_up: SetUp) -> MockConfigEntry:
    """Return a running entry without a thing model."""
    device.thing_model = None
    return await set_up(options={"thing_model": None})


def label(house: LabelledHouse, **more: Any) -> dict[str, Any]:
    """Return the input that selects the label."""
    return selected(target={"label_id": [house.label]}, **more)


async def add_rule(hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse) -> str:
    """Follow the label with all suggestions, and return the id of the rule."""
    walk = await Walk.add_subentry(hass, entry, "rule")
    await walk.submit(**label(house))
    if walk.step == "suggestions":
        await walk.submit(**walk.values)
    await walk.submit()
    assert walk.saved
    await hass.async_block_till_done()
    return rule_id(entry)


async def test_selection_is_followed(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Unselected suggestions are left out, selected ones are bound as previewed, without a reconnect."""
    first, second = house.add("switch.first", labelled=True), house.add("switch.second", labelled=True)
    walk = await Walk.add_subentry(hass, entry, "rule")
    await walk.submit(**label(house))
    offered = walk.choices("bindings")
    kept = next(identifier for identifier, text in offered.items() if text.startswith("switch.first"))
    await walk.submit(bindings=[kept])
    assert offered[kept] in walk.description()
    await walk.submit()
    assert walk.saved
    await device.wait_for(lambda _: kept in device.properties)
    assert followed(entry) == {kept: first}
    rule = rules_of(entry)[rule_id(entry)]
    assert rule.left_out == {EntityAspect(second, "power")}
    assert entry.subentries[rule_id(entry)].title == "Follow: label Cloud"
    assert device.connections == 1


async def test_unticked_property_is_left_to_other_entities(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, house: LabelledHouse
) -> None:
    """The rule binds what the preview shows, when it is stored and when it is carried out again."""
    entry = await set_up()
    first, second = house.add("light.first", labelled=True), house.add("light.second", labelled=True)
    walk = await Walk.add_subentry(hass, entry, "rule")
    await walk.submit(**label(house))
    assert walk.choices("bindings")["LightSwitch"].startswith("light.first · ")
    await walk.submit(bindings=[])
    assert walk.errors == {"bindings": "others_fit"}
    await walk.submit(bindings=["LightSwitch"])
    await walk.submit()
    assert walk.saved
    await until(lambda: followed(entry) == {"LightSwitch": second})
    assert rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(first, "power")}

    house.add("light.third", labelled=True)
    await hass.async_block_till_done()
    assert followed(entry) == {"LightSwitch": second}


async def test_rule_may_match_nothing_at_first(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """The page with suggestions is skipped, but the selection must not be empty."""
    walk = await Walk.add_subentry(hass, entry, "rule")
    await walk.submit(**selected())
    assert walk.errors == {"target": "nothing_selected"}
    await walk.submit(**label(house))
    assert walk.step == "preview"
    assert "Nothing changes now." in walk.description()
    await walk.submit()
    assert walk.saved
    assert not followed(entry)


async def test_rule_is_added_in_the_options(hass: HomeAssistant, house: LabelledHouse) -> None:
    """The page for the selection has a switch to follow it; no connection is needed."""
    lamp = house.add("switch.lamp", labelled=True)
    entry = entry_with(hass, {})
    walk = await Walk.options(hass, entry, "select", "select_anyway")
    await walk.submit(**label(house, follow=True))
    await walk.submit(**walk.values)
    await walk.submit()
    assert walk.saved
    assert followed(entry) == {"PowerSwitch": lamp}
    assert [binding.rule for binding in exposed_bindings(entry)] == [rule_id(entry)]
    assert rules_of(entry)[rule_id(entry)].bound == {EntityAspect(lamp, "power")}


async def test_selection_of_a_rule_is_changed(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """The preview lists what is bound and released, and the other bindings keep their identifiers."""
    first, second = house.add("switch.first", labelled=True), house.add("switch.second", labelled=True)
    third = house.add("switch.third")
    followed_rule = await add_rule(hass, entry, house)
    before = followed(entry)
    walk = await Walk.reconfigure_subentry(hass, entry, followed_rule)
    assert walk.description() == "Follow: label Cloud. Bound by this rule: 2."
    await walk.choose("select")
    assert walk.values["target"] == {"label_id": [house.label]}
    await walk.submit(
        **selected(
            target={"label_id": [house.label], "entity_id": ["switch.third"]},
            leave_out={"target": {"entity_id": ["switch.first"]}},
        )
    )
    assert set(walk.values["bindings"]) == set(walk.choices("bindings"))
    await walk.submit(**walk.values)
    assert "To be bound: 1" in walk.description()
    assert "To be unbound: 1" in walk.description()
    assert followed(entry) == before
    await walk.submit()
    assert walk.aborted == "reconfigure_successful"
    await hass.async_block_till_done()
    assert set(followed(entry).values()) == {second, third}
    assert followed(entry).items() & before.items() == {next(item for item in before.items() if item[1] == second)}
    assert entry.subentries[followed_rule].title == "Follow: label Cloud, switch.third"
    assert first not in followed(entry).values()
    assert device.connections == 1


async def test_left_out_binding_can_be_selected_again(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """It is listed unselected; unselecting a binding releases it."""
    lamp = house.add("switch.lamp", labelled=True)
    followed_rule = await add_rule(hass, entry, house)
    await Walk.remove(hass, entry, "PowerSwitch")
    walk = await Walk.reconfigure_subentry(hass, entry, followed_rule, "select")
    await walk.submit(**label(house))
    assert walk.values == {"bindings": []}
    await walk.submit(bindings=["PowerSwitch"])
    await walk.submit()
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})
    assert not rules_of(entry)[followed_rule].left_out

    walk = await Walk.reconfigure_subentry(hass, entry, followed_rule, "select")
    await walk.submit(**label(house))
    assert walk.values == {"bindings": ["PowerSwitch"]}
    await walk.submit(bindings=[])
    await walk.submit()
    await hass.async_block_till_done()
    assert not exposed_bindings(entry)
    assert rules_of(entry)[followed_rule].left_out == {EntityAspect(lamp, "power")}


async def test_bindings_are_kept_when_a_rule_is_removed(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """They become the user's own bindings."""
    house.add("switch.lamp", labelled=True)
    followed_rule = await add_rule(hass, entry, house)
    walk = await Walk.reconfigure_subentry(hass, entry, followed_rule, "keep")
    assert "Bindings kept as your own: 1." in walk.description()
    await walk.submit()
    assert walk.aborted == "kept"
    await hass.async_block_till_done()
    assert not rules_of(entry)
    assert [(binding.identifier, binding.rule) for binding in exposed_bindings(entry)] == [("PowerSwitch", "")]


async def test_rule_added_while_the_entry_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """It is carried out when the entry is set up."""
    lamp = house.add("switch.lamp", labelled=True)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await add_rule(hass, entry, house)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert followed(entry) == {"PowerSwitch": lamp}


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Follow: floor Ground, Hall, label Cloud, and 3 more"),
        ("zh-Hans", "跟随：楼层“Ground”、Hall、标签“Cloud”、另外 3 项"),
    ],
)
async def test_title_of_a_rule_lists_its_selection(
    hass: HomeAssistant, house: LabelledHouse, language: str, title: str
) -> None:
    """It lists floors first and entities last, and is shortened."""
    hass.config.language = language
    entry = entry_with(hass, {})
    area, floor = ar.async_get(hass).async_create("Hall"), fr.async_get(hass).async_create("Ground")
    house.add("switch.lamp")
    walk = await Walk.add_subentry(hass, entry, "rule")
    await walk.submit(
        **selected(
            target={
                "area_id": [area.id],
                "floor_id": [floor.floor_id],
                "label_id": [house.label],
                "device_id": [house.device("Lamp")],
                "entity_id": ["switch.lamp"],
            },
            integrations=["hue"],
        )
    )
    await walk.submit(**walk.values)
    await walk.submit()
    assert [subentry.title for subentry in entry.subentries.values() if subentry.subentry_type == SUBENTRY_RULE] == [
        title
    ]
