"""Water heaters: power, operation mode, target and current temperature, away mode. Risky, because of hot water.

Off wins over everything else in the same `property/set`; a mode turns the heater on, so it replaces `power`. Away mode
and temperature follow, because a mode may change them. Mode and temperature are two actions, as for climate: many
platforms ignore the mode in `water_heater.set_temperature`. The limits of a temperature range are only reported, because
Home Assistant has no action that sets them.
"""

from collections.abc import Callable, Mapping
from functools import partial

from homeassistant.components.water_heater import (
    ATTR_AWAY_MODE,
    ATTR_CURRENT_TEMPERATURE,
    ATTR_MAX_TEMP,
    ATTR_MIN_TEMP,
    ATTR_OPERATION_LIST,
    ATTR_OPERATION_MODE,
    ATTR_TARGET_TEMP_HIGH,
    ATTR_TARGET_TEMP_LOW,
    ATTR_TARGET_TEMP_STEP,
    SERVICE_SET_AWAY_MODE,
    SERVICE_SET_OPERATION_MODE,
    SERVICE_SET_TEMPERATURE,
    WaterHeaterEntityFeature,
)
from homeassistant.const import ATTR_TEMPERATURE, STATE_OFF, STATE_ON
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, FromAttributes, Kind, Reason, Refused, Value
from ..attributes import (
    has_attribute,
    has_feature,
    number_of,
    range_of,
    system_temperature_unit,
    text,
    texts_of,
    unless_default,
)
from ..on_off import POWER, power_aspect, turn
from ..says import AWAY_FROM_HOME

NAME = "water_heater"
MODE = "mode"
AWAY = "away_mode"
TARGET = "target_temperature"

can_turn = has_feature(WaterHeaterEntityFeature.ON_OFF)
has_modes = has_feature(WaterHeaterEntityFeature.OPERATION_MODE)
modes = texts_of(ATTR_OPERATION_LIST)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if values.get(POWER) is False or values.get(MODE) == STATE_OFF:
        return [_off(state)]
    calls = _on(state, values)
    if AWAY in values:
        calls.append(ActionCall(NAME, SERVICE_SET_AWAY_MODE, {ATTR_AWAY_MODE: values[AWAY]}))
    if TARGET in values:
        calls.append(ActionCall(NAME, SERVICE_SET_TEMPERATURE, {ATTR_TEMPERATURE: values[TARGET]}))
    return calls


def _off(state: State) -> ActionCall:
    return _set_mode(STATE_OFF) if _has_off_mode(state) else turn(NAME, on=False)


def _on(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if MODE in values:
        return [_set_mode(values[MODE])]
    if POWER not in values:
        return []
    if not can_turn(state):
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} can only be turned on by a mode")
    return [turn(NAME, on=True)]


def _set_mode(mode: Value) -> ActionCall:
    return ActionCall(NAME, SERVICE_SET_OPERATION_MODE, {ATTR_OPERATION_MODE: mode})


def _has_off_mode(state: State) -> bool:
    return has_modes(state) and STATE_OFF in modes(state)


def _has_number(name: str) -> Callable[[State], bool]:
    """Return a test for a numeric attribute; every water heater has the attributes of a range, but most are None."""
    read = number_of(name)
    return lambda state: read(state) is not None


@FromAttributes
def _is_away(state: State) -> bool | None:
    return {STATE_ON: True, STATE_OFF: False}.get(str(state.attributes.get(ATTR_AWAY_MODE)))


temperature = partial(Aspect, kind=Kind.NUMBER, unit=system_temperature_unit)

DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect(
            "PowerSwitch",
            source=lambda state: state.state != STATE_OFF,
            accepts=lambda state: can_turn(state) or _has_off_mode(state),
        ),
        Aspect(
            key=MODE,
            kind=Kind.ENUM,
            name_en="Mode",
            name_zh="模式",
            source=lambda state: text(state.state),
            writable=True,
            supported=has_modes,
            options=modes,
            dispensable=lambda _: (STATE_OFF,),
            identifiers=("WorkMode", "OperationMode"),
        ),
        temperature(
            key=TARGET,
            name_en="Target temperature",
            name_zh="目标温度",
            source=number_of(ATTR_TEMPERATURE),
            writable=True,
            supported=has_feature(WaterHeaterEntityFeature.TARGET_TEMPERATURE),
            range=range_of(ATTR_MIN_TEMP, ATTR_MAX_TEMP, ATTR_TARGET_TEMP_STEP),
            identifiers=("TargetTemperature", "SetTemperature"),
        ),
        temperature(
            key="target_temperature_low",
            name_en="Lowest target temperature",
            name_zh="最低目标温度",
            source=number_of(ATTR_TARGET_TEMP_LOW),
            supported=_has_number(ATTR_TARGET_TEMP_LOW),
            identifiers=("TargetTemperatureLow",),
        ),
        temperature(
            key="target_temperature_high",
            name_en="Highest target temperature",
            name_zh="最高目标温度",
            source=number_of(ATTR_TARGET_TEMP_HIGH),
            supported=_has_number(ATTR_TARGET_TEMP_HIGH),
            identifiers=("TargetTemperatureHigh",),
        ),
        temperature(
            key="current_temperature",
            name_en="Current temperature",
            name_zh="当前温度",
            source=number_of(ATTR_CURRENT_TEMPERATURE),
            supported=has_attribute(ATTR_CURRENT_TEMPERATURE),
            identifiers=("CurrentTemperature", "WaterTemperature"),
        ),
        Aspect(
            key=AWAY,
            kind=Kind.BOOL,
            name_en="Away mode",
            name_zh="离家模式",
            source=unless_default(_is_away, default=False),
            writable=True,
            supported=has_feature(WaterHeaterEntityFeature.AWAY_MODE),
            says=AWAY_FROM_HOME,
            identifiers=("AwayMode",),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
