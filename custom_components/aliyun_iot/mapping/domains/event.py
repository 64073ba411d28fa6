"""Events: the type and the time of the last one.

If the same type occurs again, only the time changes; to report every occurrence, bind an event of the thing model.
"""

from homeassistant.components.event.const import ATTR_EVENT_TYPE, ATTR_EVENT_TYPES

from ..aspect import Aspect, Domain, Kind
from ..attributes import text_of, texts_of
from ..press import last_aspect

DOMAIN = Domain(
    name="event",
    aspects=(
        Aspect(
            key="event_type",
            kind=Kind.ENUM,
            name_en="Event",
            name_zh="事件",
            source=text_of(ATTR_EVENT_TYPE),
            options=texts_of(ATTR_EVENT_TYPES),
            identifiers=("EventType",),
        ),
        last_aspect(key="moment", name_en="Event time", name_zh="事件时间", identifiers=("EventTime",)),
    ),
)
