"""Locks: locked or not, and the full state. Risky without exception.

While the bolt moves or jams, `locked` says nothing: neither answer would be true. The full state is there for those who
want to know.
"""

from collections.abc import Mapping

from homeassistant.components.lock.const import LockState
from homeassistant.const import SERVICE_LOCK, SERVICE_UNLOCK
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import text

NAME = "lock"
LOCKED = "locked"
SETTLED: Mapping[str, bool] = {LockState.LOCKED: True, LockState.UNLOCKED: False, LockState.OPEN: False}


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    return [ActionCall(NAME, SERVICE_LOCK if values[LOCKED] else SERVICE_UNLOCK)]


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key=LOCKED,
            kind=Kind.BOOL,
            name_en="Locked",
            name_zh="上锁",
            source=lambda state: SETTLED.get(state.state),
            writable=True,
            words=("unlocked", "locked"),
            identifiers=("LockState", "DoorLockState", "Locked"),
        ),
        Aspect(
            key="state",
            kind=Kind.ENUM,
            name_en="Lock state",
            name_zh="门锁状态",
            source=lambda state: text(state.state),
            options=lambda _: tuple(LockState),
            identifiers=("LockState", "DoorLockState"),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
