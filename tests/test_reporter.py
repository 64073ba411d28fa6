"""Home Assistant → cloud: what is posted and when, and how rejections are handled."""

import asyncio
import json
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import CONF_BINDINGS, CONF_WINDOW
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .waiting import until

TEMPERATURE = {"identifier": "CurrentTemperature", "entity": "sensor.living_room", "aspect": "value"}
SWITCH = {"identifier": "LightSwitch", "entity": "switch.lamp", "aspect": "power", "access": "both"}
CELSIUS = {"unit_of_measurement": "°C", "device_class": "temperature"}


def posts(cloud: Simulator) -> list[dict[str, Any]]:
    """Return the params of each property post that reached the cloud."""
    return [
        json.loads(message.payload)["params"]
        for message in cloud.wire
        if message.topic.endswith("/thing/event/property/post")
    ]


async def posted(device: CloudDevice, identifier: str, value: object) -> None:
    """Wait until the cloud has this value."""
    await device.wait_for(lambda one: one.properties.get(identifier, (None,))[0] == value)


async def test_snapshot_then_changes(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """The values at the start are posted in one message; a change follows with Home Assistant's own time."""
    hass.states.async_set("sensor.living_room", "20.5", CELSIUS)
    hass.states.async_set("switch.lamp", "off")
    await set_up([TEMPERATURE, SWITCH])
    await posted(device, "LightSwitch", 0)
    assert device.properties["CurrentTemperature"][0] == 20.5
    assert [set(params) for params in posts(cloud)] == [{"CurrentTemperature", "LightSwitch"}]

    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await posted(device, "CurrentTemperature", 21.0)
    changed = hass.states.get("sensor.living_room").last_updated
    assert device.properties["CurrentTemperature"][1] == int(changed.timestamp() * 1000)


@pytest.mark.parametrize("nothing", [STATE_UNKNOWN, STATE_UNAVAILABLE, "not a number", ""])
async def test_missing_value_is_not_reported_as_zero(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, nothing: str
) -> None:
    """A sensor without a value is not posted, neither as 0 nor at all."""
    hass.states.async_set("sensor.living_room", nothing, CELSIUS)
    hass.states.async_set("switch.lamp", "on")
    await set_up([TEMPERATURE, SWITCH])
    await posted(device, "LightSwitch", 1)
    hass.states.async_set("sensor.living_room", "19", CELSIUS)
    await posted(device, "CurrentTemperature", 19.0)
    hass.states.async_set("sensor.living_room", nothing, CELSIUS)
    hass.states.async_set("switch.lamp", "off")
    await posted(device, "LightSwitch", 0)
    assert [value for value, _ in device.samples["CurrentTemperature"]] == [19.0]


async def test_newest_value_is_sent_after_the_window(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A burst causes two posts: the first value at once, the last one after the window."""
    hass.states.async_set("sensor.living_room", "0", CELSIUS)
    await set_up([TEMPERATURE], options={CONF_WINDOW: 0.3})
    await posted(device, "CurrentTemperature", 0.0)
    for degree in range(1, 30):
        hass.states.async_set("sensor.living_room", str(degree), CELSIUS)
        await asyncio.sleep(0)
    await posted(device, "CurrentTemperature", 29.0)
    assert len(posts(cloud)) <= 3


async def test_same_value_is_not_posted_again(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A state change that does not change the property causes no message."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("switch.lamp", "off")
    await set_up([TEMPERATURE, SWITCH])
    await posted(device, "CurrentTemperature", 20.0)
    hass.states.async_set("sensor.living_room", "20.0", {**CELSIUS, "battery": 3})
    hass.states.async_set("switch.lamp", "on")
    await posted(device, "LightSwitch", 1)
    assert [set(params) for params in posts(cloud)][1:] == [{"LightSwitch"}]


async def test_dead_band_and_minimum_interval(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The binding limits how often a noisy sensor is posted; its last value arrives nevertheless."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("sensor.humidity", "40", {"unit_of_measurement": "%"})
    humidity = {"identifier": "CurrentHumidity", "entity": "sensor.humidity", "aspect": "value", "min_interval": 0.5}
    await set_up([{**TEMPERATURE, "dead_band": 0.5}, humidity])
    await posted(device, "CurrentHumidity", 40)
    hass.states.async_set("sensor.living_room", "20.3", CELSIUS)
    for value in ("41", "42", "43"):
        hass.states.async_set("sensor.humidity", value, {"unit_of_measurement": "%"})
        await asyncio.sleep(0.03)
    await posted(device, "CurrentHumidity", 43)
    hass.states.async_set("sensor.living_room", "20.6", CELSIUS)
    await posted(device, "CurrentTemperature", 20.6)
    assert [value for value, _ in device.samples["CurrentTemperature"]] == [20.0, 20.6]
    assert [value for value, _ in device.samples["CurrentHumidity"]] == [40, 43]


async def test_rejected_property_is_remembered_and_not_repeated(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """The cloud drops properties that its thing model does not have: the reason is kept, and the others are posted."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("sensor.stranger", "1", {"unit_of_measurement": "W"})
    stranger = {"identifier": "Stranger", "entity": "sensor.stranger", "aspect": "value"}
    entry = await set_up([TEMPERATURE, stranger], options={"thing_model": None})
    await posted(device, "CurrentTemperature", 20.0)
    reporter = entry.runtime_data.device.reporter
    await until(lambda: "Stranger" in reporter.outbox.refusals)
    assert "params not exist" in reporter.outbox.refusals["Stranger"].reason
    assert caplog.text.count("The cloud rejected Stranger") == 1

    for watt in range(2, 12):
        hass.states.async_set("sensor.stranger", str(watt), {"unit_of_measurement": "W"})
        hass.states.async_set("sensor.living_room", str(watt), CELSIUS)
        await posted(device, "CurrentTemperature", float(watt))
    assert sum("Stranger" in params for params in posts(cloud)) == 3


async def test_post_without_a_reply_is_repeated(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unknown whether the value arrived, so it is posted again if it is still current."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.lanes.REPLY_TIMEOUT", 0.05)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await posted(device, "CurrentTemperature", 20.0)
    cloud.faults.set(lose_replies=1)
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await until(lambda: entry.runtime_data.device.reporter.counters.retried == 1)
    await until(lambda: len(device.samples["CurrentTemperature"]) == 3)
    assert [value for value, _ in device.samples["CurrentTemperature"]] == [20.0, 21.0, 21.0]


async def test_post_is_repeated_when_the_cloud_is_busy(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code that says "not now" causes another attempt, not a rejection."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.01)
    cloud.faults.set(answer_code={"code": 429, "count": 2})
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    reporter = entry.runtime_data.device.reporter
    await until(lambda: reporter.counters.sent == 1)
    assert reporter.counters.retried == 2
    assert not reporter.outbox.refusals


async def test_other_code_rejects_the_whole_post(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A post that is refused as a whole is not repeated; the next value is posted."""
    cloud.faults.set(answer_code={"code": 6813, "count": 1})
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    reporter = entry.runtime_data.device.reporter
    await until(lambda: "CurrentTemperature" in reporter.outbox.refusals)
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await posted(device, "CurrentTemperature", 21.0)
    await until(lambda: not reporter.outbox.refusals)


async def test_reconnect_posts_a_snapshot(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a lost connection all present values are posted."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.05)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("switch.lamp", "off")
    await set_up([TEMPERATURE, SWITCH])
    await posted(device, "LightSwitch", 0)
    device.connection.close("the cloud has other plans")
    hass.states.async_set("sensor.living_room", "23", CELSIUS)
    await posted(device, "CurrentTemperature", 23.0)
    assert set(posts(cloud)[-1]) == {"CurrentTemperature", "LightSwitch"}


@pytest.mark.parametrize("under_way", [False, True])
async def test_last_value_of_an_outage_is_posted(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    under_way: bool,
) -> None:
    """The last value of an entity is posted after the reconnect, also when the entity is unavailable by then."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.05)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await posted(device, "CurrentTemperature", 20.0)
    reporter = entry.runtime_data.device.reporter
    await until(lambda: reporter.counters.sent == 1)
    if under_way:
        cloud.faults.set(lose_replies=1)
        hass.states.async_set("sensor.living_room", "23", CELSIUS)
        await posted(device, "CurrentTemperature", 23.0)
    device.connection.close("the cloud has other plans")
    await until(lambda: entry.runtime_data.link.state is not LinkState.ONLINE)
    if not under_way:
        hass.states.async_set("sensor.living_room", "23", CELSIUS)
    hass.states.async_set("sensor.living_room", STATE_UNAVAILABLE, CELSIUS)
    await until(lambda: reporter.counters.sent == 2)
    assert device.properties["CurrentTemperature"][0] == 23.0


async def test_nothing_is_posted_before_home_assistant_has_started(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """While Home Assistant starts, many states are not final."""
    hass.set_state(CoreState.starting)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    await set_up([TEMPERATURE])
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await hass.async_block_till_done()
    assert device.online
    assert not posts(cloud)

    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await posted(device, "CurrentTemperature", 21.0)
    assert len(posts(cloud)) == 1


async def test_many_properties_are_split_into_messages(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """No message carries more than 200 properties."""
    device.thing_model = None
    rows = [{"identifier": f"P{n}", "entity": f"sensor.s{n}", "aspect": "value"} for n in range(450)]
    for n in range(450):
        hass.states.async_set(f"sensor.s{n}", str(n), {"unit_of_measurement": "W"})
    await set_up(rows, options={"thing_model": None})
    await device.wait_for(lambda one: len(one.properties) == 450)
    assert [len(params) for params in posts(cloud)] == [200, 200, 50]


async def test_large_post_is_halved(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A post with too many bytes is divided; a value that is too large alone is rejected, the others arrive."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.messages.MAX_PAYLOAD", 400)
    device.thing_model = None
    rows = [{"identifier": f"T{n}", "entity": f"sensor.t{n}", "aspect": "text"} for n in range(8)]
    for n in range(7):
        hass.states.async_set(f"sensor.t{n}", str(n) * 50)
    hass.states.async_set("sensor.t7", "7" * 230 + "\N{PILE OF POO}" * 20)
    entry = await set_up(rows, options={"thing_model": None})
    await device.wait_for(lambda one: len(one.properties) == 7)
    await until(lambda: "T7" in entry.runtime_data.device.reporter.outbox.refusals)
    assert "too large" in entry.runtime_data.device.reporter.outbox.refusals["T7"].reason


async def test_value_that_returns_while_a_half_is_sent_is_posted(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second half of a divided post counts as sent, so a return to the old value is a change."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.messages.MAX_PAYLOAD", 400)
    device.thing_model = None
    rows = [{"identifier": f"T{n}", "entity": f"sensor.t{n}", "aspect": "text"} for n in range(2)]
    for n in range(2):
        hass.states.async_set(f"sensor.t{n}", "old")
    entry = await set_up(rows, options={"thing_model": None})
    reporter = entry.runtime_data.device.reporter
    await until(lambda: reporter.counters.sent == 2)
    cloud.faults.set(delay_replies=0.1)
    await asyncio.sleep(0.05)  # the window of the snapshot
    for n in range(2):
        hass.states.async_set(f"sensor.t{n}", "n" * 200)
    await posted(device, "T0", "n" * 200)
    hass.states.async_set("sensor.t1", "old")
    await until(lambda: reporter.counters.sent == 5)
    assert device.properties["T1"][0] == "old"


async def test_changed_bindings_apply_at_once(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A new binding is posted without a reconnect, a removed one is not posted any more."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("switch.lamp", "off")
    entry = await set_up([TEMPERATURE])
    await posted(device, "CurrentTemperature", 20.0)
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={CONF_BINDINGS: [SWITCH]})
    await posted(device, "LightSwitch", 0)
    hass.states.async_set("sensor.living_room", "25", CELSIUS)
    hass.states.async_set("switch.lamp", "on")
    await posted(device, "LightSwitch", 1)
    assert device.properties["CurrentTemperature"][0] == 20.0
    assert device.connections == 1


async def test_unbound_property_is_dropped_from_the_queue(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A value that still waits when its binding is removed is dropped."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("switch.lamp", "off")
    entry = await set_up([TEMPERATURE, SWITCH], options={CONF_WINDOW: 0.2})
    await posted(device, "LightSwitch", 0)
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={CONF_BINDINGS: [SWITCH]})
    hass.states.async_set("switch.lamp", "on")
    await posted(device, "LightSwitch", 1)
    assert [value for value, _ in device.samples["CurrentTemperature"]] == [20.0]


async def test_binding_follows_a_renamed_removed_and_restored_entity(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """A binding follows its entity by registry id; when the entity is removed, only this binding stops working."""
    registry = er.async_get(hass)
    registry.async_get_or_create("sensor", "test", "living_room", suggested_object_id="living_room")
    lamp = registry.async_get_or_create("switch", "test", "lamp", suggested_object_id="lamp")
    hass.states.async_set("switch.lamp", "off")
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([{**SWITCH, "entity": lamp.id}, TEMPERATURE])
    await posted(device, "LightSwitch", 0)

    registry.async_update_entity("switch.lamp", new_entity_id="switch.reading_lamp")
    hass.states.async_remove("switch.lamp")
    hass.states.async_set("switch.reading_lamp", "on")
    await posted(device, "LightSwitch", 1)

    registry.async_remove("switch.reading_lamp")
    hass.states.async_remove("switch.reading_lamp")
    await hass.async_block_till_done()
    assert "removed" in str(entry.runtime_data.device.bound.problems["LightSwitch"])
    registry.async_update_entity("sensor.living_room", name="Warm room")
    await hass.async_block_till_done()
    assert caplog.text.count("Bindings of gw-1 do not work: LightSwitch") == 1
    hass.states.async_set("sensor.living_room", "22", CELSIUS)
    await posted(device, "CurrentTemperature", 22.0)

    back = registry.async_get_or_create("switch", "test", "lamp", suggested_object_id="lamp")
    assert back.id == lamp.id
    hass.states.async_set(back.entity_id, "off")
    await posted(device, "LightSwitch", 0)


async def test_unreportable_value_has_a_reason_and_does_not_stop_others(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A value that the property can't hold is not posted, and the reason is kept."""
    hass.states.async_set("sensor.living_room", "400", CELSIUS)
    hass.states.async_set("switch.lamp", "on")
    entry = await set_up([TEMPERATURE, SWITCH])
    await posted(device, "LightSwitch", 1)
    assert "125" in entry.runtime_data.device.reporter.outbox.unreportable["CurrentTemperature"].describe()
    hass.states.async_set("sensor.living_room", "40", CELSIUS)
    await posted(device, "CurrentTemperature", 40.0)
    assert not entry.runtime_data.device.reporter.outbox.unreportable
