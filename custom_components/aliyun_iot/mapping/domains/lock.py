"""Locks: locked or not, the full state, the latch, and who changed it last (private). All locks are risky.

While the bolt moves or is jammed, `locked` has no value, because neither would be true; the full state has it. Opening the
latch is a separate press (`mapping/press.py`), so that unlocking never opens a door. If the same `property/set` locks,
the latch stays closed; opening the latch includes unlocking.
"""

from collections.abc import Mapping

from homeassistant.components.lock import LockEntityFeature
from homeassistant.components.lock.const import LockEntityStateAttribute as Attribute, LockState
from homeassistant.const import SERVICE_LOCK, SERVICE_OPEN, SERVICE_UNLOCK
from homeassistant.core import State

from .. import says
from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import has_feature, text, text_of
from ..press import press_aspect

NAME = "lock"
LOCKED = "locked"
LATCH = "latch"
PASSING = (LockState.OPENING, LockState.LOCKING, LockState.UNLOCKING)
SETTLED: Mapping[str, bool] = {LockState.LOCKED: True, LockState.UNLOCKED: False, LockState.OPEN: False}

can_open = has_feature(LockEntityFeature.OPEN)


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if values.get(LATCH) is True and values.get(LOCKED) is not True:
        return [ActionCall(NAME, SERVICE_OPEN)]
    return [ActionCall(NAME, SERVICE_LOCK if values[LOCKED] else SERVICE_UNLOCK)] if LOCKED in values else []


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
            says=says.LOCKED,
            identifiers=("LockState", "DoorLockState", "Locked"),
        ),
        Aspect(
            key="state",
            kind=Kind.ENUM,
            name_en="Lock state",
            name_zh="门锁状态",
            source=lambda state: text(state.state),
            options=lambda _: tuple(LockState),
            dispensable=lambda state: PASSING if can_open(state) else (*PASSING, LockState.OPEN),
            identifiers=("LockState", "DoorLockState"),
        ),
        press_aspect(
            key=LATCH,
            name_en="Open the latch",
            name_zh="打开门闩",
            supported=can_open,
            identifiers=("OpenLatch",),
        ),
        Aspect(
            key="changed_by",
            kind=Kind.TEXT,
            name_en="Changed by",
            name_zh="操作人",
            source=text_of(Attribute.CHANGED_BY),
            private=True,
            identifiers=("ChangedBy",),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
