"""Notifiers: a message to send, with a title, and the time of the last one.

All are risky: a message reaches people as if the house had written it, and may cost money. A title is only accepted in the same
`property/set` as a message.
"""

from collections.abc import Mapping
from functools import partial

from homeassistant.components.notify import (
    ATTR_MESSAGE,
    ATTR_TITLE,
    SERVICE_SEND_MESSAGE,
    NotifyEntityFeature,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import has_feature
from ..press import last_aspect

NAME = "notify"
MESSAGE = "message"
TITLE = "title"


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if MESSAGE not in values:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a title only together with a message")
    data: dict[str, object] = {ATTR_MESSAGE: values[MESSAGE]}
    if TITLE in values:
        data[ATTR_TITLE] = values[TITLE]
    return [ActionCall(NAME, SERVICE_SEND_MESSAGE, data)]


part_of_message = partial(Aspect, kind=Kind.TEXT, source=lambda _: None, writable=True, momentary=True)

DOMAIN = Domain(
    name=NAME,
    aspects=(
        part_of_message(
            key=MESSAGE,
            name_en="Message",
            name_zh="通知内容",
            identifiers=("Notification", "Message"),
        ),
        part_of_message(
            key=TITLE,
            name_en="Message title",
            name_zh="通知标题",
            supported=has_feature(NotifyEntityFeature.TITLE),
            identifiers=("NotificationTitle", "MessageTitle"),
        ),
        last_aspect(
            key="last_sent", name_en="Last message sent", name_zh="上次通知时间", identifiers=("LastNotification",)
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
