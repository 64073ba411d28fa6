"""The generated thing model of a large house whose options have the ugliest names."""

from collections.abc import Iterator
import json
from typing import Any

from homeassistant.core import HomeAssistant, State
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.model.datatypes import EnumType
from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.bound import bind
from custom_components.aliyun_iot.exposures import add_bindings, exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Binding
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest_all
from custom_components.aliyun_iot.stored_device import model_document
from simulator import Simulator

from .conftest import DEVICE_SECRET, PRODUCT_KEY
from .house import entry_with
from .mapping.test_labels import UGLY
from .mapping.tsl_rules import violations
from .walk import Walk

OPTIONS = [option for option in UGLY if option]
LISTS = {
    "media_player": ("on", {"supported_features": 2**20 - 1, "source_list": OPTIONS, "sound_mode_list": OPTIONS}),
    "fan": ("on", {"supported_features": 1 | 8, "preset_modes": OPTIONS, "percentage_step": 20}),
    "select": ("HDMI 1", {"options": OPTIONS}),
    "vacuum": ("docked", {"supported_features": 2**14 - 1, "fan_speed_list": OPTIONS, "fan_speed": "HDMI 1"}),
}
SELECT = "select.room_0"


@pytest.fixture
def states(hass: HomeAssistant) -> list[State]:
    """Sixty entities, the names of which are no better than those of their options."""
    for number in range(60):
        domain = list(LISTS)[number % 4]
        state, attributes = LISTS[domain]
        name = f"{'🔔 ' * (number % 3)}Room (№ {number // 4}) — a rather long name, or not"
        hass.states.async_set(f"{domain}.room_{number // 4}", state, {"friendly_name": name, **attributes})
    return hass.states.async_all()


@pytest.fixture
def entry(hass: HomeAssistant, states: list[State]) -> MockConfigEntry:
    """Bind everything that is suggested."""
    entry = entry_with(hass, {})
    found = suggest_all(states, None, ())
    add_bindings(hass, entry, [Binding(one.identifier, one.entity_id, one.aspect, one.access) for one in found])
    return entry


async def _generate(hass: HomeAssistant, entry: MockConfigEntry, *, use: bool) -> list[dict[str, Any]]:
    """Go through the pages of the options, and return the documents that they show."""
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    if walk.step == "thing_model_split":
        await walk.submit()
    documents = []
    while not walk.saved and walk.step == "thing_model_module":
        documents.append(json.loads(walk.values["thing_model"]))
        await walk.submit(**({**walk.values, "use": use} if "use" in walk.values else walk.values))
    if use:
        assert walk.step == "thing_model_confirm"
        assert "do not fit" not in walk.description()
        assert "differently" not in walk.description()
        await walk.submit()
    assert walk.saved
    return documents


def _enums(hass: HomeAssistant, entry: MockConfigEntry, model: ThingModel | None) -> Iterator[tuple[str, list[object]]]:
    """Yield the identifier of each property with options, and the item that is reported for each of its options."""
    for bound in bind(hass, exposed_bindings(entry), model).by_identifier.values():
        state = hass.states.get(bound.entity_id)
        assert state
        options = bound.aspect.options(state)
        if not options:
            continue
        items = []
        for option in options:
            sample = bound.sample_of(option, state, state.last_changed)
            assert sample
            assert bound.to_aspect(bound.decode(sample.value, state), state) == option
            items.append(sample.value)
        yield bound.identifier, items


async def test_console_takes_the_generated_thing_model(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Names and labels are legal, and each option keeps its item, whatever it is called in the file."""
    before = dict(_enums(hass, entry, None))
    assert len(before) > 60
    documents = await _generate(hass, entry, use=True)
    assert [violations(json.dumps(document, ensure_ascii=False)) for document in documents] == [[]] * len(documents)
    device = Simulator(strict_model=True, strict_values=True).add_device(
        PRODUCT_KEY, "gw-1", DEVICE_SECRET, tsl=documents
    )
    assert device.thing_model

    stored = ThingModel.parse(model_document(entry))
    assert device.thing_model.properties.keys() == stored.properties.keys()
    after = dict(_enums(hass, entry, stored))
    assert {identifier.rpartition(":")[2]: items for identifier, items in after.items()} == before
    assert all("HDMI 1 → HDMI-1_" in stored.properties[key].description for key in after if key.endswith("source"))


async def test_page_names_the_labels_that_were_changed(hass: HomeAssistant, states: list[State]) -> None:
    """Nobody has to find them in the file."""
    entry = entry_with(hass, {})
    add_bindings(hass, entry, [Binding("Input", SELECT, "option")])
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    assert "- Input: HDMI 1 → HDMI-1_77b3, HDMI (1) → HDMI-1_fc76" in walk.description()


@pytest.mark.parametrize("use", [True, False])
async def test_numbers_survive_other_labels_and_another_order(
    hass: HomeAssistant, states: list[State], *, use: bool
) -> None:
    """Labels may be edited in the console, and options come and go."""
    entry = entry_with(hass, {})
    add_bindings(hass, entry, [Binding("Input", SELECT, "option")])
    (document,) = await _generate(hass, entry, use=use)
    document["properties"][0]["dataType"]["specs"] = {str(key): f"label{key}" for key in range(len(OPTIONS))}
    hass.states.async_set(SELECT, "eco", {"options": ["brand new", *reversed(OPTIONS)]})
    for model in (ThingModel.parse(document), *(() if use else (None,))):
        bound = bind(hass, exposed_bindings(entry), model).by_identifier["Input"]
        state = hass.states.get(SELECT)
        assert state
        sample = bound.sample(state, state.last_changed)
        assert sample
        assert sample.value == OPTIONS.index("eco")
        assert bound.to_aspect(OPTIONS.index("HDMI (1)"), state) == "HDMI (1)"


async def test_downloaded_file_is_enough(hass: HomeAssistant, states: list[State]) -> None:
    """Without a step of the pages, the labels alone tell the item of an option."""
    entry = entry_with(hass, {})
    add_bindings(hass, entry, [Binding("Input", SELECT, "option")])
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    model = ThingModel.parse(walk.values["thing_model"])
    assert isinstance(model.properties["Input"].data_type, EnumType)
    assert not exposed_bindings(entry)[0].conversion.options
    hass.states.async_set(SELECT, "eco", {"options": ["brand new", *reversed(OPTIONS)]})
    bound = bind(hass, exposed_bindings(entry), model).by_identifier["Input"]
    state = hass.states.get(SELECT)
    assert state
    sample = bound.sample(state, state.last_changed)
    assert sample
    assert sample.value == OPTIONS.index("eco")
