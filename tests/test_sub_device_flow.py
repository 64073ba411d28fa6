"""The pages that make many devices of the house sub-devices, and change one."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.health.issues import Issue, issues_of
from custom_components.aliyun_iot.stored_device import thing_model_of
from custom_components.aliyun_iot.sub_device_row import SubDeviceRow, identities_of, sub_device_row
from simulator import Simulator
from simulator.core.product import NodeType

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp, Upload
from .sub_house import SECRET, add_device, entity_of
from .waiting import until
from .walk import Walk
from .workbooks import shared

LAMPS, PLUGS = "a1FlowLamps", "a1FlowPlugs"
AREA = {"target": {"area_id": ["study"]}, "integrations": [], "leave_out": {}, "also": {}}


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin at once after a connect, and look often."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.gateway.RECONNECT_SPREAD", 0.0)
    monkeypatch.setattr("custom_components.aliyun_iot.flows.sub_device_pages.LOOK_INTERVAL", 0.01)


@pytest.fixture
def house(hass: HomeAssistant) -> None:
    """Furnish the study with lamps and plugs."""
    for name in ("书桌灯", "落地灯", "台灯"):
        add_device(hass, name, area="Study", model="Lamp 1", supported_color_modes=["brightness"], brightness=128)
    add_device(hass, "Plug", area="Study", model="Plug 2", domain="switch")


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """Return the entry of a gateway without sub-devices."""
    return await set_up(options={"thing_model": None})


async def to_the_source(hass: HomeAssistant, entry: MockConfigEntry) -> Walk:
    """Choose all devices of the study and their products, and have the thing models made."""
    walk = await Walk.add_subentry(hass, entry, "sub_device")
    await walk.submit(**AREA)
    assert walk.step == "devices"
    assert len(walk.choices("devices")) == 4
    await walk.submit(**walk.values)
    assert walk.step == "product"
    await walk.submit(product_key=LAMPS)
    assert walk.step == "product"
    await walk.submit(product_key=PLUGS)
    documents = []
    while walk.step == "model":
        documents.append(json.loads(walk.values["thing_model"]))
        await walk.submit(**walk.values)
    assert [document["profile"]["productKey"] for document in documents] == [LAMPS, PLUGS]
    identifiers = {prop["identifier"] for prop in documents[0]["properties"]}
    assert identifiers == {"LightSwitch", "Brightness"}
    assert walk.step == "source"
    return walk


def names_of(walk: Walk) -> dict[str, str]:
    """Return the DeviceNames by device, as the page shows them."""
    lines = walk.values["names"].splitlines()
    return {title: name for name, title in (line.split(" = ") for line in lines)}


def add_to_cloud(cloud: Simulator, names: dict[str, str], secret: str = SECRET) -> None:
    """Create the devices in the cloud."""
    for title, name in names.items():
        cloud.add_device(PLUGS if title == "Plug" else LAMPS, name, secret)


async def to_the_names(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> Walk:
    """Walk to the page with the names, for devices that the gateway registers."""
    for product_key in (LAMPS, PLUGS):
        cloud.add_product(product_key, dynamic_registration=True)
    walk = await to_the_source(hass, entry)
    await walk.choose("register")
    return walk


async def test_many_registered_through_the_gateway(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, house: None
) -> None:
    """From an area to devices that are online with their values, in one pass."""
    walk = await to_the_names(hass, entry, cloud)
    assert walk.step == "names"
    names = names_of(walk)
    assert names["书桌灯"] == "shu-zhuo-deng"
    add_to_cloud(cloud, names, "unknown")
    await walk.submit(**walk.values)
    assert walk.step == "added"
    assert walk.result["description_placeholders"]["online"] == "4"
    await walk.submit()
    assert walk.aborted == "sub_devices_added"
    lamp = cloud.device(LAMPS, "shu-zhuo-deng")
    await lamp.wait_for(lambda device: set(device.properties) == {"LightSwitch", "Brightness"})
    model = thing_model_of(entry, LAMPS)
    assert model
    assert set(model.properties) == {"LightSwitch", "Brightness"}
    owner = identities_of(entry)[LAMPS, "shu-zhuo-deng"]
    assert {binding.identifier for binding in exposed_bindings(entry, owner)} == set(model.properties)

    # What is a sub-device already is not offered again.
    walk = await Walk.add_subentry(hass, entry, "sub_device")
    await walk.submit(**AREA)
    assert walk.errors == {"base": "no_device"}


async def test_reload_while_they_come_online(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, house: None
) -> None:
    """The page with the progress waits for the entry."""
    walk = await to_the_names(hass, entry, cloud)
    add_to_cloud(cloud, names_of(walk), "unknown")

    async def reload() -> None:
        await until(lambda: len(entry.subentries) == 4)
        await hass.config_entries.async_reload(entry.entry_id)

    reloading = hass.async_create_task(reload())
    await walk.submit(**walk.values)
    await reloading
    assert walk.step == "added"
    assert walk.result["description_placeholders"]["online"] == "4"


async def test_list_is_matched_by_name(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, house: None, upload: Upload
) -> None:
    """The console's export in GBK; one name is found by its nickname, the others by their names or in order."""
    walk = await to_the_source(hass, entry)
    await walk.choose("list")
    rows = [
        f"SN-0001,{SECRET},{LAMPS},台灯",
        f"shu-zhuo-deng,{SECRET},{LAMPS},",
        f"LuoDiDeng,{SECRET},{LAMPS},",
        f"SN-0002,{SECRET},{PLUGS},",
    ]
    text = "\n".join(["DeviceName,DeviceSecret,ProductKey,备注名称", *rows])
    await walk.submit(list=text + f"\nSN-0002,{SECRET},{PLUGS},")
    assert walk.errors == {"base": "list_duplicates"}
    assert SECRET not in str(walk.result)
    await walk.submit(file=await upload(text.encode("gbk")))
    assert walk.step == "names"
    names = names_of(walk)
    assert names == {"台灯": "SN-0001", "书桌灯": "shu-zhuo-deng", "落地灯": "LuoDiDeng", "Plug": "SN-0002"}
    assert SECRET not in str(walk.result)
    changed = walk.values["names"].replace("SN-0002", "SN-0003")
    await walk.submit(names=changed)
    assert walk.errors == {"names": "names_unlisted"}
    add_to_cloud(cloud, names)
    await walk.submit(names=changed.replace("SN-0003", "SN-0002"))
    assert walk.step == "added"
    assert walk.result["description_placeholders"]["online"] == "4"


async def test_list_in_a_workbook(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, house: None, upload: Upload
) -> None:
    """The console's export as it is; a damaged one is refused, and the page asks again."""
    walk = await to_the_source(hass, entry)
    await walk.choose("list")
    names = {"台灯": "SN-0001", "书桌灯": "shu-zhuo-deng", "落地灯": "LuoDiDeng", "Plug": "SN-0002"}
    rows = [[name, SECRET, PLUGS if title == "Plug" else LAMPS, title] for title, name in names.items()]
    content = shared([["DeviceName", "DeviceSecret", "ProductKey", "备注名称"], *rows])
    await walk.submit(file=await upload(content[:-100]))
    assert walk.errors == {"base": "list_excel"}
    await walk.submit(file=await upload(content))
    assert names_of(walk) == names


async def test_list_with_what_was_added_before(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, house: None
) -> None:
    """The export of a batch is pasted again for the next devices; its first ones are not proposed for others."""
    text = "\n".join([*(f"{LAMPS},SN-000{number},{SECRET}" for number in range(1, 4)), f"{PLUGS},SN-0001,{SECRET}"])
    cloud.add_product(LAMPS, dynamic_registration=True)
    walk = await Walk.add_subentry(hass, entry, "sub_device")
    await walk.submit(**AREA)
    await walk.submit(devices=[key for key, title in walk.choices("devices").items() if title.startswith("书桌灯")])
    await walk.submit(product_key=LAMPS)
    await walk.submit(**walk.values)
    await walk.choose("list")
    await walk.submit(list="\n".join(text.splitlines()[:3]))
    add_to_cloud(cloud, {"书桌灯": "SN-0001"})
    assert names_of(walk) == {"书桌灯": "SN-0001"}
    await walk.submit(**walk.values)
    assert walk.step == "added"

    walk = await Walk.add_subentry(hass, entry, "sub_device")
    await walk.submit(**AREA)
    await walk.submit(**walk.values)
    await walk.submit(product_key=LAMPS)
    await walk.submit(product_key=PLUGS)
    await walk.submit(**walk.values)
    await walk.choose("list")
    await walk.submit(list=text)
    names = names_of(walk)
    assert sorted(names.values()) == ["SN-0001", "SN-0002", "SN-0003"]
    assert names["Plug"] == "SN-0001"
    add_to_cloud(cloud, names)
    await walk.submit(**walk.values)
    assert walk.step == "added"


async def test_product_secret(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, house: None) -> None:
    """The gateway registers with the secrets of the products, and keeps none of them afterwards."""
    for product_key in (LAMPS, PLUGS):
        cloud.add_product(product_key, secret=f"secret{product_key}", dynamic_registration=True)
    walk = await to_the_source(hass, entry)
    await walk.choose("secret")
    await walk.submit(product_secret="not one")
    assert walk.errors == {"product_secret": "invalid_product_secret"}
    await walk.submit(product_secret=f"secret{LAMPS}")
    await walk.submit(product_secret=f"secret{PLUGS}")
    add_to_cloud(cloud, names_of(walk), "unknown")
    await walk.submit(**walk.values)
    assert walk.result["description_placeholders"]["online"] == "4"
    rows = [sub_device_row(entry.subentries[owner]) for owner in identities_of(entry).values()]
    assert all(isinstance(row, SubDeviceRow) and row.device_secret and not row.product_secret for row in rows)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: text.replace("shu-zhuo-deng", "x"), "names_invalid"),
        (lambda text: text.replace("shu-zhuo-deng", "luo-di-deng"), "names_doubled"),
        (lambda text: "\n".join(text.splitlines()[1:]), "names_lines"),
        (lambda text: "\n".join([*text.splitlines()[1:], text.splitlines()[0]]), "names_lines"),
    ],
)
async def test_bad_names(hass: HomeAssistant, entry: MockConfigEntry, house: None, change: Any, error: str) -> None:
    """Nothing is stored."""
    walk = await to_the_source(hass, entry)
    await walk.choose("register")
    await walk.submit(names=change(walk.values["names"]))
    assert walk.errors == {"names": error}
    assert not identities_of(entry)
    assert thing_model_of(entry, LAMPS) is None


async def test_bad_products(hass: HomeAssistant, entry: MockConfigEntry, house: None) -> None:
    """A ProductKey of another form, that of the gateway, and a thing model of another product."""
    walk = await Walk.add_subentry(hass, entry, "sub_device")
    await walk.submit(**{**AREA, "target": {}})
    assert walk.errors == {"target": "nothing_selected"}
    await walk.submit(**AREA)
    await walk.submit(devices=[])
    assert walk.errors == {"devices": "nothing_selected"}
    await walk.submit(devices=list(walk.choices("devices"))[:1])
    await walk.submit(product_key="no key")
    assert walk.errors == {"product_key": "invalid_product_key"}
    await walk.submit(product_key=PRODUCT_KEY)
    assert walk.errors == {"product_key": "product_of_gateway"}
    await walk.submit(product_key=LAMPS, thing_model="{}")
    assert walk.errors == {"base": "not_a_thing_model"}
    model = {"profile": {"productKey": PLUGS}, "properties": [], "events": [], "services": []}
    await walk.submit(product_key=LAMPS, thing_model=json.dumps(model))
    assert walk.errors == {"base": "other_product"}


@pytest.mark.parametrize(
    ("node_type", "registration", "issue", "reason"),
    [
        (NodeType.DEVICE, True, Issue.NOT_A_GATEWAY, "not a gateway"),
        (NodeType.GATEWAY, False, Issue.SUB_DEVICE_REGISTRATION_REFUSED, "dynamic registration"),
    ],
)
async def test_what_the_cloud_refuses_is_said(
    hass: HomeAssistant,
    cloud: Simulator,
    set_up: SetUp,
    house: None,
    node_type: NodeType,
    registration: bool,
    issue: Issue,
    reason: str,
) -> None:
    """The last page names the cause, a repair stays, and nothing is lost."""
    cloud._platform.registry.products.pop(PRODUCT_KEY, None)
    cloud._platform.registry.devices.pop((PRODUCT_KEY, DEVICE_NAME), None)
    cloud.add_product(PRODUCT_KEY, node_type=node_type)
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
    entry = await set_up(options={"thing_model": None})
    for product_key in (LAMPS, PLUGS):
        cloud.add_product(product_key, dynamic_registration=registration)
    walk = await to_the_source(hass, entry)
    await walk.choose("register")
    add_to_cloud(cloud, names_of(walk))
    await walk.submit(**walk.values)
    assert walk.step == "added"
    assert walk.result["description_placeholders"]["online"] == "0"
    assert reason in walk.result["description_placeholders"]["failed"]
    await until(lambda: issue in {one.translation_key for one in issues_of(hass, entry.entry_id)})
    assert len(identities_of(entry)) == 4


async def test_change_one(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, house: None) -> None:
    """Its bindings, its secret, and another try; a stored secret is never shown."""
    walk = await to_the_source(hass, entry)
    await walk.choose("list")
    names = ["shu-zhuo-deng", "luo-di-deng", "tai-deng"]
    text = "\n".join([*(f"{LAMPS},{name},{SECRET}" for name in names), f"{PLUGS},plug,{SECRET}"])
    await walk.submit(list=text)
    wrong = "badbadbadbadbadbadbadbadbadbad00"
    add_to_cloud(cloud, names_of(walk) | {"书桌灯": "other"})
    cloud.add_device(LAMPS, "shu-zhuo-deng", wrong)
    await walk.submit(**walk.values)
    assert walk.result["description_placeholders"]["online"] == "3"
    assert "wrong secret" in walk.result["description_placeholders"]["failed"]

    owner = identities_of(entry)[LAMPS, "shu-zhuo-deng"]
    walk = await Walk.reconfigure_subentry(hass, entry, owner)
    assert walk.result["menu_options"] == ["retry", "add_one", "custom", "edit", "remove", "identity"]
    assert "wrong secret" in walk.description()
    await walk.choose("identity")
    assert SECRET not in str(walk.result)
    await walk.submit(product_key=LAMPS, device_name="luo-di-deng", register=False)
    assert walk.errors == {"device_name": "identity_taken"}
    await walk.submit(product_key=LAMPS, device_name="shu-zhuo-deng", device_secret=wrong, register=False)
    assert walk.aborted == "reconfigure_successful"
    await cloud.device(LAMPS, "shu-zhuo-deng").wait_for(lambda device: device.online)

    walk = await Walk.reconfigure_subentry(hass, entry, owner, "remove")
    await walk.submit(bindings=["Brightness"])
    assert walk.step == "reconfigure"
    assert [binding.identifier for binding in exposed_bindings(entry, owner)] == ["LightSwitch"]
    await walk.choose("add_one")
    await walk.submit(entity=entity_of(hass, "书桌灯"))
    assert walk.step == "binding"
    assert list(walk.choices("identifier")) == ["Brightness"]
    sections: dict[str, Any] = {"conversion": {}, "reporting": {}}
    await walk.submit(aspect="brightness", identifier="Brightness", access="report", **sections)
    assert {binding.identifier for binding in exposed_bindings(entry, owner)} == {"LightSwitch", "Brightness"}
