"""Robot vacuums: activity, commands, suction, areas to clean.

Suction is set before the command of the same `property/set`, so that cleaning starts with it. The areas are ids of Home
Assistant's areas, separated by commas, in the order in which they are cleaned; which parts of the robot's map they are is set
up in Home Assistant, which refuses others. Areas and a command at once are refused.
"""

from collections.abc import Mapping
import re

from homeassistant.components.vacuum import (
    ATTR_FAN_SPEED,
    ATTR_FAN_SPEED_LIST,
    SERVICE_CLEAN_AREA,
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

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import has_feature, text, text_of, texts_of
from ..momentary import COMMAND, Command, CommandSet

NAME = "vacuum"
FAN_SPEED = "fan_speed"
AREAS = "areas"
SEPARATOR = "[,，、;；]"

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


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if COMMAND in values and AREAS in values:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a command or areas to clean, not both at once")
    calls = []
    if FAN_SPEED in values:
        calls.append(ActionCall(NAME, SERVICE_SET_FAN_SPEED, {ATTR_FAN_SPEED: values[FAN_SPEED]}))
    if COMMAND in values:
        calls.append(COMMANDS.call(values[COMMAND]))
    if AREAS in values:
        calls.append(ActionCall(NAME, SERVICE_CLEAN_AREA, {"cleaning_area_id": _areas(state, str(values[AREAS]))}))
    return calls


def _areas(state: State, listed: str) -> list[str]:
    areas = [area.strip() for area in re.split(SEPARATOR, listed) if area.strip()]
    if not areas:
        raise Refused(
            Reason.OUT_OF_RANGE, f"{state.entity_id} takes the ids of areas separated by commas, not {listed!r}"
        )
    return areas


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
        Aspect(
            key=AREAS,
            kind=Kind.TEXT,
            name_en="Areas to clean",
            name_zh="清扫区域",
            source=lambda _: None,
            writable=True,
            supported=has_feature(VacuumEntityFeature.CLEAN_AREA),
            momentary=True,
            identifiers=("CleanArea", "CleanAreas"),
        ),
    ),
    plan=_plan,
)
