"""The sun: above the horizon or not, its position, next sunrise and sunset, and the other times of its day."""

from functools import partial

from homeassistant.components.sun.const import (
    STATE_ABOVE_HORIZON,
    STATE_ATTR_AZIMUTH,
    STATE_ATTR_ELEVATION,
    STATE_ATTR_NEXT_DAWN,
    STATE_ATTR_NEXT_DUSK,
    STATE_ATTR_NEXT_MIDNIGHT,
    STATE_ATTR_NEXT_NOON,
    STATE_ATTR_NEXT_RISING,
    STATE_ATTR_NEXT_SETTING,
    STATE_ATTR_RISING,
    STATE_BELOW_HORIZON,
)
from homeassistant.const import DEGREE

from ..aspect import Aspect, Domain, Kind, Range
from ..attributes import fixed_range, flag_of, moment_of, number_of
from ..says import DAYLIGHT

angle = partial(Aspect, kind=Kind.NUMBER, unit=lambda _: DEGREE)
next_time = partial(Aspect, kind=Kind.DATE)
other_time = partial(next_time, alternative=True)

DOMAIN = Domain(
    name="sun",
    aspects=(
        Aspect(
            key="above_horizon",
            kind=Kind.BOOL,
            name_en="Above the horizon",
            name_zh="在地平线以上",
            source=lambda state: {STATE_ABOVE_HORIZON: True, STATE_BELOW_HORIZON: False}.get(state.state),
            words=(STATE_BELOW_HORIZON, STATE_ABOVE_HORIZON),
            says=DAYLIGHT,
            identifiers=("SunAboveHorizon",),
        ),
        angle(
            key="elevation",
            name_en="Elevation of the sun",
            name_zh="太阳高度角",
            source=number_of(STATE_ATTR_ELEVATION),
            range=fixed_range(Range(-90, 90)),
            identifiers=("SunElevation",),
        ),
        angle(
            key="azimuth",
            name_en="Azimuth of the sun",
            name_zh="太阳方位角",
            source=number_of(STATE_ATTR_AZIMUTH),
            range=fixed_range(Range(0, 360)),
            identifiers=("SunAzimuth",),
        ),
        next_time(
            key="next_rising",
            name_en="Next sunrise",
            name_zh="下次日出",
            source=moment_of(STATE_ATTR_NEXT_RISING),
            identifiers=("NextSunrise", "Sunrise"),
        ),
        next_time(
            key="next_setting",
            name_en="Next sunset",
            name_zh="下次日落",
            source=moment_of(STATE_ATTR_NEXT_SETTING),
            identifiers=("NextSunset", "Sunset"),
        ),
        other_time(
            key="next_dawn",
            name_en="Next dawn",
            name_zh="下次黎明",
            source=moment_of(STATE_ATTR_NEXT_DAWN),
            identifiers=("NextDawn", "Dawn"),
        ),
        other_time(
            key="next_dusk",
            name_en="Next dusk",
            name_zh="下次黄昏",
            source=moment_of(STATE_ATTR_NEXT_DUSK),
            identifiers=("NextDusk", "Dusk"),
        ),
        other_time(
            key="next_noon",
            name_en="Next solar noon",
            name_zh="下次太阳正午",
            source=moment_of(STATE_ATTR_NEXT_NOON),
            identifiers=("NextNoon",),
        ),
        other_time(
            key="next_midnight",
            name_en="Next solar midnight",
            name_zh="下次太阳子夜",
            source=moment_of(STATE_ATTR_NEXT_MIDNIGHT),
            identifiers=("NextMidnight",),
        ),
        Aspect(
            key="rising",
            kind=Kind.BOOL,
            name_en="Sun rising",
            name_zh="太阳上升中",
            source=flag_of(STATE_ATTR_RISING),
            alternative=True,
            identifiers=("SunRising",),
        ),
    ),
)
