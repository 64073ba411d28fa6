"""A short run of chaos with every kind of fault, and the audit itself."""

import asyncio
from collections import Counter
import json
import logging
from pathlib import Path
import sys

from homeassistant.core import HomeAssistant
import pytest

from chaos.audit import audit, audit_events
from chaos.faults import CONNECTION, MESSAGES, schedule
from chaos.house import ALARM, BELL, EVERY, LAMPS, NEWEST, QUESTION, SCENE, entity_id, furnish
from chaos.recorder import Recorder, captured_passwords
from simulator import CloudDevice, DeviceReply, EventRecord, ServiceCall, Simulator

from .conftest import SetUp

ROOT = Path(__file__).resolve().parent.parent
SECRET = "chaotic"


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
    for kinds in (CONNECTION, MESSAGES):
        faults = schedule(7, kinds, 4.0, 600.0)
        assert faults == schedule(7, kinds, 4.0, 600.0) != schedule(8, kinds, 4.0, 600.0)
        assert {fault.kind for fault in faults[: len(kinds)]} == set(kinds)


@pytest.fixture
def recorder(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> Recorder:
    """Return the recorder of a house in which both sides agree."""
    furnish(hass)
    for name in LAMPS:
        hass.states.async_set(entity_id(name), "off")
    device.properties.update(dict.fromkeys((*NEWEST, *EVERY, *LAMPS), (0, 1)))
    return Recorder(hass, cloud, device, lambda: {SECRET})


def broken(hass: HomeAssistant, device: CloudDevice, recorder: Recorder) -> list[str]:
    """Return all findings of the audit."""
    return [finding for check in audit(hass, device, recorder) for finding in check.broken]


async def test_audit_without_findings(hass: HomeAssistant, device: CloudDevice, recorder: Recorder) -> None:
    """A sample may arrive twice with the same time."""
    recorder.record_sample("every_0", 5)
    recorder.arrivals["every_0"] = Counter({(5, 100): 2})
    assert broken(hass, device, recorder) == []


async def test_audit_reports_a_different_last_value(
    hass: HomeAssistant, device: CloudDevice, recorder: Recorder
) -> None:
    """Even of a single property."""
    hass.states.async_set(entity_id("newest_3"), "9")
    assert broken(hass, device, recorder) == ["newest_3: 9 in Home Assistant, 0 in the cloud"]


async def test_audit_reports_samples(hass: HomeAssistant, device: CloudDevice, recorder: Recorder) -> None:
    """A sample that is missing, and one that arrived with two times."""
    recorder.record_sample("every_0", 5)
    recorder.record_sample("every_1", 6)
    recorder.arrivals["every_1"] = Counter({(6, 100): 1, (6, 101): 1})
    assert broken(hass, device, recorder) == ["missing every_0: 5", "every_1: 6 with 2 times"]


async def test_audit_accepts_repeated_and_dropped_events(device: CloudDevice, recorder: Recorder) -> None:
    """An event may arrive twice with the same time; an event that was counted as dropped need not arrive."""
    recorder.record_event(BELL, 1, 1000)
    recorder.record_event(ALARM, 2, 2000)
    device.events += [EventRecord(BELL, {"Number": 1}, 1003)] * 2
    recorder.collect()
    recorder.dropped_events = 1
    check = audit_events(recorder)
    assert check.broken == []
    assert check.summary == "2 events, 1 repeated with the same time, 1 dropped"


async def test_audit_reports_events(device: CloudDevice, recorder: Recorder) -> None:
    """It reports events that are missing, that arrived with two times or a wrong time, and that were never fired."""
    for number in range(1, 4):
        recorder.record_event(ALARM, number, 1000)
    for number, at in ((2, 1000), (2, 1001), (3, 9000), (4, 1000)):
        device.events.append(EventRecord(ALARM, {"Number": number}, at))
    recorder.collect()
    assert device.events == []
    assert audit_events(recorder).broken == [
        "missing Alarm 1",
        "Alarm 2: posted with 2 times",
        "Alarm 3: posted with a time 8000 ms off",
        "Alarm 4: never fired",
    ]


async def test_audit_reports_commands(hass: HomeAssistant, device: CloudDevice, recorder: Recorder) -> None:
    """Carried out twice, answered in two ways, answered without effect, unanswered; synchronous ones may be unanswered."""
    replies = [DeviceReply(200, {}, "", 0.0), DeviceReply(429, {}, "", 0.0)]
    for number, (answers, executions) in enumerate([(replies[:1], 2), (replies, 1), (replies[:1], 0), ([], 1)], 1):
        device.service_calls.append(ServiceCall(str(number), str(number), "set", {}, False, 0, 0.0, answers))
        recorder.executions[str(number)] = executions
    device.service_calls.append(ServiceCall("6", "6", QUESTION, {"Number": 8}, True, 0, 0.0))
    recorder.executions["6"] = 1
    recorder.calls[7] = 2
    device.service_calls.append(ServiceCall("5", "5", SCENE, {"Number": 7}, False, 0, 0.0))
    found = broken(hass, device, recorder)
    assert [finding.split(":")[0].split()[1] for finding in found] == ["4", "1", "2", "3", "5"]


async def test_audit_reports_dropped_messages(hass: HomeAssistant, device: CloudDevice, recorder: Recorder) -> None:
    """The platform drops messages silently; the simulator records them."""
    recorder.dropped = 1
    assert broken(hass, device, recorder) == ["1 were dropped"]


async def test_recorder_finds_secrets_in_logs(recorder: Recorder) -> None:
    """Also in tracebacks."""
    recorder.emit(logging.LogRecord("a", logging.DEBUG, "", 0, "nothing", (), None))
    assert recorder.leaks == []
    recorder.emit(logging.LogRecord("b", logging.DEBUG, "", 0, "the secret is %s", (SECRET,), None))
    exc_info = (ValueError, ValueError(SECRET), None)
    recorder.emit(logging.LogRecord("c", logging.ERROR, "", 0, "failed", (), exc_info))
    assert recorder.leaks == ["b DEBUG", "c ERROR"]
    assert len(recorder.errors) == 1


async def test_passwords_are_captured(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """A password signed with the secret must not be logged either."""
    with captured_passwords() as passwords:
        await set_up()
    assert [len(password) for password in passwords] == [64]
