"""Robot vacuums: activity, commands, suction.

Suction is set before the command of the same `property/set`, so that cleaning starts with it.
"""

from collections.abc import Mapping

from homeassistant.components.vacuum import (
    ATTR_FAN_SPEED,
    ATTR_FAN_SPEED_LIST,
    SERVICE_CLEAN_SPOT,
    SERVICE_LOCATE,
    SERVICE_PAUSE,
    SERVICE_RETURN_TO_BASE,
    SERVICE_SET_FAN_SPEED,
    SERVICE_START,
    SERVICE_STOP,
    VacuumActivity,
    VacuumEntityFeature,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import has_feature, text, text_of, texts_of
from ..momentary import COMMAND, Command, CommandSet

NAME = "vacuum"
FAN_SPEED = "fan_speed"

COMMANDS = CommandSet(
    NAME,
    {
        "start": Command(SERVICE_START, VacuumEntityFeature.START),
        "pause": Command(SERVICE_PAUSE, VacuumEntityFeature.PAUSE),
        "stop": Command(SERVICE_STOP, VacuumEntityFeature.STOP),
        "return_to_base": Command(SERVICE_RETURN_TO_BASE, VacuumEntityFeature.RETURN_HOME),
        "locate": Command(SERVICE_LOCATE, VacuumEntityFeature.LOCATE),
        "clean_spot": Command(SERVICE_CLEAN_SPOT, VacuumEntityFeature.CLEAN_SPOT),
    },
)


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    calls = []
    if FAN_SPEED in values:
        calls.append(ActionCall(NAME, SERVICE_SET_FAN_SPEED, {ATTR_FAN_SPEED: values[FAN_SPEED]}))
    if COMMAND in values:
        calls.append(COMMANDS.call(values[COMMAND]))
    return calls


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key="state",
            kind=Kind.ENUM,
            name_en="Activity",
            name_zh="运行状态",
            source=lambda state: text(state.state),
            options=lambda _: tuple(VacuumActivity),
            identifiers=("WorkStatus", "WorkState", "RobotState"),
        ),
        COMMANDS.aspect("CleanCommand", "WorkCommand"),
        Aspect(
            key=FAN_SPEED,
            kind=Kind.ENUM,
            name_en="Suction",
            name_zh="吸力",
            source=text_of(ATTR_FAN_SPEED),
            writable=True,
            supported=has_feature(VacuumEntityFeature.FAN_SPEED),
            options=texts_of(ATTR_FAN_SPEED_LIST),
            identifiers=("FanPower", "WindPower", "SuctionPower"),
        ),
    ),
    plan=_plan,
)
