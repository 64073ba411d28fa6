"""The table of every kind of command with every outcome, used by `tests/test_command_outcomes.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_components.aliyun_iot.alink.codes import Code

SET, SERVICE, SHORT, LONG, RAW, RAW_CALL = (
    "property set",
    "asynchronous service",
    "synchronous service, /sys/…/rrpc",
    "synchronous service, /ext/rrpc",
    "raw frame",
    "raw frame that waits for an answer",
)
SERVICES = (SERVICE, SHORT, LONG)


@dataclass(frozen=True, slots=True)
class Impossible:
    """A combination that is not possible, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Cell:
    """The outcome of a command.

    `params` are the values of a set or the input data of a service. `code` is that of the answer, None for no answer. `done`
    are the actions that were called in Home Assistant. `notified` says whether automations were notified of the command.
    `lines` are parts of the lines in the logbook.
    """

    code: int | None
    lines: tuple[str, ...] = ()
    params: Mapping[str, Any] | None = None
    done: tuple[str, ...] = ()
    notified: bool = False
    answers: int = 1


ON = {"LightSwitch": 1}
CHANNEL = {"Channel": 3}
TURNED_ON = "set relay to on · property LightSwitch · message 7"
CALLED = "called the service ReadMeter · message 7"
FRAME = "sent raw data, 2 bytes"


def refused(code: Code, why: str, params: Mapping[str, Any] = ON) -> Cell:
    """Return the cell of a set of which nothing is done, which the only line in the logbook says."""
    return Cell(code, (f"{why} · propert",), params)


def failed(
    code: Code, why: str, params: Mapping[str, Any] = CHANNEL, done: tuple[str, ...] = (), *, notified: bool = False
) -> Cell:
    """Return the cell of a service call that does not succeed; one that is refused before anything is done has one line."""
    if not (done or notified):
        return Cell(code, (f"{why} · message 7",), params)
    return Cell(code, (CALLED, f"{why} (code {code:d})"), params, done, notified=notified or bool(done))


def for_services(cell: Cell | Impossible) -> dict[str, Cell | Impossible]:
    """Return the same cell for all kinds of service calls."""
    return dict.fromkeys(SERVICES, cell)


def for_raw(cell: Cell | Impossible) -> dict[str, Cell | Impossible]:
    """Return the same cell for all raw frames."""
    return dict.fromkeys((RAW, RAW_CALL), cell)


NO_PARTS = Impossible("bytes have no identifiers, types or members")
NO_TARGET = Impossible("a frame is handed to automations; the result of their actions is not known")

TABLE: dict[str, dict[str, Cell | Impossible]] = {
    "ok": {
        SET: Cell(200, (TURNED_ON,), ON, ("switch.turn_on",), notified=True),
        **for_services(Cell(200, (CALLED,), CHANNEL, ("test.meter",), notified=True)),
        RAW: Cell(None, (FRAME,), notified=True),
        RAW_CALL: Cell(200, (FRAME,), notified=True),
    },
    "unmapped": {
        SET: refused(Code.NOT_MAPPED, "not bound to anything", {"Schedule": []}),
        **for_services(failed(Code.NOT_MAPPED, "not bound to anything, and no automation answered")),
        RAW: Cell(None, (FRAME,)),
        RAW_CALL: Cell(None, (FRAME, f"no automation answered (code {Code.NOT_MAPPED:d})")),
    },
    "read-only": {
        SET: refused(Code.READ_ONLY, "read-only", {"CurrentTemperature": 20.0}),
        **for_services(Impossible("a service has no access mode")),
        **for_raw(NO_PARTS),
    },
    "wrong type": {
        SET: refused(Code.TYPE_WRONG, "got 'maybe'", {"LightSwitch": "maybe"}),
        **for_services(failed(Code.PARAMETER_ERROR, "got 'three'", {"Channel": "three"})),
        **for_raw(NO_PARTS),
    },
    "out of range": {
        SET: refused(Code.OUT_OF_RANGE, "from 10.0 to 30.0, not to 8.0", {"TargetTemperature": 8.0}),
        **for_services(failed(Code.PARAMETER_ERROR, "got 99", {"Channel": 99})),
        **for_raw(NO_PARTS),
    },
    "not allowed": {
        SET: refused(Code.NOT_ALLOWED, "control of lock.door was not confirmed", {"HVACMode": 1}),
        **for_services(Impossible("binding a service is the permission; a condition has a row of its own")),
        **for_raw(NO_PARTS),
    },
    "report only": {
        SET: refused(Code.NOT_ALLOWED, "its binding does not allow control", {"Brightness": 20}),
        **for_services(Impossible("a service can only be called")),
        **for_raw(NO_PARTS),
    },
    "unavailable": {
        SET: refused(Code.UNAVAILABLE, "switch.relay is unavailable"),
        **for_services(failed(Code.ACTION_FAILED, "the script script.gone is not there", notified=True)),
        **for_raw(NO_TARGET),
    },
    "action raises": {
        SET: Cell(Code.ACTION_FAILED, (TURNED_ON, "no power (code 100005)"), ON, ("switch.turn_on",), notified=True),
        **for_services(failed(Code.ACTION_FAILED, "no power", done=("test.meter",))),
        **for_raw(NO_TARGET),
    },
    "action too slow": {
        SET: Cell(Code.TIMED_OUT, (TURNED_ON, "still running (code 100006)"), ON, ("switch.turn_on",), notified=True),
        **for_services(failed(Code.TIMED_OUT, "still running", done=("test.meter",))),
        RAW: Cell(None, (FRAME,), notified=True),
        RAW_CALL: Cell(None, (FRAME, f"no automation answered (code {Code.NOT_MAPPED:d})"), notified=True),
    },
    "partial": {
        SET: Cell(
            Code.READ_ONLY,
            ("set relay to on; could not set outside to 20: read-only · ",),
            {**ON, "CurrentTemperature": 20.0},
            ("switch.turn_on",),
            notified=True,
        ),
        # The action succeeded, but its response does not fit.
        **for_services(failed(Code.ACTION_FAILED, "got 'much'", done=("test.meter",))),
        **for_raw(NO_PARTS),
    },
    "redelivered": {
        SET: Cell(200, (TURNED_ON,), ON, ("switch.turn_on",), notified=True, answers=2),
        **for_services(Cell(200, (CALLED,), CHANNEL, ("test.meter",), notified=True, answers=2)),
        RAW: Cell(None, (FRAME,), notified=True),
        RAW_CALL: Cell(200, (FRAME,), notified=True, answers=2),
    },
    "Home Assistant stops": {
        SET: Cell(Code.TOO_BUSY, params=ON),
        **for_services(Cell(Code.TOO_BUSY, params=CHANNEL)),
        **for_raw(Cell(None)),
    },
    "condition not met": {
        SET: refused(Code.NOT_ALLOWED, "the condition for all commands does not hold now"),
        **for_services(failed(Code.NOT_ALLOWED, "the condition for all commands does not hold now")),
        **for_raw(Cell(None, (f"does not hold now (code {Code.NOT_ALLOWED:d})",))),
    },
    "more than the limit": {
        SET: Cell(Code.TOO_BUSY, params=ON),
        **for_services(Cell(Code.TOO_BUSY, params=CHANNEL)),
        **for_raw(Cell(None)),
    },
    "dry run": {
        # No automation may be triggered, so there is no event, and thus no line.
        SET: Cell(Code.DRY_RUN, params=ON),
        **for_services(Cell(Code.DRY_RUN, params=CHANNEL)),
        **for_raw(Cell(None)),
    },
    "loop paused": {
        SET: refused(Code.LOOP, "paused, because a cloud rule and an automation trigger each other"),
        **for_services(Impossible("only properties are copied by rules")),
        **for_raw(NO_PARTS),
    },
}
