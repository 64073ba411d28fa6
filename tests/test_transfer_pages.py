"""The pages of the options that export and import the mapping."""

import re
from typing import Any
from uuid import uuid4

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import exposed_bindings, service_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion, ServiceBinding
from custom_components.aliyun_iot.mapping.document.document import Document
from custom_components.aliyun_iot.mapping.document.text import MAX_SIZE, read_text
from custom_components.aliyun_iot.rules import rules_of
from simulator import CloudDevice

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp, Upload
from .house import LAMP, bound, entry_with, furnish
from .walk import Walk

HEAD = "format: aliyun_iot_mapping\nversion: 1\n"
LIGHT = HEAD + "bindings:\n  light.lamp:\n    - {identifier: LightSwitch, aspect: power, access: both}\n"
DOOR = HEAD + "bindings:\n  lock.door:\n    - {identifier: Bolt, aspect: locked, access: both, confirmed: true}\n"


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant) -> MockConfigEntry:
    """Return an entry that is not set up; these pages need no connection."""
    return entry_with(hass, {})


async def exported(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the text on the export page."""
    walk = await Walk.options(hass, entry, "transfer", "export_mapping")
    text = walk.values["mapping"]
    assert (await walk.submit(mapping="whatever")).step == "init"
    return text


async def offered(hass: HomeAssistant, entry: MockConfigEntry, text: str, mode: str = "merge") -> Walk:
    """Enter a mapping on the import page."""
    walk = await Walk.options(hass, entry, "transfer", "import_mapping")
    return await walk.submit(mapping=text, mode=mode)


async def test_export_and_import_round_trip(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """An export imported into an empty entry gives the same mapping and the same export."""
    washing = ServiceBinding("Wash", script="script.wash")
    hass.states.async_set("script.wash", "off")
    await _import(hass, offline, HEAD + "services: {Wash: {script: script.wash}}", confirmed=True)
    await _import(hass, offline, LIGHT)
    text = await exported(hass, offline)

    other = MockConfigEntry(domain=DOMAIN, data={"product_key": "a1Other0000"})
    other.add_to_hass(hass)
    await _import(hass, other, text, confirmed=True)
    assert bound(other) == bound(offline) == {"LightSwitch": Binding("LightSwitch", LAMP, "power", Access.BOTH)}
    assert service_bindings(other) == {"Wash": washing}
    assert await exported(hass, other) == text


async def test_export_contains_no_identity(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """Neither the page nor the file contains the triple or the host, and both have the same content."""
    entry = await set_up([{"identifier": "LightSwitch", "entity": LAMP, "aspect": "power"}])
    walk = await Walk.options(hass, entry, "transfer", "export_mapping")
    [link] = re.findall(r'href="(/api/\S+)"', walk.description())
    text = walk.values["mapping"]
    assert "light.lamp" in text
    for secret in (DEVICE_SECRET, PRODUCT_KEY, DEVICE_NAME, "127.0.0.1", entry.entry_id):
        assert secret not in text

    client = await hass_client()
    answer = await client.get(link)
    assert await answer.text() == text
    assert DEVICE_NAME not in answer.headers["Content-Disposition"]


async def test_changes_are_shown_before_they_are_stored(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """New, changed and removed bindings are listed, and applied without a reconnect."""
    entry = await set_up(
        [
            {"identifier": "LightSwitch", "entity": LAMP, "aspect": "power"},
            {"identifier": "CurrentHumidity", "entity": "sensor.gone", "aspect": "value"},
            {"identifier": "TargetTemperature", "entity": "sensor.cellar", "aspect": "value"},
        ]
    )
    text = (
        LIGHT
        + "  sensor.cellar:\n"
        + "    - {identifier: CurrentTemperature, aspect: value}\n"
        + "    - {identifier: TargetTemperature, aspect: value}\n"
    )
    walk = await offered(hass, entry, text, "replace")
    assert walk.step == "import_preview"
    assert walk.description().strip() == (
        "New: 1, changed: 1, removed: 1, unchanged: 1.\n\n"
        "**New**\n"
        "- Cellar · Value → Current temperature [CurrentTemperature] (Report)\n\n"
        "**Changed to**\n"
        "- Lamp · Power switch → Light switch [LightSwitch] (Report and control)\n\n"
        "**Removed**\n"
        "- sensor.gone · Value → Humidity [CurrentHumidity] (Report)"
    ).replace("Humidity [CurrentHumidity]", _named(entry, "CurrentHumidity"))
    assert bound(entry)["LightSwitch"].access is Access.REPORT
    assert "CurrentTemperature" not in device.properties

    assert (await walk.submit()).saved
    assert bound(entry).keys() == {"LightSwitch", "CurrentTemperature", "TargetTemperature"}
    await device.wait_for(lambda device: device.properties.get("CurrentTemperature", (None,))[0] == 12.5)
    assert device.connections == 1


@pytest.mark.parametrize(
    ("language", "reason"),
    [
        ("en", "EnergyTotal: °C and kWh differ, and Home Assistant can't convert them: enter a scale, or select that"),
        ("zh-Hans", "EnergyTotal：°C 与 kWh 不同，Home Assistant 无法换算：请填写倍率，或勾选“单位相同”"),
    ],
)
async def test_import_says_which_units_cannot_be_converted(
    hass: HomeAssistant, thing_model_document: dict[str, Any], language: str, reason: str
) -> None:
    """It can be stored and solved later; with the tick in the document there is nothing to say."""
    hass.config.language = language
    entry = entry_with(hass, {"thing_model": thing_model_document})
    text = HEAD + "bindings:\n  sensor.cellar:\n    - {identifier: EnergyTotal, aspect: value%s}\n"
    walk = await offered(hass, entry, text % "", "merge")
    assert reason in walk.description()
    walk = await offered(hass, entry, text % ", conversion: {same_unit: true}", "merge")
    assert reason not in walk.description()
    assert (await walk.submit()).saved
    assert bound(entry)["EnergyTotal"].conversion.same_unit


async def test_import_without_changes_stores_nothing(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The page says so, and the entry is not modified."""
    await _import(hass, offline, LIGHT)
    modified = offline.modified_at
    walk = await offered(hass, offline, await exported(hass, offline), "replace")
    assert (walk.step, walk.errors) == ("import_mapping", {"base": "nothing_changes"})
    assert offline.modified_at == modified


async def test_risky_import_needs_confirmation(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """What the cloud could operate afterwards is listed first, including actions at any depth."""
    text = (
        DOOR
        + "  no_entity:\n"
        + "    - {identifier: Any, aspect: actions, access: control, actions: [{action: alarm_control_panel.alarm_disarm}]}\n"
        + "services:\n"
        + "  Open:\n"
        + "    actions:\n"
        + "      - choose:\n"
        + "          - conditions: []\n"
        + "            sequence: [{action: lock.open}, {device_id: a, domain: lock, type: unlock}, {scene: scene.away}]\n"
    )
    walk = await offered(hass, offline, text)
    risky = walk.description().split("**")[2]
    assert "Door · Locked → Bolt" in risky
    assert "`alarm_control_panel.alarm_disarm`" in risky
    assert "Service Open: `lock.open`, `lock.unlock`, `scene.away`" in risky
    assert walk.values == {"confirmed": False}

    await walk.submit(confirmed=False)
    assert walk.errors == {"confirmed": "import_not_confirmed"}
    assert not bound(offline)
    assert (await walk.submit(confirmed=True)).saved
    assert bound(offline)["Bolt"].confirmed
    assert service_bindings(offline).keys() == {"Open"}

    walk = await offered(hass, offline, text.replace("Any", "Other").replace("alarm_disarm", "alarm_arm_away"))
    assert "Bolt" not in walk.description().split("**")[2]


async def test_mapping_changed_during_the_preview(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The new changes are shown before anything is stored."""
    walk = await offered(hass, offline, DOOR + "  light.lamp: [{identifier: LightSwitch, aspect: power}]\n")
    await _import(hass, offline, LIGHT)
    await walk.submit(confirmed=True)
    assert walk.errors == {"base": "mapping_changed"}
    assert "changed: 1" in walk.description()
    assert (await walk.submit(confirmed=True)).saved
    assert bound(offline)["LightSwitch"].access is Access.REPORT


async def test_mapping_is_uploaded_as_a_file(hass: HomeAssistant, offline: MockConfigEntry, upload: Upload) -> None:
    """Either text or a file is required; large, unreadable and expired files are refused."""
    walk = await Walk.options(hass, offline, "transfer", "import_mapping")
    assert walk.values == {"mode": "merge"}
    await walk.submit(mode="merge")
    assert walk.errors == {"base": "text_or_file"}
    await walk.submit(mode="merge", mapping=LIGHT, file=await upload(LIGHT.encode()))
    assert walk.errors == {"base": "text_or_file"}
    await walk.submit(mode="merge", file=str(uuid4()))
    assert walk.errors == {"file": "file_gone"}
    await walk.submit(mode="merge", file=await upload(b"#" * (MAX_SIZE + 5)))
    assert walk.errors == {"file": "invalid_mapping"}
    assert "2 MB" in walk.result["description_placeholders"]["faults"]
    await walk.submit(mode="merge", file=await upload(b"\xff\x00\x01"))
    assert walk.errors == {"file": "invalid_mapping"}
    await walk.submit(mode="merge", file=await upload(b"\xef\xbb\xbf" + LIGHT.encode()))
    assert walk.step == "import_preview"
    assert (await walk.submit()).saved
    assert bound(offline).keys() == {"LightSwitch"}


@pytest.mark.parametrize(
    ("language", "faults"),
    [
        (
            "en",
            [
                "bindings → light.lamp → 1 → conversion → scale: expected a number other than 0, but found: 0",
                "bindings → light.lamp → 2: aspect is missing.",
            ],
        ),
        (
            "zh-Hans",
            [
                "bindings → light.lamp → 1 → conversion → scale：此处应为非零的数，而现在是：0",
                "bindings → light.lamp → 2：缺少 aspect。",
            ],
        ),
    ],
)
async def test_faults_are_listed_in_the_users_language(
    hass: HomeAssistant, offline: MockConfigEntry, language: str, faults: list[str]
) -> None:
    """All faults are listed at once, nothing is imported, and the text stays in the form."""
    hass.config.language = language
    text = (
        HEAD + "bindings:\n  light.lamp: [{identifier: A, aspect: power, conversion: {scale: 0}}, {identifier: B}]\n"
        "  switch.kettle: [{identifier: C, aspect: power}]\n"
    )
    walk = await offered(hass, offline, text)
    assert walk.errors == {"mapping": "invalid_mapping"}
    assert walk.values["mapping"] == text
    assert walk.description().endswith("**\n" + "\n".join(f"- {line}" for line in faults))
    assert not bound(offline)


async def test_missing_entities_can_be_imported(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """They are listed in a warning, and are reported once they exist."""
    entry = await set_up()
    text = HEAD + (
        "bindings:\n"
        "  input_boolean.late: [{identifier: LightSwitch, aspect: power}]\n"
        "  light.lamp: [{identifier: Stranger, aspect: power}, {identifier: Brightness, aspect: colour}]\n"
    )
    walk = await offered(hass, entry, text)
    warnings = walk.description().split("**")[-1]
    assert "input_boolean.late does not exist here" in warnings
    assert "Stranger: the thing model has no such property." in warnings
    assert "Brightness: Lamp has no colour." in warnings
    assert (await walk.submit()).saved

    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"late": {"initial": True}}})
    await hass.async_block_till_done()
    await device.wait_for(lambda device: device.properties.get("LightSwitch", (None,))[0] == 1)
    assert device.connections == 1


async def test_export_contains_entity_ids(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Registry ids, which survive renames, are stored but never exported, even for removed entities."""
    registry = er.async_get(hass)
    lamp = registry.async_get_or_create("light", "demo", "1", suggested_object_id="bulb")
    gone = registry.async_get_or_create("light", "demo", "2", suggested_object_id="gone")
    hass.states.async_set("light.bulb", "on", {"supported_color_modes": ["onoff"]})
    await _import(
        hass,
        offline,
        HEAD + "bindings: {light.bulb: [{identifier: A, aspect: power}], light.gone: [{identifier: B, aspect: power}]}",
    )
    assert {one.entity for one in exposed_bindings(offline)} == {lamp.id, gone.id}

    registry.async_update_entity("light.bulb", new_entity_id="light.renamed")
    registry.async_remove("light.gone")
    text = await exported(hass, offline)
    assert Document.parse(read_text(text)).bindings == {
        "A": Binding("A", "light.renamed", "power"),
        "B": Binding("B", "light.gone", "power"),
    }
    assert (await offered(hass, offline, text, "replace")).errors == {"base": "nothing_changes"}


async def test_property_moves_to_the_exposure_of_another_entity(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """A property that is bound to another entity by an import moves to the other subentry."""
    await _import(hass, offline, LIGHT)
    await _import(
        hass, offline, HEAD + "bindings: {switch.kettle: [{identifier: LightSwitch, aspect: power}]}", mode="replace"
    )
    [exposure] = offline.subentries.values()
    assert (exposure.title, exposure.unique_id) == ("Kettle · LightSwitch", "entity:switch.kettle")
    await _import(hass, offline, HEAD, mode="replace")
    assert not offline.subentries


async def test_rules_are_imported_by_names(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Areas and devices with other ids are found by a unique name."""
    kitchen = ar.async_get(hass).async_create("厨房")
    owner = MockConfigEntry()
    owner.add_to_hass(hass)
    oven = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("demo", "oven")}, name="Oven"
    )
    data = {
        "selection": {"include": {"area_id": [kitchen.id], "device_id": [oven.id], "entity_id": [LAMP]}},
        "left_out": [{"entity": LAMP, "aspect": "effect"}],
        "bound": [{"entity": LAMP, "aspect": "power"}],
    }
    source = MockConfigEntry(
        domain=DOMAIN,
        data={"product_key": PRODUCT_KEY},
        subentries_data=[
            ConfigSubentryData(data=data, subentry_type="rule", title="Kitchen", unique_id=None),
            ConfigSubentryData(data=data, subentry_type="rule", title="Kitchen", unique_id=None),
        ],
    )
    source.add_to_hass(hass)
    text = await exported(hass, source)
    assert f"{kitchen.id}: 厨房" in text
    assert f"{oven.id}: Oven" in text
    assert "Kitchen (2):" in text

    elsewhere = text.replace(kitchen.id, "area_of_there").replace(oven.id, "f" * 32)
    elsewhere = elsewhere.replace("Kitchen (2)", "Attic")
    elsewhere += "  Cellar:\n    include: {area_id: {under: 地下室}, label_id: [dark]}\n"
    elsewhere += "bindings: {light.lamp: [{identifier: LightSwitch, aspect: power, rule: Kitchen}]}\n"
    walk = await offered(hass, offline, elsewhere)
    assert "Rule Kitchen" in walk.description()
    assert "地下室 does not exist here" in walk.description()
    assert (await walk.submit()).saved
    rules = {offline.subentries[rule_id].title: rule for rule_id, rule in rules_of(offline).items()}
    assert rules.keys() == {"Kitchen", "Attic", "Cellar"}
    assert rules["Kitchen"].selection.include.area_id == (kitchen.id,)
    assert rules["Kitchen"].selection.include.device_id == (oven.id,)
    assert rules["Cellar"].selection.include.area_id == ("under",)
    assert not rules["Kitchen"].bound
    [binding] = exposed_bindings(offline)
    assert offline.subentries[binding.rule].title == "Kitchen"
    assert (await offered(hass, offline, await exported(hass, offline), "replace")).errors == {
        "base": "nothing_changes"
    }

    await _import(hass, offline, elsewhere.replace("    left_out:\n      light.lamp:\n        - effect\n", ""))
    rules = {offline.subentries[rule_id].title: rule for rule_id, rule in rules_of(offline).items()}
    assert not rules["Kitchen"].left_out
    await _import(hass, offline, HEAD, mode="replace")
    assert not offline.subentries


async def test_services_are_changed_and_removed(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """A changed service keeps its subentry, and a service that is not in the document is removed."""
    hass.states.async_set("script.wash", "off")
    await _import(hass, offline, HEAD + "services: {Wash: {actions: [{delay: 1}]}}", confirmed=True)
    [before] = offline.subentries
    await _import(hass, offline, HEAD + "services: {Wash: {script: script.wash}}", confirmed=True)
    assert service_bindings(offline) == {"Wash": ServiceBinding("Wash", script="script.wash")}
    assert list(offline.subentries) == [before]
    await _import(hass, offline, LIGHT, mode="replace")
    assert not service_bindings(offline)


async def test_changed_binding_keeps_its_position(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The order of the bindings in a subentry is kept."""
    two = LIGHT + "    - {identifier: Brightness, aspect: brightness}\n"
    await _import(hass, offline, two)
    await _import(hass, offline, two.replace("brightness}", "brightness, conversion: {invert: true}}"))
    assert list(bound(offline).values()) == [
        Binding("Brightness", LAMP, "brightness", conversion=Conversion(invert=True)),
        Binding("LightSwitch", LAMP, "power", Access.BOTH),
    ]
    assert len(offline.subentries) == 1


async def _import(
    hass: HomeAssistant, entry: MockConfigEntry, text: str, *, mode: str = "merge", confirmed: bool = False
) -> None:
    walk = await offered(hass, entry, text, mode)
    assert walk.step == "import_preview", walk.result
    assert (await walk.submit(**({"confirmed": True} if confirmed else {}))).saved


def _named(entry: MockConfigEntry, identifier: str) -> str:
    name = entry.runtime_data.device.model.properties[identifier].name
    return identifier if name == identifier else f"{name} [{identifier}]"
