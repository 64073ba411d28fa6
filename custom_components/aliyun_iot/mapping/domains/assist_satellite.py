"""Voice satellites: what they are doing, and a text to speak. Risky, because what the cloud says is heard in the house.

The answer to an announcement is sent when it has been spoken. Conversations are not started: what follows from an answer
can't be foreseen.

The constants of Home Assistant's `assist_satellite` are repeated here: importing it needs packages that are installed only with
Assist.
"""

from collections.abc import Mapping
from enum import IntFlag

from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Value
from ..attributes import has_feature, text

NAME = "assist_satellite"
ANNOUNCEMENT = "announcement"
STATES = ("idle", "listening", "processing", "responding")
PASSING = ("processing", "responding")


class Feature(IntFlag):
    """What a satellite supports."""

    ANNOUNCE = 1


def _plan(_: State, values: Mapping[str, Value]) -> list[ActionCall]:
    return [ActionCall(NAME, "announce", {"message": values[ANNOUNCEMENT]})]


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key="state",
            kind=Kind.ENUM,
            name_en="Activity",
            name_zh="运行状态",
            source=lambda state: text(state.state),
            options=lambda _: STATES,
            dispensable=lambda _: PASSING,
            identifiers=("AssistState", "VoiceState"),
        ),
        Aspect(
            key=ANNOUNCEMENT,
            kind=Kind.TEXT,
            name_en="Announcement",
            name_zh="语音播报",
            source=lambda _: None,
            writable=True,
            supported=has_feature(Feature.ANNOUNCE),
            momentary=True,
            identifiers=("Announcement", "VoiceBroadcast"),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
