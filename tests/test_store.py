"""Unsent values survive full, slow and damaged disks, and a stop in the middle of reading or writing."""

import asyncio
from collections.abc import Callable
import errno
import json
import logging
from pathlib import Path
import threading
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import storage
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.commands.policy import CommandRules, Policy, PreparedPolicy
from custom_components.aliyun_iot.diagnostics import async_get_config_entry_diagnostics
from custom_components.aliyun_iot.reports import store
from custom_components.aliyun_iot.reports.events import PendingEvent
from simulator import CloudDevice, Simulator

from .application import publish, reply_on
from .conftest import DEVICE_NAME, SetUp
from .outages import (
    NOON,
    POWER,
    VOLTAGE,
    all_sent,
    caught_up,
    end_outage,
    lose_connection,
    measure,
    pass_a_minute,
    quick_to_return,
)
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until

NO_MODEL = {"thing_model": None}
KEY = "aliyun_iot.here.unsent"
KEPT = {
    "segments": [0],
    "latest": {"CurrentTemperature": [NOON, 25.0]},
    "desired": {"X": {"version": 1, "since": 1, "done": True}},
    "offline_since": 7,
}
ROWS = {"samples": [[0, "Power", NOON, 5]]}


@pytest.fixture(autouse=True)
def quick_reconnects(monkeypatch: pytest.MonkeyPatch, device: CloudDevice) -> None:
    """Let the cloud take any property, let connections come back soon, and fill several files."""
    device.thing_model = None
    quick_to_return(monkeypatch)
    monkeypatch.setattr(store, "SEGMENT", 20)


@pytest.fixture
async def offline(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, real_disk: Path
) -> MockConfigEntry:
    """Return an entry in an outage; 49 samples are kept."""
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER, TEMPERATURE], options=NO_MODEL, entry_id="here")
    await posted(device, "Power", 1)
    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    for second in range(1, 50):
        measure(hass, "sensor.power", second + 1, second * 1000)
    return entry


async def restarted(hass: HomeAssistant, cloud: Simulator, entry: MockConfigEntry) -> None:
    """Unload, end the outage, set up again, and wait until everything is sent."""
    # While the outage lasts, the set-up may be trying again, and cannot be unloaded meanwhile.
    await until(lambda: entry.state is not ConfigEntryState.SETUP_IN_PROGRESS)
    assert await hass.config_entries.async_unload(entry.entry_id)
    end_outage(cloud)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await caught_up(entry)


def arrived(device: CloudDevice) -> list[Any]:
    """Return the values of the power that the cloud has, in order."""
    return sorted({value for value, _ in device.samples["Power"]})


def failing(error: Exception) -> Callable[..., None]:
    """Return a function that raises an error as a file system does."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("too_large", [KEY, f"{KEY}.2"])
async def test_failed_write_is_repeated(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    offline: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    real_disk: Path,
    too_large: str,
) -> None:
    """What could not be written is written once there is room again, even if nothing has changed since."""
    write, file = storage.write_utf8_file_atomic, real_disk / ".storage" / too_large

    def write_what_fits(path: str, *facts: Any, **more: Any) -> None:
        if path == str(file):
            raise WriteError(OSError(errno.ENOSPC, "No space left on device"))
        write(path, *facts, **more)

    with monkeypatch.context() as full:
        full.setattr(storage, "write_utf8_file_atomic", write_what_fits)
        pass_a_minute(hass)
        await hass.async_block_till_done()
        assert not file.exists()
    pass_a_minute(hass)
    await hass.async_block_till_done()
    assert file.exists()
    await restarted(hass, cloud, offline)
    assert arrived(device) == list(range(1, 51))


@pytest.fixture(params=["full", "read-only"])
def broken_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that breaks the disk for the files of the device; another call repairs it."""
    write, unlink, is_broken = storage.write_utf8_file_atomic, storage.os.unlink, False
    full = request.param == "full"

    def write_or_fail(path: str, *facts: Any, **more: Any) -> None:
        if is_broken and "aliyun_iot" in path:
            error = OSError(errno.ENOSPC if full else errno.EROFS, "The disk is broken")
            raise WriteError(error) if full else error
        write(path, *facts, **more)

    def unlink_or_fail(path: str) -> None:
        if is_broken and not full and "aliyun_iot" in path:
            raise OSError(errno.EROFS, "The disk is broken")
        unlink(path)

    def toggle() -> None:
        nonlocal is_broken
        is_broken = not is_broken

    monkeypatch.setattr(storage, "write_utf8_file_atomic", write_or_fail)
    monkeypatch.setattr(storage.os, "unlink", unlink_or_fail)
    return toggle


async def test_reload_with_a_broken_disk_loses_nothing(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    offline: MockConfigEntry,
    broken_disk: Callable[[], None],
    real_disk: Path,
) -> None:
    """Samples, newest values and events are handed over in memory, and written as soon as the disk takes them."""
    broken_disk()
    hass.states.async_set("sensor.living_room", "25", CELSIUS)
    queue = offline.runtime_data.device.event_queue
    queue.add(PendingEvent("Rang", {"Zone": "door"}, NOON))
    for _ in range(2):
        assert await hass.config_entries.async_unload(offline.entry_id)
        hass.states.async_remove("sensor.living_room")
        await hass.config_entries.async_setup(offline.entry_id)
        await until(lambda: offline.state is ConfigEntryState.SETUP_RETRY)
    broken_disk()
    pass_a_minute(hass)
    await until((real_disk / ".storage" / KEY).exists)
    await restarted(hass, cloud, offline)
    assert arrived(device) == list(range(1, 51))
    assert len(device.samples["Power"]) == 50
    assert [(event.identifier, event.output) for event in device.events] == [("Rang", {"Zone": "door"})]
    assert device.properties["CurrentTemperature"][0] == 25


async def test_reload_with_a_broken_disk_hands_over_a_thousand_samples(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    real_disk: Path,
    broken_disk: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They fill several files, of which none can be written."""
    monkeypatch.setattr(store, "SEGMENT", 500)
    measure(hass, "sensor.power", 0, 0)
    entry = await set_up([POWER], options=NO_MODEL)
    await caught_up(entry)
    broken_disk()
    await entry.runtime_data.suspend()
    for second in range(1, 1001):
        measure(hass, "sensor.power", second, second * 1000)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await caught_up(entry)
    assert arrived(device) == list(range(1001))


async def test_files_that_cannot_be_removed_are_not_sent_again(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    offline: MockConfigEntry,
    broken_disk: Callable[[], None],
) -> None:
    """Their samples have arrived after they were written, and then the disk breaks."""
    pass_a_minute(hass)
    await hass.async_block_till_done()
    broken_disk()
    end_outage(cloud)
    await caught_up(offline)
    sent = len(device.samples["Power"])
    assert await hass.config_entries.async_unload(offline.entry_id)
    assert offline.state is ConfigEntryState.NOT_LOADED
    assert await hass.config_entries.async_setup(offline.entry_id)
    await caught_up(offline)
    assert arrived(device) == list(range(1, 51))
    assert len(device.samples["Power"]) == sent + 1  # the present value


async def test_broken_disk_is_tried_less_and_less_often(
    hass: HomeAssistant,
    offline: MockConfigEntry,
    broken_disk: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Home Assistant logs each failure, so a round ends with the first one."""
    broken_disk()
    failures: list[int] = []
    for minute in range(60):
        caplog.clear()
        freezer.tick(60)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        failures += [minute] * any(KEY in record.getMessage() for record in caplog.records)
    assert failures == [0, 1, 3, 7, 15, 30, 45]


async def test_removed_device_leaves_nothing_in_memory(
    hass: HomeAssistant, cloud: Simulator, offline: MockConfigEntry, broken_disk: Callable[[], None]
) -> None:
    """What was handed over is not for a device with the same id."""
    broken_disk()
    assert await hass.config_entries.async_unload(offline.entry_id)
    assert hass.data[store._UNWRITTEN]
    await hass.config_entries.async_remove(offline.entry_id)
    assert not hass.data[store._UNWRITTEN]


async def test_changes_during_a_slow_write_are_not_lost(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    offline: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The entry is unloaded during a write, and there are new samples meanwhile: nothing is overwritten."""
    write, begun, go_on, ended = storage.write_utf8_file_atomic, *(threading.Event() for _ in range(3))

    def slow(path: str, *facts: Any, **more: Any) -> None:
        first = path.endswith(f"{KEY}.2") and not begun.is_set()
        if first:
            begun.set()
            go_on.wait(10)
        write(path, *facts, **more)
        if first:
            ended.set()

    monkeypatch.setattr(storage, "write_utf8_file_atomic", slow)
    pass_a_minute(hass)
    await until(begun.is_set)
    for second in range(50, 60):
        measure(hass, "sensor.power", second + 1, second * 1000)
    unloading = hass.async_create_task(hass.config_entries.async_unload(offline.entry_id))
    await asyncio.wait({unloading}, timeout=0.2)  # it would be done by then if it did not wait
    go_on.set()
    assert await unloading
    await until(ended.is_set)
    end_outage(cloud)
    assert await hass.config_entries.async_setup(offline.entry_id)
    await caught_up(offline)
    assert arrived(device) == list(range(1, 61))


async def test_samples_survive_a_damaged_index(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, offline: MockConfigEntry, real_disk: Path
) -> None:
    """Only the unreadable file is lost. Removing the device removes all files, including those that were set aside."""
    assert await hass.config_entries.async_unload(offline.entry_id)
    (real_disk / ".storage" / KEY).write_bytes(b"\0\0\0")
    end_outage(cloud)
    assert await hass.config_entries.async_setup(offline.entry_id)
    await posted(device, "Power", 50)
    await caught_up(offline)
    assert arrived(device) == list(range(1, 51))
    await hass.config_entries.async_remove(offline.entry_id)
    assert not [one.name for one in (real_disk / ".storage").iterdir() if KEY in one.name]


async def test_samples_of_a_property_unbound_while_unloaded_are_dropped(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, offline: MockConfigEntry
) -> None:
    """The past of an unbound property is not sent."""
    assert await hass.config_entries.async_unload(offline.entry_id)
    subentry = next(iter(offline.subentries.values()))
    hass.config_entries.async_update_subentry(offline, subentry, data={"bindings": [VOLTAGE]})
    end_outage(cloud)
    assert await hass.config_entries.async_setup(offline.entry_id)
    await caught_up(offline)
    assert arrived(device) == [1]


async def test_lost_answer_is_repeated_after_a_reload(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, real_disk: Path
) -> None:
    """An answer that was lost with its connection is sent again by the next one, even if the entry was reloaded meanwhile."""
    finish = asyncio.Event()

    async def act(_call: ServiceCall) -> None:
        await finish.wait()

    hass.services.async_register("test", "act", act)
    entry = await set_up(services=[{"identifier": "Act", "actions": [{"action": "test.act"}]}], options=NO_MODEL)
    await publish(cloud, device, "thing/service/Act", {"id": "7", "params": {}})
    link = entry.runtime_data.link
    await until(lambda: link.device.downlink._running)
    cloud.faults.set(freeze=DEVICE_NAME)
    finish.set()
    await until(lambda: link._answers._sent)
    cloud.faults.set(refuse_connect={"code": 3})
    device.connection.close("the line is dead")
    await until(lambda: link.state is not LinkState.ONLINE)
    cloud.faults.set(refuse_connect=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    reply = await reply_on(cloud, "thing/service/Act_reply")
    assert (reply["id"], reply["code"]) == ("7", 200)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x00\x00\x00",
        b'{"version": 1, "minor_version": 1, "data": {"segments": [0], "latest": ',
        b'{"version": 99, "minor_version": 1, "data": {"segments": []}}',
        b'{"version": 1, "minor_version": 1, "data": ["a list"]}',
        b'["no store at all"]',
        b'{"some": "other file"}',
    ],
)
async def test_unreadable_store_is_set_aside(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    real_disk: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
) -> None:
    """A damaged or foreign file is set aside with a warning, and everything works without it."""
    stored = real_disk / ".storage" / "aliyun_iot.here.unsent"
    stored.parent.mkdir()
    stored.write_bytes(content)
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER], options=NO_MODEL, entry_id="here")
    await posted(device, "Power", 1)
    aside = [path for path in stored.parent.iterdir() if path.name.startswith("aliyun_iot.here.unsent.")]
    assert [path.read_bytes() for path in aside] == [content]
    assert any(record.levelno >= logging.WARNING and str(stored) in record.getMessage() for record in caplog.records)

    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    measure(hass, "sensor.power", 2, 1000)
    await hass.config_entries.async_unload(entry.entry_id)
    assert json.loads(stored.read_bytes())["data"]["segments"] == [0]


async def test_file_with_unreadable_rows_is_kept(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, real_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The other rows are sent; a copy of the file as it was is kept, and diagnostics count the rows."""
    folder = real_disk / ".storage"
    folder.mkdir()
    index = {
        "segments": [0],
        "latest": {"Power": [NOON, 7], "Current": {"at": NOON, "value": 4, "quality": "good"}},
        "desired": {},
        "offline_since": None,
        "events": [["Ring", NOON, {}], {"identifier": "Smoke", "time": NOON}],
    }
    segment = {"samples": [[1, "Power", NOON, 5], [2, "Power", NOON, 6, "good"]]}
    contents = {}
    for name, data in (("aliyun_iot.here.unsent", index), ("aliyun_iot.here.unsent.0", segment)):
        contents[name] = json.dumps({"version": 1, "minor_version": 1, "key": name, "data": data})
        (folder / name).write_text(contents[name])
    entry = await set_up([POWER], options=NO_MODEL, entry_id="here")
    await device.wait_for(lambda _: device.events)
    aside = {path.name.partition(".unreadable.")[0]: path.read_text() for path in folder.glob("*.unreadable.*")}
    assert aside == contents
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["reporter"]["unreadable_rows"] == 3
    assert "2 rows of it cannot be read" in caplog.text


async def test_damaged_rows_and_segments_are_left_out(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """Only what is damaged is left out, row by row and file by file."""
    key = "aliyun_iot.here.unsent"
    hass_storage[key] = {
        "version": 1,
        "data": {
            "segments": [0, 1, 2, "three"],
            "latest": {"Power": "nonsense", "Voltage": [NOON, 3], "Current": ["noon", 4]},
            "desired": 4,
            "offline_since": "yesterday",
        },
    }
    hass_storage[f"{key}.0"] = {"version": 7, "data": {}}
    rows = [
        [store.SEGMENT, "Power", NOON, 5],
        [store.SEGMENT, "Power", NOON, 6],
        "row",
        [store.SEGMENT + 1, 7, 8],
        [-1, "Power", 1, 1],
    ]
    hass_storage[f"{key}.1"] = {"version": 1, "data": {"samples": rows}}
    current = {"identifier": "Current", "entity": "sensor.current", "aspect": "value"}
    entry = await set_up([POWER, VOLTAGE, current], options=NO_MODEL, entry_id="here")
    await posted(device, "Power", 5)
    await posted(device, "Voltage", 3)
    await all_sent(entry)
    assert device.samples["Power"] == [(5, NOON)]
    assert "Current" not in device.properties


class TestStoppedMeanwhile:
    """Home Assistant stops soon after it has started."""

    @pytest.mark.parametrize("slow", ["conditions", KEY, f"{KEY}.0"])
    async def test_stop_while_reading(
        self,
        hass: HomeAssistant,
        device: CloudDevice,
        set_up: SetUp,
        hass_storage: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        slow: str,
    ) -> None:
        """The files stay as they were, and the device does not connect; the same before the reading has begun."""
        hass_storage[KEY] = {"version": 1, "data": KEPT}
        hass_storage[f"{KEY}.0"] = {"version": 1, "data": ROWS}
        read, prepare, reading, go_on = store.async_read, Policy.prepare, asyncio.Event(), asyncio.Event()

        async def take_time(what: str) -> None:
            if what == slow:
                reading.set()
                await go_on.wait()

        async def read_slowly(hass: HomeAssistant, key: str) -> dict[str, Any] | None:
            await take_time(key)
            return await read(hass, key)

        async def prepare_slowly(policy: Policy, rules: CommandRules, conditions: Any) -> PreparedPolicy:
            await take_time("conditions")
            return await prepare(policy, rules, conditions)

        monkeypatch.setattr(store, "async_read", read_slowly)
        monkeypatch.setattr(Policy, "prepare", prepare_slowly)
        setting_up = asyncio.create_task(set_up([POWER, TEMPERATURE], options=NO_MODEL, entry_id="here"))
        await reading.wait()
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await asyncio.sleep(0.01)
        go_on.set()
        entry = await setting_up
        assert entry.state is not ConfigEntryState.LOADED
        assert hass_storage[KEY]["data"] == KEPT
        assert hass_storage[f"{KEY}.0"]["data"] == ROWS
        assert device.connections == 0

    async def test_stop_while_suspended(self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
        """A flow that tests another connection resumes a runtime that was stopped meanwhile."""
        entry = await set_up([], options=NO_MODEL)
        await entry.runtime_data.suspend()
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await hass.async_block_till_done()
        entry.runtime_data.resume()
        await asyncio.sleep(0.05)
        assert device.connections == 1
        assert not device.online
