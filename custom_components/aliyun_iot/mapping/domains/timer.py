"""Timers: running, paused or idle; duration, remaining time, end; commands.

Setting the state runs `timer.start`, `pause` or `cancel`. A timer that is already in that state is left alone, because
starting it again would restart it; with a duration it is started anyway. A duration is only accepted in the same
`property/set` as starting: Home Assistant has no action that only sets it. 0 is the configured duration of the timer.

The commands are what no state stands for: `start` also starts a running timer again, and `finish` ends one as if its time were
over. A state and a command at once are refused.

The remaining time is only reported while the timer is paused or idle, because its state doesn't count down; `finishes_at`
has the end of a running timer.
"""

from collections.abc import Mapping
from dataclasses import replace

from homeassistant.components.timer import (
    ATTR_DURATION,
    ATTR_FINISHES_AT,
    ATTR_REMAINING,
    SERVICE_CANCEL,
    SERVICE_FINISH,
    SERVICE_PAUSE,
    SERVICE_START,
    STATUS_ACTIVE,
    STATUS_IDLE,
    STATUS_PAUSED,
)
from homeassistant.core import State
from homeassistant.util import dt as dt_util

from ...alink.model.numeric import rounded_whole
from ..aspect import ActionCall, Aspect, Domain, FromAttributes, Kind, Reason, Refused, Value
from ..attributes import SECONDS_RANGE, fixed_range, moment_of, seconds, text
from ..momentary import COMMAND, Command, CommandSet

NAME = "timer"
STATE = "state"
DURATION = "duration"
START = "start"
FINISH = "finish"

ACTIONS = {STATUS_IDLE: SERVICE_CANCEL, STATUS_ACTIVE: SERVICE_START, STATUS_PAUSED: SERVICE_PAUSE}
COMMANDS = CommandSet(NAME, {START: Command(SERVICE_START), FINISH: Command(SERVICE_FINISH)})


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    command = values.get(COMMAND)
    if command is not None and STATE in values:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a state or a command, not both at once")
    wanted = STATUS_ACTIVE if command == START else values.get(STATE)
    if isinstance(duration := values.get(DURATION), int | float):
        if wanted != STATUS_ACTIVE:
            raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a duration only together with being started")
        return [ActionCall(NAME, SERVICE_START, {ATTR_DURATION: rounded_whole(duration)})]
    if wanted == state.state and command is None:
        return []
    if wanted == STATUS_PAUSED and state.state != STATUS_ACTIVE:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} is not running, so it can't be paused")
    if command == FINISH and state.state == STATUS_IDLE:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} is idle, so it can't be finished")
    if command is not None:
        return [COMMANDS.call(command)]
    return [ActionCall(NAME, ACTIONS[str(wanted)])]


def _length(raw: object) -> float | None:
    """Return the seconds of a duration like `0:05:00`."""
    written = text(raw)
    if written is None or not written.isascii():
        return None
    try:
        parsed = dt_util.parse_duration(written)
    except ValueError, OverflowError:
        return None
    return parsed.total_seconds() if parsed is not None else None


def _remaining(state: State) -> float | None:
    if state.state == STATUS_IDLE:
        return 0
    return _length(state.attributes.get(ATTR_REMAINING)) if state.state == STATUS_PAUSED else None


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key=STATE,
            kind=Kind.ENUM,
            name_en="Timer state",
            name_zh="定时状态",
            source=lambda state: text(state.state),
            writable=True,
            options=lambda _: tuple(ACTIONS),
            identifiers=("TimerState", "CountDownState"),
        ),
        Aspect(
            key=DURATION,
            kind=Kind.NUMBER,
            name_en="Duration",
            name_zh="时长",
            source=FromAttributes(lambda state: _length(state.attributes.get(ATTR_DURATION))),
            writable=True,
            range=fixed_range(SECONDS_RANGE),
            unit=seconds,
            identifiers=("TimerDuration", "Duration", "CountDown"),
        ),
        Aspect(
            key="remaining",
            kind=Kind.NUMBER,
            name_en="Time left",
            name_zh="剩余时间",
            source=_remaining,
            range=fixed_range(SECONDS_RANGE),
            unit=seconds,
            identifiers=("RemainingTime", "RemainTime"),
        ),
        Aspect(
            key="finishes_at",
            kind=Kind.DATE,
            name_en="Finishes at",
            name_zh="结束时间",
            source=moment_of(ATTR_FINISHES_AT),
            identifiers=("FinishTime", "EndTime"),
        ),
        replace(COMMANDS.aspect("TimerCommand"), alternative=True),
    ),
    plan=_plan,
)
