"""Thermostats and air conditioners: power, mode, target and current values, fan, preset, swing.

Off wins over everything else in the same `property/set`; a mode turns the device on, so it replaces `power`. Preset,
temperature and the rest follow. Mode and temperature are two actions: `climate.set_temperature` has a field for the mode,
but most climate platforms ignore it and Home Assistant doesn't check it against the entity's modes. Setting a temperature
never changes the mode.
"""

from collections.abc import Mapping
from functools import partial

from homeassistant.components.climate.const import (
    ATTR_CURRENT_HUMIDITY,
    ATTR_CURRENT_TEMPERATURE,
    ATTR_FAN_MODE,
    ATTR_FAN_MODES,
    ATTR_HUMIDITY,
    ATTR_HVAC_ACTION,
    ATTR_HVAC_MODE,
    ATTR_HVAC_MODES,
    ATTR_MAX_HUMIDITY,
    ATTR_MAX_TEMP,
    ATTR_MIN_HUMIDITY,
    ATTR_MIN_TEMP,
    ATTR_PRESET_MODE,
    ATTR_PRESET_MODES,
    ATTR_SWING_HORIZONTAL_MODE,
    ATTR_SWING_HORIZONTAL_MODES,
    ATTR_SWING_MODE,
    ATTR_SWING_MODES,
    ATTR_TARGET_HUMIDITY_STEP,
    ATTR_TARGET_TEMP_HIGH,
    ATTR_TARGET_TEMP_LOW,
    ATTR_TARGET_TEMP_STEP,
    SERVICE_SET_FAN_MODE,
    SERVICE_SET_HUMIDITY,
    SERVICE_SET_HVAC_MODE,
    SERVICE_SET_PRESET_MODE,
    SERVICE_SET_SWING_HORIZONTAL_MODE,
    SERVICE_SET_SWING_MODE,
    SERVICE_SET_TEMPERATURE,
    ClimateEntityFeature,
    HVACAction,
    HVACMode,
)
from homeassistant.const import ATTR_TEMPERATURE
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value, setting
from ..attributes import (
    has_attribute,
    has_feature,
    number,
    number_of,
    percent,
    range_of,
    system_temperature_unit,
    text_of,
    texts_of,
)
from ..on_off import POWER, power_aspect, turn

NAME = "climate"
MODE = "mode"
PRESET_MODE = "preset_mode"
TARGET = "target_temperature"
TARGET_LOW = "target_temperature_low"
TARGET_HIGH = "target_temperature_high"
TARGET_HUMIDITY = "target_humidity"
FAN_MODE = "fan_mode"
SWING_MODE = "swing_mode"
SWING_HORIZONTAL_MODE = "swing_horizontal_mode"

can_turn_on = has_feature(ClimateEntityFeature.TURN_ON)
can_turn_off = has_feature(ClimateEntityFeature.TURN_OFF)
has_temperature_range = has_feature(ClimateEntityFeature.TARGET_TEMPERATURE_RANGE)
modes = texts_of(ATTR_HVAC_MODES)
_setting = partial(setting, NAME)
temperature_limits = range_of(ATTR_MIN_TEMP, ATTR_MAX_TEMP, ATTR_TARGET_TEMP_STEP)

MODES_OF_ACTIONS: Mapping[str, frozenset[str]] = {
    HVACAction.HEATING: frozenset({HVACMode.HEAT, HVACMode.HEAT_COOL, HVACMode.AUTO}),
    HVACAction.COOLING: frozenset({HVACMode.COOL, HVACMode.HEAT_COOL, HVACMode.AUTO}),
    HVACAction.DRYING: frozenset({HVACMode.DRY, HVACMode.AUTO}),
    HVACAction.FAN: frozenset({HVACMode.FAN_ONLY, HVACMode.AUTO}),
}


def _untold_actions(state: State) -> tuple[str, ...]:
    """Return the actions that a property need not have: the power tells off, some pass, others are of no mode of the entity."""
    impossible = (action for action, possible in MODES_OF_ACTIONS.items() if possible.isdisjoint(modes(state)))
    return (HVACAction.OFF, HVACAction.PREHEATING, HVACAction.DEFROSTING, *impossible)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if values.get(MODE) == HVACMode.OFF:
        return [_set_mode(HVACMode.OFF)]
    if values.get(POWER) is False:
        return [_off(state)]
    return [
        *_power_on(state, values),
        *_setting(values, MODE, SERVICE_SET_HVAC_MODE, ATTR_HVAC_MODE),
        *_setting(values, PRESET_MODE, SERVICE_SET_PRESET_MODE, ATTR_PRESET_MODE),
        *_temperature(state, values),
        *_setting(values, TARGET_HUMIDITY, SERVICE_SET_HUMIDITY, ATTR_HUMIDITY),
        *_setting(values, FAN_MODE, SERVICE_SET_FAN_MODE, ATTR_FAN_MODE),
        *_setting(values, SWING_MODE, SERVICE_SET_SWING_MODE, ATTR_SWING_MODE),
        *_setting(values, SWING_HORIZONTAL_MODE, SERVICE_SET_SWING_HORIZONTAL_MODE, ATTR_SWING_HORIZONTAL_MODE),
    ]


def _off(state: State) -> ActionCall:
    if can_turn_off(state):
        return turn(NAME, on=False)
    if HVACMode.OFF in modes(state):
        return _set_mode(HVACMode.OFF)
    raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} can't be turned off")


def _power_on(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if POWER not in values or MODE in values:
        return []
    if not can_turn_on(state):
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} can only be turned on by a mode")
    return [turn(NAME, on=True)]


def _set_mode(mode: HVACMode) -> ActionCall:
    return ActionCall(NAME, SERVICE_SET_HVAC_MODE, {ATTR_HVAC_MODE: mode.value})


def _temperature(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if TARGET not in values and TARGET_LOW not in values and TARGET_HIGH not in values:
        return []
    if TARGET not in values:
        return [ActionCall(NAME, SERVICE_SET_TEMPERATURE, _both_limits(state, values))]
    if TARGET_LOW in values or TARGET_HIGH in values:
        raise Refused(Reason.CONFLICT, "a climate entity takes one target temperature or a range, not both at once")
    return [ActionCall(NAME, SERVICE_SET_TEMPERATURE, {ATTR_TEMPERATURE: values[TARGET]})]


def _both_limits(state: State, values: Mapping[str, Value]) -> dict[str, object]:
    """Return both limits of the range, as the action requires; a limit that is not set keeps its current value."""
    low = number(values.get(TARGET_LOW, state.attributes.get(ATTR_TARGET_TEMP_LOW)))
    high = number(values.get(TARGET_HIGH, state.attributes.get(ATTR_TARGET_TEMP_HIGH)))
    if low is None or high is None:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes both limits of the temperature range or none")
    if low > high:
        raise Refused(Reason.CONFLICT, f"the temperature range of {state.entity_id} would go from {low} down to {high}")
    return {ATTR_TARGET_TEMP_LOW: low, ATTR_TARGET_TEMP_HIGH: high}


temperature = partial(Aspect, kind=Kind.NUMBER, unit=system_temperature_unit)
target = partial(temperature, writable=True, range=temperature_limits)
humidity = partial(Aspect, kind=Kind.NUMBER, unit=percent)
choice = partial(Aspect, kind=Kind.ENUM, writable=True)

DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect(
            "PowerSwitch",
            source=lambda state: state.state != HVACMode.OFF,
            accepts=lambda state: can_turn_on(state) or can_turn_off(state) or HVACMode.OFF in modes(state),
        ),
        choice(
            key=MODE,
            name_en="Mode",
            name_zh="模式",
            source=lambda state: state.state,
            options=modes,
            dispensable=lambda _: (HVACMode.OFF,),
            identifiers=("HVACMode", "WorkMode", "ConditionerMode"),
        ),
        target(
            key=TARGET,
            name_en="Target temperature",
            name_zh="目标温度",
            source=number_of(ATTR_TEMPERATURE),
            supported=has_feature(ClimateEntityFeature.TARGET_TEMPERATURE),
            identifiers=("TargetTemperature", "SetTemperature"),
        ),
        target(
            key=TARGET_LOW,
            name_en="Lowest target temperature",
            name_zh="最低目标温度",
            source=number_of(ATTR_TARGET_TEMP_LOW),
            supported=has_temperature_range,
            identifiers=("TargetTemperatureLow",),
        ),
        target(
            key=TARGET_HIGH,
            name_en="Highest target temperature",
            name_zh="最高目标温度",
            source=number_of(ATTR_TARGET_TEMP_HIGH),
            supported=has_temperature_range,
            identifiers=("TargetTemperatureHigh",),
        ),
        temperature(
            key="current_temperature",
            name_en="Current temperature",
            name_zh="当前温度",
            source=number_of(ATTR_CURRENT_TEMPERATURE),
            supported=has_attribute(ATTR_CURRENT_TEMPERATURE),
            identifiers=("CurrentTemperature", "IndoorTemperature"),
        ),
        humidity(
            key="current_humidity",
            name_en="Current humidity",
            name_zh="当前湿度",
            source=number_of(ATTR_CURRENT_HUMIDITY),
            supported=has_attribute(ATTR_CURRENT_HUMIDITY),
            identifiers=("CurrentHumidity", "RelativeHumidity"),
        ),
        humidity(
            key=TARGET_HUMIDITY,
            name_en="Target humidity",
            name_zh="目标湿度",
            source=number_of(ATTR_HUMIDITY),
            writable=True,
            supported=has_feature(ClimateEntityFeature.TARGET_HUMIDITY),
            range=range_of(ATTR_MIN_HUMIDITY, ATTR_MAX_HUMIDITY, ATTR_TARGET_HUMIDITY_STEP),
            identifiers=("TargetHumidity",),
        ),
        choice(
            key=FAN_MODE,
            name_en="Fan speed",
            name_zh="风速",
            source=text_of(ATTR_FAN_MODE),
            supported=has_feature(ClimateEntityFeature.FAN_MODE),
            options=texts_of(ATTR_FAN_MODES),
            identifiers=("WindSpeed", "FanMode", "FanSpeed"),
        ),
        choice(
            key=PRESET_MODE,
            name_en="Preset",
            name_zh="预设",
            source=text_of(ATTR_PRESET_MODE),
            supported=has_feature(ClimateEntityFeature.PRESET_MODE),
            options=texts_of(ATTR_PRESET_MODES),
            identifiers=("PresetMode",),
        ),
        choice(
            key=SWING_MODE,
            name_en="Swing",
            name_zh="摆风",
            source=text_of(ATTR_SWING_MODE),
            supported=has_feature(ClimateEntityFeature.SWING_MODE),
            options=texts_of(ATTR_SWING_MODES),
            identifiers=("SwingMode",),
        ),
        choice(
            key=SWING_HORIZONTAL_MODE,
            name_en="Horizontal swing",
            name_zh="左右摆风",
            source=text_of(ATTR_SWING_HORIZONTAL_MODE),
            supported=has_feature(ClimateEntityFeature.SWING_HORIZONTAL_MODE),
            options=texts_of(ATTR_SWING_HORIZONTAL_MODES),
            identifiers=("HorizontalSwingMode",),
        ),
        Aspect(
            key="action",
            kind=Kind.ENUM,
            name_en="Activity",
            name_zh="运行状态",
            source=text_of(ATTR_HVAC_ACTION),
            supported=has_attribute(ATTR_HVAC_ACTION),
            options=lambda _: tuple(HVACAction),
            dispensable=_untold_actions,
            identifiers=("HVACAction",),
        ),
    ),
    plan=_plan,
)
