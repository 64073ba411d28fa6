"""Remote controls: on or off, the activity, commands to send and the device that they are for.

Off wins over everything else in the same `property/set`; an activity turns the remote on, so it replaces `power`. A command
is sent last, and does not turn the remote on. The device (a television, its id, whatever the remote knows) is only accepted in
the same `property/set` as a command. Commands are risky: nobody knows what they do.
"""

from collections.abc import Mapping
from functools import partial

from homeassistant.components.remote import (
    ATTR_ACTIVITY,
    ATTR_ACTIVITY_LIST,
    ATTR_CURRENT_ACTIVITY,
    ATTR_DEVICE,
    SERVICE_SEND_COMMAND,
    RemoteEntityFeature,
)
from homeassistant.const import ATTR_COMMAND, SERVICE_TURN_ON
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import has_feature, text_of, texts_of
from ..momentary import COMMAND
from ..on_off import POWER, power_aspect, turn

NAME = "remote"
ACTIVITY = "activity"
DEVICE = "device"


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if DEVICE in values and COMMAND not in values:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a device only together with a command")
    if values.get(POWER) is False:
        return [turn(NAME, on=False)]
    calls = []
    if ACTIVITY in values:
        calls.append(ActionCall(NAME, SERVICE_TURN_ON, {ATTR_ACTIVITY: values[ACTIVITY]}))
    elif POWER in values:
        calls.append(turn(NAME, on=True))
    if COMMAND in values:
        device = {ATTR_DEVICE: values[DEVICE]} if DEVICE in values else {}
        calls.append(ActionCall(NAME, SERVICE_SEND_COMMAND, {ATTR_COMMAND: [values[COMMAND]], **device}))
    return calls


part_of_command = partial(Aspect, kind=Kind.TEXT, source=lambda _: None, writable=True, momentary=True, risky=True)

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
        part_of_command(
            key=COMMAND,
            name_en="Command",
            name_zh="指令",
            identifiers=("RemoteCommand", "IRCommand"),
        ),
        part_of_command(
            key=DEVICE,
            name_en="Device to control",
            name_zh="受控设备",
            identifiers=("RemoteDevice", "IRDevice"),
        ),
    ),
    plan=_plan,
)
