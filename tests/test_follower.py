"""Rules in operation: entities that start to match are bound and posted, others are released, without reconnecting."""

import asyncio
from collections.abc import Callable, Generator
import sys
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
    label_registry as lr,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot import follower
from custom_components.aliyun_iot.const import SUBENTRY_EXPOSURE, SUBENTRY_RULE
from custom_components.aliyun_iot.exposures import change_bindings, exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Access
from custom_components.aliyun_iot.mapping.rule import EntityAspect
from custom_components.aliyun_iot.mapping.slices import SLICE
from custom_components.aliyun_iot.mapping.suggest import suggestions
from custom_components.aliyun_iot.rules import Changes, rules_of
from custom_components.aliyun_iot.stored_device import options_with_model
from simulator import CloudDevice

from .conftest import SetUp
from .labelled_house import OWNER, LabelledHouse, followed, rule_id
from .waiting import until
from .walk import Walk


@pytest.fixture(autouse=True)
def no_cooldown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply rules without waiting."""
    monkeypatch.setattr(follower, "COOLDOWN", 0.01)


@pytest.fixture
def house(hass: HomeAssistant) -> LabelledHouse:
    """Return a house without entities."""
    return LabelledHouse(hass)


@pytest.fixture
async def entry(hass: HomeAssistant, device: CloudDevice, set_up: SetUp, house: LabelledHouse) -> MockConfigEntry:
    """Return a running entry without a thing model and with a rule for the label, which no entity has yet."""
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
    """Wait until all events are processed, to check that nothing changes."""
    await asyncio.sleep(0.03)
    await hass.async_block_till_done()


async def test_label_binds_and_releases(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Adding it binds and posts the entity, removing it releases the entity, without reconnecting."""
    lamp = house.add("switch.lamp")
    await settled(hass)
    assert not followed(entry)

    house.put_label("switch.lamp")
    await device.wait_for(lambda _: device.properties.get("PowerSwitch"))
    assert followed(entry) == {"PowerSwitch": lamp}
    (binding,) = exposed_bindings(entry)
    assert (binding.rule, binding.access) == (rule_id(entry), Access.BOTH)

    house.take_label("switch.lamp")
    await until(lambda: not followed(entry))
    assert [subentry.subentry_type for subentry in entry.subentries.values()] == [SUBENTRY_RULE]
    await until(lambda: not entry.runtime_data.device.bound.by_identifier)
    assert device.connections == 1


@pytest.mark.parametrize("bearer", ["device", "area", "floor"])
async def test_entity_matches_by_what_it_belongs_to(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, bearer: str
) -> None:
    """A label on the device or the area, an area moved to a followed floor, a device moved to a followed area."""
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


async def test_entity_without_a_state_is_bound_later(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """It is registered first, and bound when it has a state with its capabilities."""
    lamp = house.register("switch.lamp", labelled=True)
    await settled(hass)
    assert not followed(entry)
    hass.states.async_set("switch.lamp", "off")
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})
    await device.wait_for(lambda _: "PowerSwitch" in device.properties)


@pytest.mark.parametrize(("state", "aspect", "posted"), [("cleaning", "text", "cleaning"), ("12.5", "value", 12.5)])
async def test_sensor_is_bound_when_it_is_known_what_it_shows(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse,
    state: str, aspect: str, posted: object,
) -> None:  # fmt: skip
    """A sensor without a unit may show text or a number; it gets one binding, under the good name."""
    sensor = house.add("sensor.washer", state="unknown", labelled=True)
    await settled(hass)
    assert not followed(entry)
    hass.states.async_set("sensor.washer", "unavailable")
    await settled(hass)
    assert not followed(entry)

    hass.states.async_set("sensor.washer", state)
    await until(lambda: followed(entry) == {"washer": sensor})
    assert [binding.aspect for binding in exposed_bindings(entry)] == [aspect]
    await device.wait_for(lambda _: device.properties.get("washer"))
    assert device.properties["washer"][0] == posted


async def test_unavailable_entity_is_bound_completely_later(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """What it measures is seen when it is available; what is known before is bound at once."""
    modes = {"hvac_modes": ["off", "heat"], "supported_features": 1, "min_temp": 5, "max_temp": 30}
    house.register("climate.hall", labelled=True)
    hass.states.async_set("climate.hall", "unavailable", modes)
    await until(lambda: {"HVACMode", "TargetTemperature"} <= followed(entry).keys())
    assert not {"CurrentTemperature", "CurrentHumidity"} & followed(entry).keys()

    hass.states.async_set("climate.hall", "heat", {**modes, "current_temperature": 20.5})
    await until(lambda: "CurrentTemperature" in followed(entry))
    assert "CurrentHumidity" not in followed(entry)


async def test_missing_entity_still_matches(hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse) -> None:
    """An unavailable, unloaded or renamed entity is not released."""
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
async def test_disabled_entity_still_matches(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, named: str
) -> None:
    """However the rule selects it; a new binding could get another identifier."""
    device_id = house.device("Lamp")
    area_id = ar.async_get(hass).async_create("Hall").id
    dr.async_get(hass).async_update_device(device_id, area_id=area_id)
    lamp = house.add("switch.lamp", device_id=device_id, labelled=named == "label")
    ids = {"entity_id": lamp, "label_id": house.label, "device_id": device_id, "area_id": area_id, "integration": OWNER}
    include = {key: [id_] for key, id_ in ids.items() if key.startswith(named)}
    follow(hass, entry, {"selection": {"include": include}})
    await until(lambda: followed(entry))
    house.registry.async_update_entity("switch.lamp", disabled_by=er.RegistryEntryDisabler.USER)
    hass.states.async_remove("switch.lamp")
    await settled(hass)
    assert followed(entry) == {"PowerSwitch": lamp}


async def test_entity_removed_and_added_again(
    hass: HomeAssistant, device: CloudDevice, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """An entity that is removed from the registry is released, and bound again when it is back with its label."""
    lamp = house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    house.registry.async_remove("switch.lamp")
    hass.states.async_remove("switch.lamp")
    await until(lambda: not followed(entry))
    assert house.add("switch.lamp", labelled=True) == lamp
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})
    assert device.connections == 1


async def test_hidden_entity_is_not_followed(hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse) -> None:
    """Hiding an entity releases it, showing it binds it again."""
    house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    house.registry.async_update_entity("switch.lamp", hidden_by=er.RegistryEntryHider.USER)
    await until(lambda: not followed(entry))
    house.registry.async_update_entity("switch.lamp", hidden_by=None)
    await until(lambda: followed(entry))


async def test_unregistered_entity_is_bound_when_it_exists(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """It can only be selected by its entity id."""
    follow(hass, entry, {"selection": {"include": {"entity_id": ["input_boolean.lamp"]}}})
    await settled(hass)
    hass.states.async_set("input_boolean.lamp", "on")
    await until(lambda: list(followed(entry).values()) == ["input_boolean.lamp"])
    hass.states.async_remove("input_boolean.lamp")
    await settled(hass)
    assert list(followed(entry).values()) == ["input_boolean.lamp"]


async def test_identifiers_do_not_change(hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse) -> None:
    """A binding keeps its identifier when an entity of the same type is added."""
    first = house.add("switch.first", labelled=True)
    await until(lambda: followed(entry))
    second = house.add("switch.second", labelled=True)
    await until(lambda: len(followed(entry)) == 2)
    assert followed(entry) == {"PowerSwitch": first, "PowerSwitch_second": second}


async def test_risky_entities_are_only_reported(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """The user has not confirmed that the cloud may open the door."""
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
    """An aspect without a property is bound once the thing model has one."""
    entry = await set_up()
    follow(hass, entry, house.rule)
    lamp = house.add("light.lamp", labelled=True)
    pump = house.add("switch.pump", labelled=True)
    await device.wait_for(lambda _: "LightSwitch" in device.properties)
    assert followed(entry) == {"LightSwitch": lamp}

    switch = next(prop for prop in thing_model_document["properties"] if prop["identifier"] == "LightSwitch")
    model = {**thing_model_document}
    model["properties"] = [*model["properties"], {**switch, "identifier": "PumpSwitch", "name": "水泵开关"}]
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, model))
    await until(lambda: followed(entry) == {"LightSwitch": lamp, "PumpSwitch": pump})


async def test_binding_removed_by_the_user_is_not_made_again(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Removed in the options, or by deleting the exposure; also after another entity is added."""
    first, second = house.add("switch.first", labelled=True), house.add("switch.second", labelled=True)
    await until(lambda: len(followed(entry)) == 2)
    gone, kept = (key for key, value in sorted(followed(entry).items(), key=lambda item: item[1] != first))
    await Walk.remove(hass, entry, gone)
    await until(lambda: rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(first, "power")})

    (exposure,) = (subentry for subentry in entry.subentries.values() if subentry.subentry_type == SUBENTRY_EXPOSURE)
    hass.config_entries.async_remove_subentry(entry, exposure.subentry_id)
    await until(
        lambda: (
            rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(first, "power"), EntityAspect(second, "power")}
        )
    )

    third = house.add("switch.third", labelled=True)
    await until(lambda: list(followed(entry).values()) == [third])
    assert kept not in followed(entry)


async def test_binding_removed_while_the_entry_was_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """It is not made again."""
    lamp = house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    assert await hass.config_entries.async_unload(entry.entry_id)
    (exposure,) = (subentry for subentry in entry.subentries.values() if subentry.subentry_type == SUBENTRY_EXPOSURE)
    hass.config_entries.async_remove_subentry(entry, exposure.subentry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass)
    assert not followed(entry)
    assert rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(lamp, "power")}


async def test_binding_edited_by_the_user_no_longer_belongs_to_the_rule(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """The rule neither removes it nor makes another one."""
    house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    walk = await Walk.edit(hass, entry, "PowerSwitch")
    await walk.submit(**walk.values | {"access": "report"})
    await until(lambda: not followed(entry))
    house.take_label("switch.lamp")
    await settled(hass)
    house.put_label("switch.lamp")
    await settled(hass)
    (binding,) = exposed_bindings(entry)
    assert (binding.identifier, binding.access, binding.rule) == ("PowerSwitch", Access.REPORT, "")


async def test_deleted_rule_releases_its_bindings(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse
) -> None:
    """Those that another rule matches too are passed on to it, with their identifiers."""
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


async def test_rules_are_applied_once_home_assistant_has_started(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, house: LabelledHouse
) -> None:
    """While entities are being set up, nothing is bound or released."""
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


async def test_no_listeners_without_rules(hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse) -> None:
    """The last rule removes them; unloading during the cooldown leaves no timer."""

    def listeners() -> int:
        return hass.bus.async_listeners().get(ar.EVENT_AREA_REGISTRY_UPDATED, 0)

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
    assert listeners() == followed_listeners - 2  # the titles of subentries do not follow any more either
    assert not followed(entry)


class Counted:
    """How often the rules were carried out, and how many slices of work they had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count from now on."""
        self.runs = self.slices = 0
        changes_in_slices = follower.changes_in_slices

        def counted(*arguments: Any) -> Generator[None, None, Changes]:
            self.runs += 1
            slices = changes_in_slices(*arguments)
            while True:
                try:
                    next(slices)
                except StopIteration as end:
                    return end.value
                self.slices += 1
                yield

        monkeypatch.setattr(follower, "changes_in_slices", counted)


async def test_changes_that_cannot_matter_are_not_looked_at(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events of all registries, and states of entities that are known not to match, cause no work."""
    device_id = house.device("Lamp")
    area = ar.async_get(hass).async_create("Hall")
    lamp = house.add("switch.lamp", labelled=True, device_id=device_id)
    house.register("switch.stranger")
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})
    await settled(hass)
    counted = Counted(monkeypatch)
    devices, areas = dr.async_get(hass), ar.async_get(hass)
    house.registry.async_update_entity("switch.lamp", icon="mdi:lamp")
    house.registry.async_update_entity("switch.lamp", aliases={"light"})
    house.registry.async_update_entity_options("switch.lamp", "conversation", {"should_expose": True})
    devices.async_update_device(device_id, sw_version="2", serial_number="1")
    house.device("Another")
    areas.async_update(area.id, name="Foyer", icon="mdi:door")
    areas.async_create("Cellar")
    areas.async_delete(areas.async_get_area_by_name("Cellar").id)
    fr.async_get(hass).async_create("Ground")
    lr.async_get(hass).async_update(house.label, name="Remote")
    hass.states.async_set("switch.stranger", "on")
    hass.states.async_set("switch.lamp", "off", {"brightness": 1})
    hass.states.async_set("camera.door", "idle")
    await settled(hass)
    assert counted.runs == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda house, device_id, area_id: house.put_label("switch.other"),
        lambda house, device_id, area_id: house.registry.async_update_entity("switch.other", area_id=area_id),
        lambda house, device_id, area_id: house.registry.async_update_entity(
            "switch.other", hidden_by=er.RegistryEntryHider.USER
        ),
        lambda house, device_id, area_id: house.registry.async_update_entity("switch.other", name="Pump"),
        lambda house, device_id, area_id: house.registry.async_update_entity("switch.other", device_id=device_id),
        lambda house, device_id, area_id: house.registry.async_remove("switch.other"),
        lambda house, device_id, area_id: house.registry.async_update_entity(
            "switch.other", new_entity_id="switch.two"
        ),
        lambda house, device_id, area_id: house.add("switch.new"),
        lambda house, device_id, area_id: house.hass.states.async_set("switch.unregistered", "on"),
        lambda house, device_id, area_id: dr.async_get(house.hass).async_update_device(device_id, area_id=area_id),
        lambda house, device_id, area_id: dr.async_get(house.hass).async_update_device(device_id, labels={"x"}),
        lambda house, device_id, area_id: ar.async_get(house.hass).async_update(area_id, labels={"x"}),
        lambda house, device_id, area_id: ar.async_get(house.hass).async_update(
            area_id, floor_id=fr.async_get(house.hass).async_create("Ground").floor_id
        ),
    ],
)
async def test_each_change_that_may_matter_is_looked_at_once(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    house: LabelledHouse,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[LabelledHouse, str, str], object],
) -> None:
    """Also when it changes nothing in the end."""
    device_id = house.device("Lamp")
    area = ar.async_get(hass).async_create("Hall")
    house.add("switch.other")
    await settled(hass)
    counted = Counted(monkeypatch)
    change(house, device_id, area.id)
    await settled(hass)
    assert counted.runs == 1


async def test_many_related_changes_are_one(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new device comes with its entities and their states; what the rules store themselves is no reason to look again."""
    counted = Counted(monkeypatch)
    device_id = house.device("Lamp")
    for number in range(10):
        house.add(f"switch.lamp_{number}", labelled=True, device_id=device_id)
    await until(lambda: len(followed(entry)) == 10)
    await settled(hass)
    assert counted.runs == 1


@pytest.mark.parametrize("with_model", [False, True])
async def test_large_house_is_looked_at_in_slices(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    house: LabelledHouse,
    thing_model_document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    with_model: bool,
) -> None:
    """Between two slices no more than a few entities are matched, and the event loop does everything else."""
    device.thing_model = None
    entry = await set_up(options={} if with_model else {"thing_model": None})
    for number in range(300):
        house.add(f"switch.lamp_{number}", labelled=True)
    counted = Counted(monkeypatch)
    at_a_time: list[int] = []
    slices_before = -1
    candidates = suggestions.candidates_for if with_model else suggestions.generate_identifier

    def matched(*arguments: Any) -> Any:
        nonlocal slices_before
        if counted.slices != slices_before:
            slices_before = counted.slices
            at_a_time.append(0)
        at_a_time[-1] += 1
        return candidates(*arguments)

    monkeypatch.setattr(suggestions, "candidates_for" if with_model else "generate_identifier", matched)
    elsewhere = 0
    done = False

    async def live() -> None:
        nonlocal elsewhere
        while not done:
            elsewhere += 1
            await asyncio.sleep(0)

    other = hass.async_create_background_task(live(), "something else")
    follow(hass, entry, house.rule)
    await until(lambda: followed(entry))
    done = True
    await other
    assert max(at_a_time) <= SLICE
    assert sum(at_a_time) >= 300
    assert counted.runs == 1
    assert elsewhere >= counted.slices >= 300 / SLICE


async def test_change_during_the_work_is_not_lost(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user removes a binding and takes the label from another entity meanwhile: the result of the old state is dropped."""
    first, second = house.add("switch.first", labelled=True), house.add("switch.second", labelled=True)
    await until(lambda: len(followed(entry)) == 2)
    await settled(hass)
    third = house.register("switch.third", labelled=True)
    await settled(hass)
    changes_in_slices, runs = follower.changes_in_slices, 0

    def interrupted(*arguments: Any) -> Generator[None, None, Changes]:
        nonlocal runs
        runs += 1
        slices = changes_in_slices(*arguments)
        next(slices)
        if runs == 1:
            [gone] = [key for key, entity in followed(entry).items() if entity == first]
            change_bindings(hass, entry, removed=[gone])
        elif runs == 2:
            house.take_label("switch.second")
        yield
        return (yield from slices)

    monkeypatch.setattr(follower, "changes_in_slices", interrupted)
    hass.states.async_set("switch.third", "on")
    await until(lambda: list(followed(entry).values()) == [third])
    await settled(hass)
    assert rules_of(entry)[rule_id(entry)].left_out == {EntityAspect(first, "power")}
    assert second not in followed(entry).values()
    assert runs == 3


async def test_house_that_never_rests_is_followed(
    hass: HomeAssistant, entry: MockConfigEntry, house: LabelledHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some interruptions the rules are carried out without a pause."""
    changes_in_slices, interruptions = follower.changes_in_slices, 0
    lamp = house.register("switch.lamp", labelled=True)
    await settled(hass)

    def interrupted(*arguments: Any) -> Generator[None, None, Changes]:
        nonlocal interruptions
        slices = changes_in_slices(*arguments)
        while True:
            try:
                next(slices)
            except StopIteration as end:
                return end.value
            yield
            if (task := asyncio.current_task()) and interruptions < 100:
                interruptions += 1
                hass.loop.call_soon(house.register, f"switch.new_{interruptions}_{id(task)}")

    monkeypatch.setattr(follower, "changes_in_slices", interrupted)
    hass.states.async_set("switch.lamp", "on")
    await until(lambda: followed(entry) == {"PowerSwitch": lamp})


async def test_rules_that_cannot_be_carried_out_change_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    house: LabelledHouse,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Home Assistant cannot tell what a label selects any more: bindings stay, and the log says why."""
    house.add("switch.lamp", labelled=True)
    await until(lambda: followed(entry))
    before = followed(entry)
    monkeypatch.setitem(sys.modules, "homeassistant.helpers.target", None)
    house.add("switch.pump", labelled=True)
    await settled(hass)
    assert followed(entry) == before
    assert "cannot be carried out: Home Assistant has changed helpers.target" in caplog.text
    monkeypatch.undo()
    house.add("switch.third", labelled=True)
    await until(lambda: len(followed(entry)) == 3)
