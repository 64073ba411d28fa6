"""Covers: position, open or closed, tilt in percent (100 is open), and commands. Doors, gates and garages are risky.

`mapping/openings.py` describes several values in one `property/set`; the tilt is independent of them. A cover whose slats
can only be opened and closed has commands for that. A speed is in no state: it is only accepted in the same `property/set` as
a movement, and ignored if the cover is stopped.
"""

from collections.abc import Mapping
from dataclasses import replace

from homeassistant.components.cover import (
    ATTR_CURRENT_TILT_POSITION,
    ATTR_TILT_POSITION,
    CoverDeviceClass,
    CoverEntityFeature,
)
from homeassistant.const import (
    SERVICE_CLOSE_COVER,
    SERVICE_CLOSE_COVER_TILT,
    SERVICE_OPEN_COVER,
    SERVICE_OPEN_COVER_TILT,
    SERVICE_SET_COVER_POSITION,
    SERVICE_SET_COVER_TILT_POSITION,
    SERVICE_STOP_COVER,
    SERVICE_STOP_COVER_TILT,
)
from homeassistant.core import State

from ...alink.model.numeric import rounded_whole
from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import (
    PERCENT_RANGE,
    device_class,
    fixed_range,
    has_attribute,
    has_feature,
    number_of,
    percent,
    texts_of,
)
from ..momentary import Command, CommandSet
from ..openings import CLOSE, OPEN, STOP, Opening

NAME = "cover"
SPEED = "speed"
TILT = "tilt"
TILT_COMMAND = "tilt_command"

# Not in the oldest supported Home Assistant, where no cover has them.
SPEED_FEATURE = CoverEntityFeature(256)
SUPPORTED_SPEEDS = "supported_speeds"

RISKY = {CoverDeviceClass.DOOR, CoverDeviceClass.GARAGE, CoverDeviceClass.GATE}

OPENING = Opening(
    CommandSet(
        NAME,
        {
            OPEN: Command(SERVICE_OPEN_COVER, CoverEntityFeature.OPEN),
            CLOSE: Command(SERVICE_CLOSE_COVER, CoverEntityFeature.CLOSE),
            STOP: Command(SERVICE_STOP_COVER, CoverEntityFeature.STOP),
        },
    ),
    SERVICE_SET_COVER_POSITION,
    CoverEntityFeature.SET_POSITION,
)
TILT_COMMANDS = CommandSet(
    NAME,
    {
        OPEN: Command(SERVICE_OPEN_COVER_TILT, CoverEntityFeature.OPEN_TILT),
        CLOSE: Command(SERVICE_CLOSE_COVER_TILT, CoverEntityFeature.CLOSE_TILT),
        STOP: Command(SERVICE_STOP_COVER_TILT, CoverEntityFeature.STOP_TILT),
    },
)

can_tilt = has_feature(CoverEntityFeature.SET_TILT_POSITION)
has_tilt = has_attribute(ATTR_CURRENT_TILT_POSITION)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    return [*_movement(state, values), *_tilt(values)]


def _movement(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    calls = OPENING.plan(state, values)
    if SPEED not in values:
        return calls
    if not calls:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a speed only together with a movement")
    return [
        call if call.action == SERVICE_STOP_COVER else replace(call, data={**call.data, SPEED: values[SPEED]})
        for call in calls
    ]


def _tilt(values: Mapping[str, Value]) -> list[ActionCall]:
    if TILT_COMMAND in values:
        return [TILT_COMMANDS.call(values[TILT_COMMAND])]
    if isinstance(tilt := values.get(TILT), int | float):
        return [ActionCall(NAME, SERVICE_SET_COVER_TILT_POSITION, {ATTR_TILT_POSITION: rounded_whole(tilt)})]
    return []


DOMAIN = Domain(
    name=NAME,
    aspects=(
        *OPENING.aspects(
            position=("CurtainPosition", "Position", "CurrentPosition"),
            opened=("CurtainSwitch", "OpenState"),
            command=("CurtainOperation",),
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
        TILT_COMMANDS.aspect("TiltOperation", key=TILT_COMMAND, name_en="Tilt operation", name_zh="角度操作"),
        Aspect(
            key=SPEED,
            kind=Kind.ENUM,
            name_en="Speed of movement",
            name_zh="运行速度",
            source=lambda _: None,
            writable=True,
            supported=has_feature(SPEED_FEATURE),
            options=texts_of(SUPPORTED_SPEEDS),
            momentary=True,
            identifiers=("CurtainSpeed", "MotorSpeed"),
        ),
    ),
    plan=_plan,
    risky=lambda state: device_class(state) in RISKY,
)
