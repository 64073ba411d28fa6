"""The pages of the options that store, compare and remove a thing model."""

from copy import deepcopy
from io import BytesIO
import json
from typing import Any
from zipfile import ZipFile

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.exposures import add_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.stored_device import model_document
from simulator import CloudDevice, CodeFault, Simulator

from .conftest import PRODUCT_KEY, SetUp, Upload
from .house import LAMP, bound, entry_with, furnish
from .walk import Walk


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


@pytest.fixture
def offline(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> MockConfigEntry:
    """Return an entry with a thing model that is not set up; most pages need no connection."""
    return entry_with(hass, {"thing_model": deepcopy(thing_model_document)})


async def test_menu_offers_possible_steps_only(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Generating needs bindings, and removing needs a stored thing model."""
    ways_in = ["thing_model_fetch", "thing_model_upload", "thing_model_paste"]
    empty = entry_with(hass, {})
    assert (await Walk.options(hass, empty, "thing_model")).result["menu_options"] == [*ways_in, "overview"]
    assert (await Walk.options(hass, offline, "thing_model")).result["menu_options"] == [
        *ways_in, "thing_model_forget", "overview"
    ]  # fmt: skip
    add_bindings(hass, empty, [Binding("Power", LAMP, "power")])
    assert (await Walk.options(hass, empty, "thing_model")).result["menu_options"] == [
        *ways_in, "thing_model_generate", "overview"
    ]  # fmt: skip


async def test_modules_that_the_document_only_lists_are_named(
    hass: HomeAssistant, offline: MockConfigEntry, thing_model_document: dict[str, Any]
) -> None:
    """The export of the default module lists the custom modules, whose features are in files of their own."""
    listed = [{"functionBlockId": module, "functionBlockName": module} for module in ("battery", "location0")]
    document = {**thing_model_document, "functionBlocks": listed}
    warning = "does not contain them. Their features stay unknown until you import all modules together"
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_paste")
    await walk.submit(thing_model=json.dumps(document))
    assert walk.step == "thing_model_confirm"
    assert warning in walk.description()
    assert "\n- battery\n- location0\n\n" in walk.description()

    complete = [document, *({**one, "properties": []} for one in listed)]
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_paste")
    await walk.submit(thing_model=json.dumps(complete))
    assert walk.step == "thing_model_confirm"
    assert warning not in walk.description()


async def test_thing_model_is_pasted(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """Its contents and consequences are shown before it is stored, and it is applied without a reconnect."""
    mode = {"identifier": "HVACMode", "entity": LAMP, "aspect": "power"}
    light = {"identifier": "LightSwitch", "entity": LAMP, "aspect": "power", "access": "both"}
    gone = {"identifier": "Brightness", "entity": "light.gone", "aspect": "brightness"}
    service = {"identifier": "Unheard", "actions": [{"action": "homeassistant.check_config"}]}
    entry = await set_up([light, mode, gone], services=[service])
    properties = thing_model_document["properties"]
    document = thing_model_document | {
        "properties": [
            one | {"accessMode": "r"} for one in properties if one["identifier"] not in ("HVACMode", "LastSeen")
        ]
    }
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_paste")
    await walk.submit(thing_model=json.dumps(document))
    assert walk.step == "thing_model_confirm"
    assert walk.description() == (
        "Properties: 12, events: 3, services: 3.\n\n"
        "**Removed**\n- `HVACMode` HVAC mode\n- `LastSeen` Last seen\n\n"
        "**Changed**\n"
        "- `LightSwitch` Light switch: can be set → read-only\n"
        "- `Brightness`: can be set → read-only\n"
        "- `ColorTemperature` Color temperature: can be set → read-only\n"
        "- `RGBColor` RGB color: can be set → read-only\n"
        "- `TargetTemperature` Target temperature: can be set → read-only\n"
        "- `Schedule` Heating schedule: can be set → read-only\n"
        "- `ZoneLevels` Zone levels: can be set → read-only\n"
        "- `GatewayName` Gateway name: can be set → read-only\n\n"
        "These bindings do not fit the thing model and will not work until they are changed or removed:\n"
        "- LightSwitch: The thing model does not let the cloud set LightSwitch. Select Report.\n"
        "- HVACMode: the thing model has no such property.\n"
        "- Unheard: the thing model has no such service."
    )
    assert "HVACMode" in entry.runtime_data.device.model.properties

    await walk.submit()
    assert walk.saved
    await hass.async_block_till_done()
    assert "HVACMode" not in entry.runtime_data.device.model.properties
    assert device.connections == 1


@pytest.mark.parametrize(
    ("text", "error", "placeholders"),
    [
        ("{", "not_a_thing_model", {}),
        ('{"no": "model"}', "not_a_thing_model", {}),
        ('{"properties": [{"identifier": "a b"}]}', "invalid_thing_model", {"path": "properties[0].identifier"}),
        (
            '{"profile": {"productKey": "a1Other"}, "properties": []}',
            "other_product",
            {"found": "a1Other", "wanted": PRODUCT_KEY},
        ),
    ],
)
async def test_invalid_text_is_refused(
    hass: HomeAssistant,
    offline: MockConfigEntry,
    thing_model_document: dict[str, Any],
    text: str,
    error: str,
    placeholders: dict[str, str],
) -> None:
    """The page shows the position of the error and keeps the text, so that it can be corrected."""
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_paste")
    await walk.submit(thing_model=text)
    assert walk.errors == {"base": error}
    assert walk.result["description_placeholders"].items() >= placeholders.items()
    assert walk.values == {"thing_model": text}

    del thing_model_document["profile"]
    await walk.submit(thing_model=json.dumps(thing_model_document))
    assert walk.step == "thing_model_confirm"
    await walk.submit()
    assert walk.saved


async def test_thing_model_is_fetched_from_the_cloud(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """An instance that provides it saves the export from the console."""
    entry = await set_up(options={"thing_model": None})
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_fetch")
    assert walk.step == "thing_model_confirm"
    await walk.submit()
    await hass.async_block_till_done()
    assert "LightSwitch" in entry.runtime_data.device.model.properties


async def test_reason_of_a_failed_fetch_is_shown(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    thing_model_document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each reason is shown together with the other ways to get the thing model."""
    entry = await set_up(options={"thing_model": None})
    cloud.faults.answer_code = CodeFault(6321, 1)
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_fetch")
    assert walk.result["menu_options"] == [
        "thing_model_upload", "thing_model_paste", "thing_model_fetch", "overview"
    ]  # fmt: skip
    assert "The cloud did not provide the thing model, code 6321: " in walk.description()

    monkeypatch.setattr("custom_components.aliyun_iot.flows.thing_model_pages.FETCH_TIMEOUT", 0.01)
    cloud.faults.set(ignore_topics=["thing/dsltemplate/get"])
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_fetch")
    assert "The cloud did not reply" in walk.description()
    cloud.faults.set(ignore_topics=[])
    monkeypatch.undo()
    await walk.choose("thing_model_fetch")
    assert walk.step == "thing_model_confirm"

    await entry.runtime_data.suspend()
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_fetch")
    assert "The device is not connected" in walk.description()

    await hass.config_entries.async_unload(entry.entry_id)
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_fetch")
    assert "The device is not connected" in walk.description()
    await walk.choose("thing_model_paste")
    await walk.submit(thing_model=json.dumps(thing_model_document))
    await walk.submit()
    assert walk.saved


async def test_errors_of_a_document_are_translated(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The description of the error is in the language of the installation, like the page."""
    hass.config.language = "zh-Hans"
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_paste")
    await walk.submit(thing_model='{"properties": [{"identifier": "A", "dataType": {"type": "uuid"}}]}')
    assert walk.result["description_placeholders"] == {
        "path": "properties[0].dataType.type",
        "problem": "应为 int、float、double、bool、enum、text、date、struct、array 之一，而不是“uuid”",
    }


async def test_differences_are_shown(
    hass: HomeAssistant, offline: MockConfigEntry, thing_model_document: dict[str, Any]
) -> None:
    """The page lists new, removed and changed properties, events and services, and the affected bindings."""
    add_bindings(
        hass,
        offline,
        [
            Binding("LightSwitch", LAMP, "power", Access.BOTH),
            Binding("CurrentTemperature", "sensor.cellar", "value"),
        ],
    )
    properties = {one["identifier"]: one for one in thing_model_document["properties"]}
    properties["Brightness"]["dataType"]["specs"] |= {"max": "50", "unit": "lx"}
    properties["CurrentTemperature"]["dataType"]["specs"]["unit"] = "V"
    properties["LightSwitch"]["accessMode"] = "r"
    properties["GatewayName"]["name"] = "Called"
    properties["LastSeen"]["desc"] = "Nobody minds."
    del properties["HVACMode"]
    added = {"identifier": "Door", "name": "门", "dataType": {"type": "bool", "specs": {"0": "关", "1": "开"}}}
    events = thing_model_document["events"]
    next(one for one in events if one["identifier"] == "SceneActivated")["type"] = "alert"
    services = [one for one in thing_model_document["services"] if one["identifier"] != "Restart"]
    next(one for one in services if one["identifier"] == "RunScene")["callType"] = "sync"
    changed = thing_model_document | {"properties": [*properties.values(), added], "services": services}

    walk = await Walk.options(hass, offline, "thing_model", "thing_model_paste")
    await walk.submit(thing_model=json.dumps(changed))

    assert walk.description() == (
        "Properties: 14, events: 3, services: 2.\n\n"
        "**New**\n- `Door` 门: 0 (关) or 1 (开), read-only\n\n"
        "**Removed**\n- `HVACMode` HVAC mode\n- `Restart`\n\n"
        "**Changed**\n"
        "- `LightSwitch` Light switch: can be set → read-only\n"
        "- `Brightness`: integer 0 to 100 %, step 1 → integer 0 to 50 lx, step 1\n"
        "- `CurrentTemperature` Current temperature: number -40 to 125 °C, step 0.1 → number -40 to 125 V, step 0.1\n"
        "- `GatewayName` Called: Gateway name → Called\n"
        "- `SceneActivated` Scene activated: info → alert\n"
        "- `RunScene` Run scene: asynchronous → synchronous\n\n"
        "These bindings do not fit the thing model and will not work until they are changed or removed:\n"
        "- LightSwitch: The thing model does not let the cloud set LightSwitch. Select Report.\n"
        "- CurrentTemperature: °C and V differ, and Home Assistant can't convert them: "
        "enter a scale, or select that the units are the same."
    )


async def test_same_thing_model_has_no_differences(
    hass: HomeAssistant, offline: MockConfigEntry, thing_model_document: dict[str, Any]
) -> None:
    """The page says so; without a stored thing model it shows no comparison."""
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_paste")
    await walk.submit(thing_model=json.dumps(thing_model_document))
    assert walk.description().endswith("\n\nIt is the same as the current thing model.")

    walk = await Walk.options(hass, entry_with(hass, {}), "thing_model", "thing_model_paste")
    await walk.submit(thing_model=json.dumps(thing_model_document))
    assert walk.description() == "Properties: 14, events: 3, services: 3.\n\n"


async def test_long_list_of_differences_is_shortened(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """The rest is counted."""
    many = [{"identifier": f"P{number}", "dataType": {"type": "int"}} for number in range(250)]
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_paste")
    await walk.submit(thing_model=json.dumps({"properties": many}))
    assert "- `P19`: integer, read-only\n- and 230 more\n" in walk.description()
    assert "P20`" not in walk.description()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_file_is_uploaded(
    hass: HomeAssistant,
    upload: Upload,
    thing_model_document: dict[str, Any],
    encoding: str,
) -> None:
    """Several encodings are accepted."""
    entry = entry_with(hass, {})
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_upload")
    await walk.submit(file=await upload(json.dumps(thing_model_document, ensure_ascii=False).encode(encoding)))
    await walk.submit()
    assert walk.saved
    assert ThingModel.parse(model_document(entry)) == ThingModel.parse(thing_model_document)


async def test_archive_of_modules_is_uploaded(hass: HomeAssistant, upload: Upload) -> None:
    """The console exports one file per module; files that macOS adds are ignored."""
    power = {"identifier": "Power", "dataType": {"type": "bool"}}
    archive = BytesIO()
    with ZipFile(archive, "w") as files:
        files.writestr("tsl/kitchen.json", json.dumps({"functionBlockId": "kitchen", "properties": [power]}))
        files.writestr("tsl/default.json", b"\xef\xbb\xbf" + json.dumps({"properties": [power]}).encode())
        files.writestr("tsl/readme.txt", "{")
        files.writestr("__MACOSX/tsl/._default.json", b"\x00\x05")
    entry = entry_with(hass, {})
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_upload")
    await walk.submit(file=await upload(archive.getvalue()))
    await walk.submit()
    assert ThingModel.parse(model_document(entry)).properties.keys() == {"Power", "kitchen:Power"}


def _archive(members: dict[str, bytes]) -> bytes:
    archive = BytesIO()
    with ZipFile(archive, "w", 8) as files:
        for name, content in members.items():
            files.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("content", "error", "problem"),
    [
        (b"\xff\xfe\xfa", "not_a_thing_model", "this is not text in UTF-8"),
        ("温度".encode("gbk"), "not_a_thing_model", "this is not text in UTF-8"),
        (b" " * 600_000, "not_a_thing_model", "this has 600000 bytes; a thing model has at most 524288"),
        (b"x" * 9_000_000, "not_a_thing_model", "this has 8388609 bytes; a thing model has at most 8388608"),
        (b"PK\x03\x04rubbish", "not_a_thing_model", "this archive can't be unpacked"),
        (_archive({"notes.txt": b"{}"}), "not_a_thing_model", "there is no JSON file in this archive"),
        (_archive({"bomb.json": bytes(9_000_000)}), "not_a_thing_model", "this has 9000000 bytes; a thing model has at most 8388608"),
        (_archive({"a.json": b'{"properties": [{}]}'}), "invalid_thing_model", "is missing"),
    ],
    ids=["cut off", "GBK", "too long", "far too long", "damaged", "without a model", "bomb", "with a fault"],
)  # fmt: skip
async def test_invalid_file_is_refused(
    hass: HomeAssistant,
    upload: Upload,
    offline: MockConfigEntry,
    content: bytes,
    error: str,
    problem: str,
) -> None:
    """The page shows the error, and another file can be chosen."""
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_upload")
    await walk.submit(file=await upload(content))
    assert (walk.step, walk.errors) == ("thing_model_upload", {"base": error})
    assert walk.result["description_placeholders"]["problem"] == problem
    await walk.submit(file=await upload(b'{"properties": []}'))
    assert walk.step == "thing_model_confirm"


async def test_expired_upload_is_refused(hass: HomeAssistant, offline: MockConfigEntry) -> None:
    """Home Assistant keeps an upload until it is read once or until a restart."""
    walk = await Walk.options(hass, offline, "thing_model", "thing_model_upload")
    await walk.submit(file="0" * 32)
    assert walk.errors == {"file": "file_gone"}


@pytest.mark.parametrize("way", ["thing_model_paste", "thing_model_forget"])
async def test_invalid_stored_thing_model_can_be_replaced(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any], way: str
) -> None:
    """The device stays connected, and the options work; a valid one, or none, is used at once."""
    entry = await set_up(options={"thing_model": {"properties": [{"identifier": "a b"}]}})
    assert not entry.runtime_data.device.model.properties
    walk = await Walk.options(hass, entry, "thing_model", way)
    if way == "thing_model_paste":
        await walk.submit(thing_model=json.dumps(thing_model_document))
        assert walk.step == "thing_model_confirm"
    await walk.submit()
    await hass.async_block_till_done()
    model = entry.runtime_data.device.model
    assert (model is None) if way == "thing_model_forget" else model.properties
    assert device.connections == 1


async def test_thing_model_is_removed(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Bindings stay and keep working without a reconnect."""
    entry = await set_up([{"identifier": "LightSwitch", "entity": LAMP, "aspect": "power"}])
    walk = await Walk.options(hass, entry, "thing_model", "thing_model_forget")
    await walk.submit()
    await hass.async_block_till_done()
    assert entry.runtime_data.device.model is None
    assert bound(entry).keys() == {"LightSwitch"}
    assert device.connections == 1
