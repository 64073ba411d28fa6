"""Hosts that support less: they never reply to some requests (docs/protocol.md §19), and everything else works with them."""

from copy import deepcopy
import logging
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.host import MAX_TRIES
from custom_components.aliyun_iot.alink.messages import Reply
from custom_components.aliyun_iot.alink.session import Session
from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import (
    BATCH,
    DESIRED,
    HISTORY,
    NOON,
    POST,
    POWER,
    VOLTAGE,
    all_sent,
    caught_up,
    end_outage,
    lose_connection,
    measure,
    on_topic,
    pass_a_minute,
    quick_to_return,
    uplinks,
)
from .test_reporter import CELSIUS, SWITCH, TEMPERATURE, posted
from .waiting import until

NO_MODEL = {"thing_model": None}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch, cloud: Simulator, device: CloudDevice) -> None:
    """Take any property, let connections come back soon, and wait only for moments for replies that do not come."""
    device.thing_model = None
    quick_to_return(monkeypatch)
    request = Session.request

    async def impatient(session: Session, topic: str, *args: Any, timeout: float, **options: Any) -> Reply:
        ignored = topic.endswith(tuple(cloud.faults.ignore_topics))
        return await request(session, topic, *args, timeout=0.05 if ignored else timeout, **options)

    monkeypatch.setattr(Session, "request", impatient)


@pytest.fixture
def unknown(cloud: Simulator) -> set[str]:
    """Return the topics that the host ignores, none at first."""
    return cloud.faults.ignore_topics


async def test_samples_go_in_ordinary_posts(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    unknown: set[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A host that ignores batch posts gets all samples, in order, and newest values meanwhile; each connection tries anew."""
    unknown.add(BATCH.removeprefix("/"))
    measure(hass, "sensor.power", 0, 0)
    measure(hass, "sensor.voltage", 0, 0)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([POWER, VOLTAGE, TEMPERATURE], options={**NO_MODEL, "window": 0.01})
    await caught_up(entry)
    for second in range(1, 31):
        measure(hass, "sensor.power", second, second * 1000)
        if second % 3 == 0:
            measure(hass, "sensor.voltage", second, second * 1000)
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await posted(device, "CurrentTemperature", 21.0)
    await all_sent(entry)
    assert device.samples["Power"] == [(second, NOON + second * 1000) for second in range(31)]
    assert device.samples["Voltage"] == [(second, NOON + second * 1000) for second in range(0, 31, 3)]
    assert len(uplinks(cloud, BATCH)) == MAX_TRIES
    assert len(uplinks(cloud, POST)) < 40
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING and DOMAIN in record.name]

    unknown.clear()
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await caught_up(entry)
    measure(hass, "sensor.power", 31, 31_000)
    await all_sent(entry)
    assert len(uplinks(cloud, BATCH)) == MAX_TRIES + 1
    assert device.samples["Power"][-1] == (31, NOON + 31_000)


async def test_past_is_kept_for_a_connection_that_takes_it(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    unknown: set[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A host that ignores history posts is asked a few times on each connection; newest values and live samples flow."""
    unknown.add(HISTORY.removeprefix("/"))
    measure(hass, "sensor.power", 0, 0)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([POWER, TEMPERATURE], options=NO_MODEL)
    await caught_up(entry)
    reporter = entry.runtime_data.device.reporter
    await lose_connection(cloud, device, entry)
    for second in range(1, 31):
        measure(hass, "sensor.power", second, second * 1000)
    caplog.clear()
    end_outage(cloud)
    await until(lambda: uplinks(cloud, HISTORY))
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    await posted(device, "CurrentTemperature", 21.0)
    await until(lambda: not reporter.sender.past.allowed)
    assert len(uplinks(cloud, HISTORY)) == MAX_TRIES
    assert reporter.buffered == 29

    hass.states.async_set("sensor.living_room", "22", CELSIUS)
    measure(hass, "sensor.power", 31, 31_000)
    await posted(device, "CurrentTemperature", 22.0)
    await posted(device, "Power", 31)
    await until(lambda: reporter.buffered == 29)
    assert len(uplinks(cloud, HISTORY)) == MAX_TRIES
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING and DOMAIN in record.name]

    unknown.clear()
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await caught_up(entry)
    assert sorted(set(device.samples["Power"])) == [(second, NOON + second * 1000) for second in range(32)]
    assert on_topic(cloud, HISTORY)[-29:] == [("Power", second, NOON + second * 1000) for second in range(1, 30)]


async def test_power_cut_repeats_nothing_old(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    unknown: set[str],
    hass_storage: dict[str, Any],
) -> None:
    """On a host that ignores desired values, what an outage left on disk is removed once the cloud has newer values."""
    unknown.add(DESIRED.removeprefix("/"))
    key = f"{DOMAIN}.here.unsent"
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("switch.lamp", "off")
    entry = await set_up([TEMPERATURE, SWITCH], options=NO_MODEL, entry_id="here")
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    hass.states.async_set("sensor.living_room", "21", CELSIUS)
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert hass_storage[key]["data"]["latest"]["CurrentTemperature"][1] == 21.0

    end_outage(cloud)
    await caught_up(entry)
    hass.states.async_set("sensor.living_room", "22", CELSIUS)
    await posted(device, "CurrentTemperature", 22.0)
    await all_sent(entry)
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert hass_storage[key]["data"]["latest"] == {}
    on_disk = deepcopy(hass_storage[key])

    hass.states.async_set("sensor.living_room", STATE_UNAVAILABLE)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[key] = on_disk
    assert await hass.config_entries.async_setup(entry.entry_id)
    await caught_up(entry)
    assert [value for value, _ in device.samples["CurrentTemperature"]] == [20.0, 21.0, 22.0]
