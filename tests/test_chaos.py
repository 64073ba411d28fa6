"""A short run of chaos with every kind of fault, and the audit itself."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
import json
import logging
from pathlib import Path
import sys

from homeassistant.core import HomeAssistant
from homeassistant.helpers import storage
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError
import pytest

from chaos.audit import DAY_MS, audit, audit_events, differing, misplaced, untold
from chaos.automations import COUNT, listening_automations
from chaos.clock import HouseClock
from chaos.compressed import compressed
from chaos.disk import Disk, DiskFault
from chaos.home import Home
from chaos.house import (
    ALARM,
    BELL,
    DEVICE_NAME,
    EXTRA,
    IDENTITIES,
    LAMPS,
    PRODUCT_KEY,
    QUESTION,
    SCENE,
    add_devices,
    entry,
)
from chaos.recorder import Recorder, captured_passwords
from chaos.resources import Resources
from chaos.schedule import CONNECTION, HOUSE, MESSAGES, SUB_DEVICES, Fault, Kind, schedule
from chaos.sub_device_actions import SubDeviceActions
from chaos.sub_device_faults import LoginWatch, SubDeviceFaults
from chaos.sub_devices import CHILDREN, LEVEL, POWER, SUB_LEVELS, SUB_READINGS
from custom_components.aliyun_iot.alink.samples import utc_milliseconds
from custom_components.aliyun_iot.reports.losses import Loss
from custom_components.aliyun_iot.reports.outbox import Refusal
from simulator import CloudDevice, Desired, DeviceReply, Direction, EventRecord, ServiceCall, Simulator

from .waiting import until

ROOT = Path(__file__).resolve().parent.parent
SECRET = "chaotic"
SECRETS = dict.fromkeys(IDENTITIES, SECRET)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
async def test_short_run_keeps_every_promise(tmp_path: Path, socket_enabled: None, seed: int) -> None:
    """It runs in a process of its own, as from the command line."""
    outcome = tmp_path / "outcome.json"
    command = (sys.executable, "-m", "chaos", "--minutes", "0.1", "--seed", str(seed), "--json", outcome)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    result = json.loads(outcome.read_text(encoding="utf-8"))
    assert sum(result["faults"].values()) >= 1
    assert result["counters"]["sent"] > 0
    assert [check["promise"] for check in result["checks"] if check["broken"]] == []


def test_seed_draws_the_same_faults() -> None:
    """Another seed draws other faults; a short run has as many kinds as possible."""
    for kinds in (CONNECTION, MESSAGES, HOUSE, SUB_DEVICES):
        faults = schedule(7, kinds, 4.0, 600.0)
        assert faults == schedule(7, kinds, 4.0, 600.0) != schedule(8, kinds, 4.0, 600.0)
        assert {fault.kind for fault in faults[: len(kinds)]} == set(kinds)


@pytest.fixture
def devices(cloud: Simulator) -> list[CloudDevice]:
    """Return the device of the house and its sub-devices."""
    return add_devices(cloud, SECRETS)


@pytest.fixture
def device(devices: list[CloudDevice]) -> CloudDevice:
    """Return the device of the house."""
    return devices[0]


@pytest.fixture
async def house(
    hass: HomeAssistant, cloud: Simulator, devices: list[CloudDevice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Home:
    """Return a house in which both sides agree; it is furnished in the Home Assistant of the test."""

    async def furnished(
        folder: Path, switches: Iterable[str], prepare: Callable[[HomeAssistant], Awaitable[None]]
    ) -> HomeAssistant:
        assert await async_setup_component(hass, "input_boolean", {"input_boolean": dict.fromkeys(switches)})
        await prepare(hass)
        return hass

    monkeypatch.setattr("chaos.home.start_home", furnished)
    house = Home(tmp_path)
    await house.start()
    await house.add(entry(cloud.port, SECRETS))
    await until(lambda: not differing(house, devices) and not misplaced(house, devices))
    await until(lambda: all(parts.reporter.sender.past.allowed for parts in house.all_parts))
    return house


@pytest.fixture
async def recorder(house: Home, cloud: Simulator, devices: list[CloudDevice]) -> Recorder:
    """Return a recorder that has seen nothing yet."""
    for device in devices:
        device.samples.clear()
    return Recorder(cloud, devices, lambda: {SECRET})


def broken(house: Home, device: CloudDevice, recorder: Recorder) -> list[str]:
    """Return all findings of the audit."""
    return [finding for check in audit(house, device, recorder) for finding in check.broken]


async def test_audit_without_findings(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """A sample may arrive twice with the same time."""
    recorder.record_sample("every_0", 5)
    recorder.arrivals["every_0"] = Counter({(5, 100): 2})
    assert broken(house, device, recorder) == []


async def test_audit_reports_a_different_last_value(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """Even of a single property; one that the cloud has refused is told."""
    device.properties["newest_3"] = (9, 1)
    difference = "newest_3: 0.0 in Home Assistant, 9.0 in the cloud"
    assert broken(house, device, recorder) == untold(house, recorder.present) == [difference]
    house.parts.reporter.outbox.status["newest_3"].refusal = Refusal("460", 9, 1)
    assert untold(house, recorder.present) == []
    assert broken(house, device, recorder) == [difference]


async def test_audit_reports_sub_devices(house: Home, devices: list[CloudDevice], recorder: Recorder) -> None:
    """Offline although the device is available, another value, a missing sample of one that shares it, and no answer."""
    last = devices[-1]
    last.properties[POWER] = (1, 1)
    assert broken(house, last, recorder) == ["sub-7.Power: 0.0 in Home Assistant, 1.0 in the cloud"]
    last.properties[POWER] = (0, 1)
    recorder.record_sample("sub_4_reading", 5)
    recorder.arrivals["sub-5.Reading"] = Counter({(5, 100): 1})
    assert broken(house, last, recorder) == ["missing sub-4.Reading: 5 (0 lost)"]
    house.lost["sub-4.Reading"] = 1
    assert broken(house, last, recorder) == []
    last.service_calls.append(ServiceCall("1", "1", "set", {POWER: 1}, False, 0, 0.0))
    recorder.reached.add("1")
    assert broken(house, last, recorder) == ["set 1 {'Power': 1}: it reached the house, and no answer has arrived"]
    recorder.excuse_unanswered([last])
    last.connection.close("lost")  # without a word, so that Home Assistant shows it as connected
    off = "sub-7: available True, online in the cloud False, shown as connected True"
    assert broken(house, last, recorder) == [off]


async def test_sub_device_whose_device_is_away(house: Home, devices: list[CloudDevice], recorder: Recorder) -> None:
    """It is logged out after a while, and has the values from before."""
    child = CHILDREN[1]
    assert house.set_value(child.entities[LEVEL], 8)
    await until(lambda: not differing(house, devices))
    for name in child.entities.values():
        house.take_away(name, remove=False)
    assert not house.is_available(child)
    assert misplaced(house, devices) == ["sub-1: available False, online in the cloud True, shown as connected True"]
    await until(lambda: not misplaced(house, devices))
    assert [device.device_name for device in devices if not device.online] == ["sub-1"]
    assert differing(house, devices) == {}
    for name in child.entities.values():
        house.bring_back(name)
    await until(lambda: not misplaced(house, devices))
    assert all(device.online for device in devices)


@pytest.mark.parametrize("kind", list(SUB_DEVICES))
async def test_fault_of_sub_devices(
    house: Home,
    cloud: Simulator,
    devices: list[CloudDevice],
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
) -> None:
    """Each has an effect, which the house gets over."""
    logins = LoginWatch()
    monkeypatch.setattr(cloud._platform.transcript, "_listener", logins.saw)
    actions = SubDeviceActions(cloud, devices[0], SECRETS)
    faults = SubDeviceFaults(cloud, house, recorder, actions, logins)
    before = cloud.wire[-1].number
    with compressed():
        await faults.inject(Fault(0.0, kind, 0.1, 1))
        for name in (*SUB_READINGS, *SUB_LEVELS):  # a lost session shows with the next value
            house.set_value(name, 2)
        await until(lambda: not (misplaced(house, recorder.present) or differing(house, recorder.present)))
    links = [message for message in cloud.wire if message.number > before and message.direction is Direction.LINK]
    assert any("sub-" in message.device or "chaos-1" in message.device for message in links)
    assert logins.act is None
    assert all(device.gateway is devices[0] for device in recorder.present[1:])


async def test_audit_reports_samples(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """A sample that is missing, and one that arrived with two times."""
    recorder.record_sample("every_0", 5)
    recorder.record_sample("every_1", 6)
    recorder.arrivals["every_1"] = Counter({(6, 100): 1, (6, 101): 1})
    assert broken(house, device, recorder) == ["missing every_0: 5 (0 lost)", "every_1: 6 with 2 times: [100, 101]"]


async def test_audit_accepts_samples_that_are_accounted_for(
    house: Home, device: CloudDevice, recorder: Recorder
) -> None:
    """One that was counted as lost, one that got a state again, and one from before the clock was set back."""
    for number in range(3):
        recorder.record_sample(f"every_{number}", number)
    house.lost["every_0"] = 1
    house.shown_again.add(("every_1", "1"))
    recorder.arrivals["every_1"] = Counter({(1, 100): 1, (1, 101): 1})
    recorder.arrivals["every_2"] = Counter({(2, 100): 1, (2, 100 + DAY_MS): 1})
    assert broken(house, device, recorder) == []


async def test_audit_reports_losses_that_are_not_told(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """There must be an issue."""
    losses = house.parts.reporter.losses
    losses.by_identifier["every_0"] = Loss(1, "460")
    assert broken(house, device, recorder) == ["chaos-1: 1 losses, and no repair issue"]
    losses.add({"every_1": 1}, {"every_1": "460"})
    await house.hass.async_block_till_done()
    assert broken(house, device, recorder) == []
    assert house.losses == {"every_0": 1, "every_1": 1}


async def test_audit_accepts_repeated_and_dropped_events(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """An event may arrive twice with the same time; an event that was counted need not arrive."""
    for number in range(1, 4):
        recorder.record_event(BELL, number, 1000)
    recorder.record_event(ALARM, 4, 1000 + 2 * DAY_MS)
    device.events += [EventRecord(BELL, {"Number": 1}, 1003)] * 2
    device.events.append(EventRecord(ALARM, {"Number": 4}, 1500))  # the clock was set back meanwhile
    recorder.collect()
    house.dropped_events = 1
    house.lost[BELL] = 1
    check = audit_events(house, recorder)
    assert check.broken == []
    assert check.summary == "4 events, 1 repeated with the same time, 1 dropped, 1 lost"


async def test_audit_reports_events(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """It reports events that are missing, that arrived with two times or a wrong time, and that were never fired."""
    for number in range(1, 4):
        recorder.record_event(ALARM, number, 1000)
    for number, at in ((2, 1000), (2, 1001), (3, 9000), (4, 1000)):
        device.events.append(EventRecord(ALARM, {"Number": number}, at))
    recorder.collect()
    assert device.events == []
    assert audit_events(house, recorder).broken == [
        "missing Alarm 1",
        "Alarm 2: posted with 2 times",
        "Alarm 3: posted with a time 8000 ms off",
        "Alarm 4: never fired",
    ]


async def test_audit_reports_commands(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """Carried out twice, answered in two ways, answered without effect, unanswered; synchronous ones may be unanswered."""
    replies = [DeviceReply(200, {}, "", 0.0), DeviceReply(429, {}, "", 0.0)]
    for number, (answers, executions) in enumerate([(replies[:1], 2), (replies, 1), (replies[:1], 0), ([], 1)], 1):
        device.service_calls.append(ServiceCall(str(number), str(number), "set", {}, False, 0, 0.0, answers))
        recorder.executions[str(number)] = executions
    device.service_calls.append(ServiceCall("6", "6", QUESTION, {"Number": 8}, True, 0, 0.0))
    recorder.executions["6"] = 1
    recorder.calls[7] = 2
    device.service_calls.append(ServiceCall("5", "5", SCENE, {"Number": 7}, False, 0, 0.0))
    recorder.reached |= {"1", "2", "3", "4", "6"}
    found = broken(house, device, recorder)
    assert [finding.split(":")[0].split()[1] for finding in found] == ["4", "1", "2", "3", "5"]
    recorder.excuse_unanswered([device])
    assert [finding.split(":")[0].split()[1] for finding in broken(house, device, recorder)] == ["1", "2", "3", "5"]


async def test_audit_reports_desired_values(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """Set twice, still desired, cleared without being set, and too old although no clock was set."""
    recorder.record_wish("wish_0", 1)
    recorder.record_wish("wish_1", 2)
    device.desired = {"wish_0": Desired(1, 1, 0), "wish_1": Desired(None, 1, 0, cleared=True)}
    recorder.granted["wish_0", 1] = 2
    expected = ["wish_0: 1 is still desired", "wish_1: 2 was cleared but not set", "wish_0: 1 was set 2 times"]
    assert broken(house, device, recorder) == expected
    recorder.stale["wish_1"] = 2
    assert broken(house, device, recorder)[-1] == "too old although no clock was set: {'wish_1': 2}"
    recorder.clock_was_set = True
    assert broken(house, device, recorder) == [expected[0], expected[2]]


async def test_audit_reports_dropped_messages(house: Home, device: CloudDevice, recorder: Recorder) -> None:
    """The platform drops messages silently; the simulator records them."""
    recorder.dropped = 1
    assert broken(house, device, recorder) == ["1 were dropped"]


async def test_commands_and_desired_values_are_recorded(
    house: Home, cloud: Simulator, device: CloudDevice, recorder: Recorder
) -> None:
    """What reached the house, what was carried out, and which value was set how often."""
    house.each_start(recorder.listen)
    with recorder.watching():
        for number in (3, 4):
            recorder.record_wish("wish_0", number)
            await cloud.call(
                "SetDeviceDesiredProperty",
                ProductKey=PRODUCT_KEY,
                DeviceName=DEVICE_NAME,
                Items=json.dumps({"wish_0": number}),
            )
        await until(lambda: all(call.replies for call in device.service_calls))
    ids = {call.id for call in device.service_calls}
    assert len(ids) == 2
    assert recorder.reached == recorder.executions.keys() == ids
    assert recorder.granted == {("wish_0", 3): 1, ("wish_0", 4): 1}


async def test_automations_that_listen_are_counted(
    house: Home, cloud: Simulator, device: CloudDevice, recorder: Recorder
) -> None:
    """Each of them hears a command, and none of them is left."""
    before = Resources.now(house.hass)
    listening = asyncio.create_task(listening_automations(house, recorder, 0.5))
    while not listening.done():
        await cloud.call(
            "SetDeviceProperty", ProductKey=PRODUCT_KEY, DeviceName=DEVICE_NAME, Items=json.dumps({LAMPS[0]: 1})
        )
        await asyncio.sleep(0.05)
    assert recorder.heard > 0
    assert recorder.unheard == []
    assert COUNT == 1000
    await until(lambda: not Resources.now(house.hass).more_than(before))


async def test_entities_are_renamed_bound_and_gone(house: Home, devices: list[CloudDevice]) -> None:
    """And both sides agree again afterwards."""
    await house.rename("newest_0")
    assert house.entity_id("newest_0") == "sensor.newest_0_1"
    house.take_away("newest_1", remove=True)
    house.take_away("newest_2", remove=False)
    house.take_away(LAMPS[0], remove=True)
    for number, name in enumerate(("newest_0", "newest_1", "newest_2", EXTRA[1]), 1):
        house.set_value(name, number)
    house.bind(EXTRA[0])
    house.bind(EXTRA[1])
    for name in ("newest_1", "newest_2", LAMPS[0]):
        house.bring_back(name)
    await until(lambda: not differing(house, devices))
    assert [devices[0].properties[name][0] for name in ("newest_0", "newest_1", "newest_2", EXTRA[1])] == [1, 2, 3, 4]
    assert EXTRA[0] not in house.bound


async def test_reload_under_load_keeps_what_was_counted(house: Home, devices: list[CloudDevice]) -> None:
    """The counters of the integration begin anew with each run."""
    house.parts.reporter.losses.by_identifier["every_0"] = Loss(2, "460")
    await house.reload()
    await house.loaded()
    assert house.losses == {"every_0": 2}
    assert house.set_value("every_0", 1)
    await until(lambda: not differing(house, devices))


def test_clock_of_the_house_can_be_set() -> None:
    """Also the clock that samples use; afterwards it is right again."""
    clock, before = HouseClock(), utc_milliseconds()
    with clock.used():
        clock.ahead = 3600.0
        assert utc_milliseconds() - before >= 3_600_000
        assert dt_util.utcnow().timestamp() * 1000 - before >= 3_600_000
    assert 0 <= utc_milliseconds() - before < 3_600_000


def test_disk_can_be_broken(tmp_path: Path) -> None:
    """Only for the files of the integration."""
    disk = Disk()
    folder = tmp_path / ".storage"
    folder.mkdir()
    with disk.used():
        disk.fault = DiskFault.FULL
        with pytest.raises(WriteError):
            storage.write_utf8_file_atomic(str(folder / "aliyun_iot.a"), "{}")
        storage.write_utf8_file_atomic(str(folder / "core.a"), "{}")
        disk.fault = DiskFault.READ_ONLY
        with pytest.raises(OSError, match="Read-only"):
            storage.write_utf8_file_atomic(str(folder / "aliyun_iot.a"), "{}")
        disk.fault = None
        storage.write_utf8_file_atomic(str(folder / "aliyun_iot.a"), "{}")
    assert disk.refused == 2
    assert sorted(path.name for path in folder.iterdir()) == ["aliyun_iot.a", "core.a"]


async def test_timers_of_the_integration_are_counted(house: Home) -> None:
    """A timer that is left is found."""
    before = Resources.now(house.hass)
    other = house.hass.loop.call_later(60, print, 1)
    timer = house.hass.loop.call_later(60, house.parts.reporter.present, [])
    assert Resources.now(house.hass).more_than(before) == ["1 timer(s)"]
    timer.cancel()
    other.cancel()
    assert Resources.now(house.hass).more_than(before) == []


async def test_recorder_finds_secrets_in_logs(recorder: Recorder) -> None:
    """Also in tracebacks."""
    recorder.emit(logging.LogRecord("a", logging.DEBUG, "", 0, "nothing", (), None))
    assert recorder.leaks == []
    recorder.emit(logging.LogRecord("b", logging.DEBUG, "", 0, "the secret is %s", (SECRET,), None))
    exc_info = (ValueError, ValueError(SECRET), None)
    recorder.emit(logging.LogRecord("c", logging.ERROR, "", 0, "failed", (), exc_info))
    assert recorder.leaks == ["b DEBUG", "c ERROR"]
    assert len(recorder.errors) == 1


async def test_passwords_are_captured(cloud: Simulator, house: Home) -> None:
    """A password signed with the secret must not be logged either."""
    with captured_passwords() as passwords:
        await house.reload()
        await house.loaded()
    assert [len(password) for password in passwords] == [64]
