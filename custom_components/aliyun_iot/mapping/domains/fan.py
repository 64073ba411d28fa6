"""Fans: power, speed in percent, as one of a few gears or by a step up or down, preset, oscillation, direction.

Off wins over everything else in the same `property/set`, and a speed of 0 is off. A speed and a preset exclude each other
(`turn_on` takes either, and most fans leave the preset when a speed is set), so both together are refused, and so is a step
together with either. Together with `power` a speed or a preset is one `turn_on`; alone it is `set_percentage` or
`set_preset_mode`, which may turn the fan on, depending on the device. Oscillation and direction come last and never turn the
fan on.

The gears follow from `percentage_step`. Two and three gears have the usual names, more are numbered; a fan with one gear
or more than ten has no gears.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from homeassistant.components.fan import (
    ATTR_DIRECTION,
    ATTR_OSCILLATING,
    ATTR_PERCENTAGE,
    ATTR_PERCENTAGE_STEP,
    ATTR_PRESET_MODE,
    ATTR_PRESET_MODES,
    DIRECTION_FORWARD,
    DIRECTION_REVERSE,
    SERVICE_DECREASE_SPEED,
    SERVICE_INCREASE_SPEED,
    SERVICE_OSCILLATE,
    SERVICE_SET_DIRECTION,
    SERVICE_SET_PERCENTAGE,
    SERVICE_SET_PRESET_MODE,
    FanEntityFeature,
)
from homeassistant.const import SERVICE_TURN_ON, STATE_UNAVAILABLE
from homeassistant.core import State
from homeassistant.util.percentage import ordered_list_item_to_percentage, percentage_to_ordered_list_item

from ...alink.model.numeric import rounded_whole
from ..aspect import ActionCall, Aspect, Domain, FromAttributes, Kind, Range, Reason, Refused, Value, setting
from ..attributes import flag_of, has_feature, number, number_of, percent, text_of, texts_of, unless_default
from ..momentary import COMMAND, Command, CommandSet
from ..on_off import POWER, power_aspect, turn
from ..says import OSCILLATES

NAME = "fan"
SPEED = "speed"
GEAR = "gear"
PRESET_MODE = "preset_mode"
OSCILLATING = "oscillating"
DIRECTION = "direction"

NAMED_GEARS = {2: ("low", "high"), 3: ("low", "medium", "high")}
MAX_GEARS = 10

STEPS = CommandSet(
    NAME,
    {
        "faster": Command(SERVICE_INCREASE_SPEED, FanEntityFeature.SET_SPEED),
        "slower": Command(SERVICE_DECREASE_SPEED, FanEntityFeature.SET_SPEED),
    },
)

can_turn_on = has_feature(FanEntityFeature.TURN_ON)
can_turn_off = has_feature(FanEntityFeature.TURN_OFF)
can_set_speed = has_feature(FanEntityFeature.SET_SPEED)
_setting = partial(setting, NAME)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    speed = _wanted_speed(state, values)
    if values.get(POWER) is False or speed == 0:
        return [_off(state)]
    return [
        *_running(state, speed, values),
        *([STEPS.call(values[COMMAND])] if COMMAND in values else []),
        *_setting(values, OSCILLATING, SERVICE_OSCILLATE, ATTR_OSCILLATING),
        *_setting(values, DIRECTION, SERVICE_SET_DIRECTION, ATTR_DIRECTION),
    ]


def _wanted_speed(state: State, values: Mapping[str, Value]) -> int | None:
    """Return the percentage to set, given in percent or as a gear."""
    if len(values.keys() & {SPEED, GEAR, COMMAND}) > 1:
        raise Refused(Reason.CONFLICT, "a fan takes a speed in percent, a gear or a step, not several at once")
    if isinstance(speed := values.get(SPEED), int | float):
        # Home Assistant truncates the percentage of a gear: the second of three is 66 %, and 67 would be the third.
        return max(1, int(speed)) if speed > 0 else 0
    if isinstance(gear := values.get(GEAR), str):
        return ordered_list_item_to_percentage(list(_gears(state)), gear)
    return None


def _off(state: State) -> ActionCall:
    if can_turn_off(state):
        return turn(NAME, on=False)
    if can_set_speed(state):
        return ActionCall(NAME, SERVICE_SET_PERCENTAGE, {ATTR_PERCENTAGE: 0})
    raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} can't be turned off")


def _running(state: State, speed: int | None, values: Mapping[str, Value]) -> list[ActionCall]:
    """Return the one action that turns the fan on or sets its speed or preset."""
    preset = values.get(PRESET_MODE)
    if preset is not None and (speed is not None or COMMAND in values):
        raise Refused(Reason.CONFLICT, "a fan takes a speed or a preset, not both at once")
    data: dict[str, object] = {} if speed is None else {ATTR_PERCENTAGE: speed}
    if preset is not None:
        data[ATTR_PRESET_MODE] = preset
    if POWER in values and can_turn_on(state):
        return [ActionCall(NAME, SERVICE_TURN_ON, data)]
    if speed is not None:
        return [ActionCall(NAME, SERVICE_SET_PERCENTAGE, data)]
    if preset is not None:
        return [ActionCall(NAME, SERVICE_SET_PRESET_MODE, data)]
    if POWER in values:
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} can only be turned on by a speed or a preset")
    return []


def _speed_range(state: State) -> Range:
    """Return the range in percent, with step 1 if the step isn't an integer (33.3 for three gears)."""
    step = number(state.attributes.get(ATTR_PERCENTAGE_STEP))
    return Range(0, 100, step if step and step >= 1 and step.is_integer() else 1)


def _gears(state: State) -> tuple[str, ...]:
    step = number(state.attributes.get(ATTR_PERCENTAGE_STEP))
    count = round(100 / step) if step and step >= 1 else 0
    if not 2 <= count <= MAX_GEARS:
        return ()
    return NAMED_GEARS.get(count) or tuple(str(gear) for gear in range(1, count + 1))


@FromAttributes
def _gear(state: State) -> str | None:
    percentage, gears = number(state.attributes.get(ATTR_PERCENTAGE)), _gears(state)
    if percentage is None or not 0 < percentage <= 100 or not gears:
        return None
    return percentage_to_ordered_list_item(list(gears), rounded_whole(percentage))


DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect(
            "PowerSwitch", "FanSwitch", accepts=has_feature(FanEntityFeature.TURN_ON | FanEntityFeature.TURN_OFF)
        ),
        Aspect(
            key=SPEED,
            kind=Kind.NUMBER,
            name_en="Fan speed",
            name_zh="风速",
            source=unless_default(number_of(ATTR_PERCENTAGE), 0),
            writable=True,
            supported=can_set_speed,
            range=_speed_range,
            unit=percent,
            identifiers=("WindSpeed", "FanSpeed", "FanSpeedPercent"),
        ),
        Aspect(
            key=GEAR,
            kind=Kind.ENUM,
            name_en="Fan gear",
            name_zh="风速档位",
            source=_gear,
            writable=True,
            supported=lambda state: can_set_speed(state) and (bool(_gears(state)) or state.state == STATE_UNAVAILABLE),
            options=_gears,
            alternative=True,
            identifiers=("WindSpeed", "FanSpeed", "FanGear"),
        ),
        Aspect(
            key=PRESET_MODE,
            kind=Kind.ENUM,
            name_en="Preset",
            name_zh="预设",
            source=text_of(ATTR_PRESET_MODE),
            writable=True,
            supported=has_feature(FanEntityFeature.PRESET_MODE),
            options=texts_of(ATTR_PRESET_MODES),
            identifiers=("WorkMode", "WindMode", "PresetMode"),
        ),
        Aspect(
            key=OSCILLATING,
            kind=Kind.BOOL,
            name_en="Oscillation",
            name_zh="摇头",
            source=flag_of(ATTR_OSCILLATING),
            writable=True,
            supported=has_feature(FanEntityFeature.OSCILLATE),
            says=OSCILLATES,
            identifiers=("ShakeHead", "Oscillation", "AngleAutoLROnOff"),
        ),
        Aspect(
            key=DIRECTION,
            kind=Kind.ENUM,
            name_en="Direction",
            name_zh="转向",
            source=text_of(ATTR_DIRECTION),
            writable=True,
            supported=has_feature(FanEntityFeature.DIRECTION),
            options=lambda _: (DIRECTION_FORWARD, DIRECTION_REVERSE),
            identifiers=("FanDirection", "WindDirection"),
        ),
        replace(STEPS.aspect("FanSpeedStep", name_en="Speed step", name_zh="风速加减"), alternative=True),
    ),
    plan=_plan,
)
