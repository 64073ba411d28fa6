"""Humidifiers and dehumidifiers: power, mode, target and current humidity, activity.

Off wins over everything else in the same `property/set`. Power, mode and target are set in this order, because a mode may
have a target of its own. A mode or a target alone does not turn the device on.
"""

from collections.abc import Mapping

from homeassistant.components.humidifier import HumidifierDeviceClass
from homeassistant.components.humidifier.const import (
    ATTR_ACTION,
    ATTR_AVAILABLE_MODES,
    ATTR_CURRENT_HUMIDITY,
    ATTR_HUMIDITY,
    ATTR_MAX_HUMIDITY,
    ATTR_MIN_HUMIDITY,
    ATTR_TARGET_HUMIDITY_STEP,
    DEFAULT_MAX_HUMIDITY,
    DEFAULT_MIN_HUMIDITY,
    SERVICE_SET_HUMIDITY,
    SERVICE_SET_MODE,
    HumidifierAction,
    HumidifierEntityFeature,
)
from homeassistant.const import ATTR_MODE
from homeassistant.core import State

from ...alink.model.numeric import rounded_whole
from ..aspect import ActionCall, Aspect, Domain, Kind, Range, Value
from ..attributes import (
    device_class,
    has_attribute,
    has_feature,
    number,
    number_of,
    percent,
    text_of,
    texts_of,
    unless_default,
)
from ..on_off import POWER, power_aspect, turn

NAME = "humidifier"
MODE = "mode"
TARGET = "target_humidity"


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if values.get(POWER) is False:
        return [turn(NAME, on=False)]
    calls = [turn(NAME, on=True)] if POWER in values else []
    if MODE in values:
        calls.append(ActionCall(NAME, SERVICE_SET_MODE, {ATTR_MODE: values[MODE]}))
    if isinstance(target := values.get(TARGET), int | float):
        calls.append(ActionCall(NAME, SERVICE_SET_HUMIDITY, {ATTR_HUMIDITY: rounded_whole(target)}))
    return calls


def _limits(state: State) -> Range:
    """Return the limits of the target; the default step is 1, because the action takes integers."""
    low, high, step = (
        number(state.attributes.get(name)) for name in (ATTR_MIN_HUMIDITY, ATTR_MAX_HUMIDITY, ATTR_TARGET_HUMIDITY_STEP)
    )
    return Range(
        float(DEFAULT_MIN_HUMIDITY) if low is None else low,
        float(DEFAULT_MAX_HUMIDITY) if high is None else high,
        step or 1.0,
    )


def _untold_actions(state: State) -> tuple[str, ...]:
    """Return the actions that a property need not have: the power tells off, and each device does one of the others."""
    if device_class(state) == HumidifierDeviceClass.DEHUMIDIFIER:
        return (HumidifierAction.OFF, HumidifierAction.HUMIDIFYING)
    return (HumidifierAction.OFF, HumidifierAction.DRYING)


DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect("PowerSwitch"),
        Aspect(
            key=MODE,
            kind=Kind.ENUM,
            name_en="Mode",
            name_zh="模式",
            source=text_of(ATTR_MODE),
            writable=True,
            supported=has_feature(HumidifierEntityFeature.MODES),
            options=texts_of(ATTR_AVAILABLE_MODES),
            identifiers=("WorkMode", "HumidifierMode"),
        ),
        Aspect(
            key=TARGET,
            kind=Kind.NUMBER,
            name_en="Target humidity",
            name_zh="目标湿度",
            source=number_of(ATTR_HUMIDITY),
            writable=True,
            range=_limits,
            unit=percent,
            identifiers=("TargetHumidity", "SetHumidity"),
        ),
        Aspect(
            key="current_humidity",
            kind=Kind.NUMBER,
            name_en="Current humidity",
            name_zh="当前湿度",
            source=number_of(ATTR_CURRENT_HUMIDITY),
            supported=has_attribute(ATTR_CURRENT_HUMIDITY),
            unit=percent,
            identifiers=("CurrentHumidity", "RelativeHumidity"),
        ),
        Aspect(
            key="action",
            kind=Kind.ENUM,
            name_en="Activity",
            name_zh="运行状态",
            source=unless_default(text_of(ATTR_ACTION), HumidifierAction.OFF),
            supported=has_attribute(ATTR_ACTION),
            options=lambda _: tuple(HumidifierAction),
            dispensable=_untold_actions,
            identifiers=("HumidifierAction",),
        ),
    ),
    plan=_plan,
)
