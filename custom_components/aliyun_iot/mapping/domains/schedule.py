"""Schedule helpers: whether the present time is in the schedule, and when that changes. Report only.

The constants of Home Assistant's `schedule` are repeated here: importing them would make `schedule` a dependency.
"""

from ..aspect import Aspect, Domain, Kind
from ..attributes import moment_of
from ..on_off import on_or_off
from ..says import WORKING

DOMAIN = Domain(
    name="schedule",
    aspects=(
        Aspect(
            key="active",
            kind=Kind.BOOL,
            name_en="Scheduled time",
            name_zh="处于计划时段",
            source=on_or_off,
            says=WORKING,
            identifiers=("ScheduleState",),
        ),
        Aspect(
            key="next_event",
            kind=Kind.DATE,
            name_en="Next change of the schedule",
            name_zh="计划下次变化时间",
            source=moment_of("next_event"),
            identifiers=("ScheduleNextChange",),
        ),
    ),
)
