"""Automations: enabled or not, a press to run one, and when last triggered. Risky, because anything may depend on them.

A press runs the actions whatever the conditions of the automation, as in the user interface, and also while it is
disabled; if the same `property/set` disables it, it does not run.
"""

from collections.abc import Mapping
from dataclasses import replace

from homeassistant.components.automation import SERVICE_TRIGGER
from homeassistant.components.automation.const import AutomationEntityStateAttribute as Attribute
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Kind, Value
from ..attributes import moment_of
from ..on_off import POWER, switched_domain, turn
from ..press import press_aspect

NAME = "automation"
TRIGGER = "trigger"

_SWITCH = switched_domain(NAME)


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    calls = [turn(NAME, on=bool(values[POWER]))] if POWER in values else []
    if values.get(TRIGGER) is True and values.get(POWER) is not False:
        calls.append(ActionCall(NAME, SERVICE_TRIGGER))
    return calls


DOMAIN = replace(
    _SWITCH,
    aspects=(
        *_SWITCH.aspects,
        press_aspect(key=TRIGGER, name_en="Run", name_zh="触发", identifiers=("TriggerAutomation",)),
        Aspect(
            key="last_triggered",
            kind=Kind.DATE,
            name_en="Last triggered",
            name_zh="上次触发时间",
            source=moment_of(Attribute.LAST_TRIGGERED),
            identifiers=("LastTriggered",),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
