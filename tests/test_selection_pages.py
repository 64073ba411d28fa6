"""Bind many entities at once: selection, suggestions, preview and what is stored."""

from datetime import datetime
import json
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.entity import entity_sources
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import add_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.mapping.selection import Target
from custom_components.aliyun_iot.words.labels import Labels
from custom_components.aliyun_iot.words.rule_title import rule_title
from simulator import CloudDevice

from .conftest import SetUp
from .house import LAMP, bind_lamp, bound, entry_with, furnish, selected
from .walk import Walk


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up; the pages need no connection."""
    return entry_with(hass, {"thing_model": thing_model_document})


async def select(hass: HomeAssistant, entry: MockConfigEntry, *entity_ids: str, **more: Any) -> Walk:
    """Select entities and continue with the suggestions."""
    walk = await Walk.options(hass, entry, "select")
    if walk.step == "unmodelled":
        await walk.choose("select_anyway")
    return await walk.submit(**selected(*entity_ids, **more))


async def save(walk: Walk, *identifiers: str) -> Walk:
    """Take the given suggestions, or all, and store what the preview shows."""
    await walk.submit(bindings=list(identifiers) or list(walk.choices("bindings")))
    assert walk.step == "preview"
    return await walk.submit()


def folded(walk: Walk) -> dict[str, str]:
    """Return the lists of the preview by their headings."""
    return dict(re.findall(r"<details[^>]*><summary>(.*?)</summary>(.*?)</details>", walk.description(), re.DOTALL))


def rows(content: str) -> list[str]:
    """Return the rows of a list."""
    return re.findall(r"<li>(.*?)</li>", content)


async def test_several_entities_are_bound_at_once(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """All suggestions are selected at first; the bindings work at once, without a reconnect."""
    entry = await set_up()
    walk = await select(hass, entry, LAMP, "sensor.cellar", "switch.kettle")
    assert walk.step == "suggestions"
    assert walk.choices("bindings") == {
        "CurrentTemperature": "Cellar · Value → Current temperature [CurrentTemperature] (Report)",
        "LightSwitch": "Lamp · Power switch → Light switch [LightSwitch] (Report and control)",
        "Brightness": "Lamp · Brightness → Brightness (Report and control)",
        "ColorTemperature": "Lamp · Color temperature → Color temperature [ColorTemperature] (Report and control)",
    }
    assert walk.values == {"bindings": list(walk.choices("bindings"))}
    assert "Found: 4." in walk.description()
    assert "No property fits for certain, or everything is already bound: Kettle." in walk.description()

    await walk.submit(bindings=["LightSwitch", "CurrentTemperature"])
    assert not bound(entry)
    await walk.submit()
    assert walk.saved
    assert bound(entry) == {
        "LightSwitch": Binding("LightSwitch", LAMP, "power", Access.BOTH),
        "CurrentTemperature": Binding("CurrentTemperature", "sensor.cellar", "value"),
    }
    await device.wait_for(lambda device: device.properties.keys() >= {"LightSwitch", "CurrentTemperature"})
    assert device.connections == 1


async def test_preview_shows_the_exact_message(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows one property per line, and lists bindings without a value separately."""
    noon = datetime(2026, 10, 5, 12, tzinfo=dt_util.UTC)
    monkeypatch.setattr(dt_util, "utcnow", lambda: noon)
    hass.states.async_set("sensor.cellar", "unknown", {"device_class": "temperature", "friendly_name": "Cellar"})
    entry = await set_up()
    walk = await select(hass, entry, LAMP, "sensor.cellar")
    await walk.submit(bindings=["LightSwitch", "Brightness", "CurrentTemperature"])
    post = folded(walk)["Would be posted now: message 1 of 1, properties: 2"]
    shown = post.removeprefix("<pre><code>").removesuffix("</code></pre>")
    assert shown.splitlines()[1:-1] == [
        '  "LightSwitch": {"value": 1, "time": 1791201600000},',
        '  "Brightness": {"value": 50, "time": 1791201600000}',
    ]
    silent = folded(walk)["No value to report now, posted as soon as there is one: 1"]
    assert rows(silent) == ["Cellar · Value → Current temperature [CurrentTemperature] (Report)"]

    await walk.submit()
    await device.wait_for(lambda device: "Brightness" in device.properties)
    assert {key: {"value": value, "time": time} for key, (value, time) in device.properties.items()} == json.loads(
        shown
    )


async def test_preview_lists_what_is_left_out_by_reason(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Each list names the entities."""
    hass.states.async_set("light.second", "on", {"friendly_name": "Second", "supported_color_modes": ["onoff"]})
    hass.states.async_set("camera.door", "idle", {"friendly_name": "Camera"})
    entities = [LAMP, "light.second", "switch.kettle", "camera.door", "lock.door", "switch.gone"]
    walk = await Walk.options(hass, offline, "select")
    await walk.submit(**selected(*entities, leave_out={"target": {"entity_id": ["lock.door"]}}))
    await walk.submit(bindings=["LightSwitch"])
    found = {summary: rows(content) for summary, content in folded(walk).items()}
    assert found["Left out because you deselected or removed them: 1"] == ["Lamp · Brightness, Color temperature"]
    assert found["Left out because another binding has the property: 1"] == [
        "Second · Power switch → Light switch [LightSwitch] (bound to Lamp · Power switch)"
    ]
    assert found["Left out because no property of the thing model fits for certain: 1"] == ["Kettle · Power switch"]
    assert found["Left out because you excluded them: 1"] == ["Door (lock.door)"]
    assert found["Left out because they have nothing that can be bound: 1"] == ["Camera (camera.door)"]
    assert found["Left out because they are disabled or not loaded: 1"] == ["switch.gone"]


async def test_property_that_another_aspect_of_the_entity_has(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The preview names the aspect, in the language of the installation."""
    hass.config.language = "zh-Hans"
    attributes = {"friendly_name": "空调", "hvac_modes": ["off", "cool"], "current_temperature": 21.5}
    hass.states.async_set("climate.ac", "cool", attributes)
    add_bindings(hass, offline, [Binding("CurrentTemperature", "climate.ac", "raw_state")])
    walk = await Walk.options(hass, offline, "select")
    await walk.submit(**selected("climate.ac"))
    await walk.submit(**walk.values)
    found = {summary: rows(content) for summary, content in folded(walk).items()}
    [row] = found["因对应的属性已有其他绑定而未包括：1"]
    assert row.endswith("→ Current temperature [CurrentTemperature]（已绑定 空调 · 整个状态）")


async def test_many_suggestions_are_ticked_together(hass: HomeAssistant) -> None:
    """All, or those of one aspect or one type of entity; the list is shown again before anything else happens."""
    entry = entry_with(hass, {})
    lamps = [f"light.lamp_{number}" for number in range(6)]
    for entity_id in lamps:
        hass.states.async_set(entity_id, "on", {"supported_color_modes": ["brightness"], "brightness": 255})
    hass.states.async_set("switch.iron", "off", {"friendly_name": "Iron"})
    walk = await select(hass, entry, "switch.kettle")
    assert "together" not in walk.result["data_schema"].schema, "one by one is easy enough"

    walk = await select(hass, entry, *lamps, "switch.kettle", "switch.iron", "sensor.cellar")
    everything = walk.values["bindings"]
    assert len(everything) == 15
    choices = walk.choices("together")
    assert list(choices)[:2] == ["untick.all", "tick.all"]
    assert choices["untick.all"] == "Deselect: all (15)"
    assert choices["untick.aspect.brightness"] == "Deselect: Brightness (6)"
    assert choices["tick.type.switch"] == "Select: Switch (2)"
    assert not [value for value in choices if "sensor" in value], "one box is unticked as quickly"

    await walk.submit(bindings=everything, together=["untick.aspect.brightness"])
    assert (walk.step, walk.errors) == ("suggestions", {})
    assert len(walk.values["bindings"]) == 9
    await walk.submit(bindings=walk.values["bindings"], together=["untick.all", "tick.type.switch"])
    kettle, iron = walk.values["bindings"]
    await walk.submit(bindings=[kettle, iron])
    assert walk.step == "preview"
    await walk.submit()
    assert list(bound(entry)) == [kettle, iron]


async def test_integrations_are_named_in_the_language_of_the_installation(hass: HomeAssistant) -> None:
    """In the lists of the form and in the title of a rule; one without such a name keeps its own."""
    hass.config.language = "zh-Hans"
    entry = entry_with(hass, {})
    for number, domain in enumerate(("derivative", "hue")):
        entity_sources(hass)[f"switch.made_{number}"] = {"domain": domain}
        hass.states.async_set(f"switch.made_{number}", "on")
    walk = await Walk.options(hass, entry, "select", "select_anyway")
    assert walk.choices("integrations") == {"hue": "Philips Hue", "derivative": "变化率传感器"}
    labels = await Labels.load(hass)
    assert (
        await rule_title(labels, Target(integration=("derivative", "hue")))
        == "跟随：集成“变化率传感器”、集成“Philips Hue”"
    )


async def test_without_a_thing_model_a_warning_comes_first(hass: HomeAssistant) -> None:
    """The menu offers the ways to a thing model first, and the page with the entities says what happens without one."""
    walk = await Walk.options(hass, entry_with(hass, {}), "select")
    assert walk.step == "unmodelled"
    assert next(iter(walk.result["menu_options"])) == "thing_model_fetch"
    await walk.choose("select_anyway")
    warning = walk.result["description_placeholders"]["warning"]
    assert warning.startswith("**There is no thing model, so the identifier is invented.**")


async def test_unticked_property_is_offered_to_other_entities(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The new suggestions can be unticked as well, and the other selected ones do not change."""
    for name in ("Second", "Third"):
        attributes = {"friendly_name": name, "supported_color_modes": ["onoff"]}
        hass.states.async_set(f"light.{name.casefold()}", "on", attributes)
    walk = await select(hass, offline, LAMP, "light.second", "light.third")
    await walk.submit(bindings=["Brightness"])
    assert (walk.step, walk.errors) == ("suggestions", {"bindings": "others_fit"})
    assert walk.choices("bindings")["LightSwitch"].startswith("Second · ")
    assert walk.values == {"bindings": ["LightSwitch", "Brightness"]}

    await walk.submit(bindings=["Brightness"])
    assert walk.choices("bindings")["LightSwitch"].startswith("Third · ")
    await walk.submit(bindings=["Brightness", "LightSwitch"])
    assert rows(folded(walk)["Left out because you deselected or removed them: 2"]) == [
        "Lamp · Color temperature, Power switch",
        "Second · Power switch",
    ]
    await walk.submit()
    assert {key: binding.entity for key, binding in bound(offline).items()} == {
        "Brightness": LAMP,
        "LightSwitch": "light.third",
    }


async def test_preview_follows_when_all_candidates_are_unticked(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The page is repeated for each further candidate of the property."""
    hass.states.async_set("light.second", "on", {"friendly_name": "Second", "supported_color_modes": ["onoff"]})
    walk = await select(hass, offline, LAMP, "light.second")
    for _ in range(2):
        assert walk.step == "suggestions"
        await walk.submit(bindings=["Brightness"])
    assert walk.step == "preview"
    await walk.submit()
    assert bound(offline).keys() == {"Brightness"}


async def test_better_match_gets_the_property(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Entities that lose a property are listed with the entity that gets it, before those without any match."""
    ac = {"friendly_name": "AC", "current_temperature": 22, "current_humidity": 40, "hvac_modes": ["off", "cool"]}
    hass.states.async_set("climate.ac", "cool", ac)
    cold = {"friendly_name": "Freezer", "device_class": "temperature", "unit_of_measurement": "°C"}
    hass.states.async_set("sensor.freezer", "-18", cold)
    walk = await select(hass, offline, "climate.ac", "sensor.cellar", "sensor.freezer", "switch.kettle")
    assert {key: label.partition(" ·")[0] for key, label in walk.choices("bindings").items()} == {
        "CurrentTemperature": "Cellar",
        "CurrentHumidity": "AC",
        "HVACMode": "AC",
    }
    assert walk.result["description_placeholders"]["left_out"] == (
        "- Freezer: Current temperature [CurrentTemperature] is assigned to Cellar.\n\n"
        "No property fits for certain, or everything is already bound: Kettle. Bind these entities one by one on the page of the integration."
    )


async def test_preview_explains_problems_of_values(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """One value would be rounded, another can't be posted."""
    room = {"friendly_name": "Room", "unit_of_measurement": "%", "device_class": "humidity"}
    hass.states.async_set("sensor.room", "45.7", room)
    walk = await select(hass, offline, "sensor.room")
    await walk.submit(bindings=["CurrentHumidity"])
    (problem,) = rows(folded(walk)["Please check: 1"])
    assert problem.startswith("CurrentHumidity: ")
    assert {"45.7", "46"} <= set(re.findall(r"[\d.]*\d", problem))
    assert '"CurrentHumidity": {"value": 46,' in walk.description()

    hass.states.async_set("sensor.room", "145", room)
    await walk.submit()
    await Walk.remove(hass, offline, "CurrentHumidity")
    walk = await select(hass, offline, "sensor.room")
    await walk.submit(bindings=["CurrentHumidity"])
    (problem,) = rows(folded(walk)["Please check: 1"])
    assert "145" in problem
    assert not [summary for summary in folded(walk) if summary.startswith("Would be posted")]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_preview_names_units_that_cannot_be_converted(
    hass: HomeAssistant, thing_model_document: dict[str, Any], language: str
) -> None:
    """Such a property is not suggested, and the preview says why and what to do."""
    hass.config.language = language
    humidity = next(one for one in thing_model_document["properties"] if one["identifier"] == "CurrentHumidity")
    humidity["dataType"]["specs"]["unit"] = "g/m³"
    hass.states.async_set(
        "sensor.room", "45", {"friendly_name": "Room", "unit_of_measurement": "%", "device_class": "humidity"}
    )
    walk = await select(hass, entry_with(hass, {"thing_model": thing_model_document}), "sensor.room", LAMP)
    assert "CurrentHumidity" not in walk.choices("bindings")
    await walk.submit(bindings=list(walk.choices("bindings")))
    (heading,) = (one for one in folded(walk) if ("units" in one or "单位" in one))
    (row,) = rows(folded(walk)[heading])
    assert "(%)" in row
    assert row.endswith("[CurrentHumidity] (g/m³)")


async def test_empty_selection_is_refused(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """An empty field never means all, on neither page."""
    walk = await select(hass, offline)
    assert walk.errors == {"target": "nothing_selected"}
    await walk.submit(**selected(also={"hidden_too": True, "diagnostic_too": True}))
    assert walk.errors == {"target": "nothing_selected"}
    assert walk.values["also"] == {"hidden_too": True, "diagnostic_too": True}
    await walk.submit(**selected(target={"entity_id": "all"}))
    assert walk.errors == {"target": "invalid_selection"}
    await walk.submit(**selected(LAMP))
    await walk.submit(bindings=[])
    assert walk.errors == {"bindings": "nothing_selected"}
    assert walk.values == {"bindings": []}
    with pytest.raises(InvalidData):
        await walk.submit()
    assert not bound(offline)
    await save(walk, "Brightness")
    assert bound(offline).keys() == {"Brightness"}


async def test_entities_without_a_match_are_refused(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Entities that are already bound or missing are not offered, and no page has an empty list."""
    walk = await select(hass, offline, "switch.kettle", "light.gone", "0" * 32)
    assert walk.errors == {"base": "nothing_fits"}
    await walk.submit(**selected(LAMP))
    await save(walk)
    walk = await select(hass, offline, LAMP)
    assert walk.errors == {"base": "nothing_fits"}


async def test_concurrent_changes_are_shown_before_saving(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """With two browsers open, no identifier is bound twice, and nothing is stored that was not shown."""
    walk = await select(hass, offline, LAMP)
    await bind_lamp(hass, offline)
    await walk.submit(bindings=["LightSwitch", "Brightness"])
    assert walk.errors == {"bindings": "changed_meanwhile"}
    assert walk.values == {"bindings": ["Brightness"]}
    assert "LightSwitch" not in walk.choices("bindings")

    await walk.submit(bindings=["Brightness", "ColorTemperature"])
    await bind_lamp(hass, offline, aspect="brightness", identifier="Brightness")
    await walk.submit()
    assert (walk.step, walk.errors) == ("preview", {"base": "changed_meanwhile"})
    assert "To be bound: 1" in folded(walk)
    await walk.submit()
    assert bound(offline).keys() == {"LightSwitch", "Brightness", "ColorTemperature"}


async def test_identifiers_are_generated_without_a_thing_model(hass: HomeAssistant) -> None:
    """Every aspect gets an identifier, and a risky entity is only reported."""
    entry = entry_with(hass, {})
    walk = await select(hass, entry, "switch.kettle", "lock.door")
    access = {binding: label.rsplit("(", 1)[1] for binding, label in walk.choices("bindings").items()}
    assert set(access.values()) == {"Report and control)", "Report)"}
    assert walk.result["description_placeholders"]["left_out"] == ""

    await save(walk)
    assert {binding.entity for binding in bound(entry).values()} == {"switch.kettle", "lock.door"}


async def test_entities_of_a_device_share_an_exposure(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Bindings store the registry ids, and the texts are in the language of the installation."""
    hass.config.language = "zh-Hans"
    owner = MockConfigEntry()
    owner.add_to_hass(hass)
    air = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("demo", "air")}, name="空气检测仪"
    )
    references = set()
    for kind, unit in (("temperature", "°C"), ("humidity", "%")):
        registered = er.async_get(hass).async_get_or_create(
            "sensor", "demo", kind, config_entry=owner, device_id=air.id, suggested_object_id=f"air_{kind}"
        )
        references.add(registered.id)
        hass.states.async_set(
            registered.entity_id, "40", {"device_class": kind, "unit_of_measurement": unit, "friendly_name": kind}
        )
    walk = await Walk.options(hass, offline, "select")
    await walk.submit(**selected(target={"device_id": [air.id]}))
    assert all(label.endswith("（上报）") for label in walk.choices("bindings").values())
    await walk.submit(**walk.values)
    assert "将绑定：2" in folded(walk)
    await walk.submit()

    (exposure,) = offline.subentries.values()
    assert exposure.title == "空气检测仪 · CurrentHumidity · CurrentTemperature"
    assert {binding.entity for binding in bound(offline).values()} == references


async def test_selection_by_area_label_and_integration(hass: HomeAssistant) -> None:
    """Includes and excludes are combined, and the lists offer existing integrations by name."""
    entry = entry_with(hass, {})
    owner = MockConfigEntry(domain="hue")
    owner.add_to_hass(hass)
    area = ar.async_get(hass).async_create("Hall")
    label = lr.async_get(hass).async_create("Cloud")
    registry = er.async_get(hass)
    for name, details in (("in_hall", {"area_id": area.id}), ("labelled", {"labels": {label.label_id}}), ("plain", {})):
        registered = registry.async_get_or_create(
            "switch", "hue", name, config_entry=owner, original_name=name, suggested_object_id=name
        )
        registry.async_update_entity(registered.entity_id, **details)
        hass.states.async_set(registered.entity_id, "on")
    entity_sources(hass)[LAMP] = {"domain": "hue"}

    walk = await Walk.options(hass, entry, "select", "select_anyway")
    assert walk.choices("integrations") == {"hue": "Philips Hue"}
    await walk.submit(
        **selected(
            target={"area_id": [area.id], "label_id": [label.label_id]},
            integrations=["hue"],
            leave_out={"target": {"entity_id": ["switch.plain"]}, "integrations": [], "domains": ["light"]},
        )
    )
    await save(walk)
    names = {registry.async_get(binding.entity).entity_id for binding in bound(entry).values()}
    assert names == {"switch.in_hall", "switch.labelled"}


async def test_many_entities_are_bound_in_one_update(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """300 entities are one list, are previewed message by message, and are applied in a single update."""
    device.thing_model = None
    entry = await set_up(options={"thing_model": None})
    entities = [f"number.dial_{number:03}" for number in range(300)]
    for entity_id in entities:
        hass.states.async_set(entity_id, "5", {"min": 0, "max": 10, "step": 1})
    applied = 0
    follow = entry.runtime_data.device.commander.follow

    def counted(*what: Any) -> None:
        nonlocal applied
        applied += 1
        follow(*what)

    entry.runtime_data.device.commander.follow = counted
    walk = await select(hass, entry, *entities)
    await walk.submit(bindings=list(walk.choices("bindings")))
    posts = [summary for summary in folded(walk) if summary.startswith("Would be posted")]
    assert posts == [
        "Would be posted now: message 1 of 2, properties: 200",
        "Would be posted now: message 2 of 2, properties: 100",
    ]
    assert "\n\n" not in folded(walk)["To be bound: 300"]
    await walk.submit()
    await device.wait_for(lambda device: len(device.properties) == 300)
    assert applied == 1
    assert device.connections == 1


async def test_preview_escapes_names(hass: HomeAssistant) -> None:
    """Names of entities can contain markup and several lines."""
    entry = entry_with(hass, {})
    hass.states.async_set("switch.odd", "on", {"friendly_name": "<b>Odd</b>\n\n* name"})
    walk = await select(hass, entry, "switch.odd")
    await walk.submit(bindings=list(walk.choices("bindings")))
    (row,) = rows(re.sub("\n", " ", folded(walk)["To be bound: 1"]))
    assert row.startswith("&lt;b&gt;Odd&lt;/b&gt; * name · ")


async def test_pages_are_serializable(
    hass: HomeAssistant, offline: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The form, the list and the preview can be used over the frontend's HTTP API."""
    for component in ("config", "file_upload", DOMAIN):  # no routes can be added once the test client runs
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    url = "/api/config/config_entries/options/flow"
    menu = await (await client.post(url, json={"handler": offline.entry_id})).json()
    flow = f"{url}/{menu['flow_id']}"
    page = await (await client.post(flow, json={"next_step_id": "select"})).json()
    assert [field["name"] for field in page["data_schema"]] == [
        "target", "integrations", "leave_out", "also", "follow"
    ]  # fmt: skip
    page = await (await client.post(flow, json={**selected(LAMP), "follow": False})).json()
    assert page["step_id"] == "suggestions"
    page = await (await client.post(flow, json={"bindings": ["Brightness"]})).json()
    assert (page["step_id"], page["data_schema"]) == ("preview", [])
    answer = await (await client.post(flow, json={})).json()
    assert (answer["type"], answer["step_id"]) == ("menu", "init")
    assert bound(offline).keys() == {"Brightness"}
