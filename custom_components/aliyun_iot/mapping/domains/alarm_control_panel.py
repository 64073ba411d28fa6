"""Alarm panels: the mode they are set to, the whole state, a panic button. Risky without exception.

Two aspects look at the state. `mode` is what an application shows as a switch between disarmed and the ways of being
armed: it is set and reported in the same words, one per supported feature. While the panel arms, waits or howls it says
nothing, so a command is never contradicted on the way, and what is set is what comes back. `state` is only reported and
knows all the rest, alarms above all. Separate commands would make an application learn a second vocabulary for the same
thing; what is no mode is raising the alarm, a press (`mapping/press.py`).

No code is ever sent: Home Assistant uses the default code of the entity, and refuses where it needs one and has none.
Disarming wins over a panic in the same `property/set`.
"""

from collections.abc import Mapping

from homeassistant.components.alarm_control_panel.const import (
    AlarmControlPanelEntityFeature as Feature,
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
from ..attributes import has_feature, text
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
            identifiers=("AlarmState", "ArmState", "SecurityState"),
        ),
        press_aspect(
            key=PANIC,
            name_en="Panic button",
            name_zh="紧急报警",
            supported=has_feature(Feature.TRIGGER),
            always_known=False,
            identifiers=("PanicAlarm",),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
