"""Export and import of the mapping by actions."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import service_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.mapping.document.text import write_text
from simulator import CloudDevice

from .application import SetProperties
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .house import LAMP, bound, furnish
from .waiting import until

LIGHT = {"light.lamp": [{"identifier": "LightSwitch", "aspect": "power", "access": "both"}]}
DOOR = {"lock.door": [{"identifier": "Bolt", "aspect": "locked", "access": "both", "confirmed": True}]}


def document(**parts: Any) -> dict[str, Any]:
    """Return a document with these parts."""
    return {"format": "aliyun_iot_mapping", "version": 1, **parts}


async def export(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return the response of the export."""
    data = {"config_entry_id": entry.entry_id}
    return await hass.services.async_call(DOMAIN, "export_mapping", data, blocking=True, return_response=True)


async def import_mapping(
    hass: HomeAssistant, entry: MockConfigEntry, mapping: object, **options: Any
) -> dict[str, Any]:
    """Import a mapping and return the response."""
    data = {"config_entry_id": entry.entry_id, "mapping": mapping, **options}
    return await hass.services.async_call(DOMAIN, "import_mapping", data, blocking=True, return_response=True)


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Create the entities."""
    furnish(hass)


async def test_imported_bindings_work_at_once(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, house: None, set_properties: SetProperties
) -> None:
    """In both directions, without reconnecting."""
    entry = await set_up()
    answer = await import_mapping(
        hass,
        entry,
        document(
            bindings={
                "input_boolean.lamp": [{"identifier": "LightSwitch", "aspect": "power", "access": "both"}],
                "sensor.cellar": [{"identifier": "CurrentTemperature", "aspect": "value"}],
            }
        ),
    )
    assert answer == {
        "added": {"bindings": ["CurrentTemperature", "LightSwitch"], "services": [], "events": [], "rules": []},
        "changed": {"bindings": [], "services": [], "events": [], "rules": []},
        "removed": {"bindings": [], "services": [], "events": [], "rules": []},
        "unchanged": 0,
        "sub_devices": {},
        "warnings": [],
        "risky": [],
    }
    await device.wait_for(lambda _: device.properties.get("CurrentTemperature", (None,))[0] == 12.5)
    assert (await set_properties(LightSwitch=1)).code == 200
    assert hass.states.get("input_boolean.lamp").state == "on"
    await device.wait_for(lambda _: device.properties.get("LightSwitch", (None,))[0] == 1)
    assert device.connections == 1


async def test_imported_rule_is_followed(hass: HomeAssistant, device: CloudDevice, set_up: SetUp, house: None) -> None:
    """Its bindings keep the identifiers of the document, and it binds other matching entities."""
    entry = await set_up()
    await import_mapping(
        hass,
        entry,
        document(
            bindings={"input_boolean.lamp": [{"identifier": "LightSwitch", "aspect": "power", "rule": "Helpers"}]},
            rules={"Helpers": {"include": {"entity_id": ["input_boolean.lamp", "sensor.cellar"]}}},
        ),
    )
    await hass.async_block_till_done()
    rule = next(subentry for subentry in entry.subentries.values() if subentry.subentry_type == "rule")
    assert {binding.identifier: binding.rule for binding in bound(entry).values()} == {
        "LightSwitch": rule.subentry_id,
        "CurrentTemperature": rule.subentry_id,
    }
    assert device.connections == 1
    exported = await export(hass, entry)
    assert exported["bindings"]["sensor.cellar"][0]["rule"] == "Helpers"
    assert (await import_mapping(hass, entry, exported, mode="replace"))["unchanged"] == 3

    await import_mapping(hass, entry, document(), mode="replace")
    await hass.async_block_till_done()
    assert not entry.subentries


async def test_export_can_be_imported(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_ws_client: WebSocketGenerator
) -> None:
    """As JSON from the browser and as text; it has nothing of the device, and its import changes nothing."""
    entry = await set_up(
        [{"identifier": "LightSwitch", "entity": LAMP, "aspect": "power", "access": "both"}],
        [{"identifier": "Wash", "actions": [{"action": "light.turn_on", "data": {"x": "客厅"}}]}],
    )
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "call_service",
            "domain": DOMAIN,
            "service": "export_mapping",
            "service_data": {"config_entry_id": entry.entry_id},
            "return_response": True,
        }
    )
    exported = (await client.receive_json())["result"]["response"]
    assert exported == document(
        bindings=LIGHT, services={"Wash": {"actions": [{"action": "light.turn_on", "data": {"x": "客厅"}}]}}
    )
    for secret in (DEVICE_SECRET, PRODUCT_KEY, DEVICE_NAME, "127.0.0.1", entry.entry_id):
        assert secret not in write_text(exported)

    modified = entry.modified_at
    for mapping in (exported, write_text(exported)):
        answer = await import_mapping(hass, entry, mapping, mode="replace")
        assert answer["unchanged"] == 2
        assert not any(names for change in ("added", "changed", "removed") for names in answer[change].values())
    assert entry.modified_at == modified


async def test_modes(hass: HomeAssistant, set_up: SetUp) -> None:
    """Merging is the default; a dry run returns the same and changes nothing."""
    entry = await set_up(
        [
            {"identifier": "LightSwitch", "entity": LAMP, "aspect": "power"},
            {"identifier": "CurrentTemperature", "entity": "sensor.cellar", "aspect": "value"},
        ]
    )
    mapping = document(bindings=LIGHT)
    tried = await import_mapping(hass, entry, mapping, mode="replace", dry_run=True)
    assert (tried["changed"]["bindings"], tried["removed"]["bindings"]) == (["LightSwitch"], ["CurrentTemperature"])
    assert bound(entry)["LightSwitch"].access is Access.REPORT

    await import_mapping(hass, entry, mapping)
    assert bound(entry).keys() == {"LightSwitch", "CurrentTemperature"}
    assert bound(entry)["LightSwitch"].access is Access.BOTH
    assert (await import_mapping(hass, entry, mapping, mode="replace"))["removed"]["bindings"] == ["CurrentTemperature"]
    assert bound(entry).keys() == {"LightSwitch"}


async def test_risky_import_has_to_be_allowed(hass: HomeAssistant, set_up: SetUp) -> None:
    """Otherwise nothing is imported, and the error lists the risky items."""
    entry = await set_up()
    mapping = document(bindings={**DOOR, **LIGHT}, services={"Open": {"actions": [{"action": "lock.open"}]}})
    [bolt, opening] = (await import_mapping(hass, entry, mapping, dry_run=True))["risky"]
    assert "Door" in bolt
    assert "lock.open" in opening
    with pytest.raises(ServiceValidationError) as error:
        await import_mapping(hass, entry, mapping)
    assert error.value.translation_key == "import_risky"
    assert error.value.translation_placeholders == {"list": f"{bolt}; {opening}"}
    assert not bound(entry)

    await import_mapping(hass, entry, mapping, allow_risky=True)
    assert bound(entry)["Bolt"] == Binding("Bolt", "lock.door", "locked", Access.BOTH, confirmed=True)
    assert service_bindings(entry).keys() == {"Open"}
    assert (await import_mapping(hass, entry, mapping))["unchanged"] == 3


async def test_import_into_another_installation(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Registered entities are found by their ids; the response lists those that do not exist yet."""
    lamp = er.async_get(hass).async_get_or_create("light", "demo", "1", suggested_object_id="ceiling")
    hass.states.async_set("light.ceiling", "on", {"supported_color_modes": ["onoff"]})
    entry = await set_up()
    answer = await import_mapping(
        hass,
        entry,
        document(
            bindings={
                "light.ceiling": [{"identifier": "LightSwitch", "aspect": "power"}],
                "sensor.of_the_other_house": [{"identifier": "CurrentTemperature", "aspect": "value"}],
            }
        ),
    )
    assert bound(entry)["LightSwitch"].entity == lamp.id
    assert len(answer["warnings"]) == 1
    assert answer["warnings"][0].startswith("sensor.of_the_other_house does not exist here.")
    await device.wait_for(lambda _: "LightSwitch" in device.properties)
    assert "CurrentTemperature" not in device.properties


@pytest.mark.parametrize(
    ("mapping", "fault"),
    [
        ("bindings:\n\t- x", "Line 2"),
        ("a: !secret b", "!secret"),
        ({"version": 1}, "aliyun_iot_mapping"),
        (document(bindings={"light.lamp": [{"identifier": "A", "aspect": "power", "scale": 2}]}), "1 → scale"),
        ({**document(), "version": 3}, "has version 3"),
    ],
)
async def test_invalid_mapping_is_refused(hass: HomeAssistant, set_up: SetUp, mapping: object, fault: str) -> None:
    """The error has the place of the fault, and nothing is changed."""
    entry = await set_up([{"identifier": "LightSwitch", "entity": LAMP, "aspect": "power"}])
    with pytest.raises(ServiceValidationError) as error:
        await import_mapping(hass, entry, mapping, mode="replace")
    assert error.value.translation_key == "invalid_mapping"
    assert fault in error.value.translation_placeholders["faults"]
    assert bound(entry).keys() == {"LightSwitch"}


async def test_import_without_a_connection(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a lost connection nor an entry that isn't set up matters."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 60)
    entry = await set_up()
    device.connection.close("the cloud has other plans")
    await until(lambda: entry.runtime_data.link.state != "online")
    await import_mapping(hass, entry, document(bindings=LIGHT))
    assert bound(entry).keys() == {"LightSwitch"}

    await hass.config_entries.async_unload(entry.entry_id)
    await import_mapping(hass, entry, document(), mode="replace")
    assert not bound(entry)
    assert await export(hass, entry) == document()


async def test_only_administrators_may_export_and_import(hass: HomeAssistant, set_up: SetUp) -> None:
    """As in the options; an automation has no user."""
    entry = await set_up()
    guest = MockUser(is_owner=False)
    guest.add_to_hass(hass)
    for action, data in (("export_mapping", {}), ("import_mapping", {"mapping": document(bindings=LIGHT)})):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                DOMAIN,
                action,
                {"config_entry_id": entry.entry_id, **data},
                blocking=True,
                context=Context(user_id=guest.id),
                return_response=True,
            )
    assert not bound(entry)


async def test_unknown_entry_is_refused(hass: HomeAssistant, set_up: SetUp) -> None:
    """One that doesn't exist, or one of another integration."""
    await set_up()
    stranger = MockConfigEntry(domain="demo")
    stranger.add_to_hass(hass)
    for entry in (stranger, MockConfigEntry(domain=DOMAIN)):
        with pytest.raises(HomeAssistantError) as error:
            await export(hass, entry)
        assert error.value.translation_key == "no_such_device"


async def test_events_are_exported_and_imported(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """An event may have several sources; unchanged ones are kept, and changes work at once."""
    entry = await set_up()
    bell = er.async_get(hass).async_get_or_create("event", "test", "bell", original_name="Bell")
    smoke = {"triggers": [{"trigger": "event", "event_type": "smoke"}], "output": {"Zone": "hall"}}
    ring = {"entity": bell.entity_id}
    events = {"HighTemperatureAlarm": [ring, smoke], "Stranger": [smoke]}
    answer = await import_mapping(hass, entry, document(events=events))
    assert answer["added"]["events"] == ["HighTemperatureAlarm", "Stranger"]
    assert answer["warnings"] == ["Stranger: the thing model has no such event."]
    assert (await export(hass, entry))["events"] == events
    assert {subentry.title for subentry in entry.subentries.values()} == {
        f"HighTemperatureAlarm · {bell.entity_id}",
        "HighTemperatureAlarm",
        "Stranger",
    }
    await hass.async_block_till_done()
    hass.bus.async_fire("smoke")
    await device.wait_for(lambda _: device.events)
    assert device.events[0].output == {"Zone": "hall"}

    kept = {key for key, subentry in entry.subentries.items() if subentry.data.get("entity") == bell.id}
    replaced = document(events={"HighTemperatureAlarm": [ring, {"entity": "event.gong"}]})
    answer = await import_mapping(hass, entry, replaced, mode="replace")
    assert (answer["changed"]["events"], answer["removed"]["events"]) == (["HighTemperatureAlarm"], ["Stranger"])
    assert answer["warnings"] == [
        "event.gong does not exist here. Everything that belongs to it is imported, and works as soon as it exists."
    ]
    assert len(entry.subentries) == 2
    assert kept < entry.subentries.keys()
    answer = await import_mapping(hass, entry, replaced, mode="replace")
    assert answer["unchanged"] == 1
