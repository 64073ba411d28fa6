"""Home Assistant starts during an outage: what happens until the first connection is kept."""

import asyncio
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.mqtt.pacing import ConnectPacer
from custom_components.aliyun_iot.alink.samples import utc_milliseconds
from custom_components.aliyun_iot.const import CONF_DEVICE_SECRET, CONF_ENDPOINT, DOMAIN
from custom_components.aliyun_iot.link_config import link_config
from custom_components.aliyun_iot.reports.store import UnsentStore
from custom_components.aliyun_iot.setup_retry import async_take_over
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .outages import HISTORY, NOON, POWER, VOLTAGE, caught_up, end_outage, measure, on_topic, quick_to_return, try_again
from .test_events import SMOKE, bind_event
from .waiting import until

NO_MODEL = {"thing_model": None}
RETRY, LOADED = ConfigEntryState.SETUP_RETRY, ConfigEntryState.LOADED


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch, device: CloudDevice) -> None:
    """Let the cloud take any property, and let retries happen at once."""
    device.thing_model = None
    quick_to_return(monkeypatch)
    monkeypatch.setattr(ConnectPacer, "delay", lambda _pacer: 0.0)


@pytest.fixture
async def waiting(hass: HomeAssistant, cloud: Simulator, set_up: SetUp) -> MockConfigEntry:
    """Return an entry whose first attempt has failed."""
    assert await async_setup_component(hass, DOMAIN, {})
    cloud.faults.set(refuse_connect={"code": 3})
    measure(hass, "sensor.power", 0, 0)
    entry = await set_up([POWER], options=NO_MODEL)
    assert entry.state is RETRY
    return entry


def traces(hass: HomeAssistant) -> tuple[int, list[str]]:
    """Return what a waiting runtime leaves in Home Assistant: the number of state listeners, and tasks."""
    tasks = [repr(task.get_coro()) for task in asyncio.all_tasks() if "aliyun_iot" in repr(task.get_coro())]
    return hass.bus.async_listeners().get("state_changed", 0), tasks


async def end_outage_and_retry(hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry) -> None:
    """End the outage, and retry until everything is in the cloud."""
    end_outage(cloud)
    while entry.state is not LOADED:  # an attempt may have begun before
        await try_again(hass, entry)
    await caught_up(entry)


async def test_samples_of_all_attempts_arrive(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, waiting: MockConfigEntry
) -> None:
    """Several attempts fail; every sample since the start arrives once, with its own time."""
    for number in range(1, 31):
        measure(hass, "sensor.power", number, number * 1000)
        if number % 10 == 0:
            await try_again(hass, waiting)
            assert waiting.state is RETRY
    await end_outage_and_retry(hass, cloud, waiting)
    assert device.properties["Power"] == (30, NOON + 30_000)
    assert sorted(device.samples["Power"]) == [(number, NOON + number * 1000) for number in range(31)]
    assert len(on_topic(cloud, HISTORY)) == 30
    measure(hass, "sensor.power", 99, 99_000)
    await until(lambda: device.properties["Power"] == (99, NOON + 99_000))


async def test_entity_is_renamed_before_the_first_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Its samples are kept under the new id as under the old one."""
    assert await async_setup_component(hass, DOMAIN, {})
    registered = er.async_get(hass).async_get_or_create("sensor", "test", "meter", suggested_object_id="power")
    cloud.faults.set(refuse_connect={"code": 3})
    measure(hass, "sensor.power", 0, 0)
    waiting = await set_up([{**POWER, "entity": registered.id}], options=NO_MODEL)
    assert waiting.state is RETRY
    measure(hass, "sensor.power", 1, 1000)
    er.async_get(hass).async_update_entity("sensor.power", new_entity_id="sensor.meter")
    hass.states.async_remove("sensor.power")
    for number in (2, 3):
        measure(hass, "sensor.meter", number, number * 1000)
    await end_outage_and_retry(hass, cloud, waiting)
    assert sorted(device.samples["Power"]) == [(number, NOON + number * 1000) for number in range(4)]


async def test_attempts_do_not_add_listeners(hass: HomeAssistant, waiting: MockConfigEntry) -> None:
    """However many attempts fail, there is one runtime."""
    before = hass.bus.async_listeners()
    for _ in range(3):
        await try_again(hass, waiting)
    assert hass.bus.async_listeners() == before
    assert traces(hass)[1] == []


async def test_nothing_listens_after_retries_and_an_unload(
    hass: HomeAssistant, cloud: Simulator, waiting: MockConfigEntry
) -> None:
    """What was started while the set-up waited is not started twice."""
    listeners = []
    for _ in range(2):
        await end_outage_and_retry(hass, cloud, waiting)
        await hass.config_entries.async_unload(waiting.entry_id)
        await hass.async_block_till_done()
        listeners.append(hass.bus.async_listeners() | {EVENT_HOMEASSISTANT_FINAL_WRITE: 0})
        cloud.faults.set(refuse_connect={"code": 3})
        await hass.config_entries.async_setup(waiting.entry_id)
    assert listeners[0] == listeners[1]


async def test_states_before_the_start_are_not_reported(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The first sample is the state when Home Assistant has started."""
    hass.set_state(CoreState.not_running)
    cloud.faults.set(refuse_connect={"code": 3})
    entry = await set_up([POWER], options=NO_MODEL)
    measure(hass, "sensor.power", 1, 1000)
    measure(hass, "sensor.power", 2, 2000)
    await hass.async_start()
    await hass.async_block_till_done()
    measure(hass, "sensor.power", 3, 3000)
    await end_outage_and_retry(hass, cloud, entry)
    assert sorted(device.samples["Power"]) == [(2, NOON + 2000), (3, NOON + 3000)]


async def test_samples_are_written_when_home_assistant_stops(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    waiting: MockConfigEntry,
    hass_storage: dict[str, Any],
    set_up: SetUp,
) -> None:
    """The samples are on disk for the next run."""
    measure(hass, "sensor.power", 1, 1000)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert [row[2:] for row in hass_storage[f"{DOMAIN}.{waiting.entry_id}.unsent.0"]["data"]["samples"]] == [
        [NOON, 0],
        [NOON + 1000, 1],
    ]


@pytest.mark.parametrize("how", ["disabled", "removed"])
async def test_nothing_runs_for_a_disabled_or_removed_entry(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, hass_storage: dict[str, Any], how: str
) -> None:
    """The runtime is stopped; the files are kept for a disabled entry, and removed with a removed one."""
    assert await async_setup_component(hass, DOMAIN, {})
    before = traces(hass)
    cloud.faults.set(refuse_connect={"code": 3})
    measure(hass, "sensor.power", 0)
    entry = await set_up([POWER], options=NO_MODEL)
    measure(hass, "sensor.power", 1)
    assert traces(hass) != before
    if how == "disabled":
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    else:
        await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert traces(hass) == before
    kept = [key for key in hass_storage if key.startswith(f"{DOMAIN}.{entry.entry_id}")]
    assert bool(kept) == (how == "disabled")


async def test_samples_survive_a_reload(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, waiting: MockConfigEntry
) -> None:
    """The next runtime reads them from disk."""
    measure(hass, "sensor.power", 1, 1000)
    assert not await hass.config_entries.async_reload(waiting.entry_id)
    measure(hass, "sensor.power", 2, 2000)
    await end_outage_and_retry(hass, cloud, waiting)
    assert sorted(device.samples["Power"]) == [(number, NOON + number * 1000) for number in range(3)]


async def test_changed_bindings_apply_at_the_next_attempt(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, waiting: MockConfigEntry
) -> None:
    """The next attempt uses the present bindings."""
    measure(hass, "sensor.power", 1, 1000)
    measure(hass, "sensor.voltage", 230, 1000)
    subentry = next(iter(waiting.subentries.values()))
    hass.config_entries.async_update_subentry(waiting, subentry, data={"bindings": [POWER, VOLTAGE]})
    await end_outage_and_retry(hass, cloud, waiting)
    assert sorted(device.samples["Power"]) == [(0, NOON), (1, NOON + 1000)]
    assert device.properties["Voltage"] == (230, NOON + 1000)


async def test_samples_are_sent_to_a_changed_endpoint(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, waiting: MockConfigEntry, socket_enabled: None
) -> None:
    """The samples are sent to the host that the device connects to next."""
    measure(hass, "sensor.power", 1, 1000)
    async with Simulator(connects_per_minute=None) as other:
        moved = other.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        hass.config_entries.async_update_entry(waiting, data={**waiting.data, CONF_ENDPOINT: f"127.0.0.1:{other.port}"})
        await try_again(hass, waiting)
        await caught_up(waiting)
        assert sorted(moved.samples["Power"]) == [(0, NOON), (1, NOON + 1000)]
        assert await hass.config_entries.async_unload(waiting.entry_id)


async def test_refused_credentials_end_the_retries(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, waiting: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """With refused credentials nothing runs any more; the samples are on disk until the secret is corrected."""
    measure(hass, "sensor.power", 1, 1000)
    cloud.faults.set(refuse_connect={"code": 5})
    await try_again(hass, waiting)
    assert waiting.state is ConfigEntryState.SETUP_ERROR
    assert "state_changed" not in hass.bus.async_listeners()
    end_outage(cloud)
    hass.config_entries.async_update_entry(waiting, data={**waiting.data, CONF_DEVICE_SECRET: DEVICE_SECRET})
    assert await hass.config_entries.async_reload(waiting.entry_id)
    await caught_up(waiting)
    assert sorted(device.samples["Power"]) == [(0, NOON), (1, NOON + 1000)]


@pytest.mark.parametrize("why", ["disabled", "another configuration"])
async def test_cancelled_set_up_does_not_cancel_the_stop_of_the_earlier_runtime(
    hass: HomeAssistant,
    waiting: MockConfigEntry,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    """The stop goes on, and the next set-up waits for its end, so that two runtimes never use the same files."""
    measure(hass, "sensor.power", 1, 1000)
    write, writing, go_on = UnsentStore.stop, asyncio.Event(), asyncio.Event()

    async def write_slowly(store: UnsentStore) -> None:
        writing.set()
        await go_on.wait()
        await write(store)

    monkeypatch.setattr(UnsentStore, "stop", write_slowly)
    config = link_config(hass, waiting.data, waiting.options)
    if why == "disabled":
        disabling = hass.async_create_task(
            hass.config_entries.async_set_disabled_by(waiting.entry_id, ConfigEntryDisabler.USER)
        )
        await writing.wait()
        await disabling
    else:
        config = replace(config, keep_alive=77)
    setting_up = asyncio.create_task(async_take_over(hass, waiting, config))
    await writing.wait()
    setting_up.cancel()
    await asyncio.wait({setting_up})
    again = asyncio.create_task(async_take_over(hass, waiting, config))
    await asyncio.sleep(0)
    assert not again.done()

    go_on.set()
    assert await again is None
    assert await async_take_over(hass, waiting, config) is None
    samples = hass_storage[f"{DOMAIN}.{waiting.entry_id}.unsent.0"]["data"]["samples"]
    assert [row[2:] for row in samples] == [[NOON, 0], [NOON + 1000, 1]]
    assert traces(hass) == (0, [])


async def test_events_are_kept_until_a_retry_succeeds(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, waiting: MockConfigEntry
) -> None:
    """Each arrives once, with its own time and in order."""
    output = {"Zone": "{{ trigger.event.data.zone }}"}
    await bind_event(hass, waiting, identifier="Smoke", triggers=SMOKE, output=output)
    await try_again(hass, waiting)  # uses the binding
    await hass.async_block_till_done()  # its trigger is attached in a task of its own
    assert waiting.state is RETRY
    happened: list[tuple[int, int]] = []
    for zone in range(6):
        before = utc_milliseconds()
        hass.bus.async_fire("smoke", {"zone": f"z{zone}"})
        await asyncio.sleep(0.002)
        happened.append((before, utc_milliseconds()))
        if zone % 2:
            await try_again(hass, waiting)
            assert waiting.state is RETRY
    await end_outage_and_retry(hass, cloud, waiting)
    await device.wait_for(lambda one: len(one.events) == 6)
    await caught_up(waiting)
    assert [event.output for event in device.events] == [{"Zone": f"z{zone}"} for zone in range(6)]
    for event, (before, after) in zip(device.events, happened, strict=True):
        assert event.time is not None
        assert before <= event.time <= after
