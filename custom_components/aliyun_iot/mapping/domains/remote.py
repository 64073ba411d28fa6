"""Remote controls: on or off, the activity, commands to send.

Off wins over everything else in the same `property/set`; an activity turns the remote on, so it replaces `power`. A command
is sent last, and does not turn the remote on. Commands are risky: nobody knows what they do.
"""

from collections.abc import Mapping

from homeassistant.components.remote import (
    ATTR_ACTIVITY,
    ATTR_ACTIVITY_LIST,
    ATTR_CURRENT_ACTIVITY,
    SERVICE_SEND_COMMAND,
    RemoteEntityFeature,
)
from homeassistant.const import ATTR_COMMAND, SERVICE_TURN_ON
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import has_feature, text_of, texts_of
from ..momentary import COMMAND
from ..on_off import POWER, power_aspect, turn

NAME = "remote"
ACTIVITY = "activity"


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if values.get(POWER) is False:
        return [turn(NAME, on=False)]
    calls = []
    if ACTIVITY in values:
        calls.append(ActionCall(NAME, SERVICE_TURN_ON, {ATTR_ACTIVITY: values[ACTIVITY]}))
    elif POWER in values:
        calls.append(turn(NAME, on=True))
    if COMMAND in values:
        calls.append(ActionCall(NAME, SERVICE_SEND_COMMAND, {ATTR_COMMAND: [values[COMMAND]]}))
    return calls


DOMAIN = Domain(
    name=NAME,
    aspects=(
        power_aspect("PowerSwitch"),
        Aspect(
            key=ACTIVITY,
            kind=Kind.ENUM,
            name_en="Activity",
            name_zh="活动",
            source=text_of(ATTR_CURRENT_ACTIVITY),
            writable=True,
            supported=has_feature(RemoteEntityFeature.ACTIVITY),
            options=texts_of(ATTR_ACTIVITY_LIST),
            identifiers=("Activity",),
        ),
        Aspect(
            key=COMMAND,
            kind=Kind.TEXT,
            name_en="Command",
            name_zh="指令",
            source=lambda _: None,
            writable=True,
            momentary=True,
            risky=True,
            identifiers=("RemoteCommand", "IRCommand"),
        ),
    ),
    plan=_plan,
)
