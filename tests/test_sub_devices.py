"""A house of devices: sub-devices behind the gateway, from Home Assistant to the cloud and back."""

import asyncio
from collections import Counter
from datetime import timedelta
import gc
import json
import pkgutil
import tracemalloc
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot import sub_device_row as sub_device_row_module
from custom_components.aliyun_iot.availability import Availability
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import change_bindings, exposed_bindings
from custom_components.aliyun_iot.health.issues import Issue, issues_of
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.repairs import async_create_fix_flow
from custom_components.aliyun_iot.stored_device import StoredDevice, options_with_model, thing_model_of
from custom_components.aliyun_iot.sub_device_row import SubDeviceRow, add_sub_devices, identities_of, sub_device_row
from custom_components.aliyun_iot.sub_devices import AT_ONCE
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .sub_house import LAMPS, SECRET, add_lamps_in_the_cloud, entity_of, new_lamp
from .waiting import until
from .walk import Walk

NAMES = ("lamp-1", "lamp-2", "lamp-3")


@pytest.fixture(autouse=True)
def no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin at once after a connect."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.gateway.RECONNECT_SPREAD", 0.0)


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """Return the entry of a gateway without sub-devices."""
    return await set_up(options={"thing_model": None})


async def add(hass: HomeAssistant, entry: MockConfigEntry, *devices: Any) -> list[str]:
    """Add sub-devices and return their owners."""
    owners = add_sub_devices(hass, entry, devices)
    await hass.async_block_till_done()
    return owners


async def online(cloud: Simulator, *names: str) -> None:
    """Wait until sub-devices are online in the cloud."""
    for name in names:
        await cloud.device(LAMPS, name).wait_for(lambda device: device.online)


async def offline(cloud: Simulator, *names: str) -> None:
    """Wait until sub-devices are offline in the cloud."""
    for name in names:
        await cloud.device(LAMPS, name).wait_for(lambda device: not device.online)


def connected(hass: HomeAssistant, entry: MockConfigEntry, owner: str) -> Any:
    """Return the state of the binary sensor of a sub-device."""
    key = f"{StoredDevice(entry, owner).key}_connected"
    entity_id = er.async_get(hass).async_get_entity_id("binary_sensor", DOMAIN, key)
    return hass.states.get(entity_id) if entity_id else None


async def set_in_cloud(cloud: Simulator, name: str, **values: object) -> Any:
    """Set properties of a sub-device as an application in the cloud does, and return the answer."""
    device = cloud.device(LAMPS, name)
    result = await cloud.call("SetDeviceProperty", ProductKey=LAMPS, DeviceName=name, Items=json.dumps(values))
    return await device.wait_reply(result["Data"]["MessageId"])


async def test_removed_and_added_again_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, device: CloudDevice
) -> None:
    """Whatever the gateway is doing with it at the moment, it is online at last, or out of the topology."""
    add_lamps_in_the_cloud(cloud, NAMES[:1])
    lamp = new_lamp(hass, "Lamp", "lamp-1")
    for number in range(6):
        (owner,) = add_sub_devices(hass, entry, [lamp])
        await asyncio.sleep(0.01 * number)
        hass.config_entries.async_remove_subentry(entry, owner)
        await asyncio.sleep(0.003 * number)
    (owner,) = add_sub_devices(hass, entry, [lamp])
    await online(cloud, "lamp-1")
    await until(lambda: (state := connected(hass, entry, owner)) is not None and state.state == "on")
    assert len(device.sub_devices) == 1
    hass.config_entries.async_remove_subentry(entry, owner)
    await until(lambda: not device.sub_devices)


async def test_each_device_of_the_house_is_a_device_of_the_cloud(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator
) -> None:
    """They come online with their values, each by its own names, and are shown beside the gateway."""
    add_lamps_in_the_cloud(cloud, NAMES)
    owners = await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name, area="Study") for name in NAMES))
    await online(cloud, *NAMES)
    hass.states.async_set(entity_of(hass, "Lamp 2"), "off", {})
    await cloud.device(LAMPS, "lamp-2").wait_for(lambda device: device.properties.get("Power", (None,))[0] == 0)
    await cloud.device(LAMPS, "lamp-1").wait_for(lambda device: device.properties.get("Power", (None,))[0] == 1)
    await until(lambda: connected(hass, entry, owners[0]).state == "on")

    devices = dr.async_get(hass)
    shown = devices.async_get_device_by_identifier((DOMAIN, StoredDevice(entry, owners[0]).key), entry.entry_id)
    gateway = devices.async_get_device_by_identifier((DOMAIN, entry.entry_id), entry.entry_id)
    assert shown
    assert gateway
    assert (shown.name, shown.model, shown.via_device_id) == ("Lamp 1", LAMPS, gateway.id)
    assert shown.area_id == "study"
    assert (shown.config_entry_id, shown.config_subentry_id) == (entry.entry_id, owners[0])


async def test_command_reaches_the_entity_of_the_sub_device(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator
) -> None:
    """Identifiers are unique in a device only: the same property of another sub-device is not touched."""
    calls: list[Any] = []
    hass.services.async_register("light", "turn_off", lambda call: calls.append(call.data["entity_id"]))
    add_lamps_in_the_cloud(cloud, NAMES)
    await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES))
    await online(cloud, *NAMES)
    reply = await set_in_cloud(cloud, "lamp-2", Power=0)
    assert reply.code == 200
    assert calls == [[entity_of(hass, "Lamp 2")]] or calls == [entity_of(hass, "Lamp 2")]


async def test_online_in_the_cloud_while_available(hass: HomeAssistant, set_up: SetUp, cloud: Simulator) -> None:
    """A device that is unavailable for long is logged out, and its return logs it in."""
    entry = await set_up(options={"thing_model": None, "offline_delay": 0})
    add_lamps_in_the_cloud(cloud, NAMES[:2])
    owners = await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES[:2]))
    await online(cloud, *NAMES[:2])
    lamp = entity_of(hass, "Lamp 1")
    hass.states.async_set(lamp, "unavailable")
    await offline(cloud, "lamp-1")
    assert cloud.device(LAMPS, "lamp-2").online
    await until(lambda: connected(hass, entry, owners[0]).state == "off")
    assert connected(hass, entry, owners[0]).attributes["reason"] == "offline"

    hass.states.async_set(lamp, "off")
    await cloud.device(LAMPS, "lamp-1").wait_for(
        lambda device: device.online and device.properties.get("Power", (None,))[0] == 0
    )


async def test_short_outage_does_not_count(hass: HomeAssistant) -> None:
    """Only what lasts longer than the delay does, and one entity that is there is enough."""
    told: list[tuple[str, bool]] = []

    def changed(owner: str, *, available: bool) -> None:
        told.append((owner, available))

    availability = Availability(hass, lambda: 60.0, changed)
    hass.states.async_set("light.one", "on")
    hass.states.async_set("sensor.one", "5")
    hass.states.async_set("light.two", "unavailable")
    availability.follow(
        {"one": frozenset({"light.one", "sensor.one"}), "two": frozenset({"light.two"}), "all": frozenset()}
    )
    assert told == []
    await availability.start()
    assert told == [("one", True), ("two", False), ("all", True)]
    told.clear()

    async def later(seconds: float) -> None:
        await hass.async_block_till_done()
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
        await hass.async_block_till_done()

    hass.states.async_set("light.one", "unavailable")
    await later(70)
    hass.states.async_set("sensor.one", "unavailable")
    await later(50)
    hass.states.async_set("light.one", "off")
    await later(70)
    assert told == []
    hass.states.async_set("light.one", "unavailable")
    await later(70)
    hass.states.async_set("light.two", "on")
    await hass.async_block_till_done()
    assert told == [("one", False), ("two", True)]
    availability.stop()


async def test_unavailable_at_first(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """A device that is unavailable when Home Assistant starts is not logged in."""
    add_lamps_in_the_cloud(cloud, NAMES[:2])
    lamps = [new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES[:2]]
    hass.states.async_set(entity_of(hass, "Lamp 1"), "unavailable")
    await add(hass, entry, *lamps)
    await online(cloud, "lamp-2")
    assert not cloud.device(LAMPS, "lamp-1").connections


async def test_secret_is_registered_and_stored(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """A sub-device without a secret gets one through the gateway, which is stored before it is used."""
    cloud.add_product(LAMPS, dynamic_registration=True)
    add_lamps_in_the_cloud(cloud, NAMES[:1], "unknown")
    [owner] = await add(hass, entry, new_lamp(hass, "Lamp 1", "lamp-1", None))
    await online(cloud, "lamp-1")
    row = sub_device_row(entry.subentries[owner])
    assert isinstance(row, SubDeviceRow)
    assert row.device_secret == cloud.device(LAMPS, "lamp-1").device_secret != "unknown"
    assert [binding.identifier for binding in exposed_bindings(entry, owner)] == ["Power"]
    assert row.device_secret not in repr(row)


async def test_wrong_secret_among_many(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """The others come online, and a repair names the one and the cure."""
    names = [f"lamp-{number}" for number in range(1, 51)]
    add_lamps_in_the_cloud(cloud, names)
    lamps = [new_lamp(hass, f"Lamp {name}", name) for name in names[:49]]
    await add(hass, entry, *lamps, new_lamp(hass, "Lamp lamp-50", "lamp-50", "wr0ngwr0ngwr0ngwr0ngwr0ng"))
    await online(cloud, *names[:49])
    await until(lambda: issues_of(hass, entry.entry_id))
    [issue] = issues_of(hass, entry.entry_id)
    assert issue.translation_key == Issue.SUB_DEVICE_SECRET_REFUSED
    assert issue.translation_placeholders
    assert (
        "Lamp lamp\\-50 · lamp\\-50" in issue.translation_placeholders["devices"]
        or "lamp-50" in (issue.translation_placeholders["devices"])
    )
    assert issue.translation_placeholders["count"] == "1"
    assert not cloud.device(LAMPS, "lamp-50").online

    # The right secret is entered, and the issue goes.
    owner = identities_of(entry)[(LAMPS, "lamp-50")]
    subentry = entry.subentries[owner]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "device_secret": cloud.device(LAMPS, "lamp-50").device_secret}
    )
    await online(cloud, "lamp-50")
    await until(lambda: not issues_of(hass, entry.entry_id))


async def test_removed_sub_device_leaves_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, device: CloudDevice
) -> None:
    """It is logged out and taken out of the topology, with its entity and its device."""
    add_lamps_in_the_cloud(cloud, NAMES[:2])
    owners = await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES[:2]))
    await online(cloud, *NAMES[:2])
    key = StoredDevice(entry, owners[0]).key
    hass.config_entries.async_remove_subentry(entry, owners[0])
    await hass.async_block_till_done()
    await offline(cloud, "lamp-1")
    await device.wait_for(lambda gateway: list(gateway.sub_devices) == [(LAMPS, "lamp-2")])
    assert dr.async_get(hass).async_get_device_by_identifier((DOMAIN, key), entry.entry_id) is None
    assert cloud.device(LAMPS, "lamp-2").online


async def test_removed_device_of_home_assistant(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, device: CloudDevice
) -> None:
    """A repair offers to remove its sub-device as well."""
    add_lamps_in_the_cloud(cloud, NAMES[:1])
    await add(hass, entry, new_lamp(hass, "Lamp 1", "lamp-1"))
    await online(cloud, "lamp-1")
    registered = er.async_get(hass).async_get(entity_of(hass, "Lamp 1"))
    assert registered
    assert registered.device_id
    dr.async_get(hass).async_remove_device(registered.device_id)
    await hass.async_block_till_done()
    await until(lambda: Issue.SUB_DEVICE_WITHOUT_DEVICE in {i.translation_key for i in issues_of(hass, entry.entry_id)})
    assert {issue.translation_key for issue in issues_of(hass, entry.entry_id)} == {Issue.SUB_DEVICE_WITHOUT_DEVICE}
    entry.runtime_data.sub_devices.remove_orphans()
    await device.wait_for(lambda gateway: not gateway.sub_devices)
    await until(lambda: not issues_of(hass, entry.entry_id))
    assert not identities_of(entry)


async def test_unload_logs_out_and_keeps_the_topology(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, device: CloudDevice
) -> None:
    """An unloaded gateway has no sub-devices online, and a loaded one has them again."""
    add_lamps_in_the_cloud(cloud, NAMES)
    await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES))
    await online(cloud, *NAMES)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    await offline(cloud, *NAMES)
    assert len(device.sub_devices) == 3
    assert await hass.config_entries.async_setup(entry.entry_id)
    await online(cloud, *NAMES)


async def test_reconnect_logs_all_in_again(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, device: CloudDevice
) -> None:
    """What happened meanwhile is posted."""
    add_lamps_in_the_cloud(cloud, NAMES)
    await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES))
    await online(cloud, *NAMES)
    assert device.connection
    device.connection.close("test", lost=True)
    hass.states.async_set(entity_of(hass, "Lamp 3"), "off")
    await online(cloud, *NAMES)
    await cloud.device(LAMPS, "lamp-3").wait_for(lambda lamp: lamp.properties.get("Power", (None,))[0] == 0)


async def test_unreadable_identity_is_a_problem_of_its_row(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator
) -> None:
    """The others work, and no text has the secret."""
    add_lamps_in_the_cloud(cloud, NAMES[:2])
    owners = await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES[:2]))
    await online(cloud, *NAMES[:2])
    subentry = entry.subentries[owners[0]]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "product_key": "not a key", "device_secret": "s3cret"}
    )
    await hass.async_block_till_done()
    await until(lambda: ir.async_get(hass).async_get_issue(DOMAIN, f"{Issue.ROWS_UNREADABLE}_{entry.entry_id}"))
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{Issue.ROWS_UNREADABLE}_{entry.entry_id}")
    assert issue
    assert "s3cret" not in str(issue.translation_placeholders)
    assert cloud.device(LAMPS, "lamp-2").online


async def test_bindings_and_models_belong_to_one_device(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The same identifier is free in each device, and a product has one thing model."""
    owners = await add(hass, entry, new_lamp(hass, "Lamp 1", "lamp-1"), new_lamp(hass, "Lamp 2", "lamp-2"))
    switch = Binding("Switch", "switch.kettle", "power", Access.REPORT)
    change_bindings(hass, entry, owners[1], removed={"Power"}, added=[switch])
    assert [binding.identifier for binding in exposed_bindings(entry, owners[0])] == ["Power"]
    assert [binding.identifier for binding in exposed_bindings(entry, owners[1])] == ["Switch"]
    assert exposed_bindings(entry) == []
    change_bindings(hass, entry, owners[1], removed={"Switch"})
    assert owners[1] in entry.subentries, "a sub-device stays without bindings"
    model = {"properties": [{"identifier": "Power", "name": "Power", "dataType": {"type": "bool"}}]}
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, model, LAMPS))
    await hass.async_block_till_done()
    assert thing_model_of(entry) is None
    assert {entry.runtime_data.cloud_device(owner).model is thing_model_of(entry, LAMPS) for owner in owners} == {True}


def posts(cloud: Simulator) -> tuple[int, int]:
    """Return how many messages with newest values there were: packs, and those of one sub-device."""
    topics = [message.topic for message in cloud.wire if message.topic]
    packs = sum(topic.endswith("/thing/event/property/pack/post") for topic in topics)
    return packs, sum(topic.endswith("/thing/event/property/post") and LAMPS in topic for topic in topics)


async def test_values_of_many_go_in_one_message(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, device: CloudDevice
) -> None:
    """At first one by one, as only that says which is refused; what was accepted before goes together."""
    names = [f"lamp-{number}" for number in range(1, 41)]
    add_lamps_in_the_cloud(cloud, names)
    await add(hass, entry, *(new_lamp(hass, f"Lamp {name}", name) for name in names))
    for name in names:
        await cloud.device(LAMPS, name).wait_for(lambda lamp: "Power" in lamp.properties)
    packs, single = posts(cloud)
    assert (packs, single) == (0, 40)
    running = entry.runtime_data.sub_devices.running
    await until(lambda: all(one.reporter.outbox.accepted_at for one in running.values()))
    for name in names:
        cloud.device(LAMPS, name).properties.clear()
    assert device.connection
    device.connection.close("test", lost=True)
    for name in names:
        await cloud.device(LAMPS, name).wait_for(lambda lamp: "Power" in lamp.properties)
    packs, single = posts(cloud)
    assert packs >= 2
    assert packs + single - 40 <= 12


@pytest.mark.parametrize("step", ["cloud_device.CloudDevice.start", "sub_device_row.read_row"])
async def test_set_up_lets_others_run(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Reading and starting a thousand of them at once would block the event loop for a second."""
    await add(hass, entry, *(new_lamp(hass, f"Lamp {number}", f"lamp-{number}") for number in range(60)))
    path = f"custom_components.aliyun_iot.{step}"
    whole: Any = pkgutil.resolve_name(path)
    turn, done = 0, Counter[int]()

    def counted(*arguments: Any) -> Any:
        done[turn] += 1
        return whole(*arguments)

    async def take_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(path, counted)
    turns = asyncio.create_task(take_turns())
    sub_device_row_module._row.cache_clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: done.total() >= 60)
    turns.cancel()
    assert max(done.values()) <= AT_ONCE + 1  # the gateway itself


async def test_each_needs_little_memory(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """What the integration itself allocates; `scripts/bench gateway` measures the process with all that comes with it."""
    names = [f"lamp-{number}" for number in range(60)]
    add_lamps_in_the_cloud(cloud, names)
    lamps = [new_lamp(hass, f"Lamp {name}", name) for name in names]
    await add(hass, entry, *lamps[:10])  # which loads what all of them share
    tracemalloc.start()
    try:
        await add(hass, entry, *lamps[10:])
        await online(cloud, *names)
        running = entry.runtime_data.sub_devices.running
        await until(lambda: all(one.reporter.outbox.accepted_at for one in running.values()))
        gc.collect()
        own = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/aliyun_iot/*")])
    finally:
        tracemalloc.stop()
    assert sum(trace.size for trace in own.traces) / 50 < 30_000


async def test_refused_value_does_not_hold_others_up(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator
) -> None:
    """A pack that is refused is posted one by one, and only the value at fault is a problem."""
    model = {"properties": [{"identifier": "Power", "name": "Power", "dataType": {"type": "bool"}}]}
    hass.config_entries.async_update_entry(entry, options=options_with_model(entry, model, LAMPS))
    add_lamps_in_the_cloud(cloud, NAMES[:2])
    wrong = {"properties": [{"identifier": "Power", "name": "Power", "dataType": {"type": "text", "specs": {}}}]}
    cloud.add_device(LAMPS, NAMES[2], "5ec4e75ec4e75ec4e75ec4e75ec4e700", tsl=wrong)
    owners = await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES))
    for name in NAMES[:2]:
        await cloud.device(LAMPS, name).wait_for(lambda lamp: "Power" in lamp.properties)
    running = entry.runtime_data.sub_devices.running
    await until(running[owners[2]].problems)
    assert [bool(running[owner].problems()) for owner in owners] == [False, False, True]
    await until(lambda: Issue.PROPERTY_REJECTED in {i.translation_key for i in issues_of(hass, entry.entry_id)})
    [issue] = [i for i in issues_of(hass, entry.entry_id) if i.translation_key == Issue.PROPERTY_REJECTED]
    assert issue.translation_placeholders
    assert issue.translation_placeholders["device"] == "Lamp 3"


async def test_diagnostics_tell_how_they_are_and_not_which(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, hass_client: ClientSessionGenerator
) -> None:
    """The state of each, without a secret, a ProductKey or a DeviceName, which an issue has in its text."""
    add_lamps_in_the_cloud(cloud, NAMES[:1])
    await add(hass, entry, new_lamp(hass, "Lamp 1", "lamp-1"), new_lamp(hass, "Lamp 2", "lamp-2"))
    await online(cloud, "lamp-1")
    await until(lambda: issues_of(hass, entry.entry_id))
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    states = {one["title"]: (one["state"], one["error"]) for one in found["sub_devices"]}
    assert states == {"Lamp 1": ("online", None), "Lamp 2": ("deleted", 6100)}
    text = json.dumps(found)
    assert not [secret for secret in (SECRET, LAMPS, "lamp-1", "lamp-2") if secret in text]


async def test_delay_is_a_setting_of_gateways(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """An entry without sub-devices does not ask for it."""
    walk = await Walk.options(hass, entry, "settings")
    assert "offline_delay" not in walk.values
    await add(hass, entry, new_lamp(hass, "Lamp 1", "lamp-1"))
    walk = await Walk.options(hass, entry, "settings")
    await walk.submit(**{**walk.values, "offline_delay": 4000})
    assert walk.errors == {"offline_delay": "offline_delay_range"}
    await walk.submit(**{**walk.values, "offline_delay": 5})
    assert entry.options["offline_delay"] == 5


async def test_service_and_event_of_a_sub_device(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> None:
    """They are chosen for one device, answer and happen as that, and go with it."""
    calls: list[Any] = []
    hass.services.async_register("notify", "blink", lambda call: calls.append(call.data))
    add_lamps_in_the_cloud(cloud, NAMES[:2])
    owners = await add(hass, entry, *(new_lamp(hass, f"Lamp {name[-1]}", name) for name in NAMES[:2]))
    await online(cloud, *NAMES[:2])
    for owner in owners:
        walk = await Walk.add_subentry(hass, entry, "service")
        assert walk.step == "device"
        await walk.submit(device=owner)
        await walk.submit(identifier="Blink")
        await walk.submit(actions=[{"action": "notify.blink", "data": {"lamp": owner}}])
        assert walk.created
    walk = await Walk.add_subentry(hass, entry, "event")
    await walk.submit(device=owners[0])
    await walk.submit(identifier="Pressed")
    await walk.choose("trigger")
    await walk.submit(triggers=[{"trigger": "event", "event_type": "pressed"}])
    while not walk.created:
        await walk.submit(**walk.values)
    await hass.async_block_till_done()

    lamp = cloud.device(LAMPS, "lamp-2")
    answer = await cloud.call(
        "InvokeThingService", ProductKey=LAMPS, DeviceName="lamp-2", Identifier="Blink", Args="{}"
    )
    reply = await lamp.wait_reply(answer["Data"]["MessageId"])
    assert reply.code == 200
    assert [call["lamp"] for call in calls] == [owners[1]]
    entities = er.async_get(hass)
    fired = [
        (hass.states.get(entity.entity_id), entity.device_id)
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id)
        if entity.unique_id.startswith(f"{entry.entry_id}_service_")
    ]
    assert sorted(state.state != "unknown" for state, _ in fired if state) == [False, True]
    assert len({device_id for _, device_id in fired}) == 2
    await until(lambda: "pressed" in hass.bus.async_listeners())
    hass.bus.async_fire("pressed")
    await cloud.device(LAMPS, "lamp-1").wait_for(lambda device: bool(device.events))
    assert not lamp.events

    hass.config_entries.async_remove_subentry(entry, owners[0])
    await hass.async_block_till_done()
    await until(lambda: len(entry.subentries) == 2)
    assert {subentry.subentry_type for subentry in entry.subentries.values()} == {"sub_device", "service"}


async def test_repair_tries_again(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator, hass_client: ClientSessionGenerator
) -> None:
    """A device that was missing in the cloud is created there, and submitting the issue brings it online."""
    await add(hass, entry, new_lamp(hass, "Lamp 1", "lamp-1"))
    await until(lambda: issues_of(hass, entry.entry_id))
    [issue] = issues_of(hass, entry.entry_id)
    assert issue.translation_key == Issue.SUB_DEVICE_DELETED
    assert issue.data
    flow = await async_create_fix_flow(hass, issue.issue_id, dict(issue.data))
    flow.hass, flow.issue_id, flow.handler, flow.flow_id = hass, issue.issue_id, DOMAIN, "flow"
    shown = await flow.async_step_init(None)
    assert shown["step_id"] == "confirm"
    add_lamps_in_the_cloud(cloud, NAMES[:1])
    await flow.async_step_confirm({})
    await online(cloud, "lamp-1")
    await until(lambda: not issues_of(hass, entry.entry_id))
