"""Chaos in short: a few seconds of everything that goes wrong, and an auditor that would notice."""

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
from chaos.witness import Witness, overheard
from simulator import CloudDevice, Simulator
from simulator.device import DeviceReply, EventRecord, ServiceCall

from .conftest import SetUp

ROOT = Path(__file__).resolve().parent.parent
SECRET = "chaotic"


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_short_run_keeps_every_promise(tmp_path: Path, socket_enabled: None, seed: int) -> None:
    """A process of its own, as on the command line."""
    outcome = tmp_path / "outcome.json"
    command = (sys.executable, "-m", "chaos", "--minutes", "0.1", "--seed", str(seed), "--json", outcome)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    told = json.loads(outcome.read_text(encoding="utf-8"))
    assert sum(told["faults"].values()) >= 1
    assert told["counters"]["sent"] > 0
    assert [check["promise"] for check in told["checks"] if check["broken"]] == []


def test_a_seed_draws_the_same_faults() -> None:
    """And another one draws others; a short run sees as many kinds as it can."""
    for kinds in (CONNECTION, MESSAGES):
        faults = schedule(7, kinds, 4.0, 600.0)
        assert faults == schedule(7, kinds, 4.0, 600.0) != schedule(8, kinds, 4.0, 600.0)
        assert {fault.kind for fault in faults[: len(kinds)]} == set(kinds)


@pytest.fixture
def witness(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> Witness:
    """Return a witness of a house in which both sides agree."""
    furnish(hass)
    for name in LAMPS:
        hass.states.async_set(entity_id(name), "off")
    device.properties.update(dict.fromkeys((*NEWEST, *EVERY, *LAMPS), (0, 1)))
    return Witness(hass, cloud, device, lambda: {SECRET})


def broken(hass: HomeAssistant, device: CloudDevice, witness: Witness) -> list[str]:
    """Return everything that the auditor has to say."""
    return [one for check in audit(hass, device, witness) for one in check.broken]


async def test_the_auditor_is_content(hass: HomeAssistant, device: CloudDevice, witness: Witness) -> None:
    """Nothing is wrong, and a sample may arrive twice under one time."""
    witness.measured("every_0", 5)
    witness.arrivals["every_0"] = Counter({(5, 100): 2})
    assert broken(hass, device, witness) == []


async def test_the_auditor_sees_another_last_value(hass: HomeAssistant, device: CloudDevice, witness: Witness) -> None:
    """One property of fifty is enough."""
    hass.states.async_set(entity_id("newest_3"), "9")
    assert broken(hass, device, witness) == ["newest_3: 9 in the house, 0 in the cloud"]


async def test_the_auditor_sees_samples(hass: HomeAssistant, device: CloudDevice, witness: Witness) -> None:
    """One that is missing, and one that was told as two."""
    witness.measured("every_0", 5)
    witness.measured("every_1", 6)
    witness.arrivals["every_1"] = Counter({(6, 100): 1, (6, 101): 1})
    assert broken(hass, device, witness) == ["missing every_0: 5", "every_1: 6 under 2 times"]


async def test_auditor_accepts_repeated_and_dropped_events(device: CloudDevice, witness: Witness) -> None:
    """An event may arrive twice with the same time; an event that was counted as dropped need not arrive."""
    witness.fired(BELL, 1, 1000)
    witness.fired(ALARM, 2, 2000)
    device.events += [EventRecord(BELL, {"Number": 1}, 1003)] * 2
    witness.collect()
    witness.dropped_events = 1
    check = audit_events(witness)
    assert check.broken == []
    assert check.looked_at == "2 events, 1 repeated with the same time, 1 dropped"


async def test_auditor_reports_events(device: CloudDevice, witness: Witness) -> None:
    """It reports events that are missing, that arrived with two times or a wrong time, and that were never fired."""
    for number in range(1, 4):
        witness.fired(ALARM, number, 1000)
    for number, at in ((2, 1000), (2, 1001), (3, 9000), (4, 1000)):
        device.events.append(EventRecord(ALARM, {"Number": number}, at))
    witness.collect()
    assert device.events == []
    assert audit_events(witness).broken == [
        "missing Alarm 1",
        "Alarm 2: posted with 2 times",
        "Alarm 3: posted with a time 8000 ms off",
        "Alarm 4: never fired",
    ]


async def test_the_auditor_sees_commands(hass: HomeAssistant, device: CloudDevice, witness: Witness) -> None:
    """Carried out twice, answered in two ways, answered and not carried out, carried out and not answered, but for a caller in a hurry."""
    replies = [DeviceReply(200, {}, "", 0.0), DeviceReply(429, {}, "", 0.0)]
    for number, (answers, executions) in enumerate([(replies[:1], 2), (replies, 1), (replies[:1], 0), ([], 1)], 1):
        device.service_calls.append(ServiceCall(str(number), str(number), "set", {}, False, 0, 0.0, answers))
        witness.executions[str(number)] = executions
    device.service_calls.append(ServiceCall("6", "6", QUESTION, {"Number": 8}, True, 0, 0.0))
    witness.executions["6"] = 1
    witness.calls[7] = 2
    device.service_calls.append(ServiceCall("5", "5", SCENE, {"Number": 7}, False, 0, 0.0))
    found = broken(hass, device, witness)
    assert [one.split(":")[0].split()[1] for one in found] == ["4", "1", "2", "3", "5"]


async def test_the_auditor_sees_dropped_messages(hass: HomeAssistant, device: CloudDevice, witness: Witness) -> None:
    """The platform drops without a word; the simulator says so."""
    witness.dropped = 1
    assert broken(hass, device, witness) == ["1 were dropped"]


async def test_the_witness_hears_secrets(witness: Witness) -> None:
    """Also in what a traceback says."""
    witness.emit(logging.LogRecord("a", logging.DEBUG, "", 0, "nothing", (), None))
    assert witness.leaks == []
    witness.emit(logging.LogRecord("b", logging.DEBUG, "", 0, "the secret is %s", (SECRET,), None))
    told = (ValueError, ValueError(SECRET), None)
    witness.emit(logging.LogRecord("c", logging.ERROR, "", 0, "failed", (), told))
    assert witness.leaks == ["b DEBUG", "c ERROR"]
    assert len(witness.errors) == 1


async def test_the_witness_knows_the_passwords(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """What the integration signs with the secret is as good as the secret for a while."""
    with overheard() as passwords:
        await set_up()
    assert [len(one) for one in passwords] == [64]
