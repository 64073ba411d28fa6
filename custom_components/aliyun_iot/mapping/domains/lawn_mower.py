"""Robot mowers: activity and commands. All mowers are risky, because of their blades."""

from collections.abc import Mapping

from homeassistant.components.lawn_mower.const import (
    SERVICE_DOCK,
    SERVICE_PAUSE,
    SERVICE_START_MOWING,
    LawnMowerActivity,
    LawnMowerEntityFeature,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import text
from ..momentary import COMMAND, Command, CommandSet

NAME = "lawn_mower"

# Not in the oldest supported Home Assistant, where no mower has them.
STOP = "stop"
STOP_FEATURE = LawnMowerEntityFeature(8)
IDLE = "idle"

COMMANDS = CommandSet(
    NAME,
    {
        "start_mowing": Command(SERVICE_START_MOWING, LawnMowerEntityFeature.START_MOWING),
        "pause": Command(SERVICE_PAUSE, LawnMowerEntityFeature.PAUSE),
        "stop": Command(STOP, STOP_FEATURE),
        "dock": Command(SERVICE_DOCK, LawnMowerEntityFeature.DOCK),
    },
)
ACTIVITIES = tuple(dict.fromkeys((*(activity.value for activity in LawnMowerActivity), IDLE)))


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    return [COMMANDS.call(values[COMMAND])]


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key="state",
            kind=Kind.ENUM,
            name_en="Activity",
            name_zh="运行状态",
            source=lambda state: text(state.state),
            options=lambda _: ACTIVITIES,
            identifiers=("WorkStatus", "WorkState", "RobotState"),
        ),
        COMMANDS.aspect("MowCommand", "WorkCommand"),
    ),
    plan=_plan,
    risky=lambda _: True,
)
