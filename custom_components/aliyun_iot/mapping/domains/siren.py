"""Sirens: on or off; tone, volume and duration of the next alarm. All sirens are risky.

Tone, volume and duration are fields of `siren.turn_on` and are in no state. They are only accepted in the same
`property/set` as turning on and refused alone, so that a volume slider never starts the siren. Off wins over all of them.
"""

from collections.abc import Mapping
from functools import partial

from homeassistant.components.siren.const import (
    ATTR_AVAILABLE_TONES,
    ATTR_DURATION,
    ATTR_TONE,
    ATTR_VOLUME_LEVEL,
    SirenEntityFeature,
)
from homeassistant.const import SERVICE_TURN_ON
from homeassistant.core import State

from ...alink.model.numeric import rounded_whole
from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import PERCENT_RANGE, SECONDS_RANGE, fixed_range, has_feature, percent, seconds
from ..on_off import POWER, power_aspect, turn
from ..says import SOUNDING

NAME = "siren"
TONE = "tone"
VOLUME = "volume"
DURATION = "duration"


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if POWER not in values:
        raise Refused(
            Reason.CONFLICT, f"{state.entity_id} takes {', '.join(values)} only together with being turned on"
        )
    if not values[POWER]:
        return [turn(NAME, on=False)]
    data: dict[str, object] = {}
    if TONE in values:
        data[ATTR_TONE] = values[TONE]
    if isinstance(volume := values.get(VOLUME), int | float):
        data[ATTR_VOLUME_LEVEL] = volume / 100
    if isinstance(duration := values.get(DURATION), int | float):
        data[ATTR_DURATION] = rounded_whole(duration)
    return [ActionCall(NAME, SERVICE_TURN_ON, data)]


def _tones(state: State) -> tuple[str, ...]:
    """Return the names of the tones: a list of names or numbers, or a mapping of numbers to names; the action takes both."""
    tones = state.attributes.get(ATTR_AVAILABLE_TONES)
    if isinstance(tones, Mapping):
        tones = list(tones.values())
    if not isinstance(tones, list | tuple):
        return ()
    return tuple(str(tone) for tone in tones if isinstance(tone, int | str) and not isinstance(tone, bool))


has_tones = has_feature(SirenEntityFeature.TONES)
with_alarm = partial(Aspect, source=lambda _: None, writable=True, momentary=True)

DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect(
            "AlarmSwitch",
            "PowerSwitch",
            accepts=has_feature(SirenEntityFeature.TURN_ON | SirenEntityFeature.TURN_OFF),
            says=SOUNDING,
        ),
        with_alarm(
            key=TONE,
            kind=Kind.ENUM,
            name_en="Tone",
            name_zh="铃声",
            supported=lambda state: has_tones(state) and bool(_tones(state)),
            options=_tones,
            identifiers=("AlarmTone",),
        ),
        with_alarm(
            key=VOLUME,
            kind=Kind.NUMBER,
            name_en="Volume",
            name_zh="音量",
            supported=has_feature(SirenEntityFeature.VOLUME_SET),
            range=fixed_range(PERCENT_RANGE),
            unit=percent,
            identifiers=("AlarmVolume", "Volume"),
        ),
        with_alarm(
            key=DURATION,
            kind=Kind.NUMBER,
            name_en="Duration",
            name_zh="时长",
            supported=has_feature(SirenEntityFeature.DURATION),
            range=fixed_range(SECONDS_RANGE),
            unit=seconds,
            identifiers=("AlarmDuration", "Duration"),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
