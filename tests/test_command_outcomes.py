"""Every kind of command with every outcome: the answer, what was done, and the lines in the logbook."""

import asyncio
from collections.abc import Callable, Mapping
import json
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Context, CoreState, Event, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.aliyun_iot import logbook
from custom_components.aliyun_iot.const import DOMAIN, EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW
from custom_components.aliyun_iot.exposures import service_bindings
from custom_components.aliyun_iot.listeners import Listener, TriggerKind, listeners_of
from simulator import CloudDevice, Direction, Simulator

from .conftest import SetUp
from .outcome_table import LONG, RAW, RAW_CALL, SERVICE, SERVICES, SET, SHORT, TABLE, Cell
from .waiting import until

CELLS = [
    pytest.param(outcome, kind, cell, id=f"{outcome} · {kind}")
    for outcome, row in TABLE.items()
    for kind, cell in row.items()
    if isinstance(cell, Cell)
]
BINDINGS = [
    {"identifier": "LightSwitch", "entity": "switch.relay", "aspect": "power", "access": "both"},
    {"identifier": "TargetTemperature", "entity": "number.level", "aspect": "value", "access": "both"},
    {"identifier": "CurrentTemperature", "entity": "sensor.outside", "aspect": "value"},
    {"identifier": "Brightness", "entity": "number.level", "aspect": "value", "access": "report"},
    {
        "identifier": "HVACMode",
        "entity": "lock.door",
        "aspect": "locked",
        "access": "control",
        "conversion": {"options": {"locked": 1, "unlocked": 0}},
    },
]
READ_METER = [
    {"action": "test.meter", "response_variable": "answer"},
    {"stop": "", "response_variable": "answer"},
]


def test_table_is_complete() -> None:
    """Every outcome has a cell for every kind."""
    for outcome, row in TABLE.items():
        assert row.keys() == {SET, *SERVICES, RAW, RAW_CALL}, outcome


class House:
    """A house with controllable actions; records calls, triggers and events."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Add the entities and the actions."""
        self.done: list[str] = []
        self.notified: list[Mapping[str, Any]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.error: Exception | None = None
        self.response: dict[str, Any] = {"Energy": 1.5}
        self.answers_frames = True
        self._hass = hass
        self._events = [async_capture_events(hass, name) for name in (EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW)]
        hass.states.async_set("switch.relay", "off", {"friendly_name": "relay"})
        hass.states.async_set("number.level", "20", {"min": 10, "max": 30, "step": 0.5})
        hass.states.async_set("sensor.outside", "5", {"unit_of_measurement": "°C", "device_class": "temperature"})
        hass.states.async_set("lock.door", "unlocked")
        for domain, name in (("switch", "turn_on"), ("number", "set_value"), ("lock", "lock"), ("test", "meter")):
            hass.services.async_register(domain, name, self._act, supports_response="optional")

    async def _act(self, call: ServiceCall) -> dict[str, Any] | None:
        self.done.append(f"{call.domain}.{call.service}")
        await self.go_on.wait()
        if self.error:
            raise self.error
        return self.response if call.return_response else None

    def listen(self, entry: MockConfigEntry) -> None:
        """Listen to everything that is bound, as automations do, and answer frames whose sender waits."""

        def notify(details: Mapping[str, Any], _context: Context | None) -> None:
            self.notified.append(details)

        def answer(details: Mapping[str, Any], _context: Context | None) -> None:
            self.notified.append(details)
            if self.answers_frames and details["sync"]:
                reply = {"config_entry_id": entry.entry_id, "command_id": details["command_id"], "payload": "fine"}
                self._hass.async_create_task(self._hass.services.async_call(DOMAIN, "reply", reply))

        listeners = listeners_of(self._hass)
        listeners.add(Listener(entry.entry_id, TriggerKind.PROPERTY_SET_RECEIVED, None, notify))
        if service_bindings(entry):  # otherwise nothing must be mapped
            listeners.add(Listener(entry.entry_id, TriggerKind.SERVICE_CALLED, "ReadMeter", notify))
            listeners.add(Listener(entry.entry_id, TriggerKind.RAW_RECEIVED, None, answer))

    def lines(self) -> list[str]:
        """Return the lines of the logbook in the order of the events."""
        describers: dict[str, Callable[[Event], dict[str, Any]]] = {}
        logbook.async_describe_events(self._hass, lambda _domain, name, describe: describers.setdefault(name, describe))
        events = sorted((one for caught in self._events for one in caught), key=lambda one: one.time_fired_timestamp)
        return [describers[str(event.event_type)](event)["message"] for event in events]


type Arrange = Callable[[HomeAssistant, House, MockConfigEntry, pytest.MonkeyPatch], None]


def _slow(hass: HomeAssistant, house: House, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    house.go_on.clear()
    house.answers_frames = False
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.05)
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.SYNC_DEADLINE", 0.05)


def _unavailable(hass: HomeAssistant, house: House, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    hass.states.async_set("switch.relay", STATE_UNAVAILABLE)


def _raises(hass: HomeAssistant, house: House, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    house.error = HomeAssistantError("no power")


def _unfit(hass: HomeAssistant, house: House, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    house.response = {"Energy": "much"}


def _stopping(hass: HomeAssistant, house: House, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    hass.set_state(CoreState.stopping)


def _limit_reached(hass: HomeAssistant, house: House, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entry.runtime_data.device.commander.policy.admit()


def _looping(hass: HomeAssistant, house: House, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cloud and an automation set each other off; `tests/test_loops.py` has the complete scenario."""
    loops = entry.runtime_data.device.loops
    for turn in range(20):
        context = Context()
        loops.record_command({"LightSwitch": turn % 2}, context)
        loops.record_change("Brightness", (turn + 1) % 2, Context(parent_id=context.id))


ARRANGEMENTS: dict[str, Arrange] = {
    "unavailable": _unavailable,
    "action raises": _raises,
    "action too slow": _slow,
    "partial": _unfit,
    "Home Assistant stops": _stopping,
    "more than the limit": _limit_reached,
    "loop paused": _looping,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "condition not met": {"command_condition": [{"condition": "template", "value_template": "{{ false }}"}]},
    "more than the limit": {"commands_per_minute": 1},
    "dry run": {"dry_run": True},
}


def services_for(outcome: str) -> list[dict[str, Any]]:
    """Return what is bound for an outcome: nothing, a missing script, or actions."""
    match outcome:
        case "unmapped":
            return []
        case "unavailable":
            return [{"identifier": "ReadMeter", "script": "script.gone"}]
        case _:
            return [{"identifier": "ReadMeter", "actions": READ_METER}]


class Application:
    """The application in the cloud: sends commands of one kind and reads the answers."""

    def __init__(self, cloud: Simulator, device: CloudDevice, kind: str) -> None:
        """Determine the topics."""
        self._cloud = cloud
        self._device = device
        self._kind = kind
        system = f"/sys/{device.product_key}/{device.device_name}/"
        self._topic, self._reply_topic = {
            SET: (f"{system}thing/service/property/set", f"{system}thing/service/property/set_reply"),
            SERVICE: (f"{system}thing/service/ReadMeter", f"{system}thing/service/ReadMeter_reply"),
            SHORT: (f"{system}rrpc/request/77", f"{system}rrpc/response/77"),
            LONG: (f"/ext/rrpc/77{system}thing/service/ReadMeter",) * 2,
            RAW: (f"{system}thing/model/down_raw", f"{system}thing/model/down_raw_reply"),
            RAW_CALL: (f"/ext/rrpc/77{system}thing/model/down_raw",) * 2,
        }[kind]

    def send(self, params: Mapping[str, Any] | None, *, twice: bool) -> None:
        """Send it, once or twice."""
        payload = b"\x01\xff"
        if params is not None:
            method = "thing.service.property.set" if self._kind == SET else "thing.service.ReadMeter"
            payload = json.dumps({"id": "7", "method": method, "params": params}).encode()
        assert self._device.connection
        # QoS 1, because only then the second delivery of a frame has the DUP flag.
        self._device.connection.send(self._topic, payload, 1, twice=twice)

    def answers(self) -> list[int]:
        """Return the codes of the answers; the answer to a frame has none and counts as 200."""
        payloads = [
            one.payload for one in self._cloud.wire if one.direction is Direction.UP and one.topic == self._reply_topic
        ]
        if self._kind in (RAW, RAW_CALL):
            assert set(payloads) <= {b"fine"}
            return [200] * len(payloads)
        return [json.loads(payload)["code"] for payload in payloads]

    async def settled(self, entry: MockConfigEntry, answers: int) -> None:
        """Wait until there are so many answers and a row in the journal."""
        await until(lambda: len(self.answers()) >= answers)
        await until(entry.runtime_data.device.commander.journal.rows)


@pytest.mark.parametrize(("outcome", "kind", "cell"), CELLS)
async def test_outcome(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    kind: str,
    cell: Cell,
) -> None:
    """There is one answer for each delivery, only the expected actions are called, and the logbook has the expected lines."""
    house = House(hass)
    entry = await set_up(BINDINGS, services_for(outcome), OPTIONS.get(outcome))
    house.listen(entry)
    if arrange := ARRANGEMENTS.get(outcome):
        arrange(hass, house, entry, monkeypatch)
    if kind == RAW:  # which nobody answers
        monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.SYNC_DEADLINE", 0.05)
    application = Application(cloud, device, kind)
    application.send(cell.params, twice=outcome == "redelivered")
    await application.settled(entry, cell.answers if cell.code is not None else 0)
    before = list(house.done)
    house.go_on.set()
    await hass.async_block_till_done()
    hass.set_state(CoreState.running)

    assert application.answers() == ([] if cell.code is None else [cell.code] * cell.answers)
    assert tuple(before) == tuple(house.done) == cell.done
    assert len(house.notified) == cell.notified
    lines = house.lines()
    assert len(lines) == len(cell.lines), lines
    for line, part in zip(lines, cell.lines, strict=True):
        assert part in line
