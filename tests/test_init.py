"""Setting up, updating and unloading an entry."""

import asyncio
import json
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, EVENT_STATE_CHANGED, STATE_OFF, STATE_ON
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import (
    CONF_BINDINGS,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_KEEP_ALIVE,
    CONF_PORT,
    CONF_PRODUCT_KEY,
    CONF_TRANSPORT,
    CONF_WINDOW,
    DOMAIN,
    SUBENTRY_EXPOSURE,
)
from custom_components.aliyun_iot.link_config import link_config
from custom_components.aliyun_iot.runtime import Runtime
from simulator import CloudDevice, Simulator

from .application import LAMP, publish
from .conftest import DEVICE_SECRET, SetUp
from .outages import caught_up, end_outage, lose_connection, quick_to_return
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until
from .walk import Walk

CONNECTED = "binary_sensor.gw_1_connected"


async def test_unloading_leaves_no_tasks_or_listeners(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """After the set-up the device is online; after unloading nothing of the entry runs."""
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)  # what Home Assistant itself keeps is there now
    await hass.async_block_till_done()
    tasks_before = asyncio.all_tasks()
    listeners_before = hass.bus.async_listeners()

    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert device.online

    assert await hass.config_entries.async_unload(entry.entry_id)
    await device.wait_for(lambda one: not one.online)
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.NOT_LOADED
    left = {task for task in asyncio.all_tasks() - tasks_before if "custom_components" in repr(task.get_coro())}
    assert not left
    assert hass.bus.async_listeners() == listeners_before


async def test_connectivity_is_an_entity_of_a_service_device(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user sees the device in the registry and whether it is connected."""
    quick_to_return(monkeypatch)
    await set_up()
    assert hass.states.get(CONNECTED).state == STATE_ON
    registered = er.async_get(hass).async_get(CONNECTED)
    cloud_device = dr.async_get(hass).async_get(registered.device_id)
    assert cloud_device.entry_type is dr.DeviceEntryType.SERVICE
    assert DEVICE_SECRET not in repr(cloud_device) + repr(registered)

    device.connection.close("the cloud has other plans")
    await until(lambda: hass.states.get(CONNECTED).state == STATE_OFF)
    await device.wait_for(lambda one: one.online)
    await until(lambda: hass.states.get(CONNECTED).state == STATE_ON)


async def test_sensor_shows_why_there_is_no_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the reason of the loss, then why reconnecting fails, and none after the reconnect."""
    quick_to_return(monkeypatch)
    entry = await set_up()
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    await lose_connection(cloud, device, entry)
    await until(lambda: hass.states.get(CONNECTED).attributes["reason"] == "server_unavailable")
    end_outage(cloud)
    await until(lambda: hass.states.get(CONNECTED).state == STATE_ON)
    states = [event.data["new_state"] for event in changes if event.data["entity_id"] == CONNECTED]
    assert [(one.state, one.attributes.get("reason")) for one in states] == [
        (STATE_OFF, "closed"),
        (STATE_OFF, "server_unavailable"),
        (STATE_ON, None),
    ]


async def test_wrong_secret_starts_reauth(hass: HomeAssistant, set_up: SetUp, entry_data: dict[str, Any]) -> None:
    """Refused credentials are not retried; the user is asked."""
    entry_data[CONF_DEVICE_SECRET] = "0" * 32
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [SOURCE_REAUTH]


async def test_unreachable_cloud_is_tried_again_later(
    hass: HomeAssistant, set_up: SetUp, entry_data: dict[str, Any]
) -> None:
    """The entry is in setup retry, and shows the reason."""
    entry_data[CONF_ENDPOINT] = "127.0.0.1:1"
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "refused"
    assert "127.0.0.1:1" in entry.reason


async def test_silent_cloud_does_not_delay_the_start(
    hass: HomeAssistant, entry_data: dict[str, Any], set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that accepts connections and does not reply is retried after the start."""
    monkeypatch.setattr("custom_components.aliyun_iot.runtime.STARTING_PATIENCE", 0.01)
    visitors: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: visitors.append(writer), "127.0.0.1", 0)
    entry_data[CONF_ENDPOINT] = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    hass.set_state(CoreState.not_running)
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "timed_out"
    silent.close()
    for visitor in visitors:
        visitor.close()


@pytest.mark.parametrize(
    "damaged", [CONF_PRODUCT_KEY, CONF_DEVICE_NAME, CONF_DEVICE_SECRET, CONF_ENDPOINT], ids=lambda field: field
)
async def test_invalid_connection_data_is_an_error(
    hass: HomeAssistant, set_up: SetUp, entry_data: dict[str, Any], damaged: str
) -> None:
    """The error says what the field has to look like; the set-up is not retried."""
    entry_data[damaged] = "what is this?"
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == f"invalid_{damaged}"


@pytest.mark.parametrize(
    ("damaged", "value"),
    [
        (CONF_TRANSPORT, "pigeon"),
        (CONF_TRANSPORT, None),
        (CONF_PORT, "1883"),
        (CONF_ENDPOINT, 7),
        (CONF_PRODUCT_KEY, None),
        (CONF_DEVICE_SECRET, []),
    ],
)
async def test_data_that_no_form_has_stored_are_an_error(
    hass: HomeAssistant, set_up: SetUp, entry_data: dict[str, Any], damaged: str, value: object
) -> None:
    """The error names the page that repairs it; that page opens, and so do the options."""
    entry_data[damaged] = value
    if value is None:
        del entry_data[damaged]
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key in ("invalid_endpoint", f"invalid_{damaged}")
    if damaged in (CONF_TRANSPORT, CONF_PORT, CONF_ENDPOINT):
        walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
        assert walk.step == "reconfigure"
    assert (await Walk.options(hass, entry, "settings")).step == "settings"


async def test_changed_options_do_not_reconnect(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Only changed settings of the connection cause a reconnect."""
    entry = await set_up()
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_WINDOW: 0.5})
    await hass.async_block_till_done()
    assert device.connections == 1
    assert entry.runtime_data.device.reporter.sender.window == 0.5

    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_KEEP_ALIVE: 120})
    await hass.async_block_till_done()
    assert device.connections == 2
    assert entry.runtime_data.link.config.keep_alive == 120


async def test_refused_while_running_asks_for_the_secret(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: Any
) -> None:
    """A device that is disabled in the console cannot reconnect: the user is asked until it is enabled again."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.01)
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.REFUSED_DELAY", 0.2)
    entry = await set_up()
    await cloud.call("DisableThing", ProductKey=device.product_key, DeviceName=device.device_name)
    await until(lambda: entry.runtime_data.link.state is LinkState.AUTH_FAILED)
    await hass.async_block_till_done()
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]

    await cloud.call("EnableThing", ProductKey=device.product_key, DeviceName=device.device_name)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def test_device_goes_offline_when_home_assistant_stops(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """The device disconnects when Home Assistant stops."""
    await set_up()
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await device.wait_for(lambda one: not one.online)


@pytest.mark.rate_limit
async def test_home_assistant_stops_after_the_last_answer(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """What was carried out is answered, although the platform takes only so many answers a second."""
    hass.states.async_set("input_boolean.lamp", "off")
    hass.services.async_register("input_boolean", "turn_on", lambda _: None)
    await set_up([LAMP])
    ids = {str(number) for number in range(40)}
    for number in ids:
        content = {"id": number, "method": "thing.service.property.set", "params": {"LightSwitch": 1}}
        await publish(cloud, device, "thing/service/property/set", content)
    await until(lambda: len(cloud_answers(cloud)) > 1)
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await device.wait_for(lambda one: not one.online)
    assert {answer["id"] for answer in cloud_answers(cloud)} == ids


def cloud_answers(cloud: Simulator) -> list[dict[str, Any]]:
    """Return the answers to property sets that the cloud has got."""
    return [json.loads(one.payload) for one in cloud.wire if one.topic.endswith("property/set_reply")]


async def test_two_devices_side_by_side(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
) -> None:
    """Two entries do not affect each other."""
    first = await set_up()
    other = cloud.add_device("a1Other00001", "other", DEVICE_SECRET)
    second = MockConfigEntry(
        domain=DOMAIN,
        unique_id="a1Other00001.other",
        data={**entry_data, CONF_PRODUCT_KEY: "a1Other00001", "device_name": "other"},
    )
    second.add_to_hass(hass)
    assert await hass.config_entries.async_setup(second.entry_id)
    assert device.online
    assert other.online
    assert await hass.config_entries.async_unload(first.entry_id)
    await device.wait_for(lambda one: not one.online)
    assert other.online


async def test_cancelled_set_up_leaves_nothing(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, entry_data: dict[str, Any]
) -> None:
    """Otherwise there would be a link that nothing stops."""
    binding = {"identifier": "LightSwitch", "entity": "switch.lamp", "aspect": "power"}
    reachable = entry_data[CONF_ENDPOINT]
    entry_data[CONF_ENDPOINT] = "127.0.0.1:1"
    listeners_before = hass.bus.async_listeners()
    entry = await set_up([binding])
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()

    runtime = Runtime(hass, entry, link_config(hass, {**entry_data, CONF_ENDPOINT: reachable}, entry.options))
    connecting = asyncio.create_task(runtime.connect())
    await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.wait({connecting})
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("Aliyun link")]
    assert "state_changed" not in hass.bus.async_listeners().keys() - listeners_before.keys()


async def test_set_up_that_is_cancelled_after_a_failed_attempt_leaves_nothing(
    hass: HomeAssistant, set_up: SetUp, entry_data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link of the failed attempt is still being stopped when the set-up is cancelled."""
    entry_data[CONF_ENDPOINT] = "127.0.0.1:1"
    entry = await set_up([{"identifier": "LightSwitch", "entity": "switch.lamp", "aspect": "power"}])
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    listeners_before = hass.bus.async_listeners()
    runtime = Runtime(hass, entry, link_config(hass, entry.data, entry.options))
    stop, stopping = runtime.link.stop, asyncio.Event()

    async def stop_slowly(*_patience: float) -> None:
        if not stopping.is_set():
            stopping.set()
            await asyncio.Event().wait()
        await stop()

    monkeypatch.setattr(runtime.link, "stop", stop_slowly)
    connecting = asyncio.create_task(runtime.connect())
    await stopping.wait()
    connecting.cancel()
    await asyncio.wait({connecting})
    assert connecting.cancelled()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("Aliyun link")]
    assert hass.bus.async_listeners() == listeners_before


@pytest.mark.parametrize(
    "part",
    [
        "follower.stop",
        "_ends",
        "link.device.downlink.give_up",
        "device.events.stop",
        "device.resync.stop",
        "device.reporter.stop",
        "device.commander.policy.stop",
        "device.loops.stop",
        "health._throttling.stop",
    ],
)
async def test_part_that_fails_to_stop_does_not_keep_the_others(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: str,
) -> None:
    """The entry is unloaded, the device offline, nothing listens any more, and what is unsent is on disk."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await posted(device, "CurrentTemperature", 20.0)
    await caught_up(entry)
    runtime = entry.runtime_data
    cloud.faults.set(lose_replies=1)
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await posted(device, "CurrentTemperature", 21.0)

    def fail() -> None:
        raise ZeroDivisionError

    owner, name = attrgetter(part.rpartition(".")[0])(runtime) if "." in part else runtime, part.rpartition(".")[2]
    monkeypatch.setattr(owner, name, [fail, *runtime._ends] if name == "_ends" else fail)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert "ZeroDivisionError" in caplog.text
    await device.wait_for(lambda one: not one.online)
    assert runtime.link.state is LinkState.DISCONNECTED
    assert hass_storage[f"{DOMAIN}.{entry.entry_id}.unsent"]["data"]["latest"]["CurrentTemperature"][1] == 21.0
    assert (EVENT_STATE_CHANGED in hass.bus.async_listeners()) == (part == "device.reporter.stop")


async def test_set_up_that_fails_after_connecting_leaves_nothing(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platforms cannot be set up, so the connection is closed."""

    async def fail(*_: object) -> None:
        raise HomeAssistantError("no entities today")

    monkeypatch.setattr(hass.config_entries, "async_forward_entry_setups", fail)
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert device.connections == 1
    await device.wait_for(lambda one: not one.online)


async def test_renaming_during_unloading_leaves_nothing(hass: HomeAssistant, cloud: Simulator, set_up: SetUp) -> None:
    """While the link disconnects, the runtime still handles changes of bound entities."""
    registry = er.async_get(hass)
    lamp = registry.async_get_or_create("switch", "test", "lamp", suggested_object_id="lamp")
    binding = {"identifier": "LightSwitch", "entity": lamp.id, "aspect": "power"}
    entry = await set_up()
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType({CONF_BINDINGS: [binding]}),
            subentry_type=SUBENTRY_EXPOSURE,
            title="Lamp",
            unique_id="lamp",
        ),
    )
    await hass.async_block_till_done()
    assert entry.runtime_data.device.bound.by_entity
    listeners = hass.bus.async_listeners().get("state_changed", 0)

    def renamed(_state: object, _error: object) -> None:
        registry.async_update_entity("switch.lamp", name="Reading lamp")

    entry.runtime_data.link._on_state = renamed
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.bus.async_listeners().get("state_changed", 0) == listeners - 1


async def test_outage_is_logged_once(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is one line for the loss and one for the reconnect, however many attempts fail in between."""
    caplog.set_level("INFO", "custom_components.aliyun_iot.runtime")
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.01)
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.CONNECTS_PER_WINDOW", 99)
    await set_up()
    for _ in range(2):
        caplog.clear()
        connections = device.connections
        cloud.faults.set(refuse_connect={"code": 3, "count": 2})
        device.connection.close("the cloud has other plans")
        await device.wait_for(lambda one, before=connections: one.connections > before and one.online)
        await until(lambda: hass.states.get(CONNECTED).state == STATE_ON)
        assert caplog.text.count("lost its connection") == 1
        assert caplog.text.count("is connected again") == 1


async def test_suspending_is_not_logged_as_an_outage(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a logged loss, no reconnect is logged."""
    caplog.set_level("INFO", "custom_components.aliyun_iot.runtime")
    entry = await set_up()
    connections = device.connections
    await entry.runtime_data.suspend()
    entry.runtime_data.resume()
    await device.wait_for(lambda one: one.connections > connections and one.online)
    await until(lambda: hass.states.get(CONNECTED).state == STATE_ON)
    assert "is connected again" not in caplog.text
