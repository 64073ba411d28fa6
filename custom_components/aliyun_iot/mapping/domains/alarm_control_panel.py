"""Alarm panels: arm mode, full state, panic button, and who changed it last (private). All alarm panels are risky.

Two aspects read the state. `mode` is disarmed or one of the armed modes, which an application shows as a selector: it is
set and reported with the same options, one per supported feature. While the panel is arming, pending or triggered it has
no value, so that nothing contradicts a command in the meantime and the value that was set is the one reported. `state` is
only reported and has all states, also triggered. There are no separate commands for arming, which would be a second
vocabulary for the same modes. Triggering the alarm is not a mode but a press (`mapping/press.py`).

No code is ever sent: Home Assistant uses the default code of the entity, and refuses the action if it requires a code and
has none. Disarming wins over a panic in the same `property/set`.
"""

from collections.abc import Mapping

from homeassistant.components.alarm_control_panel.const import (
    AlarmControlPanelEntityFeature as Feature,
    AlarmControlPanelEntityStateAttribute as Attribute,
    AlarmControlPanelState as PanelState,
)
from homeassistant.const import (
    SERVICE_ALARM_ARM_AWAY,
    SERVICE_ALARM_ARM_CUSTOM_BYPASS,
    SERVICE_ALARM_ARM_HOME,
    SERVICE_ALARM_ARM_NIGHT,
    SERVICE_ALARM_ARM_VACATION,
    SERVICE_ALARM_DISARM,
    SERVICE_ALARM_TRIGGER,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import has_feature, text, text_of
from ..momentary import Command, CommandSet
from ..press import press_aspect

NAME = "alarm_control_panel"
MODE = "mode"
PANIC = "panic"

MODES = CommandSet(
    NAME,
    {
        PanelState.DISARMED.value: Command(SERVICE_ALARM_DISARM),
        PanelState.ARMED_HOME.value: Command(SERVICE_ALARM_ARM_HOME, Feature.ARM_HOME),
        PanelState.ARMED_AWAY.value: Command(SERVICE_ALARM_ARM_AWAY, Feature.ARM_AWAY),
        PanelState.ARMED_NIGHT.value: Command(SERVICE_ALARM_ARM_NIGHT, Feature.ARM_NIGHT),
        PanelState.ARMED_VACATION.value: Command(SERVICE_ALARM_ARM_VACATION, Feature.ARM_VACATION),
        PanelState.ARMED_CUSTOM_BYPASS.value: Command(SERVICE_ALARM_ARM_CUSTOM_BYPASS, Feature.ARM_CUSTOM_BYPASS),
    },
)


def _untold_states(state: State) -> tuple[str, ...]:
    """Return the states that a property need not have: the panel has no such mode, or the state passes."""
    possible = MODES.options(state)
    unsupported = (mode for mode in MODES.commands if mode not in possible)
    return (PanelState.ARMING, PanelState.DISARMING, PanelState.PENDING, *unsupported)


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    calls = [MODES.call(values[MODE])] if MODE in values else []
    if values.get(PANIC) is True and values.get(MODE) != PanelState.DISARMED:
        calls.append(ActionCall(NAME, SERVICE_ALARM_TRIGGER))
    return calls


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key=MODE,
            kind=Kind.ENUM,
            name_en="Arm mode",
            name_zh="布防模式",
            source=lambda state: state.state if state.state in MODES.commands else None,
            writable=True,
            options=MODES.options,
            identifiers=("ArmMode", "SecurityMode", "DefenceMode"),
        ),
        Aspect(
            key="state",
            kind=Kind.ENUM,
            name_en="Alarm state",
            name_zh="报警状态",
            source=lambda state: text(state.state),
            options=lambda _: tuple(PanelState),
            dispensable=_untold_states,
            identifiers=("AlarmState", "ArmState", "SecurityState"),
        ),
        press_aspect(
            key=PANIC,
            name_en="Panic button",
            name_zh="紧急报警",
            supported=has_feature(Feature.TRIGGER),
            identifiers=("PanicAlarm",),
        ),
        Aspect(
            key="changed_by",
            kind=Kind.TEXT,
            name_en="Changed by",
            name_zh="操作人",
            source=text_of(Attribute.CHANGED_BY),
            private=True,
            identifiers=("ChangedBy",),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
