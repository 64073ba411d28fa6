"""The pages of the options that generate a thing model from the bindings."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.model.datatypes import BoolType, DoubleType
from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.exposures import add_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.model.infer import generate_identifier
from custom_components.aliyun_iot.stored_device import model_document
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_SECRET, PRODUCT_KEY, SetUp
from .house import LAMP, bound, entry_with, furnish
from .walk import Walk


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up."""
    return entry_with(hass, {"thing_model": thing_model_document})


def _generated(walk: Walk) -> Any:
    """Return the document on the page."""
    assert walk.step == "thing_model_module"
    return json.loads(walk.values["thing_model"])


async def test_generated_thing_model_is_stored(hass: HomeAssistant) -> None:
    """It defines what was bound, and the document on the page equals the stored thing model."""
    entry = entry_with(hass, {})
    add_bindings(
        hass,
        entry,
        [
            Binding("LightSwitch", LAMP, "power", Access.BOTH),
            Binding("CurrentTemperature", "sensor.cellar", "value"),
            Binding("Gone", "light.gone", "power"),
        ],
    )
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    document = _generated(walk)
    assert document["profile"] == {"productKey": PRODUCT_KEY}
    assert [(one["identifier"], one["name"], one["accessMode"]) for one in document["properties"]] == [
        ("LightSwitch", "Lamp_Power_switch", "rw"),
        ("CurrentTemperature", "Cellar", "r"),
    ]
    assert "Gone is not included" in walk.description()
    assert f"/api/aliyun_iot/{entry.entry_id}/thing_model?" in walk.description()

    await walk.submit(**walk.values)
    assert walk.step == "thing_model_confirm"
    await walk.submit()
    assert walk.saved
    stored = ThingModel.parse(model_document(entry))
    assert stored == ThingModel.parse(document)
    assert stored.properties["LightSwitch"].data_type == BoolType({0: "off", 1: "on"})
    assert stored.properties["CurrentTemperature"].data_type == DoubleType(unit="°C")


async def test_generated_thing_model_can_be_left_unused(hass: HomeAssistant) -> None:
    """Nothing is stored if the user only wants the document."""
    entry = entry_with(hass, {})
    add_bindings(hass, entry, [Binding("LightSwitch", LAMP, "power")])
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    await walk.submit(use=False)
    assert walk.saved
    assert not model_document(entry)


async def test_generated_thing_model_keeps_present_definitions(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """An import in the console replaces the product's definitions, so none may be missing or different."""
    present = ThingModel.parse(model_document(offline))
    add_bindings(
        hass, offline, [Binding("Brightness", LAMP, "brightness"), Binding("Kettle", "switch.kettle", "power")]
    )
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_generate")
    generated = ThingModel.parse(walk.values["thing_model"])
    assert present.properties.items() <= generated.properties.items()
    assert generated.properties.keys() - present.properties.keys() == {"Kettle"}
    assert (generated.events, generated.services) == (present.events, present.services)


async def test_generated_thing_model_contains_bound_services(hass: HomeAssistant, set_up: SetUp) -> None:
    """Their parameters are unknown, so they have none."""
    entry = await set_up(
        services=[{"identifier": "Clean", "actions": [{"action": "homeassistant.check_config"}]}],
        options={"thing_model": None},
    )
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    assert ThingModel.parse(walk.values["thing_model"]).services.keys() == {"Clean"}


async def test_data_type_of_templates_and_attributes(hass: HomeAssistant) -> None:
    """It follows from the present value; a number becomes a double, since it may have decimals later."""
    entry = entry_with(hass, {})
    add_bindings(
        hass,
        entry,
        [
            Binding("Sum", "", "template", source="{{ 1 + 1 }}"),
            Binding("Mode", LAMP, "attribute", source="color_mode"),
            Binding("Doubled", "sensor.cellar", "value", conversion=Conversion(template="{{ value * 2 }}")),
        ],
    )
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    types = {one["identifier"]: one["dataType"]["type"] for one in _generated(walk)["properties"]}
    assert types == {"Sum": "double", "Mode": "text", "Doubled": "double"}


async def test_large_thing_model_is_split_into_modules(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Bindings get the identifiers of their module if the user agrees, and are posted under them."""
    rows = []
    for number in range(320):
        hass.states.async_set(
            f"sensor.s{number}", "20.5", {"friendly_name": f"传感器{number}", "unit_of_measurement": "V"}
        )
        rows.append({"identifier": f"S{number}", "entity": f"sensor.s{number}", "aspect": "value"})
    entry = await set_up(rows, options={"thing_model": None})

    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    assert walk.step == "thing_model_split"
    assert "- `S300` → `module_2:S300`\n" in walk.description()
    assert bound(entry).keys() == {f"S{number}" for number in range(320)}

    await walk.submit()
    first = _generated(walk)
    assert len(first["properties"]) == 300
    assert "part is the default module" in walk.description()
    await walk.submit(**walk.values)
    second = _generated(walk)
    assert second["functionBlockId"] == "module_2"
    assert [one["identifier"] for one in second["properties"]] == [f"S{number}" for number in range(300, 320)]
    cloud.add_device(PRODUCT_KEY, "gw-1", DEVICE_SECRET, tsl=[first, second])
    await walk.submit(**walk.values)
    assert "do not fit" not in walk.description()
    await walk.submit()
    await hass.async_block_till_done()

    assert len(bound(entry)) == 320
    assert bound(entry)["module_2:S319"].entity == "sensor.s319"
    assert ThingModel.parse(model_document(entry)) == ThingModel.parse([first, second])

    # Renamed bindings keep their identifiers the next time.
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    assert walk.step == "thing_model_module"


async def test_generated_thing_model_in_chinese(hass: HomeAssistant) -> None:
    """Names are Chinese; identifiers are pinyin, from the name if the entity id is only an address."""
    hass.config.language = "zh-Hans"
    hass.states.async_set(
        "light.0x00158d0002c9d2f1", "on", {"friendly_name": "客厅灯", "supported_color_modes": ["onoff"]}
    )
    state = hass.states.get("light.0x00158d0002c9d2f1")
    assert state
    entry = entry_with(hass, {})
    aspect = aspect_of(state.entity_id, "power")
    assert aspect
    identifier = generate_identifier(aspect, state, {"LightSwitch"})
    assert identifier == "LightSwitch_ke_ting_deng"
    add_bindings(hass, entry, [Binding(identifier, state.entity_id, "power")])
    add_bindings(hass, entry, [Binding("Brightness", LAMP, "brightness")])
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    assert [one["name"] for one in _generated(walk)["properties"]] == ["客厅灯", "Lamp亮度"]
