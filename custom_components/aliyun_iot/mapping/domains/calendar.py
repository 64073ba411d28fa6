"""Calendars: whether an event is in progress, and the current or next event. Report only.

What an event is about, and when, is private: it is never suggested, and bound only when the user picks it.

The constants of Home Assistant's `calendar` are repeated here: importing it loads half of the frontend.
"""

from functools import partial

from ..aspect import Aspect, Domain, Kind
from ..attributes import flag_of, moment_of, text_of
from ..on_off import on_or_off
from ..says import WORKING

event_text = partial(Aspect, kind=Kind.TEXT, private=True)
event_time = partial(Aspect, kind=Kind.DATE, private=True)

DOMAIN = Domain(
    name="calendar",
    aspects=(
        Aspect(
            key="in_progress",
            kind=Kind.BOOL,
            name_en="Event in progress",
            name_zh="日程进行中",
            source=on_or_off,
            says=WORKING,
            identifiers=("EventInProgress", "CalendarState"),
        ),
        event_text(
            key="message",
            name_en="Event title",
            name_zh="日程标题",
            source=text_of("message"),
            identifiers=("EventTitle",),
        ),
        event_time(
            key="start",
            name_en="Event start",
            name_zh="日程开始时间",
            source=moment_of("start_time"),
            identifiers=("EventStart",),
        ),
        event_time(
            key="end",
            name_en="Event end",
            name_zh="日程结束时间",
            source=moment_of("end_time"),
            identifiers=("EventEnd",),
        ),
        Aspect(
            key="all_day",
            kind=Kind.BOOL,
            name_en="All-day event",
            name_zh="全天日程",
            source=flag_of("all_day"),
            private=True,
            identifiers=("EventAllDay",),
        ),
        event_text(
            key="location",
            name_en="Event location",
            name_zh="日程地点",
            source=text_of("location"),
            identifiers=("EventLocation",),
        ),
        event_text(
            key="description",
            name_en="Event description",
            name_zh="日程说明",
            source=text_of("description"),
            identifiers=("EventDescription",),
        ),
    ),
)
