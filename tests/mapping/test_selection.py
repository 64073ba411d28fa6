"""Selections: the entities of an area, a label or a device, and those left out."""

from collections.abc import Iterator
from typing import Any

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.helpers.entity import entity_sources
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.mapping.rule import EntityAspect, Rule
from custom_components.aliyun_iot.mapping.selection import Selection, Target, matching, select, survey


class Flat:
    """Two areas on one floor, a lamp and a thermometer in one of them, and entities in none."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Create areas, devices and entities."""
        self.hass = hass
        self.owner = MockConfigEntry(domain="hue")
        self.owner.add_to_hass(hass)
        self.floor = fr.async_get(hass).async_create("Ground").floor_id
        self.living = ar.async_get(hass).async_create("Living room", floor_id=self.floor).id
        self.cellar = ar.async_get(hass).async_create("Cellar").id
        self.label = lr.async_get(hass).async_create("Cloud").label_id
        self.lamp = self._device("lamp", self.living)
        self.meter = self._device("meter", self.cellar)
        self.entity("light.lamp", self.lamp)
        self.entity("sensor.lamp_signal", self.lamp, entity_category=EntityCategory.DIAGNOSTIC)
        self.entity("switch.lamp_secret", self.lamp, hidden_by=er.RegistryEntryHider.USER)
        self.entity("sensor.meter", self.meter)
        hass.states.async_set("input_boolean.alone", "on")

    def _device(self, name: str, area: str) -> str:
        registry = dr.async_get(self.hass)
        device = registry.async_get_or_create(
            config_entry_id=self.owner.entry_id, identifiers={("hue", name)}, name=name
        )
        registry.async_update_device(device.id, area_id=area)
        return device.id

    def entity(self, entity_id: str, device: str | None = None, *, state: str = "1", **details: Any) -> str:
        """Add an entity with a state and return its registry id."""
        domain, _, name = entity_id.partition(".")
        registered = er.async_get(self.hass).async_get_or_create(
            domain,
            "hue",
            name,
            config_entry=self.owner,
            device_id=device,
            original_name=f"{name} of the flat",
            suggested_object_id=name,
            **details,
        )
        self.hass.states.async_set(entity_id, state)
        return registered.id

    def selected(self, include: dict[str, Any], **more: Any) -> list[str]:
        """Return the entities that a selection selects."""
        return select(self.hass, Selection.from_dict({"include": include, **more}))


@pytest.fixture
def flat(hass: HomeAssistant) -> Iterator[Flat]:
    """Return a flat."""
    return Flat(hass)


def test_empty_selection_selects_nothing(flat: Flat) -> None:
    """Whatever the flags and the exclusions are."""
    assert flat.selected({}) == []
    assert flat.selected({}, hidden_too=True, diagnostic_too=True, exclude={"domain": ["light"]}) == []
    assert flat.selected({"area_id": [], "label_id": []}) == []
    assert flat.selected({"label_id": ["gone"], "area_id": ["gone"], "device_id": ["gone"], "floor_id": ["gone"]}) == []


def test_floors_areas_and_devices_cover_their_entities(flat: Flat) -> None:
    """A floor covers its areas, an area its devices, a device its entities; an entity may have an area of its own."""
    assert flat.selected({"floor_id": flat.floor}) == ["light.lamp"]
    assert flat.selected({"area_id": [flat.living]}) == ["light.lamp"]
    assert flat.selected({"device_id": [flat.lamp, flat.meter]}) == ["light.lamp", "sensor.meter"]

    er.async_get(flat.hass).async_update_entity("light.lamp", area_id=flat.cellar)
    assert flat.selected({"area_id": flat.living}) == []
    assert flat.selected({"area_id": flat.cellar}) == ["light.lamp", "sensor.meter"]


@pytest.mark.parametrize("bearer", ["entity", "device", "area"])
def test_label_covers_what_has_it(flat: Flat, bearer: str) -> None:
    """The label may be on the entity, its device or its area."""
    if bearer == "entity":
        er.async_get(flat.hass).async_update_entity("light.lamp", labels={flat.label})
    elif bearer == "device":
        dr.async_get(flat.hass).async_update_device(flat.lamp, labels={flat.label})
    else:
        ar.async_get(flat.hass).async_update(flat.living, labels={flat.label})
    assert flat.selected({"label_id": flat.label}) == ["light.lamp"]
    everything = ["light.lamp", "sensor.lamp_signal", "switch.lamp_secret"]
    both = {"hidden_too": True, "diagnostic_too": True}
    assert flat.selected({"label_id": flat.label}, **both) == (["light.lamp"] if bearer == "entity" else everything)


def test_hidden_and_diagnostic_entities_need_a_flag_or_their_id(flat: Flat) -> None:
    """The survey lists those that are left out."""
    include = {"device_id": flat.lamp}
    assert flat.selected(include, hidden_too=True) == ["light.lamp", "switch.lamp_secret"]
    assert flat.selected(include, diagnostic_too=True) == ["light.lamp", "sensor.lamp_signal"]
    named = {"entity_id": ["sensor.lamp_signal", "switch.lamp_secret"]}
    assert flat.selected(named) == ["sensor.lamp_signal", "switch.lamp_secret"]

    found = survey(flat.hass, Selection.from_dict({"include": include}))
    assert (found.selected, found.hidden, found.diagnostic) == (
        ("light.lamp",),
        ("switch.lamp_secret",),
        ("sensor.lamp_signal",),
    )


def test_own_entities_of_the_integration_need_their_id(flat: Flat) -> None:
    """An area or a floor does not include them."""
    er.async_get(flat.hass).async_get_or_create(
        "event", DOMAIN, "own", device_id=flat.lamp, suggested_object_id="property_set"
    )
    flat.hass.states.async_set("event.property_set", "2026-01-01T00:00:00+00:00", {"event_type": "set"})
    assert flat.selected({"floor_id": flat.floor}) == ["light.lamp"]
    assert flat.selected({"integration": DOMAIN}) == []
    assert flat.selected({"entity_id": "event.property_set"}) == ["event.property_set"]


def test_label_on_the_entity_itself_selects_a_diagnostic_entity(flat: Flat) -> None:
    """As in actions; a hidden entity is still left out."""
    for entity_id in ("sensor.lamp_signal", "switch.lamp_secret"):
        er.async_get(flat.hass).async_update_entity(entity_id, labels={flat.label})
    assert flat.selected({"label_id": flat.label}) == ["sensor.lamp_signal"]
    assert flat.selected({"label_id": flat.label}, hidden_too=True) == ["sensor.lamp_signal", "switch.lamp_secret"]


def test_hidden_entities_follow_the_rules_of_visible_ones(flat: Flat) -> None:
    """One with an area of its own is not in the area of its device, but belongs to the device."""
    er.async_get(flat.hass).async_update_entity("switch.lamp_secret", area_id=flat.cellar)
    hidden = {"hidden_too": True}
    assert flat.selected({"area_id": flat.living}, **hidden) == ["light.lamp"]
    assert flat.selected({"area_id": flat.cellar}, **hidden) == ["sensor.meter", "switch.lamp_secret"]
    assert flat.selected({"device_id": flat.lamp}, **hidden) == ["light.lamp", "switch.lamp_secret"]
    dr.async_get(flat.hass).async_update_device(flat.lamp, labels={flat.label})
    assert flat.selected({"label_id": flat.label}, **hidden) == ["light.lamp", "switch.lamp_secret"]


def test_integrations_cover_their_entities(flat: Flat) -> None:
    """Also unregistered ones that exist now."""
    flat.hass.states.async_set("switch.yaml", "on")
    entity_sources(flat.hass)["switch.yaml"] = {"domain": "template"}
    assert flat.selected({"integration": "hue"}) == ["light.lamp", "sensor.meter"]
    assert flat.selected({"integration": ["hue", "template"]}) == ["light.lamp", "sensor.meter", "switch.yaml"]


@pytest.mark.parametrize(
    "exclude",
    [
        {"entity_id": ["light.lamp"]},
        {"domain": "light"},
        {"area": "living"},
        {"device": "lamp"},
        {"floor": "floor"},
        {"label": "label"},
    ],
)
def test_exclusion_wins_over_inclusion(flat: Flat, exclude: dict[str, Any]) -> None:
    """Even of an entity that is included by its id."""
    dr.async_get(flat.hass).async_update_device(flat.lamp, labels={flat.label})
    named = {key if key in ("entity_id", "domain") else f"{key}_id": value for key, value in exclude.items()}
    named = {
        key: getattr(flat, value) if isinstance(value, str) and key != "domain" else value
        for key, value in named.items()
    }
    include = {"entity_id": ["light.lamp", "sensor.meter"], "integration": "hue"}
    selection = Selection.from_dict({"include": include, "exclude": named})
    assert select(flat.hass, selection) == ["sensor.meter"]
    assert "light.lamp" in survey(flat.hass, selection).excluded


def test_exclusion_covers_hidden_entities(flat: Flat) -> None:
    """An excluded device is excluded with all its entities."""
    assert flat.selected({"entity_id": ["switch.lamp_secret"]}, exclude={"device_id": flat.lamp}) == []
    assert flat.selected({"device_id": flat.lamp}, exclude={"integration": "hue"}, hidden_too=True) == []


def test_only_entities_that_can_be_bound_are_selected(flat: Flat) -> None:
    """Entities of other domains and those without a state are listed as left out, and match nevertheless."""
    flat.entity("camera.lamp", flat.lamp)
    flat.entity("switch.lamp_socket", flat.lamp)
    flat.hass.states.async_remove("switch.lamp_socket")
    selection = Selection(Target(device_id=(flat.lamp,)))
    found = survey(flat.hass, selection)
    assert found.selected == ("light.lamp",)
    assert found.unsupported == ("camera.lamp",)
    assert found.stateless == ("switch.lamp_socket",)
    assert matching(flat.hass, selection) == {"light.lamp", "camera.lamp", "switch.lamp_socket"}


def test_selected_entity_may_be_renamed(flat: Flat) -> None:
    """It is found by its registry id, until it is removed."""
    registry = er.async_get(flat.hass)
    reference = registry.async_get("light.lamp").id
    registry.async_update_entity("light.lamp", new_entity_id="light.reading")
    flat.hass.states.async_set("light.reading", "on")
    assert flat.selected({"entity_id": [reference]}) == ["light.reading"]
    registry.async_remove("light.reading")
    assert flat.selected({"entity_id": [reference]}) == []


def test_unregistered_entities_can_be_selected(flat: Flat) -> None:
    """By their entity id."""
    assert flat.selected({"entity_id": "input_boolean.alone"}) == ["input_boolean.alone"]


def test_selection_is_stored_without_defaults() -> None:
    """And is the same when it is read again."""
    data = {
        "include": {"entity_id": ["light.lamp"], "label_id": ["cloud"], "integration": ["hue"]},
        "exclude": {"area_id": ["cellar"], "domain": ["lock"]},
        "hidden_too": True,
    }
    selection = Selection.from_dict(data)
    assert selection.as_dict() == data
    assert Selection.from_dict(selection.as_dict()) == selection
    assert Selection.from_dict({}).as_dict() == {}
    assert Selection.from_dict({"include": {"area_id": ["a", "a"]}}) == Selection(Target(area_id=("a",)))


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"include": {"entity_id": "all"}}, ["include", "entity_id"]),
        ({"include": {"entity_id": ["{{ states }}"]}}, ["include", "entity_id"]),
        ({"include": {"area_id": [1]}}, ["include", "area_id"]),
        ({"include": {"label_id": [""]}}, ["include", "label_id"]),
        ({"include": {"domain": ["light"]}}, ["include", "domain"]),
        ({"include": ["light.lamp"]}, ["include"]),
        ({"hidden_too": "yes"}, ["hidden_too"]),
        ({"exclude": {"areas": []}}, ["exclude", "areas"]),
    ],
)
def test_invalid_selection_is_refused(data: dict[str, Any], path: list[str]) -> None:
    """With the path; `all` is not an entity, and a domain can only be excluded."""
    with pytest.raises(vol.Invalid) as caught:
        Selection.from_dict(data)
    assert [str(part) for part in caught.value.path] == path


def test_rule_is_stored_without_defaults() -> None:
    """Always in the same order."""
    data = {
        "selection": {"include": {"label_id": ["cloud"]}},
        "left_out": [{"entity": "light.a", "aspect": "color"}, {"entity": "light.b", "aspect": "power"}],
        "bound": [{"entity": "light.a", "aspect": "power"}],
    }
    rule = Rule.from_dict(data)
    assert rule == Rule(
        Selection(Target(label_id=("cloud",))),
        frozenset({EntityAspect("light.b", "power"), EntityAspect("light.a", "color")}),
        frozenset({EntityAspect("light.a", "power")}),
    )
    assert rule.as_dict() == data
    assert Rule(Selection()).as_dict() == {"selection": {}}
    with pytest.raises(vol.Invalid):
        Rule.from_dict({"selection": {}, "left_out": [{"entity": "light.a"}]})
