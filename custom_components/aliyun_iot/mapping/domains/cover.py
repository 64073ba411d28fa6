"""Covers: position and tilt in percent (100 is open), open or closed. Doors, gates and garages are risky.

`open` says nothing while the cover closes, so that a command to close is never contradicted on the way; a cover that
opens is open already. Closing wins over a position in the same `property/set`, a position over opening.
"""

from collections.abc import Mapping

from homeassistant.components.cover import (
    ATTR_CURRENT_POSITION,
    ATTR_CURRENT_TILT_POSITION,
    ATTR_POSITION,
    ATTR_TILT_POSITION,
    CoverDeviceClass,
    CoverEntityFeature,
    CoverState,
)
from homeassistant.const import (
    SERVICE_CLOSE_COVER,
    SERVICE_OPEN_COVER,
    SERVICE_SET_COVER_POSITION,
    SERVICE_SET_COVER_TILT_POSITION,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import PERCENT_RANGE, device_class, fixed_range, has_attribute, has_feature, number_of, percent

NAME = "cover"
OPEN = "open"
POSITION = "position"
TILT = "tilt"

RISKY = {CoverDeviceClass.DOOR, CoverDeviceClass.GARAGE, CoverDeviceClass.GATE}
SETTLED: Mapping[str, bool] = {CoverState.OPEN: True, CoverState.OPENING: True, CoverState.CLOSED: False}

can_open = has_feature(CoverEntityFeature.OPEN)
can_close = has_feature(CoverEntityFeature.CLOSE)
can_move = has_feature(CoverEntityFeature.SET_POSITION)
can_tilt = has_feature(CoverEntityFeature.SET_TILT_POSITION)
has_position = has_attribute(ATTR_CURRENT_POSITION)
has_tilt = has_attribute(ATTR_CURRENT_TILT_POSITION)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    calls = []
    if values.get(OPEN) is False:
        calls.append(_move(state, SERVICE_CLOSE_COVER, possible=can_close(state)))
    elif isinstance(position := values.get(POSITION), int | float):
        calls.append(ActionCall(NAME, SERVICE_SET_COVER_POSITION, {ATTR_POSITION: round(position)}))
    elif OPEN in values:
        calls.append(_move(state, SERVICE_OPEN_COVER, possible=can_open(state)))
    if isinstance(tilt := values.get(TILT), int | float):
        calls.append(ActionCall(NAME, SERVICE_SET_COVER_TILT_POSITION, {ATTR_TILT_POSITION: round(tilt)}))
    return calls


def _move(state: State, action: str, *, possible: bool) -> ActionCall:
    if not possible:
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} does not know {action}")
    return ActionCall(NAME, action)


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key=POSITION,
            kind=Kind.NUMBER,
            name_en="Position",
            name_zh="位置",
            source=number_of(ATTR_CURRENT_POSITION),
            writable=True,
            supported=lambda state: has_position(state) or can_move(state),
            accepts=can_move,
            range=fixed_range(PERCENT_RANGE),
            unit=percent,
            identifiers=("CurtainPosition", "Position", "CurrentPosition"),
        ),
        Aspect(
            key=OPEN,
            kind=Kind.BOOL,
            name_en="Open",
            name_zh="打开",
            source=lambda state: SETTLED.get(state.state),
            writable=True,
            accepts=lambda state: can_open(state) or can_close(state),
            words=("closed", "open"),
            identifiers=("CurtainSwitch", "OpenState"),
        ),
        Aspect(
            key=TILT,
            kind=Kind.NUMBER,
            name_en="Tilt",
            name_zh="角度",
            source=number_of(ATTR_CURRENT_TILT_POSITION),
            writable=True,
            supported=lambda state: has_tilt(state) or can_tilt(state),
            accepts=can_tilt,
            range=fixed_range(PERCENT_RANGE),
            unit=percent,
            identifiers=("TiltPosition",),
        ),
    ),
    plan=_plan,
    risky=lambda state: device_class(state) in RISKY,
)
