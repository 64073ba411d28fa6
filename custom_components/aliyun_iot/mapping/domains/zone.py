"""Zones: how many people are in them, and whether there are any. Report only; the coordinates are not aspects."""

from homeassistant.core import State

from ..aspect import Aspect, Domain, Kind, WholeState
from ..attributes import COUNT_RANGE, fixed_range, number
from ..says import AT_HOME


def _occupied(state: State) -> bool | None:
    people = number(state.state)
    return None if people is None else people > 0


DOMAIN = Domain(
    name="zone",
    aspects=(
        Aspect(
            key="people",
            kind=Kind.NUMBER,
            name_en="Number of people",
            name_zh="人数",
            source=WholeState(lambda state: number(state.state)),
            range=fixed_range(COUNT_RANGE),
            identifiers=("PeopleCount", "PersonCount"),
        ),
        Aspect(
            key="occupied",
            kind=Kind.BOOL,
            name_en="Anyone there",
            name_zh="有人",
            source=_occupied,
            words=("empty", "occupied"),
            says=AT_HOME,
            alternative=True,
            identifiers=("OccupancyState", "PresenceState"),
        ),
    ),
)
