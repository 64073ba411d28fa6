"""Export and import of sub-devices: their names, what they stand for and their mappings, but no secrets."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import (
    add_bindings,
    event_bindings,
    exposed_bindings,
    service_bindings,
)
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.mapping.document.text import write_text
from custom_components.aliyun_iot.stored_device import options_with_model
from custom_components.aliyun_iot.sub_device_row import SubDeviceRow, add_sub_devices, identities_of, sub_device_row
from custom_components.aliyun_iot.transfer_services import async_register_transfer_actions
from simulator import Simulator

from .conftest import PRODUCT_KEY, SetUp
from .house import furnish
from .sub_house import LAMPS, SECRET, entity_of, new_lamp
from .test_transfer_pages import HEAD, exported, offered
from .test_transfer_services import document, export, import_mapping

LAMP_1, LAMP_2 = (LAMPS, "lamp-1"), (LAMPS, "lamp-2")


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house; most stories need no connection, only the actions."""
    furnish(hass)
    async_register_transfer_actions(hass)


def gateway(hass: HomeAssistant, name: str = "gw-1") -> MockConfigEntry:
    """Return the entry of a gateway that is not set up."""
    entry = MockConfigEntry(domain=DOMAIN, title=name, data={"product_key": PRODUCT_KEY, "device_name": name})
    entry.add_to_hass(hass)
    return entry


async def house_of_lamps(hass: HomeAssistant) -> MockConfigEntry:
    """Return a gateway with a binding of its own, and two lamps, the first with a service and an event."""
    entry = gateway(hass)
    add_bindings(hass, entry, [Binding("Power", "switch.kettle", "power")])
    add_sub_devices(hass, entry, [new_lamp(hass, "Lamp 1", "lamp-1"), new_lamp(hass, "Lamp 2", "lamp-2")])
    block = {
        "product_key": LAMPS,
        "device_name": "lamp-1",
        "services": {"Wink": {"actions": [{"action": "light.toggle"}]}},
        "events": {"Rang": [{"triggers": [{"trigger": "event", "event_type": "ring"}]}]},
    }
    await import_mapping(
        hass,
        entry,
        document(services={"Wink": {"actions": [{"delay": 1}]}}, sub_devices=[block]),
        allow_risky=True,
    )
    return entry


def row_of(entry: MockConfigEntry, identity: tuple[str, str]) -> SubDeviceRow:
    """Return the stored identity of a sub-device."""
    row = sub_device_row(entry.subentries[owner_of(entry, identity)])
    assert isinstance(row, SubDeviceRow)
    return row


def owner_of(entry: MockConfigEntry, identity: tuple[str, str]) -> str:
    """Return the id of the subentry of a sub-device."""
    return {tuple(key): owner for key, owner in identities_of(entry).items()}[identity]


async def test_house_moves_into_an_empty_gateway(hass: HomeAssistant) -> None:
    """An export imported elsewhere gives the same mapping of each device and the same export, without the secrets."""
    entry = await house_of_lamps(hass)
    lamp = entity_of(hass, "Lamp 1")
    text = await exported(hass, entry)
    assert SECRET not in text
    answer = await export(hass, entry)
    assert answer["bindings"].keys() == {"switch.kettle"}
    assert answer["sub_devices"][0] == {
        "product_key": LAMPS,
        "device_name": "lamp-1",
        "title": "Lamp 1",
        "stands_for": {"device_id": {row_of(entry, LAMP_1).stands_for.removeprefix("device:"): "Lamp 1"}},
        "bindings": {lamp: [{"identifier": "Power", "aspect": "power", "access": "both"}]},
        "services": {"Wink": {"actions": [{"action": "light.toggle"}]}},
        "events": {"Rang": [{"triggers": [{"trigger": "event", "event_type": "ring"}]}]},
    }

    other = gateway(hass, "gw-2")
    walk = await offered(hass, other, text)
    assert "Sub-device Lamp 1 (a1SubLamps.lamp-1), stands for Lamp 1" in walk.description()
    assert "Lamp 1: Service Wink: `light.toggle`" in walk.description().split("**")[2]
    assert (await walk.submit(confirmed=True)).saved
    assert await exported(hass, other) == text
    for identity in (LAMP_1, LAMP_2):
        here, there = owner_of(entry, identity), owner_of(other, identity)
        assert exposed_bindings(other, there) == exposed_bindings(entry, here) != []
        assert service_bindings(other, there).keys() == service_bindings(entry, here).keys()
        assert len(event_bindings(other, there)) == len(event_bindings(entry, here))
        assert row_of(other, identity).device_secret is None
        assert row_of(other, identity).stands_for == row_of(entry, identity).stands_for
    # The own device and a sub-device may both have a service of that name.
    assert service_bindings(other)["Wink"].actions == [{"delay": 1}]


async def test_import_changes_what_is_in_the_document_only(hass: HomeAssistant) -> None:
    """One that exists keeps its secret, its title and its position, and one that is not in the document keeps everything."""
    entry = await house_of_lamps(hass)
    before = await export(hass, entry)
    lamp = entity_of(hass, "Lamp 1")
    block = {
        "product_key": LAMPS,
        "device_name": "lamp-1",
        "bindings": {lamp: [{"identifier": "Power", "aspect": "power"}]},
    }
    answer = await import_mapping(hass, entry, document(sub_devices=[block]))
    assert answer["sub_devices"].keys() == {f"{LAMPS}.lamp-1"}
    assert answer["sub_devices"][f"{LAMPS}.lamp-1"]["change"] == "unchanged"
    assert answer["sub_devices"][f"{LAMPS}.lamp-1"]["changed"]["bindings"] == ["Power"]
    assert exposed_bindings(entry, owner_of(entry, LAMP_1))[0].access is Access.REPORT
    assert row_of(entry, LAMP_1).device_secret == SECRET
    assert (await export(hass, entry))["sub_devices"][1] == before["sub_devices"][1]

    answer = await import_mapping(hass, entry, document(sub_devices=[{**block, "title": "Desk"}]))
    assert answer["sub_devices"][f"{LAMPS}.lamp-1"]["change"] == "changed"
    assert entry.subentries[owner_of(entry, LAMP_1)].title == "Desk"
    assert row_of(entry, LAMP_1).device_secret == SECRET
    assert (await import_mapping(hass, entry, await export(hass, entry), mode="replace"))["sub_devices"] == {}


async def test_sub_devices_are_removed_only_as_shown(hass: HomeAssistant) -> None:
    """A document without them leaves them alone; one that lists others removes them, which the page shows first."""
    entry = await house_of_lamps(hass)
    await import_mapping(hass, entry, document(), mode="replace")
    assert not exposed_bindings(entry)
    assert len(identities_of(entry)) == 2
    assert service_bindings(entry, owner_of(entry, LAMP_1)).keys() == {"Wink"}

    walk = await offered(hass, entry, f"{HEAD}sub_devices: [{{product_key: {LAMPS}, device_name: lamp-2}}]", "replace")
    shown = walk.description().split("**")
    assert shown[1] == "Sub-devices that are removed, with their secrets and everything that is bound of them"
    assert "Lamp 1 (a1SubLamps.lamp-1)" in shown[2]
    assert "Lamp 2" not in shown[2]
    assert (await walk.submit()).saved
    assert [*map(tuple, identities_of(entry))] == [LAMP_2]
    assert {subentry.subentry_type for subentry in entry.subentries.values()} == {"sub_device"}
    assert row_of(entry, LAMP_2).device_secret == SECRET
    assert not exposed_bindings(entry, owner_of(entry, LAMP_2))


async def test_thing_model_of_its_product_checks_a_sub_device(hass: HomeAssistant) -> None:
    """Misfits and risks name the sub-device; the thing model of the gateway has no say."""
    entry = gateway(hass)
    model = {"properties": [], "services": [], "events": []}
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, model, LAMPS))
    block = {
        "product_key": LAMPS,
        "device_name": "door-1",
        "title": "Door",
        "bindings": {"lock.door": [{"identifier": "Bolt", "aspect": "locked", "access": "both", "confirmed": True}]},
        "services": {"Open": {"script": "script.open"}},
    }
    mapping = document(sub_devices=[block])
    with pytest.raises(ServiceValidationError) as error:
        await import_mapping(hass, entry, mapping)
    assert error.value.translation_key == "import_risky"
    assert "Door: Service Open" in error.value.translation_placeholders["list"]
    assert not entry.subentries
    answer = await import_mapping(hass, entry, mapping, allow_risky=True)
    assert len(answer["risky"]) == 2
    assert answer["warnings"][0].startswith("script.open does not exist here")
    assert "Door: Open: the thing model has no such service." in answer["warnings"]
    assert any(line.startswith("Door: Bolt: ") for line in answer["warnings"])
    assert entry.subentries[owner_of(entry, (LAMPS, "door-1"))].title == "Door"


@pytest.mark.parametrize(
    ("language", "fault"),
    [
        ("en", "sub_devices → 1 → device_secret: secrets are not accepted in a document."),
        ("zh-Hans", "sub_devices → 1 → device_secret：文档中不能有密钥，请删除。"),
    ],
)
async def test_secrets_are_refused(hass: HomeAssistant, language: str, fault: str) -> None:
    """On the page and by the action, without repeating the secret."""
    hass.config.language = language
    entry = gateway(hass)
    block = {"product_key": LAMPS, "device_name": "lamp-1", "device_secret": SECRET}
    walk = await offered(hass, entry, write_text(document(sub_devices=[block])))
    assert walk.errors == {"mapping": "invalid_mapping"}
    assert fault in walk.result["description_placeholders"]["faults"].replace("\\", "")
    assert SECRET not in walk.result["description_placeholders"]["faults"]
    with pytest.raises(ServiceValidationError) as error:
        await import_mapping(hass, entry, document(sub_devices=[block]))
    assert SECRET not in str(error.value)
    assert not entry.subentries


async def test_what_a_sub_device_stands_for_is_found_here(hass: HomeAssistant) -> None:
    """An entity by its id, a device by its id or its name, as in rules; a device that is not here changes nothing."""
    device = new_lamp(hass, "Lamp 1", "lamp-1").row.stands_for
    entry = gateway(hass)

    async def imported(**block: Any) -> tuple[str, list[str]]:
        mapping = document(sub_devices=[{"product_key": LAMPS, "device_name": "lamp-1", **block}])
        answer = await import_mapping(hass, entry, mapping)
        assert (await import_mapping(hass, entry, mapping, mode="replace"))["sub_devices"] == {}
        return row_of(entry, LAMP_1).stands_for, answer["warnings"]

    nowhere = {"device_id": {"elsewhere": "Lamp 7"}}
    stranger = "does not exist here. Everything that belongs to it is imported, and works as soon as it exists."
    assert await imported() == ("", [])
    assert await imported(stands_for=nowhere) == ("", [f"Lamp 7 {stranger}"])
    assert await imported(stands_for={"device_id": {"elsewhere": "Lamp 1"}}) == (device, [])
    assert await imported(stands_for=nowhere) == (device, [f"Lamp 7 {stranger}"])
    lamp = entity_of(hass, "Lamp 1")
    stored, _ = await imported(stands_for={"entity_id": lamp})
    assert stored == f"entity:{er.async_get(hass).async_get(lamp).id}"
    assert (await export(hass, entry))["sub_devices"][0]["stands_for"] == {"entity_id": lamp}
    assert await imported(stands_for={"device_id": device.removeprefix("device:")}) == (device, [])
    assert await imported() == (device, [])
    assert await imported(stands_for={"entity_id": "light.gone"}) == ("entity:light.gone", [f"light.gone {stranger}"])


async def test_gateway_is_no_sub_device_of_itself(hass: HomeAssistant) -> None:
    """It is left out, and the preview says so."""
    entry = gateway(hass)
    block = {"product_key": PRODUCT_KEY, "device_name": "gw-1"}
    answer = await import_mapping(hass, entry, document(sub_devices=[block]))
    assert answer["warnings"] == [f"{PRODUCT_KEY}.gw-1 is this device itself, so it is left out as a sub-device."]
    assert answer["sub_devices"] == {}
    assert not entry.subentries


async def test_imported_sub_device_comes_online(hass: HomeAssistant, set_up: SetUp, cloud: Simulator) -> None:
    """A new one is registered by its name, and posts its values and events; removed by an import, it leaves the topology."""
    cloud.add_product(LAMPS, dynamic_registration=True)
    cloud.add_device(LAMPS, "lamp-1", SECRET)
    entry = await set_up(options={"thing_model": None})
    new_lamp(hass, "Lamp 1", "lamp-1")
    block = {
        "product_key": LAMPS,
        "device_name": "lamp-1",
        "bindings": {entity_of(hass, "Lamp 1"): [{"identifier": "Power", "aspect": "power"}]},
        "events": {"Rang": [{"triggers": [{"trigger": "event", "event_type": "ring"}]}]},
    }
    await import_mapping(hass, entry, document(sub_devices=[block]))
    lamp = cloud.device(LAMPS, "lamp-1")
    await lamp.wait_for(lambda device: device.online and device.properties.get("Power", (None,))[0] == 1)
    await hass.async_block_till_done()
    hass.bus.async_fire("ring")
    await lamp.wait_for(lambda device: [event.identifier for event in device.events] == ["Rang"])
    secret = row_of(entry, LAMP_1).device_secret
    assert secret
    assert secret not in write_text(await export(hass, entry))

    answer = await import_mapping(hass, entry, document(sub_devices=[]), mode="replace")
    assert answer["sub_devices"][f"{LAMPS}.lamp-1"]["change"] == "removed"
    await lamp.wait_for(lambda device: not device.online)
    assert not entry.subentries
